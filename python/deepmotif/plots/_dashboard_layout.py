"""Where everything on a dashboard goes: the rows from top to bottom, and their places in inches.

Room: plots. Places are fixed by hand so that every row has exactly the same left edge and width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._dashboard_data import DashboardData
from deepmotif.plots._style import motif_title
from deepmotif.plots.logos import logo_heights
from deepmotif.plots.strips import relative, saliency_scale

#: Inches. Logo rows are high enough to read and low enough that narrow columns keep their letters in proportion.
WINDOW_HEIGHT, LOGO_HEIGHT, SEQUENCE_HEIGHT, SALIENCY_HEIGHT, TEMPORAL_HEIGHT = 0.8, 0.6, 0.28, 0.26, 0.22
GAP, HEADING_HEIGHT, TICKS_HEIGHT, SCALES_HEIGHT = 0.07, 0.2, 0.3, 0.8
MARGIN_TOP, MARGIN_RIGHT, TITLE_HEIGHT = 0.15, 0.35, 0.4
#: Width of a character of a row's label, and of a base: readable if it can be, within a figure that can be printed.
LABEL_CHARACTER = 0.074
#: The same for the titles of the small logos on top, their widest base, and the distance between two logos.
TITLE_CHARACTER, WIDEST_WINDOW_BASE, WINDOW_GAP = 0.084, 0.24, 0.5
NARROWEST_BASE, WIDEST_BASE, NARROWEST_PANEL, WIDEST_PANEL = 0.11, 0.30, 7.5, 26.0
#: Colour bars: width, height, and the distance from the left edge of one to that of the next.
SCALE_SIZE, SCALE_STEP = (2.6, 0.11), 4.2


@dataclass(frozen=True)
class Row:
    """One row: what it draws, how high it is, and what comes with it.

    `name` labels the Axes; `values` is an array, or for "windows" a list of panels; `scale` is (norm, colour map)
    of a strip; `ticks` leaves room for position labels below.
    """

    kind: str
    name: str = ""
    label: str = ""
    height: float = 0.0
    gap: float = GAP
    values: Any = None
    scale: Any = None
    ticks: bool = False

    @property
    def space(self) -> float:
        """Inches from the end of the row above to the end of this one."""
        return self.gap + self.height + (TICKS_HEIGHT if self.ticks else 0.0)


def plan_rows(data: DashboardData, normalize: bool) -> list[Row]:
    """The rows of a dashboard from top to bottom."""
    rows = []
    windows = _windows(data)
    if windows:
        # Room above for the panels' own titles, and below for their positions.
        rows.append(Row("windows", height=WINDOW_HEIGHT, gap=0.3, values=windows, ticks=True))
    optimized = [panel for panel in data.models if panel.optimized is not None]
    if optimized:
        rows.append(_heading("class optimisation: the input that each model likes best"))
    for i, panel in enumerate(optimized):
        last = i == len(optimized) - 1
        another = last or len(optimized[i + 1].optimized) != len(panel.optimized)
        # The 0 of one axis and the 2 of the next need room.
        gap = GAP if i == 0 else 0.16
        rows.append(
            Row("optimized", f"optimized {panel.name}", panel.name, LOGO_HEIGHT, gap, panel.optimized, ticks=another)
        )
    rows += _strip_rows(data, normalize)
    rows[-1] = replace(rows[-1], ticks=True)
    return rows


def _strip_rows(data: DashboardData, normalize: bool) -> list[Row]:
    motif = motif_title(data.motif, 40) or "the known motif"
    boxes = f", hits of {motif} boxed" if data.hits else ""
    rows = [_heading(f"sequence ({data.length} bp{boxes})")]
    rows.append(Row("sequence", "sequence", "", SEQUENCE_HEIGHT, 0.2 if data.hits else GAP))
    saliency = np.stack([panel.saliency for panel in data.models])
    scale = saliency_scale(saliency, normalize)
    rows.append(_heading("saliency: which bases the score depends on"))
    for panel, values in zip(data.models, relative(saliency) if normalize else saliency, strict=True):
        label = f"{panel.name}   P({data.target}) {_probability(panel.probability)}"
        rows.append(Row("saliency", f"saliency {panel.name}", label, SALIENCY_HEIGHT, values=values, scale=scale))
    recurrent = [panel for panel in data.models if panel.forward is not None]
    if recurrent:
        rows.append(_heading(f"temporal output: P({data.target}) of the part read so far"))
    for panel in recurrent:
        directions = (("forward", "forward →", panel.forward), ("backward", "← backward", panel.backward))
        for i, (name, words, values) in enumerate(directions):
            gap = GAP if i == 0 else 0.02
            rows.append(
                Row("temporal", f"{name} {panel.name}", f"{panel.name}   {words}", TEMPORAL_HEIGHT, gap, values)
            )
    return rows


def _heading(words: str) -> Row:
    return Row("heading", label=words, height=HEADING_HEIGHT, gap=0.13)


def _probability(p: float) -> str:
    """Three decimals, without pretending that a confident model is certain."""
    return "< 0.001" if 0 < p < 0.0005 else "> 0.999" if 0.9995 <= p < 1 else f"= {p:.3f}"


def _windows(data: DashboardData) -> list[tuple[str, str, Any, int]]:
    """(axes name, title, matrix, first position) of the known motif and of each model's most informative stretch."""
    panels = []
    width = 12
    if data.motif is not None:
        name = motif_title(data.motif, 28)
        panels.append(("motif", f"{name} (known motif)" if name else "known motif", data.motif, 0))
        # Two columns more on each side: the network may extend the motif.
        width = len(getattr(data.motif, "probabilities", data.motif)) + 4
    for panel in data.models:
        if panel.optimized is not None:
            first = best_window(panel.optimized, width)
            panels.append(
                (f"window {panel.name}", f"{panel.name} optimum", panel.optimized[first : first + width], first)
            )
    return panels


