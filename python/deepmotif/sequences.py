"""Sequences: letters in, codes out, and what can be done with them before a model sees them. Sequences room.

A *sequence argument* X is a str, a list or array of str, a `Sequences`, codes (N, L) with 0-3 = ACGT and 4 = unknown,
or float letters (N, L, 4), one-hot or soft. `as_input` is the one door through which all of them come.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _alphabet, _arrays, _native
from ._input import Codes, Letters, Sequences, as_input, strings_of
from ._io import read_fasta, read_table
from ._peaks import read_peaks
from ._stored import open_array
from ._validation import check_threads, check_whole, draw_seed
from .exceptions import InvalidArgumentError

__all__ = [
    "Sequences",
    "as_input",
    "decode",
    "dinucleotide_shuffle",
    "encode",
    "make_dataset",
    "one_hot",
    "open_array",
    "read_fasta",
    "read_peaks",
    "read_table",
    "reverse_complement",
]

# MARK: letters and codes


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
    if not isinstance(ambiguous, str) or ambiguous not in ("unknown", "fraction", "error"):
        raise InvalidArgumentError(f'ambiguous must be "unknown", "fraction" or "error"; got {ambiguous!r}')
    if length is not None:
        length = check_whole(length, "length")
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
            f"X must be one-hot or hold equal fractions to be decoded; got {array[index]} at X{list(index)}; "
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


# MARK: shuffles


def dinucleotide_shuffle(X: Any, random_state: Any = 0, *, n_threads: int | None = None) -> Any:
    """Sequences with the same letters and dinucleotides in another order.

    Every row is an independent draw, uniform over all distinct sequences with its letter and dinucleotide counts; these
    fix its first and last letter, and some sequences (AAAA) are their only shuffle. An unknown base is a fifth letter.

    Parameters
    ----------
    X : sequence argument
        Strings of one length; ambiguity letters count as N. Letters (N, L, 4) must be one-hot.
    random_state : int, None, Generator or RandomState
        Row i of the same seed is shuffled in the same way whatever the number of rows and threads.
    n_threads : int, optional
        All processors that the process may use by default.

    Returns
    -------
    Same form and shape as X
        str, list, tuple, array of str, Sequences (labels and names kept), codes or letters of the dtype given.

    Notes
    -----
    A random Euler walk over a uniform arborescence: Altschul and Erickson 1985,
    doi:10.1093/oxfordjournals.molbev.a040370; Propp and Wilson 1998, doi:10.1006/jagm.1997.0917.

    Examples
    --------
    >>> from deepmotif.sequences import dinucleotide_shuffle
    >>> shuffled = dinucleotide_shuffle("ACCCACGATGATG", random_state=1)
    >>> shuffled[0], shuffled[-1], sorted(shuffled) == sorted("ACCCACGATGATG")
    ('A', 'G', True)
    """
    array = as_input(X)
    is_letters = array.ndim == 3
    codes = _arrays.codes_of_letters(array, "X", "to be shuffled") if is_letters else array
    shuffled = _native.dinucleotide_shuffle(codes, draw_seed(random_state), 0, check_threads(n_threads))
    if is_letters:
        return _like(np.eye(5, 4, dtype=np.float32)[shuffled], X)
    strings = not isinstance(X, Sequences) and strings_of(X, "X") is not None
    return _like(_alphabet.strings_of_codes(shuffled) if strings else shuffled, X)


def make_dataset(
    positives: Any, random_state: Any = 0, *, n_threads: int | None = None
) -> tuple[Codes, NDArray[np.int64]]:
    """Positives and as many dinucleotide shuffles of them: a training set from sequences that are all bound.

    Parameters
    ----------
    positives : sequence argument
        N sequences; labels of a `Sequences`, if any, must all be 1. Letters (N, L, 4) must be one-hot.
    random_state : int, None, Generator or RandomState
        Of the shuffles.
    n_threads : int, optional
        All processors that the process may use by default.

    Returns
    -------
    X : array (2 N, L)
        Codes: the positives in their order, then the shuffle of each.
    y : array (2 N,)
        int64: N ones, then N zeros.

    Examples
    --------
    >>> from deepmotif.sequences import make_dataset
    >>> X, y = make_dataset(["ACCCACGATGATG", "TTGACATTTATGT"])
    >>> X.shape, y
    ((4, 13), array([1, 1, 0, 0]))
    """
    array = as_input(positives, name="positives")
    labels = positives.labels if isinstance(positives, Sequences) else None
    if labels is not None and (labels != 1).any():
        raise InvalidArgumentError(
            f"positives must all be labelled 1; got {int((labels != 1).sum())} other labels: pass "
            "positives[positives.labels == 1]"
        )
    codes = _arrays.codes_of_letters(array, "positives", "to be shuffled") if array.ndim == 3 else array
    shuffled = _native.dinucleotide_shuffle(codes, draw_seed(random_state), 0, check_threads(n_threads))
    y = np.repeat(np.array([1, 0], dtype=np.int64), len(codes))
    return np.concatenate([codes, shuffled]), y
