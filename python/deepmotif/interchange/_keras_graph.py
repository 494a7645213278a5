"""Keras architectures: which layer reads which, and where its arrays lie. Interchange room; private."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..exceptions import FileFormatError
from ._finish import Problems
from ._flow import Flow, LengthFound, Unsupported, unsupported
from ._hdf5 import WeightFile

_MOST_LAYERS = 10_000
_BROKEN = object()

#: Under this name the sequences themselves are an input.
INPUT = ""


class Entry:
    """A layer of an architecture."""

    def __init__(self, kind: str, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        self.kind = kind
        self.name = name
        self.config = config
        self.inputs = inputs


class Architecture:
    """The layers in order, each with the names of those that it reads."""

    def __init__(self, config: dict[str, Any], name: str, backend: str | None) -> None:
        self.name = name
        self.backend = backend
        try:
            self.entries, self.output = self._read(config)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as error:
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(f"{name} holds no architecture of Keras ({type(error).__name__}: {error})") from None
        if not 1 <= len(self.entries) <= _MOST_LAYERS:
            raise FileFormatError(f"{name} holds {len(self.entries)} layers")

    def _read(self, config: dict[str, Any]) -> tuple[list[Entry], str]:
        kind, body = config["class_name"], config["config"]
        if kind == "Sequential":
            layers = body if isinstance(body, list) else body["layers"]
            entries: list[Entry] = []
            before = INPUT
            for layer in layers:
                entry = _entry(layer, [before])
                entries.append(entry)
                before = entry.name
            return entries, before
        if kind not in ("Model", "Functional"):
            raise FileFormatError(
                f"{self.name} holds a {str(kind)[:80]}, which is built by code; only Sequential and functional "
                "models can be read"
            )
        entries = [_entry(layer, _inputs(layer.get("inbound_nodes", []))) for layer in body["layers"]]
        outputs = body["output_layers"]
        first = outputs if isinstance(outputs[0], str) else outputs[0]
        if not isinstance(outputs[0], str) and len(outputs) != 1:
            raise FileFormatError(f"{self.name} has {len(outputs)} outputs; networks have one")
        return entries, str(first[0])

    def kernels_reversed(self, file_backend: str | None) -> bool:
        """Whether Theano wrote the kernels."""
        if self.backend or file_backend:
            return (self.backend or file_backend) == "theano"
        return any(entry.config.get("dim_ordering") == "th" for entry in self.entries)


def _entry(layer: dict[str, Any], inputs: list[str]) -> Entry:
    kind, config = layer["class_name"], layer["config"]
    name = config.get("name") or layer.get("name")
    if not isinstance(kind, str) or not isinstance(config, dict) or not isinstance(name, str):
        raise ValueError("a layer without kind, name or configuration")
    return Entry(kind, name, config, inputs)


def _inputs(nodes: Any) -> list[str]:
    """Names of the layers that one reads: Keras 1 and 2 list them, Keras 3 hides them among arguments."""
    if not nodes:
        return []
    if len(nodes) != 1:
        raise ValueError("a layer that is used several times")
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            found.append(str(value["config"]["keras_history"][0]))
        elif isinstance(value, dict):
            for entry in value.values():
                look(entry)
        elif isinstance(value, list):
            for entry in value:
                look(entry)

    if isinstance(nodes[0], dict):
        look(nodes[0]["args"])
        return found
    return [str(node[0]) for node in nodes[0]]


# ---- arrays ----


class ByName:
    """Arrays of Keras 1 and 2, and of Keras 3's `.h5`: groups named as the layers, each with a list of names."""

    def __init__(self, file: WeightFile, architecture: Architecture, group: Any) -> None:
        self._file = file
        self._group = group
        if group is None:
            raise FileFormatError(f"{file.name} holds no weights")
        if "layer_names" not in group.attrs and "layer_names0" not in group.attrs:
            inner = file.child(group, "model_weights")
            self._group = group if inner is None else inner
        backend = file.attribute(self._group, "backend") or file.attribute(file.root, "backend")
        self.reversed = architecture.kernels_reversed(backend)

    def of(self, entry: Entry) -> dict[str, Any]:
        """Arrays by their last names, in the order of the file."""
        group = self._file.child(self._group, entry.name)
        if group is None:
            return {}
        arrays: dict[str, Any] = {}
        for path in self._file.names(group, "weight_names"):
            key = re.sub(r":\d+$", "", path)
            arrays[key] = self._file.array(self._file.child(group, path), f"{entry.name}/{path}")
        return arrays


