"""Random networks over all layers and options, for comparisons with other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepmotif import layers as kinds
from deepmotif.models import Network

LENGTH = 24


def random_network(seed: int) -> Network:
    """A fitted network with random weights, of layers drawn by the seed, on 24 positions."""
    random = np.random.default_rng(seed)
    layers: list[Any] = []
    length, channels = LENGTH, 4
    for _ in range(int(random.integers(1, 6))):
        layer = _fitting(random, length, channels)
        layers.append(layer)
        length, channels = layer.output_shape(length, channels)
    layers.append(_closing(random))
    length, channels = layers[-1].output_shape(length, channels)
    if random.random() < 0.4:
        layers += [kinds.Dense(int(random.integers(2, 7)), bias=bool(random.integers(2))), _activation(random)]
    outputs = int(random.integers(1, 4))
    layers.append(kinds.Dense(outputs, bias=bool(random.integers(4))))
    output = ("linear", "sigmoid", "softmax")[int(random.integers(3))] if outputs > 1 else "linear"
    model = Network(layers, output, random_state=seed, n_threads=1).build(LENGTH, outputs)
    return model.set_weights({name: _values(random, name, array) for name, array in model.weights_.items()})


def _values(random: np.random.Generator, name: str, array: np.ndarray) -> np.ndarray:
    if name.endswith("running_var"):
        return random.uniform(0.5, 2, array.shape)
    fan_in = array[0].size if array.ndim > 1 else 1
    scale = 1 / np.sqrt(fan_in) if array.ndim > 1 else 0.3
    return random.normal(float(name.endswith("norm1d_0.weight")), scale, array.shape)


def _fitting(random: np.random.Generator, length: int, channels: int) -> Any:
    """A layer that leaves at least four positions."""
    while True:
        layer = _any(random, length, channels)
        if layer.output_shape(length, channels)[0] >= min(4, length):
            return layer


def _any(random: np.random.Generator, length: int, channels: int) -> Any:
    kind = int(random.integers(9))
    if kind in (0, 1):
        return _convolution(random)
    if kind == 2:
        return _pool(random)
    if kind == 3:
        return _recurrent(random, channels, True)
    if kind == 4:
        return kinds.Dense(int(random.integers(2, 7)), bias=bool(random.integers(2)))
    if kind == 5:
        return (kinds.BatchNorm1D(), kinds.LayerNorm(), kinds.Dropout(0.3))[int(random.integers(3))]
    if kind == 6:
        body = [kinds.Conv1D(channels, 3, padding="same"), _activation(random)]
        if random.random() < 0.5:
            return kinds.Residual(body)
        width = int(random.integers(2, 6))
        return kinds.Residual(
            [kinds.Conv1D(width, 5, padding="same"), _activation(random), kinds.Conv1D(width, 2, padding="causal")],
            shortcut=[kinds.Conv1D(width, 1, bias=False)],
        )
    return _activation(random)


def _convolution(random: np.random.Generator) -> Any:
    width = int(random.integers(1, 6))
    paddings: list[Any] = ["valid", "same", "causal", (int(random.integers(4)), int(random.integers(4)))]
    return kinds.Conv1D(
        int(random.integers(2, 7)), width, padding=paddings[int(random.integers(4))],
        dilation=int(random.integers(1, 3)), stride=int(random.integers(1, 3)), bias=bool(random.integers(2)),
    )  # fmt: skip


def _pool(random: np.random.Generator) -> Any:
    size = int(random.integers(2, 5))
    paddings: list[Any] = ["valid", "same", (int(random.integers(size)), int(random.integers(size)))]
    options: dict[str, Any] = {
        "stride": int(random.integers(1, 4)),
        "padding": paddings[int(random.integers(3))],
        "ceil": bool(random.integers(2)),
    }
    if random.random() < 0.5:
        return kinds.MaxPool1D(size, **options)
    return kinds.AveragePool1D(size, **options, count_padding=bool(random.integers(2)))


def _recurrent(random: np.random.Generator, channels: int, sequences: bool) -> Any:
    units, both = int(random.integers(2, 5)), bool(random.integers(2))
    if random.random() < 0.5:
        return kinds.GRU(units, both, sequences, reset_after=bool(random.integers(2)))
    split = both and channels % 2 == 0 and bool(random.integers(2))
    return kinds.LSTM(units, both, sequences, split_input=split)


def _activation(random: np.random.Generator) -> Any:
    choices = [
        kinds.ReLU(), kinds.LeakyReLU(0.1), kinds.ELU(0.7), kinds.GELU(), kinds.GELU(approximate=True),
        kinds.Exponential(), kinds.Sigmoid(), kinds.Tanh(), kinds.Softmax(),
    ]  # fmt: skip
    return choices[int(random.integers(len(choices)))]


def _closing(random: np.random.Generator) -> Any:
    """A layer that leaves no positions."""
    choices = [
        kinds.GlobalMaxPool1D(), kinds.GlobalAveragePool1D(), kinds.GlobalMaxAveragePool1D(),
        kinds.Flatten(), kinds.Flatten("channels"), _recurrent(random, 1, False),
    ]  # fmt: skip
    return choices[int(random.integers(len(choices)))]


def sample(seed: int, count: int = 6) -> np.ndarray:
    """Soft letters (count, 24, 4)."""
    return np.random.default_rng(seed).dirichlet(np.ones(4), (count, LENGTH)).astype(np.float32)
