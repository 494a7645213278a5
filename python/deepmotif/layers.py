"""The layers that networks are made of, as plain descriptions. Models room.

A network is a list of these from the sequence (L, 4) up to the scores; the engine builds it from their `options()`.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from . import _native
from .exceptions import InvalidArgumentError, ShapeError

__all__ = [
    "LSTM",
    "AveragePool1D",
    "BatchNorm1D",
    "Conv1D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool1D",
    "GlobalMaxPool1D",
    "Layer",
    "MaxPool1D",
    "ReLU",
    "Sigmoid",
    "Tanh",
]

# Sizes beyond this are mistakes or hostile files; products of four of them still fit into 64 bits with room to spare.
_LARGEST_SIZE = 1 << 24


@dataclass(frozen=True)
class Layer:
    """Base of all layers: arguments are checked when the layer is made, shapes when the network is."""

    #: Name of the kind, as in the names of layers and parameters.
    kind: ClassVar[str] = ""
    #: Sizes: whole numbers of at least 1.
    _sizes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self._sizes:
            value = getattr(self, name)
            whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
            if not whole or not 1 <= value <= _LARGEST_SIZE:
                raise InvalidArgumentError(
                    f"{type(self).__name__}: {name} must be a whole number from 1 to {_LARGEST_SIZE}; got {value!r}"
                )
            object.__setattr__(self, name, int(value))
        for field in fields(self):
            if field.type == "bool" and not isinstance(getattr(self, field.name), bool):
                raise InvalidArgumentError(
                    f"{type(self).__name__}: {field.name} must be True or False; got {getattr(self, field.name)!r}"
                )

    @property
    def keeps_positions(self) -> bool:
        """False where one vector a sequence is left: global pools, Flatten, the last state of an LSTM."""
        return True

    def options(self) -> dict[str, Any]:
        """The fields of the engine's dm_layer_options."""
        return {"kind": _ENGINE_KINDS[self.kind]}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        """Positions and channels of the output for an input (length, channels); positions below 1 do not fit."""
        return length, channels

    def input_length(self, length: int) -> int:
        """Fewest input positions that give at least `length` output positions."""
        return length

    def n_parameters(self, channels: int) -> int:
        """Number of parameters for an input of so many channels."""
        return 0


@dataclass(frozen=True)
class Conv1D(Layer):
    """Convolution (correlation, as in every framework): `filters` filters of `kernel_size` positions, with bias.

    Examples
    --------
    >>> Conv1D(128, 9)
    Conv1D(filters=128, kernel_size=9, padding='valid', dilation=1, stride=1)
    """

    filters: int
    kernel_size: int
    padding: str = "valid"
    dilation: int = 1
    stride: int = 1

    kind = "conv1d"
    _sizes = ("filters", "kernel_size", "dilation", "stride")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding not in ("valid", "same"):
            raise InvalidArgumentError(f"Conv1D: padding must be 'valid' or 'same'; got {self.padding!r}")

    @property
    def _reach(self) -> int:
        return (self.kernel_size - 1) * self.dilation

    def options(self) -> dict[str, Any]:
        return super().options() | {
            "units": self.filters,
            "width": self.kernel_size,
            "padding": _native.PADDING_SAME if self.padding == "same" else _native.PADDING_VALID,
            "stride": self.stride,
            "dilation": self.dilation,
        }

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        room = length - 1 - (self._reach if self.padding == "valid" else 0)
        return room // self.stride + 1, self.filters

    def input_length(self, length: int) -> int:
        return (length - 1) * self.stride + 1 + (self._reach if self.padding == "valid" else 0)

    def n_parameters(self, channels: int) -> int:
        return self.filters * (self.kernel_size * channels + 1)


