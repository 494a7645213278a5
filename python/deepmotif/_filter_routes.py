"""The three ways from a filter to a matrix: its windows, its weights, its favourite input. Motifs room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._blocks import run_in_blocks
from ._class_optimization import _letters, _logits
from ._input_windows import letters_at
from ._receptive import Field, channel_network
from ._views import progress_bar
from .exceptions import InvalidArgumentError

Matrix = NDArray[np.float64]

# Windows looked up at once: what they take stays below some ten megabytes.
_WINDOWS = 1 << 14


@dataclass(frozen=True)
class Sites:
    """Where channels are active: sequences whose maximum exceeds a share of the channel's largest one.

    `rows`, `positions` and `values` are sorted by channel, then by sequence; those of channel k are
    ``bounds[k] : bounds[k + 1]``. `maxima` (K,) over all sequences, `length` positions of the layer's output.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.int32]
    values: NDArray[np.float32]
    bounds: NDArray[np.int64]
    maxima: NDArray[np.float32]
    length: int

    def of(self, channel: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Sequences and positions of one channel."""
        part = slice(self.bounds[channel], self.bounds[channel + 1])
        return self.rows[part], self.positions[part]

    def strongest(self, channel: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The sites of the largest activations, the first of equal ones."""
        part = slice(self.bounds[channel], self.bounds[channel + 1])
        order = np.argsort(-self.values[part], kind="stable")[:count]
        return self.rows[part][order], self.positions[part][order]


def find_sites(m: Any, X: NDArray[Any], index: int, threshold: float, progress: bool | None) -> Sites:
    """The sites of every channel of layer `index`, block by block."""
    engine, threads = m._engine, m._threads()
    length, channels = engine.layer_shape(index, X.shape[1])
    maxima = np.full(channels, -np.inf, dtype=np.float32)
    parts: list[tuple[NDArray[Any], ...]] = []

    def call(start: int, stop: int) -> None:
        positions, values = engine.channel_peaks(X[start:stop], index, threads)
        np.maximum(maxima, values.max(axis=0), out=maxima)
        # The maxima only grow: what is too low for them now will not be a site.
        rows, which = np.nonzero(values > np.maximum(maxima * threshold, 0))
        parts.append((rows + start, which, positions[rows, which], values[rows, which]))

    with progress_bar(progress, len(X), "filters") as advance:
        run_in_blocks(len(X), X.shape[1], call, advance)
    rows, which, positions, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = values > np.maximum(maxima * threshold, 0)[which]
    order = np.flatnonzero(kept)[np.argsort(which[kept], kind="stable")]
    bounds = np.searchsorted(which[order], np.arange(channels + 1))
    return Sites(rows[order], positions[order], values[order], bounds, maxima, length)


def count_letters(X: NDArray[Any], field: Field, sites: Sites) -> NDArray[np.float64]:
    """Letters (K, width, 4) in the windows of every channel; unknown ones and those beyond the ends are not counted."""
    channels = len(sites.maxima)
    counts = np.zeros((channels, field.size, 4))
    for k in range(channels):
        rows, positions = sites.of(k)
        for first in range(0, len(rows), _WINDOWS):
            part = slice(first, first + _WINDOWS)
            windows = letters_at(X, rows[part], field.starts(positions[part]), field.size)
            counts[k] += windows.sum(axis=0, dtype=np.float64)
    return counts


def kernel_matrices(m: Any, index: int) -> tuple[Matrix, NDArray[np.bool_]]:
    """Kernels as probabilities (K, width, 4), and which filters no sequence can activate.

    Raises
    ------
    InvalidArgumentError
        If the layer is no convolution, or does not read the sequence itself.
    """
    layer, name = m._layers[index], m._engine.layer_names[index]
    if layer.kind != "conv1d" or any(entry.kind != "dropout" for entry in m._layers[:index]):
        raise InvalidArgumentError(
            f"layer must be a convolution of the sequence itself for route='kernel'; got {name!r}: its weights do not "
            "stand for letters"
        )
    weights = m.weights_
    kernel = weights[f"{name}.weight"].transpose(0, 2, 1).astype(np.float64)
    bias = weights.get(f"{name}.bias", np.zeros(len(kernel), dtype=np.float32))
    positive = np.maximum(kernel, 0)
    totals = positive.sum(axis=2, keepdims=True)
    shares = np.divide(positive, totals, out=np.full_like(positive, 0.25), where=totals > 0)
    reach = (layer.kernel_size - 1) * layer.dilation + 1
    matrices = np.full((len(kernel), reach, 4), 0.25)
    matrices[:, :: layer.dilation] = shares
    return matrices, kernel.max(axis=2).clip(min=0).sum(axis=1) + bias <= 0


def optimized_matrices(
    m: Any, index: int, X: NDArray[Any] | None, field: Field, sites: Sites | None, restarts: int, steps: int,
    seed: int, progress: bool | None,
) -> tuple[Matrix, NDArray[np.bool_]]:  # fmt: skip
    """Favourite inputs (K, width, 4), and which channels no ascent could activate."""
    channels = m._engine.layer_shape(index, m.length_ if X is None else X.shape[1])[1]
    matrices, dead = np.full((channels, field.size, 4), 0.25), np.zeros(channels, dtype=bool)
    with progress_bar(progress, channels, "optimised filters", "filter") as advance:
        for k in range(channels):
            if X is not None and sites is not None and sites.maxima[k] > 0:
                rows, positions = sites.strongest(k, restarts)
                starts = letters_at(X, rows, field.starts(positions), field.size).astype(np.float32)
            elif sites is None:
                drawn = _native.random_uniform(seed, restarts * channels, field.size * 4)[k::channels]
                starts = np.eye(4, dtype=np.float32)[drawn.reshape(restarts, field.size, 4).argmax(axis=2)]
            else:
                dead[k] = True
                advance(1)
                continue
            matrices[k], dead[k] = optimized_channel(m, index, k, starts, steps)
            advance(1)
    return matrices, dead


def optimized_channel(m: Any, index: int, channel: int, starts: NDArray[np.float32], steps: int) -> tuple[Matrix, bool]:
    """Favourite input (width, 4) of one channel, the mean of the ascents from `starts` (R, width, 4) that activate it.

    True beside it where none does.
    """
    model, target, _ = channel_network(m, index, channel)
    threads = m._threads()
    linear, score = _native.OUTPUT_LINEAR, _native.TARGET_SCORE
    gradient = model.input_gradient(starts, target, score, linear, 0, threads)
    # On the simplex, X = projection(gradient / (2 l2)): with this l2 the widest difference of two letters just decides.
    steepest = float((gradient.max(axis=2) - gradient.min(axis=2)).max(axis=1).mean())
    options: dict[str, Any] = {
        "target": target, "quantity": score, "output": linear, "softmax": True, "l2": steepest / 2,
        "learning_rate": 0.05, "alpha": 0.99, "epsilon": 1e-8, "threads": threads,
    }  # fmt: skip
    variables = _logits(starts, None)
    squares = np.zeros_like(variables)

    def call(first: int, last: int) -> None:
        model.class_optimization(variables, squares, last - first, fixed=None, **options)

    run_in_blocks(steps, variables.shape[0] * variables.shape[1], call)
    inputs = _letters(variables)
    scores = model.scores(inputs, threads)[:, target]
    if not (scores > 0).any():
        return inputs.mean(axis=0, dtype=np.float64), True
    return inputs[scores > 0].mean(axis=0, dtype=np.float64), False
