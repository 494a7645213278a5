"""Reading sequences from FASTA files and tables. Sequences room; part of `deepmotif.sequences`."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import _alphabet
from ._input import Sequences
from ._reading import checked_path, reading, text_lines
from ._validation import check_whole
from .exceptions import FileFormatError, InvalidArgumentError, ShapeError

# Letters of records that are handed on together.
_GROUP_LETTERS = 1 << 22


def read_fasta(path: str | os.PathLike[str], length: int | None = None) -> Sequences:
    """Sequences of a FASTA file, plain or gzip.

    Parameters
    ----------
    path : str or Path
        Records may be wrapped, in lower case, RNA, and hold IUPAC ambiguity letters (read as unknown bases).
    length : int, optional
        Cut longer sequences on the right and pad shorter ones on the right with unknown bases. Without it all must
        have one length.

    Returns
    -------
    Sequences
        `.names` are the headers up to the first blank; `.labels` the headers as integers where every header is 0 or 1
        (as in ``>1``), else None.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        No FASTA: no record, text before the first header, a record without letters, letters that are no nucleotides, a
        gzip file cut short.
    ShapeError
        Lengths differ and `length` is not given.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from deepmotif.sequences import read_fasta
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "peaks.fa")
    >>> _ = path.write_text(">peak1 chr1:10-14\\nACGT\\n>peak2\\nTTGN\\n")
    >>> read_fasta(path).names
    ['peak1', 'peak2']
    """
    import dnaio

    path = checked_path(path)
    if length is not None:
        length = check_whole(length, "length")
    with reading(path, "a FASTA file") as file:
        try:
            with dnaio.open(file, fileformat="fasta") as reader:
                records = [(record.name, record.sequence) for record in reader]
        except dnaio.FileFormatError as error:
            raise FileFormatError(f"{path} is no FASTA file: {error}") from None
    if not records:
        raise FileFormatError(f"{path} holds no sequences; expected a FASTA file, records that begin with '>'")
    headers = [header for header, _ in records]
    names = [header.split(None, 1)[0] if header.strip() else "" for header in headers]
    strings = [sequence for _, sequence in records]
    places = [f"record {i + 1} ({name})" for i, name in enumerate(names)]
    codes = _codes(path, strings, places, length)
    labels = [int(header) for header in headers] if {*headers} <= {"0", "1"} else None
    return Sequences(codes, names=names, labels=labels)


def fasta_groups(path: str | os.PathLike[str]) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Names and codes (n, L) of consecutive records of one length, so that records of any lengths can be read in turn.

    Raises
    ------
    FileNotFound, FileReadError, FileFormatError
        As in `read_fasta`, when the record is reached.
    """
    import dnaio

    path = checked_path(path)
    names: list[str] = []
    strings: list[str] = []
    count = 0
    with reading(path, "a FASTA file") as file:
        try:
            with dnaio.open(file, fileformat="fasta") as reader:
                for record in reader:
                    full = len(strings) * len(record.sequence) >= _GROUP_LETTERS
                    if strings and (full or len(record.sequence) != len(strings[0])):
                        yield names, _group(path, names, strings, count)
                        count += len(names)
                        names, strings = [], []
                    names.append(record.name.split(None, 1)[0] if record.name.strip() else "")
                    strings.append(record.sequence)
        except dnaio.FileFormatError as error:
            raise FileFormatError(f"{path} is no FASTA file: {error}") from None
    if not strings:
        raise FileFormatError(f"{path} holds no sequences; expected a FASTA file, records that begin with '>'")
    yield names, _group(path, names, strings, count)


def _group(path: Path, names: list[str], strings: list[str], count: int) -> NDArray[np.uint8]:
    places = [f"record {count + i + 1} ({name})" for i, name in enumerate(names)]
    return _codes(path, strings, places, None)


def _codes(path: Path, strings: list[str], places: list[str], length: int | None) -> NDArray[np.uint8]:
    """Codes of the strings; errors name the file and the place."""
    if "" in strings:
        raise FileFormatError(f"{path}: {places[strings.index('')]} has no sequence; is the file cut short?")
    if not _alphabet.all_legal(strings):
        index, position, found = _alphabet.find_illegal(strings)
        raise FileFormatError(
            f"{path}: {places[index]} must hold the letters ACGTU or IUPAC ambiguity letters; got {found}, at position "
            f"{position}"
        )
    if length is None:
        lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
        different = np.flatnonzero(lengths != lengths[0])
        if different.size:
            index = int(different[0])
            raise ShapeError(
                f"{path}: sequences must have one length; {places[0]} has {lengths[0]} letters and {places[index]} has "
                f"{lengths[index]}; pass length= to cut or pad all of them (lengths run from {lengths.min()} to "
                f"{lengths.max()})"
            )
    return _alphabet.codes_of_strings(strings, str(path), length)


# MARK: tables