@dataclass(frozen=True)
class _Pool(Layer):
    size: int
    stride: int | None = None

    _sizes = ("size",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is None:
            object.__setattr__(self, "stride", self.size)
        whole = isinstance(self.stride, numbers.Integral) and not isinstance(self.stride, bool)
        if not whole or not 1 <= int(self.stride) <= _LARGEST_SIZE:  # type: ignore[arg-type]
            raise InvalidArgumentError(
                f"{type(self).__name__}: stride must be None or a whole number from 1; got {self.stride!r}"
            )

    @property
    def _step(self) -> int:
        return self.size if self.stride is None else int(self.stride)

    def options(self) -> dict[str, Any]:
        return super().options() | {"width": self.size, "stride": self._step}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return (length - self.size) // self._step + 1, channels

    def input_length(self, length: int) -> int:
        return (length - 1) * self._step + self.size


@dataclass(frozen=True)
class MaxPool1D(_Pool):
    """Maximum over windows of `size` positions, `stride` (default: size) apart; a rest that fills no window is cut."""

    kind = "max_pool1d"


@dataclass(frozen=True)
class AveragePool1D(_Pool):
    """Mean over windows of `size` positions, `stride` (default: size) apart; a rest that fills no window is cut."""

    kind = "average_pool1d"


@dataclass(frozen=True)
class _GlobalPool(Layer):
    @property
    def keeps_positions(self) -> bool:
        return False

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return 1, channels


@dataclass(frozen=True)
class GlobalMaxPool1D(_GlobalPool):
    """Maximum over all positions."""

    kind = "global_max_pool1d"


@dataclass(frozen=True)
class GlobalAveragePool1D(_GlobalPool):
    """Mean over all positions."""

    kind = "global_average_pool1d"


@dataclass(frozen=True)
class LSTM(Layer):
    """Long short-term memory without peepholes (Hochreiter and Schmidhuber 1997; Gers et al. 2000), one bias a gate.

    Parameters
    ----------
    units : int
        Hidden units H of each direction.
    bidirectional : bool
        A second LSTM reads the reversed sequence; its outputs follow those of the first: 2H channels.
    return_sequences : bool
        False: only the last state of each direction, (1, H) or (1, 2H).
    split_input : bool
        Each direction reads its own half of the channels: two separate stacks.
    """

    units: int
    bidirectional: bool = False
    return_sequences: bool = True
    split_input: bool = False

    kind = "lstm"
    _sizes = ("units",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.split_input and not self.bidirectional:
            raise InvalidArgumentError("LSTM: split_input=True needs bidirectional=True")

    @property
    def keeps_positions(self) -> bool:
        return self.return_sequences

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def options(self) -> dict[str, Any]:
        return super().options() | {
            "units": self.units,
            "bidirectional": int(self.bidirectional),
            "return_sequences": int(self.return_sequences),
            "split_input": int(self.split_input),
        }

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        if self.split_input and channels % 2:
            raise ShapeError(f"LSTM: split_input=True needs an even number of channels; got {channels}")
        return length if self.return_sequences else min(length, 1), self.units * self._directions

    def n_parameters(self, channels: int) -> int:
        inputs = channels // 2 if self.split_input else channels
        return self._directions * 4 * self.units * (inputs + self.units + 1)


@dataclass(frozen=True)
class Dense(Layer):
    """Linear layer with bias over the channels, at every position where there are any."""

    units: int

    kind = "dense"
    _sizes = ("units",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"units": self.units}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return length, self.units

    def n_parameters(self, channels: int) -> int:
        return self.units * (channels + 1)


@dataclass(frozen=True)
class Flatten(Layer):
    """(L, C) to L x C channels, position-major; fixes the length."""

    kind = "flatten"

    @property
    def keeps_positions(self) -> bool:
        return False

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return min(length, 1), length * channels


@dataclass(frozen=True)
class Dropout(Layer):
    """Sets a fraction `rate` of the values to 0 in training and scales the others by 1 / (1 - rate)."""

    rate: float

    kind = "dropout"

    def __post_init__(self) -> None:
        super().__post_init__()
        number = isinstance(self.rate, numbers.Real) and not isinstance(self.rate, bool)
        if not number or not math.isfinite(self.rate) or not 0 <= self.rate < 1:
            raise InvalidArgumentError(f"Dropout: rate must be a number from 0 to below 1; got {self.rate!r}")
        object.__setattr__(self, "rate", float(self.rate))

    def options(self) -> dict[str, Any]:
        return super().options() | {"rate": self.rate}


def _check_real(layer: Layer, name: str, low: float, high: float, words: str) -> None:
    value = getattr(layer, name)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise InvalidArgumentError(f"{type(layer).__name__}: {name} must be {words}; got {value!r}")
    object.__setattr__(layer, name, float(value))


@dataclass(frozen=True)
class BatchNorm1D(Layer):
    """Brings each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and Szegedy 2015).

    Training takes mean and variance over all positions of all sequences of a batch, prediction the running ones:
    running = (1 - momentum) running + momentum batch, as in PyTorch (Keras: momentum is 1 minus this). A batch of a
    single value a channel is normalised by the running statistics.

    Parameters
    ----------
    momentum : float
        From 0 to 1.
    epsilon : float
        Added to the variance; above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> BatchNorm1D().n_parameters(16)
    64
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    kind = "batch_norm1d"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_real(self, "momentum", 0, 1, "a number from 0 to 1")
        _check_real(self, "epsilon", 1e-30, 1e30, "a number above 0")

    def options(self) -> dict[str, Any]:
        return super().options() | {"momentum": self.momentum, "epsilon": self.epsilon}

    def n_parameters(self, channels: int) -> int:
        return 4 * channels


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0)."""

    kind = "relu"


@dataclass(frozen=True)
class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    kind = "sigmoid"


@dataclass(frozen=True)
class Tanh(Layer):
    """tanh(x)."""

    kind = "tanh"


_ENGINE_KINDS: dict[str, int] = {
    "conv1d": _native.LAYER_CONV1D,
    "relu": _native.LAYER_RELU,
    "max_pool1d": _native.LAYER_MAX_POOL1D,
    "global_max_pool1d": _native.LAYER_GLOBAL_MAX_POOL1D,
    "average_pool1d": _native.LAYER_AVERAGE_POOL1D,
    "global_average_pool1d": _native.LAYER_GLOBAL_AVERAGE_POOL1D,
    "lstm": _native.LAYER_LSTM,
    "dense": _native.LAYER_DENSE,
    "flatten": _native.LAYER_FLATTEN,
    "dropout": _native.LAYER_DROPOUT,
    "sigmoid": _native.LAYER_SIGMOID,
    "tanh": _native.LAYER_TANH,
    "batch_norm1d": _native.LAYER_BATCH_NORM1D,
}

_CLASSES: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        Conv1D, ReLU, MaxPool1D, AveragePool1D, GlobalMaxPool1D, GlobalAveragePool1D, LSTM, Dense, Flatten, Dropout,
        Sigmoid, Tanh, BatchNorm1D,
    )
}  # fmt: skip


