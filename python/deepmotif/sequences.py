"""Sequences: letters in, codes out, and what can be done with them before a model sees them. Sequences room.

A *sequence argument* X is a str, a list or array of str, a `Sequences`, codes (N, L) with 0-3 = ACGT and 4 = unknown,
or float letters (N, L, 4), one-hot or soft. `as_input` is the one door through which all of them come.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _alphabet
from ._input import Codes, Letters, Sequences, as_input, strings_of
from .exceptions import InvalidArgumentError

__all__ = [
    "Sequences",
    "as_input",
    "decode",
    "encode",
    "one_hot",
    "reverse_complement",
]

# MARK: letters and codes


def _checked_length(length: int | None) -> int | None:
    if length is None:
        return None
    if isinstance(length, bool) or not isinstance(length, (int, np.integer)) or length < 1:
        raise InvalidArgumentError(f"length must be a positive integer or None; got {length!r}")
    return int(length)


def _fit_length(codes: Codes, length: int) -> Codes:
    """Codes cut or padded right with 4."""
    result = np.full((len(codes), length), _alphabet.UNKNOWN, dtype=np.uint8)
    kept = min(length, codes.shape[1])
    result[:, :kept] = codes[:, :kept]
    return result


def encode(seqs: Any, length: int | None = None, ambiguous: str = "unknown") -> NDArray[Any]:
    """Codes of sequences given as letters.

    Lower case is upper case and U is T. A gap, a blank, a digit or any other letter that is no IUPAC nucleotide letter
    is an error.

    Parameters
    ----------
    seqs : str, list or array of str, or Sequences
        A single str is one sequence.
    length : int, optional
        Cut longer sequences on the right and pad shorter ones on the right with unknown bases. Without it all must
        have one length.
    ambiguous : {"unknown", "fraction", "error"}
        IUPAC ambiguity letters (R, Y, ..., N) become code 4; or float letters with equal fractions for the bases that
        the letter stands for (N: 1/4 each; padding is all zero); or an error.

    Returns
    -------
    array
        uint8 codes (N, L); float32 letters (N, L, 4) with ``ambiguous="fraction"``.

    Raises
    ------
    ShapeError
        Lengths differ and `length` is not given.
    InvalidArgumentError
        A letter that is none, named with its sequence and position.

    Examples
    --------
    >>> from deepmotif.sequences import encode
    >>> encode(["ACGT", "tgR"], length=4)
    array([[0, 1, 2, 3],
           [3, 2, 4, 4]], dtype=uint8)
    >>> encode("AR", ambiguous="fraction")
    array([[[1. , 0. , 0. , 0. ],
            [0.5, 0. , 0.5, 0. ]]], dtype=float32)
    """
    if ambiguous not in ("unknown", "fraction", "error"):
        raise InvalidArgumentError(f'ambiguous must be "unknown", "fraction" or "error"; got {ambiguous!r}')
    length = _checked_length(length)
    if isinstance(seqs, Sequences):
        return seqs.codes if length is None else _fit_length(seqs.codes, length)
    strings = strings_of(seqs, "seqs")
    if strings is None:
        raise InvalidArgumentError(
            f"seqs must be a str or a list or array of str; got {type(seqs).__name__}; arrays of codes need no encoding"
        )
    codes = _alphabet.codes_of_strings(strings, "seqs", length)
    if ambiguous == "error":
        _refuse_ambiguous(strings, codes)
    if ambiguous == "fraction":
        width = codes.shape[1]
        letters: Letters = _alphabet.FRACTIONS[_alphabet.bytes_of_strings(strings, "seqs", length)]
        for row, sequence in enumerate(strings):
            if len(sequence) < width:
                letters[row, len(sequence) :] = 0
        return letters
    return codes


def _refuse_ambiguous(strings: list[str], codes: Codes) -> None:
    rows, positions = np.nonzero(codes == _alphabet.UNKNOWN)
    for row, position in zip(rows, positions, strict=True):
        if position < len(strings[row]):
            raise InvalidArgumentError(
                f'seqs[{row}] must hold ACGTU only with ambiguous="error"; got {strings[row][position]!r} at position '
                f"{position}"
            )


def decode(X: Any) -> list[str]:
    """Letters of sequences: the inverse of `encode`.

    Parameters
    ----------
    X : sequence argument
        Code 4 and an all-zero column are N; a column of equal fractions is the IUPAC letter of its bases.

    Returns
    -------
    list of str
        N strings of L letters, upper case.

    Raises
    ------
    InvalidArgumentError
        A soft column that no letter stands for.

    Examples
    --------
    >>> from deepmotif.sequences import decode
    >>> decode([[0, 1, 2, 3, 4]])
    ['ACGTN']
    """
    array = as_input(X)
    if array.ndim == 2:
        return _alphabet.strings_of_codes(array)
    present = array > 0
    bits = (present * np.array([1, 2, 4, 8])).sum(axis=2)
    letters = np.frombuffer(b"NACMGRSVTWYHKDBN", dtype=np.uint8)[bits]
    expected = _alphabet.FRACTIONS[letters] * (bits > 0)[:, :, None]
    if not np.array_equal(expected, array):
        index = tuple(int(i) for i in np.argwhere((expected != array).any(axis=2))[0])
        raise InvalidArgumentError(
            f"X must be one-hot or hold equal fractions to be decoded; got {array[index]} at X[{index[0]}, {index[1]}]; "
            "X.argmax(axis=2) gives the codes of the likeliest letters"
        )
    length = array.shape[1]
    text = letters.tobytes().decode("ascii")
    return [text[start : start + length] for start in range(0, len(text), length)]


def one_hot(X: Any) -> Letters:
    """Letters (N, L, 4) of any sequence argument, float32; an unknown base is an all-zero column.

    Parameters
    ----------
    X : sequence argument
        Letters (N, L, 4) come back as they are, as float32.

    Returns
    -------
    array (N, L, 4)
        Positions before letters; ``one_hot(X).transpose(0, 2, 1)`` is the (N, 4, L) of other tools.

    Examples
    --------
    >>> from deepmotif.sequences import one_hot
    >>> one_hot("AN")
    array([[[1., 0., 0., 0.],
            [0., 0., 0., 0.]]], dtype=float32)
    """
    array = as_input(X)
    return array if array.ndim == 3 else np.eye(5, 4, dtype=np.float32)[array]


# MARK: strands


def reverse_complement(X: Any) -> Any:
    """The other strand, in the form of the argument.

    Parameters
    ----------
    X : sequence argument
        Strings may differ in length and keep their ambiguity letters and case; U becomes A, and A becomes T.

    Returns
    -------
    Same form and shape as X
        str, list, tuple, array of str, Sequences, codes or letters of the dtype given.

    Examples
    --------
    >>> from deepmotif.sequences import reverse_complement
    >>> reverse_complement("AACGN")
    'NCGTT'
    >>> reverse_complement([[0, 0, 1, 4]])
    array([[4, 2, 3, 3]], dtype=uint8)
    """
    strings = None if isinstance(X, Sequences) else strings_of(X, "X")
    if strings is not None:
        _alphabet.check_letters(strings, "X")
        return _like([_alphabet.complement_string(string) for string in strings], X)
    array = as_input(X)
    if array.ndim == 2:
        return _like(_alphabet.COMPLEMENT[array[:, ::-1]], X)
    return _like(np.ascontiguousarray(array[:, ::-1, ::-1]), X)


def _like(result: Any, X: Any) -> Any:
    """The result in the form of the argument X: str, list, tuple, array of str, Sequences, or an array of X's dtype."""
    if isinstance(X, Sequences):
        return Sequences(result, names=X.names, labels=X.labels)
    if isinstance(X, str):
        return result[0]
    if isinstance(result, list):
        if isinstance(X, list):
            return result
        return tuple(result) if isinstance(X, tuple) else np.array(result, dtype=np.asarray(X).dtype)
    return result.astype(X.dtype) if isinstance(X, np.ndarray) else result
