"""to_onnx: a fitted network as an ONNX file. Interchange room."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _native
from .. import layers as kinds
from .._files import write_file
from .._views import check_model
from ..exceptions import InternalError, MissingDependencyError
from ._to_torch import recurrent_arrays
from ._windows import ceil_padding, conv_padding, pool_padding

__all__ = ["to_onnx"]

_OPSET = 18
# The newest that the ONNX runtimes in use read.
_IR_VERSION = 10


def to_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes a fitted network as an ONNX file, opset 18.

    Input ``sequence`` (N, L, 4) float32, N free, L the length of training; outputs ``scores`` (N, C) and
    ``probabilities`` (N, C).

    Parameters
    ----------
    model : fitted network
        Of this package.
    path : str or Path
        The file.

    Raises
    ------
    NotFittedError
        Before `fit`.
    MissingDependencyError
        If the package onnx is not installed.
    FileWriteError
        If the file cannot be written; also an OSError.

    Examples
    --------
    >>> import deepmotif as dm, onnx, os, tempfile
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.to_onnx(os.path.join(folder, "model.onnx"))
    ...     graph = onnx.load(os.path.join(folder, "model.onnx")).graph
    >>> [node.op_type for node in graph.node]
    ['Transpose', 'Conv', 'Relu', 'ReduceMax', 'Gemm', 'Identity', 'Softmax']
    """
    model = check_model(model)
    try:
        import onnx
    except ImportError:
        raise MissingDependencyError("to_onnx needs the package onnx: pip install 'deepmotif[onnx]'") from None
    graph = _Graph(onnx.helper, onnx.numpy_helper)
    shape = ["N", model.length_, 4]
    strands = getattr(model, "reverse_complement", "none")
    scores = graph.network("sequence", model)
    if strands in ("average", "maximum"):
        # Reversing both positions and the letters A C G T gives the other strand.
        ends = (
            graph.constant(np.array([-1, -1], dtype=np.int64)),
            graph.constant(np.array([-(2**31)] * 2, dtype=np.int64)),
        )
        axes = graph.constant(np.array([1, 2], dtype=np.int64))
        other = graph.node("Slice", ["sequence", *ends, axes, ends[0]])
        others = graph.network(other, model)
        scores = graph.node("Max" if strands == "maximum" else "Mean", [scores, others])
    graph.node("Identity", [scores], output="scores")
    operator, attributes = {
        _native.OUTPUT_SOFTMAX: ("Softmax", {"axis": 1}),
        _native.OUTPUT_SIGMOID: ("Sigmoid", {}),
    }.get(model._output, ("Identity", {}))
    graph.node(operator, ["scores"], output="probabilities", **attributes)
    write_file(path, graph.bytes(onnx, shape, len(model.classes_)))


