"""Patterns in sequences: which channels respond to them, and how they act together on a score. Motifs room.

P patterns, Q pairs, N sequences, L positions, K channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._factorial import log_odds, pair_effects
from ._motif import Motif
from ._motif_lists import motif_list
from ._places import activations_at, find_place
from ._validation import check_flag, check_number, check_whole, draw_seed
from ._views import check_model
from .exceptions import InvalidArgumentError, ShapeError
from .scanning import find_windows

__all__ = ["PatternInteractions", "channel_groups", "pattern_interactions", "pattern_responses"]

Values = NDArray[np.float64]
Codes = NDArray[np.uint8]

# Sequences that go through the network together, and those whose letters are counted.
_BLOCK, _COUNTED = 512, 10_000


@dataclass(frozen=True, eq=False)
class PatternInteractions:
    """How pairs of patterns act together on the score of a class. Q pairs, the most negative interaction first.

    Attributes
    ----------
    names : list of str
        Of the patterns, in the order given.
    pairs : (Q, 2)
        Numbers of the patterns, i < j.
    effect_with, effect_without : (Q, 2)
        What i (column 0) and j (column 1) do to the score of sequences that hold both: while the other one is there,
        and when it was destroyed. NaN where too few sequences hold both.
    interaction : (Q,)
        S(i, j) - S(i) - S(j) + S(neither) = effect_with - effect_without: 0 where the two add up.
    relative : (Q,)
        The interaction in units of the mean size of a single effect: -1 where one is enough, below it where the second
        undoes what the first did, above 0 where they need each other.
    p_value : (Q,)
        Of an interaction of 0: t-test over the sequences, adjusted for the number of pairs (Holm).
    p_exclusive : (Q,)
        Of the opposite of exclusive: the largest p-value of four one-sided t-tests, adjusted likewise.
    exclusive : (Q,) bool
        Each speaks for the class without the other and against it beside the other, all four significantly: XOR.
    n_sequences : (Q,)
        Sequences that were used.
    """

    names: list[str]
    pairs: NDArray[np.intp]
    effect_with: Values
    effect_without: Values
    interaction: Values
    relative: Values
    p_value: Values
    p_exclusive: Values
    exclusive: NDArray[np.bool_]
    n_sequences: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pairs)


def pattern_interactions(
    m: Any,
    patterns: Any,
    X: Any,
    target: Any = None,
    *,
    given: Any = None,
    p_value: float = 5e-4,
    both_strands: bool = True,
    alpha: float = 0.05,
    replacements: int = 4,
    min_sequences: int = 10,
    max_sequences: int = 500,
    random_state: Any = 0,
) -> PatternInteractions:
    """Which patterns of real sequences add up, are needed together or exclude each other.

    In sequences that hold both patterns of a pair, one, the other and both are overwritten by random letters. Whatever
    represents the patterns inside of the network, one channel each, many, or a channel that serves both, is taken away
    with them. The score is the one before sigmoid; of a softmax, the logarithm of the odds.

    Parameters
    ----------
    m : model
        A fitted model.
    patterns : list of Motif or of str
        Two at least, words or motifs, such as those that `seqlet_motifs` finds.
    X : sequences (N, L)
        Real ones, of all classes: what holds both patterns of an exclusive pair is a negative.
    target : label or index, optional
        The class; for two classes the positive one by default.
    given : Motif, str or list of them, optional
        Patterns that the sequences must hold as well: the context in which the pairs are looked at.
    p_value : float
        A sequence holds a pattern in windows up to this p-value (see `scan`). By default words of six letters must be
        complete; shorter ones need a larger value.
    both_strands : bool
        Look for reverse complements, too.
    alpha : float
        Level of the test that calls pairs exclusive.
    replacements : int
        Random draws of letters, with the frequencies of X, over which scores are averaged.
    min_sequences, max_sequences : int
        Fewest sequences that say anything of a pair, and most that are used (evenly spread over X). Sequences in which
        the two overlap are left out.
    random_state : None, int, Generator or RandomState
        Of the letters.

    Returns
    -------
    PatternInteractions

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError, ShapeError
        If there are fewer than two patterns, the sequences are soft, or an option is out of its range.

    See Also
    --------
    channel_interactions : the same for channels of a layer.
    plot_interactions : a figure of the effects.

    Notes
    -----
    The patterns that a network itself goes by are those of its substitutions: ``changes = dm.ism(m, positives)``, then
    ``dm.seqlet_motifs(changes - changes.mean(axis=2, keepdims=True), positives)``.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.synthetic_xor(2000, length=30)
    >>> model = dm.CNN(filters=8, kernel_sizes=(6,), epochs=2, random_state=0).fit(X, y)
    >>> found = dm.pattern_interactions(model, ["CAGGTC", "CGCTTG", "GCTCAT"], X, both_strands=False)
    >>> found.pairs.shape, bool((found.n_sequences > 100).all())
    ((3, 2), True)
    """
    motifs = _patterns(patterns, "patterns")
    if len(motifs) < 2:
        raise InvalidArgumentError(f"patterns must hold at least two patterns; got {len(motifs)}")
    context = [] if given is None else _patterns(given, "given")
    alpha = check_number(alpha, "alpha", 0, 1)
    draws = check_whole(replacements, "replacements")
    fewest = check_whole(min_sequences, "min_sequences", 2)
    most = check_whole(max_sequences, "max_sequences", 2)
    random = np.random.default_rng(draw_seed(random_state))
    with check_model(m)._lock:
        codes, index = _read(m, X), m._resolve_target(target)
        found = find_windows(
            [*motifs, *context], [codes], p_value, both_strands=check_flag(both_strands, "both_strands"),
            n_threads=m._threads(),
        )  # fmt: skip
        sites = [_Sites(found, number, len(motif)) for number, motif in enumerate([*motifs, *context])]
        some = codes[_spread(np.arange(len(codes)), _COUNTED)]
        shares = np.bincount(some.ravel(), minlength=5)[:4] + 1e-9
        pairs = np.array(list(combinations(range(len(motifs)), 2)), dtype=np.intp)
        cells = []
        for i, j in pairs.tolist():
            rows, first, second = _holding(sites[i], sites[j], sites[len(motifs) :], codes.shape[1], most)
            noise = random.choice(4, size=(draws, len(rows), codes.shape[1]), p=shares / shares.sum())
            cells.append(_cells(m, codes[rows], first, second, noise.astype(np.uint8), index))
    effects = pair_effects(cells, fewest)
    order = np.argsort(np.nan_to_num(effects.interaction, nan=np.inf), kind="stable")
    return PatternInteractions(
        [motif.name for motif in motifs], pairs[order], effects.effect_with[order], effects.effect_without[order],
        effects.interaction[order], effects.relative[order], effects.p_value[order], effects.p_exclusive[order],
        effects.p_exclusive[order] <= alpha, effects.n_sequences[order],
    )  # fmt: skip


class _Sites:
    """Where one pattern is: rows and first positions of its windows."""

    def __init__(self, found: dict[str, NDArray[Any]], number: int, width: int) -> None:
        own = found["motif"] == number
        self._rows, self._starts, self._width = found["sequence"][own], found["start"][own], width
        self.rows = np.unique(self._rows)

    def covered(self, rows: NDArray[np.intp], length: int) -> NDArray[np.bool_]:
        """Positions (n, L) of some rows, in rising order, that are part of the pattern."""
        mask = np.zeros((len(rows), length), dtype=bool)
        among = np.isin(self._rows, rows)
        lines = np.searchsorted(rows, self._rows[among])
        mask[lines[:, None], self._starts[among][:, None] + np.arange(self._width)] = True
        return mask


def _holding(
    first: _Sites, second: _Sites, context: list[_Sites], length: int, most: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows that hold both patterns apart from each other, and the positions of each."""
    rows = np.intersect1d(first.rows, second.rows)
    for sites in context:
        rows = np.intersect1d(rows, sites.rows)
    # Twice as many as wanted, as some may overlap.
    rows = _spread(rows, 2 * most)
    masks = first.covered(rows, length), second.covered(rows, length)
    apart = np.flatnonzero(~(masks[0] & masks[1]).any(axis=1))
    kept = _spread(apart, most)
    return rows[kept], masks[0][kept], masks[1][kept]


