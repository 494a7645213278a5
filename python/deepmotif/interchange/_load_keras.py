"""load_keras: models of Keras 1, 2 and 3 as fitted networks. Interchange room.

Neither Keras nor TensorFlow is needed, and nothing in the files is executed: architectures are JSON, weights HDF5.
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

from .._reading import checked_path
from ..exceptions import FileFormatError, FileNotFound, FileReadError, InvalidArgumentError
from ..models import Network
from ._finish import check_output, file_problems, finish, walk
from ._flow import Flow, Unsupported
from ._hdf5 import weight_file
from ._keras_graph import Architecture, ByName, ByOrder, run

__all__ = ["load_keras"]

_LARGEST_JSON = 1 << 26
_LARGEST_RATIO = 50
_ALLOWANCE = 1 << 20


def load_keras(
    path: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None, *, backend: str | None = None,
    output: str | None = None, length: int | None = None,
) -> Network:  # fmt: skip
    """The network in files of Keras 1, 2 or 3.

    ``load_keras(architecture_json, weights_h5)`` reads the JSON of ``model.to_json()`` and the HDF5 of
    ``model.save_weights()``; ``load_keras(path)`` a whole model, ``.h5`` or ``.keras``. Networks on (L, 4), and the
    two-dimensional ones of early papers on (4, 1, L), (1, 4, L) or (1, L, 4), take the same sequences here.

    Parameters
    ----------
    path : str or Path
        A model, or an architecture in JSON.
    weights : str or Path, optional
        The weights of an architecture.
    backend : {"theano", "tensorflow"}, optional
        Theano convolves where the others correlate: its kernels are reversed along the sequence. None: what the file
        says, otherwise Theano for ``dim_ordering: th``, in which Keras 1 wrote with Theano as a rule.
    output : {"linear", "softmax", "sigmoid"}, optional
        What the scores are. None: by the last layer; a softmax or sigmoid there is left out of the scores.
    length : int, optional
        Length L of the sequences, where the file leaves it open.

    Returns
    -------
    Network
        Fitted. Features keep Keras's order when they are flattened.

    Raises
    ------
    FileFormatError
        If a file is damaged, or holds layers that have no counterpart; all of them are named with the reason.
    FileNotFound
        If there is no such file; also a FileNotFoundError.
    MissingDependencyError
        If h5py is not installed.

    Examples
    --------
    >>> import deepmotif as dm, h5py, json, os, tempfile
    >>> layers = [{"class_name": "GlobalMaxPooling1D", "config": {"name": "pool", "batch_input_shape": [None, 8, 4]}}]
    >>> layers += [{"class_name": "Dense", "config": {"name": "out", "units": 1, "activation": "sigmoid"}}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(os.path.join(folder, "model.h5"), "w") as file:
    ...         config = {"class_name": "Sequential", "config": {"layers": layers}}
    ...         file.attrs["model_config"] = json.dumps(config)
    ...         group = file.create_group("model_weights/out")
    ...         group.attrs["weight_names"] = ["out/kernel:0", "out/bias:0"]
    ...         group["out/kernel:0"], group["out/bias:0"] = [[1.0], [2.0], [3.0], [4.0]], [0.5]
    ...     model = dm.load_keras(os.path.join(folder, "model.h5"))
    >>> model.output, model.scores(["AACCAACC"])
    ('sigmoid', array([[3.5]], dtype=float32))
    """
    check_output(output, optional=True)
    if backend not in (None, "theano", "tensorflow"):
        raise InvalidArgumentError(f"backend must be None, 'theano' or 'tensorflow'; got {backend!r}")
    name = str(checked_path(path))
    problems = file_problems(name)

    def finished(architecture: Architecture, arrays: Any) -> Network:
        def read(known: int | None) -> tuple[Flow, int | None]:
            problems.lines.clear()
            return run(architecture, arrays, known, problems)

        try:
            flow, found = walk(read, length)
        except Unsupported as error:
            raise FileFormatError(f"{name} cannot be imported: {error}") from None
        return finish(flow, output, found, problems)

    start = _start(path, name)
    if weights is not None:
        architecture = Architecture(_json(_text(path, name), name), name, backend)
        with weight_file(weights, str(checked_path(weights, "weights"))) as file:
            return finished(architecture, ByName(file, architecture, file.root))
    if start.startswith(b"PK"):
        config, data = _archive(path, name)
        architecture = Architecture(_json(config, name), name, backend)
        with weight_file(data, name) as file:
            return finished(architecture, ByOrder(file, architecture))
    with weight_file(path, name) as file:
        config = file.attribute(file.root, "model_config")
        if not isinstance(config, str) or len(config) > _LARGEST_JSON:
            raise FileFormatError(f"{name} holds weights without an architecture: pass the JSON first, then this file")
        architecture = Architecture(_json(config, name), name, backend)
        return finished(architecture, ByName(file, architecture, file.child(file.root, "model_weights")))


def _start(path: Any, name: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4)
    except FileNotFoundError:
        raise FileNotFound(2, "there is no such file", name) from None
    except IsADirectoryError:
        raise FileFormatError(f"{name} is a folder; expected a Keras file") from None
    except OSError as error:
        raise FileReadError(error.errno, f"could not be read: {error.strerror or error}", name) from None


def _text(path: Any, name: str) -> str:
    with open(path, "rb") as file:
        data = file.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise FileFormatError(f"{name} is no architecture in JSON: it is too large")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FileFormatError(f"{name} is no architecture in JSON: it is no text") from None


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{name} holds no architecture in JSON: {error}") from None
    if not isinstance(config, dict):
        raise FileFormatError(f"{name} holds no architecture: its JSON is no table")
    return config


def _archive(path: Any, name: str) -> tuple[str, bytes]:
    """config.json and model.weights.h5 of a .keras file."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = []
            for member, most in (("config.json", _LARGEST_JSON), ("model.weights.h5", 1 << 31)):
                info = archive.getinfo(member)
                if info.file_size > min(most, _LARGEST_RATIO * info.compress_size + _ALLOWANCE):
                    raise FileFormatError(
                        f"{name}: {member} declares {info.file_size} bytes, packed in {info.compress_size}"
                    )
                with archive.open(info) as file:
                    # No more than declared is unpacked, whatever the packed data would give.
                    parts.append(file.read(info.file_size))
        return parts[0].decode("utf-8"), parts[1]
    except KeyError as error:
        raise FileFormatError(f"{name} is no Keras file: {error.args[0]}") from None
    except (
        zipfile.BadZipFile,
        EOFError,
        UnicodeDecodeError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{name} is damaged or cut short: {error}") from None
