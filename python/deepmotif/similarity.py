"""Classes compared by what they ask of the channels of a layer. Views room.

Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262, "Visualizing feature sharing and class relationship" and figures
4, 7, 8 and 9. C classes, K channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._resolve_result import DeepResolve
from ._validation import check_number, check_whole
from ._views import check_model
from .exceptions import InvalidArgumentError, MissingDependencyError, ShapeError
from .layers import Dense

__all__ = [
    "Biclusters",
    "ClassClusters",
    "association_counts",
    "class_biclusters",
    "class_clusters",
    "class_difference",
    "class_similarity",
    "label_correlation",
    "last_layer_similarity",
]

Values = NDArray[np.float64]
Labels = NDArray[np.intp]


def class_similarity(results: Sequence[DeepResolve], *, positive: bool = True) -> Values:
    """How alike classes are in the channels that they ask for: Pearson correlations of max(OFIV, 0).

    Parameters
    ----------
    results : list of DeepResolve
        One a class, of one layer. With ``l2="boundary"`` they hold what classes ask for first; far beyond the classes'
        boundaries, where a small lambda leads in a network of large weights, they hold what its hidden units still tell
        apart there, and classes that share features may look unlike.
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


# ---- What similarity by channels is compared with ----


def label_correlation(y: ArrayLike) -> Values:
    """Pearson correlations (C, C) of the classes' labels.

    Parameters
    ----------
    y : array (N, C) or (N,)
        0 / 1 of each task, NaN where it is missing; or one label a sequence of C exclusive classes.

    Raises
    ------
    ShapeError
        If y has another shape.

    Examples
    --------
    >>> from deepmotif.similarity import label_correlation
    >>> label_correlation([[0, 1], [1, 0], [0, 1], [1, 0]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    labels = np.asarray(y)
    if labels.ndim == 1:
        labels = labels[:, None] == np.unique(labels)
    if labels.ndim != 2 or not len(labels):
        raise ShapeError(f"y must be labels (N, C) or (N,), N at least 1; got shape {np.shape(y)}")
    values = labels.astype(np.float64)
    known = np.isfinite(values)
    if known.all():
        return correlations(values.T)
    # Each pair over the sequences that both classes know.
    zeroed, flags = np.where(known, values, 0.0), known.astype(np.float64)
    count = flags.T @ flags
    first = zeroed.T @ flags
    second = (zeroed**2).T @ flags
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = zeroed.T @ zeroed - first * first.T / count
        variance = second - first**2 / count
        return np.asarray(np.clip(covariance / np.sqrt(variance * variance.T), -1, 1))


def last_layer_similarity(m: Any) -> Values:
    """Cosines (C, C) of the classes' weights in the last dense layer, the similarity used before DeepResolve.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If its last layer is not dense.

    Examples
    --------
    >>> import deepmotif as dm
    >>> dm.last_layer_similarity(dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, 2)).shape
    (2, 2)
    """
    with check_model(m)._lock:
        if not isinstance(m._layers[-1], Dense):
            raise InvalidArgumentError(f"m must end in a dense layer; its last layer is {m._engine.layer_names[-1]}")
        weights = np.asarray(m.weights_[f"{m._engine.layer_names[-1]}.weight"], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    return np.asarray(np.clip(unit @ unit.T, -1, 1))


def association_counts(
    similarity: ArrayLike,
    rows: Sequence[int],
    columns: Sequence[int],
    *,
    high: float = 0.85,
    low: float = 0.15,
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[float, float]]:
    """How many classes of one kind each class of another kind is strongly like, and strongly unlike (figure 8b).

    Parameters
    ----------
    similarity : (C, C)
        Of all classes, as from `class_similarity`.
    rows, columns : list of int
        Classes to count for (transcription factors, say), and classes to count (DNase experiments).
    high, low : float
        Strong are similarities above the `high` and below the `low` quantile of all pairs of different classes.

    Returns
    -------
    positive, negative : (len(rows),) int64
    thresholds : (float, float)
        The similarities at the two quantiles, low and high.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmotif.similarity import association_counts
    >>> similarity = np.array([[1, 0.9, -0.5], [0.9, 1, 0.1], [-0.5, 0.1, 1]])
    >>> association_counts(similarity, [2], [0, 1])[:2]
    (array([0]), array([1]))
    """
    matrix = _square(similarity)
    high = check_number(high, "high", 0, 1)
    low = check_number(low, "low", 0, high)
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    pairs = pairs[np.isfinite(pairs)]
    if not len(pairs):
        raise InvalidArgumentError("similarity must hold at least one pair of different classes that is not NaN")
    bottom, top = (float(value) for value in np.quantile(pairs, [low, high]))
    part = matrix[np.ix_(_classes(rows, "rows", len(matrix)), _classes(columns, "columns", len(matrix)))]
    return (part > top).sum(axis=1), (part < bottom).sum(axis=1), (bottom, top)


# ---- Clusters ----


@dataclass(frozen=True, eq=False)
class ClassClusters:
    """Classes in a tree of similarity.

    Attributes
    ----------
    labels : (C,)
        Number of each class's cluster, from 0.
    order : (C,)
        Classes in the order of the tree's leaves.
    linkage : (C - 1, 4)
        The tree, as SciPy writes it.
    """

    labels: Labels
    order: Labels
    linkage: Values


def class_clusters(
    similarity: ArrayLike, n_clusters: int | None = None, *, distance: float = 0.5, method: str = "average"
) -> ClassClusters:
    """Hierarchical clusters of classes, with 1 - similarity as their distance (figure 9).

    Parameters
    ----------
    similarity : (C, C)
        Symmetric, as from `class_similarity`; NaN counts as 0.
    n_clusters : int, optional
        By default the tree is cut at `distance`.
    distance : float
        Clusters that are further apart stay apart.
    method : str
        SciPy's rule for the distance of two clusters.

    Raises
    ------
    MissingDependencyError
        If SciPy is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmotif.similarity import class_clusters
    >>> class_clusters(np.array([[1, 0.9, 0], [0.9, 1, 0.1], [0, 0.1, 1]])).labels
    array([0, 0, 1])
    """
    matrix = np.nan_to_num(_square(similarity))
    if len(matrix) < 2:
        raise ShapeError("similarity must be of at least two classes; got one")
    try:
        from scipy.cluster import hierarchy
    except ImportError:
        raise MissingDependencyError("class_clusters needs SciPy: pip install 'deepmotif[sklearn]'") from None
    distances = np.clip(1 - (matrix + matrix.T) / 2, 0, None)
    try:
        tree = hierarchy.linkage(
            distances[np.triu_indices(len(matrix), 1)], method, optimal_ordering=len(matrix) <= 1000
        )
    except ValueError as error:
        raise InvalidArgumentError(f"method must be one that SciPy has; got {method!r} ({error})") from None
    if n_clusters is None:
        labels = hierarchy.fcluster(tree, check_number(distance, "distance", 0), "distance")
    else:
        labels = hierarchy.fcluster(tree, check_whole(n_clusters, "n_clusters"), "maxclust")
    return ClassClusters(_in_order(labels), hierarchy.leaves_list(tree).astype(np.intp), tree)


@dataclass(frozen=True, eq=False)
class Biclusters:
    """Rows and columns of a matrix in blocks.

    Attributes
    ----------
    row_labels, column_labels : (R,), (C,)
        Number of each one's cluster.
    row_order, column_order : (R,), (C,)
        Rows and columns with the members of a cluster side by side.
    """

    row_labels: Labels
    column_labels: Labels
    row_order: Labels
    column_order: Labels


def class_biclusters(
    similarity: ArrayLike, n_clusters: int | tuple[int, int] = 3, *, method: str = "blocks", random_state: int = 0
) -> Biclusters:
    """Rows and columns of a (part of a) similarity matrix clustered together (figure 8a).

    Parameters
    ----------
    similarity : (R, C)
        Any two kinds of classes; NaN counts as 0.
    n_clusters : int or (int, int)
        Clusters of rows and of columns.
    method : {"blocks", "diagonal"}
        Spectral bi-clustering (every row cluster meets every column cluster; Kluger et al. 2003) or spectral
        co-clustering (each row cluster has its own column cluster; Dhillon 2001).
    random_state : int
        Of the k-means inside.

    Raises
    ------
    MissingDependencyError
        If scikit-learn is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmotif.similarity import class_biclusters
    >>> blocks = np.kron(np.array([[1.0, -1], [-1, 1]]), np.ones((3, 2))) + np.eye(6, 4) / 10
    >>> sorted(set(class_biclusters(blocks, 2).row_labels[:3].tolist())).__len__()
    1
    """
    matrix = np.nan_to_num(np.asarray(similarity, dtype=np.float64))
    if matrix.ndim != 2 or min(matrix.shape) < 2:
        raise ShapeError(f"similarity must be (R, C), both at least 2; got shape {matrix.shape}")
    if method not in ("blocks", "diagonal"):
        raise InvalidArgumentError(f"method must be 'blocks' or 'diagonal'; got {method!r}")
    counts = n_clusters if isinstance(n_clusters, tuple) else (n_clusters, n_clusters)
    if len(counts) != 2 or (method == "diagonal" and counts[0] != counts[1]):
        raise InvalidArgumentError(f"n_clusters must be one number, or two for method='blocks'; got {n_clusters!r}")
    counts = (check_whole(counts[0], "n_clusters"), check_whole(counts[1], "n_clusters"))
    if counts[0] > matrix.shape[0] or counts[1] > matrix.shape[1]:
        raise InvalidArgumentError(f"n_clusters must be at most {matrix.shape} for this matrix; got {counts}")
    try:
        from sklearn.cluster import SpectralBiclustering, SpectralCoclustering
    except ImportError:
        raise MissingDependencyError("class_biclusters needs scikit-learn: pip install 'deepmotif[sklearn]'") from None
    # Both methods are for counts: similarities are moved above zero.
    positive = matrix - matrix.min() + 1e-3 * max(float(np.ptp(matrix)), 1.0)
    if method == "diagonal":
        model = SpectralCoclustering(counts[0], random_state=random_state)
    else:
        # With fewer vectors than clusters there is nothing to choose from.
        best = min(3, *counts)
        model = SpectralBiclustering(counts, method="bistochastic", n_best=best, random_state=random_state)
    model.fit(positive)
    rows, columns = _in_order(model.row_labels_), _in_order(model.column_labels_)
    return Biclusters(rows, columns, np.argsort(rows, kind="stable"), np.argsort(columns, kind="stable"))


def _in_order(labels: NDArray[Any]) -> Labels:
    """Cluster numbers from 0 in the order of their first members."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse.reshape(-1)])


def _square(similarity: ArrayLike) -> Values:
    matrix = np.asarray(similarity, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ShapeError(f"similarity must be a square matrix (C, C); got shape {matrix.shape}")
    return matrix


def _classes(given: Sequence[int], name: str, count: int) -> Labels:
    indices = np.asarray(list(given))
    if (
        indices.ndim != 1
        or not len(indices)
        or indices.dtype.kind not in "iu"
        or not ((indices >= 0) & (indices < count)).all()
    ):
        raise InvalidArgumentError(f"{name} must be a list of class indices from 0 to {count - 1}; got {given!r:.100}")
    return indices.astype(np.intp)
