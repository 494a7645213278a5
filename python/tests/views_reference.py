"""The three networks in float64 NumPy, from their weights alone: slow, plain twins that the views are tested against.

`letters` are (N, L, 4); `weights` is the dict of a model's `weights_`; scores are (N, C).
"""

import numpy as np

import deepmotif as dm


def conv1d(x, weight, bias, padding=0):
    """Cross-correlation of (N, L, in) with (out, in, width)."""
    width = weight.shape[2]
    x = np.pad(x, ((0, 0), (padding, padding), (0, 0)))
    windows = np.stack([x[:, k : x.shape[1] - width + 1 + k] for k in range(width)], axis=-1)  # (N, L', in, width)
    return np.einsum("nlck,fck->nlf", windows, weight) + bias


def max_pool(x, size=2):
    kept = x.shape[1] // size * size
    return x[:, :kept].reshape(x.shape[0], -1, size, x.shape[2]).max(axis=2)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(x, weight_ih, weight_hh, bias):
    """Hidden states (N, L, H) from the zero state; gates i f g o."""
    units = weight_hh.shape[1]
    hidden = cell = np.zeros((len(x), units))
    states = []
    for position in range(x.shape[1]):
        gates = x[:, position] @ weight_ih.T + hidden @ weight_hh.T + bias
        i, f, g, o = (gates[:, k * units : (k + 1) * units] for k in range(4))
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.stack(states, axis=1)


def double(weights):
    return {name: np.asarray(value, dtype=np.float64) for name, value in weights.items()}


def cnn_scores(weights, letters):
    weights = double(weights)
    x = np.asarray(letters, dtype=np.float64)
    layers = sum(name.startswith("conv1d_") and name.endswith(".weight") for name in weights)
    for layer in range(layers):
        x = np.maximum(conv1d(x, weights[f"conv1d_{layer}.weight"], weights[f"conv1d_{layer}.bias"]), 0)
        x = max_pool(x) if layer < layers - 1 else x.max(axis=1)
    return x @ weights["dense_0.weight"].T + weights["dense_0.bias"]


def recurrent_scores(weights, features):
    """The stacks of LSTMs, one a direction, their means over the positions and the dense layer."""
    weights = double(weights)
    layers = sum(name.endswith(".weight_ih") for name in weights)
    means = []
    for suffix, step in (("", 1), ("_reverse", -1)):
        x = np.asarray(features, dtype=np.float64)[:, ::step]
        for layer in range(layers):
            x = lstm(x, *(weights[f"lstm_{layer}.{name}{suffix}"] for name in ("weight_ih", "weight_hh", "bias")))
        means.append(x.mean(axis=1))
    return np.concatenate(means, axis=1) @ weights["dense_0.weight"].T + weights["dense_0.bias"]


def cnn_rnn_features(weights, letters):
    weights = double(weights)
    padding = weights["conv1d_0.weight"].shape[2] // 2
    convolved = conv1d(np.asarray(letters, float), weights["conv1d_0.weight"], weights["conv1d_0.bias"], padding)
    return np.maximum(convolved, 0)


def cnn_rnn_scores(weights, letters):
    return recurrent_scores(weights, cnn_rnn_features(weights, letters))


def log_softmax(scores):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(scores):
    return np.exp(log_softmax(scores))


def central_gradient(function, letters, step=1e-6):
    """Gradient (N, L, 4) of a function from letters to (N,), one element after the other."""
    letters = np.asarray(letters, dtype=np.float64)
    gradient = np.empty_like(letters)
    for index in np.ndindex(letters.shape[1:]):
        moved = letters.copy()
        moved[(slice(None), *index)] += step
        above = function(moved)
        moved[(slice(None), *index)] -= 2 * step
        gradient[(slice(None), *index)] = (above - function(moved)) / (2 * step)
    return gradient


def rmsprop_ascent(value, letters, steps, l2, learning_rate, alpha, epsilon):
    """PyTorch's RMSProp on l2 ||X||^2 - value(X): last X (R, L, 4) and the objective (R, steps) before each step."""
    x = np.asarray(letters, dtype=np.float64).copy()
    square = np.zeros_like(x)
    objective = []
    for _ in range(steps):
        objective.append(value(x) - l2 * (x**2).sum(axis=(1, 2)))
        slope = 2 * l2 * x - central_gradient(value, x)
        square = alpha * square + (1 - alpha) * slope**2
        x = x - learning_rate * slope / (np.sqrt(square) + epsilon)
    return x, np.stack(objective, axis=1)


SCORES = {"cnn": cnn_scores, "rnn": recurrent_scores, "cnn-rnn": cnn_rnn_scores}


def make_model(kind, length, classes=(0, 1)):
    """An untrained model with weights large enough to leave the linear range."""
    model = {
        "cnn": lambda: dm.CNN(filters=8, kernel_sizes=(5, 3), random_state=1),
        "rnn": lambda: dm.RNN(hidden=6, random_state=1),
        "deep rnn": lambda: dm.RNN(hidden=5, layers=2, random_state=1),
        "cnn-rnn": lambda: dm.CNNRNN(filters=8, kernel_size=5, hidden=6, random_state=1),
    }[kind]().build(length, list(classes))
    rng = np.random.default_rng(4)
    model.set_weights({name: rng.uniform(-0.7, 0.7, w.shape).astype(np.float32) for name, w in model.weights_.items()})
    return model


def scores_of(kind):
    return SCORES.get(kind, recurrent_scores)
