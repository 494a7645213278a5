"""From a flow that arrived at the scores to a fitted network; what is left out is named. Interchange room; private."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import layers as kinds
from .._validation import check_whole
from ..exceptions import DeepMotifError, FileFormatError, InvalidArgumentError, ShapeError
from ..models import Network
from ._flow import Flow, LengthFound, Step, unsupported

OUTPUTS = ("linear", "softmax", "sigmoid")

# Length given to a network that takes any, of which the file says nothing: that of the usual ChIP-seq sets.
_USUAL_LENGTH = 101
_LARGEST_LENGTH = 1 << 24

# Positions that a comparison is worth.
_LONGEST_SAMPLE = 4096

# Differences beyond this to what the source framework computes are worth a warning; relative to the scores' magnitude.
_TOLERANCE = 1e-4


class Problems:
    """What cannot be imported, layer by layer, in the order of the network."""

    def __init__(self, what: str, error: type[DeepMotifError]) -> None:
        self.what = what
        self.error = error
        self.lines: list[str] = []

    def add(self, name: str, kind: str, reason: str) -> None:
        line = f"{name} ({kind}): {reason}"
        if line not in self.lines:
            self.lines.append(line)

    def check(self) -> None:
        """Raises one error that names all of them."""
        if self.lines:
            raise self.error(f"{self.what} cannot be imported: " + "; ".join(self.lines))


def named_weights(steps: Iterable[Step], prefix: str = "") -> dict[str, NDArray[np.float32]]:
    """Arrays of all layers by the engine's names: kind and order, blocks' names before those of their layers."""
    counts: dict[str, int] = {}
    named: dict[str, NDArray[np.float32]] = {}
    for layer, weights in steps:
        index = counts.get(layer.kind, 0)
        counts[layer.kind] = index + 1
        name = f"{prefix}{layer.kind}_{index}."
        if isinstance(layer, kinds.Residual):
            body, shortcut = weights
            named |= named_weights(body, name) | named_weights(shortcut, f"{name}shortcut.")
        else:
            named |= {name + key: np.ascontiguousarray(array, dtype=np.float32) for key, array in weights.items()}
    return named


def finish(flow: Flow, output: str | None, length: int | None, problems: Problems, **parameters: Any) -> Network:
    """The network that ends in this flow; `output` None: what its last layer says. `parameters` are
    further hyper-parameters.

    Raises
    ------
    InvalidArgumentError, FileFormatError
        If the flow is no vector of scores, or an array holds NaN.
    """
    last = flow.step[0] if flow.step else None
    ends_in = "softmax" if isinstance(last, kinds.Softmax) else "sigmoid" if isinstance(last, kinds.Sigmoid) else None
    if ends_in is not None and output in (None, ends_in) and "L" not in flow.axes:
        flow, output = flow.without_last(), ends_in
    if flow.axes.replace("1", "") in ("NCL", "NLC") and flow.length == 1:
        flow = flow.flattened()
    if flow.axes.replace("1", "") != "NC" or flow.order is not None or flow.direction is not None:
        raise problems.error(f"{problems.what} does not end in one vector of scores for each sequence")
    steps = flow.steps()
    if not steps:
        raise problems.error(f"{problems.what} holds no layers")
    layers = [layer for layer, _ in steps]
    weights = named_weights(steps)
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise problems.error(f"{problems.what} holds NaN or infinity in {name}")
    if length is None:
        length = max(_USUAL_LENGTH, kinds.minimum_length(layers))
    if length > _LARGEST_LENGTH:
        raise problems.error(f"{problems.what} is for sequences of {length} positions, more than {_LARGEST_LENGTH}")
    try:
        # Twelve numbers of a file can ask for the memory of a machine: the layers are counted first.
        if kinds.count_parameters(layers, length) != sum(array.size for array in weights.values()):
            raise ShapeError("its layers and its weights do not agree")
        return Network._from_layers(layers, output or "linear", length, flow.channels, weights, **parameters)
    except problems.error:
        raise
    except DeepMotifError as error:
        raise problems.error(f"{problems.what} cannot be imported: {error}") from None


def walk(read: Callable[[int | None], tuple[Flow, int | None]], length: Any) -> tuple[Flow, int | None]:
    """Runs a reader with the length that the user gives, or again with the one that it found out."""
    length = None if length is None else check_whole(length, "length")
    try:
        return read(length)
    except LengthFound as found:
        return read(found.length)


def check_output(output: Any, optional: bool = False) -> str | None:
    """One of the output functions."""
    if (output is None and optional) or output in OUTPUTS:
        return output  # type: ignore[no-any-return]
    raise InvalidArgumentError(f"output must be 'linear', 'softmax' or 'sigmoid'; got {output!r}")


def sample_sequences(model: Network) -> NDArray[np.uint8]:
    """Random codes to compare on, the same every time; fewer of long sequences, of endless ones a piece or none."""
    length = model.length_
    if length > _LONGEST_SAMPLE and not any(isinstance(layer, kinds.Flatten) for layer in model.layers):
        length = max(_LONGEST_SAMPLE, kinds.minimum_length(model.layers))
    count = min(8, _LONGEST_SAMPLE * 8 // length)
    return np.random.default_rng(0).integers(0, 4, (count, length), dtype=np.uint8)


def compare(found: NDArray[Any], expected: NDArray[Any], source: str) -> None:
    """Warns where the values of the network and of its source disagree."""
    expected = np.asarray(expected, dtype=np.float32).reshape(found.shape)
    error = float(np.abs(found - expected).max(initial=0)) / max(1.0, float(np.abs(expected).max(initial=0)))
    if not error <= _TOLERANCE:
        warnings.warn(
            f"the imported network differs from {source} by {error:.2g} of the values' magnitude on random sequences",
            stacklevel=4,
        )


def as_pairs(values: Sequence[int] | int, count: int) -> list[tuple[int, int]]:
    """One padding for both ends of each axis."""
    numbers = [int(values)] * count if isinstance(values, (int, np.integer)) else [int(v) for v in values]
    if len(numbers) == 1:
        numbers *= count
    if len(numbers) != count:
        unsupported(f"it has {len(numbers)} paddings for {count} axes")
    return [(v, v) for v in numbers]


def file_problems(path: Any) -> Problems:
    return Problems(str(path), FileFormatError)
