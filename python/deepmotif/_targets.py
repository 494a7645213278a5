"""Labels of several tasks as the engine takes them: uint8 yes or no, float32 values. Models room; private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays
from ._stored import StoredRows, opened, stored_rows
from ._validation import require_labels
from .exceptions import InvalidArgumentError, ShapeError

#: A task's label that is not known.
MISSING = 255

# Labels looked at in one go: memory-mapped ones are never in memory as a whole.
_CHECK_BLOCK = 1 << 22

_TASKS = "0 and 1, (N, C) or (N,), with NaN, None, -1 or 255 where a label is missing"


def missing_at(targets: NDArray[Any]) -> NDArray[np.bool_]:
    """Where targets are not known."""
    return targets == MISSING if targets.dtype == np.uint8 else np.isnan(targets)


def _columns(y: Any, n_rows: int, name: str, forms: str) -> NDArray[Any]:
    """Numbers (N, C)."""
    require_labels(y, name)
    labels = _arrays.plain_array(y, name, forms)
    if labels.dtype.kind == "O":
        try:
            labels = labels.astype(np.float64)  # None becomes NaN
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"{name} must be {forms}; got objects that are no numbers") from None
    if labels.dtype.kind not in "biuf":
        raise InvalidArgumentError(f"{name} must be {forms}; got dtype {labels.dtype}")
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or labels.shape[1] == 0:
        raise ShapeError(f"{name} must be {forms}; got shape {labels.shape}")
    if len(labels) != n_rows:
        raise _wrong_number(name, n_rows, len(labels))
    return labels


def _stored(
    y: Any, n_rows: int, name: str, check: Callable[[NDArray[Any], str], NDArray[Any]], kinds: str
) -> StoredRows | None:
    """Labels in a file that must be converted as they are read; None for others."""

    def kept(array: NDArray[Any]) -> bool:
        small = array.dtype.itemsize == (4 if kinds == "f" else 1)
        return array.dtype.kind in kinds and small and array.dtype.isnative and bool(array.flags.c_contiguous)

    stored = stored_rows(y, check, name, kept)
    if stored is not None and len(stored) != n_rows:
        raise _wrong_number(name, n_rows, len(stored))
    return stored


def _wrong_number(name: str, n_rows: int, found: int) -> ShapeError:
    return ShapeError(f"{name} must have one row of labels for each of the {n_rows} sequences of X; got {found}")


def _blocks(labels: NDArray[Any]) -> list[slice]:
    rows = max(1, _CHECK_BLOCK // labels.shape[1])
    return [slice(start, start + rows) for start in range(0, len(labels), rows)]


def _refuse(wrong: NDArray[np.bool_], block: slice, labels: NDArray[Any], name: str, forms: str) -> None:
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        value = labels[block.start + row, column]
        raise InvalidArgumentError(f"{name} must be {forms}; got {value} at {name}[{block.start + row}, {column}]")


def read_tasks(y: Any, n_rows: int, name: str = "y") -> Any:
    """Labels of C tasks: uint8 (N, C) of 0, 1 and `MISSING`; uint8 and bool arrays are not copied.

    Raises
    ------
    InvalidArgumentError
        If a label is anything but 0, 1 or one of the marks of a missing one.
    ShapeError
        If there are not exactly `n_rows` rows of at least one label.
    """
    y = opened(y, "y")
    stored = _stored(y, n_rows, name, lambda part, where: read_tasks(part, len(part), where), "ub")
    if stored is not None:
        return stored
    labels = _columns(y, n_rows, name, _TASKS)
    if labels.dtype == np.bool_:
        return np.ascontiguousarray(labels).view(np.uint8)
    kept = labels.dtype == np.uint8
    tasks = labels if kept else np.empty(labels.shape, dtype=np.uint8)
    for block in _blocks(labels):
        part = labels[block]
        known = (part == 0) | (part == 1)
        missing = np.isnan(part) if part.dtype.kind == "f" else (part == MISSING) | (part == -1)
        _refuse(~(known | missing), block, labels, name, _TASKS)
        if not kept:
            tasks[block] = np.where(known, part, MISSING)
    return np.ascontiguousarray(tasks)


def read_values(y: Any, n_rows: int, name: str = "y", counts: bool = False) -> Any:
    """Values (N, C) as float32, rounded where they must be; NaN or None where one is missing.

    Raises
    ------
    InvalidArgumentError
        If a value is infinite in float32, or negative where it is a count.
    ShapeError
        If there are not exactly `n_rows` rows of at least one value.
    """
    kind = "counts or rates of at least 0" if counts else "finite numbers"
    forms = f"{kind}, (N, C) or (N,), with NaN or None where a value is missing"
    y = opened(y, "y")
    stored = _stored(y, n_rows, name, lambda part, where: read_values(part, len(part), where, counts), "f")
    if stored is not None:
        return stored
    labels = _columns(y, n_rows, name, forms)
    values = np.ascontiguousarray(labels) if labels.dtype == np.float32 else np.empty(labels.shape, dtype=np.float32)
    for block in _blocks(labels):
        if values is not labels:
            with np.errstate(over="ignore"):
                values[block] = labels[block]
        part = values[block]
        _refuse(np.isinf(part) | ((part < 0) if counts else False), block, labels, name, forms)
    return values
