"""How good a model's predictions are. Models room."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._targets import missing_at
from ._validation import check_flag
from .exceptions import InvalidArgumentError

if TYPE_CHECKING:
    from ._estimator import SequenceModel

__all__ = ["evaluate"]

Labels = NDArray[np.int32]
Float = NDArray[np.float32]
Double = NDArray[np.float64]


def evaluate(model: SequenceModel, X: Any, y: Any, *, per_task: bool = False) -> dict[str, Any]:
    """Measures of a fitted model on labelled sequences.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : sequence argument
        N sequences.
    y : array-like (N,) or (N, C)
        Their labels, as for `fit`. Every class of a softmax must occur, and both labels in one task at least.
    per_task : bool
        Arrays (C,), an entry for each of ``classes_``, instead of their means; for ``output="sigmoid"`` and "linear".

    Returns
    -------
    dict
        ``roc_auc`` (ties averaged, Mann-Whitney), ``pr_auc`` (average precision), ``accuracy``, ``log_loss`` (nats) and
        ``mcc`` (Matthews' correlation coefficient; Gorodkin's R_K for more than two classes). For more than two classes
        the two areas are means over the classes, each against the rest; for several tasks all are means over the tasks.
        Missing labels do not count; what is not defined for a task (no positive label, say) is NaN and not in the mean.
        For ``output="linear"``: ``pearson``, ``spearman`` (ranks, ties averaged), ``r2`` (coefficient of determination)
        and ``mse`` of the predicted values.

    Raises
    ------
    NotFittedError
        If the model has not been fitted.
    InvalidArgumentError
        If a label is not one of the model's classes, or a class does not occur.

    Examples
    --------
    >>> import numpy as np, deepmotif as dm
    >>> X = np.repeat(np.array([[0], [3]], dtype=np.uint8), 40, axis=0).repeat(8, axis=1)  # AAAAAAAA and TTTTTTTT
    >>> y = np.repeat([0, 1], 40)
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), epochs=5, random_state=0).fit(X, y)
    >>> sorted(dm.evaluate(model, X, y))
    ['accuracy', 'log_loss', 'mcc', 'pr_auc', 'roc_auc']
    """
    per_task = check_flag(per_task, "per_task")
    scores, targets, output = model._scores_and_targets(X, y)
    measures = output.measures(scores, targets)
    if per_task and not all(isinstance(values, np.ndarray) for values in measures.values()):
        raise InvalidArgumentError("per_task=True needs output='sigmoid' or 'linear': classes exclude each other")
    return measures if per_task else {name: mean_defined(values) for name, values in measures.items()}


def mean_defined(values: Any) -> float:
    """Mean over the values that are not NaN; NaN where none is left. A number is its own mean."""
    if isinstance(values, float):
        return values
    defined = [float(value) for value in values if value == value]
    return math.fsum(defined) / len(defined) if defined else math.nan


# ---- exclusive classes ----


def measures_of_classes(scores: Float, labels: Labels) -> dict[str, Any]:
    """The measures of `evaluate` on scores (N, C) before the softmax."""
    probabilities = _native.output_apply(_native.OUTPUT_SOFTMAX, scores)
    predicted = scores.argmax(axis=1).astype(np.int32)
    return {
        "roc_auc": mean_over_classes(_native.roc_auc, scores, labels),
        "pr_auc": mean_over_classes(_native.average_precision, scores, labels),
        "accuracy": float(np.mean(predicted == labels)),
        "log_loss": _native.log_loss(probabilities, labels),
        "mcc": _native.matthews(predicted, labels, scores.shape[1]),
    }


def mean_over_classes(measure: Any, scores: Float, labels: Labels) -> float:
    """A measure of two classes (`_native.roc_auc`, `_native.average_precision`) on scores (N, C) before the softmax.

    Two classes: of the positive one, by the difference of the scores, which unlike the probabilities does not saturate.
    More: the mean over classes, each class's probability against the rest. Classes that do not occur, or that nothing
    but them occurs, are left out; NaN where none is left.
    """
    classes = scores.shape[1]
    if classes == 2:
        columns = {1: np.ascontiguousarray(scores[:, 1] - scores[:, 0])}
    else:
        probabilities = _native.output_apply(_native.OUTPUT_SOFTMAX, scores)
        columns = {index: np.ascontiguousarray(probabilities[:, index]) for index in range(classes)}
    values = []
    for index, column in columns.items():
        positive = (labels == index).astype(np.int32)
        if 0 < positive.sum() < len(positive):
            values.append(measure(column, positive))
    return math.fsum(values) / len(values) if values else math.nan


# ---- tasks ----


def task_measure(measure: Any, scores: Float, targets: NDArray[np.uint8]) -> Double:
    """A measure of one task's scores and labels (`_native.roc_auc`, say), for each task (C,).

    Unknown labels are left out; NaN where both labels do not occur.
    """
    values = np.full(scores.shape[1], math.nan)
    for task in range(scores.shape[1]):
        known = ~missing_at(targets[:, task])
        labels = targets[known, task].astype(np.int32)
        if 0 < labels.sum() < len(labels):
            values[task] = measure(np.ascontiguousarray(scores[known, task]), labels)
    return values


def measures_of_tasks(scores: Float, targets: NDArray[np.uint8]) -> dict[str, Double]:
    """The measures of `evaluate` for each task, on scores (N, C) before the sigmoid."""

    def accuracy(column: Float, labels: Labels) -> float:
        return float(np.mean((column > 0) == labels))

    def log_loss(column: Float, labels: Labels) -> float:
        # The softmax of (0, s) is (1 - p, p), neither of which saturates.
        pairs = np.stack([np.zeros_like(column), column], axis=1)
        return _native.log_loss(_native.output_apply(_native.OUTPUT_SOFTMAX, pairs), labels)

    def mcc(column: Float, labels: Labels) -> float:
        return _native.matthews((column > 0).astype(np.int32), labels, 2)

    measures = {
        "roc_auc": _native.roc_auc,
        "pr_auc": _native.average_precision,
        "accuracy": accuracy,
        "log_loss": log_loss,
        "mcc": mcc,
    }
    return {name: task_measure(measure, scores, targets) for name, measure in measures.items()}


# ---- values ----


def measures_of_values(predicted: Float, targets: Float) -> dict[str, Double]:
    """The measures of `evaluate` for each column of values (N, C)."""

    def r2(p: Double, t: Double) -> float:
        spread = float(((t - t.mean()) ** 2).sum())
        return 1 - float(((t - p) ** 2).sum()) / spread if spread > 0 else math.nan

    return {
        "pearson": correlations(predicted, targets),
        "spearman": _of_columns(lambda p, t: _pearson(_ranks(p), _ranks(t)), predicted, targets),
        "r2": _of_columns(r2, predicted, targets),
        "mse": _of_columns(lambda p, t: float(((p - t) ** 2).mean()), predicted, targets),
    }


def correlations(predicted: Float, targets: Float) -> Double:
    """Pearson's r of each column (C,); NaN where one of the two is constant."""
    return _of_columns(_pearson, predicted, targets)


def _of_columns(measure: Any, predicted: Float, targets: Float) -> Double:
    values = np.full(predicted.shape[1], math.nan)
    for column in range(predicted.shape[1]):
        known = ~missing_at(targets[:, column])
        if known.any():
            p, t = predicted[known, column].astype(np.float64), targets[known, column].astype(np.float64)
            with np.errstate(invalid="ignore", over="ignore"):
                values[column] = measure(p, t)
    return values


def _pearson(a: Double, b: Double) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float((a * a).sum())) * math.sqrt(float((b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else math.nan


def _ranks(values: Double) -> Double:
    """Ranks from 1, those of equal values averaged."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group]
