"""Pairs of patterns or channels: what each does to a score without and beside the other. Room: plots.

Functions take results of `pattern_interactions` and `channel_interactions`, or anything with the same attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._style import GRID_COLOR, PLAIN, as_labels, clean_text, new_axes
from deepmotif.plots.resolve import NEGATIVE, POSITIVE, STAR

#: Most pairs that a figure shows.
MOST_PAIRS = 24


def plot_interactions(
    found: Any, ax: Any = None, *, labels: Sequence[object] | None = None, title: str | None = None
) -> Any:
    """Draw the effects of each pair's two: an open circle without the other, a full one beside the other.

    Lines of no length add up; red ones end above zero, where a feature still speaks for the class, blue ones below. A
    star marks pairs that exclude each other.

    Parameters
    ----------
    found : PatternInteractions or ChannelInteractions
        With an ablation. Pairs that too few sequences have, and those behind the first 24, are left out.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    labels : list of str, optional
        Of the patterns, channels or groups, by number; by default the patterns' names or the numbers.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InvalidArgumentError
        If `found` holds no ablation.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> X, y = dm.synthetic_xor(2000, length=30)
    >>> model = dm.CNN(filters=8, kernel_sizes=(6,), epochs=2, random_state=0).fit(X, y)
    >>> ax = dm.plot_interactions(dm.pattern_interactions(model, ["CAGGTC", "CGCTTG", "GCTCAT"], X))
    >>> len(ax.get_yticklabels())  # each of three pairs has two
    6
    """
    if getattr(found, "effect_with", None) is None:
        raise InvalidArgumentError("found must be interactions with an ablation, from a model and sequences")
    shown = np.flatnonzero(np.isfinite(found.interaction))[:MOST_PAIRS]
    count = int(found.pairs.max(initial=-1)) + 1
    names = as_labels(labels if labels is not None else getattr(found, "names", None) or range(count), count)
    ax = new_axes(ax, (6.0, 1.3 + 0.55 * max(len(shown), 1)))
    ax.axvline(0, color=GRID_COLOR, linewidth=0.8)
    places, words = [], []
    for row, pair in enumerate(shown.tolist()):
        for side in (0, 1):
            # The two of a pair stand closer together than pairs do.
            place = 2.6 * row + side
            alone, beside = found.effect_without[pair, side], found.effect_with[pair, side]
            color = POSITIVE if beside > 0 else NEGATIVE
            ax.plot([alone, beside], [place, place], color=color, linewidth=1.6, zorder=2)
            ax.plot([alone], [place], "o", color=color, markerfacecolor="white", zorder=3)
            ax.plot([beside], [place], "o", color=color, zorder=3)
            places.append(place)
            words.append(names[found.pairs[pair, side]] if names else "")
        if found.exclusive[pair]:
            ax.plot([1.02], [2.6 * row + 0.5], marker="*", markersize=11, color=STAR, clip_on=False,
                    transform=ax.get_yaxis_transform())  # fmt: skip
    ax.set_yticks(places, words, **PLAIN)
    ax.set_ylim(2.6 * max(len(shown), 1) - 0.8, -0.8)
    ax.set_xlabel("effect on the score")
    for side_name in ("top", "right"):
        ax.spines[side_name].set_visible(False)
    handles = [
        Line2D([], [], color=GRID_COLOR, marker="o", markerfacecolor="white", linestyle="", label="without the other"),
        Line2D([], [], color=GRID_COLOR, marker="o", linestyle="", label="beside the other"),
        Line2D([], [], color=STAR, marker="*", markersize=11, linestyle="", label="exclusive"),
    ]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=8)
    if title:
        ax.set_title(clean_text(title), pad=24, **PLAIN)
    return ax
