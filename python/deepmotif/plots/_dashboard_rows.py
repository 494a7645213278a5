"""The drawing of each kind of dashboard row, on axes whose places the layout has fixed.

Room: plots. Position i is centred on x = i in every row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator

from deepmotif._alphabet import LETTERS
from deepmotif.plots._dashboard_data import DashboardData
from deepmotif.plots._dashboard_layout import SCALE_SIZE, SCALE_STEP, Layout, Row, window_places
from deepmotif.plots._glyphs import write_bases
from deepmotif.plots._style import (
    DIVERGING_MAP,
    GRID_COLOR,
    HIT_EDGE,
    HIT_FACE,
    PLAIN,
    UNKNOWN_COLOR,
    bare,
)
from deepmotif.plots.logos import draw_letters, logo_heights
from deepmotif.plots.strips import draw_strips

LABEL_SIZE, TICK_SIZE = 9.5, 8.0
#: Signs of equal width; a hyphen would be hard to see.
STRANDS = {"": "", "+": "+", "-": "\N{MINUS SIGN}", "+-": "±"}
#: A letter below this many bits would be thinner than a tenth of a pixel: leaving it out keeps vector files small.
LEAST_BITS = 0.003


def draw_row(figure: Any, layout: Layout, row: Row, top: float, data: DashboardData, palette: dict[str, Any]) -> Any:
    """Draw one row at `top` inches; returns the mesh of a strip, for its colour bar, else None."""
    if row.kind == "heading":
        x, y, _, _ = layout.rect(0.0, top, 0.0, row.height)
        figure.text(x, y, row.label, fontsize=LABEL_SIZE, color=GRID_COLOR, style="italic", va="bottom", **PLAIN)
        return None
    if row.kind == "windows":
        _draw_windows(figure, layout, row, top, palette)
        return None
    ax = figure.add_axes(layout.rect(0.0, top, layout.panel, row.height), label=row.name)
    mesh = None
    if row.kind == "optimized":
        _draw_optimized(ax, row, palette)
    elif row.kind == "sequence":
        _draw_sequence(ax, layout, data, palette)
    else:
        scale, cmap = row.scale or (Normalize(0.0, 1.0), DIVERGING_MAP)
        mesh = draw_strips(ax, row.values[None], scale, cmap)
        bare(ax, keep=("left", "right", "top", "bottom"))
        for spine in ax.spines.values():
            spine.set(linewidth=0.5, color=GRID_COLOR)
        _mark_hits(ax, data)
    whole = row.kind == "optimized" and len(row.values) != data.length
    start, end = (0, len(row.values)) if whole else layout.region
    ax.set_xlim(start - 0.5, end - 0.5)
    _label_row(ax, layout, row)
    return mesh


def _label_row(ax: Any, layout: Layout, row: Row) -> None:
    if row.label:
        inset = -0.08 - (0.3 if row.kind == "optimized" else 0.0)
        ax.text(
            inset / layout.panel, 0.5, row.label, transform=ax.transAxes, ha="right", va="center",
            fontsize=LABEL_SIZE, **PLAIN,
        )  # fmt: skip
    if row.kind != "optimized":
        ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=max(int(1.5 * layout.panel), 4), integer=True, steps=[1, 2, 5, 10]))
    visible = row.ticks
    ax.tick_params(axis="x", bottom=visible, labelbottom=visible, labelsize=TICK_SIZE, length=2.5)
    if row.ticks and row.kind != "optimized":
        ax.set_xlabel("position in the sequence (from 0)", fontsize=LABEL_SIZE, labelpad=2)


def _bits_axis(ax: Any, highest: float) -> None:
    bare(ax, keep=("left", "bottom"))
    ax.set_ylim(0.0, max(2.0, highest))
    ax.set_yticks([0, 2])
    ax.tick_params(axis="y", labelsize=TICK_SIZE, length=2.5, pad=2)


def _visible_bits(matrix: Any) -> np.ndarray:
    heights = logo_heights(matrix, "information")
    return np.where(heights >= LEAST_BITS, heights, 0.0)


def _draw_windows(figure: Any, layout: Layout, row: Row, top: float, palette: dict[str, Any]) -> None:
    """The known motif and the models' best windows side by side, with columns of one width."""
    heights = [_visible_bits(matrix) for _, _, matrix, _ in row.values]
    titles, places, column = window_places([title for _, title, _, _ in row.values], heights, layout.panel)
    for (name, _, _, first), h, title, x in zip(row.values, heights, titles, places, strict=True):
        width = column * len(h)
        ax = figure.add_axes(layout.rect(x, top, width, row.height), label=name)
        draw_letters(ax, h, palette, start=first)
        _bits_axis(ax, float(h.sum(axis=1).max()))
        if x == 0.0:
            ax.set_ylabel("bits", fontsize=TICK_SIZE, labelpad=1)
        ax.set_xlim(first - 0.5, first + len(h) - 0.5)
        step = max(1, int(np.ceil(0.3 / column)))
        ax.xaxis.set_major_locator(FixedLocator(list(range(first, first + len(h), step))))
        ax.tick_params(axis="x", labelsize=TICK_SIZE - 1, length=2, pad=2)
        ax.set_title(title, fontsize=LABEL_SIZE, loc="left", pad=4, **PLAIN)


