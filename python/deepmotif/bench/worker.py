"""One process of the benchmark: bound to its processors, rows as lines of JSON on stdout. Benchmarks.

`python -m deepmotif.bench.worker '{"section": "speed", ...}'`; started by `deepmotif.bench.table`.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any


def main(request: dict[str, Any]) -> None:
    section, threads = request.pop("section"), request["threads"]
    processors = sorted(os.sched_getaffinity(0))
    # Frameworks differ in how they are told a number of threads; the number of processors they all respect.
    os.sched_setaffinity(0, processors[:threads])
    warnings.filterwarnings("ignore", module="torch")
    if section == "speed":
        from .speed import run

        for row in run(**request):
            print(json.dumps(row.to_json()), flush=True)
    else:
        from . import memory

        for line in getattr(memory, section)(**request):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
