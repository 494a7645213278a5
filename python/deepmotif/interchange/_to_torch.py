"""to_torch: a fitted network as a PyTorch module. Interchange room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import layers as kinds
from .._views import check_model
from ..exceptions import InternalError, MissingDependencyError
from ._windows import conv_padding, pool_padding

__all__ = ["to_torch"]


def to_torch(model: Any) -> Any:
    """A fitted network as a ``torch.nn.Module`` in evaluation mode; its parameters can be trained on.

    The module takes float letters (N, 4, L) and returns scores (N, C), those of ``model.scores``. Where PyTorch has the
    layer it is PyTorch's; the whole is an ``nn.Sequential``. Two directions of an LSTM that each read half of the
    channels become one bidirectional LSTM with zeros for the other half.

    Parameters
    ----------
    model : fitted network
        Of this package.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    NotFittedError
        Before `fit`.
    MissingDependencyError
        If PyTorch is not installed.
    """
    model = check_model(model)
    try:
        import torch
    except ImportError:
        raise MissingDependencyError("to_torch needs PyTorch: pip install torch") from None
    from ._torch_modules import Strands

    writer = _Writer(torch, model.weights_)
    modules, *_ = writer.modules(model._layers, 4, model.length_, "")
    if not writer.flat:
        modules.append(torch.nn.Flatten())
    module: Any = torch.nn.Sequential(*modules)
    strands = getattr(model, "reverse_complement", "none")
    if strands in ("average", "maximum"):
        module = Strands(module, strands == "maximum")
    return module.eval()


class _Writer:
    """Modules of layers in order; keeps whether values are vectors (N, C) or sequences (N, C, L)."""

    def __init__(self, torch: Any, weights: Mapping[str, Any]) -> None:
        self.torch = torch
        self.weights = weights
        self.flat = False

    def modules(
        self, layers: Sequence[kinds.Layer], channels: int, length: int, prefix: str
    ) -> tuple[list[Any], int, int]:
        """Modules, and the channels and positions that they give."""
        counts: dict[str, int] = {}
        modules: list[Any] = []
        for layer in layers:
            index = counts.get(layer.kind, 0)
            counts[layer.kind] = index + 1
            name = f"{prefix}{layer.kind}_{index}"
            modules += self._of(layer, name, channels, length)
            length, channels = layer.output_shape(length, channels)
        return modules, channels, length

    def _of(self, layer: kinds.Layer, name: str, channels: int, length: int) -> list[Any]:
        from ._torch_modules import Maxout

        nn = self.torch.nn
        if isinstance(layer, kinds.Residual):
            return self._residual(layer, name, channels, length)
        if isinstance(layer, (kinds.Dense, kinds.LayerNorm)):
            module = (
                nn.Linear(channels, layer.units, bias=layer.bias)
                if isinstance(layer, kinds.Dense)
                else nn.LayerNorm(channels, layer.epsilon)
            )
            return self._by_position(self._filled(module, name))
        if isinstance(layer, kinds.BatchNorm1D):
            return [self._filled(nn.BatchNorm1d(channels, layer.epsilon, layer.momentum), name)]
        if isinstance(layer, kinds.Maxout):
            return [Maxout(layer.size)]
        simple = self._activation(layer)
        if simple is not None:
            return [simple]
        if isinstance(layer, kinds.Flatten) and self.flat:
            return []
        before = [nn.Unflatten(1, (channels, 1))] if self.flat else []
        self.flat = not layer.keeps_positions
        return before + self._of_sequence(layer, name, channels, length)

    def _of_sequence(self, layer: kinds.Layer, name: str, channels: int, length: int) -> list[Any]:
        from . import _torch_modules as own

        nn = self.torch.nn
        if isinstance(layer, kinds.Conv1D):
            return self._convolution(layer, name, channels)
        if isinstance(layer, (kinds.MaxPool1D, kinds.AveragePool1D)):
            return [self._pool(layer)]
        if isinstance(layer, kinds.GlobalMaxPool1D):
            return [nn.AdaptiveMaxPool1d(1), nn.Flatten()]
        if isinstance(layer, kinds.GlobalAveragePool1D):
            return [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
        if isinstance(layer, kinds.GlobalMaxAveragePool1D):
            return [own.MaxAveragePool(), nn.Flatten()]
        if isinstance(layer, kinds.Flatten):
            return [nn.Flatten()] if layer.order == "channels" else [own.Transposed(), nn.Flatten()]
        if isinstance(layer, (kinds.LSTM, kinds.GRU)):
            module = self._recurrent(layer, name, channels)
            return [module] if layer.return_sequences else [module, nn.Flatten()]
        raise InternalError(f"to_torch does not know the layer {type(layer).__name__}")

    def _activation(self, layer: kinds.Layer) -> Any:
        from ._torch_modules import Exponential

        nn = self.torch.nn
        if isinstance(layer, kinds.Dropout):
            return nn.Dropout(layer.rate)
        if isinstance(layer, kinds.LeakyReLU):
            return nn.LeakyReLU(layer.slope)
        if isinstance(layer, kinds.ELU):
            return nn.ELU(layer.alpha)
        if isinstance(layer, kinds.GELU):
            return nn.GELU(approximate="tanh" if layer.approximate else "none")
        if isinstance(layer, kinds.Softmax):
            return nn.Softmax(dim=1)
        made = {kinds.ReLU: nn.ReLU, kinds.Sigmoid: nn.Sigmoid, kinds.Tanh: nn.Tanh, kinds.Exponential: Exponential}
        return made[type(layer)]() if type(layer) in made else None

    def _by_position(self, module: Any) -> list[Any]:
        from ._torch_modules import ByPosition

        return [module if self.flat else ByPosition(module)]

    def _residual(self, layer: Any, name: str, channels: int, length: int) -> list[Any]:
        from ._torch_modules import Branches

        before = self.flat
        body, *_ = self.modules(layer.layers, channels, length, f"{name}.")
        after, self.flat = self.flat, before
        shortcut, *_ = self.modules(layer.shortcut, channels, length, f"{name}.shortcut.")
        # One way may have dropped the axis of a single position that the other one keeps.
        if after != self.flat:
            shortened = body if self.flat else shortcut
            shortened.append(self.torch.nn.Flatten())
            self.flat = True
        return [Branches(body, shortcut)]

    def _convolution(self, layer: Any, name: str, channels: int) -> list[Any]:
        nn = self.torch.nn
        left, right = conv_padding(layer)
        # One padding for both ends is the convolution's own, another one stands before it.
        padding = left if left == right else 0
        module = nn.Conv1d(
            channels, layer.filters, layer.kernel_size, stride=layer.stride, padding=padding, dilation=layer.dilation,
            bias=layer.bias,
        )  # fmt: skip
        return ([] if left == right else [nn.ConstantPad1d((left, right), 0.0)]) + [self._filled(module, name)]

    def _pool(self, layer: Any) -> Any:
        from ._torch_modules import Pool

        nn = self.torch.nn
        maximum = isinstance(layer, kinds.MaxPool1D)
        left, right = (-1, 0) if layer.padding == "same" else pool_padding(layer, 1)
        if left != right or 2 * left > layer.size:
            return Pool(layer, maximum)
        if maximum:
            return nn.MaxPool1d(layer.size, layer.stride, padding=left, ceil_mode=layer.ceil)
        return nn.AvgPool1d(
            layer.size, layer.stride, padding=left, ceil_mode=layer.ceil, count_include_pad=layer.count_padding
        )

    def _recurrent(self, layer: Any, name: str, channels: int) -> Any:
        from ._torch_modules import GRUResetBefore, Recurrent

        nn = self.torch.nn
        gru = isinstance(layer, kinds.GRU)
        if gru and not layer.reset_after:
            return self._filled(
                GRUResetBefore(channels, layer.units, layer.bidirectional, layer.return_sequences), name
            )
        kind = nn.GRU if gru else nn.LSTM
        module = kind(channels, layer.units, batch_first=True, bidirectional=layer.bidirectional)
        values = recurrent_arrays(layer, self.weights, name, channels)
        with self.torch.no_grad():
            for key, parameter in module.named_parameters():
                kept = key.replace("_l0", "")
                parameter.copy_(self.torch.from_numpy(np.ascontiguousarray(values[kept])))
        return Recurrent(module, layer.return_sequences)

    def _filled(self, module: Any, name: str) -> Any:
        """The module with the network's arrays of the same names."""
        with self.torch.no_grad():
            for key, value in module.state_dict().items():
                if key != "num_batches_tracked":
                    value.copy_(self.torch.from_numpy(np.ascontiguousarray(self.weights[f"{name}.{key}"])))
        return module


