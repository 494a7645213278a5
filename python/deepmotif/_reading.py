"""Opening files to read: plain or gzip by content, failures as errors of this package. Sequences room; private."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .exceptions import FileFormatError, FileNotFound, FileReadError, InvalidArgumentError

_GZIP_MAGIC = b"\x1f\x8b"


def checked_path(path: str | os.PathLike[str], name: str = "path") -> Path:
    """The path as a Path."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise InvalidArgumentError(f"{name} must be the path of a file, str or Path; got {path!r}")
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise InvalidArgumentError(f"{name} must be a name that this system allows; got {path!r}")
    return Path(path)


def is_gzip(path: Path) -> bool:
    """Whether the file begins as gzip files do."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP_MAGIC


@contextmanager
def reading(path: Path, expected: str) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed where it is gzip whatever its name says.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist, or cannot be read.
    FileFormatError
        A folder, a gzip file that is cut short or damaged, or bytes that are no text. `expected` says what should
        have been there.
    """
    try:
        compressed = is_gzip(path)
        with path.open("rb") as file:
            yield gzip.GzipFile(fileobj=file) if compressed else file  # type: ignore[misc]
    except FileNotFoundError as error:
        raise FileNotFound(error.errno, f"no such file; expected {expected}", str(path)) from None
    except IsADirectoryError:
        raise FileFormatError(f"{path} is a folder; expected {expected}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path}: the gzip data are damaged or cut short: {error}") from None
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path} is no text file; expected {expected} ({error})") from None
    except OSError as error:
        if isinstance(error, (FileNotFound, FileReadError)):
            raise
        reason = error.strerror or str(error)
        raise FileReadError(error.errno, f"could not be read: {reason}", str(path)) from None


def text_lines(path: Path, expected: str) -> list[str]:
    """All lines of a UTF-8 file without their ends; a byte order mark is skipped."""
    with reading(path, expected) as file:
        text = file.read().decode("utf-8-sig")
    if "\0" in text:
        raise FileFormatError(f"{path} is no text file; expected {expected} (it holds zero bytes)")
    return text.splitlines()
