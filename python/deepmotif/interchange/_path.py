"""Path: how a tensor of an imported network came from the sequences, and what its axes mean. Interchange room; private.

Every reader (Keras, PyTorch, ONNX) walks its graph once with flows in the place of tensors. A flow remembers the layers
between the sequences and itself; where two meet in a sum, their paths from the last common point on are a `Residual`.
Axes are letters: N sequences, L positions, C channels, D directions of a recurrent layer, B blocks of
channels, 1 an axis of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from .. import layers as kinds

Array = NDArray[Any]
#: A layer with its weights by their last names; a `Residual` has a pair of lists of steps in their place.
Step = tuple[kinds.Layer, Any]


class Unsupported(Exception):
    """A part of a network that has no counterpart among the layers; the text says why."""


class LengthFound(Exception):
    """The length of the sequences follows from a dense layer behind a Flatten."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


def unsupported(reason: str) -> NoReturn:
    raise Unsupported(reason)


@dataclass(frozen=True, eq=False)
class Path:
    """A tensor of the imported network."""

    parent: Any
    step: Step | None
    axes: str
    length: int | None
    channels: int | None
    #: Channel i of the framework is our channel order[i]; None: the same order.
    order: Array | None = None
    #: One direction of a bidirectional recurrent layer's last states.
    direction: int | None = None
    #: Zeros before and behind the positions that the next layer has to take up.
    pads: tuple[int, int] = (0, 0)
    #: The axis B is of so many blocks of channels.
    blocks: int = 1

    @classmethod
    def sequences(cls, axes: str, length: int | None) -> Self:
        """The input of a network."""
        return cls(None, None, axes, length, 4)

    # ---- paths ----

    def then(
        self, layer: kinds.Layer, weights: Any = None, axes: str | None = None, order: Array | None = None
    ) -> Self:
        """The output of one more layer."""
        if self.direction is not None:
            unsupported("one direction alone of a bidirectional layer is used")
        if self.pads != (0, 0):
            unsupported("it reads padding that is not for a convolution or a mean")
        if "B" in self.axes:
            unsupported("it reads blocks of channels")
        length, channels = self.length, self.channels
        if isinstance(layer, kinds.Flatten) and length is None:
            length, channels = 1, None
        elif length is None:
            _, channels = layer.output_shape(1 << 20, channels or 1)
            length = None if layer.keeps_positions else 1
        elif channels is not None:
            length, channels = layer.output_shape(length, channels)
            if length < 1:
                unsupported("sequences of this length leave it no position")
        return type(self)(self, (layer, weights or {}), axes or self.axes, length, channels, order)

    def relabelled(self, axes: str) -> Self:
        """The same values with other axes: nothing is computed."""
        return replace(self, axes=axes)

    def steps(self) -> list[Step]:
        """The layers from the sequences to here."""
        steps: list[Step] = []
        flow: Any = self
        while flow is not None and flow.step is not None:
            steps.append(flow.step)
            flow = flow.parent
        return steps[::-1]

    def without_last(self) -> Self:
        """What the last layer was given, under the axes of here."""
        before: Self = self.parent
        return replace(before, axes=self.axes)

    # ---- sums and concatenations ----

    def _fork(self, other: Self) -> tuple[Any, list[Step], list[Step]]:
        """The last common flow and both ways from it."""
        mine, theirs = self.steps(), other.steps()
        shared = 0
        # Steps are compared by identity: equal layers at two places are two layers.
        while shared < min(len(mine), len(theirs)) and mine[shared] is theirs[shared]:
            shared += 1
        flow: Any = self
        for _ in mine[shared:]:
            flow = flow.parent
        return flow, mine[shared:], theirs[shared:]

    def plus(self, other: Self) -> Self:
        """Sum of two paths: a residual block from the point where they part."""
        if self.axes.replace("1", "") != other.axes.replace("1", "") or (self.length, self.channels) != (
            other.length, other.channels,
        ):  # fmt: skip
            unsupported("it adds values of different shapes")
        if self.order is not None or other.order is not None or (self.pads, other.pads) != ((0, 0), (0, 0)):
            unsupported("it adds concatenated pools or padded values")
        start, body, shortcut = self._fork(other)
        if not body:
            body, shortcut = shortcut, body
        if not body:
            unsupported("it adds a value to itself")
        block = kinds.Residual(tuple(layer for layer, _ in body), tuple(layer for layer, _ in shortcut))
        summed: Self = start.then(block, (body, shortcut), self.axes)
        return summed

    def beside(self, other: Self, axis: int) -> Self:
        """Concatenation along the channels, where a layer gives it: both directions, maximum beside mean."""
        if self.axes[axis] not in "CD":
            unsupported("it concatenates along another axis than the channels")
        start, mine, theirs = self._fork(other)
        if (self.direction, other.direction) == (0, 1) and self.parent is other.parent and self.step is other.step:
            return replace(self, direction=None)
        pools = (kinds.GlobalMaxPool1D, kinds.GlobalAveragePool1D)
        if len(mine) == len(theirs) == 1 and self.channels == other.channels:
            given = tuple(type(steps[0][0]) for steps in (mine, theirs))
            if given in (pools, pools[::-1]) and start.channels is not None:
                # Ours are interleaved: maximum and mean of channel 0, of channel 1 ...
                order = np.concatenate([np.arange(start.channels) * 2 + pools.index(kind) for kind in given])
                joined: Self = start.then(kinds.GlobalMaxAveragePool1D(), None, self.axes, order)
                return joined
        unsupported("it concatenates something else than both last states of a layer or a maximum and a mean")

    def reordered(self, channels: Array) -> Self:
        """The channels in another order."""
        order = np.arange(self.channels or 0) if self.order is None else self.order
        if sorted(channels.tolist()) != list(range(len(order))):
            unsupported("it picks some of the channels")
        order = order[channels]
        return replace(self, order=None if (order == np.arange(len(order))).all() else order)

    def padded(self, before: Sequence[int], behind: Sequence[int]) -> Self:
        """Zeros along the positions; what reads them takes them up."""
        pads = [(int(first), int(last)) for first, last in zip(before, behind, strict=True)]
        for letter, pad in zip(self.axes, pads, strict=True):
            if (letter != "L" and pad != (0, 0)) or min(pad) < 0:
                unsupported("it pads another axis than the positions, or cuts")
        left, right = pads[self.axes.index("L")] if "L" in self.axes else (0, 0)
        return replace(self, pads=(self.pads[0] + left, self.pads[1] + right))

    # ---- axes ----

    def index(self, axis: int) -> int:
        """A non-negative axis."""
        if not -len(self.axes) <= axis < len(self.axes):
            unsupported(f"axis {axis} of {len(self.axes)}")
        return axis % len(self.axes)

    def permuted(self, order: Sequence[int]) -> Self:
        if sorted(self.index(int(axis)) for axis in order) != list(range(len(self.axes))):
            unsupported(f"axes {list(order)} of {len(self.axes)}")
        return self.relabelled("".join(self.axes[int(axis)] for axis in order))

    def unsqueezed(self, axis: int) -> Self:
        axis = axis + len(self.axes) + 1 if axis < 0 else axis
        return self.relabelled(f"{self.axes[:axis]}1{self.axes[axis:]}")

    def squeezed(self, axes: Sequence[int] | None) -> Self:
        chosen = {self.index(axis) for axis in axes} if axes is not None else set()
        if axes is None:
            chosen = {i for i, letter in enumerate(self.axes) if letter == "1" or (letter == "L" and self.length == 1)}
        flow = self
        for axis in sorted(chosen, reverse=True):
            if flow.axes[axis] == "L":
                if flow.length not in (None, 1):
                    unsupported(f"it squeezes {flow.length} positions")
                # The one position that is left fixes the length.
                flow = flow._flattened()
            elif flow.axes[axis] == "1":
                flow = flow.relabelled(flow.axes[:axis] + flow.axes[axis + 1 :])
            else:
                unsupported("it squeezes an axis that is not of length 1")
        return flow

    def _flattened(self) -> Self:
        if self.order is not None:
            unsupported("it flattens concatenated pools")
        order = "channels" if self.axes.index("C") < self.axes.index("L") else "positions"
        return self.then(kinds.Flatten(order), None, self.axes.replace("L", ""))

    def flattened(self) -> Self:
        """All axes behind the sequences as one."""
        if not self.axes.startswith("N"):
            unsupported("it flattens the sequences of a batch into each other")
        if "D" in self.axes:
            unsupported("it flattens the directions of a recurrent layer")
        flow = self._flattened() if "L" in self.axes else self
        return flow.relabelled("NC")

    def reshaped(self, shape: Sequence[int | None]) -> Self:
        """A reshape that flattens, adds or removes axes of length 1, or joins directions and channels.

        `shape` holds numbers; -1 for the rest, None for the number of sequences.
        """
        if len(shape) == 2 and self.axes.startswith("N") and "D" not in self.axes:
            total = None if self.length is None or self.channels is None else self._size()
            if shape[1] in (-1, total) or total is None:
                return self.flattened()
        joined = self.axes
        if "DC" in joined:
            joined = joined.replace("DC", "C")
        target = ""
        rest = joined.replace("1", "")
        for size in shape:
            expected = {"N": None, "L": self.length, "C": self.channels}.get(rest[:1], 1)
            if rest and (size == expected or size in (-1, None) or expected is None):
                target, rest = target + rest[0], rest[1:]
            elif size in (1, -1):
                target += "1"
            else:
                unsupported(f"it reshapes to {[('N' if s is None else s) for s in shape]}")
        if rest:
            unsupported(f"it reshapes to {[('N' if s is None else s) for s in shape]}")
        return self.relabelled(target)

    def in_blocks(self, shape: Sequence[int | None]) -> Self | None:
        """The channels as blocks of channels, where a reshape says just that."""
        place = self.axes.find("C")
        if self.order is not None or len(shape) != len(self.axes) + 1 or "D" in self.axes or self.channels is None:
            return None
        size, groups = shape[place], shape[place + 1]
        if size is None or groups is None or size < 2 or size * groups != self.channels:
            return None
        return replace(self, axes=self.axes.replace("C", "BC"), blocks=size)

    def _size(self) -> int:
        assert self.channels is not None
        return self.channels * (self.length or 1) if "L" in self.axes else self.channels
