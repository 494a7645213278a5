"""Every layer once more in PyTorch, from the layers' descriptions and the engine's arrays alone."""

import torch
from torch.nn import functional

from deepmotif import layers


def evaluate(network, arrays, x, prefix=""):
    """Output (N, L, C) of layers on x (N, L, C). arrays: tensors by name; prefix: of the names."""
    counts = {}
    for layer in network:
        number = counts.get(layer.kind, 0)
        counts[layer.kind] = number + 1
        name = f"{prefix}{layer.kind}_{number}."
        own = {key.removeprefix(name): value for key, value in arrays.items() if key.startswith(name)}
        x = FUNCTIONS[type(layer)](layer, own, x)
    return x


def convolution(layer, arrays, x):
    reach = (layer.kernel_size - 1) * layer.dilation
    named = {"valid": (0, 0), "same": (reach // 2, reach - reach // 2), "causal": (reach, 0)}
    pads = named[layer.padding] if isinstance(layer.padding, str) else layer.padding
    padded = functional.pad(x.mT, pads)
    y = functional.conv1d(padded, arrays["weight"], arrays.get("bias"), layer.stride, dilation=layer.dilation)
    return y.mT


def pool(layer, arrays, x):
    """PyTorch's own pools where they can: equal paddings of at most half a window."""
    length, size, stride = x.shape[1], layer.size, layer.stride
    is_max = isinstance(layer, layers.MaxPool1D)
    if layer.padding != "same" and layer.padding[0] == layer.padding[1] <= size // 2:
        if is_max:
            return functional.max_pool1d(x.mT, size, stride, layer.padding[0], ceil_mode=layer.ceil).mT
        pad, counts = layer.padding[0], layer.count_padding
        return functional.avg_pool1d(x.mT, size, stride, pad, layer.ceil, counts).mT
    if layer.padding == "same":
        count = -(-length // stride)
        total = max((count - 1) * stride + size - length, 0)
        left, right = total // 2, total - total // 2
    else:
        left, right = layer.padding
        starts = range(-left, length, stride)
        whole = [start for start in starts if start + size <= length + right]
        partial = [start for start in starts if start + size < length + right + stride]
        count = len(partial if layer.ceil else whole)
    outputs = []
    for start in range(-left, -left + count * stride, stride):
        part = x[:, max(start, 0) : min(start + size, length)]
        if is_max:
            outputs.append(part.amax(1))
        else:
            divisor = min(start + size, length + right) - start if layer.count_padding else part.shape[1]
            outputs.append(part.sum(1) / divisor)
    return torch.stack(outputs, 1)


def recurrent(layer, arrays, x):
    suffixes = ("", "_reverse") if layer.bidirectional else ("",)
    split = getattr(layer, "split_input", False)
    inputs = x.chunk(2, 2) if split else (x, x)
    outputs, last = [], []
    for suffix, part in zip(suffixes, inputs, strict=False):
        names = [key for key in arrays if key.endswith("_reverse") == (suffix != "")]
        own = {key.removesuffix(suffix): arrays[key] for key in names}
        ordered = part.flip(1) if suffix else part
        states = one_direction(layer, own, ordered)
        last.append(states[:, -1:])
        outputs.append(states.flip(1) if suffix else states)
    return torch.cat(outputs if layer.return_sequences else last, 2)


def one_direction(layer, own, x):
    if isinstance(layer, layers.GRU) and not layer.reset_after:
        return reset_before(layer, own, x)
    kind = torch.nn.GRU if isinstance(layer, layers.GRU) else torch.nn.LSTM
    module = kind(x.shape[2], layer.units, batch_first=True, dtype=x.dtype)
    if isinstance(layer, layers.LSTM):
        own = own | {"bias_ih": own["bias"], "bias_hh": torch.zeros_like(own["bias"])}
    weights = {f"{key}_l0": own[key] for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return torch.func.functional_call(module, weights, (x,))[0]


def reset_before(layer, own, x):
    """Cho et al. 2014, equations 5 to 8, with z in PyTorch's sense."""
    (wr, wz, wn), (rr, rz, rn), (br, bz, bn) = (own[key].chunk(3) for key in ("weight_ih", "weight_hh", "bias_ih"))
    h = torch.zeros(x.shape[0], layer.units, dtype=x.dtype)
    states = []
    for step in x.unbind(1):
        r = torch.sigmoid(step @ wr.T + h @ rr.T + br)
        z = torch.sigmoid(step @ wz.T + h @ rz.T + bz)
        n = torch.tanh(step @ wn.T + (r * h) @ rn.T + bn)
        h = (1 - z) * n + z * h
        states.append(h)
    return torch.stack(states, 1)


def residual(layer, arrays, x):
    return evaluate(layer.layers, arrays, x) + evaluate(layer.shortcut, arrays, x, "shortcut.")


FUNCTIONS = {
    layers.Conv1D: convolution,
    layers.MaxPool1D: pool,
    layers.AveragePool1D: pool,
    layers.LSTM: recurrent,
    layers.GRU: recurrent,
    layers.Residual: residual,
    layers.GlobalMaxPool1D: lambda layer, arrays, x: functional.adaptive_max_pool1d(x.mT, 1).mT,
    layers.GlobalAveragePool1D: lambda layer, arrays, x: x.mean(1, keepdim=True),
    layers.GlobalMaxAveragePool1D: lambda layer, arrays, x: torch.stack([x.amax(1), x.mean(1)], 2).flatten(1)[:, None],
    layers.Dense: lambda layer, arrays, x: functional.linear(x, arrays["weight"], arrays.get("bias")),
    layers.Flatten: lambda layer, arrays, x: (x.mT if layer.order == "channels" else x).flatten(1)[:, None],
    layers.LayerNorm: lambda layer, arrays, x: functional.layer_norm(
        x, x.shape[2:], arrays["weight"], arrays["bias"], layer.epsilon
    ),
    layers.Dropout: lambda layer, arrays, x: x,
    layers.ReLU: lambda layer, arrays, x: torch.relu(x),
    layers.LeakyReLU: lambda layer, arrays, x: functional.leaky_relu(x, layer.slope),
    layers.ELU: lambda layer, arrays, x: functional.elu(x, layer.alpha),
    layers.GELU: lambda layer, arrays, x: functional.gelu(x, approximate="tanh" if layer.approximate else "none"),
    layers.Exponential: lambda layer, arrays, x: torch.exp(x),
    layers.Sigmoid: lambda layer, arrays, x: torch.sigmoid(x),
    layers.Tanh: lambda layer, arrays, x: torch.tanh(x),
    layers.Softmax: lambda layer, arrays, x: torch.softmax(x, 2),
}
