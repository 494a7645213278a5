"""What `class_weight` asks for, as the engine's weights. Models room; private."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rows import LabelledRows
from .exceptions import InvalidArgumentError

Float = NDArray[np.float32]

# Rows counted in one go: the labels may be in a file.
_COUNT_BLOCK = 1 << 14


def class_weights(class_weight: Any, classes: NDArray[Any], labels: NDArray[np.int32]) -> Float | None:
    """Weights (C,) that `class_weight` (None, "balanced" or a dict by label) gives to exclusive classes."""
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(classes))
        return (counts.sum() / (len(classes) * np.maximum(counts, 1))).astype(np.float32)
    weights = _given(class_weight, classes, "the label", "which does not occur in y")
    if not weights.any():
        raise InvalidArgumentError("class_weight must leave at least one class a weight above 0")
    return weights


def positive_weights(class_weight: Any, classes: NDArray[Any], data: LabelledRows) -> Float | None:
    """Weights (C,) of the positive labels of each task; "balanced": as many as there are negatives for a positive."""
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.zeros((2, len(classes)), dtype=np.int64)
        for start in range(0, len(data), _COUNT_BLOCK):
            targets = data.targets[data.rows[start : start + _COUNT_BLOCK]]
            counts += [(targets == label).sum(axis=0) for label in (0, 1)]
        return np.where(counts.all(axis=0), counts[0] / np.maximum(counts[1], 1), 1.0).astype(np.float32)
    return _given(class_weight, classes, "the task", f"which is not one of {len(classes)}")


def _given(class_weight: Any, classes: NDArray[Any], what: str, unknown: str) -> Float:
    if not isinstance(class_weight, dict):
        raise InvalidArgumentError(f"class_weight must be None, 'balanced' or a dict; got {class_weight!r}")
    values = classes.tolist()
    weights = np.ones(len(classes), dtype=np.float32)
    for label, weight in class_weight.items():
        plain = label.item() if isinstance(label, np.generic) else label
        if plain not in values:
            raise InvalidArgumentError(f"class_weight names {what} {label!r}, {unknown}")
        if not isinstance(weight, (int, float, np.number)) or not 0 <= float(weight) < math.inf:
            raise InvalidArgumentError(f"class_weight[{label!r}] must be a finite number of at least 0; got {weight!r}")
        weights[values.index(plain)] = weight
    return weights
