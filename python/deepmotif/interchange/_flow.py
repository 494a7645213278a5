"""Flow: the layers that a path can take. Interchange room; private."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import layers as kinds
from ._path import Array, LengthFound, Path, Step, Unsupported, unsupported
from ._windows import ceil_padding, named_padding, ungrouped

__all__ = ["Flow", "LengthFound", "Step", "Unsupported", "unsupported"]


@dataclass(frozen=True, eq=False)
class Flow(Path):
    """A tensor of the imported network: a path from the sequences, with the layers that may follow."""

    def elementwise(self, layer: kinds.Layer) -> Flow:
        return self.then(layer, None, None, self.order)

    def maximum_of_blocks(self, size: int) -> Flow:
        self._plain()
        return self.then(kinds.Maxout(size))

    def softmax(self, axis: int) -> Flow:
        if self.axes[self.index(axis)] != "C" or "D" in self.axes:
            unsupported("its softmax is not over the channels")
        if self.order is not None:
            unsupported("its softmax is over concatenated pools")
        return self.then(kinds.Softmax())

    def _plain(self) -> None:
        if self.order is not None:
            unsupported("it follows concatenated pools, behind which only a dense layer can stand")
        if "D" in self.axes:
            unsupported("it reads the directions of a recurrent layer apart")

    def dense(self, weight: Array, bias: Array | None) -> Flow:
        """Linear layer on the last axis; weight (units, in)."""
        if self.axes[-1] != "C" or "D" in self.axes:
            unsupported("it is applied along another axis than the channels")
        if self.channels is None:
            raise LengthFound(self._length_for(weight.shape[1]))
        if weight.ndim != 2 or weight.shape[1] != self.channels:
            unsupported(f"its weights are of shape {weight.shape} for {self.channels} channels")
        if self.order is not None:
            reordered = np.empty_like(weight)
            reordered[:, self.order] = weight
            weight = reordered
        weights = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        return self.then(kinds.Dense(weight.shape[0], bias=bias is not None), weights)

    def _length_for(self, features: int) -> int:
        """The only length of the sequences that gives a flattened vector of so many features."""
        layers = [layer for layer, _ in self.steps()]
        while layers and not isinstance(layers[-1], kinds.Flatten):
            layers.pop()

        def features_of(length: int) -> int:
            channels = 4
            for layer in layers:
                length, channels = layer.output_shape(length, channels)
                if length < 1:
                    return 0
            return channels

        low, high = 1, 1 << 24
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if features_of(middle) >= features else (middle + 1, high)
        if features_of(low) != features:
            unsupported(f"no length of the sequences gives the {features} values that it reads")
        if features_of(low + 1) == features:
            unsupported(f"it fits sequences of several lengths from {low} on: pass length=")
        return low

    def with_bias(self, bias: Array) -> Flow:
        """A constant added to every channel: the bias of a layer that has none yet, or a shift of its own."""
        values = self._by_channel(bias)
        layer, weights = self.step or (None, {})
        if isinstance(layer, (kinds.Conv1D, kinds.Dense)) and not layer.bias and self.order is None:
            return replace(self, step=(replace(layer, bias=True), {**weights, "bias": values}))
        if isinstance(layer, kinds.BatchNorm1D) and self.order is None:
            return replace(self, step=(layer, {**weights, "bias": weights["bias"] + values}))
        return self._affine(np.ones_like(values), values)

    def scaled(self, factors: Array) -> Flow:
        """A factor on every channel."""
        values = self._by_channel(factors)
        return self._affine(values, np.zeros_like(values))

    def _affine(self, weight: Array, bias: Array) -> Flow:
        """Scale and shift as a batch normalisation with mean 0 and a variance that epsilon makes 1, exactly."""
        epsilon = 2.0**-16
        weights = {
            "weight": weight, "bias": bias, "running_mean": np.zeros_like(bias),
            "running_var": np.full_like(bias, 1 - epsilon),
        }  # fmt: skip
        return self.normalized(kinds.BatchNorm1D(epsilon=epsilon), weights, self.axes.index("C"))

    def _by_channel(self, array: Array) -> Array:
        """A constant that broadcasts along the channels alone, one value for each."""
        long = [place for place, size in enumerate(array.shape[::-1]) if size != 1]
        fits = len(long) <= 1 and all(place < len(self.axes) and self.axes[::-1][place] == "C" for place in long)
        if not fits or array.size not in (1, self.channels) or self.channels is None:
            unsupported("it combines the network's values with an array that is not one number a channel")
        return np.broadcast_to(np.ravel(array), (self.channels,)).astype(np.float32)

    def convolved(
        self, weight: Array, bias: Array | None, *, axes: Sequence[int], channel_axis: int, stride: Sequence[int],
        padding: Any, dilation: Sequence[int], groups: int = 1,
    ) -> Flow:  # fmt: skip
        """Correlation; weight (out, in / groups, width of every spatial axis). "same" is that of Keras."""
        self._plain()
        weight = ungrouped(weight, groups)
        axes, channel_axis = [self.index(axis) for axis in axes], self.index(channel_axis)
        letters = [self.axes[axis] for axis in axes]
        if sorted(letters) not in (["L"], ["1", "L"], ["C", "L"]) or self.axes[channel_axis] != (
            "1" if "C" in letters else "C"
        ):
            unsupported("it is no convolution along the sequence")
        main = letters.index("L")
        pads = self._keras_pads(weight.shape[2 + main], stride[main], dilation[main]) if padding == "same" else None
        if len(letters) == 2:
            weight = self._one_row(weight, letters, 1 - main, padding)
        if weight.shape[1] != self.channels:
            unsupported(f"its weights are for {weight.shape[1]} channels, it is given {self.channels}")
        left, right = pads if pads is not None else padding[main]
        reach = (weight.shape[2] - 1) * dilation[main]
        padding = named_padding(left + self.pads[0], right + self.pads[1], reach)
        layer = kinds.Conv1D(
            weight.shape[0], weight.shape[2], padding=padding, dilation=int(dilation[main]),
            stride=int(stride[main]), bias=bias is not None,
        )  # fmt: skip
        named = list(self.axes)
        for axis, letter in zip(axes, letters, strict=True):
            named[axis] = "1" if letter == "C" else letter
        named[channel_axis] = "C"
        weights = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        return replace(self, pads=(0, 0)).then(layer, weights, "".join(named))

    def _keras_pads(self, width: int, stride: int, dilation: int) -> tuple[int, int]:
        reach = (width - 1) * dilation
        if self.pads != (0, 0):
            unsupported("same padding of padded values")
        total = reach
        if stride > 1:
            if self.length is None:
                unsupported("same padding with a stride depends on the length: pass length=")
            total = max((math.ceil(self.length / stride) - 1) * stride + reach + 1 - self.length, 0)
        return total // 2, total - total // 2

    def _one_row(self, weight: Array, letters: list[str], other: int, padding: Any) -> Array:
        """A 2-D kernel as a 1-D one: it spans the letters, or only one of its rows meets the one row of the input."""
        height = weight.shape[2 + other]
        if letters[other] == "C":
            if weight.shape[1] != 1 or height != self.channels or padding == "same" or tuple(padding[other]) != (0, 0):
                unsupported("its kernel does not span exactly the letters")
            return weight[:, 0] if other == 0 else weight[:, 0].transpose(0, 2, 1)
        left, right = ((height - 1) // 2, height // 2) if padding == "same" else padding[other]
        if left + right != height - 1:
            unsupported("its kernel moves along an axis of length 1")
        return np.take(weight, left, axis=2 + other)

    def pooled(
        self, kind: type[kinds.Layer], *, axes: Sequence[int], size: Sequence[int], stride: Sequence[int],
        padding: Any, ceil: bool = False, count_padding: bool = False,
    ) -> Flow:  # fmt: skip
        """Maximum or mean of windows."""
        self._plain()
        letters = [self.axes[self.index(axis)] for axis in axes]
        if letters.count("L") != 1:
            unsupported("it does not pool along the sequence")
        main = letters.index("L")
        for i in range(len(letters)):
            if i != main and (size[i] != 1 or (padding != "same" and tuple(padding[i]) != (0, 0))):
                unsupported("it pools along another axis than the sequence")
        pads: Any = "same" if padding == "same" else (int(padding[main][0]), int(padding[main][1]))  # type: ignore[index]
        options: dict[str, Any] = {"stride": int(stride[main]), "padding": pads, "ceil": ceil}
        if kind is kinds.AveragePool1D:
            options["count_padding"] = count_padding
            if self.pads != (0, 0):
                return self._padded_mean(int(size[main]), options)
        return self.then(kind(int(size[main]), **options))  # type: ignore[call-arg]

    def _padded_mean(self, size: int, options: dict[str, Any]) -> Flow:
        """Means of padded values: those zeros count; padding of the pool's own may only be what `ceil` adds."""
        layer = kinds.AveragePool1D(size, stride=options["stride"], padding=self.pads, ceil=options["ceil"])
        if options["padding"] != (0, 0):
            layer = replace(layer, ceil=True)
            extra = None if self.length is None else ceil_padding(layer, self.length)
            if options["padding"] != (0, extra) or options["count_padding"] or options["ceil"]:
                unsupported("it pads padded values")
        return replace(self, pads=(0, 0)).then(layer)

    def reduced(self, kind: type[kinds.Layer], axes: Sequence[int], keep: bool) -> Flow:
        """Maximum or mean over all positions."""
        chosen = [self.index(axis) for axis in axes]
        if kind is kinds.GlobalMaxPool1D and [self.axes[axis] for axis in chosen] == ["B"] and not keep:
            return self.relabelled(self.axes.replace("B", "")).maximum_of_blocks(self.blocks)
        self._plain()
        if sorted(self.axes[axis] for axis in chosen) not in (["L"], ["1", "L"]):
            unsupported("it reduces another axis than the positions")
        named = [
            ("1" if keep else "") if i in chosen else letter for i, letter in enumerate(self.axes)
        ]  # fmt: skip
        return self.then(kind(), None, "".join(named))

    def normalized(self, layer: kinds.Layer, weights: dict[str, Array], axis: int) -> Flow:
        """BatchNorm1D or LayerNorm with its arrays, of one value a channel."""
        if self.axes[self.index(axis)] != "C" or "D" in self.axes:
            unsupported("it normalizes another axis than the channels")
        if self.channels is None:
            unsupported("its input depends on the length: pass length=")
        if any(array.shape != (self.channels,) for array in weights.values()):
            unsupported(f"its arrays are not of {self.channels} channels")
        if self.order is not None:
            if isinstance(layer, kinds.LayerNorm):
                self._plain()
            inverse = np.argsort(self.order)
            weights = {name: array[inverse] for name, array in weights.items()}
        return self.then(layer, weights, None, self.order)

    def recurrent(self, layer: kinds.LSTM | kinds.GRU, weights: dict[str, Array], axes: str) -> Flow:
        """LSTM or GRU; `axes` are those of its output."""
        self._plain()
        if self.axes.replace("1", "") not in ("NLC", "LNC"):
            unsupported("it reads no sequence of channels")
        if weights["weight_ih"].shape[1] != self.channels:
            unsupported(f"its weights are for {weights['weight_ih'].shape[1]} channels, it is given {self.channels}")
        return self.then(layer, weights, axes)

    def at_direction(self, direction: int) -> Flow:
        """The half of a bidirectional layer's last states."""
        return replace(self, direction=direction)

    def at_position(self, axis: int, index: int) -> Flow:
        """One entry of an axis: the last position of a recurrent layer, the only entry, a direction."""
        axis = self.index(axis)
        letter, rest = self.axes[axis], self.axes[:axis] + self.axes[axis + 1 :]
        if letter == "1" and index in (0, -1):
            return self.relabelled(rest)
        if letter == "D":
            return replace(self, axes=rest, direction=index % 2)
        layer, weights = self.step or (None, {})
        if letter == "L" and isinstance(layer, (kinds.LSTM, kinds.GRU)) and layer.return_sequences:
            if index == -1 and not layer.bidirectional and self.parent is not None:
                last = replace(layer, return_sequences=False)
                return self.parent.then(last, weights, rest)
            unsupported("it takes one position of both directions, of which one has read one letter only")
        unsupported("it takes one position out of the sequence")
