"""The ONNX operators that move, cut and join axes, and those that compute shapes. Interchange room; private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._flow import Flow, unsupported
from ._onnx_node import Node
from ._onnx_values import BATCH, MOST_VALUES, Fill, Stack, array_of, small


def _shape(node: Node) -> Any:
    value = node.inputs[0]
    if isinstance(value, np.ndarray):
        return np.array(value.shape, dtype=np.int64)
    x = node.flow()
    sizes: list[Any] = []
    for letter in x.axes:
        directions = 2 if "D" in x.axes else 1
        channels = None if x.channels is None else x.channels // directions
        size = {"N": BATCH, "L": x.length, "C": channels, "D": directions, "1": 1}.get(letter)
        if size is None:
            unsupported("it asks for a length that is not known: pass length=")
        sizes.append(size)
    shape = np.array(sizes, dtype=object)
    return shape[node.attribute("start", 0) : node.attribute("end")]


def _reshape(node: Node) -> Any:
    shape = node.optional(1)
    if not isinstance(shape, np.ndarray):
        unsupported("its shape is not known")
    value = node.inputs[0]
    if isinstance(value, np.ndarray) and shape.dtype != object:
        return value.reshape([int(n) or value.shape[i] for i, n in enumerate(shape)])
    if isinstance(value, Fill):
        return value
    x = node.flow()
    sizes: list[int | None] = []
    for index, entry in enumerate(shape.tolist()):
        if entry is BATCH:
            sizes.append(None)
        elif entry == 0 and not node.attribute("allowzero", 0):
            letter = x.axes[index]
            sizes.append({"N": None, "L": x.length, "C": x.channels, "D": 2}.get(letter, 1))
        else:
            sizes.append(int(entry))
    blocks = x.in_blocks(sizes)
    return x.reshaped(sizes) if blocks is None else blocks


def _either(flow: Callable[[Node, Flow], Any], constant: Callable[[Node, Any], Any]) -> Callable[[Node], Any]:
    """A move of axes, of what flows or of a constant; fills have no shape to move."""

    def handler(node: Node) -> Any:
        value = node.inputs[0]
        if isinstance(value, Fill):
            return value
        return constant(node, value) if isinstance(value, np.ndarray) else flow(node, node.flow())

    return handler


def _expand_dims(node: Node, value: Any) -> Any:
    return np.expand_dims(value, tuple(node.axes(1)))


def _unsqueeze(node: Node, x: Flow) -> Flow:
    axes = node.axes(1)
    for axis in sorted(axis % (len(x.axes) + len(axes)) for axis in axes):
        x = x.unsqueezed(axis)
    return x


def _concat(node: Node) -> Any:
    axis, values = node.attribute("axis"), node.inputs
    if all(isinstance(value, np.ndarray) for value in values):
        if sum(value.size for value in values) > MOST_VALUES:
            unsupported("it makes constants that are larger than networks are")
        return np.concatenate(values, axis=axis)
    fills = {value.value if isinstance(value, Fill) else None for value in values}
    if len(fills) == 1 and None not in fills:
        return values[0]
    if len(values) == 1:
        return node.flow()
    flows = [node.flow(index) for index in range(len(values))]
    if axis in (0, -3) and all(flow.axes.endswith("NC") and len(flow.axes) == 3 for flow in flows):
        return Stack.of(flows)
    if len(values) != 2:
        unsupported("it concatenates more than two values")
    first = flows[0]
    return first.beside(node.flow(1), first.index(axis))


def _gather(node: Node) -> Any:
    value, indices, axis = node.inputs[0], node.array(1), node.attribute("axis", 0)
    if isinstance(value, np.ndarray):
        if value.size * indices.size > MOST_VALUES:
            unsupported("it makes constants that are larger than networks are")
        return np.array(np.take(value, indices.astype(np.int64), axis=axis))
    if isinstance(value, Fill):
        return value
    if isinstance(value, Stack) and axis == 0 and indices.size == 1:
        picked = value.entry(int(indices.reshape(())))
        return picked.unsqueezed(0) if indices.ndim else picked
    x = node.flow()
    if indices.ndim == 1 and x.axes[x.index(axis)] == "C":
        return x.reordered(indices)
    if indices.size != 1:
        unsupported("it picks several entries")
    picked = x.at_position(axis, int(indices.reshape(())))
    return picked.unsqueezed(x.index(axis)) if indices.ndim else picked


def _slice(node: Node) -> Any:
    value = node.inputs[0]
    starts, ends = node.array(1), node.array(2)
    axes = node.array(3)
    steps = node.array(4)
    axes = np.arange(len(starts)) if axes is None else axes
    steps = np.ones(len(starts), dtype=np.int64) if steps is None else steps
    if isinstance(value, np.ndarray):
        index: list[Any] = [slice(None)] * value.ndim
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[int(axis)] = slice(int(start), int(end), int(step))
        return value[tuple(index)]
    if isinstance(value, Fill):
        return value
    if isinstance(value, Stack):
        chosen = value.entries[int(starts[0]) : int(ends[0])]
        if len(chosen) != 1 or len(starts) != 1 or int(axes[0]) or int(steps[0]) != 1:
            unsupported("it takes several states together")
        return chosen[0].unsqueezed(0)
    x = node.flow()
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        letter = x.axes[x.index(int(axis))]
        size = {"L": x.length, "C": x.channels, "1": 1}.get(letter)
        whole = int(step) == 1 and int(start) == 0 and (int(end) >= (1 << 31) - 1 or (size and int(end) >= size))
        if not whole and letter == "D" and int(end) - int(start) == 1 and int(start) in (0, 1):
            x = x.at_position(int(axis), int(start)).unsqueezed(x.index(int(axis)))
        elif not whole and letter == "L" and int(start) == -1 and int(step) == 1:
            x = x.at_position(int(axis), -1).unsqueezed(x.index(int(axis)))
        elif not whole:
            unsupported("it cuts a piece out")
    return x


def _fill(node: Node) -> Any:
    shape, value = node.inputs[0], 0.0
    if node.attribute("value") is not None:
        value = array_of(node.attribute("value"), node.path).reshape(-1)[0]
    if small(shape) and shape.dtype != object and 0 <= int(np.prod(shape)) <= 256:
        return np.full([int(n) for n in shape], value)
    return Fill(float(value))


def _expand(node: Node) -> Any:
    value = node.inputs[0]
    if isinstance(value, Fill):
        return value
    if isinstance(value, np.ndarray) and value.dtype != object and value.size and (value == value.flat[0]).all():
        return Fill(float(value.flat[0]))
    unsupported("it repeats values")


def _constant(node: Node) -> Any:
    if node.attribute("value") is not None:
        return array_of(node.attribute("value"), node.path)
    for name, dtype in (
        ("value_int", np.int64),
        ("value_ints", np.int64),
        ("value_float", np.float32),
        ("value_floats", np.float32),
    ):
        if node.attribute(name) is not None:
            return np.array(node.attribute(name), dtype=dtype)
    unsupported("its value is no array of numbers")


def _cast(node: Node) -> Any:
    value = node.inputs[0]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.astype(
            {1: np.float32, 6: np.int64, 7: np.int64, 9: np.bool_, 11: np.float32}[node.attribute("to")]
        )
    return value


def _pad(node: Node) -> Flow:
    x, pads, value = node.flow(), node.array(1), node.array(2)
    if node.attribute("mode", "constant") != "constant" or (value is not None and value.any()):
        unsupported("padding with something else than zeros")
    axes = node.array(3)
    count = len(pads) // 2
    chosen = range(count) if axes is None else [x.index(int(axis)) for axis in axes]
    before, behind = [0] * len(x.axes), [0] * len(x.axes)
    for index, axis in enumerate(chosen):
        before[axis], behind[axis] = int(pads[index]), int(pads[index + count])
    return x.padded(before, behind)


def _flatten(node: Node) -> Flow:
    x = node.flow()
    if x.index(node.attribute("axis", 1)) != 1:
        unsupported("it flattens other axes than those behind the first")
    return x.flattened()


def _compare_shapes(node: Node) -> Any:
    first, second = node.inputs[:2]
    if not small(first, second):
        unsupported("it compares values of the network")
    return np.array([a == b for a, b in zip(*np.broadcast_arrays(first, second), strict=True)])


def _where(node: Node) -> Any:
    if not small(*node.inputs):
        unsupported("it chooses between values of the network")
    return np.where(*node.inputs)


SHAPES: dict[str, Callable[[Node], Any]] = {
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _either(
        lambda node, x: x.permuted(node.attribute("perm", list(range(len(x.axes)))[::-1])),
        lambda node, value: np.transpose(value, node.attribute("perm")),
    ),
    "Squeeze": _either(
        lambda node, x: x.squeezed(node.axes(1)),
        lambda node, value: np.squeeze(value, None if node.axes(1) is None else tuple(node.axes(1))),
    ),
    "Unsqueeze": _either(_unsqueeze, _expand_dims),
    "Concat": _concat,
    "Gather": _gather,
    "Slice": _slice,
    "Shape": _shape,
    "Constant": _constant,
    "ConstantOfShape": _fill,
    "Expand": _expand,
    "Pad": _pad,
    "Equal": _compare_shapes,
    "Where": _where,
}