def recurrent_arrays(layer: Any, weights: Mapping[str, Any], name: str, channels: int) -> dict[str, Any]:
    """weight_ih, weight_hh, bias_ih, bias_hh of every direction, each reading all channels; PyTorch's gate order."""
    arrays: dict[str, Any] = {}
    for index, suffix in enumerate(("", "_reverse") if layer.bidirectional else ("",)):
        given = weights[f"{name}.weight_ih{suffix}"]
        full = np.zeros((given.shape[0], channels), dtype=np.float32)
        start = index * given.shape[1] if getattr(layer, "split_input", False) else 0
        full[:, start : start + given.shape[1]] = given
        arrays["weight_ih" + suffix] = full
        arrays["weight_hh" + suffix] = weights[f"{name}.weight_hh{suffix}"]
        zeros = np.zeros(given.shape[0], dtype=np.float32)
        if isinstance(layer, kinds.LSTM):
            arrays |= {f"bias_ih{suffix}": weights[f"{name}.bias{suffix}"], f"bias_hh{suffix}": zeros}
        else:
            arrays["bias_ih" + suffix] = weights[f"{name}.bias_ih{suffix}"]
            arrays["bias_hh" + suffix] = weights.get(f"{name}.bias_hh{suffix}", zeros)
    return arrays