def _draw_optimized(ax: Any, row: Row, palette: dict[str, Any]) -> None:
    heights = _visible_bits(row.values)
    draw_letters(ax, heights, palette)
    _bits_axis(ax, float(heights.sum(axis=1).max()))
    ax.set_ylabel("bits", fontsize=TICK_SIZE, labelpad=1)


def _draw_sequence(ax: Any, layout: Layout, data: DashboardData, palette: dict[str, Any]) -> None:
    bare(ax)
    ax.set_ylim(0.0, 1.0)
    ax.set_xlim(layout.region[0] - 0.5, layout.region[1] - 0.5)
    for start, end, strand in data.hits:
        ax.add_patch(
            Rectangle(
                (start - 0.5, 0.0), end - start, 1.0, facecolor=HIT_FACE, edgecolor=HIT_EDGE, linewidth=1.2,
                clip_on=False, gid="hit",
            )
        )  # fmt: skip
        middle = (start + end - 1) / 2
        if layout.region[0] <= middle < layout.region[1]:
            ax.annotate(
                STRANDS[strand], (middle, 1.0), (0, 1), textcoords="offset points",
                ha="center", va="bottom", fontsize=LABEL_SIZE, color=HIT_EDGE, annotation_clip=False,
            )  # fmt: skip
    letters = write_bases(ax, data.codes, 0.5, 1.0, 0, palette)
    if not all(artist.is_legible() for artist in letters):
        _draw_coloured_bases(ax, layout, data, palette)


def _draw_coloured_bases(ax: Any, layout: Layout, data: DashboardData, palette: dict[str, Any]) -> None:
    """Bases too narrow to read become bars in the letters' colours, with the letters as their key."""
    cells = ListedColormap([palette[letter] for letter in LETTERS] + [UNKNOWN_COLOR])
    edges = np.arange(data.length + 1) - 0.5
    ax.pcolormesh(edges, [0.25, 0.75], data.codes[None], cmap=cells, norm=Normalize(-0.5, 4.5), shading="flat")
    for i, letter in enumerate(LETTERS):
        ax.text(
            (-0.55 + 0.13 * i) / layout.panel, 0.5, letter, transform=ax.transAxes, color=palette[letter],
            ha="center", va="center", weight="bold", fontsize=LABEL_SIZE, **PLAIN,
        )  # fmt: skip


def _mark_hits(ax: Any, data: DashboardData) -> None:
    for start, end, _ in data.hits:
        for edge in (start - 0.5, end - 0.5):
            ax.axvline(edge, color=HIT_EDGE, linewidth=0.9)


def draw_scales(figure: Any, layout: Layout, meshes: dict[str, Any], target: str, normalize: bool) -> None:
    """One horizontal colour bar per kind of strip, below the rows."""
    words = {
        "saliency": "saliency / largest of the strip" if normalize else "saliency",
        "temporal": f"temporal output: P({target})",
    }
    width, height = SCALE_SIZE
    step = min(SCALE_STEP, layout.panel / 2)
    for i, (kind, mesh) in enumerate(meshes.items()):
        rect = layout.rect(i * step, layout.height - 0.45, min(width, 0.7 * step), height)
        ax = figure.add_axes(rect, label=f"{kind} scale")
        ticks = [0.0, 0.5, 1.0] if kind == "temporal" else None
        bar = figure.colorbar(mesh, cax=ax, orientation="horizontal", ticks=ticks)
        bar.outline.set_linewidth(0.5)
        ax.tick_params(labelsize=TICK_SIZE, length=2.5, pad=2)
        ax.set_title(words[kind], fontsize=TICK_SIZE + 0.5, loc="left", pad=3, **PLAIN)