class ByOrder:
    """Arrays of Keras 3: groups named by kind and order, arrays by number."""

    def __init__(self, file: WeightFile, architecture: Architecture) -> None:
        self._file = file
        self.reversed = False
        self._groups: dict[str, str] = {}
        counts: dict[str, int] = {}
        for entry in architecture.entries:
            kind = _snake(entry.kind)
            index = counts.get(kind, 0)
            counts[kind] = index + 1
            self._groups[entry.name] = kind if index == 0 else f"{kind}_{index}"

    def of(self, entry: Entry) -> dict[str, Any]:
        root = None
        for place in ("layers", "_layer_checkpoint_dependencies"):
            root = root or self._file.child(self._file.root, f"{place}/{self._groups[entry.name]}")
        arrays: dict[str, Any] = {}
        for place in ("vars", "cell/vars", "forward_layer/cell/vars", "backward_layer/cell/vars", "layer/vars"):
            group = None if root is None else self._file.child(root, place)
            index = 0
            while group is not None and (array := self._file.child(group, str(index))) is not None:
                arrays[f"{place}/{index}"] = self._file.array(array, f"{entry.name}/{place}/{index}")
                index += 1
        return arrays


def _snake(name: str) -> str:
    """Keras's own way from the name of a class to that of a group: Conv1D is conv1d, MaxPooling1D max_pooling1d."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


# ---- running ----


def run(architecture: Architecture, arrays: Any, length: int | None, problems: Problems) -> tuple[Flow, int | None]:
    """The flow of the output, and the length of the sequences that the architecture says."""
    from ._keras_layers import LAYERS, Context, input_flow

    values: dict[str, Any] = {}
    known = length
    for entry in architecture.entries:
        handler: Callable[..., Any] | None = LAYERS.get(entry.kind)
        given: list[Any] = []
        result: Any = _BROKEN
        try:
            shape = _input_shape(entry)
            if shape is not None and (entry.kind == "InputLayer" or entry.inputs == [INPUT]):
                start, known = input_flow(shape, length)
                given = [start]
            elif entry.inputs == [INPUT]:
                unsupported("the architecture does not say what its input is")
            else:
                given = [values[name] for name in entry.inputs]
            if entry.kind == "InputLayer":
                result = given[0]
            elif handler is None:
                problems.add(entry.name, entry.kind, "there is no such layer")
            elif not given:
                unsupported("it reads nothing")
            elif all(value is not _BROKEN for value in given):
                result = handler(Context(entry, arrays.of(entry), arrays.reversed), *given)
        except LengthFound:
            problems.check()
            raise
        except Unsupported as error:
            problems.add(entry.name, entry.kind, str(error))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            if isinstance(error, FileFormatError):
                raise
            problems.add(entry.name, entry.kind, f"it is not as expected ({type(error).__name__}: {error})")
        values[entry.name] = result
    problems.check()
    flow = values.get(architecture.output)
    if not isinstance(flow, Flow):
        raise problems.error(f"{problems.what} does not compute its output from the sequences")
    return flow, known


def _input_shape(entry: Entry) -> list[Any] | None:
    for key in ("batch_input_shape", "batch_shape"):
        shape = entry.config.get(key)
        if isinstance(shape, list):
            return shape
    dimension = entry.config.get("input_dim")
    if isinstance(dimension, int) and entry.inputs == [INPUT]:
        return [None, entry.config.get("input_length"), dimension]
    return None
