"""What every function and method of PyTorch does to a flow. Interchange room; private; needs PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import layers as kinds
from ._finish import as_pairs
from ._flow import Flow, unsupported

Handler = Callable[..., Any]


def _tuple(value: Any, count: int) -> list[int]:
    entries = [int(value)] if isinstance(value, int) else [int(entry) for entry in value]
    return entries * count if len(entries) == 1 else entries


def max_pool(
    x: Flow, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False, *, dimensions: int,
) -> Flow:  # fmt: skip
    if any(step != 1 for step in _tuple(dilation, dimensions)) or return_indices:
        unsupported("dilated pooling and pooling with indices")
    return x.pooled(
        kinds.MaxPool1D, axes=range(-dimensions, 0), size=_tuple(kernel_size, dimensions),
        stride=_tuple(kernel_size if stride in (None, []) else stride, dimensions),
        padding=as_pairs(padding, dimensions), ceil=bool(ceil_mode),
    )  # fmt: skip


def average_pool(
    x: Flow, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None, *, dimensions: int,
) -> Flow:  # fmt: skip
    if divisor_override is not None:
        unsupported("divisor_override")
    return x.pooled(
        kinds.AveragePool1D, axes=range(-dimensions, 0), size=_tuple(kernel_size, dimensions),
        stride=_tuple(kernel_size if stride in (None, []) else stride, dimensions),
        padding=as_pairs(padding, dimensions), ceil=bool(ceil_mode), count_padding=bool(count_include_pad),
    )  # fmt: skip


def adaptive(kind: type[kinds.Layer], dimensions: int) -> Handler:
    def handler(x: Flow, output_size: Any, return_indices: bool = False) -> Flow:
        if any(size != 1 for size in _tuple(output_size, dimensions)) or return_indices:
            unsupported("adaptive pooling to more than one position")
        return x.reduced(kind, range(-dimensions, 0), keep=True)

    return handler


def softmax(x: Flow, dim: Any = None, *_: Any, **__: Any) -> Flow:
    if dim is None:
        unsupported("a softmax without dim")
    return x.softmax(dim)


def flatten(x: Flow, start_dim: int = 0, end_dim: int = -1) -> Flow:
    if x.index(start_dim) != 1 or x.index(end_dim) != len(x.axes) - 1:
        unsupported("it flattens only some of the axes behind the first")
    return x.flattened()


def gelu(x: Flow, approximate: str = "none") -> Flow:
    return x.elementwise(kinds.GELU(approximate=approximate == "tanh"))


def pad(x: Flow, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Flow:
    """Zeros around the last axes, the last one first."""
    if mode != "constant" or value:
        unsupported("padding with something else than zeros")
    before, behind = [0] * len(x.axes), [0] * len(x.axes)
    for index in range(len(pad) // 2):
        before[-1 - index], behind[-1 - index] = pad[2 * index], pad[2 * index + 1]
    return x.padded(before, behind)


class States(tuple[Flow, ...]):
    """The last states (layers x directions, N, H) of a recurrent layer; one is taken by its index."""


def _one_axis(dim: Any, x: Flow) -> list[int]:
    axes = [dim] if isinstance(dim, int) else list(dim)
    return [x.index(axis) for axis in axes]


def _mean(x: Flow, dim: Any = None, keepdim: bool = False, **_: Any) -> Flow:
    if dim is None:
        unsupported("a mean over everything")
    return x.reduced(kinds.GlobalAveragePool1D, _one_axis(dim, x), keepdim)


def _amax(x: Flow, dim: Any = (), keepdim: bool = False) -> Flow:
    return x.reduced(kinds.GlobalMaxPool1D, _one_axis(dim, x), keepdim)


def _maximum(x: Flow, dim: Any = None, keepdim: bool = False) -> tuple[Flow, None]:
    if not isinstance(dim, int):
        unsupported("a maximum over everything")
    return Maximum((_amax(x, dim, keepdim), None))


class Maximum(tuple[Any, ...]):
    """What torch.max gives along an axis: `.values` and `.indices`."""

    @property
    def values(self) -> Any:
        return self[0]


def _add(x: Any, other: Any, *, alpha: Any = 1) -> Flow:
    if not isinstance(x, Flow) or not isinstance(other, Flow) or alpha != 1:
        unsupported("it adds a constant")
    return x.plus(other)


def _concatenate(tensors: Sequence[Any], dim: int = 0, axis: int | None = None) -> Any:
    flows, dim = list(tensors), dim if axis is None else axis
    if len(flows) == 1:
        return flows[0]
    if len(flows) != 2 or not all(isinstance(flow, Flow) for flow in flows):
        unsupported("it concatenates something else than two values")
    return flows[0].beside(flows[1], flows[0].index(dim))


def _reshape(x: Flow, *shape: Any) -> Flow:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return x.reshaped(sizes)


def _transpose(x: Flow, first: int, second: int) -> Flow:
    order = list(range(len(x.axes)))
    first, second = x.index(first), x.index(second)
    order[first], order[second] = second, first
    return x.permuted(order)


def _permute(x: Flow, *order: Any) -> Flow:
    return x.permuted(order[0] if len(order) == 1 and isinstance(order[0], (tuple, list)) else order)


def _squeeze(x: Flow, dim: Any = None) -> Flow:
    if dim is None:
        return x.squeezed(None)
    # As PyTorch: an axis that is not of length 1 stays.
    axes = [axis for axis in _one_axis(dim, x) if x.axes[axis] in "1L"]
    return x.squeezed([axis for axis in axes if x.axes[axis] == "1" or x.length in (None, 1)])


def _size(x: Flow, dim: int | None = None) -> Any:
    sizes = [{"N": None, "L": x.length, "C": x.channels, "1": 1}.get(letter, -1) for letter in x.axes]
    return tuple(sizes) if dim is None else sizes[dim]


def convolution(
    x: Flow, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Flow:
    """Convolution of a channels-first flow, one- or two-dimensional; weights of a module or as its parameters."""
    dimensions = weight.ndim - 2
    if len(x.axes) != dimensions + 2:
        unsupported(f"it reads {dimensions + 2} axes, it is given {len(x.axes)}")
    dilations = _tuple(dilation, dimensions)
    pairs: Any = padding
    if padding == "same":
        reaches = [(width - 1) * step for width, step in zip(weight.shape[2:], dilations, strict=True)]
        pairs = [(reach // 2, reach - reach // 2) for reach in reaches]
    else:
        pairs = as_pairs(0 if padding == "valid" else padding, dimensions)
    return x.convolved(
        weight, bias, axes=range(2, dimensions + 2), channel_axis=1, stride=_tuple(stride, dimensions),
        padding=pairs, dilation=dilations, groups=groups,
    )  # fmt: skip


def _item(value: Any, index: Any) -> Any:
    if isinstance(value, States):
        return value[index]
    if not isinstance(value, Flow):
        return value[index]
    parts = list(index) if isinstance(index, tuple) else [index]
    if parts.count(Ellipsis) == 1:
        place = parts.index(Ellipsis)
        parts[place : place + 1] = [slice(None)] * (len(value.axes) - len(parts) + 1)
    axis = 0
    for part in parts:
        if part is None:
            value = value.unsqueezed(axis)
            axis += 1
        elif isinstance(part, int):
            value = value.at_position(axis, part)
        elif part == slice(None):
            axis += 1
        else:
            unsupported("it cuts a piece out")
    return value


def _dropout(x: Flow, p: float = 0.5, training: Any = True, inplace: bool = False) -> Flow:
    return x.elementwise(kinds.Dropout(p)) if 0 <= p < 1 else x


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _of_layer(make: Callable[..., kinds.Layer]) -> Handler:
    def handler(x: Flow, *arguments: Any, inplace: bool = False) -> Flow:
        return x.elementwise(make(*arguments))

    return handler


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, Flow) and name == "shape":
        return _size(value)
    if isinstance(value, Flow) and name in ("mT", "T"):
        return _transpose(value, -1, -2)
    if isinstance(value, Maximum):
        return getattr(value, name)
    unsupported(f"its attribute {name}")


_ACTIVATIONS: dict[str, Handler] = {
    "relu": _of_layer(kinds.ReLU),
    "relu_": _of_layer(kinds.ReLU),
    "sigmoid": _of_layer(kinds.Sigmoid),
    "tanh": _of_layer(kinds.Tanh),
    "exp": _of_layer(kinds.Exponential),
}

#: By name: they are the same as methods and as functions of torch and torch.nn.functional.
CALLS: dict[str, Handler] = _ACTIVATIONS | {
    "leaky_relu": lambda x, negative_slope=0.01, inplace=False: x.elementwise(kinds.LeakyReLU(negative_slope)),
    "elu": lambda x, alpha=1.0, inplace=False: x.elementwise(kinds.ELU(alpha)),
    "gelu": gelu,
    "softmax": softmax,
    "max_pool1d": lambda *a, **k: max_pool(*a, **k, dimensions=1),
    "max_pool2d": lambda *a, **k: max_pool(*a, **k, dimensions=2),
    "avg_pool1d": lambda *a, **k: average_pool(*a, **k, dimensions=1),
    "avg_pool2d": lambda *a, **k: average_pool(*a, **k, dimensions=2),
    "adaptive_max_pool1d": adaptive(kinds.GlobalMaxPool1D, 1),
    "adaptive_avg_pool1d": adaptive(kinds.GlobalAveragePool1D, 1),
    "adaptive_max_pool2d": adaptive(kinds.GlobalMaxPool1D, 2),
    "adaptive_avg_pool2d": adaptive(kinds.GlobalAveragePool1D, 2),
    "mean": _mean,
    "amax": _amax,
    "max": _maximum,
    "add": _add,
    "add_": _add,
    "iadd": _add,
    "cat": _concatenate,
    "concat": _concatenate,
    "concatenate": _concatenate,
    "flatten": flatten,
    "reshape": _reshape,
    "view": _reshape,
    "transpose": _transpose,
    "swapaxes": _transpose,
    "permute": _permute,
    "squeeze": _squeeze,
    "unsqueeze": lambda x, dim: x.unsqueezed(dim),
    "size": _size,
    "pad": pad,
    "dropout": _dropout,
    "dropout1d": _dropout,
    "dropout2d": _dropout,
    "contiguous": _same,
    "float": _same,
    "clone": _same,
    "getitem": _item,
    "getattr": _attribute,
    "conv1d": convolution,
    "conv2d": convolution,
    "linear": lambda x, weight, bias=None: x.dense(weight, bias),
}
