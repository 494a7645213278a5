"""Hits of many motifs in sequences, with exact p-values. Motifs room."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._arrays import codes_of_letters
from ._blocks import Pace
from ._input import as_input
from ._motif import checked_background
from ._motif_lists import import_pandas, motif_list, motif_names
from ._validation import check_flag, check_number, check_threads

if TYPE_CHECKING:
    import pandas

    from ._motif import Motif

__all__ = ["scan"]

# Letters of the first block; later ones are as long as an interrupt may wait.
_FIRST_BLOCK = 1 << 14


def scan(
    motifs: Motif | list[Motif],
    X: Any,
    p_value: float = 1e-4,
    *,
    background: ArrayLike | None = None,
    pseudocount: float = 0.1,
    both_strands: bool = True,
    n_threads: int | None = None,
) -> pandas.DataFrame:
    """Find the windows of sequences that fit motifs, on both strands.

    A window's score is the sum of the log2 odds of its letters, motif against background; its p-value the probability
    of at least this score for independent letters of the background. The reverse complement of a motif is looked for
    on the strand given, under the same background.

    Parameters
    ----------
    motifs : Motif or list of Motif
        Names must differ.
    X : sequence argument
        A memory-mapped array of codes is read piece by piece. Windows with unknown bases are skipped.
    p_value : float
        Largest p-value of a hit; 1.0 returns all windows.
    background : array (4,), optional
        Frequencies of A C G T; uniform by default.
    pseudocount : float
        In total per position, spread by the background; see `Motif.log_odds`.
    both_strands : bool
        Look for reverse complements, too.
    n_threads : int, optional
        None: all processors that the process may use.

    Returns
    -------
    pandas.DataFrame
        ``motif`` (name), ``sequence`` (row), ``start`` and ``end`` (from 0, half open, on the strand given), ``strand``
        ("+" or "-"), ``score`` in bits, ``p_value`` and ``q_value`` (Benjamini and Hochberg over all windows of a
        motif, of which the hits are the best), by motif, sequence, start and strand.

    Raises
    ------
    InvalidArgumentError, ShapeError
        If an argument is not one of the above.
    MissingDependencyError
        If pandas is not installed.

    Notes
    -----
    P-values are sums over all words up to 10 positions. Wider motifs use scores rounded to 2^-12 bit, and single words
    again in the extreme tail (Staden 1989; Wu et al. 2000).

    Examples
    --------
    >>> import deepmotif as dm
    >>> motif = dm.Motif.from_consensus("GATAAG")
    >>> dm.scan(motif, ["TTGATAAGTTTTTCTTATCAA"], p_value=1e-3)[["start", "end", "strand"]].values.tolist()
    [[2, 8, '+'], [13, 19, '-']]
    """
    table = import_pandas("scan")
    listed = motif_list(motifs, "motifs")
    names = motif_names(listed, "motifs")
    columns = find_windows(
        listed, [_codes(X)], p_value, background=background, pseudocount=pseudocount, both_strands=both_strands,
        n_threads=n_threads,
    )  # fmt: skip
    return table.DataFrame(columns | {"motif": names[columns["motif"]]})


def find_windows(
    motifs: list[Motif],
    groups: Iterable[NDArray[np.uint8]],
    p_value: float,
    *,
    background: ArrayLike | None = None,
    pseudocount: float = 0.1,
    both_strands: bool = True,
    n_threads: int | None = None,
) -> dict[str, NDArray[Any]]:
    """The columns of `scan`, motifs by their index, for sequences that come in groups of one length (n, L) each.

    Rows are counted over all groups. Only the hits are kept, so that a generator of groups may read a file as it goes.
    """
    limit = check_number(p_value, "p_value", 0, 1, open_minimum=True)
    check_number(pseudocount, "pseudocount", 0)
    both = check_flag(both_strands, "both_strands")
    threads = check_threads(n_threads)
    letters = np.full(4, 0.25) if background is None else checked_background(background)
    forward = [motif.log_odds(letters, pseudocount) for motif in motifs]
    reverse = [motif.reverse_complement().log_odds(letters, pseudocount) for motif in motifs] if both else None
    widths = np.array([len(matrix) for matrix in forward], dtype=np.int64)
    scanner = _native.Scanner(
        np.concatenate(forward), np.concatenate(reverse) if reverse else None, widths, letters, limit, threads
    )
    first = 0
    for codes in groups:
        _look(scanner, codes, first, int(widths.max()), threads)
        first += len(codes)
    _finish(scanner, len(motifs), threads)
    motif, sequence, start, turned, score, p, q = scanner.hits()
    return {
        "motif": motif,
        "sequence": sequence,
        "start": start,
        "end": start + widths[motif],
        "strand": np.array(["+", "-"], dtype=object)[turned],
        "score": score,
        "p_value": p,
        "q_value": q,
    }


def _codes(X: Any) -> NDArray[np.uint8]:
    array = as_input(X)
    if array.ndim == 2:
        return array
    return codes_of_letters(array, "X", "for a scan")


def _look(scanner: _native.Scanner, codes: NDArray[np.uint8], first: int, widest: int, threads: int) -> None:
    """Hands the sequences over in pieces of short calls, so that Ctrl-C is answered: rows, or parts of a long row.

    `first` is the number of the first row.
    """
    count, length = codes.shape
    pace = Pace(_FIRST_BLOCK)
    row = position = 0
    while row < count:
        began = time.perf_counter()
        if position == 0 and length <= pace.size:
            rows = min(count - row, pace.size // length)
            scanner.scan(codes[row : row + rows], length, first + row, 0, threads)
            row, done = row + rows, rows * length
        else:
            # Windows may reach beyond the last start of the piece.
            done = min(pace.size, length - position)
            piece = codes[row : row + 1, position : position + done + widest - 1]
            scanner.scan(piece, done, first + row, position, threads)
            position += done
            if position == length:
                row, position = row + 1, 0
        pace.update(done, time.perf_counter() - began)


def _finish(scanner: _native.Scanner, count: int, threads: int) -> None:
    pace = Pace(threads)
    first = 0
    while first < count:
        began = time.perf_counter()
        taken = min(pace.size, count - first)
        scanner.finish(first, taken, threads)
        pace.update(taken, time.perf_counter() - began)
        first += taken
