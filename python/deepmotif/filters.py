"""From filters to motifs: what each channel of a layer has learned to see. Motifs room."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._blocks import run_in_blocks
from ._filter_routes import Sites, count_letters, find_sites, kernel_matrices, optimized_matrices
from ._motif import Motif
from ._receptive import receptive_field
from ._similarity import group_by_similarity
from ._validation import check_number, check_whole, draw_seed, read_labels
from ._views import check_model, progress_bar
from .exceptions import InvalidArgumentError, ShapeError

__all__ = ["FilterMotif", "filter_motifs"]

ROUTES = ("activation", "kernel", "optimized")

#: Filters of at least this cosine similarity, on either strand, count as near-duplicates.
SAME_MOTIF = 0.85

#: Positions that one filter may be shifted against its near-duplicate.
_MAX_SHIFT = 12

# Products of numbers that measuring the importance may take, and the fewest and most sequences it is measured on.
_ABLATION_PRODUCTS = 2 * 10**11
_ABLATED_SEQUENCES = (16, 200)


class FilterMotif(Motif):
    """The motif of one filter, and what the filter does in the model.

    Attributes
    ----------
    filter : int
        Index of the filter (channel) in its layer.
    layer : str
        Name of the layer.
    route : str
        How the motif was made.
    dead : bool
        The filter activates on none of the sequences (without sequences: it cannot on any). Its probabilities are
        uniform and mean nothing.
    profile : array (W,) of whole numbers, or None
        Sites by the position of the layer's output where the filter is strongest; None without sequences.
    start, jump : int
        The window of output position p begins at position ``start + jump * p`` of the sequence.
    maximum : float or None
        The largest activation.
    positive_share, negative_share : float or None
        Share of the sequences of the class, and of all others, in which the filter is active; None without labels.
    importance : float or None
        Mean change of the class's score that the filter makes on the strand given: score minus score without it.
    group : int or None
        Near-duplicates have the same number; None for dead filters.
    """

    filter: int
    layer: str
    route: str
    dead: bool
    profile: NDArray[np.int64] | None
    start: int
    jump: int
    maximum: float | None
    positive_share: float | None
    negative_share: float | None
    importance: float | None
    group: int | None

    def __init__(
        self, probabilities: ArrayLike | None, name: str = "", counts: ArrayLike | None = None,
        n_sites: float | None = None, **properties: Any,
    ) -> None:  # fmt: skip
        super().__init__(probabilities, name, counts, n_sites)
        vars(self).update(properties)

    def __repr__(self) -> str:
        text = super().__repr__()
        return f"{text[:-1]}, dead)" if self.dead else text


def filter_motifs(
    m: Any,
    X: Any = None,
    layer: str | int | None = None,
    route: str = "activation",
    threshold: float = 0.5,
    *,
    y: Any = None,
    target: Any = None,
    importance: int | None = None,
    restarts: int = 10,
    steps: int = 200,
    random_state: Any = 0,
    progress: bool | None = None,
) -> list[FilterMotif]:
    """One motif for every filter of a convolution, or channel of another layer, by one of three routes.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L), optional
        Where the filters are to be seen at work. Needed for the route "activation"; for the others it adds what only
        sequences tell: profile, shares, importance. They are read in blocks.
    layer : str or int, optional
        Name or index of the layer; None is the first convolution. Behind a recurrent layer, a global pool or a Flatten
        there are no windows to show.
    route : {"activation", "kernel", "optimized"}
        "activation": in every sequence the window at the first maximum of the filter, counted if its activation
        exceeds `threshold` times the largest one over X. "kernel": the weights themselves, negative ones set to 0, each
        position divided by its sum; only of a convolution that reads the sequence. "optimized": the receptive field
        by gradient ascent, the mean of several starts.
    threshold : float
        From 0 to below 1.
    y : labels (N,) or (N, C), optional
        For the shares of positive and negative sequences; (N, C) where the scores are tasks.
    target : label or index, optional
        The class of the importance and of the positives; for two classes the positive one by default.
    importance : int, optional
        Number of sequences, evenly spread over X, on which the filter is silenced to measure its importance; 0: none.
        By default 200, down to 16 where the network behind the layer is so large that these would take long.
    restarts, steps : int
        Of the route "optimized": starts, which are the windows of the largest activation or random ones without X,
        and steps of the ascent.
    random_state : None, int, Generator or RandomState
        Of random starts.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    list of FilterMotif
        One a filter, in order, named ``filter_0`` and so on, as wide as the layer's receptive field. ``counts`` and
        ``n_sites`` are those of the windows for the route "activation"; unknown bases and padding are not counted.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If the layer, the route or an option is not one that the model has, or X is missing.
    ShapeError
        If X is empty, too short for the layers, or not as long as `y`.

    Notes
    -----
    "optimized" keeps the input a distribution at every position and subtracts ``l2 ||X||^2``, with the l2 at which the
    position of the steepest gradient is just decided: others stay as undecided as the filter is about them.

    References
    ----------
    Alipanahi et al. 2015, Nature Biotechnology 33:831 (windows of the maximum); Kelley, Snoek and Rinn 2016, Genome
    Research 26:990 (half of the maximum).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, motifs=["GATAAG"], random_state=0)
    >>> model = dm.CNN(filters=4, kernel_sizes=(8, 3), epochs=3, random_state=0).fit(X, y)
    >>> motifs = dm.filter_motifs(model, X, y=y)
    >>> [motif.name for motif in motifs], {len(motif) for motif in motifs}
    (['filter_0', 'filter_1', 'filter_2', 'filter_3'], {8})
    >>> all(motif.dead or motif.profile.sum() == motif.n_sites for motif in motifs)
    True
    """
    if not isinstance(route, str) or route not in ROUTES:
        raise InvalidArgumentError(f"route must be one of {', '.join(map(repr, ROUTES))}; got {route!r}")
    threshold = check_number(threshold, "threshold", 0, 1, open_maximum=True)
    if importance is not None:
        importance = check_whole(importance, "importance", 0)
    restarts, steps = check_whole(restarts, "restarts"), check_whole(steps, "steps")
    if X is None and route == "activation":
        raise InvalidArgumentError("X must be sequences for route='activation'; got None")
    if X is None and y is not None:
        raise InvalidArgumentError("y must be labels of X, which is missing")
    seed = draw_seed(random_state)
    with check_model(m)._lock:
        index = _layer_of(m, layer)
        data = None if X is None else m._read_fitted(X)
        if data is not None and len(data) == 0:
            raise ShapeError("X must hold at least one sequence; got none")
        length = m.length_ if data is None else data.shape[1]
        field = receptive_field(m._layers, index, length)
        positives = None if y is None or data is None else _positives(m, y, len(data), target)
        sites = None if data is None else find_sites(m, data, index, threshold, progress)
        if data is not None and sites is not None and route == "activation":
            counts: list[Any] = list(count_letters(data, field, sites))
            matrices, dead = [_probabilities(own) for own in counts], sites.maxima <= 0
        else:
            if route == "optimized":
                found, dead = optimized_matrices(m, index, data, field, sites, restarts, steps, seed, progress)
            else:
                found, dead = kernel_matrices(m, index)
            matrices, counts = list(found), [None] * len(found)
            # What the sequences show goes before what could be.
            dead = dead if sites is None else sites.maxima <= 0
        effects = _importance(m, data, index, target, importance, progress)
        shared = {"layer": m._engine.layer_names[index], "route": route, "start": field.start, "jump": field.jump}
    properties = _properties(sites, positives, len(dead))
    motifs = []
    for k, own in enumerate(properties):
        own |= shared | {"filter": k, "dead": bool(dead[k]), "group": None}
        own["importance"] = None if effects is None else float(effects[k])
        shown = np.full_like(matrices[k], 0.25) if own["dead"] else matrices[k]
        n_sites = None if counts[k] is None else int(own["profile"].sum())
        motifs.append(FilterMotif(shown, f"filter_{k}", counts[k], n_sites, **own))
    _number_groups(motifs)
    return motifs


def _layer_of(m: Any, layer: str | int | None) -> int:
    if layer is not None:
        return int(m._layer_index(layer))
    for index, entry in enumerate(m._layers):
        if entry.kind == "conv1d":
            return index
    raise InvalidArgumentError(f"layer must be given: {type(m).__name__} has no convolution")


def _positives(m: Any, y: Any, count: int, target: Any) -> NDArray[np.bool_]:
    """Which sequences are of the class, or have the task."""
    index = m._resolve_target(target)
    if m._output == _native.OUTPUT_SOFTMAX:
        return read_labels(y, count) == m.classes_[index]  # type: ignore[no-any-return]
    if m._output == _native.OUTPUT_LINEAR:
        raise InvalidArgumentError("y has no positives where the model predicts values: leave it out")
    array = np.asarray(y)
    array = array[:, None] if array.ndim == 1 else array
    if array.shape != (count, len(m.classes_)):
        raise ShapeError(f"y must be ({count}, {len(m.classes_)}), a label for each task; got shape {np.shape(y)}")
    return array[:, index] == 1  # type: ignore[no-any-return]


def _column(m: Any, target: Any) -> int | None:
    """The score that `target` means; None where it is left out and the model has no score that goes before others."""
    try:
        return int(m._resolve_target(target))
    except InvalidArgumentError:
        if target is not None:
            raise
        return None


def _importance(
    m: Any, data: NDArray[Any] | None, index: int, target: Any, count: int | None, progress: bool | None
) -> NDArray[Any] | None:
    """Mean change of the class's score (K,) that each channel makes; None where there is no class or no sequence."""
    column = _column(m, target)
    if data is None or count == 0 or column is None:
        return None
    if count is None:
        count = _affordable(m, index, data.shape[1])
    rows = np.unique(np.linspace(0, len(data) - 1, min(count, len(data))).astype(np.int64))
    chosen, threads = np.ascontiguousarray(data[rows]), m._threads()
    whole = m._engine.scores(chosen, threads)[:, None, column].astype(np.float64)
    changes = np.empty((len(chosen), m._engine.layer_shape(index, data.shape[1])[1]))

    def call(start: int, stop: int) -> None:
        without = m._engine.ablated_scores(chosen[start:stop], index, threads)[:, :, column]
        changes[start:stop] = whole[start:stop] - without

    with progress_bar(progress, len(chosen), "importance") as advance:
        # A sequence stands for as many as the layer has channels.
        run_in_blocks(len(chosen), data.shape[1] * changes.shape[1], call, advance)
    return changes.mean(axis=0)  # type: ignore[no-any-return]


