"""Checks of arguments, worded with the argument's name. Used by every room."""

from __future__ import annotations

import math
import numbers
import os
import secrets
import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exceptions import InvalidArgumentError, NotFittedError, ShapeError

# The engine takes seeds of 64 bits; drawn ones stay below 2^63 so that every language and file format holds them.
_SEED_BOUND = 1 << 64
_DRAWN_SEED_BOUND = (1 << 63) - 1


def check_whole(value: Any, name: str, minimum: int = 1) -> int:
    """A whole number of at least `minimum`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or int(value) < minimum:
        raise InvalidArgumentError(f"{name} must be a whole number of at least {minimum}; got {value!r}")
    return int(value)


def check_number(
    value: Any, name: str, minimum: float, maximum: float = math.inf, *, open_minimum: bool = False,
    open_maximum: bool = False,
) -> float:  # fmt: skip
    """A finite number from `minimum` to `maximum`; an open end is excluded."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(float(value))
    if good:
        number = float(value)
        good = (minimum < number if open_minimum else minimum <= number) and (
            number < maximum if open_maximum else number <= maximum
        )
    if not good:
        bounds = f"{'above' if open_minimum else 'of at least'} {minimum:g}"
        if maximum < math.inf:
            bounds += f" and {'below' if open_maximum else 'at most'} {maximum:g}"
        raise InvalidArgumentError(f"{name} must be a finite number {bounds}; got {value!r}")
    return float(value)


def check_flag(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidArgumentError(f"{name} must be True or False; got {value!r}")
    return bool(value)


def check_threads(n_threads: Any) -> int:
    """Number of threads; None: as many as the processors that this process may use."""
    if n_threads is None:
        # Respects taskset and the queue systems of clusters, which os.cpu_count() does not.
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return check_whole(n_threads, "n_threads")


def draw_seed(random_state: Any) -> int:
    """The seed that None, an int, a Generator or a RandomState stands for; the last two are advanced."""
    if random_state is None:
        return secrets.randbelow(_DRAWN_SEED_BOUND)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_DRAWN_SEED_BOUND))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(_DRAWN_SEED_BOUND, dtype=np.int64))
    whole = isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool)
    if not whole or not 0 <= int(random_state) < _SEED_BOUND:
        raise InvalidArgumentError(
            "random_state must be None, a whole number from 0 to 2**64 - 1, a numpy Generator or a RandomState; "
            f"got {random_state!r}"
        )
    return int(random_state)


def not_fitted(message: str) -> NotFittedError:
    """A NotFittedError; where scikit-learn is loaded also an instance of its class of that name."""
    sklearn_exceptions = sys.modules.get("sklearn.exceptions")
    if sklearn_exceptions is None:
        return NotFittedError(message)

    class NotFittedErrorForSklearn(NotFittedError, sklearn_exceptions.NotFittedError):  # type: ignore[name-defined, misc]
        """Caught by handlers of either library."""

        def __reduce__(self) -> tuple[Any, ...]:
            # A class made here has no importable name; the other process makes its own.
            return not_fitted, self.args

    NotFittedErrorForSklearn.__name__ = NotFittedErrorForSklearn.__qualname__ = "NotFittedError"
    return NotFittedErrorForSklearn(message)


def _is_missing(value: Any) -> bool:
    # NaN and NaT are the values that differ from themselves; pandas.NA refuses to be compared.
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return True


def require_labels(y: Any, name: str) -> None:
    """Refuses None where labels belong."""
    if y is None:
        raise InvalidArgumentError(
            f"this estimator requires y to be passed, but the target {name} is None: give one label a sequence"
        )


