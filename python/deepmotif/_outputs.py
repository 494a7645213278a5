"""What the scores of a network stand for: exclusive classes, tasks or values. Models room; private.

N sequences, C classes, tasks or values. An `Output` reads the labels, and turns scores into predictions and measures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._class_weights import class_weights, positive_weights
from ._rows import LabelledRows
from ._stored import opened
from ._targets import missing_at, read_tasks, read_values
from ._validation import check_whole, encode_labels, format_classes, read_labels
from .exceptions import InvalidArgumentError, ShapeError
from .metrics import (
    correlations,
    mean_defined,
    mean_over_classes,
    measures_of_classes,
    measures_of_tasks,
    measures_of_values,
    task_measure,
)

Float = NDArray[np.float32]
Labels = NDArray[Any]


@dataclass(frozen=True)
class Output:
    """Base of the three kinds."""

    #: What is minimised where a kind knows several losses.
    loss: str = ""

    name: ClassVar[str]
    constant: ClassVar[int]
    #: What the columns of the scores are called.
    columns: ClassVar[str]
    #: Whether `predict_proba` makes sense.
    has_probabilities: ClassVar[bool] = True

    def read(self, y: Any, n_rows: int, name: str) -> Labels:
        """Labels of `n_rows` sequences as an array; whatever they cannot be is an error."""
        raise NotImplementedError

    def learn(self, labels: Labels, names: Any) -> Labels:
        """What the columns of the scores are: ``classes_``."""
        raise NotImplementedError

    def named(self, classes: int | Iterable[Any]) -> Labels:
        """``classes_`` of a model without data: a number of them, or labels."""
        raise NotImplementedError

    def encode(self, labels: Labels, classes: Labels, name: str = "y") -> Labels:
        """Labels as the engine's targets."""
        raise NotImplementedError

    def check_measurable(self, targets: Labels, classes: Labels) -> None:
        """Refuses targets that `score` cannot be told on."""

    def weights(self, class_weight: Any, classes: Labels, data: LabelledRows) -> Float | None:
        """The engine's weights (C,) for `class_weight`."""
        raise NotImplementedError

    def strata(self, targets: Labels) -> NDArray[np.int32]:
        """Groups (N,) of rows from each of which the validation set takes its share."""
        return np.zeros(len(targets), dtype=np.int32)

    def default_target(self, classes: Labels) -> int | None:
        """Index that `target=None` means."""
        return 0 if len(classes) == 1 else None

    def predict(self, scores: Float, classes: Labels) -> NDArray[Any]:
        """Predictions of scores (N, C)."""
        raise NotImplementedError

    def mean_loss(self, scores: Float, targets: Labels) -> float:
        """Mean loss of the known targets, as in training but for the weights of classes."""
        raise NotImplementedError

    def auc(self, scores: Float, targets: Labels) -> float:
        """Area under the ROC curve; NaN where it has no meaning."""
        return math.nan

    def score(self, scores: Float, targets: Labels) -> float:
        """The estimator's `score`."""
        return self.auc(scores, targets)

    def merit(self, loss: float, auc: float) -> tuple[float, float]:
        """Larger for better epochs."""
        # Equal AUCs are common near 1; the loss tells such epochs apart. One class only: the loss alone.
        return (auc if auc == auc else 0.0, -loss)

    def measures(self, scores: Float, targets: Labels) -> dict[str, Any]:
        """What `deepmotif.evaluate` tells: a number or, with one for each column, an array (C,)."""
        raise NotImplementedError