def _affordable(m: Any, index: int, length: int) -> int:
    """Sequences whose ablation takes about a second or two: fewer where much of a network lies behind the layer."""
    products, channels, width = 0, 4, length
    for number, layer in enumerate(m._layers):
        parameters = layer.n_parameters(channels)
        width, channels = layer.output_shape(width, channels)
        if number == index:
            of_layer = channels
        elif number > index:
            products += parameters * width
    return int(np.clip(_ABLATION_PRODUCTS // max(products * of_layer, 1), *_ABLATED_SEQUENCES))


def _properties(sites: Sites | None, positives: NDArray[np.bool_] | None, count: int) -> list[dict[str, Any]]:
    """Profile, maximum and shares of each channel."""
    unknown = {"profile": None, "maximum": None, "positive_share": None, "negative_share": None}
    if sites is None:
        return [dict(unknown) for _ in range(count)]
    properties = []
    for k in range(count):
        rows, positions = sites.of(k)
        own = {"profile": np.bincount(positions, minlength=sites.length), "maximum": float(sites.maxima[k])}
        if positives is not None:
            active, total = int(positives[rows].sum()), int(positives.sum())
            rest = len(positives) - total
            own["positive_share"] = active / total if total else None
            own["negative_share"] = (len(rows) - active) / rest if rest else None
        properties.append(unknown | own)
    return properties


def _probabilities(counts: NDArray[Any]) -> NDArray[Any]:
    """Shares of the letters; a position without a single letter is uniform."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.full_like(counts, 0.25), where=totals > 0)


def _number_groups(motifs: list[FilterMotif]) -> None:
    alive = [motif for motif in motifs if not motif.dead]
    if alive:
        matrices = np.stack([(motif.probabilities - 0.25) for motif in alive])
        for motif, group in zip(alive, group_by_similarity(matrices, SAME_MOTIF, _MAX_SHIFT), strict=True):
            motif.group = int(group)
