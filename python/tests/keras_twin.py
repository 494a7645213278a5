"""Files as Keras 1 wrote them, and a slow NumPy twin of what their layers compute, Theano's way and TensorFlow's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def write_model(folder: Path, layers: list[tuple[str, dict[str, Any], dict[str, np.ndarray]]]) -> tuple[Path, Path]:
    """JSON and HDF5 of a Sequential: (class, configuration, arrays by the end of their name) for each layer."""
    config, names = [], []
    with h5py.File(folder / "weights.h5", "w") as file:
        for index, (kind, options, arrays) in enumerate(layers):
            name = f"{kind.lower()}_{index}"
            names.append(name.encode())
            config.append({"class_name": kind, "config": {"name": name, **options}})
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_{key}".encode() for key in arrays] or np.array([], dtype="S1")
            for key, array in arrays.items():
                group.create_dataset(f"{name}_{key}", data=array.astype(np.float32))
        file.attrs["layer_names"] = names
    text = json.dumps({"class_name": "Sequential", "config": config, "keras_version": "1.2.2"})
    (folder / "model.json").write_text(text)
    return folder / "model.json", folder / "weights.h5"


def conv_th(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, same: bool) -> np.ndarray:
    """Theano's convolution (N, C, rows, columns): the kernel is turned around on both axes."""
    kernel = kernel[:, :, ::-1, ::-1]
    rows, columns = kernel.shape[2:]
    if same:
        pads = [((size - 1) // 2, size // 2) for size in (rows, columns)]
        x = np.pad(x, ((0, 0), (0, 0), *pads))
    height, width = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    y = np.zeros((len(x), len(kernel), height, width))
    for i in range(height):
        for j in range(width):
            y[:, :, i, j] = np.einsum("ncrk,fcrk->nf", x[:, :, i : i + rows, j : j + columns], kernel) + bias
    return y


def max_pool_th(x: np.ndarray, width: int) -> np.ndarray:
    """Maxima of windows along the last axis, one behind the other."""
    count = x.shape[3] // width
    return x[..., : count * width].reshape(*x.shape[:3], count, width).max(-1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(x: np.ndarray, arrays: dict[str, np.ndarray], units: int, backwards: bool = False) -> np.ndarray:
    """All states (N, L, units) of Keras 1's LSTM, an array for each gate."""
    h = c = np.zeros((len(x), units))
    states = np.zeros((*x.shape[:2], units))
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        gate = {g: x[:, t] @ arrays[f"W_{g}"] + h @ arrays[f"U_{g}"] + arrays[f"b_{g}"] for g in "ifco"}
        c = sigmoid(gate["f"]) * c + sigmoid(gate["i"]) * np.tanh(gate["c"])
        h = sigmoid(gate["o"]) * np.tanh(c)
        states[:, t] = h
    return states


def gru(x: np.ndarray, arrays: dict[str, np.ndarray], units: int) -> np.ndarray:
    """Last state (N, units) of Keras 1's GRU: the reset gate acts before the product."""
    h = np.zeros((len(x), units))
    for t in range(x.shape[1]):
        z, r = (sigmoid(x[:, t] @ arrays[f"W_{g}"] + h @ arrays[f"U_{g}"] + arrays[f"b_{g}"]) for g in "zr")
        new = np.tanh(x[:, t] @ arrays["W_h"] + (r * h) @ arrays["U_h"] + arrays["b_h"])
        h = z * h + (1 - z) * new
    return h
