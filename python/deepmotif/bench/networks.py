"""The networks that are timed, and the data they read. Benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Dropout, Flatten, GlobalMaxPool1D, Layer, MaxPool1D, ReLU

BATCH = 256


@dataclass(frozen=True)
class Case:
    """A network with the size of its sequences."""

    name: str
    title: str
    length: int
    tasks: int
    """Sigmoid outputs; 0: two classes and a softmax."""
    batch: int = BATCH

    def model(self, threads: int) -> Any:
        """An estimator of this network after one short epoch: activations of random weights are no measure."""
        settings: dict[str, Any] = {"random_state": 0, "n_threads": threads, "batch_size": self.batch}
        if self.tasks:
            # The three networks keep their own default; in others it is too high.
            settings["learning_rate"] = 0.001
            model = dm.Network(_LAYERS[self.name], output="sigmoid", **settings)
        else:
            model = _ESTIMATORS[self.name](**settings)
        X, y = self.data(16 * self.batch)
        return model.partial_fit(X, y)

    def data(self, n: int) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        """Codes (n, L), a motif in half of them, and labels."""
        X, y = dm.simulate(n, length=self.length, motifs="TGACTCAGCA", random_state=1)
        order = np.random.default_rng(0).permutation(n)
        X, y = X[order], y[order]
        if not self.tasks:
            return X, y
        return X, np.repeat(y[:, None], self.tasks, axis=1).astype(np.uint8)

    @property
    def target(self) -> int:
        return 0 if self.tasks else 1


_ESTIMATORS: dict[str, Any] = {"cnn": dm.CNN, "rnn": dm.RNN, "cnn-rnn": dm.CNNRNN}

_LAYERS: dict[str, list[Layer]] = {
    "deepresolve-16x25": [
        Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(32), ReLU(), Dropout(0.5), Dense(1),
    ],
    "deepresolve-32x8": [
        Conv1D(32, 8), ReLU(), MaxPool1D(4), Flatten(), Dense(64), ReLU(), Dropout(0.5), Dense(1),
    ],
    "deepsea": [
        Conv1D(320, 8), ReLU(), MaxPool1D(4), Dropout(0.2), Conv1D(480, 8), ReLU(), MaxPool1D(4), Dropout(0.2),
        Conv1D(960, 8), ReLU(), Dropout(0.5), Flatten(), Dense(925), ReLU(), Dense(919),
    ],
}  # fmt: skip

CASES = {
    case.name: case
    for case in (
        Case("cnn", "CNN", 101, 0),
        Case("rnn", "RNN", 101, 0),
        Case("cnn-rnn", "CNN-RNN", 101, 0),
        Case("deepresolve-16x25", "DeepResolve 16 x 25", 101, 1),
        Case("deepresolve-32x8", "DeepResolve 32 x 8, pool 4", 101, 1),
        Case("deepsea", "DeepSEA-size", 1000, 919, batch=64),
    )
}
