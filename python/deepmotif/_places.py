"""Feature maps: which layer is meant, and what shape and values its output has. Views room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._validation import check_whole
from .exceptions import InvalidArgumentError
from .layers import Dense, Dropout, Flatten

Float = NDArray[np.float32]


def find_place(m: Any, layer: str | int | None) -> int:
    """Index of the layer whose output is meant, -1 for the letters; there is a layer behind it."""
    layers = m._layers
    if layer is None:
        dense = next((i for i, entry in enumerate(layers) if isinstance(entry, Dense)), None)
        if dense is None:
            raise InvalidArgumentError(
                f"layer must be given for a network without a dense layer: one of {m._engine.layer_names[:-1]}"
            )
        place = dense - 1
        # Both pass on what they read; before Flatten the map still has its positions.
        while place >= 0 and isinstance(layers[place], (Dropout, Flatten)):
            place -= 1
        return place
    place = m._layer_index(layer)
    if place == len(layers) - 1:
        raise InvalidArgumentError(
            f"layer must have layers behind it, through which its output is optimised; "
            f"{m._engine.layer_names[place]} is the last one"
        )
    return int(place)


def place_name(m: Any, place: int) -> str:
    """Name of the layer, or "input"."""
    return "input" if place < 0 else str(m._engine.layer_names[place])


def place_shape(m: Any, place: int, length: int | None) -> tuple[int, int]:
    """Positions and channels of the map, for sequences of `length` (default: as in training)."""
    length = m.length_ if length is None else check_whole(length, "length")
    m._check_fitted_length(length)
    shape = (length, 4) if place < 0 else m._engine.layer_shape(place, length)
    return int(shape[0]), int(shape[1])


def activations_at(m: Any, place: int, X: NDArray[Any]) -> Float:
    """Feature maps (N, W, K) of sequences."""
    from .sequences import one_hot

    if place < 0:
        return np.asarray(one_hot(X))
    values = m.activations(X, place)
    return values if values.ndim == 3 else values[:, None]
