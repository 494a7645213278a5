"""From attributions to motifs: significant windows, clustered. Motifs room."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._clustering import cluster_windows
from ._input import as_input
from ._input_windows import letters_at
from ._modisco import modisco_sites
from ._motif import Motif
from ._seqlets import Sites, call_seqlets, windows_of
from ._validation import check_number, check_whole, draw_seed
from .exceptions import InvalidArgumentError, ShapeError
from .sequences import one_hot

__all__ = ["SeqletMotif", "seqlet_motifs"]

METHODS = ("similarity", "modisco")


class SeqletMotif(Motif):
    """A motif of significant windows of attributions, which lie on one another.

    Attributes
    ----------
    sign : int
        1 where the windows speak for what was explained, -1 where they speak against it.
    contributions : array (W, 4)
        Mean attribution of the letters that the windows have.
    sequences, starts, strands : array (n,)
        Row, first position and strand ("+" or "-") of each window; starts may lie before a sequence's beginning. The
        strongest window comes first.
    profile : array (L,) of whole numbers
        Windows by the position of their middle.
    """

    sign: int
    contributions: NDArray[np.float64]
    sequences: NDArray[np.int64]
    starts: NDArray[np.int64]
    strands: NDArray[np.object_]
    profile: NDArray[np.int64]

    def __init__(
        self, probabilities: ArrayLike | None, name: str, counts: ArrayLike, n_sites: int, **properties: Any
    ) -> None:
        super().__init__(probabilities, name, counts, n_sites)
        vars(self).update(properties)


def seqlet_motifs(
    attributions: Any,
    X: Any,
    *,
    width: int = 9,
    flank: int = 5,
    fdr: float = 0.05,
    similarity: float = 0.7,
    min_sites: int = 20,
    max_seqlets: int = 20000,
    trim: float = 0.25,
    method: str = "similarity",
    random_state: Any = 0,
    **options: Any,
) -> list[SeqletMotif]:
    """Motifs of whatever attributions point at: significant windows of either sign, clustered on both strands.

    Parameters
    ----------
    attributions : array (N, L) or (N, L, 4)
        Of the letters that the sequences have, or of all letters.
    X : sequences (N, L)
        The sequences that were explained.
    width : int
        Positions over which attributions are summed to find windows.
    flank : int
        Positions added to both sides of a window; also the largest shift between windows of a cluster.
    fdr : float
        Largest share of false discoveries among the windows: how many so extreme ones the attributions give when their
        positions are shuffled within each sequence.
    similarity : float
        Least cosine similarity of a window's attributions to the mean of its cluster.
    min_sites : int
        Fewest windows of a motif.
    max_seqlets : int
        Of more windows of one sign the weakest are left out.
    trim : float
        Positions at the ends with less information than so many bits are cut off; 0 keeps all.
    method : {"similarity", "modisco"}
        The package's own clustering, or TF-MoDISco by the library modisco-lite, which needs (N, L, 4); `options` are
        those of its ``TFMoDISco``, and only `trim` and `min_sites` count of the ones above.
    random_state : None, int, Generator or RandomState
        Of the shuffling.

    Returns
    -------
    list of SeqletMotif
        Those of positive sign first, then by number of windows, named ``positive_0`` and so on. Empty where no window
        is significant.

    Raises
    ------
    ShapeError, InvalidArgumentError
        If the attributions do not fit the sequences, or an argument is out of its range.
    MissingDependencyError
        If modisco-lite is asked for and not installed.

    References
    ----------
    Shrikumar et al. 2018, arXiv:1811.00416 (TF-MoDISco, from which the idea of seqlets is).

    Examples
    --------
    >>> import numpy as np
    >>> import deepmotif as dm
    >>> X, y, starts = dm.simulate(200, length=40, motifs=["GATTAC"], return_positions=True, random_state=0)
    >>> values = np.zeros((200, 40))  # an explanation that is always right
    >>> for row, start in enumerate(starts[:, 0] if starts.ndim == 2 else starts):
    ...     if start >= 0:
    ...         values[row, start : start + 6] = 1
    >>> [(motif.name, motif.consensus) for motif in dm.seqlet_motifs(values, X)]
    [('positive_0', 'GATTAC')]
    """
    if not isinstance(method, str) or method not in METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}")
    if options and method != "modisco":
        raise InvalidArgumentError(f"{next(iter(options))!r} is no argument of method={method!r}")
    width, flank = check_whole(width, "width"), check_whole(flank, "flank", 0)
    least, most = check_whole(min_sites, "min_sites"), check_whole(max_seqlets, "max_seqlets")
    fdr = check_number(fdr, "fdr", 0, 1, open_minimum=True)
    similarity = check_number(similarity, "similarity", 0, 1, open_minimum=True)
    trim = check_number(trim, "trim", 0, 2)
    seed = draw_seed(random_state)
    codes = as_input(X)
    letters = one_hot(codes)
    projected, full = _read(attributions, letters)
    if width > codes.shape[1]:
        raise ShapeError(f"width must be at most the length of X, {codes.shape[1]}; got {width}")
    found: dict[int, list[Sites]] = {1: [], -1: []}
    if method == "modisco":
        found = modisco_sites(letters, full, options)
    else:
        for sign, sites in call_seqlets(projected, width, flank, fdr, most, seed).items():
            windows = windows_of(letters, projected, sites)
            for cluster in cluster_windows(windows, similarity, _merge(similarity), least, flank):
                found[sign].append(sites.laid(cluster))
    motifs = []
    for sign, word in ((1, "positive"), (-1, "negative")):
        groups = [group for group in found[sign] if len(group.rows) >= least]
        for number, group in enumerate(sorted(groups, key=lambda group: -len(group.rows))):
            motifs.append(_motif(letters, projected, group, sign, f"{word}_{number}", trim))
    return motifs


def _merge(similarity: float) -> float:
    """Means are less noisy than single windows, so that equal ones are more alike."""
    return (1 + similarity) / 2


def _read(attributions: Any, letters: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Attributions of the present letters (N, L), and those of all letters where they are given."""
    try:
        array = np.asarray(attributions, dtype=np.float64)
    except (TypeError, ValueError):
        raise ShapeError(
            f"attributions must be an array (N, L) or (N, L, 4) of numbers; got {type(attributions).__name__}"
        ) from None
    if array.shape not in (letters.shape, letters.shape[:2]):
        raise ShapeError(
            f"attributions must be {letters.shape[:2]} or {letters.shape}, as X is; got shape {array.shape}"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise InvalidArgumentError(f"attributions must be finite; got {array[where]} at index {where}")
    if array.ndim == 2:
        return array, None
    return np.einsum("nla,nla->nl", array, letters, dtype=np.float64), array


def _motif(
    letters: NDArray[np.float32], projected: NDArray[np.float64], sites: Sites, sign: int, name: str, trim: float
) -> SeqletMotif:
    order = np.argsort(-np.abs(sites.scores), kind="stable")
    sites = sites.taken(order)
    own = letters_at(letters, sites.rows, sites.starts, sites.width).astype(np.float64)
    weights = windows_of(letters, projected, sites).astype(np.float64)
    own = np.where(sites.turned[:, None, None], own[:, ::-1, ::-1], own)
    weights = np.where(sites.turned[:, None, None], weights[:, ::-1, ::-1], weights)
    counts, contributions = own.sum(axis=0), weights.mean(axis=0)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full_like(counts, 0.25), where=totals > 0)
    informative = np.flatnonzero(Motif(shares).information_content >= trim)
    kept = slice(int(informative[0]), int(informative[-1]) + 1) if len(informative) else slice(0, sites.width)
    # What is cut off before a turned window's motif is its end in the sequence.
    left = np.where(sites.turned, sites.width - kept.stop, kept.start)
    starts, shown = sites.starts + left, kept.stop - kept.start
    middle = (starts + shown // 2).clip(0, letters.shape[1] - 1)
    return SeqletMotif(
        shares[kept],
        name,
        counts[kept],
        len(sites.rows),
        sign=sign,
        contributions=contributions[kept],
        sequences=sites.rows,
        starts=starts,
        strands=np.where(sites.turned, "-", "+").astype(object),
        profile=np.bincount(middle, minlength=letters.shape[1]),
    )
