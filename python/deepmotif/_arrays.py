"""Numeric arrays as codes (N, L) or letters (N, L, 4), converted where nothing is lost. Sequences room; private."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exceptions import InvalidArgumentError, ShapeError

FORMS = "str, a list or array of str, codes (N, L) of 0-4, or one-hot or soft letters (N, L, 4)"

# Values looked at in one go: the largest temporary of a check is a few MB, however large a memory-mapped array is.
_CHECK_BLOCK = 1 << 22


def _blocks(array: NDArray[Any]) -> list[slice]:
    rows = max(1, _CHECK_BLOCK // max(1, array[:1].size))
    return [slice(start, start + rows) for start in range(0, len(array), rows)]


def _first(block: slice, wrong: NDArray[np.bool_]) -> tuple[int, ...]:
    index = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    return (block.start + int(index[0]), *(int(i) for i in index[1:]))


def _where(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]"


def plain_array(X: Any, name: str, forms: str = FORMS) -> NDArray[Any]:
    """X as an ndarray of some kind, or an error that says what it must be: a sequence argument, if not told."""
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise InvalidArgumentError(f"{name} must not hold masked values; fill them first (code 4 is an unknown base)")
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ShapeError(f"{name} must be {forms}, rows of one length; {error}") from None
    except Exception as error:  # a foreign __array__ may raise anything
        raise InvalidArgumentError(f"{name} must be {forms}; got {type(X).__name__}: {error}") from None


def numeric_input(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Codes uint8 (N, L) or letters float32 (N, L, 4), C-contiguous, native; the array itself where it is that."""
    kind = array.dtype.kind
    if kind not in "biuf":
        raise InvalidArgumentError(f"{name} must be {FORMS}; got dtype {array.dtype} of shape {array.shape}")
    if array.ndim == 2:
        _check_sizes(array, name)
        return _codes(array, name)
    if array.ndim == 3:
        _check_sizes(array, name)
        return _letters(array, name)
    remedy = f"; a single sequence is {name}[None]" if array.ndim == 1 else ""
    raise ShapeError(f"{name} must be {FORMS}; got {array.dtype} of shape {array.shape}{remedy}")


def _check_sizes(array: NDArray[Any], name: str) -> None:
    if array.shape[1] == 0:
        raise ShapeError(f"{name} must have at least one position; got shape {array.shape}")


# MARK: codes


def _codes(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    # Nearly all calls end here, and the time of a call with one sequence counts. In blocks, since a memory map may be
    # larger than what is read while Ctrl-C waits.
    if array.dtype == np.uint8 and all(array[block].max(initial=0) <= 4 for block in _blocks(array)):
        return np.ascontiguousarray(array)
    kind = array.dtype.kind
    if kind == "b":
        raise InvalidArgumentError(f"{name} must be {FORMS}; got bool of shape {array.shape}; codes are integers 0-4")
    if kind == "f" and _looks_one_hot(array):
        raise ShapeError(
            f"{name} must be {FORMS}; got {array.dtype} of shape {array.shape} with one-hot rows: one one-hot sequence "
            f"of {len(array)} positions is {name}[None]; codes of 4 positions must be an integer array"
        )
    for block in _blocks(array):
        part = array[block]
        # Written as "not inside" so that NaN is outside too.
        wrong = ~((part >= 0) & (part <= 4))
        if kind == "f":
            wrong |= part != np.floor(part)
        if wrong.any():
            index = _first(block, wrong)
            raise InvalidArgumentError(
                f"{name} must hold codes 0-4 (0-3 = ACGT, 4 = unknown); got {array[index]} at {_where(name, index)}"
            )
    if array.dtype == np.int8:
        array = array.view(np.uint8)
    return np.ascontiguousarray(array, dtype=np.uint8)


def _looks_one_hot(array: NDArray[Any]) -> bool:
    """Whether float codes are more likely one one-hot sequence (L, 4): several rows, each with a single 1 or none."""
    if array.shape[1] != 4 or len(array) < 2:
        return False
    return bool(np.isin(array, (0, 1)).all() and array.sum(axis=1).max() == 1)


# MARK: letters


def _letters(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    if array.shape[2] != 4:
        remedy = ""
        if array.shape[1] == 4:
            remedy = f"; this looks like (N, 4, L): pass {name}.transpose(0, 2, 1)"
        raise ShapeError(
            f"{name} must have shape (N, L, 4), positions before letters ACGT; got shape {array.shape}{remedy}"
        )
    if array.dtype == np.float32 and array.dtype.isnative:
        _check_finite(array, name)
        return np.ascontiguousarray(array)
    result = np.empty(array.shape, dtype=np.float32)
    for block in _blocks(array):
        part = array[block]
        with np.errstate(over="ignore"):
            result[block] = part
        wrong = result[block] != part
        if array.dtype.kind == "f":
            wrong &= np.isfinite(part)  # the others are reported below, in words of their own
        if wrong.any():
            index = _first(block, wrong)
            raise InvalidArgumentError(
                f"{name} must be float32 or convert to it exactly; got {array.dtype} with {array[index]} at "
                f"{_where(name, index)}; if rounding is meant, pass {name}.astype(numpy.float32)"
            )
    _check_finite(result, name)
    return result


def _check_finite(array: NDArray[Any], name: str) -> None:
    for block in _blocks(array):
        wrong = ~np.isfinite(array[block])
        if wrong.any():
            index = _first(block, wrong)
            raise InvalidArgumentError(f"{name} must be finite; got {array[index]} at {_where(name, index)}")


def codes_of_letters(letters: NDArray[np.float32], name: str, purpose: str) -> NDArray[np.uint8]:
    """Codes (N, L) of exact one-hot letters with all-zero columns for unknown bases; anything else is an error."""
    wrong = ~(((letters == 0) | (letters == 1)).all(axis=2) & (letters.sum(axis=2) <= 1))
    if wrong.any():
        index = _first(slice(0, None), wrong)
        raise InvalidArgumentError(
            f"{name} must be one-hot {purpose}: one 1 or none at a position; got {letters[index]} at "
            f"{_where(name, index)}"
        )
    codes = letters.argmax(axis=2).astype(np.uint8)
    codes[letters.sum(axis=2) == 0] = 4
    return codes
