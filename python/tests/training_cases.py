"""Small networks and data for the tests of training."""

import numpy as np

import deepmotif as dm

SMALL = {
    "CNN": lambda **parameters: dm.CNN(filters=8, kernel_sizes=(6, 3), **parameters),
    "RNN": lambda **parameters: dm.RNN(hidden=6, **parameters),
    "CNNRNN": lambda **parameters: dm.CNNRNN(filters=8, kernel_size=7, hidden=4, **parameters),
}


def planted(count=300, length=30, seed=0):
    """Codes and labels; every second sequence holds the word ACGTTGCA at a place of its own."""
    random = np.random.default_rng(seed)
    X = random.integers(0, 4, (count, length)).astype(np.uint8)
    y = np.arange(count) % 2
    for row in np.flatnonzero(y):
        start = random.integers(0, length - 8)
        X[row, start : start + 8] = [0, 1, 2, 3, 3, 2, 1, 0]
    return X, y


def weights_bytes(model):
    return b"".join(array.tobytes() for array in model.weights_.values())


def planted_tasks(count=300, length=30, seed=0):
    """Codes and uint8 labels (N, 3): one word, another word, nothing to be learned; some labels are missing."""
    random = np.random.default_rng(seed)
    X = random.integers(0, 4, (count, length)).astype(np.uint8)
    y = random.integers(0, 2, (count, 3)).astype(np.uint8)
    for task, word in enumerate(([0, 1, 2, 3, 3, 2], [3, 3, 0, 0, 2, 2])):
        for row in np.flatnonzero(y[:, task]):
            start = task * (length // 2) + random.integers(0, length // 2 - 6)
            X[row, start : start + 6] = word
    y[random.random((count, 3)) < 0.1] = 255
    return X, y
