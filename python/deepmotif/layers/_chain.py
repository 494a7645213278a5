"""Layers one after the other: length, parameters, description for the engine. Models room; private."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..exceptions import ShapeError
from ._base import LARGEST_SIZE, Layer


def minimum_length(layers: Sequence[Layer]) -> int:
    """Shortest sequence that the layers allow; Flatten's demand on the length is not counted."""
    length = 1
    for layer in reversed(layers):
        length = max(1, layer.input_length(length))
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
        if length < 1 or channels > LARGEST_SIZE:
            raise ShapeError(f"layer {index} ({layer.kind}) does not fit on an input of this length")
    return total


def engine_options(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The engine's list of entries: the layers' options, those inside of residual blocks behind their block's.

    Examples
    --------
    >>> from deepmotif import layers
    >>> len(layers.engine_options([layers.Residual([layers.ReLU(), layers.Dense(4)]), layers.GlobalMaxPool1D()]))
    4
    """
    return [entry for layer in layers for entry in [layer.options(), *layer.inner_options()]]
