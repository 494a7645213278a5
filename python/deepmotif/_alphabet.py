"""Letters, codes and what the IUPAC ambiguity letters stand for. Sequences room; private.

Codes are 0-3 for A C G T and 4 for an unknown base. U is T, lower case is upper case.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .exceptions import InvalidArgumentError, ShapeError

LETTERS = "ACGT"
UNKNOWN = 4

#: The bases that every letter may stand for (Cornish-Bowden 1985); X is what masking programs write for N.
IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T", "U": "T",
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT", "X": "ACGT",
}  # fmt: skip

_COMPLEMENT_LETTERS = str.maketrans("ACGTURYSWKMBDHVNXacgturyswkmbdhvnx", "TGCAAYRSWMKVHDBNXtgcaayrswmkvhdbnx")
#: Complement of every code.
COMPLEMENT = np.array([3, 2, 1, 0, 4], dtype=np.uint8)

_ILLEGAL = 255
_AMBIGUOUS = UNKNOWN


def _code_table() -> NDArray[np.uint8]:
    table = np.full(256, _ILLEGAL, dtype=np.uint8)
    for letter, bases in IUPAC.items():
        code = LETTERS.index(bases) if len(bases) == 1 else _AMBIGUOUS
        table[ord(letter)] = table[ord(letter.lower())] = code
    return table


def _fraction_table() -> NDArray[np.float32]:
    table = np.zeros((256, 4), dtype=np.float32)
    for letter, bases in IUPAC.items():
        # The float32 nearest to 1/3 is the "exact" fraction: three of them sum to 1 in float32.
        row = [np.float32(1) / np.float32(len(bases)) if base in bases else 0 for base in LETTERS]
        table[ord(letter)] = table[ord(letter.lower())] = row
    return table


_CODES = _code_table()
FRACTIONS = _fraction_table()
_DECODE = np.frombuffer(b"ACGTN", dtype=np.uint8)


def complement_string(sequence: str) -> str:
    """The reverse complement of a str; ambiguity letters and case are kept."""
    return sequence.translate(_COMPLEMENT_LETTERS)[::-1]


def find_illegal(sequences: Sequence[str]) -> tuple[int, int, str]:
    """Sequence, position and description of the first letter that is none; called only where there is one."""
    for index, sequence in enumerate(sequences):
        for position, letter in enumerate(sequence):
            if ord(letter) < 256 and _CODES[ord(letter)] != _ILLEGAL:
                continue
            if letter in "-.":
                kind = "a gap"
            elif letter.isspace():
                kind = "a blank"
            elif letter.isdigit():
                kind = "a digit"
            elif letter.upper() in "EFIJLOPQZ*":
                kind = "not a nucleotide letter (a protein sequence?)"
            else:
                kind = "not a nucleotide letter"
            return index, position, f"{letter!r}, {kind}"
    raise AssertionError("all letters are legal")


def _illegal_letter(sequences: Sequence[str], name: str) -> InvalidArgumentError:
    index, position, found = find_illegal(sequences)
    return InvalidArgumentError(
        f"{name}[{index}] must hold the letters ACGTU or IUPAC ambiguity letters; got {found}, at position {position}"
    )


def _check_strings(sequences: Sequence[object], name: str) -> None:
    for index, sequence in enumerate(sequences):
        if not isinstance(sequence, str):
            shown = repr(sequence)
            shown = shown if len(shown) <= 40 else shown[:37] + "..."
            raise InvalidArgumentError(
                f"{name}[{index}] must be a str of nucleotide letters; got {type(sequence).__name__} {shown}"
            )


def _common_length(sequences: Sequence[str], name: str, length: int | None) -> int:
    """The length of all, or an error that names the first that differs and the remedy."""
    if length is not None:
        return length
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    if lengths.size == 0:
        raise ShapeError(f"{name} must hold at least one sequence; got none")
    empty = np.flatnonzero(lengths == 0)
    if empty.size:
        raise ShapeError(f"{name}[{empty[0]}] is empty; expected at least one letter")
    different = np.flatnonzero(lengths != lengths[0])
    if different.size:
        index = int(different[0])
        raise ShapeError(
            f"{name} must hold sequences of one length; {name}[0] has {lengths[0]} letters and "
            f"{name}[{index}] has {lengths[index]}; pass length= to encode or to the reader to cut or pad all of them "
            f"(lengths run from {lengths.min()} to {lengths.max()})"
        )
    return int(lengths[0])


def all_legal(sequences: Sequence[str]) -> bool:
    """Whether every letter of every sequence is an IUPAC nucleotide letter."""
    letters = np.frombuffer("".join(sequences).encode("ascii", "replace"), dtype=np.uint8)
    return letters.size == 0 or int(_CODES[letters].max()) != _ILLEGAL


def check_letters(sequences: Sequence[str], name: str) -> None:
    """Throws where an entry is no str or a letter is none; lengths may differ."""
    _check_strings(sequences, name)
    if not all_legal(sequences):
        raise _illegal_letter(sequences, name)


def bytes_of_strings(sequences: Sequence[str], name: str, length: int | None) -> NDArray[np.uint8]:
    """ASCII letters (N, L), all checked, each sequence cut or padded right with N where `length` is given."""
    check_letters(sequences, name)
    width = _common_length(sequences, name, length)
    if length is not None:
        sequences = [sequence[:width].ljust(width, "N") for sequence in sequences]
    text = "".join(sequences).encode("ascii")
    return np.frombuffer(text, dtype=np.uint8).reshape(len(sequences), width)


def codes_of_strings(sequences: Sequence[str], name: str, length: int | None = None) -> NDArray[np.uint8]:
    """Codes (N, L); ambiguity letters become 4."""
    return _CODES[bytes_of_strings(sequences, name, length)]


def strings_of_codes(codes: NDArray[np.uint8]) -> list[str]:
    """One str a row; code 4 is N."""
    length = codes.shape[1]
    text = _DECODE[codes].tobytes().decode("ascii")
    return [text[start : start + length] for start in range(0, len(text), length)] if length else [""] * len(codes)