def read_labels(y: Any, n_rows: int, name: str = "y") -> NDArray[Any]:
    """Labels (N,) as an array of whole numbers, booleans or strings.

    Raises
    ------
    InvalidArgumentError
        If labels are absent, missing (None, NaN), fractions, or of kinds that cannot be sorted together.
    ShapeError
        If there are not exactly `n_rows` of them in one dimension.
    """
    require_labels(y, name)
    labels = _label_array(y, name)
    if labels.ndim == 2 and labels.shape[1] == 1:
        _warn_column_vector(name)
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ShapeError(f"{name} must be one label a sequence, shape (N,); got shape {labels.shape}")
    if len(labels) != n_rows:
        raise ShapeError(
            f"{name} must have one label for each of the {n_rows} sequences of X; got {len(labels)} labels"
        )
    if labels.dtype.kind == "O":
        labels = _plain_labels(labels, name)
    if labels.dtype.kind in "ST":
        labels = np.char.decode(labels, "utf-8") if labels.dtype.kind == "S" else labels.astype(str)
    if labels.dtype.kind == "f":
        labels = _whole_labels(labels, name)
    if labels.dtype.kind not in "biufU":
        raise InvalidArgumentError(
            f"{name} must hold whole numbers, booleans or strings; got dtype {labels.dtype}. "
            f"Unknown label type: {labels.dtype}"
        )
    return labels


def _label_array(y: Any, name: str) -> NDArray[Any]:
    if isinstance(y, (list, tuple)) and any(isinstance(label, str) for label in y):
        # NumPy would turn everything beside strings into strings, even NaN and None.
        return np.array([*y, None], dtype=object)[:-1]
    try:
        return np.asarray(y)
    except ValueError:
        raise ShapeError(f"{name} must be one label a sequence, shape (N,); got lists of several lengths") from None


def _warn_column_vector(name: str) -> None:
    sklearn_exceptions = sys.modules.get("sklearn.exceptions")
    category = UserWarning if sklearn_exceptions is None else sklearn_exceptions.DataConversionWarning
    message = f"A column-vector {name} was passed when a 1d array was expected: use {name}.ravel()"
    warnings.warn(message, category, stacklevel=4)


def _plain_labels(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Objects as an array of one plain kind."""
    for index, value in enumerate(labels):
        if _is_missing(value):
            raise InvalidArgumentError(
                f"{name} must have no missing labels; got {value!r} (NaN or None) at index {index}"
            )
    kinds = {type(value) for value in labels}
    if any(issubclass(kind, str) for kind in kinds) and not all(issubclass(kind, str) for kind in kinds):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise InvalidArgumentError(f"{name} must hold labels of one kind; got a mixture of {names}")
    if labels.size and all(issubclass(kind, str) for kind in kinds):
        return labels.astype(str)
    return np.array(labels.tolist())


def _whole_labels(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Float labels, if they are whole numbers; the kind is kept, as scikit-learn does."""
    if not np.isfinite(labels).all():
        index = int(np.flatnonzero(~np.isfinite(labels))[0])
        raise InvalidArgumentError(
            f"{name} must have no missing labels; got {labels[index]!r} (NaN or infinity) at index {index}"
        )
    if labels.dtype.itemsize > 8:
        labels = labels.astype(np.float64)
    if (labels != np.floor(labels)).any():
        index = int(np.flatnonzero(labels != np.floor(labels))[0])
        raise InvalidArgumentError(
            f"{name} must hold class labels; got the fraction {labels[index]!r} at index {index}. "
            "Unknown label type: continuous"
        )
    return labels


def encode_labels(labels: NDArray[Any], classes: NDArray[Any], name: str = "y") -> NDArray[np.int32]:
    """Index in the sorted `classes` of every label (N,)."""
    if labels.size and (labels.dtype.kind == "U") != (classes.dtype.kind == "U"):
        raise InvalidArgumentError(
            f"{name} must hold labels of the model's classes {format_classes(classes)}; got dtype {labels.dtype}"
        )
    indices = np.searchsorted(classes, labels)
    known = classes[np.minimum(indices, len(classes) - 1)] == labels
    if not np.all(known):
        index = int(np.flatnonzero(~known)[0])
        raise InvalidArgumentError(
            f"{name} must hold labels of the model's classes {format_classes(classes)}; "
            f"got {labels[index].item()!r} at index {index}"
        )
    return np.ascontiguousarray(indices, dtype=np.int32)


def format_classes(classes: NDArray[Any], limit: int = 8) -> str:
    """The classes as a short list for messages."""
    values = [repr(value) for value in classes[:limit].tolist()]
    return "[" + ", ".join(values) + (", ...]" if len(classes) > limit else "]")
