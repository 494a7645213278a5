"""What commands write: tables, JSON, FASTA and figures. Room: command line.

A file is written whole or not at all: under a temporary name, which is changed when everything is on the disk.
"""

from __future__ import annotations

import errno
import io
import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif._files import write_file
from deepmotif.exceptions import FileWriteError, InvalidArgumentError

FIGURE_FORMATS = ("png", "pdf", "svg")
# Without them the same figure would give other bytes every time.
_NO_DATE = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def make_folder(path: Path) -> Path:
    """The folder, made if necessary; an error if it cannot be written to, before any work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise FileWriteError(errno.EEXIST, "expected a folder; this is a file", str(path)) from None
    except OSError as error:
        reason = f"cannot write into this folder: {error.strerror or error}"
        raise FileWriteError(error.errno, reason, str(path)) from None
    return path


def write_table(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Columns of equal length as tab-separated values with a header line."""
    write_file(path, table_text(columns).encode())


def table_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """Columns of equal length as tab-separated lines. Fractions have six digits, which is what float32 holds."""
    rows = zip(*columns.values(), strict=True)
    return "".join("\t".join(map(_cell, row)) + "\n" for row in [tuple(columns), *rows])


def frame_columns(frame: Any) -> dict[str, list[Any]]:
    """The columns of a DataFrame; what is missing is an empty cell."""
    return {
        name: ["" if missing else value for value, missing in zip(frame[name], frame[name].isna(), strict=True)]
        for name in frame.columns
    }


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    if value is None:
        return ""
    # A tab or line break within a name would shift the columns.
    return " ".join(str(value).split())


def write_json(path: Path, value: Any) -> None:
    """Indented JSON."""
    write_file(path, (json.dumps(value, indent=2) + "\n").encode())


def labels_of(data: dm.Sequences) -> np.ndarray:
    """The labels of sequences, or an error where they have none."""
    if data.labels is None:
        raise InvalidArgumentError("the sequences need labels; found none")
    return data.labels


def write_fasta(path: Path, data: dm.Sequences) -> None:
    """Sequences as FASTA with their labels as headers, the form that carries labels to `read_fasta`."""
    records = (f">{label}\n{letters}\n" for label, letters in zip(labels_of(data), data, strict=True))
    write_file(path, "".join(records).encode())


def write_history(path: Path, model: Any) -> None:
    """The history of training, one row per epoch, counted from 1."""
    write_table(path, {"epoch": range(1, 1 + len(model.history_["loss"])), **model.history_})


def save_figure(figure: Any, path: Path, formats: Sequence[str] = FIGURE_FORMATS) -> list[Path]:
    """Save a figure under `path` and the ending of each format, and close it; the paths."""
    import matplotlib.pyplot as plt

    # Text stays text in SVG, so that it can be edited and searched.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "deepmotif", "pdf.fonttype": 42}
    paths = [path.parent / f"{path.name}.{kind}" for kind in formats]
    try:
        for target, kind in zip(paths, formats, strict=True):
            drawn = io.BytesIO()
            with plt.rc_context(settings):
                figure.savefig(drawn, format=kind, dpi=150, metadata=_NO_DATE[kind], bbox_inches="tight")
            write_file(target, drawn.getvalue())
    finally:
        plt.close(figure)
    return paths


def use_no_display() -> None:
    """Figures of the command line go to files only; a machine without a display must do."""
    import matplotlib

    matplotlib.use("Agg")


def versions() -> dict[str, str]:
    """Versions of what results depend on, and the instruction level of the engine."""
    from deepmotif import _native

    levels = {_native.ISA_BASELINE: "baseline", _native.ISA_AVX2: "avx2", _native.ISA_AVX512: "avx512"}
    return {
        "deepmotif": dm.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "isa": levels[_native.isa_level()],
        "machine": platform.machine(),
    }


class Progress:
    """Lines on stderr about what is being done; bars only on a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    @property
    def bars(self) -> bool | None:
        """For `fit(progress=...)`: None lets it look for a terminal."""
        return False if self.quiet else None

    def say(self, text: str) -> None:
        """One line, shown at once."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)