def minimum_length(layers: Sequence[Layer]) -> int:
    """Shortest sequence that the layers allow; Flatten's demand on the length is not counted."""
    length = 1
    for layer in reversed(layers):
        length = max(1, layer.input_length(length)) if layer.keeps_positions else 1
    return length


def count_parameters(layers: Sequence[Layer], length: int) -> int:
    """Number of parameters of a network on sequences of `length`, without building it.

    Raises
    ------
    ShapeError
        If the layers do not fit on each other or on the length.
    """
    channels, total = 4, 0
    for index, layer in enumerate(layers):
        total += layer.n_parameters(channels)
        length, channels = layer.output_shape(length, channels)
        if length < 1 or channels > _LARGEST_SIZE:
            raise ShapeError(f"layer {index} ({layer.kind}) does not fit on an input of this length")
    return total


def to_config(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """Layers as JSON values; `from_config` reads them."""
    return [{"kind": layer.kind} | asdict(layer) for layer in layers]


def from_config(config: Any) -> list[Layer]:
    """The layers of `to_config`; whatever else it is given is an InvalidArgumentError."""
    if not isinstance(config, list) or not config:
        raise InvalidArgumentError(f"layers must be a list of at least one layer; got {type(config).__name__}")
    layers = []
    for index, entry in enumerate(config):
        arguments = dict(entry) if isinstance(entry, dict) else {}
        kind = arguments.pop("kind", None)
        if not isinstance(kind, str) or kind not in _CLASSES:
            raise InvalidArgumentError(f"layer {index} is of no known kind: {kind!r}")
        try:
            layers.append(_CLASSES[kind](**arguments))
        except TypeError as error:
            raise InvalidArgumentError(f"layer {index} ({kind}): {error}") from None
    return layers
