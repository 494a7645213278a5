"""Dense, Flatten, LayerNorm, BatchNorm1D. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import _native
from ._base import Layer


@dataclass(frozen=True)
class Dense(Layer):
    """Linear layer over the channels, at every position where there are any; `bias` adds a number per unit.

    Examples
    --------
    >>> Dense(2, bias=False).n_parameters(32)
    64
    """

    units: int
    bias: bool = True

    kind = "dense"
    _sizes = ("units",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"units": self.units, "bias": int(self.bias)}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return length, self.units

    def n_parameters(self, channels: int) -> int:
        return self.units * (channels + int(self.bias))


@dataclass(frozen=True)
class Flatten(Layer):
    """(L, C) to one position of L x C channels; fixes the length.

    Parameters
    ----------
    order : {"positions", "channels"}
        What comes first: all channels of the first position, or all positions of the first channel, as where
        frameworks with channels first (PyTorch) flatten.

    Examples
    --------
    >>> Flatten().output_shape(10, 4)
    (1, 40)
    """

    order: str = "positions"

    kind = "flatten"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.order, str) or self.order not in ("positions", "channels"):
            raise self._refusal(f"order must be 'positions' or 'channels'; got {self.order!r}")

    @property
    def keeps_positions(self) -> bool:
        return False

    def options(self) -> dict[str, Any]:
        order = _native.ORDER_CHANNELS if self.order == "channels" else _native.ORDER_POSITIONS
        return super().options() | {"order": order}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return min(length, 1), length * channels

    def input_length(self, length: int) -> int:
        return 1


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Mean 0 and variance 1 over the channels of each position, then a weight and a bias per channel.

    (x - mean) / sqrt(variance + epsilon), the variance over all channels (Ba, Kiros and Hinton 2016).

    Examples
    --------
    >>> LayerNorm().n_parameters(16)
    32
    """

    epsilon: float = 1e-5

    kind = "layer_norm"
    _numbers = ("epsilon",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"epsilon": self.epsilon}

    def n_parameters(self, channels: int) -> int:
        return 2 * channels


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
    _numbers = ("momentum", "epsilon")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum > 1:
            raise self._refusal(f"momentum must be a number from 0 to 1; got {self.momentum!r}")
        # Below this float32 has no number.
        if self.epsilon < 1e-37:
            raise self._refusal(f"epsilon must be a number above 0; got {self.epsilon!r}")

    def options(self) -> dict[str, Any]:
        return super().options() | {"momentum": self.momentum, "epsilon": self.epsilon}

    def n_parameters(self, channels: int) -> int:
        return 4 * channels
