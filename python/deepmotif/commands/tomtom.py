"""`deepmotif tomtom`: motifs against a database, as a table. Room: command line."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import deepmotif as dm

from .inputs import read_database
from .outputs import Progress, frame_columns, table_text


def run_tomtom(options: Any) -> None:
    """Read, compare, write to stdout."""
    progress = Progress(options.quiet)
    queries, targets = read_database(options.query, progress), read_database(options.target, progress)
    progress.say(f"comparing {len(queries)} motifs with {len(targets)}")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        table = dm.tomtom(
            queries,
            targets,
            options.distance,
            complete_scores=not options.incomplete_scores,
            min_overlap=options.min_overlap,
            reverse_complement=not options.norc,
            threshold=options.threshold,
            threshold_on=options.threshold_on,
            n_threads=options.threads,
        )
    for warning in told:
        progress.say(f"warning: {warning.message}")
    names = {motif.name: motif.alternate_name for motif in targets}
    table.insert(2, "target_name", [names.get(name, "") for name in table["target"]])
    sys.stdout.write(table_text(frame_columns(table)))
