"""All filters of a layer at a glance: logos, where they are active, what they are worth, what they resemble.

Room: plots. Takes motifs and a table of matches, never models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.transforms import Affine2D

from deepmotif._motif_lists import motif_list
from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._filter_cells import Cell, filter_cells, shared_limits
from deepmotif.plots._style import DIVERGING_MAP, GRID_COLOR, PLAIN, clean_text, letter_colors
from deepmotif.plots.logos import draw_letters

#: Bands of a cell in bits: the filter's logo, its match below it, the profile at the bottom.
_LOGO, _MATCH, _PROFILE = (0.0, 2.0), (-2.5, -0.5), (-3.6, -2.8)
_COLUMN_INCHES, _BIT_INCHES = 0.1, 0.2
_TITLE_INCHES, _FOOT_INCHES, _LEFT_INCHES, _RIGHT_INCHES = 0.36, 0.1, 0.42, 0.2


def plot_filters(
    motifs: Any,
    matches: Any = None,
    targets: Any = None,
    *,
    order: str = "importance",
    columns: int | None = None,
    colors: str | Mapping[str, Any] = "default",
    figsize: tuple[float, float] | None = None,
    title: str | None = None,
) -> Any:
    """Draw every filter: its logo, below it the best match in a database, aligned, and its positional profile.

    Above each logo stand the name, the number of sites, the importance and, in the second line, the match with its
    E-value. The bar on the left is the importance, red for filters that speak for the class, blue for those against.
    Dead filters are named at the bottom.

    Parameters
    ----------
    motifs : list of Motif
        Those of `filter_motifs`; of other motifs only the logos are drawn.
    matches : DataFrame, optional
        That of `motif_matches` with these motifs.
    targets : list of Motif, optional
        The database that `matches` is of, to draw its motifs.
    order : {"importance", "filter", "match"}
        From the largest importance to the smallest, as in the list, or by E-value.
    columns : int, optional
        Cells side by side; by default what makes a page of usual proportions.
    colors : str or mapping
        As in `plot_logo`.
    figsize : (width, height), optional
        Inches.
    title : str, optional

    Returns
    -------
    array of matplotlib Axes
        One a filter drawn, in the order drawn; labelled (`ax.get_label()`) by the motif's name.

    Raises
    ------
    InvalidArgumentError, ShapeError
        For something other than motifs, a table without the columns of `motif_matches`, an unknown order.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> axes = dm.plot_filters([dm.Motif.from_consensus("GATAAG", "one"), dm.Motif.from_consensus("CACGTG", "two")])
    >>> [ax.get_label() for ax in axes]
    ['one', 'two']
    """
    import matplotlib.pyplot as plt

    palette = letter_colors(colors)
    cells = filter_cells(motif_list(motifs, "motifs"), matches, targets, order)
    alive, dead = [cell for cell in cells if not cell.dead], [cell for cell in cells if cell.dead]
    footer = _dead_line(dead)
    grid = _Grid.fit(alive, columns, 0.45 if title else 0.05, 0.3 if footer else 0.05, figsize)
    figure = plt.figure(figsize=grid.size)
    if title:
        figure.text(0.5, 1 - 0.5 * grid.head / grid.size[1], clean_text(title, 120), ha="center", va="center",
                    fontsize=13, weight="bold", **PLAIN)  # fmt: skip
    if footer:
        figure.text(0.01, 0.5 * grid.foot / grid.size[1], footer, va="center", fontsize=8, color=GRID_COLOR, **PLAIN)
    largest = max((abs(cell.importance) for cell in alive if cell.importance is not None), default=0.0)
    axes = np.empty(len(alive), dtype=object)
    for i, cell in enumerate(alive):
        axes[i] = figure.add_axes(grid.rect(i), label=cell.name)
        _draw_cell(axes[i], cell, palette, grid, largest)
    return axes


@dataclass(frozen=True)
class _Grid:
    """Where each cell lies on the figure: inches, and shares of the figure where matplotlib wants them."""

    columns: int
    rows: int
    size: tuple[float, float]
    head: float
    foot: float
    #: Of every cell's axes: columns of letters, and bits from the bottom to 2.
    limits: tuple[float, float]
    bottom: float

    @classmethod
    def fit(
        cls, cells: list[Cell], columns: int | None, head: float, foot: float, figsize: tuple[float, float] | None
    ) -> _Grid:
        """Cells of the size that their letters need, on a page a little wider than high."""
        limits = shared_limits(cells)
        bottom = _LOGO[0]
        if any(cell.match is not None and cell.match.heights is not None for cell in cells):
            bottom = _MATCH[0]
        if any(cell.profile is not None for cell in cells):
            bottom = _PROFILE[0]
        width = (limits[1] - limits[0]) * _COLUMN_INCHES + _LEFT_INCHES + _RIGHT_INCHES
        height = (_LOGO[1] - bottom) * _BIT_INCHES + _TITLE_INCHES + _FOOT_INCHES
        if columns is None:
            columns = max(1, round(math.sqrt(1.2 * len(cells) * height / width)))
        if not isinstance(columns, int) or isinstance(columns, bool) or columns < 1:
            raise InvalidArgumentError(f"columns must be a whole number of at least 1; got {columns!r}")
        columns = min(columns, max(len(cells), 1))
        rows = max(math.ceil(len(cells) / columns), 1)
        natural = (max(width * columns, 3.0), height * rows + head + foot)
        return cls(columns, rows, natural if figsize is None else figsize, head, foot, limits, bottom)

    def rect(self, index: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a cell's axes."""
        row, column = divmod(index, self.columns)
        wide, high = self.size
        cell = (wide / self.columns, (high - self.head - self.foot) / self.rows)
        x, y = column * cell[0] + _LEFT_INCHES, self.foot + (self.rows - 1 - row) * cell[1] + _FOOT_INCHES
        # On a small figure of the caller's something is left for the letters in any case.
        width = max(cell[0] - _LEFT_INCHES - _RIGHT_INCHES, 0.1 * cell[0])
        height = max(cell[1] - _TITLE_INCHES - _FOOT_INCHES, 0.1 * cell[1])
        return x / wide, y / high, width / wide, height / high


