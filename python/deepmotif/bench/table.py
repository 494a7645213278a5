"""Starts the workers of the benchmark and makes its tables. Benchmarks."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from deepmotif.exceptions import DeepMotifError

# Large buffers stay mapped between steps, which alone gives PyTorch up to twice the speed in training.
_ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": "10000000000", "MALLOC_MMAP_THRESHOLD_": "10000000000"}


def rows_of(request: dict[str, Any], *, tuned: bool = True) -> Iterator[dict[str, Any]]:
    """The rows that a worker process prints, as they come."""
    threads = str(request["threads"])
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "JAX_PLATFORMS": "cpu"} | (_ALLOCATOR if tuned else {})
    command = [sys.executable, "-m", "deepmotif.bench.worker", json.dumps(request)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as worker:
        try:
            for line in worker.stdout or ():
                yield json.loads(line)
        except BaseException:
            worker.kill()
            raise
    if worker.returncode:
        raise DeepMotifError(f"the benchmark's process ended with exit code {worker.returncode}; its message is above")


def machine() -> str:
    """The processor and the programs, in one line."""
    from importlib.metadata import PackageNotFoundError, version

    from deepmotif.commands.outputs import versions

    names = []
    for package in ("torch", "jax"):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    found = versions()
    parts = [_processor(), f"deepmotif {found['deepmotif']} ({found['isa']})", *names, f"Python {found['python']}"]
    return ", ".join(parts)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def speed_table(rows: list[dict[str, Any]], plain: dict[tuple[str, str, int], float]) -> str:
    """Rates, medians over the repeats, and ratios by medians and by the best repeats, as Markdown."""
    lines = [
        "| task | network | threads | DeepMotif | best rival | ratio (median, best) | plain PyTorch | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours, rival = row["ours"], row["rival"]
        cells = [row["task"], row["network"], str(row["threads"]), f"{_short(ours['median'])} {row['unit']}"]
        if rival is None:
            cells += ["", ""]
        else:
            cells.append(f"{_short(rival['median'])} ({row['rival_name']})")
            cells.append(f"{ours['median'] / rival['median']:.2f}, {ours['best'] / rival['best']:.2f}")
        other = plain.get((row["network"], row["task"], row["threads"]))
        cells += ["", ""] if other is None else [_short(other), f"{ours['median'] / other:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def memory_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| network | threads | training memory above the data |", "|---|---|---|"]
    lines += [f"| {row['network']} | {row['threads']} | {row['megabytes']:.0f} MB |" for row in rows]
    return "\n".join(lines)


def growth_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| network | size | values | seconds of one pass | slope |", "|---|---|---|---|---|"]
    for row in rows:
        values = ", ".join(map(str, row["values"]))
        seconds = ", ".join(f"{value:.3g}" for value in row["seconds"])
        lines.append(f"| {row['network']} | {row['size']} | {values} | {seconds} | {row['slope']:.2f} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    """Three significant digits with separators for thousands."""
    digits = max(0, 2 - (len(str(int(value))) - 1)) if value >= 1 else 3
    return f"{float(f'{value:.3g}'):,.{digits}f}"
