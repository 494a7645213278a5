"""Classes compared: heat maps of similarity, clusters, bi-clusters and counts. Room: plots.

Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262, figures 4b, 7, 8 and 9. Functions take matrices.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots._style import DIVERGING_MAP, PLAIN, as_labels, bare, clean_text, new_axes
from deepmotif.plots.resolve import NEGATIVE, POSITIVE

#: Up to so many rows and columns the values are written into a heat map, and up to so many the names beside it.
MOST_VALUES, MOST_NAMES = 12, 60
#: Colour where a similarity is not defined.
UNDEFINED = "#BDBDBD"


def plot_class_similarity(
    similarity: Any,
    ax: Any = None,
    *,
    labels: Sequence[object] | None = None,
    order: Any = None,
    clusters: Any = None,
    title: str | None = None,
    colorbar: bool = True,
) -> Any:
    """Draw a matrix of class similarity from -1, blue, to 1, red (figures 4b and 7).

    Parameters
    ----------
    similarity : (C, C)
        As from `class_similarity`; NaN is grey.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    labels : list of str, optional
        Names of the classes; by default their numbers.
    order : list of int, optional
        Classes in the order to show, such as ``class_clusters(similarity).order``.
    clusters : list of int, optional
        Cluster of each class; neighbours of one cluster are framed.
    title : str, optional
    colorbar : bool

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If the matrix is not square, or labels, order or clusters do not have one entry for each class.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> ax = dm.plot_class_similarity([[1, 0.5], [0.5, 1]], labels=["CTCF", "RAD21"])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['CTCF', 'RAD21']
    """
    matrix = _matrix(similarity, "similarity")
    count = len(matrix)
    if matrix.shape[1] != count:
        raise ShapeError(f"similarity must be square (C, C); got shape {matrix.shape}")
    names = as_labels(labels, count) or [str(i) for i in range(count)]
    shown = _order(order, count, "order")
    side = min(2.2 + (0.42 if count <= MOST_VALUES else 0.2) * count, 11.0)
    ax = new_axes(ax, (side + 1.0, side))
    _heat(ax, matrix[np.ix_(shown, shown)], [names[i] for i in shown], [names[i] for i in shown], colorbar)
    if clusters is not None:
        groups = np.asarray(list(clusters))
        if groups.shape != (count,):
            raise ShapeError(f"clusters must have one entry for each of {count} classes; got {groups.shape}")
        for first, last in _runs(groups[shown]):
            if last - first > 1:
                ax.add_patch(
                    Rectangle((first - 0.5, first - 0.5), last - first, last - first, fill=False, linewidth=1.4)
                )
    if title:
        ax.set_title(clean_text(title), **PLAIN)
    return ax


def plot_similarity_comparison(matrices: Mapping[str, Any], *, labels: Sequence[object] | None = None) -> Any:
    """Draw several matrices of the same classes side by side (figure 4b).

    Parameters
    ----------
    matrices : dict of str to (C, C)
        Title and matrix of each panel.
    labels : list of str, optional
        Names of the classes.

    Returns
    -------
    array of matplotlib Axes

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> len(dm.plot_similarity_comparison({"OFIV": [[1, 0], [0, 1]], "labels": [[1, -1], [-1, 1]]}))
    2
    """
    import matplotlib.pyplot as plt

    if not isinstance(matrices, Mapping) or not matrices:
        raise InvalidArgumentError("matrices must be a dict with at least one title and matrix")
    count = len(_matrix(next(iter(matrices.values())), "matrices"))
    columns = len(matrices) if len(matrices) < 4 else (len(matrices) + 1) // 2
    rows = -(-len(matrices) // columns)
    side = min(1.6 + (0.5 if count <= MOST_VALUES else 0.12) * count, 6.0)
    figure, axes = plt.subplots(
        rows, columns, figsize=(side * columns + 1, side * rows + 0.4), squeeze=False, layout="constrained"
    )
    for ax, (name, matrix) in zip(axes.flat, matrices.items(), strict=False):
        plot_class_similarity(matrix, ax, labels=labels, title=name, colorbar=False)
    for ax in axes.flat[len(matrices) :]:
        ax.set_axis_off()
    figure.colorbar(axes.flat[0].images[0], ax=axes, label="similarity", shrink=0.7)
    return axes.ravel()[: len(matrices)]


def plot_class_biclusters(
    similarity: Any,
    biclusters: Any,
    ax: Any = None,
    *,
    row_labels: Sequence[object] | None = None,
    column_labels: Sequence[object] | None = None,
    title: str | None = None,
) -> Any:
    """Draw similarities of two kinds of classes with the members of each cluster side by side (figure 8a).

    Parameters
    ----------
    similarity : (R, C)
    biclusters : Biclusters
        Of `class_biclusters`.
    ax : matplotlib Axes, optional
    row_labels, column_labels : list of str, optional
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import matplotlib, numpy as np
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> blocks = np.kron(np.array([[0.9, -0.5], [-0.5, 0.9]]), np.ones((3, 2)))
    >>> dm.plot_class_biclusters(blocks, dm.class_biclusters(blocks, 2)).images[0].get_array().shape
    (6, 4)
    """
    matrix = _matrix(similarity, "similarity")
    rows, columns = (
        _order(entry, size, "biclusters")
        for entry, size in zip((biclusters.row_order, biclusters.column_order), matrix.shape, strict=True)
    )
    names = as_labels(row_labels, matrix.shape[0]) or [str(i) for i in range(matrix.shape[0])]
    others = as_labels(column_labels, matrix.shape[1]) or [str(i) for i in range(matrix.shape[1])]
    ax = new_axes(ax, (min(2.5 + 0.2 * matrix.shape[1], 11), min(1.5 + 0.2 * matrix.shape[0], 9)))
    _heat(ax, matrix[np.ix_(rows, columns)], [names[i] for i in rows], [others[i] for i in columns], True)
    for first, _ in _runs(np.asarray(biclusters.row_labels)[rows])[1:]:
        ax.axhline(first - 0.5, color="black", linewidth=1.2)
    for first, _ in _runs(np.asarray(biclusters.column_labels)[columns])[1:]:
        ax.axvline(first - 0.5, color="black", linewidth=1.2)
    if title:
        ax.set_title(clean_text(title), **PLAIN)
    return ax


def plot_association_counts(
    positive: Any, negative: Any, ax: Any = None, *, labels: Sequence[object] | None = None, title: str | None = None
) -> Any:
    """Draw how many classes each class is strongly like, red, and strongly unlike, blue (figure 8b).

    Parameters
    ----------
    positive, negative : (C,)
        Of `association_counts`; classes are sorted by their difference.
    ax : matplotlib Axes, optional
    labels : list of str, optional
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> ax = dm.plot_association_counts([0, 5], [3, 1], labels=["EZH2", "CTCF"])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['CTCF', 'EZH2']
    """
    above, below = np.asarray(positive), np.asarray(negative)
    if above.ndim != 1 or above.shape != below.shape or not len(above):
        raise ShapeError(f"positive and negative must be counts (C,) each; got {above.shape} and {below.shape}")
    names = as_labels(labels, len(above)) or [str(i) for i in range(len(above))]
    order = np.argsort(below - above, kind="stable")
    ax = new_axes(ax, (min(3.5 + 0.22 * len(above), 13), 3.2))
    places = np.arange(len(above))
    ax.bar(places, above[order], color=POSITIVE, width=0.8, label="strongly similar")
    ax.bar(places, -below[order], color=NEGATIVE, width=0.8, label="strongly dissimilar")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xlim(-0.7, len(above) - 0.3)
    ax.set_ylabel("classes")
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    if len(above) <= MOST_NAMES:
        ax.set_xticks(places, [names[i] for i in order], **PLAIN)
        ax.tick_params(axis="x", labelrotation=90, labelsize=8, length=0)
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(above)} classes")
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    bare(ax, ("left",))
    if title:
        ax.set_title(clean_text(title), **PLAIN)
    return ax


def plot_class_clusters(
    similarity: Any,
    clusters: Any,
    *,
    compared: Any = None,
    labels: Sequence[object] | None = None,
    names: tuple[str, str] = ("DeepResolve", "labels"),
    most: int = 6,
) -> Any:
    """Draw the largest clusters of classes, each beside another matrix of the same classes (figure 9).

    Parameters
    ----------
    similarity : (C, C)
    clusters : ClassClusters
        Of `class_clusters`.
    compared : (C, C), optional
        Such as `label_correlation`.
    labels : list of str, optional
    names : (str, str)
        Titles of the two matrices.
    most : int
        Clusters to show, of two members and more.

    Returns
    -------
    array (clusters, 1 or 2) of matplotlib Axes

    Raises
    ------
    InvalidArgumentError
        If no cluster has two members.

    Examples
    --------
    >>> import matplotlib, numpy as np
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> similarity = np.array([[1, 0.9, 0], [0.9, 1, 0.1], [0, 0.1, 1]])
    >>> dm.plot_class_clusters(similarity, dm.class_clusters(similarity), compared=np.eye(3)).shape
    (1, 2)
    """
    import matplotlib.pyplot as plt

    matrices = [_matrix(matrix, "similarity") for matrix in (similarity, compared) if matrix is not None]
    order, groups = np.asarray(clusters.order), np.asarray(clusters.labels)
    if any(matrix.shape != (len(groups), len(groups)) for matrix in matrices):
        raise ShapeError(f"similarity and compared must be of the clusters' {len(groups)} classes")
    texts = as_labels(labels, len(groups)) or [str(i) for i in range(len(groups))]
    sizes = np.bincount(groups)
    shown = [int(group) for group in np.argsort(-sizes, kind="stable")[:most] if sizes[group] > 1]
    if not shown:
        raise InvalidArgumentError("clusters must have at least one of two members or more to draw")
    heights = [min(0.9 + 0.3 * sizes[group], 5.0) for group in shown]
    figure, axes = plt.subplots(
        len(shown), len(matrices), figsize=(4.2 * len(matrices) + 1, sum(heights) + 0.6), height_ratios=heights,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for row, group in enumerate(shown):
        members = [i for i in order if groups[i] == group]
        for column, matrix in enumerate(matrices):
            part = [texts[i] for i in members]
            plot_class_similarity(matrix[np.ix_(members, members)], axes[row, column], labels=part, colorbar=False)
            if row == 0:
                axes[row, column].set_title(clean_text(names[column]), **PLAIN)
            if column:
                axes[row, column].set_yticks([])
    figure.colorbar(axes[0, 0].images[0], ax=axes, label="similarity", shrink=0.6)
    return axes


def _matrix(values: Any, name: str) -> np.ndarray:
    matrix = np.asarray(values)
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind not in "biuf":
        raise ShapeError(f"{name} must be a matrix of numbers; got shape {matrix.shape}")
    return matrix.astype(np.float64)


def _order(order: Any, count: int, name: str) -> np.ndarray:
    shown = np.arange(count) if order is None else np.asarray(list(order))
    if not np.array_equal(np.sort(shown), np.arange(count)):
        raise ShapeError(f"{name} must hold each of 0 ... {count - 1} once; got {order!r:.100}")
    return shown


def _runs(groups: np.ndarray) -> list[tuple[int, int]]:
    """First and last (excluded) place of each run of equal values."""
    cuts = [0, *(1 + np.flatnonzero(np.diff(groups))).tolist(), len(groups)]
    return list(itertools.pairwise(cuts))


def _heat(ax: Any, matrix: np.ndarray, rows: list[str], columns: list[str], colorbar: bool) -> None:
    colors = DIVERGING_MAP.with_extremes(bad=UNDEFINED)
    image = ax.imshow(
        np.ma.masked_invalid(matrix), cmap=colors, vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label="similarity")
    for axis, names in ((ax.xaxis, columns), (ax.yaxis, rows)):
        if len(names) <= MOST_NAMES:
            axis.set_ticks(range(len(names)), names, **PLAIN)
        else:
            axis.set_ticks([])
    if any(len(name) > 3 for name in columns):
        ax.tick_params(axis="x", labelrotation=90)
    ax.tick_params(length=0, labelsize=8)
    bare(ax)
    if max(matrix.shape) <= MOST_VALUES:
        for (i, j), value in np.ndenumerate(matrix):
            if np.isfinite(value):
                color = "white" if abs(value) > 0.6 else "black"
                ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
