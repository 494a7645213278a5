"""Motifs: position frequency matrices, their files, and where they occur in a sequence. Motifs room."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._example_motif import example_motif
from ._input import as_input
from ._jaspar import jaspar
from ._meme import read_meme, write_meme
from ._motif import Motif
from ._motif_files import read_motifs
from ._validation import check_number
from .exceptions import ShapeError
from .scanning import find_windows

__all__ = ["Motif", "example_motif", "find_hits", "jaspar", "read_meme", "read_motifs", "write_meme"]


def find_hits(
    motif: Any,
    codes: Any,
    p_value: float = 1e-3,
    background: ArrayLike | None = None,
    pseudocount: float = 0.1,
    *,
    overlapping: bool = False,
) -> list[tuple[int, int, str]]:
    """Where a motif occurs in one sequence, on both strands.

    Every window is scored by the log odds of the motif against the background, and its p-value is the exact probability
    of so high a score among random windows of the background. Windows with unknown bases are no hits.

    Parameters
    ----------
    motif : Motif or array (K, 4)
        Probabilities.
    codes : array (L,) of codes, or any sequence argument with one sequence
        Where to look.
    p_value : float
        Windows with a p-value up to this are hits; 1.0 takes all.
    background : array (4,), optional
        Probabilities of A C G T; uniform by default.
    pseudocount : float
        See `Motif.log_odds`.
    overlapping : bool
        By default a hit that overlaps a better one is dropped.

    Returns
    -------
    list of (start, end, strand)
        Best first, then from left to right, ``+`` before ``-``. Positions from 0 on the strand given, end exclusive.

    Examples
    --------
    >>> from deepmotif.motifs import Motif, find_hits
    >>> find_hits(Motif.from_consensus("GATAAG"), "TTGATAAGTTTTTCTTATCAA")
    [(2, 8, '+'), (13, 19, '-')]
    """
    motif = motif if isinstance(motif, Motif) else Motif(motif)
    check_number(p_value, "p_value", 0, 1)
    row = codes if not isinstance(codes, np.ndarray) or codes.ndim != 1 or codes.dtype.kind in "OUST" else codes[None]
    X = as_input(row, name="codes")
    if X.ndim != 2 or len(X) != 1:
        raise ShapeError(f"codes must be one sequence of letters or codes; got an array of shape {X.shape}")
    if X.shape[1] < len(motif) or p_value == 0:
        return []
    found = find_windows([motif], [X], p_value, background=background, pseudocount=pseudocount, n_threads=1)
    hits = sorted(zip(found["p_value"].tolist(), found["start"].tolist(), found["strand"], strict=True))
    if not overlapping:
        hits = _without_overlaps(hits, len(motif), X.shape[1])
    return [(start, start + len(motif), strand) for _, start, strand in hits]


def _without_overlaps(hits: list[tuple[float, int, str]], width: int, length: int) -> list[tuple[float, int, str]]:
    taken = np.zeros(length, dtype=bool)
    kept = []
    for hit in hits:
        place = slice(hit[1], hit[1] + width)
        if not taken[place].any():
            taken[place] = True
            kept.append(hit)
    return kept
