"""What every layer of Keras does to a flow. Interchange room; private."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import layers as kinds
from ._flow import Flow, unsupported
from ._keras_graph import Entry
from ._load_onnx import input_axes


class Context:
    """A layer with its arrays."""

    def __init__(self, entry: Entry, arrays: dict[str, Any], reversed_kernels: bool) -> None:
        self.config = entry.config
        self.kind = entry.kind
        self.arrays = arrays
        self.reversed_kernels = reversed_kernels

    def get(self, *names: str, default: Any = None) -> Any:
        """A setting under its name of Keras 2 and 3, or of Keras 1."""
        for name in names:
            if self.config.get(name) is not None:
                return self.config[name]
        return default

    def array(self, index: int, *endings: str) -> Any:
        """An array by the end of its name, or by its place where names are numbers."""
        for key, array in self.arrays.items():
            if key.endswith(endings):
                return array
        values = list(self.arrays.values())
        if index >= len(values):
            unsupported("its weights are missing from the file")
        return values[index]

    @property
    def channels_first(self) -> bool:
        return self.get("data_format", "dim_ordering") in ("channels_first", "th")

    def activated(self, flow: Flow, default: str = "linear") -> Flow:
        return activation(flow, self.get("activation", default=default))


def input_flow(shape: Sequence[Any], length: int | None) -> tuple[Flow, int | None]:
    """The sequences, as the shape of an input says; and their length."""
    sizes = [size if isinstance(size, int) else None for size in shape]
    axes = input_axes(sizes[1:])
    if axes is None:
        unsupported(f"an input of shape {sizes}: expected sequences (L, 4), or (4, 1, L), (1, 4, L), (1, L, 4)")
    known = sizes[1 + axes.index("L")]
    if known and length not in (None, known):
        unsupported(f"it is for sequences of {known} positions; length is {length}")
    return Flow.sequences("N" + axes, known or length), known or length


def _list(value: Any, count: int) -> list[int]:
    entries = [value] if isinstance(value, int) else list(value)
    return [int(entry) for entry in (entries * count if len(entries) == 1 else entries)]


# ---- activations ----


def activation(flow: Flow, given: Any) -> Flow:
    """The layer of an activation's name; Keras 3 may write it as a table."""
    name = given
    if isinstance(given, dict):
        name = given.get("config") if isinstance(given.get("config"), str) else given.get("class_name")
    name = str(name).lower()
    if name in ("linear", "none"):
        return flow
    if name == "softmax":
        return flow.softmax(len(flow.axes) - 1)
    simple: dict[str, Callable[[], kinds.Layer]] = {
        "relu": kinds.ReLU, "sigmoid": kinds.Sigmoid, "tanh": kinds.Tanh, "elu": kinds.ELU, "gelu": kinds.GELU,
        "exponential": kinds.Exponential, "leaky_relu": lambda: kinds.LeakyReLU(0.2),
    }  # fmt: skip
    if name not in simple:
        unsupported(f"the activation {name[:80]!r}")
    return flow.elementwise(simple[name]())


def _relu_layer(c: Context, x: Flow) -> Flow:
    if c.get("max_value") is not None or c.get("threshold", default=0) or c.get("negative_slope", default=0):
        unsupported("a ReLU with a largest value, threshold or slope")
    return x.elementwise(kinds.ReLU())


def _number(value: Any) -> float:
    # Keras 2 writes arrays of one number where it was given one.
    if isinstance(value, dict):
        value = value.get("value")
    return float(np.asarray(value, dtype=float).reshape(()))


# ---- convolutions, pools ----


def _convolution(dimensions: int) -> Callable[[Context, Flow], Flow]:
    def handler(c: Context, x: Flow) -> Flow:
        if len(x.axes) != dimensions + 2:
            unsupported(f"it is given {len(x.axes) - 1} axes behind the first")
        first = c.channels_first
        kernel = _kernel(c, dimensions)
        if c.reversed_kernels:
            kernel = np.flip(kernel, axis=tuple(range(2, kernel.ndim)))
        use_bias = bool(c.get("use_bias", "bias", default=True))
        padding = c.get("padding", "border_mode", default="valid")
        dilation = _list(c.get("dilation_rate", "atrous_rate", default=1), dimensions)
        pads: Any = padding
        if padding == "valid":
            pads = [(0, 0)] * dimensions
        elif padding == "causal" and dimensions == 1:
            pads = [((kernel.shape[2] - 1) * dilation[0], 0)]
        elif padding != "same":
            unsupported(f"padding {padding!r}")
        axes = range(2, dimensions + 2) if first else range(1, dimensions + 1)
        out = x.convolved(
            kernel, c.array(1, "bias", "_b") if use_bias else None, axes=axes, channel_axis=1 if first else -1,
            stride=_list(c.get("strides", "subsample", "subsample_length", default=1), dimensions), padding=pads,
            dilation=dilation, groups=int(c.get("groups", default=1)),
        )  # fmt: skip
        if isinstance(c.get("activation"), str) and c.get("activation") == "softmax" and first:
            unsupported("a softmax along the positions")
        return c.activated(out)

    return handler


