"""Reading windows of a genome around peaks: BED and narrowPeak. Sequences room; part of `deepmotif.sequences`."""

import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from . import _alphabet
from ._input import Sequences
from ._reading import checked_path, is_gzip, reading, text_lines
from ._validation import check_flag, check_whole
from .exceptions import FileFormatError, FileNotFound, FileReadError, InvalidArgumentError, MissingDependencyError


class _Peak(NamedTuple):
    chrom: str
    center: int
    reverse: bool
    place: str


def read_peaks(bed: Any, genome: str | os.PathLike[str], width: int = 101, *, stranded: bool = True) -> Sequences:
    """Windows of a genome centred on peaks.

    Parameters
    ----------
    bed : str, Path or DataFrame
        A BED or narrowPeak file, plain or gzip, or a table with the columns chrom, start and end (0-based, half-open)
        and, where wanted, strand and peak (the summit's distance from the start, -1 for none). Windows are centred on
        the summit that a narrowPeak file names (10 columns), else on the middle, ``(start + end) // 2``.
    genome : str or Path
        FASTA file with the peaks' chromosomes. A plain file is read through its index (``.fai``; made beside the file,
        or in the temporary folder where that cannot be written), a gzip file is read whole. Needs pyfaidx, the extra
        ``deepmotif[genome]``, unless it is a gzip file.
    width : int
        L. A window covers positions ``c - width // 2`` up to, not including, ``c + width - width // 2``. What lies
        beyond an end of the chromosome is unknown (code 4).
    stranded : bool
        Peaks on the ``-`` strand come as reverse complements.

    Returns
    -------
    Sequences
        In the order of the file; `.names` are the windows, ``chrom:start-end`` with ``(-)`` behind reverse complements.

    Raises
    ------
    FileNotFound, FileReadError
        A file does not exist or cannot be read.
    FileFormatError
        A line that is no interval, a chromosome that the genome does not have, a centre beyond its end.
    MissingDependencyError
        pyfaidx is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from deepmotif.sequences import read_peaks
    >>> folder = tempfile.TemporaryDirectory()
    >>> genome, bed = pathlib.Path(folder.name, "genome.fa"), pathlib.Path(folder.name, "peaks.bed")
    >>> _ = genome.write_text(">chr1\\nAACCGGTTAC\\n"), bed.write_text("chr1\\t2\\t5\\nchr1\\t0\\t2\\n")
    >>> peaks = read_peaks(bed, genome, width=5)
    >>> peaks.names, list(peaks)
    (['chr1:1-6', 'chr1:-1-4'], ['ACCGG', 'NAACC'])
    """
    width = check_whole(width, "width")
    check_flag(stranded, "stranded")
    peaks = _table_peaks(bed) if hasattr(bed, "columns") else _file_peaks(checked_path(bed, "bed"))
    path = checked_path(genome, "genome")
    chromosomes = _open_genome(path, {peak.chrom for peak in peaks})
    codes = np.full((len(peaks), width), _alphabet.UNKNOWN, dtype=np.uint8)
    names = []
    for row, peak in enumerate(peaks):
        size = _size(chromosomes, peak, path)
        start = peak.center - width // 2
        low, high = max(start, 0), min(start + width, size)
        if low < high:
            codes[row, low - start : high - start] = _window_codes(chromosomes, peak, low, high, path)
        reverse = stranded and peak.reverse
        if reverse:
            codes[row] = _alphabet.COMPLEMENT[codes[row, ::-1]]
        names.append(f"{peak.chrom}:{start}-{start + width}{'(-)' if reverse else ''}")
    return Sequences(codes, names=names)


# MARK: intervals


