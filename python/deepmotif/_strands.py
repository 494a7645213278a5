"""Both strands of sequences, and what a network says of the two together. Models room; private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _alphabet, _native

Float = NDArray[np.float32]

#: What becomes of the other strand, and what the engine's trainer is told of it.
MODES = {
    "none": _native.STRANDS_NONE,
    "augment": _native.STRANDS_NONE,
    "average": _native.STRANDS_AVERAGE,
    "maximum": _native.STRANDS_MAXIMUM,
    "shared": _native.STRANDS_SHARED,
}

#: Modes in which both strands are read for one prediction.
COMBINED = ("average", "maximum")


def other_strand(block: NDArray[Any]) -> NDArray[Any]:
    """Reverse complements of codes (n, L) or letters (n, L, 4)."""
    if block.ndim == 2:
        return _alphabet.COMPLEMENT[block[:, ::-1]]
    return np.ascontiguousarray(block[:, ::-1, ::-1])


def combined_scores(mode: str, score: Callable[[NDArray[Any]], Float], block: NDArray[Any]) -> Float:
    """Scores (n, C) of a block under a mode, `score` being those of one strand."""
    return combine(mode, score(block), score(other_strand(block))) if mode in COMBINED else score(block)


def combine(mode: str, one: Float, other: Float) -> Float:
    """The scores of two strands as one, to the last bit as the trainer has them."""
    half = np.float32(0.5)
    return np.maximum(one, other) if mode == "maximum" else half * one + half * other
