"""Rates of several programs doing the same work, measured in turns. Benchmarks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Units of work per second, over the repeats."""

    best: float
    median: float


def measure(
    programs: Mapping[str, Callable[[int], object]], step: int, seconds: float, repeats: int
) -> dict[str, Rate]:
    """Rates of programs that each do `count` units of work when called, `count` a multiple of `step`.

    The programs take turns, so that whatever else the machine does hits all of them. Each does work for about
    `seconds`; the first call of each, which may compile or allocate, is not counted. Programs of half the best speed or
    less, the first one apart, drop out after it.
    """
    counts, estimates = {}, {}
    for name, program in programs.items():
        program(step)
        counts[name], estimates[name] = _calibrate(program, step, seconds)
    first, *others = programs
    fastest = max((estimates[name] for name in others), default=0.0)
    kept = [name for name in programs if name == first or estimates[name] > fastest / 2]
    rates: dict[str, list[float]] = {name: [] for name in kept}
    for _ in range(repeats):
        for name in kept:
            began = time.perf_counter()
            programs[name](counts[name])
            rates[name].append(counts[name] / (time.perf_counter() - began))
    return {name: Rate(max(values), statistics.median(values)) for name, values in rates.items()}


def _calibrate(program: Callable[[int], object], step: int, seconds: float) -> tuple[int, float]:
    """An amount of work of about `seconds`, and the rate seen."""
    count = step
    while True:
        began = time.perf_counter()
        program(count)
        took = time.perf_counter() - began
        if took >= seconds / 4:
            rate = count / took
            return max(step, round(rate * seconds / step) * step), rate
        count = step * max(
            2 * count // step, min(16 * count // step, int(seconds / 3 * count / max(took, 1e-6)) // step)
        )