def _file_peaks(path: Path) -> list[_Peak]:
    peaks = []
    for number, line in enumerate(text_lines(path, "a BED or narrowPeak file"), start=1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        if len(cells) < 3:
            raise FileFormatError(
                f"{path}: line {number}: expected at least chromosome, start and end; got {line[:60]!r}"
            )
        summit = cells[9] if len(cells) == 10 else "-1"
        strand = cells[5] if len(cells) > 5 else "."
        peaks.append(_peak(cells[0], cells[1], cells[2], strand, summit, f"{path}: line {number}"))
    if not peaks:
        raise FileFormatError(f"{path} holds no intervals; expected a BED or narrowPeak file")
    return peaks


def _table_peaks(table: Any) -> list[_Peak]:
    found = [str(column) for column in table.columns]
    missing = [column for column in ("chrom", "start", "end") if column not in found]
    if missing:
        raise InvalidArgumentError(f"bed must have the columns chrom, start and end; {missing} are not in {found}")
    chrom, start, end = (list(table[column]) for column in ("chrom", "start", "end"))
    count = len(chrom)
    if count == 0:
        raise InvalidArgumentError("bed must hold at least one interval; got an empty table")
    strand = list(table["strand"]) if "strand" in found else ["."] * count
    summit = list(table["peak"]) if "peak" in found else [-1] * count
    return [_peak(chrom[i], start[i], end[i], strand[i], summit[i], f"bed: row {i}") for i in range(count)]


def _peak(chrom: Any, start: Any, end: Any, strand: Any, summit: Any, place: str) -> _Peak:
    try:
        first, last, offset = int(start), int(end), int(summit)
    except (TypeError, ValueError):
        raise FileFormatError(
            f"{place}: start, end and summit must be integers; got {start!r}, {end!r}, {summit!r}"
        ) from None
    if not 0 <= first < last:
        raise FileFormatError(f"{place}: an interval must have 0 <= start < end; got {first} and {last}")
    if not -1 <= offset <= last - first:
        raise FileFormatError(f"{place}: the summit must lie in the interval, 0-{last - first}, or be -1; got {offset}")
    if strand not in ("+", "-", "."):
        raise FileFormatError(f"{place}: the strand must be '+', '-' or '.'; got {strand!r}")
    center = (first + last) // 2 if offset == -1 else first + offset
    return _Peak(str(chrom), center, strand == "-", place)


# MARK: the genome


class _Chromosome(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Any: ...


def _open_genome(path: Path, wanted: set[str]) -> dict[str, _Chromosome]:
    """Chromosomes by name: strings, or indexed records that fetch a slice from the file."""
    try:
        compressed = is_gzip(path)
    except FileNotFoundError as error:
        raise FileNotFound(error.errno, "no such file; expected the genome, a FASTA file", str(path)) from None
    except IsADirectoryError:
        raise FileFormatError(f"{path} is a folder; expected the genome, a FASTA file") from None
    except OSError as error:
        raise FileReadError(error.errno, f"could not be read: {error.strerror}", str(path)) from None
    return _read_genome(path, wanted) if compressed else _indexed_genome(path)


def _read_genome(path: Path, wanted: set[str]) -> dict[str, _Chromosome]:
    import dnaio

    with reading(path, "the genome, a FASTA file") as file:
        try:
            with dnaio.open(file, fileformat="fasta") as reader:
                # Only what the peaks name is kept: a whole genome would fill the memory.
                found = {record.id: record.sequence if record.id in wanted else "" for record in reader}
        except dnaio.FileFormatError as error:
            raise FileFormatError(f"{path} is no FASTA file: {error}") from None
    return dict(found)


def _indexed_genome(path: Path) -> dict[str, _Chromosome]:
    try:
        import pyfaidx
    except ImportError:
        raise MissingDependencyError(
            "read_peaks needs pyfaidx for a genome that is not compressed: pip install 'deepmotif[genome]'"
        ) from None

    def index(indexname: str | None) -> Any:
        return pyfaidx.Fasta(str(path), indexname=indexname, as_raw=True, strict_bounds=True, read_ahead=None)

    try:
        if Path(f"{path}.fai").exists() or os.access(path.parent, os.W_OK):
            return dict(index(None).items())
        with tempfile.TemporaryDirectory() as folder:
            # pyfaidx holds the index in memory once it is read.
            return dict(index(str(Path(folder, "genome.fai"))).items())
    except (pyfaidx.FastaIndexingError, pyfaidx.FastaNotFoundError, ValueError, KeyError) as error:
        raise FileFormatError(f"{path} is no FASTA file that can be indexed: {error}") from None
    except OSError as error:
        raise FileReadError(
            error.errno, f"could not be read or indexed: {error.strerror or error}", str(path)
        ) from None


def _size(chromosomes: dict[str, _Chromosome], peak: _Peak, path: Path) -> int:
    if peak.chrom not in chromosomes:
        shown = ", ".join(list(chromosomes)[:5])
        raise FileFormatError(
            f"{peak.place}: the genome {path} has no chromosome {peak.chrom!r}; it has {shown}"
            f"{', ...' if len(chromosomes) > 5 else ''}"
        )
    size = len(chromosomes[peak.chrom])
    if peak.center >= size:
        raise FileFormatError(
            f"{peak.place}: the centre {peak.center} lies beyond the end of {peak.chrom}, {size} bp in {path}; are "
            "peaks and genome of the same assembly?"
        )
    return size


def _window_codes(
    chromosomes: dict[str, _Chromosome], peak: _Peak, low: int, high: int, path: Path
) -> NDArray[np.uint8]:
    text = str(chromosomes[peak.chrom][low:high])
    if not _alphabet.all_legal([text]):
        _, position, found = _alphabet.find_illegal([text])
        raise FileFormatError(f"{path}: {peak.chrom} must hold nucleotide letters; got {found}, at {low + position}")
    return _alphabet.codes_of_strings([text], str(path))[0]
