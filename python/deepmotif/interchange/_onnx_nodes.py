"""What every ONNX operator does to a flow. Interchange room; private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import layers as kinds
from ._flow import Flow, unsupported
from ._onnx_node import Node
from ._onnx_shapes import SHAPES
from ._onnx_values import BATCH, Fill, Formula, formula, small


def _pairs(pads: Any, count: int) -> list[tuple[int, int]]:
    pads = list(pads or [0] * (2 * count))
    return [(int(pads[i]), int(pads[i + count])) for i in range(count)]


def _padding(node: Node, count: int) -> Any:
    """Paddings of every axis, or "same" as Keras means it."""
    automatic = node.attribute("auto_pad", "NOTSET")
    if automatic == "SAME_UPPER":
        return "same"
    if automatic == "VALID":
        return [(0, 0)] * count
    if automatic != "NOTSET":
        unsupported(f"auto_pad={automatic}")
    return _pairs(node.attribute("pads"), count)


def _conv(node: Node) -> Flow:
    x, weight, bias = node.flow(), node.array(1), node.array(2)
    count = weight.ndim - 2
    if count not in (1, 2) or len(x.axes) != count + 2:
        unsupported(f"a convolution along {count} axes")
    return x.convolved(
        weight, bias, axes=range(2, count + 2), channel_axis=1, stride=node.attribute("strides", [1] * count),
        padding=_padding(node, count), dilation=node.attribute("dilations", [1] * count),
        groups=node.attribute("group", 1),
    )  # fmt: skip


def _pool(kind: type[kinds.Layer]) -> Callable[[Node], Flow]:
    def handler(node: Node) -> Flow:
        size = node.attribute("kernel_shape")
        count = len(size)
        if any(step != 1 for step in node.attribute("dilations", [1])) or node.attribute("storage_order", 0):
            unsupported("dilated pooling")
        return node.flow().pooled(
            kind, axes=range(-count, 0), size=size, stride=node.attribute("strides", [1] * count),
            padding=_padding(node, count), ceil=bool(node.attribute("ceil_mode", 0)),
            count_padding=bool(node.attribute("count_include_pad", 0)),
        )  # fmt: skip

    return handler


def _global(kind: type[kinds.Layer]) -> Callable[[Node], Flow]:
    return lambda node: node.flow().reduced(kind, range(2, len(node.flow().axes)), keep=True)


def _reduce(kind: type[kinds.Layer]) -> Callable[[Node], Flow]:
    def handler(node: Node) -> Flow:
        axes = node.axes(1)
        if not axes:
            unsupported("it reduces everything")
        return node.flow().reduced(kind, axes, bool(node.attribute("keepdims", 1)))

    return handler


def _gemm(node: Node) -> Flow:
    if node.attribute("alpha", 1.0) != 1 or node.attribute("beta", 1.0) != 1 or node.attribute("transA", 0):
        unsupported("alpha, beta or transA")
    weight, bias = node.array(1), node.array(2)
    if not node.attribute("transB", 0):
        weight = weight.T
    if bias is not None:
        bias = np.broadcast_to(bias.ravel(), (weight.shape[0],))
    x = node.flow()
    return (x.flattened() if "1" in x.axes else x).dense(weight, bias)


def _matmul(node: Node) -> Flow:
    weight = node.array(1)
    if weight.ndim > 2 and weight.shape[:-2].count(1) == weight.ndim - 2:
        weight = weight.reshape(weight.shape[-2:])
    if weight.ndim != 2:
        unsupported("its weights are no matrix")
    return node.flow().dense(weight.T, None)


def _add(node: Node) -> Any:
    first, second = node.inputs
    if isinstance(first, np.ndarray):
        first, second = second, first
    if isinstance(first, Flow) and isinstance(second, Flow) and first is not second:
        return first.plus(second)
    if isinstance(first, Flow) and isinstance(second, np.ndarray) and second.dtype != object:
        layer = first.step[0] if first.step else None
        if isinstance(layer, (kinds.Dense, kinds.Conv1D)) and not layer.bias and second.ndim:
            return first.with_bias(second)
    if isinstance(first, Formula) and isinstance(second, Flow) and second is not first.flow:
        return first.resolved().plus(second)
    if isinstance(second, Formula) and isinstance(first, Flow) and first is not second.flow:
        return first.plus(second.resolved())
    if isinstance(first, Formula) and isinstance(second, Formula) and first.flow is not second.flow:
        return first.resolved().plus(second.resolved())
    return _arithmetic(node)


def _arithmetic(node: Node) -> Any:
    values = node.inputs
    if small(*values):
        # Shapes: numbers beside the unknown N.
        if any(value is BATCH for array in values for value in array.ravel()):
            unsupported("it computes with the number of sequences")
        first, second = values
        operations: dict[str, Callable[[Any, Any], Any]] = {
            "Add": np.add, "Sub": np.subtract, "Mul": np.multiply,
            "Div": lambda a, b: a // b if a.dtype.kind in "iO" else a / b,
        }  # fmt: skip
        return operations[node.kind](first, second)
    affine = _affine(node.kind, *values)
    return formula(node.kind, values) if affine is None else affine


def _affine(kind: str, first: Any, second: Any) -> Flow | None:
    """One number a channel as factor or shift; None where it is something else."""
    if isinstance(first, np.ndarray) and kind in ("Mul", "Add"):
        first, second = second, first
    if not isinstance(second, np.ndarray) or second.dtype == object or second.size == 1:
        return None
    first = first.resolved() if isinstance(first, Formula) else first
    if not isinstance(first, Flow):
        return None
    if kind in ("Add", "Sub"):
        return first.with_bias(second if kind == "Add" else -second)
    return first.scaled(second if kind == "Mul" else 1 / second)


def _elementwise(make: Callable[[Node], kinds.Layer]) -> Callable[[Node], Any]:
    def handler(node: Node) -> Any:
        if isinstance(node.inputs[0], Formula) and node.kind in ("Tanh", "Exp", "Sigmoid"):
            return formula(node.kind, node.inputs[:1])
        return node.flow().elementwise(make(node))

    return handler


def _batch_norm(node: Node) -> Flow:
    weights = dict(zip(("weight", "bias", "running_mean", "running_var"), map(node.array, range(1, 5)), strict=True))
    momentum = min(max(1 - node.attribute("momentum", 0.9), 0.0), 1.0)
    return node.flow().normalized(
        kinds.BatchNorm1D(momentum=momentum, epsilon=node.attribute("epsilon", 1e-5)), weights, 1
    )


def _layer_norm(node: Node) -> Flow:
    x, weight, bias = node.flow(), node.array(1), node.array(2)
    if x.index(node.attribute("axis", -1)) != len(x.axes) - 1:
        unsupported("it normalizes several axes together")
    weights = {"weight": weight, "bias": np.zeros_like(weight) if bias is None else bias}
    return x.normalized(kinds.LayerNorm(epsilon=node.attribute("epsilon", 1e-5)), weights, -1)


def _recurrent(node: Node) -> tuple[Flow, Flow, Any]:
    lstm = node.kind == "LSTM"
    units, direction = node.attribute("hidden_size"), node.attribute("direction", "forward")
    bidirectional = direction == "bidirectional"
    expected = (["Sigmoid", "Tanh", "Tanh"] if lstm else ["Sigmoid", "Tanh"]) * (2 if bidirectional else 1)
    activations = [entry.decode() for entry in node.attribute("activations", [])] or expected
    x = node.flow()
    if direction == "reverse":
        unsupported("it reads backwards only")
    if activations != expected or node.attribute("clip") is not None or node.attribute("input_forget", 0):
        unsupported(f"activations {activations}, clip or coupled gates")
    if node.attribute("layout", 0) or x.axes.replace("1", "") != "LNC":
        unsupported("its input is not (L, N, C)")
    for index in (4, 5, 6, 7):
        value = node.optional(index)
        zero = value is None or (isinstance(value, Fill) and value.value == 0)
        zero = zero or (isinstance(value, np.ndarray) and value.dtype != object and not value.any())
        # The lengths of sequences, input 4, are whole as a rule.
        if not zero and not (index == 4 and isinstance(value, (np.ndarray, Fill))):
            unsupported("an initial state or peepholes")
    weights = _gates(node, lstm, units, 2 if bidirectional else 1)
    kind: Any = kinds.LSTM if lstm else kinds.GRU
    options = {} if lstm else {"reset_after": bool(node.attribute("linear_before_reset", 0))}
    if not lstm and not options["reset_after"]:
        for suffix in ("", "_reverse") if bidirectional else ("",):
            weights["bias_ih" + suffix] = weights["bias_ih" + suffix] + weights.pop("bias_hh" + suffix)
    states = x.recurrent(
        kind(units, bidirectional=bidirectional, **options), weights, "LDNC" if bidirectional else "L1NC"
    )
    last = x.recurrent(
        kind(units, bidirectional=bidirectional, return_sequences=False, **options), weights,
        "DNC" if bidirectional else "1NC",
    )  # fmt: skip
    return states, last, None


def _gates(node: Node, lstm: bool, units: int, directions: int) -> dict[str, Any]:
    """The arrays under the engine's names; ONNX orders the gates i o f c and z r h."""
    order = [0, 2, 3, 1] if lstm else [1, 0, 2]
    count = len(order)
    W, R, B = node.array(1), node.array(2), node.array(3)
    B = np.zeros((directions, 2 * count * units), dtype=np.float32) if B is None else B
    weights: dict[str, Any] = {}
    for index, suffix in enumerate(("", "_reverse")[:directions]):

        def sorted_gates(array: Any) -> Any:
            return array.reshape(count, units, -1)[order].reshape(count * units, -1)

        weights[f"weight_ih{suffix}"] = sorted_gates(W[index])
        weights[f"weight_hh{suffix}"] = sorted_gates(R[index])
        inputs, recurrent = (sorted_gates(half)[:, 0] for half in np.split(B[index], 2))
        if lstm:
            weights[f"bias{suffix}"] = inputs + recurrent
        else:
            weights |= {f"bias_ih{suffix}": inputs, f"bias_hh{suffix}": recurrent}
    return weights


