"""How good a classifier's predictions are. Models room."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _native

if TYPE_CHECKING:
    from ._estimator import SequenceClassifier

__all__ = ["evaluate"]

Labels = NDArray[np.int32]
Float = NDArray[np.float32]


def evaluate(model: SequenceClassifier, X: Any, y: Any) -> dict[str, float]:
    """Measures of a fitted model on labelled sequences.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : sequence argument
        N sequences.
    y : array-like (N,)
        Their labels; every class of the model must occur.

    Returns
    -------
    dict
        ``roc_auc`` (ties averaged, Mann-Whitney), ``pr_auc`` (average precision), ``accuracy``, ``log_loss`` (nats) and
        ``mcc`` (Matthews' correlation coefficient; Gorodkin's R_K for more than two classes). For more than two classes
        the two areas are means over the classes, each against the rest.

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
    scores, labels = model._scores_and_labels(X, y)
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
