"""The views of a model that reads both strands: each quantity is that of the combined scores. Views room; private.

The engine's networks read one strand. A score of both is s = (s(x) + s(x'))/2 or max(s(x), s(x')), x' the reverse
complement; its gradient is that of each strand times the share that the strand has in s, turned back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._fitted import FittedModel
from ._strands import COMBINED, combine, other_strand
from .sequences import one_hot

Float = NDArray[np.float32]


def reads_both_strands(model: FittedModel) -> bool:
    """Whether the views of this module are meant."""
    return model._strands in COMBINED


def values_and_gradients(
    model: FittedModel, block: NDArray[Any], target: int, quantity: int, threads: int
) -> tuple[Float, Float]:
    """The score or log-probability (n,) of the two strands together, and its gradient (n, L, 4)."""
    engine, sides = model._engine, (block, other_strand(block))
    scores = [engine.scores(side, threads) for side in sides]
    combined = combine(model._strands, *scores)
    values, slopes = _quantity(combined, target, quantity, model._output)
    if model._strands == "average":
        shares = [np.full_like(combined, 0.5)] * 2
    else:
        first = (scores[0] >= scores[1]).astype(np.float32)
        shares = [first, 1 - first]
    total = np.zeros((*block.shape[:2], 4), dtype=np.float32)
    for side, share in zip(sides, shares, strict=True):
        part = np.zeros_like(total)
        for column in np.flatnonzero(slopes.any(axis=0)):
            gradient = engine.input_gradient(side, int(column), _native.TARGET_SCORE, model._output, 0, threads)
            part += (slopes[:, column] * share[:, column])[:, None, None] * gradient
        total += part if side is block else part[:, ::-1, ::-1]
    return values, total


def _quantity(scores: Float, target: int, quantity: int, output: int) -> tuple[Float, Float]:
    """A quantity (n,) of scores (n, C) and its gradient (n, C) with respect to them."""
    slopes = np.zeros_like(scores)
    slopes[:, target] = 1
    if quantity == _native.TARGET_SCORE:
        return scores[:, target], slopes
    if output == _native.OUTPUT_SIGMOID:
        slopes[:, target] = _native.output_apply(output, -scores)[:, target]
        return -np.logaddexp(0, -scores[:, target].astype(np.float64)).astype(np.float32), slopes
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs[:, target].astype(np.float32), slopes - np.exp(logs).astype(np.float32)


def gradients(
    model: FittedModel, block: NDArray[Any], target: int, quantity: int, centered: bool, threads: int
) -> Float:
    """`input_gradients` of a block."""
    gradient = values_and_gradients(model, block, target, quantity, threads)[1]
    return gradient - gradient.mean(axis=2, keepdims=True) if centered else gradient


def saliencies(model: FittedModel, block: NDArray[Any], target: int, quantity: int, flags: int, threads: int) -> Float:
    """`saliency` of a block."""
    gradient = gradients(model, block, target, quantity, bool(flags & _native.SALIENCY_CENTERED), threads)
    values = (gradient * one_hot(block)).sum(axis=2)
    return values if flags & _native.SALIENCY_SIGNED else np.abs(values)


def cut_scores(model: FittedModel, block: NDArray[Any], target: int, direction: int, threads: int) -> Float:
    """`temporal_scores` (n, L) of a block: what one strand says of a prefix, the other one says of its own suffix."""
    engine, other = model._engine, other_strand(block)
    opposite = _native.DIRECTION_FORWARD + _native.DIRECTION_BACKWARD - direction
    # Only the classes of a softmax need each other.
    columns = range(len(model.classes_)) if model._output == _native.OUTPUT_SOFTMAX else [target]
    scores = []
    for column in columns:
        one = engine.temporal_scores(block, column, _native.OUTPUT_LINEAR, direction, threads)
        two = engine.temporal_scores(other, column, _native.OUTPUT_LINEAR, opposite, threads)[:, ::-1]
        scores.append(combine(model._strands, one, two))
    values = _native.output_apply(model._output, np.stack(scores, axis=-1).reshape(-1, len(scores)))
    return values[:, target if len(scores) > 1 else 0].reshape(scores[0].shape)


def optimize(
    model: FittedModel, variables: Float, squares: Float, steps: int, *, target: int, quantity: int, output: int,
    softmax: bool, l2: float, learning_rate: float, alpha: float, epsilon: float, fixed: Any, threads: int,
) -> Float:  # fmt: skip
    """`_native.Model.class_optimization` with both strands: the same steps of RMSProp, one call a step."""
    objective = np.empty((len(variables), steps), dtype=np.float32)
    for step in range(steps):
        X = variables
        if softmax:
            X = _native.output_apply(_native.OUTPUT_SOFTMAX, variables.reshape(-1, 4)).reshape(variables.shape)
        values, slope = values_and_gradients(model, X, target, quantity, threads)
        objective[:, step] = values - l2 * (X * X).sum(axis=(1, 2))
        slope = slope - np.float32(2 * l2) * X
        if softmax:
            slope = X * (slope - (slope * X).sum(axis=2, keepdims=True))
        if fixed is not None:
            slope[:, fixed.astype(bool)] = 0
        squares *= np.float32(alpha)
        squares += np.float32(1 - alpha) * slope * slope
        variables += np.float32(learning_rate) * slope / (np.sqrt(squares) + np.float32(epsilon))
    return objective
