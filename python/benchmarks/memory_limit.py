"""Trains on a memory map of codes that is larger than the memory which the process is allowed.

The codes (random letters, the site TGACTCAG in half of the rows) are written to a file; a child process is moved into
a control group of its own with the limit, trains one epoch from the map, and reports its memory once a second. Needs
Linux and the right to make a control group (root, as a rule).

    python python/benchmarks/memory_limit.py --folder map --sequences 6000000 --megabytes 300
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU

LENGTH = 101
SITE = np.array([3, 2, 0, 1, 3, 1, 0, 2], dtype=np.uint8)
BLOCK = 100_000


def write_codes(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "codes.npy", mode="w+", dtype=np.uint8, shape=(count, LENGTH))
    y = np.lib.format.open_memmap(folder / "y.npy", mode="w+", dtype=np.uint8, shape=(count,))
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        codes = random.integers(0, 4, (size, LENGTH), dtype=np.uint8)
        labels = random.integers(0, 2, size, dtype=np.uint8)
        places = random.integers(0, LENGTH - len(SITE), size)
        planted = np.flatnonzero(labels)
        codes[planted[:, None], places[planted, None] + np.arange(len(SITE))] = SITE
        X[start : start + size], y[start : start + size] = codes, labels
    X.flush()
    y.flush()
    # Pages that this process brought in would not count for the child; mapped ones cannot be given back.
    del X, y
    with open(folder / "codes.npy", "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def make_group(megabytes: int) -> Path:
    """A control group with the limit, of version 2 or 1."""
    root = Path("/sys/fs/cgroup")
    is_unified = (root / "cgroup.controllers").exists()
    group = (root if is_unified else root / "memory") / f"deepmotif-{os.getpid()}"
    group.mkdir()
    (group / ("memory.max" if is_unified else "memory.limit_in_bytes")).write_text(str(megabytes * 1_000_000))
    if is_unified and (group / "memory.swap.max").exists():
        (group / "memory.swap.max").write_text("0")
    return group


def resident() -> tuple[float, float]:
    """Private memory, and mapped pages that are present, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["RssAnon"].split()[0]) / 1e3, int(fields["RssFile"].split()[0]) / 1e3


def train(folder: Path, threads: int) -> None:
    X, y = (np.load(folder / name, mmap_mode="r") for name in ("codes.npy", "y.npy"))
    layers = [Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(32), ReLU(), Dense(2)]
    model = dm.Network(layers, epochs=1, learning_rate=0.001, random_state=0, n_threads=threads)
    sizes: list[tuple[float, float]] = []
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(1):
            sizes.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - began
    is_done.set()
    watcher.join()
    auc = model.history_["val_auc"][0]
    print(f"{X.nbytes / 1e6:.0f} MB of codes, one epoch: {seconds:.1f} s, validation AUC {auc:.4f}")
    for tenth in range(0, len(sizes), max(1, len(sizes) // 10)):
        private, mapped = sizes[tenth]
        print(f"after {tenth + 1} s: private {private:.0f} MB, mapped {mapped:.0f} MB")
    print(f"most private memory: {max(private for private, _ in sizes):.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sequences", type=int, default=6_000_000)
    parser.add_argument("--megabytes", type=int, default=300, help="memory that the process is allowed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(options.folder, options.threads)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    write_codes(options.folder, options.sequences)
    group = make_group(options.megabytes)
    command = [sys.executable, __file__, "--train", "--folder", options.folder, "--threads", str(options.threads)]
    try:
        enter = f'echo $$ > {group}/cgroup.procs && exec "$@"'
        status = subprocess.run(["sh", "-c", enter, "sh", *command], check=False).returncode
    finally:
        group.rmdir()
    print(f"limit {options.megabytes} MB: " + ("passed" if status == 0 else f"ended with status {status}"))


if __name__ == "__main__":
    main()
