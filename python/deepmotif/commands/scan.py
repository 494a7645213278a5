"""`deepmotif scan`: where motifs occur in sequences, as a table. Room: command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from deepmotif._io import fasta_groups
from deepmotif._motif_lists import motif_names
from deepmotif.scanning import find_windows

from .inputs import read_database
from .outputs import Progress, table_text


def run_scan(options: Any) -> None:
    """Read the motifs, then scan the sequences as they are read, and write to stdout."""
    progress = Progress(options.quiet)
    motifs = read_database(options.motifs, progress)
    names = motif_names(motifs, "motifs")
    sequences: list[str] = []

    def groups() -> Iterator[np.ndarray]:
        for own, codes in fasta_groups(options.fasta):
            sequences.extend(own)
            yield codes

    progress.say(f"looking for {len(motifs)} motifs in {options.fasta}")
    hits = find_windows(
        motifs, groups(), min(options.p_value, 1.0), both_strands=not options.norc, n_threads=options.threads
    )
    progress.say(f"{len(hits['motif'])} hits in {len(sequences)} sequences")
    found = np.array(sequences, dtype=object)[hits["sequence"]]
    sys.stdout.write(table_text(hits | {"motif": names[hits["motif"]], "sequence": found}))
