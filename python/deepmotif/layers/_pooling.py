"""Pools: maxima and means over windows, or over all positions. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import _native
from ._base import Layer


@dataclass(frozen=True)
class _Pool(Layer):
    size: int
    stride: int | None = None
    padding: str | tuple[int, int] = (0, 0)
    ceil: bool = False

    _sizes = ("size",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is not None:
            self._set("stride", self._whole("stride", self.stride))
        else:
            self._set("stride", self.size)
        pads = self.padding
        if isinstance(pads, str) and pads == "valid":
            self._set("padding", (0, 0))
        elif isinstance(pads, (list, tuple)) and len(pads) == 2:
            # A window of padding alone would have no maximum.
            left, right = (self._whole("padding", pad, least=0, most=self.size - 1) for pad in pads)
            self._set("padding", (left, right))
        elif not isinstance(pads, str) or pads != "same":
            raise self._refusal(f"padding must be 'valid', 'same' or (left, right); got {pads!r}")

    @property
    def _step(self) -> int:
        return self.size if self.stride is None else self.stride

    def options(self) -> dict[str, Any]:
        options = super().options() | {"width": self.size, "stride": self._step, "ceil": int(self.ceil)}
        if isinstance(self.padding, str):
            return options | {"padding": _native.PADDING_SAME}
        left, right = self.padding
        return options | {"padding": _native.PADDING_EXPLICIT, "left_padding": left, "right_padding": right}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        if isinstance(self.padding, str):
            return -(-length // self._step), channels
        left, right = self.padding
        room = length + left + right - self.size
        if not self.ceil:
            return room // self._step + 1, channels
        windows = -(-room // self._step) + 1
        # The last window must start inside of the sequence or its left padding.
        return windows - int((windows - 1) * self._step >= length + left), channels

    def input_length(self, length: int) -> int:
        if isinstance(self.padding, str):
            return (length - 1) * self._step + 1
        left, right = self.padding
        if not self.ceil:
            return max(1, (length - 1) * self._step + self.size - left - right)
        partial = (length - 2) * self._step + 1 + self.size - left - right
        return max(1, partial, (length - 1) * self._step + 1 - left)


@dataclass(frozen=True)
class MaxPool1D(_Pool):
    """Maximum over windows of positions.

    Parameters
    ----------
    size : int
        Positions of a window.
    stride : int, optional
        Positions between windows; default `size`.
    padding : {"valid", "same"} or (int, int)
        Positions added at the ends, fewer than `size` each, which never win. "same" adds as many as make
        ceil(length / stride) windows, the odd one to the right (TensorFlow's rule).
    ceil : bool
        Whether a last window that is not whole counts (PyTorch's ceil_mode); otherwise a rest is cut.

    Raises
    ------
    InvalidArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> MaxPool1D(2).output_shape(7, 4), MaxPool1D(2, ceil=True).output_shape(7, 4)
    ((3, 4), (4, 4))
    """

    kind = "max_pool1d"


@dataclass(frozen=True)
class AveragePool1D(_Pool):
    """Mean over windows of positions; arguments as `MaxPool1D`, and:

    Parameters
    ----------
    count_padding : bool
        Whether padding counts as zeros (PyTorch's default); otherwise the mean is over real positions alone (Keras).

    Examples
    --------
    >>> AveragePool1D(4, 2, padding="same").output_shape(7, 4)
    (4, 4)
    """

    count_padding: bool = True

    kind = "average_pool1d"

    def options(self) -> dict[str, Any]:
        return super().options() | {"count_padding": int(self.count_padding)}


@dataclass(frozen=True)
class _GlobalPool(Layer):
    @property
    def keeps_positions(self) -> bool:
        return False

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return min(length, 1), channels

    def input_length(self, length: int) -> int:
        return 1


@dataclass(frozen=True)
class GlobalMaxPool1D(_GlobalPool):
    """Maximum over all positions."""

    kind = "global_max_pool1d"


@dataclass(frozen=True)
class GlobalAveragePool1D(_GlobalPool):
    """Mean over all positions."""

    kind = "global_average_pool1d"


@dataclass(frozen=True)
class GlobalMaxAveragePool1D(_GlobalPool):
    """Maximum and mean over all positions, side by side for each channel: 2C channels.

    The pooling of DeepBind (Alipanahi, Delong, Weirauch and Frey 2015) where its description says "avg".

    Examples
    --------
    >>> GlobalMaxAveragePool1D().output_shape(101, 16)
    (1, 32)
    """

    kind = "global_max_average_pool1d"

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        return min(length, 1), 2 * channels
