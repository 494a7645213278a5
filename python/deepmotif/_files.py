"""Model files: safetensors, with everything but the weights as JSON in the metadata. Models room; private.

Nothing in a file is executed or unpickled, and no size in it is believed before it agrees with the others.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from . import layers as layer_kinds
from ._fitted import pack_weights
from ._options import check_choice
from ._outputs import Output, output_named
from ._reading import checked_path
from ._strands import MODES
from ._training import HISTORY_KEYS
from .exceptions import DeepMotifError, FileFormatError, FileNotFound, FileReadError, FileWriteError

if TYPE_CHECKING:
    from ._estimator import SequenceModel

Path = str | os.PathLike[str]

# One key only: safetensors writes several in random order, and the same model must give the same bytes.
_METADATA_KEY = "deepmotif"
_FORMAT = "deepmotif-model"
_VERSION = 1

# Not of the model but of the machine, or of the clock.
_UNSAVED_PARAMETERS = ("n_threads",)
_UNSAVED_HISTORY = ("seconds",)

# Far beyond any network's; what a hostile header unpacks to in memory is some thirty times its size.
_LARGEST_HEADER = 1 << 22
_MOST_LAYERS = 10_000
_LONGEST = 1 << 31
_LABEL_TYPES: dict[str, type] = (
    {"bool": bool, "str": str}
    | {f"{kind}{bits}": int for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
    | {f"float{bits}": float for bits in (16, 32, 64)}
)


# ---- writing ----


def write_file(path: Path, data: bytes) -> None:
    """Writes a file under a temporary name and renames it, so that a failure leaves what stood there before.

    Raises
    ------
    FileWriteError
        With the system's reason.
    """
    # A link keeps pointing where it points; what it points at is replaced.
    target = os.path.realpath(checked_path(path))
    try:
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            # Devices and pipes are written to, never replaced by a file.
            with open(target, "wb", buffering=0) as device:
                _write_all(device.fileno(), data)
            return
        _replace_file(target, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileWriteError(error.errno, f"could not write the file: {reason}", os.fspath(path)) from None


def _replace_file(target: str, data: bytes) -> None:
    temporary = f"{target}.{secrets.token_hex(4)}.tmp"
    # os.open, not tempfile: the file gets the permissions that the umask asks for.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(descriptor, view) :]


def packed(tensors: Mapping[str, NDArray[Any]], kind: str, version: int, config: dict[str, Any]) -> bytes:
    """Tensors and their description as the bytes of a safetensors file; equal contents give equal bytes."""
    from safetensors.numpy import save

    text = json.dumps({"format": kind, "version": version, **config}, sort_keys=True, allow_nan=False)
    # Transposed arrays would be written scrambled.
    return save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, metadata={_METADATA_KEY: text})


def model_bytes(model: SequenceModel) -> bytes:
    """A fitted model as the bytes of a safetensors file."""
    weights = model.weights_
    history = {
        key: [None if math.isnan(value) else value for value in values]
        for key, values in model.history_.items()
        if key not in _UNSAVED_HISTORY
    }
    parameters = {key: value for key, value in model.get_params().items() if key not in _UNSAVED_PARAMETERS}
    labels = model.classes_
    config = {
        "kind": type(model).__name__,
        "parameters": {key: _plain(value) for key, value in parameters.items()},
        "layers": layer_kinds.to_config(model._layers),
        "output": {"name": model._head.name, "loss": model._head.loss},
        "strands": model._strands,
        "length": model.length_,
        "classes": {"type": "str" if labels.dtype.kind == "U" else labels.dtype.name, "values": labels.tolist()},
        "random_state": model.random_state_,
        "history": history,
        "best_epoch": model.best_epoch_,
    }
    return packed(weights, _FORMAT, _VERSION, config)


def _plain(value: Any) -> Any:
    """A hyper-parameter as JSON; a generator, which cannot be one, becomes null."""
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(entry, layer_kinds.Layer) for entry in value):
            return {"layers": layer_kinds.to_config(value)}
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        # JSON's keys are strings, labels need not be.
        return {"pairs": [[_plain(key), _plain(entry)] for key, entry in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


# ---- reading ----


def unpacked(
    path: Path, kind: str, version: int, what: str, check: Callable[[dict[str, Any], dict[str, Any]], Any] | None = None
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """The float32 tensors and the description that `packed` put into a file.

    `check` is told the description and what the file's header says of the tensors before any of these is read.

    Raises
    ------
    FileNotFound, FileReadError
        The file does not exist or cannot be read.
    FileFormatError
        A file that is damaged, cut short or of another kind; `what` says what it should have been.
    """
    name = str(checked_path(path))
    try:
        with open(path, "rb") as file:
            header, config = _read_header(file)
            if config.get("format") != kind:
                raise ValueError("its metadata describe something else")
            if config.get("version") != version:
                raise ValueError(f"format version {config.get('version')!r}; this release reads version {version}")
            if check is not None:
                check(config, header)
            file.seek(0)
            return _tensors(file.read()), config
    except FileNotFoundError:
        raise FileNotFound(2, "there is no such file", name) from None
    except IsADirectoryError:
        raise FileFormatError(f"{name} is a folder; expected {what} file") from None
    except (FileReadError, FileFormatError):
        raise
    except (DeepMotifError, ValueError, TypeError, KeyError, OverflowError, RecursionError, MemoryError) as error:
        reason = f"no entry {error}" if isinstance(error, KeyError) else str(error)
        raise FileFormatError(f"{name} is not {what} file of DeepMotif: {reason}") from None
    except OSError as error:
        raise FileReadError(error.errno, f"could not be read: {error.strerror or error}", name) from None


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a safetensors file says of its tensors, and our description, without reading the tensors."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(_LARGEST_HEADER, size - 8):
        raise ValueError(f"expected a safetensors file; got {size} bytes that begin with {start!r}")
    header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", None) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get(_METADATA_KEY), str):
        raise ValueError("a safetensors file without our description")
    if max((entry["data_offsets"][1] for entry in header.values()), default=0) != size - 8 - length:
        raise ValueError("its tensors do not fill it")
    config = json.loads(metadata[_METADATA_KEY])
    if not isinstance(config, dict):
        raise ValueError("its metadata describe something else")
    return header, config


def _tensors(data: bytes) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(data)
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    tensors = {}
    for name, entry in entries:
        if entry["dtype"] != "F32":
            raise ValueError(f"tensor {name!r} must be F32; got {entry['dtype']}")
        tensors[name] = np.frombuffer(entry["data"], dtype="<f4").reshape(entry["shape"])
    return tensors


def load_model(path: Path, classes: Mapping[str, Callable[[], SequenceModel]]) -> SequenceModel:
    """The model in a file, of one of the given classes."""
    made: list[SequenceModel] = []

    def check(config: dict[str, Any], header: dict[str, Any]) -> None:
        made.append(_described(config, sum(math.prod(entry["shape"]) for entry in header.values()), classes))

    tensors, _ = unpacked(path, _FORMAT, _VERSION, "a model", check)
    engine = made[0]._engine
    try:
        engine.set_parameters(pack_weights(engine.parameter_info, tensors))
    except DeepMotifError as error:
        raise FileFormatError(f"{os.fspath(path)} is not a model file of DeepMotif: {error}") from None
    return made[0]


def _described(
    config: dict[str, Any], n_weights: int, classes: Mapping[str, Callable[[], SequenceModel]]
) -> SequenceModel:
    """The model of a description, its weights still to be filled in."""
    kind = config["kind"]
    if not isinstance(kind, str) or kind not in classes:
        raise ValueError(f"its model is of the kind {kind!r}; known are {list(classes)}")
    head = _output(config.get("output"))
    labels = _labels(config["classes"], head)
    length = whole(config["length"], "length", 1, _LONGEST)
    seed = whole(config["random_state"], "random_state", 0, (1 << 64) - 1)
    network = _network(config["layers"], length, len(labels), n_weights)
    model = _untrained(classes[kind], config["parameters"])
    model._adopt(head, network, length, labels, seed)
    model._strands = check_choice(config.get("strands", "none"), "strands", MODES)
    model.history_, model.best_epoch_ = _history(config["history"], config["best_epoch"])
    return model


def whole(value: Any, name: str, minimum: int, maximum: int) -> int:
    """A whole number of a file."""
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise ValueError(f"{name} must be a whole number from {minimum} to {maximum}; got {str(value)[:50]}")
    return value


def _output(entry: Any) -> Output:
    """What the scores are; files written when there was one kind only do not say."""
    if entry is None:
        return output_named("softmax")
    return output_named(entry["name"], entry["loss"] or None)


def _labels(entry: Any, head: Output) -> NDArray[Any]:
    values, kind = entry["values"], entry["type"]
    python_type = _LABEL_TYPES[kind]
    if not isinstance(values, list) or not all(type(value) is python_type for value in values):
        raise ValueError(f"classes must be labels of type {kind}")
    labels = np.array(values, dtype=None if kind == "str" else kind)
    # Named again they are what they were: sorted classes, at least two; different tasks.
    if labels.tolist() != values or head.named(values).tolist() != values:
        raise ValueError("classes must be at least two labels in order, or at least one task")
    return labels


def _network(config: Any, length: int, n_classes: int, n_weights: int) -> list[layer_kinds.Layer]:
    """Layers that agree with the size of the file before the engine is asked for their memory."""
    if isinstance(config, list) and len(config) > _MOST_LAYERS:
        raise ValueError(f"it has {len(config)} layers, more than {_MOST_LAYERS}")
    network = layer_kinds.from_config(config)
    expected = layer_kinds.count_parameters(network, length)
    if expected != n_weights:
        raise ValueError(f"its layers have {expected} parameters, but it holds {n_weights}")
    channels, positions = 4, length
    for layer in network:
        positions, channels = layer.output_shape(positions, channels)
    if (positions, channels) != (1, n_classes):
        raise ValueError(f"its layers give {positions} x {channels} scores for {n_classes} classes")
    return network


def _untrained(cls: Callable[[], SequenceModel], parameters: Any) -> SequenceModel:
    if not isinstance(parameters, dict):
        raise ValueError("hyper-parameters must be a table")
    model = cls()
    unknown = sorted(set(parameters) - (set(model.get_params()) - set(_UNSAVED_PARAMETERS)))
    if unknown:
        raise ValueError(f"unknown hyper-parameters {unknown}")
    return model.set_params(**{name: _restored(value) for name, value in parameters.items()})


def _restored(value: Any) -> Any:
    """Inverse of `_plain`; sequences come back as tuples, the form of the defaults."""
    if isinstance(value, list):
        return tuple(_restored(entry) for entry in value)
    if isinstance(value, dict):
        if "layers" in value:
            return layer_kinds.from_config(value["layers"])
        return {_restored(key): _restored(entry) for key, entry in value["pairs"]}
    return value


def _history(entry: Any, best_epoch: Any) -> tuple[dict[str, list[float]], int | None]:
    saved = [key for key in HISTORY_KEYS if key not in _UNSAVED_HISTORY]
    if not isinstance(entry, dict) or set(entry) != set(saved):
        raise ValueError(f"history must have the entries {saved}")
    history = {}
    for key in saved:
        values = entry[key]
        if not isinstance(values, list) or not all(v is None or type(v) in (int, float) for v in values):
            raise ValueError(f"history entry {key!r} must be a list of numbers")
        history[key] = [math.nan if value is None else float(value) for value in values]
    epochs = len(history["loss"])
    if any(len(values) != epochs for values in history.values()):
        raise ValueError("history entries must be of equal length")
    history |= {key: [math.nan] * epochs for key in _UNSAVED_HISTORY}
    best = None if best_epoch is None else whole(best_epoch, "best_epoch", 0, max(epochs - 1, 0))
    return {key: history[key] for key in HISTORY_KEYS}, best
