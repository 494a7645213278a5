"""Dropout and activation functions. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._base import Layer


@dataclass(frozen=True)
class Dropout(Layer):
    """Sets a fraction `rate` of the values to 0 in training and scales the others by 1 / (1 - rate)."""

    rate: float

    kind = "dropout"
    _numbers = ("rate",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate >= 1:
            raise self._refusal(f"rate must be a number from 0 to below 1; got {self.rate!r}")

    def options(self) -> dict[str, Any]:
        return super().options() | {"rate": self.rate}


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0)."""

    kind = "relu"


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x above 0, else `slope` x; slope of at least 0."""

    slope: float = 0.01

    kind = "leaky_relu"
    _numbers = ("slope",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"slope": self.slope}


@dataclass(frozen=True)
class ELU(Layer):
    """x above 0, else `alpha` (exp(x) - 1); alpha of at least 0 (Clevert, Unterthiner and Hochreiter 2016)."""

    alpha: float = 1.0

    kind = "elu"
    _numbers = ("alpha",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"slope": self.alpha}


@dataclass(frozen=True)
class GELU(Layer):
    """x times the standard normal distribution function of x (Hendrycks and Gimpel 2016); `approximate`: by tanh."""

    approximate: bool = False

    kind = "gelu"

    def options(self) -> dict[str, Any]:
        return super().options() | {"approximate": int(self.approximate)}


@dataclass(frozen=True)
class Exponential(Layer):
    """exp(x)."""

    kind = "exponential"


@dataclass(frozen=True)
class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    kind = "sigmoid"


@dataclass(frozen=True)
class Tanh(Layer):
    """tanh(x)."""

    kind = "tanh"


@dataclass(frozen=True)
class Softmax(Layer):
    """exp(x) over its sum over the channels of the same position."""

    kind = "softmax"
