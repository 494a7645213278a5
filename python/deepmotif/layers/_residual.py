"""Residual. Models room; private."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import ShapeError
from ._base import Layer
from ._chain import engine_options
from ._linear import Flatten

#: Deepest nesting of residual blocks, as in the engine.
DEEPEST = 16
# Channels do not depend on the length where nothing is flattened.
_ANY_LENGTH = 1 << 24


@dataclass(frozen=True)
class Residual(Layer):
    """A block of layers beside a shortcut: y = body(x) + shortcut(x) (He, Zhang, Ren and Sun 2016).

    Parameters
    ----------
    layers : sequence of Layer
        The body, at least one layer; residual blocks may stand in it, Flatten may not.
    shortcut : sequence of Layer
        What the input goes through on the other way; empty: nothing. Both ways must give the same shape.

    Raises
    ------
    InvalidArgumentError
        If the two are no sequences of layers, the body is empty, or blocks are nested deeper than 16.

    Examples
    --------
    >>> from deepmotif import layers
    >>> body = [layers.Conv1D(8, 5, padding="same"), layers.ReLU(), layers.Conv1D(8, 5, padding="same")]
    >>> layers.Residual(body).output_shape(101, 8)
    (101, 8)
    >>> layers.Residual(body, shortcut=[layers.Conv1D(8, 1, bias=False)]).n_parameters(4)
    528
    """

    layers: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()

    kind = "residual"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("layers", self._branch("layers", self.layers))
        self._set("shortcut", self._branch("shortcut", self.shortcut))
        if not self.layers:
            raise self._refusal("layers must be at least one layer; got none")
        if self._depth > DEEPEST:
            raise self._refusal(f"blocks may be nested {DEEPEST} deep; got {self._depth}")

    def _branch(self, name: str, value: Any) -> tuple[Layer, ...]:
        branch = tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else (value,)
        for layer in branch:
            if not isinstance(layer, Layer):
                raise self._refusal(f"{name} must be a sequence of layers; got {layer!r}")
            if isinstance(layer, Flatten):
                raise self._refusal(f"{name} must not contain Flatten")
        return branch

    @property
    def _depth(self) -> int:
        inner = [layer._depth for layer in (*self.layers, *self.shortcut) if isinstance(layer, Residual)]
        return 1 + max(inner, default=0)

    @property
    def keeps_positions(self) -> bool:
        return all(layer.keeps_positions for layer in self.layers)

    @property
    def is_recurrent(self) -> bool:
        return any(layer.is_recurrent for layer in (*self.layers, *self.shortcut))

    def options(self) -> dict[str, Any]:
        return super().options() | {
            "body_count": len(engine_options(self.layers)),
            "shortcut_count": len(engine_options(self.shortcut)),
        }

    def inner_options(self) -> list[dict[str, Any]]:
        return engine_options(self.layers) + engine_options(self.shortcut)

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        main = _shape(self.layers, length, channels)
        side = _shape(self.shortcut, length, channels)
        if main[1] != side[1] or (main[0] != side[0] and min(main[0], side[0]) >= 1):
            raise ShapeError(f"Residual: layers and shortcut must give equal shapes; got {main} and {side}")
        return min(main[0], side[0]), main[1]

    def input_length(self, length: int) -> int:
        return max(_input_length(self.layers, length), _input_length(self.shortcut, length))

    def n_parameters(self, channels: int) -> int:
        total = 0
        for branch in (self.layers, self.shortcut):
            width = channels
            for layer in branch:
                total += layer.n_parameters(width)
                width = layer.output_shape(_ANY_LENGTH, width)[1]
        return total


def _shape(layers: Sequence[Layer], length: int, channels: int) -> tuple[int, int]:
    """Shape behind the layers; 0 positions where one of them does not fit."""
    fits = True
    for layer in layers:
        length, channels = layer.output_shape(length, channels)
        fits = fits and length >= 1
    return length if fits else 0, channels


def _input_length(layers: Sequence[Layer], length: int) -> int:
    for layer in reversed(layers):
        length = max(1, layer.input_length(length))
    return length
