"""Slow twins in NumPy, double precision, written from the definitions: what the engine's results are held against."""

import numpy as np


def one_hot(codes):
    """Letters (N, L, 4) of codes; code 4 is all zeros."""
    return np.vstack([np.eye(4), np.zeros((1, 4))])[codes]


def conv1d(x, weight, bias, same):
    """x (N, L, C), weight (F, C, K): correlation at stride 1."""
    width = weight.shape[2]
    if same:
        x = np.pad(x, ((0, 0), ((width - 1) // 2, width // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)  # (N, W, C, K)
    return np.einsum("nwck,fck->nwf", windows, weight) + bias


def max_pool1d(x, size):
    """Windows `size` apart; a rest is cut."""
    count = x.shape[1] // size
    return x[:, : count * size].reshape(len(x), count, size, -1).max(axis=2)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, weight_ih, weight_hh, bias):
    """x (N, L, D) to all states (N, L, H); gates i f g o."""
    hidden = weight_hh.shape[1]
    h = c = np.zeros((len(x), hidden))
    states = []
    for position in range(x.shape[1]):
        gates = x[:, position] @ weight_ih.T + h @ weight_hh.T + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)


def scores(kind, weights, x, pool=2):
    """Scores (N, C) of letters (N, L, 4) through the CNN, RNN or CNNRNN with these weights."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    x = np.asarray(x, dtype=np.float64)
    n_convolutions = sum(name.startswith("conv1d") and name.endswith("bias") for name in weights)
    for index in range(n_convolutions):
        x = conv1d(x, weights[f"conv1d_{index}.weight"], weights[f"conv1d_{index}.bias"], same=kind == "CNNRNN")
        x = np.maximum(x, 0)
        if index + 1 < n_convolutions:
            x = max_pool1d(x, pool)
    layer = 0
    while f"lstm_{layer}.bias" in weights:
        x = _recurrent_layer(x, weights, layer)
        layer += 1
    x = x.max(axis=1) if kind == "CNN" else x.mean(axis=1)
    return x @ weights["dense_0.weight"].T + weights["dense_0.bias"]


def _recurrent_layer(x, weights, layer):
    outputs = []
    directions = ("", "_reverse") if f"lstm_{layer}.bias_reverse" in weights else ("",)
    for index, suffix in enumerate(directions):
        own = np.split(x, len(directions), axis=2)[index] if layer else x
        arrays = [weights[f"lstm_{layer}.{name}{suffix}"] for name in ("weight_ih", "weight_hh", "bias")]
        outputs.append(lstm(own[:, ::-1], *arrays)[:, ::-1] if suffix else lstm(own, *arrays))
    return np.concatenate(outputs, axis=2)


def roc_auc(values, labels):
    """By its meaning: the share of pairs (positive, negative) in the right order, half for ties."""
    positive, negative = values[labels == 1], values[labels == 0]
    return ((positive[:, None] > negative).sum() + 0.5 * (positive[:, None] == negative).sum()) / (
        len(positive) * len(negative)
    )
