"""Arrays that stay in their files: NumPy and HDF5, read some rows at a time. Sequences room; private.

An HDF5 data set is kept in chunks, and a chunk is read and decompressed as a whole for the sake of one row. So rows
are read in groups of whole chunks, the last of which are remembered, and training shuffles groups (see `_rows`).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays
from ._reading import checked_path
from .exceptions import FileFormatError, FileNotFound, FileReadError, InvalidArgumentError, MissingDependencyError

_SUFFIXES = {".npy", ".npz", ".h5", ".hdf5"}

# Bytes of a group: smaller reads cost more in calls than in data.
_GROUP_BYTES = 1 << 16

#: Bytes of the groups that a data set remembers; training shuffles within half of that, see `_rows`.
REMEMBERED_BYTES = 1 << 27

_PIECE = 1 << 20


# ---- opening ----


def open_array(path: str | os.PathLike[str], name: str | None = None) -> Any:
    """An array in a file, opened without reading it: what `fit`, `scores` and every view take as it is.

    Parameters
    ----------
    path : str or Path
        ``.npy``, ``.npz``, ``.h5`` or ``.hdf5``. Compressed arrays of an ``.npz`` are unpacked to a temporary file.
    name : str, optional
        Which array of an ``.npz`` or HDF5 file; not needed where there is only one.

    Returns
    -------
    numpy.memmap or h5py.Dataset

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        A damaged file, one of another kind, or arrays of Python objects, which would have to be unpickled.
    InvalidArgumentError
        No array of this name, or several and no name.
    MissingDependencyError
        HDF5 without h5py.

    Examples
    --------
    >>> import numpy as np, tempfile, os, deepmotif as dm
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "data.npz")
    >>> np.savez(path, X=np.zeros((3, 8), dtype=np.uint8), y=np.array([0, 1, 1]))
    >>> dm.open_array(path, "y").tolist()
    [0, 1, 1]
    """
    file = checked_path(path)
    suffix = file.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidArgumentError(f"path must end in one of {sorted(_SUFFIXES)}; got {str(file)!r}")
    if not file.exists():
        raise FileNotFound(2, "there is no such file", str(file))
    try:
        if suffix == ".npy":
            array = np.load(file, mmap_mode="r", allow_pickle=False)
            if not isinstance(array, np.ndarray):
                raise ValueError("it is an archive of several arrays")
            return array
        return _npz_member(file, name) if suffix == ".npz" else _hdf5_dataset(file, name)
    except (FileFormatError, InvalidArgumentError, MissingDependencyError):
        raise
    except (ValueError, EOFError, KeyError, struct.error, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise FileFormatError(f"{file} holds no array that can be read: {error}") from None
    except OSError as error:
        if error.errno is None:  # of h5py: the file could be read, but is none of its own
            raise FileFormatError(f"{file} holds no array that can be read: {error}") from None
        raise FileReadError(error.errno, f"could not be read: {error.strerror or error}", str(file)) from None


def opened(data: Any, name: str) -> Any:
    """Opens data that are the path of an array file; other data are returned. Of several arrays `name` is meant."""
    if isinstance(data, os.PathLike) or (isinstance(data, str) and Path(data).suffix.lower() in _SUFFIXES):
        path = checked_path(data, name)
        several = path.suffix.lower() != ".npy" and path.exists()
        return open_array(path, _member(path, name) if several else None)
    return data


def _member(path: Path, name: str) -> str | None:
    names = _names(path)
    return name if name in names else None


def _names(path: Path) -> list[str]:
    """Names of the arrays of an .npz or HDF5 file."""
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                return [entry[:-4] for entry in archive.namelist() if entry.endswith(".npy")]
        h5py = _h5py()
        with h5py.File(path, "r") as file:
            return [key for key, entry in file.items() if isinstance(entry, h5py.Dataset)]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise FileFormatError(f"{path} holds no array that can be read: {error}") from None


def _chosen(path: Path, names: list[str], name: str | None) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        raise InvalidArgumentError(f"name must be one of the arrays of {path}, {names}; got {name!r}")
    return name


def _npz_member(path: Path, name: str | None) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(_chosen(path, _names(path), name) + ".npy")
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"an array format of version {version}")
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = header(member)
            start = member.tell()
            if dtype.hasobject:
                raise ValueError("arrays of Python objects are not unpickled")
            if int(np.prod(shape, dtype=object)) * dtype.itemsize != info.file_size - start:
                raise ValueError(f"an array of shape {shape} in {info.file_size - start} bytes")
            layout: dict[str, Any] = {"dtype": dtype, "shape": shape, "order": "F" if fortran else "C"}
            if info.compress_type == zipfile.ZIP_STORED:
                with path.open("rb") as file:
                    file.seek(info.header_offset + 26)
                    lengths = struct.unpack("<HH", file.read(4))
                return np.memmap(path, mode="r", offset=info.header_offset + 30 + sum(lengths) + start, **layout)
            with tempfile.TemporaryFile() as unpacked:
                while piece := member.read(_PIECE):
                    unpacked.write(piece)
                unpacked.flush()
                return np.memmap(unpacked, mode="r", **layout)


def _hdf5_dataset(path: Path, name: str | None) -> Any:
    h5py = _h5py()
    file = h5py.File(path, "r")
    chosen = name if name is not None and name in file else _chosen(path, _names(path), name)
    if not isinstance(file.get(chosen, getlink=True), h5py.HardLink):
        raise ValueError(f"{chosen!r} is a link to another place")
    dataset = file[chosen]
    if not isinstance(dataset, h5py.Dataset):
        raise InvalidArgumentError(f"name must be a data set of {path}; {chosen!r} is a group")
    return dataset


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingDependencyError("HDF5 files need h5py: pip install 'deepmotif[hdf5]'") from None
    return h5py


# ---- reading rows ----


class StoredRows:
    """An array in a file whose rows become what the engine takes when they are read.

    Parameters
    ----------
    array : h5py.Dataset or memmap
        At least one dimension.
    check : callable
        Turns rows, an array, into the engine's form, or raises; is told what to call them.
    name : str
        What messages call the array.
    """

    def __init__(self, array: Any, check: Callable[[NDArray[Any], str], NDArray[Any]], name: str) -> None:
        self._array = array
        self._check = check
        self._name = name
        first = check(np.asarray(array[:1]), f"{name}[:1]")
        self.shape: tuple[int, ...] = (array.shape[0], *first.shape[1:])
        self.dtype = first.dtype
        row_bytes = max(1, int(np.prod(array.shape[1:])) * array.dtype.itemsize)
        chunks = getattr(array, "chunks", None)
        chunk = chunks[0] if chunks else 1
        #: Rows that are read together; 1 where any row costs the same.
        self.group = 1
        if not isinstance(array, np.memmap):
            self.group = chunk * max(1, _GROUP_BYTES // (row_bytes * chunk))
        self.row_bytes = row_bytes
        self._remembered: dict[int, NDArray[Any]] = {}

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Rows of a slice without steps, or of an array of row numbers, in the engine's form."""
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._check(np.asarray(self._array[start:stop]), f"{self._name}[{start}:{stop}]")
        if isinstance(self._array, np.memmap):
            return self._check(np.asarray(self._array[index]), f"{self._name}[...]")
        result = np.empty((len(index), *self.shape[1:]), dtype=self.dtype)
        groups = index // self.group
        for group in np.unique(groups):
            here = groups == group
            result[here] = self._read_group(int(group))[index[here] - group * self.group]
        return result

    def _read_group(self, group: int) -> NDArray[Any]:
        rows = self._remembered.get(group)
        if rows is None:
            rows = self[group * self.group : (group + 1) * self.group]
            while len(self._remembered) >= max(1, REMEMBERED_BYTES // (self.row_bytes * self.group)):
                del self._remembered[next(iter(self._remembered))]  # the oldest
            self._remembered[group] = rows
        return rows


@contextlib.contextmanager
def read_at_random(data: Any) -> Iterator[None]:
    """Meanwhile the system reads single pages of a mapped file, not megabytes around each of them."""
    array = data._array if isinstance(data, StoredRows) else data
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    if array is None or not hasattr(array, "madvise"):
        yield
        return
    array.madvise(mmap.MADV_RANDOM)
    try:
        yield
    finally:
        array.madvise(mmap.MADV_NORMAL)


def _is_hdf5(data: Any) -> bool:
    # Nobody can hold a data set without having loaded the library.
    h5py = sys.modules.get("h5py")
    return h5py is not None and isinstance(data, h5py.Dataset)


def stored_rows(
    data: Any, check: Callable[[NDArray[Any], str], NDArray[Any]], name: str, kept: Callable[[NDArray[Any]], bool]
) -> StoredRows | None:
    """Data in a file as `StoredRows`; None for others, and for mapped ones that are `kept` as they are."""
    if _is_hdf5(data):
        if len(data.shape) == 0 or data.dtype.kind not in "biuf":
            raise InvalidArgumentError(
                f"{name} must be a data set of numbers with rows; got dtype {data.dtype} of shape {data.shape}"
            )
        return StoredRows(data, check, name) if data.shape[0] else None
    if isinstance(data, np.memmap) and data.ndim and len(data) and not kept(data):
        return StoredRows(data, check, name)
    return None


def stored_sequences(X: Any, name: str) -> StoredRows | None:
    """Sequences in a file that must be converted as they are read; None for other sequence arguments."""

    def kept(array: NDArray[Any]) -> bool:
        # Everything that is no table of numbers goes through `as_input`, which knows what is wrong with it.
        if array.dtype.kind not in "biuf" or array.ndim not in (2, 3):
            return True
        form = np.uint8 if array.ndim == 2 else np.float32
        return array.dtype == form and array.dtype.isnative and bool(array.flags.c_contiguous)

    return stored_rows(X, _arrays.numeric_input, name, kept)
