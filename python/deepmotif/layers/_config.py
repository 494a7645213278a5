"""Layers as JSON values and back. Models room; private."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ..exceptions import InvalidArgumentError
from ._base import Layer
from ._convolution import Conv1D
from ._elementwise import ELU, GELU, Dropout, Exponential, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from ._linear import BatchNorm1D, Dense, Flatten, LayerNorm
from ._maxout import Maxout
from ._pooling import (
    AveragePool1D,
    GlobalAveragePool1D,
    GlobalMaxAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
)
from ._recurrent import GRU, LSTM
from ._residual import DEEPEST, Residual

_CLASSES: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        Conv1D, MaxPool1D, AveragePool1D, GlobalMaxPool1D, GlobalAveragePool1D, GlobalMaxAveragePool1D, LSTM, GRU,
        Dense, Flatten, LayerNorm, BatchNorm1D, Maxout, Dropout, ReLU, LeakyReLU, ELU, GELU, Exponential,
        Sigmoid, Tanh, Softmax, Residual,
    )
}  # fmt: skip


def to_config(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """Layers as JSON values; `from_config` reads them.

    Examples
    --------
    >>> from deepmotif import layers
    >>> layers.to_config([layers.Dense(2)])
    [{'kind': 'dense', 'units': 2, 'bias': True}]
    """
    return [{"kind": layer.kind} | {name: _value(getattr(layer, name)) for name in _names(layer)} for layer in layers]


def _names(layer: Layer) -> list[str]:
    return [field.name for field in fields(layer)]


def _value(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return to_config(value) if all(isinstance(item, Layer) for item in value) else list(value)


def from_config(config: Any) -> list[Layer]:
    """The layers of `to_config`; whatever else it is given is an InvalidArgumentError."""
    if not isinstance(config, list) or not config:
        raise InvalidArgumentError(f"layers must be a list of at least one layer; got {type(config).__name__}")
    return _layers(config, "layer", 0)


def _layers(config: list[Any], place: str, depth: int) -> list[Layer]:
    if depth > DEEPEST:
        raise InvalidArgumentError(f"{place}: residual blocks are nested deeper than {DEEPEST}")
    result = []
    for index, entry in enumerate(config):
        arguments = dict(entry) if isinstance(entry, dict) else {}
        kind = arguments.pop("kind", None)
        where = f"{place} {index}"
        if not isinstance(kind, str) or kind not in _CLASSES:
            raise InvalidArgumentError(f"{where} is of no known kind: {kind!r}")
        if _CLASSES[kind] is Residual:
            for name in ("layers", "shortcut"):
                if isinstance(arguments.get(name), list):
                    arguments[name] = _layers(arguments[name], f"{where} ({kind}): {name}", depth + 1)
        try:
            result.append(_CLASSES[kind](**arguments))
        except TypeError as error:
            raise InvalidArgumentError(f"{where} ({kind}): {error}") from None
    return result
