"""DeepResolve's figures: circles of channel importance, maps of one class, and what made them. Room: plots.

Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262, figures 1, 2 and 4a. Functions take results of `deepresolve`, or
anything with the same attributes, and motifs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots._style import DIVERGING_MAP, PLAIN, as_floats, as_labels, bare, clean_text, new_axes
from deepmotif.plots.logos import plot_logo

POSITIVE, NEGATIVE, LEVEL, STAR = "#B2182B", "#2166AC", "#3A3A3A", "#E69B04"
#: Most channels that a figure shows unless they are named.
MOST_CHANNELS = 48
#: Inches of one column and of one row of circles.
COLUMN, ROW = 0.26, 0.26
#: Width of a logo in columns, and the gap before it.
LOGO, GAP = 7.0, 1.2


def plot_ofiv(
    result: Any,
    ax: Any = None,
    *,
    motifs: Sequence[Any] | None = None,
    channels: Sequence[int] | None = None,
    order: str = "ranking",
    labels: Sequence[object] | None = None,
    title: str | None = None,
) -> Any:
    """Draw what channels mean to a class, or to several, as circles: red for wanted, blue for refused.

    Parameters
    ----------
    result : DeepResolve, or a list of them
        Of one class: its importance vectors, one row a restart; the inconsistency levels, darker and larger where a
        channel varies; the overall importance; a star on channels that are non-additive (figure 2). Of several classes
        of one layer: their overall importance, one row a class (figure 4a).
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    motifs : list of Motif, optional
        One for each channel of the layer. With them channels are rows and their logos stand beside them.
    channels : list of int, optional
        Which to show, in this order; by default all, at most 48: those of largest magnitude.
    order : {"ranking", "channel"}
        Largest OFIV first (of several classes: largest in any), or by number.
    labels : list of str, optional
        Names of the channels; by default their numbers, or the motifs' names.
    title : str, optional
        By default the class; "" for none.

    Returns
    -------
    matplotlib Axes
        The area of a circle is its magnitude relative to the largest of its kind.

    Raises
    ------
    InvalidArgumentError
        For another object than a result, an unknown order, or a channel that the layer has not.
    ShapeError
        If there is not one motif or label for each channel, or the results are of several layers.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> ax = dm.plot_ofiv(dm.deepresolve(model, restarts=3))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['1', '2', '3', 'IL', 'OFIV']
    """
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    ofiv = _ofivs(results)
    chosen = _chosen(ofiv, channels, order)
    names = _channel_names(chosen, ofiv.shape[1], motifs, labels)
    is_single = not isinstance(result, (list, tuple))
    rows = _single_rows(results[0], chosen) if is_single else _class_rows(results, ofiv, chosen)
    across = motifs is None
    if ax is None:
        ax = new_axes(None, _size(len(rows), len(chosen), across))
    for place, (_, values, kind) in enumerate(rows):
        _draw_circles(ax, place, values, kind, across)
    if is_single:
        _draw_stars(ax, len(rows) - 1, np.asarray(results[0].non_additive, dtype=bool)[chosen], across)
    _dress(ax, [name for name, _, _ in rows], names, across)
    if motifs is not None:
        _draw_logos(ax, [motifs[channel] for channel in chosen], len(rows))
    words = _title(results) if title is None else clean_text(title)
    if words:
        ax.set_title(words, **PLAIN)
    return ax


def plot_feature_map(result: Any, ax: Any = None, *, restart: int | None = None, title: str | None = None) -> Any:
    """Draw one optimised feature map: channels by positions, red where the class wants activation, blue where not.

    Parameters
    ----------
    result : DeepResolve
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    restart : int, optional
        By default the one of highest weight.
    title : str, optional
        By default the class and the restart; "" for none.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> ax = dm.plot_feature_map(dm.deepresolve(model, "relu_0", restarts=3))
    >>> ax.images[0].get_array().shape
    (4, 10)
    """
    _ofivs([result])
    maps = as_floats(result.maps, "result.maps")
    chosen = int(np.argmax(result.weights)) if restart is None else restart
    if not 0 <= chosen < len(maps):
        raise InvalidArgumentError(f"restart must be from 0 to {len(maps) - 1}; got {restart!r}")
    picture = maps[chosen].T
    ax = new_axes(ax, (min(2.5 + 0.14 * picture.shape[1], 12), min(1.2 + 0.16 * picture.shape[0], 9)))
    largest = float(np.abs(picture).max()) or 1.0
    image = ax.imshow(picture, cmap=DIVERGING_MAP, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="activation")
    ax.set_ylabel("channel")
    if picture.shape[1] > 1:
        ax.set_xlabel("position")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:  # behind a global pool there are no positions
        ax.set_xticks([])
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    words = f"feature importance map, {_title([result])}, restart {chosen + 1}" if title is None else clean_text(title)
    if words:
        ax.set_title(words, **PLAIN)
    return ax


def plot_deepresolve(result: Any, *, motifs: Sequence[Any] | None = None, title: str | None = None) -> Any:
    """Draw how one class was resolved, from the optimised map to the overall importance (figure 1).

    Parameters
    ----------
    result : DeepResolve
    motifs : list of Motif, optional
        One for each channel.
    title : str, optional
        By default the class and the layer.

    Returns
    -------
    matplotlib Figure
        Panels: the map of the best restart; inconsistency levels with the components of their mixture; the circles of
        `plot_ofiv`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> len(dm.plot_deepresolve(dm.deepresolve(model, "relu_0", restarts=3)).axes)
    4
    """
    import matplotlib.pyplot as plt

    ofiv = _ofivs([result])
    shown = min(ofiv.shape[1], MOST_CHANNELS)
    width, height = _size(len(result.fiv) + 2, shown, motifs is None)
    figure = plt.figure(figsize=(max(width, 9.0), height + 3.4), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[3.2, height])
    upper, lower = parts
    left, right = upper.subplots(1, 2, width_ratios=[1.4, 1])
    plot_feature_map(result, left, title="feature importance map of the best restart")
    _plot_levels(result, right)
    plot_ofiv(result, lower.subplots(), motifs=motifs, title="importance vectors, inconsistency, overall importance")
    figure.suptitle(clean_text(f"{_title([result])}, {result.layer}" if title is None else title), **PLAIN)
    return figure


def _plot_levels(result: Any, ax: Any) -> None:
    """Inconsistency levels in order, with the channels outside of the lowest component marked."""
    levels = as_floats(result.inconsistency, "result.inconsistency")
    order = np.argsort(levels, kind="stable")
    outside = np.asarray(result.non_additive, dtype=bool)[order]
    places = np.arange(len(levels))
    ax.vlines(places, 0, levels[order], color=np.where(outside, STAR, LEVEL), linewidth=1.2)
    ax.scatter(places, levels[order], c=np.where(outside, STAR, LEVEL), s=14, zorder=3)
    count = int(result.n_components)
    ax.set_title(f"inconsistency levels: {count} component{'s' if count > 1 else ''}", **PLAIN)
    ax.set_xlabel("channels in order")
    ax.set_ylabel("IL")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    bare(ax, ("left", "bottom"))
    marks = [
        Line2D([], [], marker="o", linestyle="", color=LEVEL, label="additive"),
        Line2D([], [], marker="o", linestyle="", color=STAR, label="non-additive"),
    ]
    ax.legend(handles=marks, frameon=False, loc="upper left")


# ---- What is drawn ----


def _ofivs(results: Sequence[Any]) -> np.ndarray:
    """The OFIVs (C, K) of results."""
    rows = []
    for entry in results:
        missing = [name for name in ("ofiv", "fiv", "inconsistency", "non_additive") if not hasattr(entry, name)]
        if missing:
            raise InvalidArgumentError(f"result must be of deepresolve, or a list of these; got {type(entry).__name__}")
        rows.append(as_floats(entry.ofiv, "result.ofiv"))
    if not rows or len({row.shape for row in rows}) > 1 or rows[0].ndim != 1:
        raise ShapeError(f"result must have one OFIV (K,) of one layer a class; got {[row.shape for row in rows]}")
    return np.array(rows)


def _chosen(ofiv: np.ndarray, channels: Sequence[int] | None, order: str) -> np.ndarray:
    if order not in ("ranking", "channel"):
        raise InvalidArgumentError(f"order must be 'ranking' or 'channel'; got {order!r}")
    count = ofiv.shape[1]
    if channels is not None:
        chosen = np.asarray(list(channels))
        if not chosen.size or chosen.dtype.kind not in "iu" or ((chosen < 0) | (chosen >= count)).any():
            raise InvalidArgumentError(f"channels must be indices from 0 to {count - 1}; got {channels!r:.100}")
        return chosen
    magnitude = np.abs(ofiv).max(axis=0)
    kept = np.sort(np.argsort(-magnitude, kind="stable")[:MOST_CHANNELS])
    return kept if order == "channel" else kept[np.argsort(-ofiv[:, kept].max(axis=0), kind="stable")]


def _channel_names(
    chosen: np.ndarray, count: int, motifs: Sequence[Any] | None, labels: Sequence[object] | None
) -> list[str]:
    if motifs is not None and len(motifs) != count:
        raise ShapeError(f"motifs must be one for each of the {count} channels; got {len(motifs)}")
    names = as_labels(labels, count)
    return [str(channel) if names is None else names[channel] for channel in chosen.tolist()]


def _single_rows(result: Any, chosen: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    """Name, values and kind of each row of circles: "sign" or "level"."""
    fiv = as_floats(result.fiv, "result.fiv")
    scale = float(np.abs(fiv).max()) or 1.0
    rows = [(str(number), row[chosen] / scale, "sign") for number, row in enumerate(fiv, start=1)]
    for name, values, kind in (("IL", result.inconsistency, "level"), ("OFIV", result.ofiv, "sign")):
        array = as_floats(values, name)
        rows.append((name, array[chosen] / (float(np.abs(array).max()) or 1.0), kind))
    return rows


def _class_rows(results: Sequence[Any], ofiv: np.ndarray, chosen: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    largest = np.abs(ofiv).max(axis=1, keepdims=True)
    values = ofiv[:, chosen] / np.where(largest > 0, largest, 1)
    return [(clean_text(result.target), row, "sign") for result, row in zip(results, values, strict=True)]


def _title(results: Sequence[Any]) -> str:
    return "" if len(results) > 1 else clean_text(f"class {getattr(results[0], 'target', '')}")


# ---- How ----


def _size(rows: int, channels: int, across: bool) -> tuple[float, float]:
    if across:
        return 1.6 + COLUMN * channels, 1.1 + ROW * rows
    return 1.9 + COLUMN * (rows + GAP + LOGO), 1.1 + 1.5 * ROW * channels


def _draw_circles(ax: Any, place: int, values: np.ndarray, kind: str, across: bool) -> None:
    positions = np.arange(len(values), dtype=np.float64)
    fixed = np.full(len(values), float(place))
    x, y = (positions, fixed) if across else (fixed, positions)
    if kind == "level":
        shades = [
            (*np.array([0.95, 0.95, 0.95]) * (1 - value) + np.array([0.1, 0.1, 0.1]) * value, 1) for value in values
        ]
        ax.scatter(x, y, s=130 * values, c=shades, edgecolors=LEVEL, linewidths=0.4, clip_on=False)
        return
    for sign, color in ((values > 0, POSITIVE), (values < 0, NEGATIVE)):
        ax.scatter(x[sign], y[sign], s=130 * np.abs(values[sign]), color=color, linewidths=0, clip_on=False)


def _draw_stars(ax: Any, place: int, outside: np.ndarray, across: bool) -> None:
    positions = np.flatnonzero(outside)
    fixed = np.full(len(positions), place + 0.95)
    x, y = (positions, fixed) if across else (fixed, positions)
    ax.scatter(x, y, marker="*", s=60, color=STAR, edgecolors="#5A3D00", linewidths=0.4, clip_on=False, zorder=4)


def _dress(ax: Any, rows: list[str], names: list[str], across: bool) -> None:
    main, other = (ax.yaxis, ax.xaxis) if across else (ax.xaxis, ax.yaxis)
    main.set_ticks(range(len(rows)), rows, **PLAIN)
    other.set_ticks(range(len(names)), names, **PLAIN)
    limits_rows, limits_names = (len(rows) + 0.4, -0.7), (-0.7, len(names) - 0.3)
    if across:
        ax.set_xlim(*limits_names)
        ax.set_ylim(*limits_rows)
        ax.set_xlabel("channel")
        if any(len(name) > 3 for name in names) or len(names) > 36:
            ax.tick_params(axis="x", labelrotation=90)
    else:
        ax.set_xlim(limits_rows[1], limits_rows[0])
        ax.set_ylim(limits_names[1], limits_names[0])
        ax.set_ylabel("channel")
        ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=8)
    ax.set_axisbelow(True)
    ax.grid(axis="x" if across else "y", color="#E8E8E8", linewidth=0.6)
    bare(ax)


def _draw_logos(ax: Any, motifs: Sequence[Any], rows: int) -> None:
    """A logo beside each row of channels; the axis grows to the right to hold them."""
    left, _ = ax.get_xlim()
    first = rows + GAP - 0.2
    ax.set_xlim(left, first + LOGO)
    bottom, top = ax.get_ylim()
    # In shares of the axes: an inset cannot have a negative height, and this axis runs downwards.
    x, width = (first - left) / (first + LOGO - left), LOGO / (first + LOGO - left)
    for place, motif in enumerate(motifs):
        inset = ax.inset_axes([x, (bottom - place - 0.46) / (bottom - top), width, 0.92 / (bottom - top)])
        plot_logo(motif, inset, title="")
        inset.set_axis_off()
