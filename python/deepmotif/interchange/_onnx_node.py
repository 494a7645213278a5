"""A node of an ONNX graph with its inputs. Interchange room; private."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._flow import Flow, unsupported
from ._onnx_values import Formula


class Node:
    """A node with its inputs as values."""

    def __init__(self, onnx: Any, proto: Any, inputs: list[Any], path: Any) -> None:
        self._attributes = {entry.name: entry for entry in proto.attribute}
        self._get = onnx.helper.get_attribute_value
        self.kind = proto.op_type
        self.inputs = inputs
        self.path = path

    def attribute(self, name: str, default: Any = None) -> Any:
        value = self._get(self._attributes[name]) if name in self._attributes else default
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def optional(self, index: int) -> Any:
        return self.inputs[index] if index < len(self.inputs) else None

    def flow(self, index: int = 0) -> Flow:
        """An input that comes from the sequences."""
        value = self.inputs[index]
        if isinstance(value, Formula):
            value = value.resolved()
        if not isinstance(value, Flow):
            unsupported("it does not read what comes from the sequences")
        return value

    def array(self, index: int) -> Any:
        """An input that is a constant of the file, None where it is left out."""
        value = self.optional(index)
        if value is not None and (not isinstance(value, np.ndarray) or value.dtype == object):
            unsupported("it reads weights that are not constants of the file")
        return value

    def axes(self, index: int, default: Any = None) -> Any:
        """Axes, an attribute in older opsets and an input in newer ones."""
        value = self.array(index)
        return self.attribute("axes", default) if value is None else [int(axis) for axis in value.ravel()]
