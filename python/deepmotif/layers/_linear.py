"""Dense, Flatten, LayerNorm. Models room; private."""

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
