"""Heat strips along a sequence: saliency maps and temporal output scores, one cell per base.

Room: plots. Takes arrays (L,) or (M, L) and result objects; cell i is centred on x = start + i, as in the logos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import Normalize

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots._glyphs import write_bases
from deepmotif.plots._style import (
    DIVERGING_MAP,
    PLAIN,
    SALIENCY_MAP,
    as_codes,
    as_labels,
    as_rows,
    bare,
    clean_text,
    label_positions,
    letter_colors,
    new_axes,
)


def plot_saliency(
    values: Any,
    sequence: Any = None,
    ax: Any = None,
    *,
    labels: Sequence[str] | None = None,
    normalize: bool = False,
    cmap: Any = None,
    vmax: float | None = None,
    colorbar: bool = True,
    colors: Any = "default",
    start: int = 0,
    title: str | None = None,
) -> Any:
    """Draw saliency as one strip per row, with the bases under them.

    Parameters
    ----------
    values : array (L,) or (M, L)
        One value per position; M rows for M models or sequences. Rows with a negative value anywhere are drawn on a
        blue - white - red scale centred on 0, otherwise on a scale from white at 0.
    sequence : str or codes (L,), optional
        Written under the strips, each base below its cell.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    labels : list of str, optional
        Names of the rows, such as the models'.
    normalize : bool
        Divide every row by its largest magnitude, to compare models whose scores have different scales.
    cmap : colour map, optional
    vmax : float, optional
        Value at the end of the scale; by default the largest magnitude.
    colorbar : bool
        Show the scale to the right of the axes, whose own place is not changed.
    colors : str or mapping
        Colours of the bases, as in `plot_logo`.
    start : int
        Coordinate and label of the first position.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        For another shape, or a sequence or labels of another length.
    InvalidArgumentError
        For NaN, infinity or a vmax that is not positive.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = plot_saliency([[0.1, 0.9, 0.2], [0.0, 0.4, 0.1]], "GAT", labels=["CNN", "RNN"])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['CNN', 'RNN']
    """
    rows = as_rows(values, "values")
    names = as_labels(labels, len(rows))
    codes = None if sequence is None else as_codes(sequence, rows.shape[1])
    palette = letter_colors(colors)
    scale, default_map = saliency_scale(rows, normalize, vmax)
    ax = new_axes(ax, strip_size(len(rows), rows.shape[1], codes is not None))
    shown = relative(rows) if normalize else rows
    mesh = draw_strips(ax, shown, scale, default_map if cmap is None else cmap, start)
    _dress(ax, rows.shape, names, codes, palette, start, title)
    if colorbar:
        add_colorbar(ax, mesh, "saliency / largest of row" if normalize else "saliency")
    return ax


def plot_temporal(
    result: Any,
    sequence: Any = None,
    ax: Any = None,
    *,
    labels: Sequence[str] | None = None,
    cmap: Any = None,
    colorbar: bool = True,
    colors: Any = "default",
    start: int = 0,
    title: str | None = None,
) -> Any:
    """Draw forward and backward temporal output scores on a fixed scale: blue 0, white 0.5, red 1.

    Parameters
    ----------
    result : TemporalScores or (forward, backward)
        An object with `.forward` and `.backward`, or the two arrays, each (L,) or (M, L) probabilities.
    sequence : str or codes (L,), optional
        Written under the strips, each base below its cell.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    labels : list of str, optional
        Names of the M rows, such as the models'; "forward" and "backward" are added.
    cmap, colorbar, colors, start, title
        As in `plot_saliency`; the scale's ends stay 0 and 1.

    Returns
    -------
    matplotlib Axes
        With two rows for each row of the result, forward above backward.

    Raises
    ------
    ShapeError
        If the two arrays differ in shape, or a sequence or labels in length.
    InvalidArgumentError
        For values outside 0..1.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = plot_temporal(([0.2, 0.6, 0.9], [0.9, 0.5, 0.4]), "GAT")
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['forward →', '← backward']
    """
    forward, backward = temporal_pair(result)
    rows = np.stack([forward, backward], axis=1).reshape(-1, forward.shape[1])
    names = as_labels(labels, len(forward))
    if names is None and len(forward) > 1:
        names = [str(i) for i in range(len(forward))]
    directions = ("forward →", "← backward")
    prefixes = [""] if names is None else [f"{name}  " for name in names]
    codes = None if sequence is None else as_codes(sequence, rows.shape[1])
    palette = letter_colors(colors)
    ax = new_axes(ax, strip_size(len(rows), rows.shape[1], codes is not None))
    mesh = draw_strips(ax, rows, Normalize(0.0, 1.0), DIVERGING_MAP if cmap is None else cmap, start)
    ticks = [prefix + direction for prefix in prefixes for direction in directions]
    _dress(ax, rows.shape, ticks, codes, palette, start, title)
    if colorbar:
        add_colorbar(ax, mesh, "P(positive)", ticks=[0.0, 0.5, 1.0])
    return ax


def temporal_pair(result: Any) -> tuple[np.ndarray, np.ndarray]:
    """Forward and backward scores (M, L) of a result object or a pair of arrays, checked to be probabilities."""
    if hasattr(result, "forward") and hasattr(result, "backward"):
        pair = [result.forward, result.backward]
    else:
        try:
            pair = list(result)
        except TypeError:
            pair = []
        if len(pair) != 2:
            raise ShapeError("result must have .forward and .backward, or be the pair (forward, backward)")
    forward, backward = as_rows(pair[0], "forward"), as_rows(pair[1], "backward")
    if forward.shape != backward.shape:
        raise ShapeError(f"forward and backward must have one shape; got {forward.shape} and {backward.shape}")
    for name, rows in (("forward", forward), ("backward", backward)):
        if rows.min() < 0 or rows.max() > 1:
            raise InvalidArgumentError(f"{name} must hold probabilities 0..1; got {rows.min():g} to {rows.max():g}")
    return forward, backward


def relative(rows: np.ndarray) -> np.ndarray:
    """Rows (M, L) divided by their largest magnitude; a row of zeros stays zero."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)