def _kernel(c: Context, dimensions: int) -> Any:
    """The kernel as (out, in, sizes), from Keras 1's (out, in, rows, columns) under th or (sizes, in, out)."""
    kernel = c.array(0, "kernel", "_W")
    filters = c.get("filters", "nb_filter")
    if dimensions == 1 and kernel.ndim == 4:
        # Keras 1: Conv1D as a 2-D convolution with a kernel of height or width 1.
        if kernel.shape[0] == filters and kernel.shape[3] == 1 and kernel.shape[2] == c.get("filter_length"):
            return kernel[:, :, :, 0]
        if kernel.shape[1] != 1:
            unsupported(f"its kernel is of shape {kernel.shape}")
        return kernel[:, 0].transpose(2, 1, 0)
    if kernel.ndim != dimensions + 2:
        unsupported(f"its kernel is of shape {kernel.shape}")
    if c.get("dim_ordering") == "th":
        return kernel
    return kernel.transpose(dimensions + 1, dimensions, *range(dimensions))


def _pool(kind: type[kinds.Layer], dimensions: int) -> Callable[[Context, Flow], Flow]:
    def handler(c: Context, x: Flow) -> Flow:
        size = _list(c.get("pool_size", "pool_length", default=2), dimensions)
        stride = _list(c.get("strides", "stride", default=size), dimensions)
        padding = c.get("padding", "border_mode", default="valid")
        if padding not in ("valid", "same"):
            unsupported(f"padding {padding!r}")
        return x.pooled(
            kind, axes=range(2, dimensions + 2) if c.channels_first else range(1, dimensions + 1), size=size,
            stride=stride, padding=padding if padding == "same" else [(0, 0)] * dimensions,
        )  # fmt: skip

    return handler


def _global(kind: type[kinds.Layer], dimensions: int) -> Callable[[Context, Flow], Flow]:
    def handler(c: Context, x: Flow) -> Flow:
        axes = range(2, dimensions + 2) if c.channels_first else range(1, dimensions + 1)
        return x.reduced(kind, axes, bool(c.get("keepdims", default=False)))

    return handler


def _zero_padding(dimensions: int) -> Callable[[Context, Flow], Flow]:
    def handler(c: Context, x: Flow) -> Flow:
        given = c.get("padding", default=1)
        if isinstance(given, dict):
            unsupported("padding by the names of sides")
        pairs: list[Any] = given if isinstance(given, list) else [given] * dimensions
        if dimensions == 1:
            pairs = [pairs if len(pairs) == 2 else pairs[0]]
        both = [_list(pair, 2) for pair in pairs]
        start = 2 if c.channels_first else 1
        before, behind = [0] * len(x.axes), [0] * len(x.axes)
        for index, (first, last) in enumerate(both):
            before[start + index], behind[start + index] = first, last
        return x.padded(before, behind)

    return handler


# ---- dense, recurrent, normalization ----


def _dense(c: Context, x: Flow) -> Flow:
    if len(c.arrays) == 0:
        unsupported("its weights are missing from the file")
    use_bias = bool(c.get("use_bias", "bias", default=True))
    return c.activated(x.dense(c.array(0, "kernel", "_W").T, c.array(1, "bias", "_b") if use_bias else None))


def _time_distributed(c: Context, x: Flow) -> Flow:
    inner = c.config["layer"]
    if inner.get("class_name") not in ("Dense", "TimeDistributedDense"):
        unsupported(f"it wraps {str(inner.get('class_name'))[:80]}")
    entry = Entry("Dense", inner["config"].get("name", ""), inner["config"], [])
    return _dense(Context(entry, c.arrays, c.reversed_kernels), x)


def _recurrent(c: Context, x: Flow) -> Flow:
    layer, weights = _cells(c, [c.arrays])
    if c.get("go_backwards"):
        unsupported("it reads backwards only")
    return x.recurrent(layer, weights, x.axes if layer.return_sequences else "NC")