def _draw_cell(ax: Any, cell: Cell, palette: dict[str, Any], grid: _Grid, largest: float) -> None:
    limits = grid.limits
    draw_letters(ax, cell.heights, palette)
    ax.plot([-0.5, len(cell.heights) - 0.5], [0, 0], color=GRID_COLOR, linewidth=0.6)
    if cell.match is not None and cell.match.heights is not None:
        for letters in draw_letters(ax, cell.match.heights, palette, start=cell.match.start):
            letters.set_transform(Affine2D().translate(0, _MATCH[0]) + ax.transData)
            letters.set_alpha(0.75)
        end = cell.match.start + len(cell.match.heights)
        ax.plot([cell.match.start - 0.5, end - 0.5], [_MATCH[0]] * 2, color=GRID_COLOR, linewidth=0.6)
    if cell.profile is not None:
        edges = np.linspace(limits[0], limits[1], len(cell.profile) + 1)
        tallest = max(float(cell.profile.max()), 1.0)
        values = _PROFILE[0] + (_PROFILE[1] - _PROFILE[0]) * cell.profile / tallest
        ax.stairs(values, edges, baseline=_PROFILE[0], fill=True, color="#8A8A8A", linewidth=0)
    if cell.importance is not None and largest > 0:
        share = cell.importance / largest
        ax.plot([limits[0] - 0.02 * (limits[1] - limits[0])] * 2, [0, 2 * abs(share)], color=DIVERGING_MAP(
            0.5 + 0.42 * np.sign(share)), linewidth=4, solid_capstyle="butt", clip_on=False)  # fmt: skip
    ax.set_xlim(*limits)
    ax.set_ylim(grid.bottom - 0.05, 2.0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([0, 2])
    ax.tick_params(axis="y", labelsize=6, length=2, pad=5, color=GRID_COLOR, labelcolor=GRID_COLOR)
    ax.text(0, 1.0, cell.lines[1], transform=ax.transAxes, fontsize=6.5, va="bottom", color=GRID_COLOR, **PLAIN)
    ax.annotate(cell.lines[0], (0, 1.0), (0, 8.5), xycoords="axes fraction", textcoords="offset points", fontsize=7.5,
                va="bottom", **PLAIN)  # fmt: skip


def _dead_line(dead: list[Cell]) -> str:
    if not dead:
        return ""
    names = ", ".join(cell.name for cell in dead)
    return clean_text(f"{len(dead)} dead: {names}", 200)
