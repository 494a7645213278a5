"""Reading JASPAR, TRANSFAC and UniPROBE text, record by record through Biopython. Motifs room; users reach it as
`deepmotif.motifs`.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ._meme import read_meme
from ._motif import SUM_TOLERANCE, Motif
from ._reading import checked_path, text_lines
from .exceptions import DeepMotifError, FileFormatError, InvalidArgumentError, MissingDependencyError

_EXPECTED = "a motif file (MEME, JASPAR, PFM, TRANSFAC or UniPROBE text)"


class _Record(NamedTuple):
    """The lines of one motif, the first of them number `first` of the file (from 1)."""

    first: int
    name: str
    alternate_name: str
    lines: list[str]


def read_motifs(path: str | os.PathLike[str], format: str | None = None) -> list[Motif]:
    """Motifs of a text file, plain or gzip.

    Parameters
    ----------
    path : str or Path
        The file.
    format : {"meme", "jaspar", "pfm", "transfac", "uniprobe"}, optional
        None: told from the contents. "jaspar" has a line ``>identifier name`` before the four rows of each motif, "pfm"
        is four rows of one motif, which is called by the name of the file.

    Returns
    -------
    list of Motif
        In the order of the file. Matrices whose positions all sum to 1 are probabilities, others counts, with
        `.counts` and `.n_sites`.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        Another format, or a damaged file: with file and line.
    MissingDependencyError
        Biopython, which reads all formats but MEME's, is not installed.

    See Also
    --------
    read_meme : for MEME's format, without Biopython.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import deepmotif as dm
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "one.jaspar")
    >>> _ = path.write_text(">M1 GATA\\nA [0 9 0 9]\\nC [0 0 0 0]\\nG [9 0 0 0]\\nT [0 0 9 0]\\n")
    >>> dm.read_motifs(path)  # doctest: +SKIP
    [Motif('M1', 'GATA', 4 positions, 8.0 bits, 9 sites)]
    """
    path = checked_path(path)
    if format is not None and format not in ("meme", *_SPLITTERS):
        raise InvalidArgumentError(f"format must be one of meme, {', '.join(_SPLITTERS)} or None; got {format!r}")
    lines = text_lines(path, _EXPECTED)
    kind = format or _guess(lines)
    if kind == "meme":
        return read_meme(path)
    if kind is None:
        raise FileFormatError(f"{path} is of no known format; expected {_EXPECTED}")
    records = list(_SPLITTERS[kind](lines, path))
    if not records:
        raise FileFormatError(f"{path} holds no motifs in {kind} format; expected {_EXPECTED}")
    motifs = [_motif(record, kind, path) for record in records]
    _check_names(records, path)
    return motifs


def _guess(lines: list[str]) -> str | None:
    """The format, from the first line that tells."""
    for line in lines:
        text = line.strip()
        if text.startswith("MEME version"):
            return "meme"
        if text.startswith(">"):
            return "jaspar"
        if re.match(r"(AC|ID|VV|P[0O])\s", text):
            return "transfac"
        if re.match(r"[ACGT]:\s", text):
            return "uniprobe"
        if re.fullmatch(r"[-+.eE\d\s]+", text) and len(text.split()) > 1:
            return "pfm"
    return None


# MARK: records


def _split_jaspar(lines: list[str], path: Path) -> Iterator[_Record]:
    starts = [i for i, line in enumerate(lines) if line.startswith(">")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        names = lines[start][1:].split(None, 1)
        if not names:
            raise FileFormatError(f"{path}: line {start + 1}: expected '>identifier name'; got {lines[start]!r}")
        yield _Record(start + 1, names[0], names[1].strip() if len(names) > 1 else "", lines[start:end])


def _split_pfm(lines: list[str], path: Path) -> Iterator[_Record]:
    name = path.name.removesuffix(".gz")
    yield _Record(1, name.rsplit(".", 1)[0], "", lines)


def _split_transfac(lines: list[str], path: Path) -> Iterator[_Record]:
    start = 0
    for index, line in enumerate([*lines, "//"]):
        if not line.startswith("//"):
            continue
        own = lines[start:index]
        fields = {row[:2]: row[2:].strip() for row in reversed(own) if row.strip()}
        if any(re.match(r"P[0O]\s", row) for row in own):
            name = fields.get("AC") or fields.get("ID") or f"motif_{start + 1}"
            alternate = fields.get("NA") or fields.get("ID") or ""
            yield _Record(start + 1, name, alternate if alternate != name else "", own)
        elif "AC" in fields or "ID" in fields:
            raise FileFormatError(f"{path}: line {start + 1}: a record without a matrix (no line P0)")
        start = index + 1


def _split_uniprobe(lines: list[str], path: Path) -> Iterator[_Record]:
    header, rows, first = "", [], 0
    for index, line in enumerate([*lines, ""]):
        text = line.strip()
        if re.match(r"[ACGT]:", text):
            first = first or index + 1
            rows.append(text.split(":", 1)[1])
            continue
        if rows:
            name = header.split("\t")[0].removeprefix("Protein:").strip() or f"motif_line_{first}"
            yield _Record(first, name, "", rows)
            header, rows, first = "", [], 0
        if text and not text.startswith("#"):
            header = text


_SPLITTERS: dict[str, Callable[[list[str], Path], Iterator[_Record]]] = {
    "jaspar": _split_jaspar,
    "pfm": _split_pfm,
    "transfac": _split_transfac,
    "uniprobe": _split_uniprobe,
}


def _check_names(records: list[_Record], path: Path) -> None:
    first: dict[str, int] = {}
    for record in records:
        if record.name in first:
            raise FileFormatError(
                f"{path}: line {record.first}: the name {record.name!r} is that of the motif of line "
                f"{first[record.name]}"
            )
        first[record.name] = record.first


# MARK: motifs


def _motif(record: _Record, kind: str, path: Path) -> Motif:
    # Biopython has no parser of UniPROBE's, whose rows without their letters are its "pfm".
    biopython = {"uniprobe": "pfm"}.get(kind, kind)
    try:
        values = _matrix(record.lines, biopython)
        if np.abs(values.sum(axis=1) - 1).max() <= SUM_TOLERANCE:
            return Motif(values, record.name, alternate_name=record.alternate_name)
        return Motif(None, record.name, counts=values, alternate_name=record.alternate_name)
    except MissingDependencyError:
        raise
    except DeepMotifError as error:
        reason = str(error)
    except Exception as error:  # Biopython raises KeyError, ValueError and bare exceptions alike
        reason = f"{error}" if isinstance(error, ValueError) else f"a damaged matrix ({error})"
    line = record.first + _damaged_line(record.lines, kind)
    raise FileFormatError(f"{path}: line {line}: motif {record.name}: {reason}")


def _matrix(lines: list[str], biopython: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        from Bio import motifs
    except ImportError:
        raise MissingDependencyError(
            "read_motifs needs Biopython for formats other than MEME's: pip install 'deepmotif[motifs]'"
        ) from None
    text = "\n".join(lines) + ("\n//\n" if biopython == "transfac" else "\n")
    options = {"strict": False} if biopython == "transfac" else {}
    parsed = list(motifs.parse(io.StringIO(text), biopython, **options))
    if len(parsed) != 1 or parsed[0].counts is None:
        raise ValueError("expected one matrix")
    counts = parsed[0].counts
    return np.array([[float(counts[letter][i]) for letter in "ACGT"] for i in range(parsed[0].length)]).reshape(-1, 4)


def _damaged_line(lines: list[str], kind: str) -> int:
    """Index of the first line of a matrix that has a cell that is no number, or another number of cells; 0 if none."""
    width = None
    for index, line in enumerate(lines):
        cells = line.replace("[", " ").replace("]", " ").split()
        if kind == "transfac":
            if not cells or not cells[0].isdigit():
                continue
            cells, width = cells[1:5], 4
        elif line.startswith(">") or not cells:
            continue
        elif cells[0].upper() in ("A", "C", "G", "T"):
            cells = cells[1:]
        if width is None:
            width = len(cells)
        if len(cells) != width or not all(_is_count(cell) for cell in cells):
            return index
    return 0


def _is_count(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
