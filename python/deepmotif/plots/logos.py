"""Sequence logos: information content, probabilities and signed weights as stacked letters.

Room: plots. Takes arrays (L, 4) and motifs. One path collection per letter keeps 101 columns well under 50 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from deepmotif._alphabet import LETTERS, UNKNOWN
from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots._glyphs import stretched
from deepmotif.plots._style import (
    PLAIN,
    as_codes,
    as_floats,
    as_matrix,
    bare,
    clean_text,
    label_positions,
    letter_colors,
    motif_title,
    new_axes,
)

KINDS = ("information", "weight", "probability")
#: Share of a column that a letter fills; the rest keeps neighbours apart.
FILL = 0.94
#: Added to each letter of a motif whose log odds are drawn, so that a letter never seen has a finite weight.
LOG_ODDS_PSEUDOCOUNT = 0.0025


def plot_logo(
    matrix: Any,
    ax: Any = None,
    kind: str = "information",
    *,
    colors: str | Mapping[str, Any] = "default",
    flip_below: bool = True,
    shade_below: float = 0.0,
    fade_below: float = 0.0,
    start: int = 0,
    ylim: tuple[float, float] | None = None,
    title: str | None = None,
) -> Any:
    """Draw a sequence logo.

    Parameters
    ----------
    matrix : array (L, 4), Motif or ClassOptimization
        Probabilities or counts (kinds "information", "probability") or signed weights (kind "weight"), letters in
        the order A, C, G, T. Rows need not sum to 1; an all-zero row is an empty column. Of a motif the
        probabilities and the information content are drawn; its weights are the log2 odds against 0.25. Of a class
        optimisation the best restart is drawn.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    kind : {"information", "weight", "probability"}
        Height of a letter: its probability times the bits of its position (Schneider and Stephens 1990), the
        weight itself with negative ones below the axis, or its probability.
    colors : str or mapping
        "default" (safe for the colour-blind), "classic", or a mapping letter -> colour.
    flip_below : bool
        Draw negative letters upside down.
    shade_below, fade_below : float in 0..1
        Darken negative letters towards black, or make them transparent.
    start : int
        Coordinate and label of the first position; 0 as in all tables, 1 for counting from one.
    ylim : (float, float), optional
        Limits of the y axis; by default 0..2 bits, 0..1, or the range of the stacks.
    title : str, optional
        By default the motif's name; "" for none. Never parsed as mathematics.

    Returns
    -------
    matplotlib Axes
        With one path collection per letter that occurs. Position i is centred on x = start + i.

    Raises
    ------
    ShapeError
        If the matrix is not (L, 4).
    InvalidArgumentError
        For NaN, infinity, negative probabilities, or an unknown kind or colour.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = plot_logo([[8, 0, 1, 1], [0, 10, 0, 0], [5, 0, 5, 0]])
    >>> [float(limit) for limit in ax.get_ylim()]
    [0.0, 2.0]
    """
    if kind not in KINDS:
        raise InvalidArgumentError(f"kind must be one of {', '.join(map(repr, KINDS))}; got {kind!r}")
    _check_share("shade_below", shade_below)
    _check_share("fade_below", fade_below)
    palette = letter_colors(colors)
    matrix = best_matrix(matrix)
    heights = logo_heights(matrix, kind)
    ax = new_axes(ax, logo_size(len(heights)))
    below = _below_color(shade_below, fade_below)
    draw_letters(ax, heights, palette, start=start, flip_below=flip_below, below=below)
    _dress(ax, heights, kind, start, ylim)
    words = motif_title(matrix) if title is None else clean_text(title)
    if words:
        ax.set_title(words, **PLAIN)
    return ax


def plot_attribution(
    values: Any,
    sequence: Any = None,
    ax: Any = None,
    *,
    colors: str | Mapping[str, Any] = "default",
    flip_below: bool = True,
    shade_below: float = 0.0,
    fade_below: float = 0.0,
    start: int = 0,
    ylim: tuple[float, float] | None = None,
    title: str | None = None,
) -> Any:
    """Draw the attributions of one sequence as a signed logo of the letters that it has.

    Parameters
    ----------
    values : array (L, 4) or (L,), or Attributions of one sequence
        With (L, 4) and a sequence, the value of the present letter is taken; with (L, 4) alone, every non-zero
        letter is drawn; (L,) needs the sequence. A leading axis of length 1 is dropped.
    sequence : str or codes (L,), optional
        The sequence explained; unknown bases get no letter.
    ax, colors, flip_below, shade_below, fade_below, start, ylim, title
        As in `plot_logo`.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        For another shape, more than one sequence, or a sequence of another length.
    InvalidArgumentError
        For (L,) without a sequence, NaN or infinity.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = plot_attribution([0.5, -0.2, 1.0], "GAT")
    >>> [c.get_label() for c in ax.collections]
    ['A', 'G', 'T']
    """
    weights = attribution_weights(values, sequence)
    ax = plot_logo(
        weights,
        ax,
        "weight",
        colors=colors,
        flip_below=flip_below,
        shade_below=shade_below,
        fade_below=fade_below,
        start=start,
        ylim=ylim,
        title=title,
    )
    ax.set_ylabel("attribution")
    return ax


def best_matrix(result: Any) -> Any:
    """The probabilities (L, 4) of the best restart of a class optimisation; anything else as it is."""
    return np.asarray(result.pwm)[int(result.best)] if hasattr(result, "pwm") and hasattr(result, "best") else result


def logo_heights(matrix: Any, kind: str) -> np.ndarray:
    """Signed letter heights (L, 4) of a matrix or motif for one kind of logo.

    Examples
    --------
    >>> logo_heights([[1, 0, 0, 0], [1, 1, 0, 0]], "information")
    array([[2. , 0. , 0. , 0. ],
           [0.5, 0.5, 0. , 0. ]])
    """
    is_motif = hasattr(matrix, "probabilities") and hasattr(matrix, "information_content")
    values = as_matrix(matrix.probabilities if is_motif else matrix, "matrix")
    if kind == "weight" and not is_motif:
        return values
    if (values < 0).any():
        i, j = (int(k) for k in np.argwhere(values < 0)[0])
        raise InvalidArgumentError(
            f"matrix must hold probabilities or counts for kind={kind!r}; got {values[i, j]} at index ({i}, {j}); "
            "signed values need kind='weight'"
        )
    totals = values.sum(axis=1, keepdims=True)
    p = np.divide(values, totals, out=np.zeros_like(values), where=totals > 0)
    if kind == "weight":
        return np.log2((p + LOG_ODDS_PSEUDOCOUNT) / (1.0 + 4 * LOG_ODDS_PSEUDOCOUNT) / 0.25)
    if kind == "probability":
        return p
    if is_motif:
        bits = as_floats(matrix.information_content, "matrix.information_content")
        if bits.shape != (len(p),):
            raise ShapeError(f"matrix.information_content must be ({len(p)},); got shape {bits.shape}")
    else:
        bits = 2.0 + np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=1)
    # A uniform column may come out a rounding error below zero.
    return p * np.maximum(bits, 0.0)[:, None]


def attribution_weights(values: Any, sequence: Any = None) -> np.ndarray:
    """The (L, 4) weights that `plot_attribution` draws: zero for letters that the sequence does not have."""
    if hasattr(values, "projected") and hasattr(values, "values"):
        values = values.values
    array = as_floats(values, "values")
    if array.ndim > 1 and len(array) == 1 and array.shape != (1, 4):
        array = array[0]
    if array.ndim == 1 and sequence is None:
        raise InvalidArgumentError("values of shape (L,) need the sequence, to know the letters; got sequence=None")
    if not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 4)) or not len(array):
        raise ShapeError(f"values must be (L, 4) or (L,) for one sequence; got shape {array.shape}")
    if sequence is None:
        return array
    codes = as_codes(sequence, len(array))
    present = np.flatnonzero(codes != UNKNOWN)
    weights = np.zeros((len(array), 4))
    chosen = array[present] if array.ndim == 1 else array[present, codes[present]]
    weights[present, codes[present]] = chosen
    return weights


def draw_letters(
    ax: Any,
    heights: np.ndarray,
    palette: Mapping[str, Any],
    *,
    start: float = 0,
    flip_below: bool = True,
    below: Any = None,
) -> list[PathCollection]:
    """Stack letters of signed heights (L, 4) in `ax`, the largest farthest from zero; limits are left alone.

    `below` maps a letter's RGBA to that of its negative copies. Returns one collection per letter that occurs.
    """
    floors = stack_floors(heights)
    collections = []
    for j, letter in enumerate(LETTERS):
        paths, faces = [], []
        for negative in (False, True):
            where = np.flatnonzero(heights[:, j] < 0 if negative else heights[:, j] > 0)
            x = start + where - FILL / 2
            size = np.abs(heights[where, j])
            paths += stretched(letter, x, floors[where, j], FILL, size, flip=negative and flip_below)
            color = palette[letter]
            faces += [below(color) if negative and below is not None else color] * len(where)
        if paths:
            collection = PathCollection(paths, facecolors=faces, linewidths=0, label=letter)
            ax.add_collection(collection, autolim=False)
            collections.append(collection)
    return collections


def stack_floors(heights: np.ndarray) -> np.ndarray:
    """Lower edge of every letter's cell (L, 4): large letters lie outermost on either side of zero.

    Examples
    --------
    >>> stack_floors(np.array([[1.0, 0.5, -2.0, -0.25]]))
    array([[ 0.5 ,  0.  , -2.25, -0.25]])
    """
    # From the bottom: the most negative first, the most positive last, starting at the sum of the negatives.
    order = np.argsort(heights, axis=1, kind="stable")
    ranked = np.abs(np.take_along_axis(heights, order, axis=1))
    base = np.minimum(heights, 0.0).sum(axis=1, keepdims=True)
    edges = base + np.cumsum(ranked, axis=1) - ranked
    floors = np.empty_like(heights)
    np.put_along_axis(floors, order, edges, axis=1)
    return floors


def logo_size(length: int) -> tuple[float, float]:
    """Inches of a new figure for a logo of `length` columns: columns wide enough for letters in proportion."""
    column = float(np.clip(13.0 / length, 0.17, 0.36))
    return min(max(length * column + 1.0, 2.6), 60.0), 1.9


def weight_limits(heights: np.ndarray) -> tuple[float, float]:
    """Limits that hold every stack of signed heights, with a little room on each side that is used."""
    low = float(np.minimum(heights, 0.0).sum(axis=1).min())
    high = float(np.maximum(heights, 0.0).sum(axis=1).max())
    if low == high:
        return -1.0, 1.0
    room = 0.04 * (high - low)
    return (low - room if low < 0 else 0.0), (high + room if high > 0 else 0.0)


def _below_color(shade: float, fade: float) -> Any:
    def change(color: Any) -> tuple[float, float, float, float]:
        r, g, b, a = to_rgba(color)
        return r * (1 - shade), g * (1 - shade), b * (1 - shade), a * (1 - fade)

    return change


def _check_share(name: str, value: float) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InvalidArgumentError(f"{name} must be between 0 and 1; got {value!r}")


def _dress(ax: Any, heights: np.ndarray, kind: str, start: int, ylim: tuple[float, float] | None) -> None:
    label_positions(ax, len(heights), start)
    bare(ax, keep=("left",) if kind == "weight" else ("left", "bottom"))
    if kind == "weight":
        ax.axhline(0.0, color="black", linewidth=0.8, zorder=0)
        limits = weight_limits(heights)
    else:
        top = 2.0 if kind == "information" else 1.0
        # A motif's own bits may exceed 2 where its background is skewed.
        limits = 0.0, max(top, float(heights.sum(axis=1).max()))
        ax.set_yticks([0.0, top / 2, top])
    ax.set_ylim(*(limits if ylim is None else ylim))
    ax.set_ylabel({"information": "bits", "weight": "weight", "probability": "probability"}[kind])
    ax.set_xlabel("position")