class Softmax(Output):
    """One of C classes."""

    name = "softmax"
    constant = _native.OUTPUT_SOFTMAX
    columns = "classes"

    def read(self, y: Any, n_rows: int, name: str) -> Labels:
        return read_labels(opened(y, "y"), n_rows, name)

    def learn(self, labels: Labels, names: Any) -> Labels:
        if names is not None:
            raise InvalidArgumentError("task_names needs output='sigmoid' or 'linear': classes are named by y")
        classes = np.unique(labels)
        if len(classes) < 2:
            raise InvalidArgumentError(
                f"y must hold at least two classes; got the one class {classes.tolist()} for all "
                f"{len(labels)} sequences"
            )
        return classes

    def named(self, classes: int | Iterable[Any]) -> Labels:
        if isinstance(classes, (int, np.integer)):
            return np.arange(check_whole(classes, "classes", minimum=2))
        entries = list(classes)
        labels = np.unique(read_labels(entries, len(entries), "classes"))
        if len(labels) < 2:
            raise InvalidArgumentError(f"classes must be at least two different labels; got {entries!r}")
        return labels

    def encode(self, labels: Labels, classes: Labels, name: str = "y") -> Labels:
        return encode_labels(labels, classes, name)

    def check_measurable(self, targets: Labels, classes: Labels) -> None:
        absent = np.setdiff1d(np.arange(len(classes)), targets)
        if len(absent):
            raise InvalidArgumentError(
                f"y must hold every class of the model, {format_classes(classes)}; "
                f"{classes[absent[0]].item()!r} does not occur"
            )

    def weights(self, class_weight: Any, classes: Labels, data: LabelledRows) -> Float | None:
        return class_weights(class_weight, classes, data.row_targets)

    def strata(self, targets: Labels) -> NDArray[np.int32]:
        return targets

    def default_target(self, classes: Labels) -> int | None:
        return 1 if len(classes) == 2 else None

    def predict(self, scores: Float, classes: Labels) -> NDArray[Any]:
        return classes[scores.argmax(axis=1)]

    def mean_loss(self, scores: Float, targets: Labels) -> float:
        return _native.log_loss(_native.output_apply(self.constant, scores), targets)

    def auc(self, scores: Float, targets: Labels) -> float:
        return mean_over_classes(_native.roc_auc, scores, targets)

    def measures(self, scores: Float, targets: Labels) -> dict[str, Any]:
        return measures_of_classes(scores, targets)


class _Columns(Output):
    """C columns of labels, each of which stands for itself; some may be missing."""

    def learn(self, labels: Labels, names: Any) -> Labels:
        if names is None:
            return np.arange(labels.shape[1])
        found = self.named(names)
        if len(found) != labels.shape[1]:
            raise ShapeError(f"task_names must name each of the {labels.shape[1]} columns of y; got {len(found)} names")
        return found

    def named(self, classes: int | Iterable[Any]) -> Labels:
        if isinstance(classes, (int, np.integer)):
            return np.arange(check_whole(classes, "classes"))
        entries = list(classes)
        labels = read_labels(entries, len(entries), "classes")
        if not len(labels) or len(np.unique(labels)) < len(labels):
            raise InvalidArgumentError(f"the names of tasks must be different, at least one; got {entries!r:.200}")
        return labels

    def encode(self, labels: Labels, classes: Labels, name: str = "y") -> Labels:
        if labels.shape[1] != len(classes):
            raise ShapeError(
                f"{name} must have a column for each of the {len(classes)} {self.columns} of the model; "
                f"got shape {labels.shape}"
            )
        return labels


class Sigmoid(_Columns):
    """C tasks, each yes or no: targets uint8 (N, C), 255 where a label is missing."""

    name = "sigmoid"
    constant = _native.OUTPUT_SIGMOID
    columns = "tasks"

    def read(self, y: Any, n_rows: int, name: str) -> Labels:
        return read_tasks(y, n_rows, name)

    def check_measurable(self, targets: Labels, classes: Labels) -> None:
        if not any(np.isin((0, 1), targets[:, task]).all() for task in range(len(classes))):
            raise InvalidArgumentError("y must hold both 0 and 1 in at least one task; no task has both")

    def weights(self, class_weight: Any, classes: Labels, data: LabelledRows) -> Float | None:
        return positive_weights(class_weight, classes, data)

    def strata(self, targets: Labels) -> NDArray[np.int32]:
        # Rows of many tasks fall into no few groups.
        return targets[:][:, 0].astype(np.int32) if targets.shape[1] == 1 else super().strata(targets)

    def predict(self, scores: Float, classes: Labels) -> NDArray[Any]:
        return _flat((scores > 0).astype(np.int64))

    def mean_loss(self, scores: Float, targets: Labels) -> float:
        return _mean_over_blocks(scores, targets, lambda s, t: np.logaddexp(0, s) - s * t)

    def auc(self, scores: Float, targets: Labels) -> float:
        return mean_defined(task_measure(_native.roc_auc, scores, targets))

    def measures(self, scores: Float, targets: Labels) -> dict[str, Any]:
        return measures_of_tasks(scores, targets)


