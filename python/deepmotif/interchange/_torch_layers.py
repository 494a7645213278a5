"""What every module of PyTorch does to a flow. Interchange room; private; needs PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .. import layers as kinds
from ._flow import Flow, unsupported
from ._torch_calls import Handler, States, adaptive, average_pool, convolution, flatten, gelu, max_pool, pad, softmax
from ._torch_modules import GRUResetBefore, MaxAveragePool, Maxout, Pool


def array(tensor: Any) -> Any:
    """A parameter as NumPy values of its own."""
    return None if tensor is None else tensor.detach().to("cpu", torch.float32).numpy().copy()


def _convolution(module: Any, x: Flow) -> Flow:
    if module.padding_mode != "zeros":
        unsupported(f"padding_mode={module.padding_mode!r}")
    return convolution(
        x, array(module.weight), array(module.bias), module.stride, module.padding, module.dilation, module.groups
    )


def _batch_norm(module: Any, x: Flow) -> Flow:
    if not module.track_running_stats or module.running_mean is None:
        unsupported("it has no running statistics")
    ones = torch.ones_like(module.running_mean)
    weights = {
        "weight": array(ones if module.weight is None else module.weight),
        "bias": array(ones * 0 if module.bias is None else module.bias),
        "running_mean": array(module.running_mean),
        "running_var": array(module.running_var),
    }
    if module.momentum is None:
        unsupported("momentum=None: a cumulative mean")
    return x.normalized(kinds.BatchNorm1D(momentum=module.momentum, epsilon=module.eps), weights, 1)


def _layer_norm(module: Any, x: Flow) -> Flow:
    if len(module.normalized_shape) != 1:
        unsupported(f"it normalizes {len(module.normalized_shape)} axes together")
    ones = torch.ones(module.normalized_shape)
    weights = {
        "weight": array(ones if module.weight is None else module.weight),
        "bias": array(ones * 0 if module.bias is None else module.bias),
    }
    return x.normalized(kinds.LayerNorm(epsilon=module.eps), weights, -1)


def recurrent_weights(module: Any, index: int, gru: bool) -> dict[str, Any]:
    """The arrays of one layer of nn.LSTM or nn.GRU under the engine's names."""
    weights: dict[str, Any] = {}
    for suffix in ("", "_reverse") if module.bidirectional else ("",):
        for name in ("weight_ih", "weight_hh"):
            weights[name + suffix] = array(getattr(module, f"{name}_l{index}{suffix}"))
        rows = weights["weight_ih" + suffix].shape[0]
        biases = [
            array(getattr(module, f"{name}_l{index}{suffix}")) if module.bias else torch.zeros(rows).numpy()
            for name in ("bias_ih", "bias_hh")
        ]
        if gru:
            weights |= {f"bias_ih{suffix}": biases[0], f"bias_hh{suffix}": biases[1]}
        else:
            # The engine has one bias a gate: PyTorch's two are added wherever they are used.
            weights["bias" + suffix] = biases[0] + biases[1]
    return weights


def _recurrent(module: Any, x: Flow, state: Any = None) -> tuple[Flow, Any]:
    """All layers of nn.LSTM or nn.GRU: the states of the last, and the last states of every layer and direction."""
    gru = isinstance(module, nn.GRU)
    if state is not None:
        unsupported("an initial state")
    if getattr(module, "proj_size", 0):
        unsupported("proj_size")
    if x.axes != ("NLC" if module.batch_first else "LNC"):
        unsupported("it reads no sequence of channels: batch_first and the order of the axes do not agree")
    last: list[Flow] = []
    for index in range(module.num_layers):
        weights = recurrent_weights(module, index, gru)
        kind: Any = kinds.GRU if gru else kinds.LSTM
        layer = kind(module.hidden_size, bidirectional=module.bidirectional)
        final = x.recurrent(
            kind(module.hidden_size, bidirectional=module.bidirectional, return_sequences=False), weights, "NC"
        )
        last += [final.at_direction(0), final.at_direction(1)] if module.bidirectional else [final]
        x = x.recurrent(layer, weights, x.axes)
        if module.dropout and index + 1 < module.num_layers:
            x = x.elementwise(kinds.Dropout(module.dropout))
    states = States(last)
    return x, states if gru else (states, None)