OPERATORS: dict[str, Callable[[Node], Any]] = {
    "Conv": _conv,
    "MaxPool": _pool(kinds.MaxPool1D),
    "AveragePool": _pool(kinds.AveragePool1D),
    "GlobalMaxPool": _global(kinds.GlobalMaxPool1D),
    "GlobalAveragePool": _global(kinds.GlobalAveragePool1D),
    "ReduceMax": _reduce(kinds.GlobalMaxPool1D),
    "ReduceMean": _reduce(kinds.GlobalAveragePool1D),
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _add,
    "Mul": _arithmetic,
    "Div": _arithmetic,
    "Sub": _arithmetic,
    "Pow": lambda node: formula("Pow", node.inputs),
    "Erf": lambda node: formula("Erf", node.inputs),
    "Neg": lambda node: formula("Neg", node.inputs),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "Relu": _elementwise(lambda node: kinds.ReLU()),
    "LeakyRelu": _elementwise(lambda node: kinds.LeakyReLU(node.attribute("alpha", 0.01))),
    "Elu": _elementwise(lambda node: kinds.ELU(node.attribute("alpha", 1.0))),
    "Gelu": _elementwise(lambda node: kinds.GELU(approximate=node.attribute("approximate", "none") == "tanh")),
    "Exp": _elementwise(lambda node: kinds.Exponential()),
    "Sigmoid": _elementwise(lambda node: kinds.Sigmoid()),
    "Tanh": _elementwise(lambda node: kinds.Tanh()),
    "Softmax": lambda node: node.flow().softmax(node.attribute("axis", -1)),
    "Dropout": lambda node: node.inputs[0],
    "Identity": lambda node: node.inputs[0],
} | SHAPES
