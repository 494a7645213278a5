"""The door: `Sequences` and `as_input`, through which every sequence argument comes. Sequences room; private."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _alphabet, _arrays
from .exceptions import InvalidArgumentError, ShapeError

Codes = NDArray[np.uint8]
Letters = NDArray[np.float32]


class Sequences:
    """Sequences of one length with their names and labels: what the readers return, and itself a sequence argument.

    An integer index gives the letters of one sequence (str); a slice, a list of indices or a boolean mask gives
    `Sequences`. NumPy and scikit-learn see the codes.

    Parameters
    ----------
    codes : array (N, L)
        0-3 = ACGT, 4 = unknown. Any sequence argument but soft letters is taken and encoded.
    names : list of str, optional
        One per sequence; numbers from 0 by default.
    labels : array (N,) of integers, optional
        Labels, kept as int64.

    Raises
    ------
    ShapeError
        Where names or labels are not N.

    Examples
    --------
    >>> from deepmotif.sequences import Sequences
    >>> seqs = Sequences(["ACGT", "TTTT", "GGGN"], names=["a", "b", "c"], labels=[1, 0, 1])
    >>> seqs
    Sequences(3 of 4 bp, labels {0: 1, 1: 2})
    >>> seqs[2]
    'GGGN'
    >>> seqs[seqs.labels == 1].names
    ['a', 'c']
    """

    def __init__(self, codes: Any, names: list[str] | None = None, labels: ArrayLike | None = None) -> None:
        array = as_input(codes, name="codes")
        self.codes: Codes = _arrays.codes_of_letters(array, "codes", "in Sequences") if array.ndim == 3 else array
        count = len(self.codes)
        self.names: list[str] = [str(i) for i in range(count)] if names is None else _list_of_names(names, count)
        self.labels: NDArray[np.int64] | None = None if labels is None else _integer_labels(labels, count)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, L)."""
        count, length = self.codes.shape
        return count, length

    @property
    def length(self) -> int:
        """L, the number of positions of every sequence."""
        return self.shape[1]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        # NumPy 1 has no copy argument in asarray.
        array = self.codes if dtype is None else self.codes.astype(dtype, copy=False)
        return array.copy() if copy and array is self.codes else array

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:
            index = index[0]  # scikit-learn writes X[rows, ...]
        if isinstance(index, (int, np.integer)):
            return _alphabet.strings_of_codes(self.codes[[_row(int(index), len(self))]])[0]
        if not isinstance(index, slice):
            try:
                index = np.asarray(index)
            except ValueError:
                index = np.empty((0, 0))  # no index either: ragged lists
            if index.size == 0 and index.ndim == 1:
                index = index.astype(np.int64)
            if index.ndim != 1 or index.dtype.kind not in "biu":
                raise IndexError(
                    f"an index must be an integer, a slice, or a 1-D list of integers or bools; got {index!r}"
                )
        names = self.names[index] if isinstance(index, slice) else list(np.asarray(self.names, dtype=object)[index])
        labels = None if self.labels is None else self.labels[index]
        return Sequences(self.codes[index], names=names, labels=labels)

    def __iter__(self) -> Iterator[str]:
        return iter(_alphabet.strings_of_codes(self.codes))

    def __repr__(self) -> str:
        text = f"{len(self)} of {self.length} bp"
        if self.labels is not None:
            values, counts = np.unique(self.labels, return_counts=True)
            shown = ", ".join(f"{v}: {c}" for v, c in zip(values[:6], counts[:6], strict=True))
            text += f", labels {{{shown}{', ...' if len(values) > 6 else ''}}}"
        return f"Sequences({text})"


def _list_of_names(names: Any, count: int) -> list[str]:
    try:
        listed = None if isinstance(names, (str, bytes)) else [str(name) for name in names]
    except TypeError:
        listed = None
    if listed is None:
        raise InvalidArgumentError(f"names must be a list of str; got {type(names).__name__}")
    if len(listed) != count:
        raise ShapeError(f"names must have one entry per sequence; expected {count}, got {len(listed)}")
    return listed


def _row(index: int, count: int) -> int:
    if not -count <= index < count:
        raise IndexError(f"index {index} is out of range for {count} sequences")
    return index


def _integer_labels(labels: ArrayLike, count: int) -> NDArray[np.int64]:
    array = _arrays.plain_array(labels, "labels", "integers (N,)")
    if array.shape != (count,):
        raise ShapeError(f"labels must have shape ({count},), one per sequence; got {array.shape}")
    if array.dtype.kind not in "biuf" or not np.array_equal(array, np.asarray(array, dtype=np.int64)):
        raise InvalidArgumentError(f"labels must be integers; got dtype {array.dtype}")
    return array.astype(np.int64)


# MARK: the door


def strings_of(X: Any, name: str) -> list[str] | None:
    """The strings of X as a list where X is one of the string forms, else None."""
    if isinstance(X, str):
        return [X]
    if isinstance(X, bytes):
        raise InvalidArgumentError(f"{name} must be str; got bytes: decode them first, {name}.decode('ascii')")
    if isinstance(X, (list, tuple)):
        return list(X) if len(X) == 0 or any(isinstance(x, (str, bytes)) or x is None for x in X[:2]) else None
    if isinstance(X, np.ndarray) or hasattr(X, "__array__"):
        kind = getattr(getattr(X, "dtype", None), "kind", None)
        if kind in ("b", "i", "u", "f"):
            return None
        array = _arrays.plain_array(X, name)
        if array.dtype.kind == "S":
            array = np.char.decode(array, "latin-1")
        if array.dtype.kind not in "OUT":
            return None
        if array.ndim == 2 and array.shape[1] == 1:
            raise ShapeError(f"{name} must be a 1-D array of str; got shape {array.shape}: pass its only column")
        if array.ndim == 0 and isinstance(array.item(), str):
            return [array.item()]
        if array.ndim != 1:
            raise ShapeError(f"{name} must be {_arrays.FORMS}; got {array.dtype} of shape {array.shape}")
        return list(array)
    return None


def as_input(X: Any, name: str = "X") -> NDArray[Any]:
    """Any sequence argument in one of the two forms that the engine takes.

    Parameters
    ----------
    X : str, list or array of str, Sequences, integer codes (N, L), or letters (N, L, 4)
        Letters other than ACGTU become code 4. Codes may have any integer or float dtype and letters any dtype
        whose conversion to float32 is exact.
    name : str
        What messages call it.

    Returns
    -------
    array
        uint8 codes (N, L) or float32 letters (N, L, 4), C-contiguous and native-endian; X itself, not a copy, where
        it is that already (memory-mapped codes too).

    Raises
    ------
    ShapeError
        Sequences of several lengths, no sequence at all, (N, 4, L) arrays.
    InvalidArgumentError
        Letters, codes or numbers that are none; conversions that would lose precision.

    Examples
    --------
    >>> from deepmotif.sequences import as_input
    >>> as_input(["ACGT", "nnTA"])
    array([[0, 1, 2, 3],
           [4, 4, 3, 0]], dtype=uint8)
    """
    if isinstance(X, Sequences):
        return X.codes
    strings = strings_of(X, name)
    if strings is not None:
        return _alphabet.codes_of_strings(strings, name)
    if not isinstance(X, (list, tuple)) and not hasattr(X, "__array__"):
        raise InvalidArgumentError(f"{name} must be {_arrays.FORMS}; got {type(X).__name__}")
    return _arrays.numeric_input(_arrays.plain_array(X, name), name)