def _softmax(module: Any, x: Flow) -> Flow:
    return softmax(x, module.dim)


def _flatten_module(module: Any, x: Flow) -> Flow:
    return flatten(x, module.start_dim, module.end_dim)


def _zero_pad(module: Any, x: Flow) -> Flow:
    return pad(x, module.padding, value=getattr(module, "value", 0))


def _own_max_average(module: Any, x: Flow) -> Flow:
    return x.then(kinds.GlobalMaxAveragePool1D(), None, x.axes.replace("L", "1"))


def _own_gru(module: Any, x: Flow) -> Flow:
    weights = {name: array(parameter) for name, parameter in module.named_parameters()}
    layer = kinds.GRU(
        module.units, bidirectional=len(module.directions) == 2, return_sequences=module.return_sequences,
        reset_after=False,
    )  # fmt: skip
    return x.relabelled("NLC").recurrent(layer, weights, "NLC" if layer.return_sequences else "N1C").permuted((0, 2, 1))


MODULES: dict[type, Handler] = {
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.Linear: lambda m, x: x.dense(array(m.weight), array(m.bias)),
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.LSTM: _recurrent,
    nn.GRU: _recurrent,
    nn.ReLU: lambda m, x: x.elementwise(kinds.ReLU()),
    nn.LeakyReLU: lambda m, x: x.elementwise(kinds.LeakyReLU(m.negative_slope)),
    nn.ELU: lambda m, x: x.elementwise(kinds.ELU(m.alpha)),
    nn.GELU: lambda m, x: gelu(x, m.approximate),
    nn.Sigmoid: lambda m, x: x.elementwise(kinds.Sigmoid()),
    nn.Tanh: lambda m, x: x.elementwise(kinds.Tanh()),
    nn.Softmax: _softmax,
    nn.LogSoftmax: lambda m, x: unsupported("its output is a logarithm: leave it out and pass output='softmax'"),
    nn.Flatten: _flatten_module,
    nn.Identity: lambda m, x: x,
    nn.ConstantPad1d: _zero_pad,
    nn.ConstantPad2d: _zero_pad,
    nn.ZeroPad1d: _zero_pad,
    nn.ZeroPad2d: _zero_pad,
    nn.Unflatten: lambda m, x: (
        x.unsqueezed(2) if m.dim == 1 and tuple(m.unflattened_size)[1:] == (1,) else unsupported("it splits an axis")
    ),
    nn.MaxPool1d: lambda m, x: max_pool(
        x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices, dimensions=1
    ),
    nn.MaxPool2d: lambda m, x: max_pool(
        x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices, dimensions=2
    ),
    nn.AvgPool1d: lambda m, x: average_pool(
        x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, dimensions=1
    ),
    nn.AvgPool2d: lambda m, x: average_pool(
        x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, m.divisor_override, dimensions=2
    ),
    nn.AdaptiveMaxPool1d: lambda m, x: adaptive(kinds.GlobalMaxPool1D, 1)(x, m.output_size),
    nn.AdaptiveAvgPool1d: lambda m, x: adaptive(kinds.GlobalAveragePool1D, 1)(x, m.output_size),
    nn.AdaptiveMaxPool2d: lambda m, x: adaptive(kinds.GlobalMaxPool1D, 2)(x, m.output_size),
    nn.AdaptiveAvgPool2d: lambda m, x: adaptive(kinds.GlobalAveragePool1D, 2)(x, m.output_size),
    Pool: lambda m, x: x.then(m.layer),
    MaxAveragePool: _own_max_average,
    Maxout: lambda m, x: x.maximum_of_blocks(m.size),
    GRUResetBefore: _own_gru,
}
for _kind in (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout):
    MODULES[_kind] = lambda m, x: x.elementwise(kinds.Dropout(m.p)) if 0 <= m.p < 1 else x

#: Modules that are one layer each, however they are written inside.
LEAVES = (Pool, MaxAveragePool, Maxout, GRUResetBefore)
