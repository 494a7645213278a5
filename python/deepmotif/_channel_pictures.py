"""Pictures of what a channel or a class looks for, by gradient ascent on letters. Views room; public in `channels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._class_optimization import class_optimization
from ._motif import Motif
from ._places import activations_at, find_place
from ._validation import check_number, check_whole, draw_seed
from ._views import check_model, label_of
from .exceptions import InvalidArgumentError, ShapeError
from .layers import Conv1D, Layer

Float = NDArray[np.float32]

# Layers that keep every position in its place.
_POSITIONWISE = {
    "relu", "leaky_relu", "elu", "gelu", "exponential", "sigmoid", "tanh", "dropout", "batch_norm1d", "layer_norm",
    "dense",
}  # fmt: skip
_WINDOWS = {"conv1d", "max_pool1d", "average_pool1d"}

# Layers whose channels are those of what they read.
_KEEP_CHANNELS = (_POSITIONWISE | _WINDOWS - {"conv1d"} | {"global_max_pool1d", "global_average_pool1d"}) - {"dense"}

# The penalty makes what does not matter small, never zero.
_SMALLEST_SHARE = 0.01

# Random sequences to look for windows in, where none are given.
_DRAWN = 500


def visualize_channel(
    m: Any,
    layer: str | int,
    channel: int,
    X: Any = None,
    *,
    starts: int = 10,
    steps: int = 100,
    l2: float = 0.1,
    learning_rate: float = 0.5,
    random_state: Any = 0,
) -> Motif:
    """What a channel looks for, as a motif over its receptive field.

    For a channel that reads the letters through one convolution alone it is the kernel. Otherwise the letters of the
    receptive field climb to a maximum of a(X) - l2 ||X||^2, the channel's activation with a penalty, from the windows
    of real sequences that activate the channel most, and the start that ends highest is taken. Values below a
    hundredth of the largest become 0 and each position is normalised; a position without any is uniform.

    Parameters
    ----------
    m : model
        A fitted model.
    layer : str or int
        Name or index; the channel is one of its output.
    channel : int
    X : sequences (N, L), optional
        Where windows are looked for, the training sequences as a rule; by default random ones with the dinucleotides of
        the human genome.
    starts : int
        Windows to start from, one a sequence.
    steps : int
        Of gradient ascent; the step size is `learning_rate` times that of the largest one that an ascent on the penalty
        alone can bear, 1 / (2 l2).
    l2 : float
        Of the penalty.
    random_state : int, None, Generator or RandomState
        Of the random sequences.

    Returns
    -------
    Motif
        As long as the receptive field, uniform where it reaches beyond the ends of the sequence; named after layer and
        channel.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If there is no such channel, or no sequence activates it.

    References
    ----------
    Liu, Zeng and Gifford 2019, "Identifying sequence feature sharing and class correlations in DeepSEA".

    Examples
    --------
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(5, 3), random_state=0).build(40, 2)
    >>> len(dm.visualize_channel(model, "conv1d_0", 2)), len(dm.visualize_channel(model, "conv1d_1", 2))
    (5, 10)
    """
    from .simulation import simulate

    check_whole(starts, "starts")
    check_whole(steps, "steps")
    l2 = check_number(l2, "l2", 0, open_minimum=True)
    learning_rate = check_number(learning_rate, "learning_rate", 0, 1, open_minimum=True)
    with check_model(m)._lock:
        place = m._layer_index(layer)
        channels = m._engine.layer_shape(place, m.length_)[1]
        if check_whole(channel, "channel", 0) >= channels:
            raise InvalidArgumentError(f"channel must be below the {channels} of this layer; got {channel}")
        name = f"{m._engine.layer_names[place]}_channel_{channel}"
        kernel = _only_kernel(m, place, channel)
        if kernel is not None:
            return Motif(_distributions(kernel), name)
        if X is None:
            X, _ = simulate(_DRAWN, length=m.length_, random_state=draw_seed(random_state))
        rows, positions = _best_windows(m, place, channel, m._read_fitted(X), starts)
        field = _receptive_field(m._layers[: place + 1], rows.shape[1])
        letters, held = _ascent_starts(rows, positions, field)
        reached = _climb_letters(m, place, channel, letters, held, positions, steps, l2, learning_rate / (2 * l2))
        best = int(reached.argmax())
        return Motif(_distributions(_cut(letters[best], int(positions[best]), field)), name)


def channel_motifs(m: Any, layer: str | int | None = None, X: Any = None, **options: Any) -> list[Motif] | None:
    """A picture of every channel of a feature map: `visualize_channel` of the convolution whose channels they are.

    Parameters
    ----------
    m, layer
        As in `deepresolve`.
    X, **options
        Of `visualize_channel`.

    Returns
    -------
    list of Motif, one a channel, or None
        None where the channels are not those of a convolution (behind an LSTM, of the letters).

    Examples
    --------
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(5,), random_state=0).build(40, 2)
    >>> [len(motif) for motif in dm.channel_motifs(model)]
    [5, 5, 5, 5]
    """
    place = find_place(check_model(m), layer)
    while place >= 0 and m._layers[place].kind != "conv1d":
        if m._layers[place].kind not in _KEEP_CHANNELS:
            return None
        place -= 1
    if place < 0:
        return None
    channels = m._engine.layer_shape(place, m.length_)[1]
    return [visualize_channel(m, place, channel, X, **options) for channel in range(channels)]


def _only_kernel(m: Any, place: int, channel: int) -> Float | None:
    """The kernel (width, 4) of a channel that reads letters through one convolution and nothing else."""
    layers = m._layers[: place + 1]
    if not isinstance(layers[0], Conv1D) or any(layer.kind not in ("relu", "dropout") for layer in layers[1:]):
        return None
    return np.asarray(m.weights_[f"{m._engine.layer_names[0]}.weight"][channel].T)


def _distributions(weights: Float) -> NDArray[np.float64]:
    """Positive parts above a hundredth of the largest, each position normalised; uniform where there is none."""
    positive = np.maximum(weights, 0).astype(np.float64)
    positive[positive < _SMALLEST_SHARE * positive.max()] = 0
    total = positive.sum(axis=1, keepdims=True)
    return np.where(total > 0, positive / np.where(total > 0, total, 1), 0.25)


def _receptive_field(layers: list[Layer], length: int) -> tuple[int, int, int]:
    """Step, offset and width: output position p reads letters p step + offset ... + width - 1 (excluded).

    Behind a layer that is neither a window nor works position by position, the whole sequence.
    """
    step, offset, width = 1, 0, 1
    for layer in layers:
        if layer.kind in _POSITIONWISE:
            continue
        if layer.kind not in _WINDOWS:
            return 0, 0, length
        size: int = getattr(layer, "kernel_size", 0) or getattr(layer, "size", 1)
        reach = (size - 1) * getattr(layer, "dilation", 1)
        padding = getattr(layer, "padding", "valid")
        left = {"valid": 0, "same": reach // 2, "causal": reach}[padding] if isinstance(padding, str) else padding[0]
        offset -= left * step
        width += reach * step
        step *= getattr(layer, "stride", None) or size
    return step, offset, width


def _best_windows(
    m: Any, place: int, channel: int, data: NDArray[Any], starts: int
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Sequences (S, L) that activate the channel most, and the output position where each does (S,)."""
    if not len(data):
        raise ShapeError("X must hold at least one sequence; got 0")
    values = np.concatenate(
        [activations_at(m, place, data[i : i + 512])[:, :, channel] for i in range(0, len(data), 512)]
    )
    order = np.argsort(-values.max(axis=1), kind="stable")[:starts]
    if values[order[0]].max() == values.min():
        raise InvalidArgumentError(f"no sequence of X activates channel {channel} of {m._engine.layer_names[place]}")
    return data[order], values[order].argmax(axis=1)


