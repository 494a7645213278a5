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
    """Two kinds of evidence that pairs of channels exclude each other. P pairs, the strongest first.

    Attributes
    ----------
    pairs : (P, 2)
        Channels i < j.
    opposite : (P,)
        Share of the restarts' weight in which the two have opposite signs.
    both_ways : (P,) bool
        i is wanted and j refused in some restarts, and the other way round in others.
    effect_with, effect_without : (P, 2) or None
        What removing a channel from the feature maps of sequences that activate both takes from the score: while the
        other one is there, and when it is gone. Column 0 is i, column 1 is j. NaN where too few sequences have both.
    interaction : (P,) or None
        effect_with - effect_without: 0 where the two add up, negative where one is enough or more would be too much.
    exclusive : (P,) bool or None
        Each channel speaks for the class without the other and against it beside the other: the ablation's XOR.
    n_sequences : (P,) or None
        Sequences that activate both.
    """

    pairs: NDArray[np.intp]
    opposite: Values
    both_ways: NDArray[np.bool_]
    effect_with: Values | None = None
    effect_without: Values | None = None
    interaction: Values | None = None
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
    threshold: float = 0.5,
    min_sequences: int = 10,
    max_sequences: int = 500,
) -> ChannelInteractions:
    """Which channels stand against each other: by their signs over the restarts, and by pairwise ablation.

    Parameters
    ----------
    result : DeepResolve
    m, X : model and sequences, optional
        For the ablation: channels are set to zero in the feature maps of sequences that activate both, one after the
        other and together.
    channels : list of int, optional
        By default the non-additive ones.
    threshold : float
        A sequence activates a channel above this share of the channel's maximum over X.
    min_sequences, max_sequences : int
        Fewest sequences that say anything of a pair, and most that are used (the first ones).

    Returns
    -------
    ChannelInteractions
        Pairs sorted by the share of opposite signs, then by the interaction.

    Raises
    ------
    InvalidArgumentError
        If only one of m and X is given, or a channel is not one of the layer.

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
    chosen = np.flatnonzero(result.non_additive) if channels is None else _channels(channels, len(result.ofiv))
    pairs = np.array(list(combinations(sorted(set(chosen.tolist())), 2)), dtype=np.intp).reshape(-1, 2)
    first, second = result.signs[:, pairs[:, 0]], result.signs[:, pairs[:, 1]]
    total = max(float(result.weights.sum()), np.finfo(np.float64).tiny)
    opposite = result.weights @ (first * second < 0) / total
    both_ways: NDArray[np.bool_] = np.any((first > 0) & (second < 0), axis=0) & np.any(
        (first < 0) & (second > 0), axis=0
    )
    if m is None:
        order = np.argsort(-opposite, kind="stable")
        return ChannelInteractions(pairs[order], opposite[order], both_ways[order])
    threshold = check_number(threshold, "threshold", 0, 1)
    limits = check_whole(min_sequences, "min_sequences"), check_whole(max_sequences, "max_sequences")
    with check_model(m)._lock:
        place = find_place(m, result.layer) if result.layer != "input" else -1
        effects, counts = _ablate(m, place, m._read_fitted(X), result.index, pairs, threshold, limits)
    interaction = effects[:, 0, 0] - effects[:, 1, 0]
    with np.errstate(invalid="ignore"):
        exclusive: NDArray[np.bool_] = np.all(effects[:, 0] < 0, axis=1) & np.all(effects[:, 1] > 0, axis=1)
    order = np.lexsort((np.nan_to_num(interaction, nan=np.inf), -opposite))
    return ChannelInteractions(
        pairs[order], opposite[order], both_ways[order], effects[order, 0], effects[order, 1], interaction[order],
        exclusive[order], counts[order],
    )  # fmt: skip


def _channels(given: Any, count: int) -> NDArray[np.intp]:
    indices = np.asarray(list(given) if not isinstance(given, np.ndarray) else given)
    good = indices.ndim == 1 and (indices.size == 0 or indices.dtype.kind in "iu")
    if not good or ((indices < 0) | (indices >= count)).any():
        raise InvalidArgumentError(f"channels must be indices from 0 to {count - 1}; got {given!r:.100}")
    return indices.astype(np.intp)


def _ablate(
    m: Any, place: int, data: NDArray[Any], target: int, pairs: NDArray[np.intp], threshold: float,
    limits: tuple[int, int],
) -> tuple[Values, NDArray[np.int64]]:  # fmt: skip
    """Effects (P, 2, 2) of channel i and j (last axis), beside the other and without it; sequences (P,)."""
    tops = np.concatenate([maps.max(axis=1) for maps in _map_blocks(m, place, data)])
    highest = tops.max(axis=0)
    active = (tops > threshold * highest) & (highest > 0)
    effects = np.full((len(pairs), 2, 2), np.nan)
    counts = np.zeros(len(pairs), dtype=np.int64)
    for number, (i, j) in enumerate(pairs.tolist()):
        rows = np.flatnonzero(active[:, i] & active[:, j])
        counts[number] = len(rows)
        if len(rows) < limits[0]:
            continue
        maps = activations_at(m, place, data[rows[: limits[1]]])
        scores = {}
        for removed in ((), (i,), (j,), (i, j)):
            changed = maps.copy()
            changed[:, :, list(removed)] = 0
            scores[removed] = part_scores(m._engine, place + 1, changed, m._threads())[:, target].mean(dtype=np.float64)
        effects[number, 0] = scores[()] - scores[i,], scores[()] - scores[j,]
        effects[number, 1] = scores[j,] - scores[i, j], scores[i,] - scores[i, j]
    return effects, counts