def _bidirectional(c: Context, x: Flow) -> Flow:
    mode = c.get("merge_mode")
    if mode != "concat":
        unsupported(f"merge_mode={mode!r}; only 'concat' has a counterpart")
    inner = c.config["layer"]
    backward = c.get("backward_layer")
    if backward is not None and backward.get("class_name") != inner.get("class_name"):
        unsupported("its two directions are of different kinds")
    if inner.get("class_name") not in ("LSTM", "GRU"):
        unsupported(f"it wraps {str(inner.get('class_name'))[:80]}")
    keys = list(c.arrays)
    half = len(keys) // 2
    ahead = [{key: c.arrays[key] for key in part} for part in (keys[:half], keys[half:])]
    entry = Entry(inner["class_name"], "", inner["config"], [])
    layer, weights = _cells(Context(entry, c.arrays, False), ahead)
    return x.recurrent(layer, weights, x.axes if layer.return_sequences else "NC")


def _cells(c: Context, directions: list[dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    """LSTM or GRU of one or two directions with its arrays under the engine's names."""
    lstm = c.kind == "LSTM"
    units = int(c.get("units", "output_dim"))
    outer = str(c.get("activation", default="tanh"))
    old = "output_dim" in c.config
    inner = str(c.get("recurrent_activation", "inner_activation", default="hard_sigmoid" if old else "sigmoid"))
    if (outer, inner) != ("tanh", "sigmoid"):
        unsupported(f"the activations {outer!r} and {inner!r}; the engine has 'tanh' and 'sigmoid'")
    if c.get("stateful") or c.get("return_state"):
        unsupported("it keeps or returns its state")
    reset_after = bool(c.get("reset_after", default=False))
    weights: dict[str, Any] = {}
    for suffix, arrays in zip(("", "_reverse"), directions, strict=False):
        W, U, b = _gates(arrays, lstm, units)
        weights |= {f"weight_ih{suffix}": W, f"weight_hh{suffix}": U}
        if lstm:
            weights[f"bias{suffix}"] = b.reshape(-1)
        elif reset_after:
            both = b.reshape(2, -1) if b.size == 6 * units else np.stack([b.reshape(-1), np.zeros(3 * units)])
            weights |= {f"bias_ih{suffix}": both[0], f"bias_hh{suffix}": both[1]}
        else:
            weights[f"bias_ih{suffix}"] = b.reshape(-1)
    options: dict[str, Any] = {
        "bidirectional": len(directions) == 2,
        "return_sequences": bool(c.get("return_sequences", default=False)),
    }
    if lstm:
        return kinds.LSTM(units, **options), weights
    return kinds.GRU(units, **options, reset_after=reset_after), weights


def _gates(arrays: dict[str, Any], lstm: bool, units: int) -> tuple[Any, Any, Any]:
    """Kernel, recurrent kernel and biases with PyTorch's gates: i f g o, r z n. Keras has i f c o and z r h."""
    letters = "ifco" if lstm else "zrh"
    order = range(4) if lstm else (1, 0, 2)
    if len(arrays) == 3 * len(letters):
        # Keras 1: an array for each gate.
        W, U, b = (
            np.concatenate([_ending(arrays, f"{what}_{letter}") for letter in letters], axis=-1) for what in "WUb"
        )
    elif len(arrays) in (2, 3):
        W, U, *rest = arrays.values()
        b = rest[0] if rest else np.zeros(len(letters) * units, dtype=np.float32)
    else:
        unsupported("its weights are missing from the file")

    def sorted_gates(array: Any) -> Any:
        return np.concatenate([np.split(array, len(letters), axis=-1)[index] for index in order], axis=-1)

    return sorted_gates(W).T, sorted_gates(U).T, sorted_gates(b)


def _ending(arrays: dict[str, Any], ending: str) -> Any:
    for key, array in arrays.items():
        if key.endswith(ending):
            return array
    unsupported(f"its array {ending} is missing from the file")


def _batch_norm(c: Context, x: Flow) -> Flow:
    axis = c.get("axis", default=-1)
    axis = int(axis[0] if isinstance(axis, list) else axis)
    if c.get("mode", default=0) not in (0, 2):
        unsupported(f"mode {c.get('mode')}")
    arrays = dict(c.arrays)
    values = list(arrays.values())
    scale, center = bool(c.get("scale", default=True)), bool(c.get("center", default=True))
    if len(values) != 2 + scale + center:
        unsupported("its weights are missing from the file")
    named = dict(zip((["weight"] if scale else []) + (["bias"] if center else []), values, strict=False))
    mean, variance = values[-2:]
    weights = {
        "weight": named.get("weight", np.ones_like(mean)), "bias": named.get("bias", np.zeros_like(mean)),
        "running_mean": mean, "running_var": variance,
    }  # fmt: skip
    if x.axes[x.index(axis)] != "C" and x.axes == "NC":
        axis = 1
    layer = kinds.BatchNorm1D(
        momentum=1 - float(c.get("momentum", default=0.99)), epsilon=float(c.get("epsilon", default=1e-3))
    )
    return x.normalized(layer, weights, axis)


def _layer_norm(c: Context, x: Flow) -> Flow:
    axis = c.get("axis", default=-1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if not isinstance(axis, int) or x.index(axis) != len(x.axes) - 1 or c.get("rms_scaling"):
        unsupported("it normalizes something else than the channels")
    values = list(c.arrays.values())
    scale, center = bool(c.get("scale", default=True)), bool(c.get("center", default=True))
    if len(values) != scale + center:
        unsupported("its weights are missing from the file")
    size = x.channels or 0
    weight = values[0] if scale else np.ones(size, dtype=np.float32)
    bias = values[-1] if center else np.zeros(size, dtype=np.float32)
    return x.normalized(
        kinds.LayerNorm(epsilon=float(c.get("epsilon", default=1e-3))), {"weight": weight, "bias": bias}, -1
    )


# ---- shapes ----


def _flatten(c: Context, x: Flow) -> Flow:
    # Keras 2 and 3 flatten channels-first values as if they were channels-last, where the layer is told so.
    if c.get("data_format") == "channels_first" and len(x.axes) > 2:
        x = x.permuted([0, *range(2, len(x.axes)), 1])
    return x.flattened()


def _merge(c: Context, *flows: Flow) -> Flow:
    mode = c.get("mode", default="sum")
    if c.kind == "Merge" and mode == "concat":
        return _concatenate(c, *flows)
    if c.kind == "Merge" and mode != "sum":
        unsupported(f"mode {mode!r}")
    total = flows[0]
    for flow in flows[1:]:
        total = total.plus(flow)
    return total


def _concatenate(c: Context, *flows: Flow) -> Flow:
    if len(flows) != 2:
        unsupported("it concatenates more than two values")
    return flows[0].beside(flows[1], flows[0].index(int(c.get("axis", "concat_axis", default=-1))))


def _identity(c: Context, x: Flow) -> Flow:
    return x


def _dropout(c: Context, x: Flow) -> Flow:
    rate = float(c.get("rate", "p", default=0.5))
    return x.elementwise(kinds.Dropout(rate))


LAYERS: dict[str, Callable[..., Any]] = {
    "Conv1D": _convolution(1), "Convolution1D": _convolution(1), "AtrousConvolution1D": _convolution(1),
    "Conv2D": _convolution(2), "Convolution2D": _convolution(2),
    "MaxPooling1D": _pool(kinds.MaxPool1D, 1), "MaxPooling2D": _pool(kinds.MaxPool1D, 2),
    "AveragePooling1D": _pool(kinds.AveragePool1D, 1), "AveragePooling2D": _pool(kinds.AveragePool1D, 2),
    "GlobalMaxPooling1D": _global(kinds.GlobalMaxPool1D, 1), "GlobalMaxPooling2D": _global(kinds.GlobalMaxPool1D, 2),
    "GlobalAveragePooling1D": _global(kinds.GlobalAveragePool1D, 1),
    "GlobalAveragePooling2D": _global(kinds.GlobalAveragePool1D, 2),
    "ZeroPadding1D": _zero_padding(1), "ZeroPadding2D": _zero_padding(2),
    "Dense": _dense, "TimeDistributed": _time_distributed, "TimeDistributedDense": _dense,
    "LSTM": _recurrent, "GRU": _recurrent, "Bidirectional": _bidirectional,
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "Activation": lambda c, x: c.activated(x),
    "ReLU": _relu_layer,
    "LeakyReLU": lambda c, x: x.elementwise(kinds.LeakyReLU(_number(c.get("negative_slope", "alpha", default=0.3)))),
    "ELU": lambda c, x: x.elementwise(kinds.ELU(_number(c.get("alpha", default=1.0)))),
    "Softmax": lambda c, x: x.softmax(int(c.get("axis", default=-1))),
    "Dropout": _dropout, "SpatialDropout1D": _dropout, "SpatialDropout2D": _dropout,
    "GaussianNoise": _identity, "GaussianDropout": _identity, "AlphaDropout": _identity,
    "ActivityRegularization": _identity,
    "Flatten": _flatten,
    "Reshape": lambda c, x: x.reshaped([None, *(int(size) for size in c.config["target_shape"])]),
    "Permute": lambda c, x: x.permuted([0, *(int(axis) for axis in c.config["dims"])]),
    "Add": _merge, "Merge": _merge, "Concatenate": _concatenate,
}  # fmt: skip
