"""`deepmotif bench`: speed beside other frameworks, memory and growth, as tables. Room: command line."""

from __future__ import annotations

import json
import os
from typing import Any

from deepmotif._files import write_file
from deepmotif.bench import table
from deepmotif.exceptions import InvalidArgumentError

from .outputs import Progress, make_folder


def run_bench(options: Any) -> None:
    """Measure what was asked for, print the tables, and keep them where there is a folder."""
    progress = Progress(options.quiet)
    processors = len(os.sched_getaffinity(0))
    too_many = [threads for threads in options.threads if threads > processors]
    if too_many:
        raise InvalidArgumentError(f"--threads must be at most the {processors} processors at hand; got {too_many[0]}")
    folder = make_folder(options.output) if options.output else None
    progress.say(table.machine())
    results: dict[str, Any] = {"machine": table.machine()}
    texts = [results["machine"]]
    for section in options.sections:
        results[section], text = _SECTIONS[section](options, progress)
        print(text, end="\n\n", flush=True)
        texts.append(text)
        if folder:
            write_file(folder / "bench.json", json.dumps(results, indent=1).encode())
            write_file(folder / "bench.md", ("\n\n".join(texts) + "\n").encode())


def _speed(options: Any, progress: Progress) -> tuple[list[Any], str]:
    rows: list[dict[str, Any]] = []
    plain: dict[tuple[str, str, int], float] = {}
    for threads in options.threads:
        request = {
            "section": "speed", "networks": options.networks, "tasks": options.tasks, "threads": threads,
            "seconds": options.seconds, "repeats": options.repeats,
        }  # fmt: skip
        for row in table.rows_of(request | {"rivals": "none" if options.alone else "tuned"}):
            rows.append(row)
            progress.say(
                f"{row['network']}, {row['task']}, {threads} threads: {row['ours']['median']:,.1f} {row['unit']}"
            )
        if options.plain and not options.alone:
            for row in table.rows_of(request | {"rivals": "plain"}, tuned=False):
                if row["rival"] is not None:
                    plain[row["network"], row["task"], threads] = row["rival"]["median"]
    return rows, table.speed_table(rows, plain)


def _memory(options: Any, progress: Progress) -> tuple[list[Any], str]:
    rows = []
    for threads in options.threads:
        request = {"section": "memory", "networks": options.networks, "threads": threads}
        rows += list(table.rows_of(request, tuned=False))
    return rows, table.memory_table(rows)


def _growth(options: Any, progress: Progress) -> tuple[list[Any], str]:
    rows = []
    for row in table.rows_of({"section": "growth", "threads": options.threads[0], "repeats": options.repeats}):
        rows.append(row)
        progress.say(f"{row['network']}, {row['size']}: slope {row['slope']:.2f}")
    return rows, table.growth_table(rows)


_SECTIONS = {"speed": _speed, "memory": _memory, "growth": _growth}
