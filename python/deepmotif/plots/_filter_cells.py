"""What is shown of each filter, as plain values: for the figure and for the page. Room: plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepmotif._motif_lists import motif_list, motif_names
from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._style import clean_text
from deepmotif.plots.logos import logo_heights

ORDERS = ("importance", "filter", "match")

# Positions by which a match may stand out at either side; more would make every logo small.
_OVERHANG = 6


@dataclass(frozen=True)
class Match:
    """A database motif laid on a filter's: letter heights (W, 4), the position of the first, and its numbers."""

    heights: np.ndarray | None
    start: int
    name: str
    p_value: float
    e_value: float
    orientation: str


@dataclass(frozen=True)
class Cell:
    """One filter: letter heights (W, 4), what is known of it, its best match, two lines of text."""

    name: str
    index: int
    heights: np.ndarray
    consensus: str
    dead: bool
    n_sites: float | None
    importance: float | None
    positive_share: float | None
    negative_share: float | None
    group: int | None
    profile: np.ndarray | None
    match: Match | None
    lines: tuple[str, str]

    @property
    def information(self) -> float:
        """Bits in all."""
        return float(self.heights.sum())


def filter_cells(motifs: Sequence[Any], matches: Any, targets: Any, order: str) -> list[Cell]:
    """The cells of all motifs in the order of drawing.

    Raises
    ------
    InvalidArgumentError
        For an unknown order, or a table that is not one of `motif_matches`.
    """
    if not isinstance(order, str) or order not in ORDERS:
        raise InvalidArgumentError(f"order must be one of {', '.join(map(repr, ORDERS))}; got {order!r}")
    rows = _best_rows(matches)
    library = {} if targets is None else dict(_named(targets))
    names = motif_names(list(motifs), "motifs")
    pairs = enumerate(zip(motifs, names, strict=True))
    cells = [_cell(motif, name, index, rows.get(name), library) for index, (motif, name) in pairs]
    if order == "importance":
        cells.sort(key=lambda cell: np.inf if cell.importance is None else -cell.importance)
    elif order == "match":
        cells.sort(key=lambda cell: np.inf if cell.match is None else cell.match.e_value)
    return cells


def shared_limits(cells: Sequence[Cell]) -> tuple[float, float]:
    """Limits of x that hold all motifs, and their matches as far as they do not stand out too much."""
    widest = max((len(cell.heights) for cell in cells), default=1)
    low, high = 0, widest
    for cell in cells:
        if cell.match is not None and cell.match.heights is not None:
            low = min(low, cell.match.start)
            high = max(high, cell.match.start + len(cell.match.heights))
    return max(low, -_OVERHANG) - 0.5, min(high, widest + _OVERHANG) - 0.5


def _named(targets: Any) -> Any:
    listed = motif_list(targets, "targets")
    return zip(motif_names(listed, "targets"), listed, strict=True)


def _best_rows(matches: Any) -> dict[str, dict[str, Any]]:
    """The first row of each motif that has a target."""
    if matches is None:
        return {}
    needed = ("motif", "target", "p_value", "e_value", "offset", "orientation")
    missing = [name for name in needed if name not in getattr(matches, "columns", ())]
    if missing:
        raise InvalidArgumentError(f"matches must be a table of motif_matches; it has no column {missing[0]!r}")
    found: dict[str, dict[str, Any]] = {}
    for row in matches.to_dict("records"):
        if isinstance(row["target"], str):
            found.setdefault(row["motif"], row)
    return found


def _cell(motif: Any, name: str, index: int, row: dict[str, Any] | None, library: dict[str, Any]) -> Cell:
    known = {key: getattr(motif, key, None) for key in (
        "n_sites", "importance", "positive_share", "negative_share", "group", "profile")}  # fmt: skip
    dead = bool(getattr(motif, "dead", False))
    match = None if row is None or dead else _match(row, library)
    heights = logo_heights(motif, "information")
    return Cell(
        clean_text(name), index, heights, motif.consensus, dead, match=match, lines=_lines(name, known, match), **known
    )


def _match(row: dict[str, Any], library: dict[str, Any]) -> Match:
    target, other = str(row["target"]), row.get("target_name")
    motif = library.get(target)
    heights = None
    if motif is not None:
        turned = motif.reverse_complement() if row["orientation"] == "-" else motif
        heights = logo_heights(turned, "information")
    name = target if not isinstance(other, str) or not other else f"{target} {other}"
    # The offset is the position in the target under the first of the motif.
    return Match(
        heights, -int(row["offset"]), clean_text(name), float(row["p_value"]), float(row["e_value"]),
        str(row["orientation"]),
    )  # fmt: skip


def _lines(name: str, known: dict[str, Any], match: Match | None) -> tuple[str, str]:
    parts = [clean_text(name, 24)]
    if known["n_sites"] is not None:
        parts.append(f"{known['n_sites']:g} sites")
    if known["importance"] is not None:
        parts.append(f"importance {known['importance']:+.2g}")
    second = "" if match is None else f"{clean_text(match.name, 26)} ({match.orientation})  E = {match.e_value:.1g}"
    return "   ".join(parts), second
