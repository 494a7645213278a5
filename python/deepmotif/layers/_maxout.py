"""Maxout. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..exceptions import ShapeError
from ._base import Layer


@dataclass(frozen=True)
class Maxout(Layer):
    """Maximum over `size` blocks of channels at every position (Goodfellow, Warde-Farley, Mirza et al. 2013).

    Channel g of C / size is the maximum of the channels g, g + C / size, g + 2 C / size ...

    Parameters
    ----------
    size : int
        Number of blocks; divides the channels.

    Raises
    ------
    InvalidArgumentError
        If it is no whole number of at least 1.
    ShapeError
        In a network where it does not divide the channels.

    Examples
    --------
    >>> Maxout(3).output_shape(101, 12)
    (101, 4)
    """

    size: int

    kind = "maxout"
    _sizes = ("size",)

    def options(self) -> dict[str, Any]:
        return super().options() | {"width": self.size}

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        if channels % self.size:
            raise ShapeError(f"Maxout: size={self.size} must divide the number of channels; got {channels}")
        return length, channels // self.size
