"""The modules that `to_torch` makes where PyTorch has none of the kind. Takes (N, C, L) throughout. Needs PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ._windows import ceil_padding, pool_padding

__all__ = [
    "Branches",
    "ByPosition",
    "Exponential",
    "GRUResetBefore",
    "MaxAveragePool",
    "Maxout",
    "Pool",
    "Recurrent",
    "Strands",
    "Transposed",
]


class ByPosition(nn.Module):
    """A module that reads (N, L, C), between two transposes."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Any) -> Any:
        return self.module(x.transpose(1, 2)).transpose(1, 2)


class Transposed(nn.Module):
    """(N, C, L) to (N, L, C)."""

    def forward(self, x: Any) -> Any:
        return x.transpose(1, 2)


class Recurrent(nn.Module):
    """LSTM or GRU on (N, C, L): all states (N, C, L), or the last one of each direction, (N, C, 1)."""

    def __init__(self, module: nn.Module, return_sequences: bool) -> None:
        super().__init__()
        self.module = module
        self.return_sequences = return_sequences

    def forward(self, x: Any) -> Any:
        outputs, state = self.module(x.transpose(1, 2))
        if self.return_sequences:
            return outputs.transpose(1, 2)
        last = state[0] if isinstance(self.module, nn.LSTM) else state
        if self.module.bidirectional:
            return torch.cat([last[-2], last[-1]], dim=1).unsqueeze(2)
        return last[-1].unsqueeze(2)


class GRUResetBefore(nn.Module):
    """GRU of the original paper (Cho et al. 2014): the reset gate acts on the state, before the product."""

    def __init__(self, inputs: int, units: int, bidirectional: bool, return_sequences: bool) -> None:
        super().__init__()
        self.units = units
        self.return_sequences = return_sequences
        self.directions = ("", "_reverse") if bidirectional else ("",)
        for suffix in self.directions:
            setattr(self, f"weight_ih{suffix}", nn.Parameter(torch.zeros(3 * units, inputs)))
            setattr(self, f"weight_hh{suffix}", nn.Parameter(torch.zeros(3 * units, units)))
            setattr(self, f"bias_ih{suffix}", nn.Parameter(torch.zeros(3 * units)))

    def forward(self, x: Any) -> Any:
        states = [self._run(x if suffix == "" else x.flip(2), suffix) for suffix in self.directions]
        if not self.return_sequences:
            return torch.cat([direction[:, :, -1:] for direction in states], dim=1)
        return torch.cat([direction.flip(2) if index else direction for index, direction in enumerate(states)], dim=1)

    def _run(self, x: Any, suffix: str) -> Any:
        units = self.units
        weight_hh = getattr(self, f"weight_hh{suffix}")
        inputs = functional.linear(
            x.transpose(1, 2), getattr(self, f"weight_ih{suffix}"), getattr(self, f"bias_ih{suffix}")
        )
        state, states = x.new_zeros(x.shape[0], units), []
        for position in range(inputs.shape[1]):
            gates = inputs[:, position]
            recurrent = functional.linear(state, weight_hh[: 2 * units])
            reset, update = torch.sigmoid(gates[:, : 2 * units] + recurrent).chunk(2, dim=1)
            new = torch.tanh(gates[:, 2 * units :] + functional.linear(reset * state, weight_hh[2 * units :]))
            state = update * state + (1 - update) * new
            states.append(state)
        return torch.stack(states, dim=2)


class Pool(nn.Module):
    """Windows with any padding, as `MaxPool1D` and `AveragePool1D` place them."""

    def __init__(self, layer: Any, maximum: bool) -> None:
        super().__init__()
        self.layer = layer
        self.maximum = maximum

    def forward(self, x: Any) -> Any:
        length = x.shape[2]
        left, right = pool_padding(self.layer, length)
        extra = ceil_padding(self.layer, length)
        size, stride = self.layer.size, self.layer.stride
        if self.maximum:
            padded = functional.pad(x, (left, right + extra), value=-torch.inf)
            return functional.max_pool1d(padded, size, stride)
        padded = functional.pad(x, (left, right + extra))
        counted = x.new_zeros(1, 1, length + left + right + extra)
        if self.layer.count_padding:
            counted[:, :, : length + left + right] = 1
        else:
            counted[:, :, left : left + length] = 1
        return functional.avg_pool1d(padded, size, stride) / functional.avg_pool1d(counted, size, stride)


class MaxAveragePool(nn.Module):
    """(N, 2C, 1): maximum and mean of every channel, interleaved."""

    def forward(self, x: Any) -> Any:
        return torch.stack([x.amax(dim=2), x.mean(dim=2)], dim=2).flatten(1).unsqueeze(2)


class Maxout(nn.Module):
    """Maximum over `size` blocks of channels."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Any) -> Any:
        return x.unflatten(1, (self.size, x.shape[1] // self.size)).amax(dim=1)


class Exponential(nn.Module):
    """exp(x)."""

    def forward(self, x: Any) -> Any:
        return torch.exp(x)


class Branches(nn.Module):
    """Sum of two ways; an empty shortcut is the input itself."""

    def __init__(self, body: Sequence[nn.Module], shortcut: Sequence[nn.Module]) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Any) -> Any:
        return self.body(x) + self.shortcut(x)


class Strands(nn.Module):
    """Scores of both strands, averaged or the greater one of each."""

    def __init__(self, module: nn.Module, maximum: bool) -> None:
        super().__init__()
        self.module = module
        self.maximum = maximum

    def forward(self, x: Any) -> Any:
        # Reversing the letters A C G T complements them.
        scores, others = self.module(x), self.module(x.flip(1, 2))
        return torch.maximum(scores, others) if self.maximum else (scores + others) / 2
