"""Layer: what all layers have in common, and the checks of their arguments. Models room; private."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from .. import _native
from ..exceptions import InvalidArgumentError

# Sizes beyond this are mistakes or hostile files; products of four of them still fit into 64 bits with room to spare.
LARGEST_SIZE = 1 << 24
# Far inside of what float32 holds.
LARGEST_NUMBER = 1e30


@dataclass(frozen=True)
class Layer:
    """Base of all layers: arguments are checked when the layer is made, shapes when the network is."""

    #: Name of the kind, as in the names of layers and parameters.
    kind: ClassVar[str] = ""
    #: Sizes: whole numbers of at least 1.
    _sizes: ClassVar[tuple[str, ...]] = ()
    #: Numbers of at least 0.
    _numbers: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self._sizes:
            self._set(name, self._whole(name, getattr(self, name)))
        for name in self._numbers:
            value = getattr(self, name)
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not 0 <= value <= LARGEST_NUMBER:
                raise self._refusal(f"{name} must be a finite number of at least 0; got {value!r}")
            self._set(name, float(value))
        for field in fields(self):
            if field.type == "bool" and not isinstance(getattr(self, field.name), bool):
                raise self._refusal(f"{field.name} must be True or False; got {getattr(self, field.name)!r}")

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _refusal(self, message: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"{type(self).__name__}: {message}")

    def _whole(self, name: str, value: Any, *, least: int = 1, most: int = LARGEST_SIZE) -> int:
        """The value as an int, or an InvalidArgumentError."""
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not whole or not least <= value <= most:
            raise self._refusal(f"{name} must be a whole number from {least} to {most}; got {value!r}")
        return int(value)

    @property
    def keeps_positions(self) -> bool:
        """False where one vector a sequence is left: global pools, Flatten, the last state of a recurrent layer."""
        return True

    @property
    def is_recurrent(self) -> bool:
        """Whether the layer runs along the positions step by step: LSTM, GRU, a residual block with one inside."""
        return False

    def options(self) -> dict[str, Any]:
        """The fields of the engine's dm_layer_options."""
        return {"kind": getattr(_native, f"LAYER_{self.kind.upper()}")}

    def inner_options(self) -> list[dict[str, Any]]:
        """Options of the layers inside of this one, which follow its own in the engine's list."""
        return []

    def output_shape(self, length: int, channels: int) -> tuple[int, int]:
        """Positions and channels of the output for an input (length, channels); positions below 1 do not fit."""
        return length, channels

    def input_length(self, length: int) -> int:
        """Fewest input positions that give at least `length` output positions; 1 where one vector comes out."""
        return length

    def n_parameters(self, channels: int) -> int:
        """Number of parameters for an input of so many channels."""
        return 0
