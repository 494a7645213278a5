"""load_onnx: an ONNX file as a fitted network. Interchange room."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._reading import checked_path
from ..exceptions import FileFormatError, FileNotFound, FileReadError, MissingDependencyError
from ..models import Network
from ._finish import Problems, check_output, compare, file_problems, finish, sample_sequences, walk
from ._flow import Flow, LengthFound, Unsupported
from ._onnx_values import Formula, array_of

__all__ = ["load_onnx"]

_OPSETS = range(13, 22)
_MOST_NODES = 20_000


def load_onnx(path: str | os.PathLike[str], *, output: str | None = None, length: int | None = None) -> Network:
    """The network in an ONNX file, opsets 13 to 21, as PyTorch's exporters, tf2onnx and `to_onnx` write them.

    The input may be (N, 4, L) or (N, L, 4), or one of these with an axis of length 1. Where onnxruntime is installed
    the file is run in it on random sequences and a difference is a warning. Nothing in the file is executed here.

    Parameters
    ----------
    path : str or Path
        The file; one that keeps its weights in other files is refused.
    output : {"linear", "softmax", "sigmoid"}, optional
        What the scores are. None: by the last layer; a softmax or sigmoid there is left out of the scores.
    length : int, optional
        Length L of the sequences, where the file leaves it open and a dense layer behind a flattening does not say it.

    Returns
    -------
    Network
        Fitted.

    Raises
    ------
    FileFormatError
        If the file is damaged or holds what has no counterpart; all of that is named with the reason.
    FileNotFound
        If there is no such file; also a FileNotFoundError.
    MissingDependencyError
        If the package onnx is not installed.

    Examples
    --------
    >>> import deepmotif as dm, os, tempfile
    >>> from deepmotif.interchange import load_onnx, to_onnx
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(model, os.path.join(folder, "model.onnx"))
    ...     same = load_onnx(os.path.join(folder, "model.onnx"))
    >>> [type(layer).__name__ for layer in same.layers]
    ['Conv1D', 'ReLU', 'GlobalMaxPool1D', 'Dense']
    """
    check_output(output, optional=True)
    try:
        import onnx
    except ImportError:
        raise MissingDependencyError("load_onnx needs the package onnx: pip install 'deepmotif[onnx]'") from None
    data = _bytes(path)
    graph = _graph(onnx, data, path)
    problems = file_problems(path)
    constants = _constants(graph, path)

    def read(known: int | None) -> tuple[Flow, int | None]:
        problems.lines.clear()
        start, positions = _input(graph, constants, known, problems)
        return _run(onnx, graph, constants, start, problems), positions

    try:
        flow, found = walk(read, length)
    except Unsupported as error:
        raise FileFormatError(f"{path} cannot be imported: {error}") from None
    flow, output = _with_output(graph, flow, output)
    model = finish(flow, output, found, problems)
    _compare(data, graph, model)
    return model


# ---- the file ----


def _bytes(path: Any) -> bytes:
    name = str(checked_path(path))
    try:
        with open(path, "rb") as file:
            return file.read(1 << 31)
    except FileNotFoundError:
        raise FileNotFound(2, "there is no such file", name) from None
    except IsADirectoryError:
        raise FileFormatError(f"{name} is a folder; expected an ONNX file") from None
    except OSError as error:
        raise FileReadError(error.errno, f"could not be read: {error.strerror or error}", name) from None


def _graph(onnx: Any, data: bytes, path: Any) -> Any:
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RuntimeError, ValueError):
        raise FileFormatError(f"{path} is damaged, cut short or no ONNX file") from None
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not model.graph.node or not versions:
        raise FileFormatError(f"{path} is damaged, cut short or no ONNX file: it holds no graph")
    if versions[0] not in _OPSETS:
        raise FileFormatError(f"{path} is of opset {versions[0]}; opsets 13 to 21 can be read")
    if len(model.graph.node) > _MOST_NODES:
        raise FileFormatError(f"{path} has {len(model.graph.node)} nodes, more than {_MOST_NODES}")
    if model.functions:
        raise FileFormatError(f"{path} holds functions of its own; export it without them")
    return model.graph


def _constants(graph: Any, path: Any) -> dict[str, Any]:
    if graph.sparse_initializer:
        raise FileFormatError(f"{path} holds sparse arrays, which are not read")
    return {tensor.name: array_of(tensor, path) for tensor in graph.initializer}


def _input(graph: Any, constants: dict[str, Any], length: int | None, problems: Problems) -> tuple[Flow, int | None]:
    """The flow of the input, and the length L that its shape or the user says."""
    inputs = [entry for entry in graph.input if entry.name not in constants]
    if len(inputs) != 1:
        raise problems.error(f"{problems.what} has {len(inputs)} inputs; networks take one, the sequences")
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in inputs[0].type.tensor_type.shape.dim]
    axes = input_axes(sizes[1:])
    if axes is None:
        raise problems.error(f"{problems.what} has an input of shape {sizes}; expected (N, 4, L) or (N, L, 4)")
    known = sizes[1 + axes.index("L")]
    if known and length not in (None, known):
        raise problems.error(f"{problems.what} is for sequences of {known} positions; length is {length}")
    return Flow.sequences("N" + axes, known or length), known or length


def input_axes(sizes: list[int | None]) -> str | None:
    """Letters for the axes of an input behind N: the letters' axis is 4, others but one are 1; None: neither."""
    kept = [(index, size) for index, size in enumerate(sizes) if size != 1]
    fours = [index for index, size in kept if size == 4]
    if len(kept) != 2 or not fours:
        return None
    # Of two axes of length 4 the letters are the first one only where nothing else can be told.
    letters = fours[0]
    return "".join("1" if size == 1 else "C" if index == letters else "L" for index, size in enumerate(sizes))


