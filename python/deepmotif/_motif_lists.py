"""Lists of motifs as the engine takes them. Motifs room; private."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._motif import DEFAULT_SITES, Motif
from .exceptions import InvalidArgumentError, MissingDependencyError


def motif_list(motifs: Any, name: str) -> list[Motif]:
    """The motifs of an argument: one Motif, or an iterable of at least one.

    Raises
    ------
    InvalidArgumentError
        If it is anything else; the message names the argument and the index.
    """
    if isinstance(motifs, Motif):
        return [motifs]
    if isinstance(motifs, (str, bytes)) or not isinstance(motifs, Iterable):
        raise InvalidArgumentError(f"{name} must be a Motif or a list of them; got {type(motifs).__name__}")
    result = list(motifs)
    for index, motif in enumerate(result):
        if not isinstance(motif, Motif):
            raise InvalidArgumentError(
                f"{name} must be a Motif or a list of them; got {type(motif).__name__} at index {index}"
            )
    if not result:
        raise InvalidArgumentError(f"{name} must hold at least one motif; got none")
    return result


def motif_names(motifs: list[Motif], name: str) -> NDArray[np.object_]:
    """The names of the motifs, ``motif_1`` and so on where there is none; they tell rows of a table apart.

    Raises
    ------
    InvalidArgumentError
        If two motifs have the same name.
    """
    names = [motif.name or f"motif_{index}" for index, motif in enumerate(motifs, 1)]
    first: dict[str, int] = {}
    for index, text in enumerate(names):
        if text in first:
            raise InvalidArgumentError(
                f"{name} must hold motifs of different names; {text!r} is the name of {name}[{first[text]}] and "
                f"{name}[{index}]"
            )
        first[text] = index
    return np.array(names, dtype=object)


def motif_columns(motifs: list[Motif]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Columns (sum of widths, 4), widths (n,) and numbers of sites (n,)."""
    widths = np.array([len(motif) for motif in motifs], dtype=np.int64)
    sites = np.array([motif.n_sites or DEFAULT_SITES for motif in motifs], dtype=np.float64)
    return np.concatenate([motif.probabilities for motif in motifs]), widths, sites


def import_pandas(function: str) -> Any:
    """The pandas module, or an error that says how to get it."""
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError(f"{function} needs pandas: pip install 'deepmotif[pandas]'") from None
    return pandas
