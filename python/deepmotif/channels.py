"""Channels of a layer: what input-based methods say of their importance, how pairs interact, what each looks for.

Views room. Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262. N sequences, W positions, K channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ascent import part_gradients, part_scores
from ._channel_pictures import channel_motifs, enhanced_class_optimization, visualize_channel
from ._deeplift import contributions
from ._factorial import log_odds, pair_effects
from ._importance import signs
from ._places import activations_at, find_place, place_name
from ._resolve_result import DeepResolve
from ._validation import check_number, check_whole
from ._views import check_model
from .exceptions import InvalidArgumentError, ShapeError

__all__ = [
    "ChannelInteractions",
    "channel_importance",
    "channel_interactions",
    "channel_motifs",
    "enhanced_class_optimization",
    "visualize_channel",
]

Float = NDArray[np.float32]
Values = NDArray[np.float64]

METHODS = ("saliency", "gradient_x_activation", "deeplift")

# Maps that go through the network together.
_BLOCK_FLOATS = 1 << 22


def channel_importance(
    m: Any, X: Any, method: str, layer: str | int | None = None, target: Any = None, *, reference: Any = None
) -> Values:
    """Importance of each channel of a layer to a class, as an attribution method sees it on given sequences.

    What DeepResolve is compared with: the attribution of every element of the feature map, averaged over positions and
    sequences.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L)
        As a rule the positives.
    method : {"saliency", "gradient_x_activation", "deeplift"}
        Magnitude of the score's gradient; the gradient times the activation; contributions by DeepLIFT's rescale rule.
    layer, target
        As in `deepresolve`.
    reference : (W, K), optional
        For DeepLIFT the map that contributes nothing; by default that of a sequence of unknown letters.

    Returns
    -------
    (K,) float64

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If the method, layer or target is unknown, or DeepLIFT has no rule for a layer behind the map.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> dm.channel_importance(model, X[y == 1], "deeplift").shape
    (8,)
    """
    if method not in METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}")
    with check_model(m)._lock:
        place, index = find_place(m, layer), m._resolve_target(target)
        data = m._read_fitted(X)
        if not len(data):
            raise ShapeError("X must hold at least one sequence; got 0")
        engine, threads = m._engine, m._threads()
        base = _reference(m, place, data.shape[1], reference) if method == "deeplift" else None
        total: Any = 0.0
        for maps in _map_blocks(m, place, data):
            if base is not None:
                values = contributions(engine, m._layers, place + 1, maps, base, index, threads)
            else:
                values = part_gradients(engine, place + 1, maps, np.full(len(maps), index), threads)
                values = np.abs(values) if method == "saliency" else values * maps
            total = total + values.mean(axis=1, dtype=np.float64).sum(axis=0)
        return np.asarray(total / len(data))


def _reference(m: Any, place: int, length: int, reference: Any) -> Float:
    """The map (W, K) that contributes nothing."""
    plain = activations_at(m, place, np.full((1, length), 4, dtype=np.uint8))[0]
    if reference is None:
        return plain
    given = np.ascontiguousarray(reference, dtype=np.float32)
    if given.shape != plain.shape or not np.isfinite(given).all():
        raise ShapeError(
            f"reference must be a finite map {plain.shape} of {place_name(m, place)}; got shape {given.shape}"
        )
    return given


def _map_blocks(m: Any, place: int, data: NDArray[Any]) -> Any:
    """Feature maps of the sequences, a block at a time."""
    one = activations_at(m, place, data[:1]).size
    rows = max(1, _BLOCK_FLOATS // max(one, 1))
    for start in range(0, len(data), rows):
        yield activations_at(m, place, data[start : start + rows])


# ---- Interactions ----


@dataclass(frozen=True, eq=False)
class ChannelInteractions:
    """Two kinds of evidence that pairs of channels, or of groups of channels, exclude each other. P pairs.

    Attributes
    ----------
    pairs : (P, 2)
        Channels i < j; where groups were given, their numbers.
    opposite : (P,)
        Share of the restarts' weight in which the two have opposite signs; a group's sign is that of its mean.
    both_ways : (P,) bool
        i is wanted and j refused in some restarts, and the other way round in others.
    effect_with, effect_without : (P, 2) or None
        What i (column 0) and j (column 1) do to the score of sequences that activate both: while the other one is
        there, and when it was taken away. NaN where too few sequences have both.
    interaction : (P,) or None
        S(i, j) - S(i) - S(j) + S(neither) = effect_with - effect_without: 0 where the two add up.
    relative : (P,) or None
        The interaction in units of the mean size of a single effect: -1 where one is enough, below it where the second
        undoes what the first did, above 0 where they need each other.
    p_value : (P,) or None
        Of an interaction of 0: t-test over the sequences, adjusted for the number of pairs (Holm).
    p_exclusive : (P,) or None
        Of the opposite of exclusive: the largest p-value of four one-sided t-tests, adjusted likewise.
    exclusive : (P,) bool or None
        Each speaks for the class without the other and against it beside the other, all four significantly: XOR.
    n_sequences : (P,) or None
        Sequences that were used.
    """

    pairs: NDArray[np.intp]
    opposite: Values
    both_ways: NDArray[np.bool_]
    effect_with: Values | None = None
    effect_without: Values | None = None
    interaction: Values | None = None
    relative: Values | None = None
    p_value: Values | None = None
    p_exclusive: Values | None = None
    exclusive: NDArray[np.bool_] | None = None
    n_sequences: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.pairs)


def channel_interactions(
    result: DeepResolve,
    m: Any = None,
    X: Any = None,
    *,
    channels: Any = None,
    given: Any = None,
    threshold: float = 0.5,
    alpha: float = 0.05,
    min_sequences: int = 10,
    max_sequences: int = 500,
) -> ChannelInteractions:
    """Which channels stand against each other: by their signs over the restarts, and by pairwise ablation.

    In the ablation a channel is set, at all positions, to its mean over the sequences that do not activate it, in the
    feature maps of sequences that activate both: one after the other and together. What changes is the score before
    sigmoid; of a softmax, the logarithm of the odds.

    Parameters
    ----------
    result : DeepResolve
    m, X : model and sequences, optional
        For the ablation.
    channels : list of int or of lists of int, optional
        By default the non-additive ones. A list is a group, taken away as a whole: several channels that respond to one
        pattern, as `channel_groups` finds them.
    given : int or list of int, optional
        A channel or group that the sequences must activate as well: the context in which the pairs are looked at.
    threshold : float
        A sequence activates a channel above this share of the way from its lowest to its highest maximum over X. What
        counts of a group is the sum of its channels' maxima.
    alpha : float
        Level of the test that calls pairs exclusive.
    min_sequences, max_sequences : int
        Fewest sequences that say anything of a pair, and most that are used (evenly spread over X).

    Returns
    -------
    ChannelInteractions
        Pairs sorted by the share of opposite signs, then by the interaction.

    Raises
    ------
    InvalidArgumentError
        If only one of m and X is given, or a channel is not one of the layer.

    See Also
    --------
    pattern_interactions : the same for patterns in the sequences, whichever channels respond to them.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> pairs = dm.channel_interactions(dm.deepresolve(model, restarts=3), model, X, channels=[0, 1, 2])
    >>> len(pairs), pairs.effect_with.shape
    (3, (3, 2))
    """
    if not isinstance(result, DeepResolve):
        raise InvalidArgumentError(f"result must be a result of deepresolve; got {type(result).__name__}")
    if (m is None) != (X is None):
        raise InvalidArgumentError("m and X must be given together, for the ablation")
    alpha = check_number(alpha, "alpha", 0, 1)
    count = len(result.ofiv)
    numbers, groups = _groups(np.flatnonzero(result.non_additive) if channels is None else channels, count)
    context = [] if given is None else _groups([given], count, "given")[1]
    places = np.array(list(combinations(range(len(groups)), 2)), dtype=np.intp).reshape(-1, 2)
    means = [result.fiv[:, group].mean(axis=1) for group in groups]
    # Beside all channels, the largest of which decides what has no sign.
    sign = signs(np.column_stack([*means, result.fiv]), result.weights)[:, : len(groups)]
    first, second = sign[:, places[:, 0]], sign[:, places[:, 1]]
    total = max(float(result.weights.sum()), np.finfo(np.float64).tiny)
    opposite = result.weights @ (first * second < 0) / total
    both_ways: NDArray[np.bool_] = np.any((first > 0) & (second < 0), axis=0) & np.any(
        (first < 0) & (second > 0), axis=0
    )
    pairs = numbers[places]
    if m is None:
        order = np.argsort(-opposite, kind="stable")
        return ChannelInteractions(pairs[order], opposite[order], both_ways[order])
    threshold = check_number(threshold, "threshold", 0, 1)
    limits = check_whole(min_sequences, "min_sequences", 2), check_whole(max_sequences, "max_sequences", 2)
    with check_model(m)._lock:
        place = find_place(m, result.layer) if result.layer != "input" else -1
        data = m._read_fitted(X)
        if not len(data):
            raise ShapeError("X must hold at least one sequence; got 0")
        cells = _ablate(m, place, data, result.index, groups, context, places, threshold, limits[1])
    found = pair_effects(cells, limits[0])
    order = np.lexsort((np.nan_to_num(found.interaction, nan=np.inf), -opposite))
    return ChannelInteractions(
        pairs[order], opposite[order], both_ways[order], found.effect_with[order], found.effect_without[order],
        found.interaction[order], found.relative[order], found.p_value[order], found.p_exclusive[order],
        found.p_exclusive[order] <= alpha, found.n_sequences[order],
    )  # fmt: skip


def _groups(given: Any, count: int, name: str = "channels") -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """What pairs are made of: their numbers (channels, or positions among the groups), and the channels of each."""
    entries = list(given) if not isinstance(given, (str, bytes)) and np.iterable(given) else [given]
    single = all(isinstance(entry, (int, np.integer)) and not isinstance(entry, bool) for entry in entries)
    if single:
        entries = [[entry] for entry in sorted({int(entry) for entry in entries})]
    groups = []
    for entry in entries:
        indices = np.unique(np.asarray(entry))
        good = indices.ndim == 1 and indices.size and indices.dtype.kind in "iu"
        if not good or ((indices < 0) | (indices >= count)).any():
            raise InvalidArgumentError(
                f"{name} must be indices from 0 to {count - 1}, or lists of them; got {entry!r:.100}"
            )
        groups.append(indices.astype(np.intp))
    if len(np.unique(np.concatenate([*groups, np.zeros(0, dtype=np.intp)]))) < sum(len(group) for group in groups):
        raise InvalidArgumentError(f"{name} must be groups that share no channel; got {given!r:.100}")
    numbers = [int(group[0]) for group in groups] if single else list(range(len(groups)))
    return np.array(numbers, dtype=np.intp), groups


def _ablate(
    m: Any, place: int, data: NDArray[Any], target: int, groups: list[NDArray[np.intp]],
    context: list[NDArray[np.intp]], places: NDArray[np.intp], threshold: float, most: int,
) -> list[Values]:  # fmt: skip
    """Cells (n, 4) of each pair of groups: scores of both, only i, only j, neither."""
    tops, means = (np.concatenate(parts) for parts in zip(
        *((maps.max(axis=1), maps.mean(axis=1, dtype=np.float64)) for maps in _map_blocks(m, place, data)), strict=True
    ))  # fmt: skip
    active = [_active(tops[:, group].sum(axis=1, dtype=np.float64), threshold) for group in [*groups, *context]]
    usual = [_usual(means[:, group], active[number]) for number, group in enumerate(groups)]
    there = np.logical_and.reduce(active[len(groups) :]) if context else np.ones(len(data), dtype=bool)
    cells = []
    for i, j in places.tolist():
        rows = np.flatnonzero(active[i] & active[j] & there)
        rows = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp)]
        columns = []
        for removed in ((), (j,), (i,), (i, j)) if len(rows) else ():
            maps = activations_at(m, place, data[rows])
            for number in removed:
                maps[:, :, groups[number]] = usual[number]
            columns.append(log_odds(m, part_scores(m._engine, place + 1, maps, m._threads()), target))
        cells.append(np.array(columns).reshape(4, -1).T if columns else np.zeros((0, 4)))
    return cells


def _active(tops: Values, threshold: float) -> NDArray[np.bool_]:
    lowest, highest = tops.min(), tops.max()
    return np.asarray((tops - lowest > threshold * (highest - lowest)) & (highest > lowest))


def _usual(means: Values, active: NDArray[np.bool_]) -> Values:
    """What channels are where nothing activates them; their lowest mean if every sequence does."""
    return np.asarray(means.min(axis=0) if active.all() else means[~active].mean(axis=0))