def saliency_scale(rows: np.ndarray, normalize: bool, vmax: float | None = None) -> tuple[Normalize, Any]:
    """The one colour scale of all saliency rows, and the colour map that suits it."""
    if vmax is not None and not (np.isfinite(vmax) and vmax > 0):
        raise InvalidArgumentError(f"vmax must be a positive number; got {vmax!r}")
    top = vmax if vmax is not None else 1.0 if normalize else float(np.abs(rows).max()) or 1.0
    if rows.min() < 0:
        return Normalize(-top, top), DIVERGING_MAP
    return Normalize(0.0, top), SALIENCY_MAP


def draw_strips(ax: Any, rows: np.ndarray, scale: Normalize, cmap: Any, start: int = 0) -> Any:
    """Draw rows (M, L) as cells: row m fills y = m .. m + 1, downwards; returns the mesh."""
    count, length = rows.shape
    # Vector cells, not an image: edges fall exactly on the bases in PDF and SVG too.
    mesh = ax.pcolormesh(
        start - 0.5 + np.arange(length + 1), np.arange(count + 1), rows, norm=scale, cmap=cmap, shading="flat"
    )
    # Painting the hairlines between cells in the cells' own colour hides the seams some viewers show.
    mesh.set(edgecolor="face", linewidth=0.4)
    for m in range(1, count):
        ax.axhline(m, color="white", linewidth=2.0)
    ax.set_ylim(count, 0)
    return mesh


def strip_size(count: int, length: int, with_bases: bool) -> tuple[float, float]:
    """Inches of a new figure for `count` strips of `length` cells."""
    width = float(np.clip(length * 0.14, 5.0, 28.0)) + 2.2
    return width, 0.95 + 0.3 * (count + with_bases)


def add_colorbar(ax: Any, mesh: Any, label: str, ticks: Sequence[float] | None = None) -> Any:
    """A colour bar right of `ax`, in an inset so that the axes keep their place and stay aligned with others."""
    # The gap and the width are in inches, whatever the width of the axes.
    inches = max(ax.get_window_extent().width / ax.figure.dpi, 0.5)
    inset = ax.inset_axes((1.0 + 0.12 / inches, 0.0, 0.13 / inches, 1.0))
    bar = ax.figure.colorbar(mesh, cax=inset, ticks=ticks)
    bar.set_label(clean_text(label), fontsize="small", **PLAIN)
    bar.ax.tick_params(labelsize="small")
    bar.outline.set_linewidth(0.5)
    return bar


def _dress(
    ax: Any,
    shape: tuple[int, int],
    names: list[str] | None,
    codes: np.ndarray | None,
    palette: dict[str, Any],
    start: int,
    title: str | None,
) -> None:
    count, length = shape
    bare(ax)
    if codes is not None:
        write_bases(ax, codes, count + 0.55, 0.9, start, palette)
        ax.set_ylim(count + 1.05, 0)
    label_positions(ax, length, start)
    ax.set_yticks([] if names is None else np.arange(count) + 0.5)
    if names is not None:
        ax.set_yticklabels(names, **PLAIN)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("position")
    if title:
        ax.set_title(clean_text(title), **PLAIN)
