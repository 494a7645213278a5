"""DeepLIFT's rescale rule through the layers behind a feature map. Views room; private.

Shrikumar, Greenside and Kundaje 2017, arXiv:1704.02685. A multiplier is the share of a difference of the output that a
difference of the input explains; multipliers are passed from layer to layer like gradients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import _native
from .exceptions import InvalidArgumentError
from .layers import Layer

Float = NDArray[np.float32]

# Their multipliers are their gradients, wherever they are taken.
_LINEAR = {
    "conv1d", "dense", "flatten", "dropout", "average_pool1d", "global_average_pool1d", "batch_norm1d",
}  # fmt: skip
_ELEMENTWISE = {"relu", "leaky_relu", "elu", "gelu", "exponential", "sigmoid", "tanh"}
_MAXIMA = {"max_pool1d", "global_max_pool1d"}

# Below this a quotient of differences is rounding error, and the gradient takes its place.
_SMALLEST = 1e-6


def contributions(
    engine: _native.Model, layers: list[Layer], first: int, maps: Float, reference: Float, target: int, threads: int
) -> Float:
    """Contributions (N, W, K) of feature maps (N, W, K) to the difference of a class score from that of a reference.

    Parameters
    ----------
    engine, layers
        The network; `first` is the layer that reads the maps.
    reference : (W, K)
        The map that contributes nothing.

    Notes
    -----
    They sum to the difference of the scores but for rounding.
    """
    tail = range(first, len(layers))
    for index in tail:
        if layers[index].kind not in _LINEAR | _ELEMENTWISE | _MAXIMA or _is_padded(layers[index]):
            raise InvalidArgumentError(
                f"method='deeplift' has no rule for the layer {engine.layer_names[index]} ({layers[index]!r})"
            )
    inputs, references = [maps], [reference[None]]
    for index in tail:
        inputs.append(engine.part_outputs(index, index + 1, inputs[-1], threads))
        references.append(engine.part_outputs(index, index + 1, references[-1], threads))
    multipliers = np.zeros_like(inputs[-1])
    multipliers[:, 0, target] = 1
    for number in reversed(range(len(tail))):
        index, x, x0 = tail[number], inputs[number], references[number]
        change = inputs[number + 1] - references[number + 1]
        if layers[index].kind in _MAXIMA:
            multipliers = _through_maxima(layers[index], x, x0, change, multipliers)
            continue
        gradient = engine.part_gradient(index, index + 1, x, multipliers, threads)
        if layers[index].kind in _ELEMENTWISE:
            difference = x - x0
            moved = np.abs(difference) > _SMALLEST
            quotient = multipliers * change / np.where(moved, difference, 1)
            gradient = np.ascontiguousarray(np.where(moved, quotient, gradient), dtype=np.float32)
        multipliers = gradient
    return np.asarray(multipliers * (maps - reference))


def _is_padded(layer: Layer) -> bool:
    """A pool whose windows reach beyond the ends."""
    padding = getattr(layer, "padding", (0, 0))
    return layer.kind in _MAXIMA and (padding not in ((0, 0), "valid") or bool(getattr(layer, "ceil", False)))


def _through_maxima(layer: Layer, x: Float, x0: Float, change: Float, multipliers: Float) -> Float:
    """Multipliers in front of a pool of maxima.

    A larger maximum than the reference's is due to the position that holds it; a smaller one to the position that holds
    the reference's, which fell.
    """
    size = x.shape[1] if layer.kind == "global_max_pool1d" else int(layer.size)  # type: ignore[attr-defined]
    step = 1 if layer.kind == "global_max_pool1d" else int(layer.stride)  # type: ignore[attr-defined]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=1)[:, ::step]
    windows0 = np.lib.stride_tricks.sliding_window_view(x0, size, axis=1)[:, ::step]
    starts = step * np.arange(windows.shape[1])[None, :, None]
    place = starts + np.where(change >= 0, windows.argmax(axis=-1), windows0.argmax(axis=-1))
    rows, channels = np.arange(len(x))[:, None, None], np.arange(x.shape[2])[None, None, :]
    difference = x[rows, place, channels] - np.broadcast_to(x0, x.shape)[rows, place, channels]
    quotient = np.divide(multipliers * change, difference, out=np.zeros_like(change), where=difference != 0)
    # Where nothing changed at all the gradient, so that multipliers are continuous.
    quotient = np.where((change == 0) & (difference == 0), multipliers, quotient)
    result = np.zeros_like(x)
    np.add.at(result, (rows, place, channels), quotient)
    return result
