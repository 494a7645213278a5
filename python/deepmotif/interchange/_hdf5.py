"""HDF5 files of weights, read without believing them. Interchange room; private; needs h5py."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import FileFormatError, FileNotFound, FileReadError, MissingDependencyError

# Compression by more than this is not that of weights.
_LARGEST_RATIO = 50
_ALLOWANCE = 1 << 20
# Filters of HDF5 itself; others would load libraries that the environment names.
_FILTERS = {1, 2, 3, 32000}
_MAGIC = b"\x89HDF\r\n\x1a\n"


class WeightFile:
    """An open HDF5 file; only plain groups and arrays of numbers inside of it are followed."""

    def __init__(self, h5py: Any, file: Any, name: str) -> None:
        self._h5py = h5py
        self._file = file
        self.name = name

    def child(self, group: Any, path: str) -> Any:
        """A member at a path below a group, None where there is none."""
        for part in path.split("/"):
            if not part:
                continue
            if not isinstance(group, self._h5py.Group) or part not in group:
                return None
            link = group.get(part, getlink=True)
            if not isinstance(link, self._h5py.HardLink):
                raise FileFormatError(f"{self.name}: {path} is a link to something else; links are not followed")
            group = group[part]
        return group

    @property
    def root(self) -> Any:
        return self._file

    def array(self, dataset: Any, path: str) -> NDArray[np.float32]:
        """Float values of a dataset whose size agrees with the bytes that the file has for it."""
        if not isinstance(dataset, self._h5py.Dataset):
            raise FileFormatError(f"{self.name}: {path} is no array")
        if dataset.is_virtual or dataset.external:
            raise FileFormatError(f"{self.name}: {path} is kept in other files; those are not read")
        if dataset.dtype.kind not in "fiu" or dataset.shape is None:
            raise FileFormatError(f"{self.name}: {path} must hold numbers; got {dataset.dtype}")
        properties = dataset.id.get_create_plist()
        filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
        if not filters <= _FILTERS:
            raise FileFormatError(f"{self.name}: {path} is compressed in a way that is not read")
        stored = int(dataset.id.get_storage_size())
        if dataset.nbytes > _LARGEST_RATIO * stored + _ALLOWANCE:
            raise FileFormatError(f"{self.name}: {path} declares {dataset.nbytes} bytes and has {stored}")
        return np.asarray(dataset[()], dtype=np.float32)

    def attribute(self, group: Any, key: str) -> Any:
        """An attribute as text, a list of texts or a number; None where there is none."""
        if key not in group.attrs:
            return None
        value = group.attrs[key]
        if isinstance(value, np.ndarray):
            return [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry) for entry in value]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def names(self, group: Any, key: str) -> list[str]:
        """A list of names, which Keras cuts into pieces where it is long."""
        whole = self.attribute(group, key)
        if whole is None:
            whole, index = [], 0
            while (piece := self.attribute(group, f"{key}{index}")) is not None:
                whole += list(piece)
                index += 1
        return [str(entry) for entry in whole]


@contextmanager
def weight_file(source: str | os.PathLike[str] | bytes, name: str) -> Iterator[WeightFile]:
    """Opens an HDF5 file, or the bytes of one; whatever the library finds wrong with it is a FileFormatError."""
    try:
        import h5py
    except ImportError:
        raise MissingDependencyError("Keras files need h5py: pip install 'deepmotif[keras]'") from None
    try:
        if not isinstance(source, bytes):
            with open(source, "rb") as file:
                magic = file.read(8)
            if magic != _MAGIC:
                raise FileFormatError(f"{name} is no HDF5 file: it begins with {magic!r}")
        with h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as opened:
            yield WeightFile(h5py, opened, name)
    except FileNotFoundError:
        raise FileNotFound(2, "there is no such file", name) from None
    except IsADirectoryError:
        raise FileFormatError(f"{name} is a folder; expected an HDF5 file") from None
    except PermissionError as error:
        raise FileReadError(error.errno, f"could not be read: {error.strerror}", name) from None
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, (FileFormatError, FileNotFound)):
            raise
        raise FileFormatError(f"{name} is damaged or cut short: {error}") from None
