"""Lists of motifs as the engine takes them, and their backgrounds. Motifs room; private."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .exceptions import InvalidArgumentError, MissingDependencyError

if TYPE_CHECKING:
    from .motifs import Motif

# Sites of a motif whose source names none, as in MEME Suite.
DEFAULT_SITES = 20.0


def motif_list(motifs: Any, name: str) -> list[Motif]:
    """The motifs of an argument: one Motif, or an iterable of at least one.

    Raises
    ------
    InvalidArgumentError
        If it is anything else; the message names the argument and the index.
    """
    from .motifs import Motif

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


def site_count(motif: Motif) -> float:
    """The number of sites behind a motif, `DEFAULT_SITES` where it is not known."""
    return float(motif.n_sites) if motif.n_sites else DEFAULT_SITES


def motif_columns(motifs: list[Motif]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Columns (sum of widths, 4), widths (n,) and numbers of sites (n,)."""
    matrices = [np.asarray(motif.probabilities, dtype=np.float64) for motif in motifs]
    widths = np.array([len(matrix) for matrix in matrices], dtype=np.int64)
    sites = np.array([site_count(motif) for motif in motifs])
    return np.ascontiguousarray(np.concatenate(matrices)), widths, sites


def check_background(background: Any) -> NDArray[np.float64]:
    """Four positive frequencies A C G T of sum 1; None: uniform."""
    if background is None:
        return np.full(4, 0.25)
    try:
        values = np.asarray(background, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"background must be 4 frequencies A C G T; got {background!r}") from None
    # Written as "not inside" so that NaN is outside too.
    if values.shape != (4,) or not (values > 0).all() or not abs(values.sum() - 1) <= 1e-3:
        raise InvalidArgumentError(
            f"background must be 4 positive frequencies A C G T of sum 1; got {values.tolist()}"
        )
    return np.ascontiguousarray(values / values.sum())


def import_pandas(function: str) -> Any:
    """The pandas module, or an error that says how to get it."""
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError(f"{function} needs pandas: pip install 'deepmotif[pandas]'") from None
    return pandas