def read_table(
    path: str | os.PathLike[str],
    sequence: str | int = "seq",
    label: str | int | None = "Bound",
    *,
    name: str | int | None = None,
    length: int | None = None,
) -> Sequences:
    """Sequences and labels of a table: tabs, commas, semicolons or blanks between columns, plain or gzip.

    The defaults read the files of DeepBind (``.seq.gz``).

    Parameters
    ----------
    path : str or Path
        The separator is taken from the first line.
    sequence, label, name : str or int
        Columns, by the name in the header; or by number from 0, all of them, for a file that has no header.
        ``label=None``: no labels. ``name=None``: names are row numbers from 0.
    length : int, optional
        As in `read_fasta`.

    Returns
    -------
    Sequences
        Labels are int64. A file with one class of labels is read; training needs two.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        A column that is not there, a row that is too short, a label that is missing or no integer, letters that are
        no nucleotides: with file and line.
    ShapeError
        Lengths differ and `length` is not given.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from deepmotif.sequences import read_table
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "train.csv")
    >>> _ = path.write_text("sequence,label\\nACGT,1\\nTTGN,0\\n")
    >>> read_table(path, sequence="sequence", label="label").labels
    array([1, 0])
    """
    path = checked_path(path)
    if length is not None:
        length = check_whole(length, "length")
    wanted = {"sequence": sequence, "label": label, "name": name}
    columns = {key: column for key, column in wanted.items() if column is not None}
    _check_columns(columns)
    lines = text_lines(path, "a table of sequences")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise FileFormatError(f"{path} is empty; expected a table of sequences")
    separator = _separator(lines[first])
    rows = csv.reader(lines[first:], delimiter=separator, skipinitialspace=separator == " ")
    if isinstance(sequence, str):
        indices = _header_indices(path, next(rows), columns)
    else:
        indices = {key: int(column) for key, column in columns.items()}
    cells, numbers = _read_rows(path, rows, indices, first)
    if not numbers:
        raise FileFormatError(f"{path} has a header and no rows; expected a table of sequences")
    places = [f"line {number}" for number in numbers]
    strings = [text.strip() for text in cells["sequence"]]
    codes = _codes(path, strings, places, length)
    labels = _labels(path, cells["label"], numbers) if label is not None else None
    return Sequences(codes, names=cells["name"] if name is not None else None, labels=labels)


def _check_columns(columns: dict[str, str | int]) -> None:
    if "sequence" not in columns:
        raise InvalidArgumentError("sequence must be the column of the sequences; got None")
    for key, column in columns.items():
        if isinstance(column, str):
            continue
        check_whole(column, key, minimum=0)
    if len({isinstance(column, str) for column in columns.values()}) > 1:
        raise InvalidArgumentError(
            "sequence, label and name must all be names (a file with a header) or all be numbers (a file without one); "
            f"got {columns}"
        )


def _separator(line: str) -> str:
    for separator in "\t,;":
        if separator in line:
            return separator
    return " "


def _header_indices(path: Path, header: list[str], columns: dict[str, str | int]) -> dict[str, int]:
    found = [cell.strip() for cell in header]
    indices = {}
    for key, column in columns.items():
        if column not in found:
            shown = ", ".join(cell if len(cell) <= 20 else cell[:17] + "..." for cell in found[:12])
            remedy = ", or label=None for none" if key == "label" else ""
            raise FileFormatError(
                f"{path} has no column {column!r}; its first line holds: {shown}; pass {key}= the name of the "
                f"column{remedy} (numbers from 0 for a file without a header)"
            )
        indices[key] = found.index(str(column))
    return indices


def _read_rows(path: Path, rows: Any, indices: dict[str, int], offset: int) -> tuple[dict[str, list[str]], list[int]]:
    """Cells of the wanted columns and the line number of every row that is not blank."""
    needed = max(indices.values()) + 1
    kept: list[list[str]] = []
    numbers: list[int] = []
    try:
        for row in rows:
            if len(row) < needed:
                if not row or row == [""]:
                    continue
                _row_error(path, rows.line_num + offset, f"expected at least {needed} columns; got {len(row)}")
            kept.append(row)
            numbers.append(rows.line_num + offset)
    except csv.Error as error:
        _row_error(path, rows.line_num + offset, str(error))
    return {key: [row[index] for row in kept] for key, index in indices.items()}, numbers


def _row_error(path: Path, line: int, message: str) -> NoReturn:
    raise FileFormatError(f"{path}: line {line}: {message}")


def _labels(path: Path, texts: list[str], numbers: list[int]) -> NDArray[np.int64]:
    values: dict[str, int] = {}
    for text, number in zip(texts, numbers, strict=True):
        if text in values:
            continue
        try:
            value = float(text)
            whole = int(value)
        except (ValueError, OverflowError):
            whole, value = 0, float("nan")
        if whole != value or abs(whole) >= 2**53:
            shown = "nothing" if not text.strip() else repr(text[:40])
            _row_error(path, number, f"the label must be an integer; got {shown} (label=None reads no labels)")
        values[text] = whole
    return np.array([values[text] for text in texts], dtype=np.int64)
