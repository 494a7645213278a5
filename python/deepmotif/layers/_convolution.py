"""Conv1D. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import _native
from ._base import LARGEST_SIZE, Layer

_NAMED = {"valid": "PADDING_VALID", "same": "PADDING_SAME", "causal": "PADDING_CAUSAL"}


@dataclass(frozen=True)
class Conv1D(Layer):
    """Convolution (correlation, as in every framework) along the positions.

    Parameters
    ----------
    filters, kernel_size : int
        Number of filters and the positions that each reads.
    padding : {"valid", "same", "causal"} or (int, int)
        Zeros around the sequence: none; as many as the kernel reaches, the odd one to the right; all of them to the
        left, so that no output sees later positions; or a number for each end. None of them depends on the stride.
    dilation, stride : int
        Positions between the taps of a filter, and between its outputs.
    bias : bool
        Add a number per filter.

    Raises
    ------
    InvalidArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> Conv1D(128, 9)
    Conv1D(filters=128, kernel_size=9, padding='valid', dilation=1, stride=1, bias=True)
    >>> Conv1D(128, 9, padding=(8, 0)).output_shape(101, 4) == Conv1D(128, 9, padding="causal").output_shape(101, 4)
    True
    """

    filters: int
    kernel_size: int
    padding: str | tuple[int, int] = "valid"
    dilation: int = 1
    stride: int = 1
    bias: bool = True

    kind = "conv1d"
    _sizes = ("filters", "kernel_size", "dilation", "stride")

    def __post_init__(self) -> None:
        super().__post_init__()
        pads = self.padding
        if isinstance(pads, (list, tuple)) and len(pads) == 2:
            left, right = (self._whole("padding", pad, least=0, most=LARGEST_SIZE) for pad in pads)
            self._set("padding", (left, right))
        elif not isinstance(pads, str) or pads not in _NAMED:
            raise self._refusal(f"padding must be 'valid', 'same', 'causal' or (left, right); got {pads!r}")

    @property
    def _reach(self) -> int:
        return (self.kernel_size - 1) * self.dilation

    @property
    def _pads(self) -> tuple[int, int]:
        """Zeros on the left and on the right."""
        if not isinstance(self.padding, str):
            return self.padding
        if self.padding == "same":
            return self._reach // 2, self._reach - self._reach // 2
        return (self._reach, 0) if self.padding == "causal" else (0, 0)

    def options(self) -> dict[str, Any]:
        options = super().options() | {
            "units": self.filters,
            "width": self.kernel_size,
            "stride": self.stride,
            "dilation": self.dilation,
            "bias": int(self.bias),
        }
        if isinstance(self.padding, str):
            return options | {"padding": getattr(_native, _NAMED[self.padding])}
        left, right = self.padding
        return options | {"padding": _native.PADDING_EXPLICIT, "left_padding": left, "right_padding": right}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return (length + sum(self._pads) - 1 - self._reach) // self.stride + 1, self.filters

    def input_length(self, length: int) -> int:
        return max(1, (length - 1) * self.stride + 1 + self._reach - sum(self._pads))

    def n_parameters(self, channels: int) -> int:
        return self.filters * (self.kernel_size * channels + int(self.bias))
