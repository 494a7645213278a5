"""TF-MoDISco through the library modisco-lite. Motifs room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._seqlets import Sites
from .exceptions import InvalidArgumentError, MissingDependencyError


def modisco_sites(
    letters: NDArray[np.float32], attributions: NDArray[np.float64] | None, options: dict[str, Any]
) -> dict[int, list[Sites]]:
    """The windows of every pattern that TF-MoDISco finds, by sign.

    Raises
    ------
    MissingDependencyError
        If the library is not installed.
    InvalidArgumentError
        If the attributions are not those of all letters, or an option is not one of TFMoDISco's.
    """
    if attributions is None:
        raise InvalidArgumentError("attributions must be (N, L, 4), of all letters, for method='modisco'")
    try:
        from modiscolite.tfmodisco import TFMoDISco
    except ImportError:
        raise MissingDependencyError(
            "seqlet_motifs with method='modisco' needs modisco-lite: pip install 'deepmotif[modisco]'"
        ) from None
    try:
        positive, negative = TFMoDISco(
            one_hot=letters.astype(np.float64), hypothetical_contribs=attributions, **options
        )
    except TypeError as error:
        if options and "argument" in str(error):
            raise InvalidArgumentError(f"options must be those of TFMoDISco; {error}") from None
        raise
    projected = (letters * attributions).sum(axis=2)
    return {
        1: [_sites(pattern, projected) for pattern in positive or []],
        -1: [_sites(pattern, projected) for pattern in negative or []],
    }


def _sites(pattern: Any, projected: NDArray[np.float64]) -> Sites:
    seqlets = pattern.seqlets
    rows = np.array([seqlet.example_idx for seqlet in seqlets], dtype=np.int64)
    starts = np.array([seqlet.start for seqlet in seqlets], dtype=np.int64)
    turned = np.array([bool(seqlet.is_revcomp) for seqlet in seqlets])
    width = int(seqlets[0].end - seqlets[0].start)
    scores = np.array([projected[row, start : start + width].sum() for row, start in zip(rows, starts, strict=True)])
    return Sites(rows, starts, turned, scores, width)
