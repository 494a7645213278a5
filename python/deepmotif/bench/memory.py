"""Memory that training takes over its data, and growth of its time with the sizes. Benchmarks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm

from .networks import CASES


def memory(networks: list[str], threads: int) -> Iterator[dict[str, Any]]:
    """Peak of the resident memory in training above what the process held before, in MB."""
    for name in networks:
        case = CASES[name]
        X, y = case.data(16 * case.batch)
        # Whatever is imported for training is not the network's memory.
        dm.CNN(filters=1, kernel_sizes=(1,), n_threads=threads).partial_fit(["A", "C"], [0, 1])
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        case.model(threads).partial_fit(X, y)
        yield {"network": case.title, "threads": threads, "megabytes": (_resident("VmHWM") - before) / 1e6}


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def growth(threads: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Time of one pass against number and length of the sequences, filters and hidden units; slope of log on log."""
    settings: dict[str, Any] = {"random_state": 0, "n_threads": threads}
    scales: list[tuple[str, str, list[int], Callable[[int], tuple[Any, int, int]]]] = [
        ("CNN", "N", [1024, 4096, 16384], lambda n: (dm.CNN(**settings), n, 101)),
        ("CNN", "L", [100, 400, 1600], lambda length: (dm.CNN(**settings), 512, length)),
        ("CNN", "filters", [32, 128, 512], lambda filters: (dm.CNN(filters=filters, **settings), 512, 101)),
        ("RNN", "N", [1024, 4096, 16384], lambda n: (dm.RNN(**settings), n, 101)),
        ("RNN", "L", [100, 400, 1600], lambda length: (dm.RNN(**settings), 512, length)),
        ("RNN", "hidden", [16, 64, 256], lambda hidden: (dm.RNN(hidden=hidden, **settings), 512, 101)),
        ("CNN-RNN", "N", [1024, 4096], lambda n: (dm.CNNRNN(**settings), n, 101)),
        ("CNN-RNN", "L", [100, 400, 1600], lambda length: (dm.CNNRNN(**settings), 512, length)),
    ]
    for network, size, values, make in scales:
        seconds = []
        for value in values:
            model, n, length = make(value)
            X, y = dm.simulate(n, length=length, motifs="TGACTCAGCA", random_state=0)
            times = []
            model.partial_fit(X, y)
            for _ in range(repeats):
                began = time.perf_counter()
                model.partial_fit(X, y)
                times.append(time.perf_counter() - began)
            seconds.append(min(times))
        slope = float(np.polyfit([math.log(v) for v in values], [math.log(s) for s in seconds], 1)[0])
        yield {"network": network, "size": size, "values": values, "seconds": seconds, "slope": slope}