class _Graph:
    """Nodes and constants; values between layers are sequences (N, C, L) or, when `flat`, vectors (N, C)."""

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self.helper = helper
        self.numpy_helper = numpy_helper
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.weights: Mapping[str, Any] = {}
        self.flat = False

    def bytes(self, onnx: Any, shape: Sequence[Any], outputs: int) -> bytes:
        helper, kind = self.helper, onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes, "deepmotif", [helper.make_tensor_value_info("sequence", kind, shape)],
            [helper.make_tensor_value_info(name, kind, ["N", outputs]) for name in ("scores", "probabilities")],
            list(self.constants.values()),
        )  # fmt: skip
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, producer_name="deepmotif", ir_version=_IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))

    def constant(self, array: Any, name: str | None = None) -> str:
        """The name of an array in the file; one that is named is kept once."""
        name = name or f"constant_{len(self.constants)}"
        if name not in self.constants:
            self.constants[name] = self.numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def node(self, operator: str, inputs: Sequence[str], *, output: str = "", count: int = 1, **attributes: Any) -> str:
        """Adds a node; the name of its first output."""
        name, title = output or f"value_{len(self.nodes)}", f"node_{len(self.nodes)}"
        outputs = [name, *(f"{name}_{index}" for index in range(1, count))]
        self.nodes.append(self.helper.make_node(operator, list(inputs), outputs, name=title, **attributes))
        return name

    # ---- layers ----

    def network(self, x: str, model: Any) -> str:
        """Scores of letters (N, L, 4)."""
        self.weights, self.flat = model.weights_, False
        x = self.node("Transpose", [x], perm=[0, 2, 1])
        x = self.layers(x, model._layers, 4, model.length_, "")
        return x if self.flat else self.node("Flatten", [x], axis=1)

    def layers(self, x: str, layers: Sequence[kinds.Layer], channels: int, length: int, prefix: str) -> str:
        counts: dict[str, int] = {}
        for layer in layers:
            index = counts.get(layer.kind, 0)
            counts[layer.kind] = index + 1
            x = self.layer(x, layer, f"{prefix}{layer.kind}_{index}", channels, length)
            length, channels = layer.output_shape(length, channels)
        return x

    def layer(self, x: str, layer: Any, name: str, channels: int, length: int) -> str:
        if isinstance(layer, kinds.Residual):
            return self.residual(x, layer, name, channels, length)
        if isinstance(layer, kinds.Dense):
            return self.dense(x, layer, name)
        if isinstance(layer, kinds.Maxout):
            return self.maxout(x, layer.size, channels)
        if isinstance(layer, kinds.LayerNorm):
            arrays = [self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
            return self.by_position(
                x, lambda y: self.node("LayerNormalization", [y, *arrays], axis=-1, epsilon=layer.epsilon)
            )
        if isinstance(layer, kinds.BatchNorm1D):
            arrays = [self.weight(f"{name}.{key}") for key in ("weight", "bias", "running_mean", "running_var")]
            momentum = 1 - layer.momentum
            return self.node("BatchNormalization", [x, *arrays], epsilon=layer.epsilon, momentum=momentum)
        if isinstance(layer, (kinds.Dropout,)):
            return x
        activation = self.activation(x, layer)
        if activation is not None:
            return activation
        if isinstance(layer, kinds.Flatten) and self.flat:
            return x
        if self.flat:
            x = self.node("Unsqueeze", [x, self.integers(2)])
        self.flat = not layer.keeps_positions
        return self.of_sequence(x, layer, name, channels, length)

    def of_sequence(self, x: str, layer: Any, name: str, channels: int, length: int) -> str:
        if isinstance(layer, kinds.Conv1D):
            arrays = [self.weight(f"{name}.weight"), *([self.weight(f"{name}.bias")] if layer.bias else [])]
            return self.node(
                "Conv", [x, *arrays], kernel_shape=[layer.kernel_size], strides=[layer.stride],
                dilations=[layer.dilation], pads=list(conv_padding(layer)),
            )  # fmt: skip
        if isinstance(layer, kinds.MaxPool1D):
            left, right = pool_padding(layer, length)
            pads = [left, right + ceil_padding(layer, length)]
            return self.node("MaxPool", [x], kernel_shape=[layer.size], strides=[layer.stride], pads=pads)
        if isinstance(layer, kinds.AveragePool1D):
            return self.average_pool(x, layer, length)
        if isinstance(layer, kinds.GlobalMaxPool1D):
            return self.node("ReduceMax", [x, self.integers(2)], keepdims=0)
        if isinstance(layer, kinds.GlobalAveragePool1D):
            return self.node("ReduceMean", [x, self.integers(2)], keepdims=0)
        if isinstance(layer, kinds.GlobalMaxAveragePool1D):
            parts = [self.node(f"Reduce{what}", [x, self.integers(2)], keepdims=0) for what in ("Max", "Mean")]
            order = np.arange(2 * channels).reshape(2, channels).T.ravel()
            return self.node("Gather", [self.node("Concat", parts, axis=1), self.integers(*order.tolist())], axis=1)
        if isinstance(layer, kinds.Flatten):
            x = x if layer.order == "channels" else self.node("Transpose", [x], perm=[0, 2, 1])
            return self.node("Flatten", [x], axis=1)
        if isinstance(layer, (kinds.LSTM, kinds.GRU)):
            return self.recurrent(x, layer, name, channels)
        raise InternalError(f"to_onnx does not know the layer {type(layer).__name__}")

    def weight(self, name: str) -> str:
        return self.constant(self.weights[name], name)

    def by_position(self, x: str, function: Any) -> str:
        """A function of (..., C) on sequences (N, C, L), or on vectors as they are."""
        if self.flat:
            return str(function(x))
        return self.node("Transpose", [function(self.node("Transpose", [x], perm=[0, 2, 1]))], perm=[0, 2, 1])

    def dense(self, x: str, layer: kinds.Dense, name: str) -> str:
        bias = [self.weight(f"{name}.bias")] if layer.bias else []
        if self.flat:
            return self.node("Gemm", [x, self.weight(f"{name}.weight"), *bias], transB=1)
        transposed = self.constant(self.weights[f"{name}.weight"].T, f"{name}.weight.transposed")

        def apply(y: str) -> str:
            y = self.node("MatMul", [y, transposed])
            return self.node("Add", [y, *bias]) if bias else y

        return self.by_position(x, apply)

    def maxout(self, x: str, size: int, channels: int) -> str:
        groups = channels // size
        shape = self.integers(0, size, groups) if self.flat else self.integers(0, size, groups, -1)
        return self.node("ReduceMax", [self.node("Reshape", [x, shape]), self.integers(1)], keepdims=0)

    def average_pool(self, x: str, layer: Any, length: int) -> str:
        left, right = pool_padding(layer, length)
        extra = ceil_padding(layer, length)
        window: dict[str, Any] = {"kernel_shape": [layer.size], "strides": [layer.stride]}
        if not layer.count_padding:
            return self.node("AveragePool", [x], pads=[left, right + extra], count_include_pad=0, **window)
        if not extra:
            return self.node("AveragePool", [x], pads=[left, right], count_include_pad=1, **window)
        # The layer's zeros count, what a last window lacks does not.
        padded = self.node("Pad", [x, self.integers(0, 0, left, 0, 0, right)])
        return self.node("AveragePool", [padded], pads=[0, extra], count_include_pad=0, **window)

    def activation(self, x: str, layer: Any) -> str | None:
        plain = {kinds.ReLU: "Relu", kinds.Sigmoid: "Sigmoid", kinds.Tanh: "Tanh", kinds.Exponential: "Exp"}
        if type(layer) in plain:
            return self.node(plain[type(layer)], [x])
        if isinstance(layer, kinds.LeakyReLU):
            return self.node("LeakyRelu", [x], alpha=layer.slope)
        if isinstance(layer, kinds.ELU):
            return self.node("Elu", [x], alpha=layer.alpha)
        if isinstance(layer, kinds.Softmax):
            return self.node("Softmax", [x], axis=1)
        if isinstance(layer, kinds.GELU):
            return self.gelu(x, layer.approximate)
        return None

    def gelu(self, x: str, approximate: bool) -> str:
        """GELU in steps: ONNX has it as an operator from opset 20 on only."""

        def number(value: float) -> str:
            return self.constant(np.float32(value))

        if approximate:
            cube = self.node("Mul", [self.node("Pow", [x, number(3)]), number(0.044715)])
            inner = self.node("Mul", [self.node("Add", [x, cube]), number(math.sqrt(2 / math.pi))])
            gate = self.node("Tanh", [inner])
        else:
            gate = self.node("Erf", [self.node("Mul", [x, number(1 / math.sqrt(2))])])
        half = self.node("Mul", [x, number(0.5)])
        return self.node("Mul", [half, self.node("Add", [gate, number(1)])])

    def recurrent(self, x: str, layer: Any, name: str, channels: int) -> str:
        """LSTM with gates i o f c, GRU with z r h: ONNX's orders."""
        arrays = recurrent_arrays(layer, self.weights, name, channels)
        lstm = isinstance(layer, kinds.LSTM)
        order = (0, 3, 1, 2) if lstm else (1, 0, 2)
        units, suffixes = layer.units, ("", "_reverse") if layer.bidirectional else ("",)

        def stacked(key: str) -> Any:
            gates = [arrays[key + suffix].reshape(len(order), units, -1)[list(order)] for suffix in suffixes]
            return np.stack([gate.reshape(len(order) * units, -1) for gate in gates])

        biases = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1)[:, :, 0]
        inputs = [
            self.node("Transpose", [x], perm=[2, 0, 1]),
            self.constant(stacked("weight_ih"), f"{name}.W"),
            self.constant(stacked("weight_hh"), f"{name}.R"),
            self.constant(biases, f"{name}.B"),
        ]
        direction = "bidirectional" if layer.bidirectional else "forward"
        extra: dict[str, Any] = {} if lstm else {"linear_before_reset": int(layer.reset_after)}
        states = self.node("LSTM" if lstm else "GRU", inputs, count=2, hidden_size=units, direction=direction, **extra)
        size = units * len(suffixes)
        if layer.return_sequences:
            states = self.node("Transpose", [states], perm=[2, 1, 3, 0])
            return self.node("Reshape", [states, self.integers(0, size, -1)])
        last = self.node("Transpose", [f"{states}_1"], perm=[1, 0, 2])
        return self.node("Reshape", [last, self.integers(0, size)])

    def residual(self, x: str, layer: Any, name: str, channels: int, length: int) -> str:
        before = self.flat
        body = self.layers(x, layer.layers, channels, length, f"{name}.")
        after, self.flat = self.flat, before
        shortcut = self.layers(x, layer.shortcut, channels, length, f"{name}.shortcut.")
        if after != self.flat:  # one way has dropped the axis of a single position that the other keeps
            if after:
                shortcut = self.node("Flatten", [shortcut], axis=1)
            else:
                body = self.node("Flatten", [body], axis=1)
            self.flat = True
        return self.node("Add", [body, shortcut])
