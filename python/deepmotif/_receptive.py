"""Which part of a sequence a layer's position reads, and a network of one channel on it. Views room; private."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from .exceptions import InvalidArgumentError
from .layers import GlobalMaxPool1D, Layer, engine_options

# Every position of their output depends on every position of their input.
_UNBOUNDED = ("lstm", "gru", "flatten")


@dataclass(frozen=True)
class Field:
    """Output position p reads the positions from ``start + p * jump`` on, `size` of them; zeros beyond the ends.

    Examples
    --------
    >>> from deepmotif.layers import Conv1D, MaxPool1D, ReLU
    >>> receptive_field([Conv1D(8, 5), ReLU(), MaxPool1D(2), Conv1D(4, 3)], 3, 40)
    Field(start=0, size=10, jump=2)
    >>> receptive_field([Conv1D(8, 5, padding="same")], 0, 40)
    Field(start=-2, size=5, jump=1)
    """

    start: int = 0
    size: int = 1
    jump: int = 1

    def starts(self, positions: NDArray[Any]) -> NDArray[np.int64]:
        """First position of the window of each output position; negative where it begins in the padding."""
        return self.start + self.jump * positions.astype(np.int64)

    def then(self, left: int, reach: int, stride: int) -> Field:
        """The field behind a layer that reads `reach` positions, `stride` apart, after `left` zeros."""
        return Field(self.start - self.jump * left, self.size + self.jump * (reach - 1), self.jump * stride)

    def joined(self, other: Field) -> Field:
        """The smallest field that holds both."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(start, end - start, self.jump)


def receptive_field(layers: Sequence[Layer], index: int, length: int) -> Field:
    """The field of the output of layer `index` for sequences of `length`.

    Raises
    ------
    InvalidArgumentError
        If a layer up to there reads the whole sequence: a recurrent layer, a global pool, Flatten.
    """
    field, channels = Field(), 4
    for layer in layers[: index + 1]:
        field = _behind(layer, field, length, channels)
        length, channels = layer.output_shape(length, channels)
    return field


def _behind(layer: Layer, field: Field, length: int, channels: int) -> Field:
    if layer.kind in _UNBOUNDED or not layer.keeps_positions:
        raise InvalidArgumentError(
            f"layer must have positions that read a part of the sequence; a {layer.kind} layer up to it reads all of it"
        )
    if layer.kind == "residual":
        branches = []
        for branch in (layer.layers, layer.shortcut):  # type: ignore[attr-defined]
            inner, size, depth = field, length, channels
            for part in branch:
                inner = _behind(part, inner, size, depth)
                size, depth = part.output_shape(size, depth)
            branches.append(inner)
        return branches[0].joined(branches[1])
    return field.then(*_window(layer, length))


def _window(layer: Any, length: int) -> tuple[int, int, int]:
    """Zeros on the left, positions read and stride of one layer."""
    if layer.kind == "conv1d":
        reach, stride = (layer.kernel_size - 1) * layer.dilation + 1, layer.stride
        # The odd zero goes to the right.
        left = {"valid": 0, "same": (reach - 1) // 2, "causal": reach - 1}.get(layer.padding)
    elif layer.kind in ("max_pool1d", "average_pool1d"):
        reach, stride = layer.size, layer.size if layer.stride is None else layer.stride
        padding = getattr(layer, "padding", "valid")
        left = {"valid": 0, "same": max((-(-length // stride) - 1) * stride + reach - length, 0) // 2}.get(padding)
    else:
        return 0, 1, 1
    return int(layer.padding[0] if left is None else left), int(reach), int(stride)


def channel_network(m: Any, index: int, channel: int) -> tuple[_native.Model, int, int]:
    """A network whose score number t is one channel of a layer at one position; the network, t and its length.

    It reads just the receptive field, without any padding. Where a residual layer needs its padding, the score is the
    largest of the positions instead.
    """
    layers = list(m._layers[: index + 1])
    size = receptive_field(layers, index, m.length_).size
    if not any(layer.kind == "residual" for layer in layers):
        layers = [_without_padding(layer) for layer in layers]
    names = m._engine.layer_names
    arrays, values = [], m._engine.get_parameters()
    first = 0
    for name, shape in m._engine.parameter_info:
        count = int(np.prod(shape))
        array = values[first : first + count].reshape(shape)
        first += count
        owner = name.split(".", 1)[0]
        if names.index(owner) > index:
            break
        # One filter of a last convolution is enough, and as many times faster as there are filters.
        narrow = owner == names[index] and layers[-1].kind == "conv1d"
        arrays.append((array[channel : channel + 1] if narrow else array).ravel())
    target = channel
    if layers[-1].kind == "conv1d":
        layers[-1] = replace(layers[-1], filters=1)  # type: ignore[call-arg]
        target = 0
    model = _native.Model(engine_options([*layers, GlobalMaxPool1D()]), size, 0)
    model.set_parameters(np.ascontiguousarray(np.concatenate(arrays), dtype=np.float32))
    return model, target, size


def _without_padding(layer: Any) -> Layer:
    if getattr(layer, "padding", "valid") == "valid":
        return layer  # type: ignore[no-any-return]
    return replace(layer, padding="valid" if layer.kind == "conv1d" else (0, 0))