def _ascent_starts(
    rows: NDArray[Any], positions: NDArray[np.intp], field: tuple[int, int, int]
) -> tuple[Float, NDArray[np.bool_]]:
    """Letters (S, L, 4) of the windows alone, and where the letters must stay zero (S, L)."""
    from .sequences import one_hot

    letters = np.array(one_hot(rows), dtype=np.float32)
    step, offset, width = field
    first = (positions * step + offset)[:, None]
    inside = np.arange(letters.shape[1])[None, :]
    held = (inside < first) | (inside >= first + width)
    letters[held] = 0
    return letters, held


def _climb_letters(
    m: Any, place: int, channel: int, letters: Float, held: NDArray[np.bool_], positions: NDArray[np.intp], steps: int,
    l2: float, rate: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Gradient ascent in place; objective (S,) at the end."""
    engine, threads = m._engine, m._threads()
    shape = engine.layer_shape(place, letters.shape[1])
    seeds = np.zeros((len(letters), *shape), dtype=np.float32)
    rows = np.arange(len(letters))
    seeds[rows, positions, channel] = 1
    for _ in range(steps):
        slope = engine.part_gradient(0, place + 1, letters, seeds, threads) - np.float32(2 * l2) * letters
        slope[held] = 0
        letters += np.float32(rate) * slope
    reached = engine.part_outputs(0, place + 1, letters, threads)[rows, positions, channel]
    return np.asarray(reached - l2 * (letters.astype(np.float64) ** 2).sum(axis=(1, 2)))


def _cut(letters: Float, position: int, field: tuple[int, int, int]) -> Float:
    """The receptive field (width, 4) of one position, zeros beyond the ends."""
    step, offset, width = field
    first = position * step + offset
    result = np.zeros((width, 4), dtype=np.float32)
    begin, end = max(first, 0), min(first + width, len(letters))
    result[begin - first : end - first] = letters[begin:end]
    return result


def enhanced_class_optimization(
    m: Any,
    target: Any = None,
    *,
    width: int = 25,
    top: int = 5,
    restarts: int = 10,
    random_state: Any = 0,
    **options: Any,
) -> list[Motif]:
    """The most informative pieces of inputs that maximise a class: DeepMotif with several starts.

    One start has 0.25 everywhere, as in the original, the others are uniform in [0, 1). The inputs reached are clipped
    at zero and each position is normalised; of each the `width` positions with the most information are kept, best
    class score first. This is what DeepResolve is compared with.

    Parameters
    ----------
    m, target
        As in `class_optimization`.
    width : int
        Positions of a piece.
    top : int
        Pieces to return.
    restarts : int
        Random starts beside the flat one.
    random_state : int, None, Generator or RandomState
        Of the starts.
    **options
        Of `class_optimization`, such as l2, learning_rate, steps.

    Returns
    -------
    list of Motif
        Best class score first.

    References
    ----------
    Liu, Zeng and Gifford 2019, "Identifying key motifs in models of TF binding" (enhanced-DeepMotif).

    Examples
    --------
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(5, 3), random_state=0).build(40, 2)
    >>> [len(motif) for motif in dm.enhanced_class_optimization(model, width=8, top=2, restarts=3, steps=5)]
    [8, 8]
    """
    check_whole(top, "top")
    length = check_model(m).length_
    if check_whole(width, "width") > length:
        raise InvalidArgumentError(f"width must be at most the model's length {length}; got {width}")
    random = _native.random_uniform(draw_seed(random_state), check_whole(restarts, "restarts", 0), length * 4)
    start = np.concatenate([np.full((1, length, 4), 0.25, dtype=np.float32), random.reshape(-1, length, 4)])
    result = class_optimization(m, target, start=start, restarts=len(start), **options)
    motifs = []
    for rank, row in enumerate(np.argsort(-result.scores, kind="stable")[:top]):
        whole = Motif(_distributions(result.inputs[row]))
        sums = np.convolve(whole.information_content, np.ones(width), "valid")
        first = int(sums.argmax())
        label = label_of(m, m._resolve_target(target))
        motifs.append(Motif(whole.probabilities[first : first + width], f"class_{label}_start_{rank}"))
    return motifs