def window_places(titles: list[str], heights: list[np.ndarray], panel: float) -> tuple[list[str], list[float], float]:
    """Titles cut to their room, left edges, and the one column width of small logos side by side, in inches.

    A title may be wider than its logo: each logo takes the wider of the two.
    """
    room = panel / len(titles) - WINDOW_GAP
    most = max(int(room / TITLE_CHARACTER), 4)
    titles = [title if len(title) <= most else title[: most - 1].rstrip("… ") + "…" for title in titles]
    lengths = np.array([len(h) for h in heights])
    words = TITLE_CHARACTER * np.array([len(title) for title in titles])
    column = WIDEST_WINDOW_BASE
    while column > 0.01 and (np.maximum(column * lengths, words) + WINDOW_GAP).sum() > panel + WINDOW_GAP:
        column *= 0.97
    steps = np.maximum(column * lengths, words) + WINDOW_GAP
    return titles, (np.cumsum(steps) - steps).tolist(), column


def best_window(matrix: np.ndarray, width: int) -> int:
    """First position of the `width` consecutive columns of (L, 4) that hold most information.

    Examples
    --------
    >>> best_window(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0]]), 2)
    2
    """
    bits = logo_heights(matrix, "information").sum(axis=1)
    width = min(width, len(bits))
    sums = np.convolve(bits, np.ones(width), mode="valid")
    return int(np.argmax(sums))


@dataclass(frozen=True)
class Layout:
    """Places of the rows, in inches.

    `size` is that of the figure, `height` what the rows were planned for; `left` and `panel` are the left edge and
    the width that all rows share; `tops` has the top of each row, from the top of the figure.
    """

    size: tuple[float, float]
    height: float
    left: float
    panel: float
    region: tuple[int, int]
    title: bool
    tops: tuple[float, ...]

    @classmethod
    def fit(cls, data: DashboardData, rows: list[Row], region: tuple[int, int], figsize: Any, title: bool) -> Layout:
        """Choose sizes for `rows`; a given `figsize` sets the width and stretches the heights."""
        longest = max(len(row.label) for row in rows if row.kind != "heading")
        left = float(np.clip(0.3 + LABEL_CHARACTER * longest, 1.2, 4.8))
        length = region[1] - region[0]
        base = np.clip(16.0 / length, NARROWEST_BASE, WIDEST_BASE)
        panel = float(np.clip(length * base, NARROWEST_PANEL, WIDEST_PANEL))
        top = MARGIN_TOP + (TITLE_HEIGHT if title else 0.0)
        tops = []
        for row in rows:
            tops.append(top + row.gap)
            top += row.space
        height = top + SCALES_HEIGHT
        size = (left + panel + MARGIN_RIGHT, height)
        if figsize is not None:
            size = _checked_size(figsize, left + MARGIN_RIGHT + 1.0)
            panel = size[0] - left - MARGIN_RIGHT
        return cls(size, height, left, panel, region, title, tuple(tops))

    @property
    def title_y(self) -> float:
        """Middle of the title, as a fraction of the figure."""
        return 1.0 - (MARGIN_TOP + 0.4 * TITLE_HEIGHT) / self.height

    def rect(self, x: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A rectangle in inches, x from the left edge of the panel, as fractions of the figure."""
        return (
            (self.left + x) / self.size[0],
            1.0 - (top + height) / self.height,
            width / self.size[0],
            height / self.height,
        )


def _checked_size(figsize: Any, least: float) -> tuple[float, float]:
    try:
        width, height = (float(side) for side in figsize)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"figsize must be (width, height) in inches; got {figsize!r}") from None
    if not (np.isfinite([width, height]).all() and width >= least and height > 0):
        raise InvalidArgumentError(
            f"figsize must be at least {least:.1f} inches wide for these labels; got {figsize!r}"
        )
    return width, height
