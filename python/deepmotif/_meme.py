"""Reading and writing MEME's motif format, versions 4 and 5. Motifs room; users reach it as `deepmotif.motifs`."""

import gzip
import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ._motif import SUM_TOLERANCE, Motif
from ._reading import checked_path, text_lines
from .exceptions import FileFormatError, InvalidArgumentError

_EXPECTED = "a motif file in MEME format"


def read_meme(path: str | os.PathLike[str]) -> list[Motif]:
    """Motifs of a file in MEME's format, plain or gzip.

    Parameters
    ----------
    path : str or Path
        Minimal files and MEME's own output, version 4 or 5; DNA, or RNA, whose U is read as T. A missing ALPHABET
        line is taken as DNA.

    Returns
    -------
    list of Motif
        In the order of the file. `.name` is the identifier and `.alternate_name` what follows it; `.n_sites` as in the
        file, else None; `.background` the file's letter frequencies, else None. A second motif of the same name gets
        ``_2`` behind it, or the next number that makes a new name, with a warning.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        No MEME file, another alphabet, a matrix that is cut short, a number that is none, negative or NaN, a row sum
        off by more than 0.01: with file and line.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from deepmotif.motifs import Motif, read_meme, write_meme
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "motifs.meme")
    >>> write_meme(path, [Motif.from_consensus("GATAAG", name="GATA")])
    >>> read_meme(path)
    [Motif('GATA', 'GATAAG', 6 positions, 12.0 bits)]
    """
    path = checked_path(path)
    return _Reader(path, text_lines(path, _EXPECTED)).motifs()


class _Found(NamedTuple):
    name: str
    alternate: str
    rows: list[list[float]]
    sites: float | None
    background: list[float] | None