class Linear(_Columns):
    """C values: targets float32 (N, C), NaN where one is missing."""

    name = "linear"
    constant = _native.OUTPUT_LINEAR
    columns = "values"
    has_probabilities = False

    def read(self, y: Any, n_rows: int, name: str) -> Labels:
        return read_values(y, n_rows, name, counts=self.loss == "poisson")

    def weights(self, class_weight: Any, classes: Labels, data: LabelledRows) -> Float | None:
        if class_weight is not None:
            raise InvalidArgumentError(f"class_weight must be None for output='linear'; got {class_weight!r}")
        return None

    def values(self, scores: Float) -> Float:
        """What the scores predict: with the Poisson loss they are logarithms of rates."""
        with np.errstate(over="ignore"):
            return np.exp(scores) if self.loss == "poisson" else scores

    def predict(self, scores: Float, classes: Labels) -> NDArray[Any]:
        return _flat(self.values(scores))

    def mean_loss(self, scores: Float, targets: Labels) -> float:
        if self.loss == "correlation":
            return 1 - mean_defined(correlations(scores, targets))
        if self.loss == "poisson":
            with np.errstate(over="ignore"):
                return _mean_over_blocks(scores, targets, lambda s, t: np.exp(s) - t * s)
        return _mean_over_blocks(scores, targets, lambda s, t: (s - t) ** 2)

    def score(self, scores: Float, targets: Labels) -> float:
        return mean_defined(correlations(self.values(scores), targets))

    def merit(self, loss: float, auc: float) -> tuple[float, float]:
        return (-loss, 0.0)

    def measures(self, scores: Float, targets: Labels) -> dict[str, Any]:
        return measures_of_values(self.values(scores), targets)


_KINDS: dict[str, type[Output]] = {kind.name: kind for kind in (Softmax, Sigmoid, Linear)}
_LOSSES = ("mse", "poisson", "correlation")


def output_named(name: Any, loss: Any = None) -> Output:
    """The output that the hyper-parameters `output` and `loss` ask for."""
    if not isinstance(name, str) or name not in _KINDS:
        raise InvalidArgumentError(f"output must be one of {list(_KINDS)}; got {name!r}")
    if name != "linear":
        if loss is not None:
            raise InvalidArgumentError(f"loss must be None for output={name!r}, which has only one; got {loss!r}")
        return _KINDS[name]()
    if loss is not None and (not isinstance(loss, str) or loss not in _LOSSES):
        raise InvalidArgumentError(f"loss must be None or one of {list(_LOSSES)}; got {loss!r}")
    return Linear(loss or "mse")


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """(N,) for a single column, as in scikit-learn."""
    return values[:, 0] if values.shape[1] == 1 else values


def _mean_over_blocks(scores: Float, targets: Labels, loss: Any) -> float:
    """Mean over the known targets; a block at a time, so that double precision needs little memory."""
    rows = max(1, (1 << 20) // scores.shape[1])
    total, count = [], 0
    for start in range(0, len(scores), rows):
        known = ~missing_at(targets[start : start + rows])
        s = scores[start : start + rows][known].astype(np.float64)
        total.append(float(loss(s, targets[start : start + rows][known].astype(np.float64)).sum()))
        count += s.size
    return math.fsum(total) / count if count else math.nan
