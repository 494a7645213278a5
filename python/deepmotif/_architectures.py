"""Published networks as layers, by name: what `Network.preset` makes. Models room; private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .layers import (
    LSTM,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
)


class Architecture(NamedTuple):
    """Layers up to so many scores, how many there are as published, and the hyper-parameters that go with them."""

    layers: Callable[[int], list[Layer]]
    outputs: int
    parameters: dict[str, Any]


def _deepbind(outputs: int) -> list[Layer]:
    # Zeros around the sequence let a detector hang over both ends, as the original's padding does.
    return [
        *(Conv1D(16, 24, padding=(23, 23)), ReLU(), GlobalMaxPool1D()),
        *(Dense(32), ReLU(), Dropout(0.5), Dense(outputs)),
    ]


def _deepsea(outputs: int) -> list[Layer]:
    return [
        *(Conv1D(320, 8), ReLU(), MaxPool1D(4), Dropout(0.2)),
        *(Conv1D(480, 8), ReLU(), MaxPool1D(4), Dropout(0.2)),
        *(Conv1D(960, 8), ReLU(), Dropout(0.5), Flatten()),
        *(Dense(925), ReLU(), Dense(outputs)),
    ]


def _danq(outputs: int) -> list[Layer]:
    return [
        *(Conv1D(320, 26), ReLU(), MaxPool1D(13), Dropout(0.2)),
        *(LSTM(320, bidirectional=True), Dropout(0.5), Flatten()),
        *(Dense(925), ReLU(), Dense(outputs)),
    ]


def _deepresolve_tf(outputs: int) -> list[Layer]:
    return [
        *(Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D()),
        *(Dense(32), ReLU(), Dropout(0.5), Dense(outputs)),
    ]


def _deepresolve_synthetic(outputs: int) -> list[Layer]:
    return [Conv1D(32, 8), ReLU(), MaxPool1D(4), Flatten(), Dense(64), ReLU(), Dense(outputs)]


def _forum(outputs: int) -> list[Layer]:
    return [Conv1D(128, 24, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(outputs)]


_TASKS: dict[str, Any] = {"output": "sigmoid", "learning_rate": 0.001}

ARCHITECTURES: dict[str, Architecture] = {
    "deepbind": Architecture(_deepbind, 1, _TASKS | {"reverse_complement": "maximum"}),
    "deepsea": Architecture(_deepsea, 919, _TASKS | {"l2": 5e-7, "max_norm": 0.9}),
    "danq": Architecture(_danq, 919, _TASKS | {"optimizer": "rmsprop", "batch_size": 100}),
    "deepresolve-tf": Architecture(_deepresolve_tf, 1, _TASKS),
    "deepresolve-synthetic": Architecture(_deepresolve_synthetic, 4, _TASKS),
    "forum": Architecture(_forum, 2, {"output": "softmax", "learning_rate": 0.001}),
}
