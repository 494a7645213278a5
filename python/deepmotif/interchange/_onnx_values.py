"""Values in an ONNX graph beside flows: shapes with the unknown N, constants, formulas. Interchange room; private."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import layers as kinds
from ..exceptions import FileFormatError
from ._flow import Flow, unsupported

#: Shape arithmetic is on a handful of numbers; a file that asks for more is not computing shapes.
_MOST_NUMBERS = 64
#: Constants are put together from pieces; numbers beyond this are a file that wants memory.
MOST_VALUES = 1 << 24
_DTYPES = {1: np.float32, 10: np.float16, 11: np.float64, 7: np.int64, 6: np.int32, 9: np.bool_}


class Batch:
    """The number of sequences N, in arrays of objects that hold shapes."""

    def __repr__(self) -> str:
        return "N"


BATCH = Batch()


@dataclass(frozen=True)
class Fill:
    """An array of one value, of a size that is never made: initial states."""

    value: float


@dataclass(frozen=True, eq=False)
class Stack:
    """Last states of several recurrent layers and directions, one behind the other along the first axis."""

    entries: tuple[Flow, ...]

    @classmethod
    def of(cls, flows: list[Flow]) -> Stack:
        entries: list[Flow] = []
        for flow in flows:
            if flow.axes not in ("DNC", "1NC"):
                unsupported("it concatenates something else than the last states of recurrent layers")
            entries += [flow.at_position(0, index) for index in range(2 if flow.axes[0] == "D" else 1)]
        return cls(tuple(entries))

    def entry(self, index: int) -> Flow:
        """One of them, (N, C)."""
        return self.entries[index]


@dataclass(frozen=True, eq=False)
class Formula:
    """A function of one flow, value by value, as exporters write activations that ONNX lacks."""

    flow: Flow
    function: Callable[[NDArray[Any]], NDArray[Any]]

    def resolved(self) -> Flow:
        """The flow behind the layer that computes the same."""
        points, values = self._values()
        if np.allclose(values, points, rtol=1e-6, atol=1e-6):
            return self.flow
        layer = self.layer()
        if layer is None:
            unsupported("it is part of a formula that is none of the activations")
        return self.flow.elementwise(layer)

    def layer(self) -> kinds.Layer | None:
        """The activation that has the same values, if there is one."""
        points, values = self._values()
        for layer, function in _formulas(values, points):
            if np.allclose(values, function(points), rtol=1e-5, atol=1e-5):
                return layer
        return None

    def _values(self) -> tuple[NDArray[Any], NDArray[Any]]:
        points = np.linspace(-6, 6, 241)
        with np.errstate(all="ignore"):
            return points, np.broadcast_to(np.asarray(self.function(points), dtype=np.float64), points.shape)


def _formulas(
    values: NDArray[Any], x: NDArray[Any]
) -> list[tuple[kinds.Layer, Callable[[NDArray[Any]], NDArray[Any]]]]:
    slope = float(values[0] / x[0])
    found: list[tuple[kinds.Layer, Callable[[NDArray[Any]], NDArray[Any]]]] = [
        (kinds.GELU(), lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2)))),
        (kinds.GELU(approximate=True), lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        (kinds.ReLU(), lambda x: np.maximum(x, 0)),
        (kinds.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
        (kinds.Tanh(), np.tanh),
        (kinds.Exponential(), np.exp),
    ]
    if np.isfinite(slope) and 0 < slope < 1:
        found.append((kinds.LeakyReLU(slope), lambda x: np.where(x > 0, x, slope * x)))
    return found


def erf(x: NDArray[Any]) -> NDArray[Any]:
    """The error function: NumPy has none."""
    import math

    return np.vectorize(math.erf, otypes=[float])(x)


def formula(operator: str, values: list[Any]) -> Any:
    """Elementwise arithmetic of flows, formulas and single numbers."""
    functions: dict[str, Callable[..., Any]] = {
        "Mul": np.multiply, "Div": np.divide, "Add": np.add, "Sub": np.subtract, "Pow": np.power, "Erf": erf,
        "Tanh": np.tanh, "Sqrt": np.sqrt, "Neg": np.negative, "Exp": np.exp, "Max": np.maximum, "Min": np.minimum,
        "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    }  # fmt: skip
    base: Flow | None = None
    parts: list[Callable[[Any], Any]] = []
    for value in values:
        if isinstance(value, (Flow, Formula)):
            flow = value if isinstance(value, Flow) else value.flow
            if base is not None and flow is not base:
                unsupported("it combines two values of the network")
            base = flow
            parts.append((lambda x: x) if isinstance(value, Flow) else value.function)
        elif isinstance(value, np.ndarray) and value.size == 1 and value.dtype != object:
            number = float(value.reshape(()))
            parts.append(_constantly(number))
        else:
            unsupported("it combines the network's values with an array")
    assert base is not None
    function = functions[operator]
    found = Formula(base, lambda x: function(*(part(x) for part in parts)))
    # One that is complete is a layer, so that the next one starts from there.
    layer = found.layer()
    return found if layer is None else base.elementwise(layer)


def _constantly(number: float) -> Callable[[Any], Any]:
    return lambda x: number


def small(*values: Any) -> bool:
    """Whether all values are arrays of a few numbers."""
    return all(isinstance(value, np.ndarray) and value.size <= _MOST_NUMBERS for value in values)


def array_of(tensor: Any, path: Any) -> Any:
    """A tensor of the file; its declared shape must agree with the bytes that it has."""
    name = tensor.name or "a constant"
    if tensor.data_location == 1 or tensor.external_data:
        raise FileFormatError(f"{path} keeps {name} in another file; external data are not read")
    if tensor.data_type not in _DTYPES:
        raise FileFormatError(f"{path} holds {name} in an element type that is not read ({tensor.data_type})")
    dtype = np.dtype(_DTYPES[tensor.data_type])
    shape = tuple(tensor.dims)
    size = 1
    for extent in shape:
        size *= extent
    if min(shape, default=0) < 0 or len(shape) > 8:
        raise FileFormatError(f"{path} holds {name} of the shape {shape}")
    if tensor.raw_data:
        values = (
            np.frombuffer(tensor.raw_data, dtype=dtype.newbyteorder("<"))
            if (len(tensor.raw_data) == size * dtype.itemsize)
            else None
        )
    else:
        typed = {1: tensor.float_data, 11: tensor.double_data, 7: tensor.int64_data}.get(
            tensor.data_type, tensor.int32_data
        )
        values = np.array(typed) if len(typed) == size else None
        if values is not None and tensor.data_type == 10:
            values = values.astype(np.uint16).view(np.float16)
    if values is None:
        raise FileFormatError(f"{path} declares {name} of the shape {shape} without as many values")
    return values.astype(np.float32 if dtype.kind == "f" else dtype).reshape(shape)
