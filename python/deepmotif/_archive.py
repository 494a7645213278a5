"""Arrays in one file: NumPy's .npz without pickles, whole or not at all. Views room; private."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._files import write_file
from .exceptions import FileFormatError, FileNotFound


def write_archive(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes named arrays; a failure leaves what stood there before."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_file(path, buffer.getvalue())


def read_archive(path: Path, names: Sequence[str], expected: str) -> dict[str, NDArray[Any]]:
    """The named arrays of a file; `expected` says in errors what it should be."""
    if not path.exists():
        raise FileNotFound(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as saved:
            return {name: saved[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path}: expected {expected}; {error}") from None