def _spread(rows: NDArray[Any], most: int) -> NDArray[np.intp]:
    """At most so many of the rows, evenly spread."""
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp)], dtype=np.intp)


def _cells(
    m: Any, codes: Codes, first: NDArray[np.bool_], second: NDArray[np.bool_], noise: Codes, index: int
) -> Values:
    """Scores (n, 4) of sequences with both patterns, only the first, only the second, neither."""
    if not len(codes):
        return np.zeros((0, 4))
    total = np.zeros((len(codes), 4))
    total[:, 0] = len(noise) * log_odds(m, m.scores(codes), index)
    for letters in noise:
        for cell, destroyed in enumerate((second, first, first | second), 1):
            total[:, cell] += log_odds(m, m.scores(np.where(destroyed, letters, codes)), index)
    return total / len(noise)


# ---- Channels that respond to patterns ----


def pattern_responses(
    m: Any, patterns: Any, X: Any, layer: str | int | None = None, *, random_state: Any = 0
) -> Values:
    """What patterns add to the channels of a layer, wherever they stand.

    Parameters
    ----------
    m : model
        A fitted model.
    patterns : list of Motif or of str
        Of motifs a site is drawn for every sequence.
    X : sequences (N, L)
        Into each of which a pattern is written, at a random place: random or shuffled sequences, as a rule.
    layer : str or int, optional
        As in `deepresolve`.
    random_state : None, int, Generator or RandomState
        Of places and sites.

    Returns
    -------
    (P, K) float64
        Mean change of a channel's activations, summed over its positions. Patterns whose rows are proportional are one
        thing to the layers behind: what tells them apart is lost there.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError, ShapeError
        If there is no such layer, the sequences are soft, or a pattern is longer than they are.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(200, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> dm.pattern_responses(model, ["GATAAG", "CACGTG"], X[y == 0]).shape
    (2, 8)
    """
    motifs = _patterns(patterns, "patterns")
    seed = draw_seed(random_state)
    with check_model(m)._lock:
        place, codes = find_place(m, layer), _read(m, X)
        longest = max(len(motif) for motif in motifs)
        if longest > codes.shape[1]:
            raise ShapeError(f"patterns must be at most as long as X, {codes.shape[1]}; got {longest}")
        total: Any = 0.0
        for start in range(0, len(codes), _BLOCK):
            block = codes[start : start + _BLOCK]
            before = activations_at(m, place, block).sum(axis=1, dtype=np.float64).sum(axis=0)
            # The same places for every pattern, so that it alone makes the difference.
            random = np.random.default_rng([seed, start])
            shares = random.random(len(block))
            changes = []
            for motif in motifs:
                planted = _planted(block, motif, shares, random)
                changes.append(activations_at(m, place, planted).sum(axis=1, dtype=np.float64).sum(axis=0) - before)
            total = total + np.array(changes)
    return np.asarray(total / len(codes))


