"""LSTM and GRU. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..exceptions import ShapeError
from ._base import Layer


@dataclass(frozen=True)
class _Recurrent(Layer):
    units: int
    bidirectional: bool = False
    return_sequences: bool = True

    _sizes = ("units",)

    @property
    def keeps_positions(self) -> bool:
        return self.return_sequences

    @property
    def is_recurrent(self) -> bool:
        return True

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def options(self) -> dict[str, Any]:
        return super().options() | {
            "units": self.units,
            "bidirectional": int(self.bidirectional),
            "return_sequences": int(self.return_sequences),
        }

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return length if self.return_sequences else min(length, 1), self.units * self._directions

    def input_length(self, length: int) -> int:
        return length if self.return_sequences else 1


@dataclass(frozen=True)
class LSTM(_Recurrent):
    """Long short-term memory without peepholes (Hochreiter and Schmidhuber 1997; Gers et al. 2000), one bias a gate.

    Parameters
    ----------
    units : int
        Hidden units H of each direction.
    bidirectional : bool
        A second LSTM reads the reversed sequence; its outputs follow those of the first: 2H channels.
    return_sequences : bool
        False: only the last state of each direction, (1, H) or (1, 2H).
    split_input : bool
        Each direction reads its own half of the channels: two separate stacks.

    Examples
    --------
    >>> LSTM(32, bidirectional=True, return_sequences=False).output_shape(101, 4)
    (1, 64)
    """

    split_input: bool = False

    kind = "lstm"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.split_input and not self.bidirectional:
            raise self._refusal("split_input=True needs bidirectional=True")

    def options(self) -> dict[str, Any]:
        return super().options() | {"split_input": int(self.split_input)}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        if self.split_input and channels % 2:
            raise ShapeError(f"LSTM: split_input=True needs an even number of channels; got {channels}")
        return super().output_shape(length, channels)

    def n_parameters(self, channels: int) -> int:
        inputs = channels // 2 if self.split_input else channels
        return self._directions * 4 * self.units * (inputs + self.units + 1)


@dataclass(frozen=True)
class GRU(_Recurrent):
    """Gated recurrent units (Cho et al. 2014), gates in the order r, z, n.

    Parameters
    ----------
    units : int
        Hidden units H of each direction.
    bidirectional : bool
        A second GRU reads the reversed sequence; its outputs follow those of the first: 2H channels.
    return_sequences : bool
        False: only the last state of each direction, (1, H) or (1, 2H).
    reset_after : bool
        Where the reset gate acts: behind the recurrent product (PyTorch, Keras 2 and later), or before it (the paper,
        Keras 1), which has one bias a gate instead of two.

    Examples
    --------
    >>> GRU(32, bidirectional=True).output_shape(101, 4)
    (101, 64)
    """

    reset_after: bool = True

    kind = "gru"

    def options(self) -> dict[str, Any]:
        return super().options() | {"reset_after": int(self.reset_after)}

    def n_parameters(self, channels: int) -> int:
        biases = 2 if self.reset_after else 1
        return self._directions * 3 * self.units * (channels + self.units + biases)
