"""Ascent of feature maps against PyTorch on the same work, one process, in turns: CPU time and wall time.

The network is the paper's for transcription factors: 16 filters of 25, global maximum, dense 32, dense 1; the map is
that in front of the maximum (101 x 16) or behind it (1 x 16). Both sides make the same steps of plain gradient ascent
of 100 restarts and keep the best map of each. PyTorch runs by autograd, and with the gradient written by hand.

    python python/benchmarks/resolve_speed.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import deepmotif as dm
from deepmotif import _native
from deepmotif._ascent import DECAY, Ascent
from deepmotif.layers import Conv1D, Dense, Dropout, GlobalMaxPool1D, ReLU

L2, RATE = 2.8, 0.005


def network() -> dm.Network:
    layers = [Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(32), ReLU(), Dropout(0.5), Dense(1)]
    m = dm.Network(layers, "sigmoid", random_state=1).build(101, 1)
    return m.set_weights({name: 2 * value for name, value in m.weights_.items()})


def tail_weights(m: dm.Network) -> list[torch.Tensor]:
    names = ("dense_0.weight", "dense_0.bias", "dense_1.weight", "dense_1.bias")
    return [torch.from_numpy(np.array(m.weights_[name])) for name in names]


def ours(m: dm.Network, place: int, start: np.ndarray, steps: int, threads: int) -> np.ndarray:
    ascent = Ascent(m._engine, place + 1, start, [0], L2, RATE, steps, threads)
    ascent._options["patience"] = 1 << 30
    ascent.run(lambda stopped: None)
    return ascent.best_maps


def converged(m: dm.Network, place: int, start: np.ndarray, threads: int) -> int:
    """To convergence, as `deepresolve` runs it; steps in all."""
    ascent = Ascent(m._engine, place + 1, start, [0], L2, RATE, 10_000, threads)
    ascent.run(lambda stopped: None)
    return int(ascent.steps.sum())


def rates(steps: int) -> list[float]:
    late = np.maximum(np.arange(1, steps + 1) - DECAY["decay_start"], 1.0) ** -DECAY["decay_power"]
    return [RATE if step <= DECAY["decay_start"] else RATE * float(late[step - 1]) for step in range(steps)]


def by_autograd(weights: list[torch.Tensor], start: np.ndarray, steps: int) -> np.ndarray:
    w1, b1, w2, b2 = weights
    h = torch.from_numpy(start.copy()).requires_grad_(True)
    best, top = h.detach().clone(), torch.full((len(start),), -torch.inf)
    for rate in [*rates(steps), 0.0]:
        score = (torch.relu(h.amax(1) @ w1.T + b1) @ w2.T + b2)[:, 0]
        (slope,) = torch.autograd.grad(score.sum(), h)
        with torch.no_grad():
            objective = score - L2 * h.square().sum((1, 2))
            better = objective > top
            top = torch.where(better, objective, top)
            best = torch.where(better[:, None, None], h, best)
            h.mul_(1 - 2 * rate * L2).add_(slope, alpha=rate)
    return best.numpy()


@torch.no_grad()
def by_hand(weights: list[torch.Tensor], start: np.ndarray, steps: int) -> np.ndarray:
    """Only the positions of the maxima move by the score's gradient; the best map is copied where it improves."""
    w1, b1, w2, b2 = weights
    h = torch.from_numpy(start.copy())
    best, top = h.clone(), torch.full((len(start),), -torch.inf)
    for rate in [*rates(steps), 0.0]:
        peak, place = h.max(1, keepdim=True)
        hidden = torch.addmm(b1, peak[:, 0], w1.T)
        score = torch.addmm(b2, hidden.relu(), w2.T)[:, 0]
        flat = h.view(len(h), -1)
        objective = torch.sub(score, torch.linalg.vecdot(flat, flat), alpha=L2)
        better = objective > top
        if bool(better.all()):
            best.copy_(h)
            top = objective
        else:
            best[better] = h[better]
            top = torch.maximum(top, objective)
        slope = ((hidden > 0) * w2) @ w1
        h.mul_(1 - 2 * rate * L2).scatter_add_(1, place, (rate * slope)[:, None, :])
    return best.numpy()


def measure(call: Callable[[], Any]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    m = network()
    weights = tail_weights(m)
    for name, place, positions in (("in front of the maximum, 101 x 16", 1, 101), ("behind it, 1 x 16", 2, 1)):
        start = _native.random_normal(0, options.restarts, positions * 16).reshape(options.restarts, positions, 16)
        calls = {
            "deepmotif": lambda place=place, start=start: ours(m, place, start, options.steps, options.threads),
            "PyTorch, autograd": lambda start=start: by_autograd(weights, start, options.steps),
            "PyTorch, by hand": lambda start=start: by_hand(weights, start, options.steps),
        }
        results = {label: call() for label, call in calls.items()}
        for label in list(calls)[1:]:
            worst = np.abs(results[label] - results["deepmotif"]).max()
            print(f"{name}: {label} differs from deepmotif by {worst:.1e}")
        times: dict[str, list[tuple[float, float]]] = {label: [] for label in calls}
        for _ in range(options.rounds):
            for label, call in calls.items():
                times[label].append(measure(call))
        base = float(np.median([cpu for cpu, _ in times["deepmotif"]]))
        for label, values in times.items():
            cpu, wall = np.median(values, axis=0)
            print(f"{name}: {label}: {1e3 * cpu:.1f} ms CPU, {1e3 * wall:.1f} ms wall, {cpu / base:.1f} x")
        runs = [measure(lambda place=place, start=start: converged(m, place, start, 2)) for _ in range(options.rounds)]
        steps = converged(m, place, start, 2)
        cpu, wall = np.min(runs, axis=0)
        print(
            f"{name}: to convergence, 2 threads: {1e3 * cpu:.1f} ms CPU, {1e3 * wall:.1f} ms wall (best), {steps} steps"
        )


if __name__ == "__main__":
    main()
