"""One training epoch of the three networks here and in PyTorch, alternating in one run: sequences per second and ratio.

    python python/benchmarks/training_speed.py --threads 1 2

The clock holds shuffling, one-hot conversion and Adam steps of 256 sequences of 101 bp, default settings. PyTorch runs
as plain channels-first modules and, where it has convolutions, in channels-last memory; the better one is the rival.
Large buffers stay mapped between steps, which alone gives PyTorch up to twice the speed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

import numpy as np
import pytorch_twins
import torch

import deepmotif as dm

NETWORKS = {"cnn": dm.CNN, "rnn": dm.RNN, "cnn-rnn": dm.CNNRNN}
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": "10000000000", "MALLOC_MMAP_THRESHOLD_": "10000000000"}


def our_epoch(model: dm.CNN, X: np.ndarray, y: np.ndarray) -> float:
    start = time.perf_counter()
    model.partial_fit(X, y)
    return time.perf_counter() - start


def torch_epoch(twin: torch.nn.Module, optimizer: torch.optim.Optimizer, X: np.ndarray, y: np.ndarray) -> float:
    start = time.perf_counter()
    order = np.random.default_rng(0).permutation(len(X))
    labels = torch.from_numpy(y)
    for first in range(0, len(order), 256):
        rows = order[first : first + 256]
        pytorch_twins.train_step(twin, optimizer, pytorch_twins.letters(X[rows]), labels[rows])
    return time.perf_counter() - start


def compare(kind: str, threads: int, n: int, repeats: int) -> str:
    X, y = dm.simulate(n, motifs="TGACTCAGCA", random_state=0)
    torch.set_num_threads(threads)
    ours = NETWORKS[kind](random_state=0, n_threads=threads)
    layouts = [False] if kind == "rnn" else [False, True]
    twins = {last: pytorch_twins.TWINS[kind](channels_last=last).train() for last in layouts}
    optimizers = {last: pytorch_twins.optimizer_of(twin) for last, twin in twins.items()}
    times: dict[str | bool, list[float]] = {"ours": [], **{last: [] for last in layouts}}
    for _ in range(repeats + 1):
        times["ours"].append(our_epoch(ours, X, y))
        for last in layouts:
            times[last].append(torch_epoch(twins[last], optimizers[last], X, y))
    best = {key: n / min(values[1:]) for key, values in times.items()}
    median = {key: n / statistics.median(values[1:]) for key, values in times.items()}
    rival = max(layouts, key=lambda last: median[last])
    return (
        f"{kind}\t{threads}\t{best['ours']:.0f}\t{median['ours']:.0f}\t{best[rival]:.0f}\t{median[rival]:.0f}\t"
        f"{best['ours'] / best[rival]:.2f}\t{median['ours'] / median[rival]:.2f}"
    )


def main() -> None:
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        # The allocator reads them when the process starts.
        os.environ.update(ALLOCATOR)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--sequences", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print("network\tthreads\tours_best\tours_median\tpytorch_best\tpytorch_median\tratio_best\tratio_median")
    for threads in options.threads:
        for kind in NETWORKS:
            print(compare(kind, threads, options.sequences, options.repeats), flush=True)


if __name__ == "__main__":
    main()
