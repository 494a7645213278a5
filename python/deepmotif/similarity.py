"""Classes compared by what they ask of the channels of a layer. Views room.

Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262, "Visualizing feature sharing and class relationship" and figures
4, 7, 8 and 9. C classes, K channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._resolve_result import DeepResolve
from .exceptions import InvalidArgumentError, ShapeError

Values = NDArray[np.float64]


def class_similarity(results: Sequence[DeepResolve], *, positive: bool = True) -> Values:
    """How alike classes are in the channels that they ask for: Pearson correlations of max(OFIV, 0).

    Parameters
    ----------
    results : list of DeepResolve
        One a class, of one layer.
    positive : bool
        False: of the whole OFIV, in which channels that only tell classes apart hide what they share.

    Returns
    -------
    (C, C) float64
        NaN where a class has the same value for every channel.

    References
    ----------
    Liu, Zeng and Gifford 2019, "Visualizing feature sharing and class relationship".

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> dm.class_similarity(dm.deepresolve(model, target="all", restarts=3)).shape
    (2, 2)
    """
    values = ofiv_matrix(results)
    return correlations(np.maximum(values, 0) if positive else values)


def class_difference(a: DeepResolve, b: DeepResolve) -> Values:
    """OFIV of one class minus that of another, (K,): which channels one asks for and the other does not.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> a, b = dm.deepresolve(model, target="all", restarts=3)
    >>> bool((dm.class_difference(a, b) == a.ofiv - b.ofiv).all())
    True
    """
    first, second = ofiv_matrix([a, b])
    return np.asarray(first - second)


def ofiv_matrix(results: Sequence[Any]) -> Values:
    """The OFIVs (C, K) of results of one layer."""
    entries = list(results) if not isinstance(results, DeepResolve) else [results]
    for entry in entries:
        if not isinstance(entry, DeepResolve):
            raise InvalidArgumentError(f"results must be results of deepresolve; got {type(entry).__name__}")
        if len(entry.ofiv) != len(entries[0].ofiv):
            raise ShapeError(f"results must be of one layer; got {len(entries[0].ofiv)} and {len(entry.ofiv)} channels")
    if not entries:
        raise InvalidArgumentError("results must hold at least one result of deepresolve; got none")
    return np.array([entry.ofiv for entry in entries])


def correlations(rows: Values) -> Values:
    """Pearson correlations of rows; NaN beside a constant one."""
    centered = rows - rows.mean(axis=1, keepdims=True)
    norms = np.sqrt((centered**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = centered / norms
    return np.asarray(np.clip(unit @ unit.T, -1, 1))