class _Reader:
    """One pass over the lines of a file."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self.lines = lines
        self.at = 0
        self.background: list[float] | None = None
        self.found: list[_Found] = []

    def fail(self, message: str) -> NoReturn:
        raise FileFormatError(f"{self.path}: line {min(self.at + 1, len(self.lines))}: {message}")

    def motifs(self) -> list[Motif]:
        if not any(line.startswith("MEME version") for line in self.lines):
            raise FileFormatError(f"{self.path} has no line 'MEME version'; expected {_EXPECTED}")
        name: tuple[str, str] | None = None
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            if line.startswith("ALPHABET"):
                self.alphabet(line)
            elif line.startswith("Background letter frequencies"):
                self.read_background()
            elif self.lines[self.at].startswith("MOTIF"):
                if name is not None:
                    self.fail(f"motif {name[0]} has no letter-probability matrix")
                name = self.motif_name(line)
            elif line.startswith("letter-probability matrix"):
                if name is None:
                    self.fail("a letter-probability matrix without a MOTIF line before it")
                self.matrix(line, name)
                name = None
            self.at += 1
        if name is not None:
            self.fail(f"motif {name[0]} has no letter-probability matrix; is the file cut short?")
        if not self.found:
            raise FileFormatError(f"{self.path} holds no motifs; expected {_EXPECTED}")
        return [
            Motif(motif.rows, name, n_sites=motif.sites, alternate_name=motif.alternate, background=motif.background)
            for motif, name in zip(self.found, self.unique_names(), strict=True)
        ]

    def unique_names(self) -> list[str]:
        """The identifiers; a repeated one gets the first number behind it that makes a name nobody has."""
        used = {motif.name for motif in self.found}
        seen: set[str] = set()
        names = []
        renamed = []
        for motif in self.found:
            name, copies = motif.name, 1
            while name in seen or (copies > 1 and name in used):
                copies += 1
                name = f"{motif.name}_{copies}"
            if copies > 1:
                renamed.append(name)
            seen.add(name)
            names.append(name)
        if renamed:
            warnings.warn(
                f"{self.path}: names that occur again get a number behind them, {len(renamed)} in all, such as "
                f"{renamed[0]}",
                stacklevel=4,
            )
        return names

    def alphabet(self, line: str) -> None:
        """`ALPHABET= ACGT`, or the definition of an alphabet letter by letter up to END ALPHABET."""
        if "=" in line:
            letters = line.split("=", 1)[1].strip()
        else:
            letters = ""
            while self.at + 1 < len(self.lines) and not line.startswith("END ALPHABET"):
                self.at += 1
                line = self.lines[self.at].strip()
                if "~" in line:
                    letters += line[0] + line.split("~", 1)[1].split()[0]
                elif line and line.split()[0] in list("ACGU") and "=" not in line:
                    letters += line[0]
        if "".join(sorted(set(letters.upper()))) not in ("ACGT", "ACGU"):
            self.fail(f"the alphabet must be ACGT or ACGU; got {letters!r}")

    def read_background(self) -> None:
        """Letter and frequency in turn, over one line or several."""
        values: dict[str, float] = {}
        while self.at + 1 < len(self.lines) and len(values) < 4:
            cells = self.lines[self.at + 1].split()
            if not cells:
                break
            self.at += 1
            for letter, text in zip(cells[::2], cells[1::2], strict=False):
                values[letter.upper().replace("U", "T")] = self.number(text)
        frequencies = [values.get(letter, 0.0) for letter in "ACGT"]
        if min(frequencies) < 0 or abs(sum(frequencies) - 1) > SUM_TOLERANCE:
            self.fail(f"background frequencies of A C G T must sum to 1; got {frequencies}")
        # A letter that never occurs has no log odds; MEME Suite treats such a background as absent, too.
        self.background = frequencies if min(frequencies) > 0 else None

    def motif_name(self, line: str) -> tuple[str, str]:
        cells = line[len("MOTIF") :].split()
        if not cells:
            self.fail("a MOTIF line must name the motif")
        alternate = cells[1] if len(cells) > 1 and cells[1] not in ("width", "w=", "width=") else ""
        return cells[0], alternate

    def matrix(self, line: str, name: tuple[str, str]) -> None:
        options = dict(re.findall(r"(\w+)\s*=\s*(\S+)", line))
        if options.get("alength", "4") != "4":
            self.fail(f"motif {name[0]} must have 4 letters; got alength= {options['alength']}")
        width = self.whole(options["w"], "w") if "w" in options else None
        sites = self.number(options["nsites"]) if "nsites" in options else None
        if sites is not None and not 0 <= sites < float("inf"):
            self.fail(f"nsites must not be negative; got {options['nsites']}")
        rows: list[list[float]] = []
        while (width is None or len(rows) < width) and self.at + 1 < len(self.lines):
            cells = self.lines[self.at + 1].split()
            if not cells and (rows or width is None):
                break
            self.at += 1
            if cells:
                rows.append(self.row(cells, name[0], len(rows), width))
        if not rows or (width is not None and len(rows) < width):
            self.at += 1
            self.fail(f"motif {name[0]} has {len(rows)} rows of {width or 'at least 1'}; is the file cut short?")
        if width is not None and self.at + 1 < len(self.lines) and self.is_row(self.lines[self.at + 1]):
            self.at += 1
            self.fail(f"motif {name[0]} has more rows than the {width} announced")
        self.found.append(_Found(*name, rows, sites, self.background))

    def row(self, cells: list[str], name: str, index: int, width: int | None) -> list[float]:
        if len(cells) != 4 or not self.is_row(" ".join(cells)):
            what = f"row {index + 1}" + (f" of {width}" if width else "")
            self.fail(f"motif {name}: {what} must be 4 probabilities; got {' '.join(cells)[:60]!r}")
        values = [self.number(cell) for cell in cells]
        if not all(0 <= value < float("inf") for value in values):
            self.fail(f"motif {name}: probabilities must be finite and not negative; got {' '.join(cells)}")
        if abs(sum(values) - 1) > SUM_TOLERANCE:
            self.fail(f"motif {name}: probabilities must sum to 1; {' '.join(cells)} sum to {sum(values):g}")
        return values

    @staticmethod
    def is_row(line: str) -> bool:
        cells = line.split()
        try:
            return len(cells) == 4 and len([float(cell) for cell in cells]) == 4
        except ValueError:
            return False

    def number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            self.fail(f"expected a number; got {text!r}")

    def whole(self, text: str, what: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            self.fail(f"{what}= must be a whole number of at least 1; got {text!r}")
        return int(text)


# MARK: writing


def write_meme(path: str | os.PathLike[str], motifs: Motif | Iterable[Motif]) -> None:
    """Writes motifs in MEME's minimal format, version 5; gzip where the name ends in ``.gz``.

    What `read_meme` reads back is the same to the last bit: probabilities, names, sites and background. Counts are not
    part of the format.

    Parameters
    ----------
    path : str or Path
        Written under a temporary name first, so that a failure leaves what stood there before.
    motifs : Motif, or list of Motif
        Names must be unique and without blanks; a motif without a name is called ``motif_1`` and so on by its place.
        The background is that of the first motif, left out where that has none.

    Raises
    ------
    InvalidArgumentError
        No motif; names that the format cannot hold.
    FileWriteError
        The file cannot be written.

    Examples
    --------
    See `read_meme`.
    """
    path = checked_path(path)
    try:
        listed = [motifs] if isinstance(motifs, Motif) else list(motifs)
    except TypeError:
        raise InvalidArgumentError(f"motifs must be a Motif or a list of them; got {type(motifs).__name__}") from None
    if not listed:
        raise InvalidArgumentError("motifs must hold at least one motif; got an empty list")
    for index, motif in enumerate(listed):
        if not isinstance(motif, Motif):
            raise InvalidArgumentError(f"motifs[{index}] must be a Motif; got {type(motif).__name__}")
    names = _names(listed)
    blocks = ["MEME version 5", "ALPHABET= ACGT", "strands: + -"]
    background = listed[0].background
    if background is not None:
        cells = [f"{letter} {value!r}" for letter, value in zip("ACGT", background.tolist(), strict=True)]
        blocks.append("Background letter frequencies\n" + " ".join(cells))
    blocks += [_block(motif, name) for motif, name in zip(listed, names, strict=True)]
    data = ("\n\n".join(blocks) + "\n").encode()
    from ._files import write_file

    # Neither name nor time goes into the gzip header: the same motifs give the same bytes.
    write_file(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _names(motifs: list[Motif]) -> list[str]:
    names = [motif.name or f"motif_{i + 1}" for i, motif in enumerate(motifs)]
    for index, name in enumerate(names):
        for text in (name, motifs[index].alternate_name):
            if len(text.split()) > 1 or text != text.strip() or not text.isprintable():
                raise InvalidArgumentError(
                    f"motifs[{index}] must have a name without blanks for a MEME file; got {text!r}"
                )
        if name in names[:index]:
            raise InvalidArgumentError(f"motifs must have unique names; {name!r} is that of several")
    return names


def _block(motif: Motif, name: str) -> str:
    head = f"MOTIF {name} {motif.alternate_name}".rstrip()
    sites = "" if motif.n_sites is None else f" nsites= {motif.n_sites}"
    rows: list[list[Any]] = motif.probabilities.tolist()
    lines = [" ".join(repr(value) for value in row) for row in rows]
    return "\n".join([head, f"letter-probability matrix: alength= 4 w= {len(motif)}{sites} E= 0", *lines])