# ---- the graph ----

_BROKEN = object()


def _run(onnx: Any, graph: Any, constants: dict[str, Any], start: Flow, problems: Problems) -> Flow:
    from ._onnx_nodes import OPERATORS, Node

    values: dict[str, Any] = dict(constants)
    values[next(entry.name for entry in graph.input if entry.name not in constants)] = start
    wanted = graph.output[0].name
    for index, proto in enumerate(graph.node):
        name = proto.name or f"node {index}"
        handler = OPERATORS.get(proto.op_type) if proto.domain in ("", "ai.onnx") else None
        missing = [key for key in proto.input if key and key not in values]
        inputs = [values.get(key) if key else None for key in proto.input]
        results: Any = _BROKEN
        if handler is None:
            problems.add(name, proto.op_type, "there is no such layer")
        elif missing:
            problems.add(name, proto.op_type, f"its input {missing[0]} does not exist")
        elif all(value is not _BROKEN for value in inputs):
            try:
                results = handler(Node(onnx, proto, inputs, problems.what))
            except LengthFound:
                problems.check()
                raise
            except Unsupported as error:
                problems.add(name, proto.op_type, str(error))
            except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
                # What a handler does not expect: too few inputs, attributes of other kinds, sizes a layer refuses.
                problems.add(name, proto.op_type, f"it is not as expected: {error}")
        outputs = results if isinstance(results, tuple) else (results,) + (_BROKEN,) * (len(proto.output) - 1)
        if results is _BROKEN:
            outputs = (_BROKEN,) * len(proto.output)
        values |= {key: value for key, value in zip(proto.output, outputs, strict=False) if key}
    problems.check()
    result = values.get(wanted)
    result = result.resolved() if isinstance(result, Formula) else result
    if not isinstance(result, Flow):
        raise problems.error(f"{problems.what} does not compute its output {wanted} from the sequences")
    return result


def _with_output(graph: Any, flow: Flow, output: str | None) -> tuple[Flow, str | None]:
    """Where a second output is the softmax or sigmoid of the first, the first are the scores."""
    producers = {key: proto for proto in graph.node for key in proto.output}
    if output is None and len(graph.output) == 2:
        scores, probabilities = graph.output[0].name, producers.get(graph.output[1].name)
        if probabilities is not None and list(probabilities.input) == [scores]:
            kinds_of_output = {"Softmax": "softmax", "Sigmoid": "sigmoid", "Identity": "linear"}
            return flow, kinds_of_output.get(probabilities.op_type)
    return flow, output


def _compare(data: bytes, graph: Any, model: Network) -> None:
    """Runs the file in onnxruntime, where that is installed."""
    try:
        import onnxruntime
    except ImportError:
        return
    X = sample_sequences(model)
    try:
        expected = _evaluated(onnxruntime, data, X)
    except Exception:  # the runtime's own limits, of versions, operators and types, are not the file's faults
        return
    if expected is None or not len(X) or expected.size != len(X) * len(model.classes_):
        return
    # The only output of a file that ends in a softmax or sigmoid are probabilities.
    with_function = len(graph.output) == 1 and model.output != "linear" and _ends_in_function(graph)
    found = model.predict_proba(X) if with_function else model.scores(X)
    compare(found, expected, "onnxruntime")


def _ends_in_function(graph: Any) -> bool:
    producers = {key: proto.op_type for proto in graph.node for key in proto.output}
    return producers.get(graph.output[0].name) in ("Softmax", "Sigmoid")


def _evaluated(onnxruntime: Any, data: bytes, X: Any) -> Any:
    """First output of the file for codes; None where its input has no known form."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name, shape = session.get_inputs()[0].name, session.get_inputs()[0].shape
    axes = input_axes([size if isinstance(size, int) else None for size in shape[1:]])
    if axes is None:
        return None
    letters = np.eye(5, 4, dtype=np.float32)[X]
    if axes.index("C") < axes.index("L"):
        letters = letters.transpose(0, 2, 1)
    sizes = {"L": X.shape[1], "C": 4, "1": 1}
    letters = np.ascontiguousarray(letters.reshape([len(X), *(sizes[letter] for letter in axes)]))
    rows = 1 if isinstance(shape[0], int) else len(X)
    parts = [session.run(None, {name: letters[i : i + rows]})[0] for i in range(0, len(X), rows)]
    return np.concatenate(parts).reshape(len(X), -1)