def _planted(codes: Codes, motif: Motif, shares: Values, random: np.random.Generator) -> Codes:
    """The sequences with a site of the motif each, at the given shares of the way."""
    result = codes.copy()
    starts = (shares * (codes.shape[1] - len(motif) + 1)).astype(np.intp)
    bounds = np.cumsum(motif.probabilities, axis=1)[:, :3]
    sites = (random.random((len(codes), len(motif), 1)) > bounds).sum(axis=2)
    result[np.arange(len(codes))[:, None], starts[:, None] + np.arange(len(motif))] = sites
    return result


def channel_groups(responses: ArrayLike, *, threshold: float = 0.1) -> list[NDArray[np.intp]]:
    """Channels by the pattern that they respond to most, one group a pattern.

    Parameters
    ----------
    responses : (P, K)
        As from `pattern_responses`.
    threshold : float
        Channels that respond to nothing above this share of the largest response are in no group.

    Returns
    -------
    list of arrays
        For `channel_interactions`; empty for a pattern that no channel responds to more than to another.

    Examples
    --------
    >>> from deepmotif.interactions import channel_groups
    >>> [group.tolist() for group in channel_groups([[2.0, 0.1, 1.0, 0.0], [0.0, 1.5, 1.2, -0.3]])]
    [[0], [1, 2]]
    """
    values = np.asarray(responses, dtype=np.float64)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ShapeError(f"responses must be finite values (P, K); got shape {values.shape}")
    share = check_number(threshold, "threshold", 0, 1)
    best, highest = values.argmax(axis=0), values.max(axis=0)
    clear = (highest > share * highest.max()) & (highest > 0)
    return [np.flatnonzero(clear & (best == number)) for number in range(len(values))]


# ---- Arguments ----


def _patterns(given: Any, name: str) -> list[Motif]:
    """Motifs; words become motifs."""
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Iterable) and not isinstance(given, Motif):
        given = [_word(entry, f"{name}[{number}]") for number, entry in enumerate(given)]
    return motif_list(given, name)


def _word(entry: Any, name: str) -> Any:
    if not isinstance(entry, str):
        return entry
    try:
        return Motif.from_consensus(entry)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{name} is no word of letters: {error}") from None


def _read(m: Any, X: Any) -> Codes:
    codes = m._read_fitted(X)
    if codes.ndim != 2 or not len(codes):
        raise ShapeError(f"X must be letters or codes (N, L), at least one sequence; got shape {codes.shape}")
    return np.asarray(codes)
