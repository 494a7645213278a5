"""All filters on one page that needs nothing else. Room: html."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepmotif._files import write_file
from deepmotif._motif_lists import motif_list
from deepmotif._reading import checked_path
from deepmotif.exceptions import InvalidArgumentError
from deepmotif.html._svg import BIT, COLUMN, letter_symbols, logo_shapes, profile_shape
from deepmotif.plots._filter_cells import Cell, filter_cells, shared_limits
from deepmotif.plots._style import clean_text

# Lines of a card, downwards: the filter's logo, that of the match, the profile.
_LOGO_BASE = 2 * BIT + 2
_MATCH_BASE = _LOGO_BASE + 2 * BIT + 10
_PROFILE_HEIGHT = 18

# Columns of the table of matches, as they are called on the page.
_TABLE = {
    "motif": "motif",
    "target": "target",
    "target_name": "name",
    "p_value": "p",
    "e_value": "E",
    "q_value": "q",
    "offset": "offset",
    "overlap": "overlap",
    "orientation": "strand",
}


def gallery_html(
    path: str | os.PathLike[str],
    motifs: Any,
    matches: Any = None,
    targets: Any = None,
    *,
    order: str = "importance",
    title: str = "Filters",
) -> None:
    """Write a page with every filter: its logo, its best match aligned below it, where it is active, what it is worth.

    The page is one file without any reference to another; names are shown as text, whatever they hold. On the page the
    filters can be sorted, searched, and thinned to one of each group of near-duplicates.

    Parameters
    ----------
    path : str or Path
        The file; an existing one is replaced.
    motifs : list of Motif
        Those of `filter_motifs`; of other motifs only the logos are shown.
    matches : DataFrame, optional
        That of `motif_matches` with these motifs; all its rows are in a table at the end.
    targets : list of Motif, optional
        The database that `matches` is of, to draw its motifs.
    order : {"importance", "filter", "match"}
        The order at first.
    title : str
        Heading of the page.

    Raises
    ------
    InvalidArgumentError
        For something other than motifs, a table without the columns of `motif_matches`, an unknown order.
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import deepmotif as dm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "gallery.html")
    ...     dm.gallery_html(path, [dm.Motif.from_consensus("GATAAG", "<one>")])
    ...     "&lt;one&gt;" in path.read_text()
    True
    """
    path = checked_path(path)
    if not isinstance(title, str):
        raise InvalidArgumentError(f"title must be a str; got {type(title).__name__}")
    listed = motif_list(motifs, "motifs")
    cells = filter_cells(listed, matches, targets, order)
    limits = shared_limits([cell for cell in cells if not cell.dead])
    largest = max((abs(cell.importance) for cell in cells if cell.importance is not None), default=0.0)
    first = listed[0]
    text = _template().render(
        title=clean_text(title, 200),
        layer=clean_text(getattr(first, "layer", "")),
        route=clean_text(getattr(first, "route", "")),
        order=order,
        symbols=_markup(letter_symbols()),
        cards=[_card(cell, limits, largest) for cell in cells],
        n_dead=sum(cell.dead for cell in cells),
        n_groups=len({cell.group for cell in cells if cell.group is not None}),
        columns=_present(matches),
        rows=_rows(matches),
    )
    write_file(path, text.encode())


def _template() -> Any:
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("deepmotif.html", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("gallery.html")


def _markup(text: str) -> Any:
    """Text of our own numbers and tags, which must not be escaped."""
    from markupsafe import Markup

    return Markup(text)


def _card(cell: Cell, limits: tuple[float, float], largest: float) -> dict[str, Any]:
    match = cell.match
    share = 0.0 if cell.importance is None or largest == 0 else cell.importance / largest
    return {
        "cell": cell,
        "picture": _markup(_picture(cell, limits)),
        "share": round(abs(share) * 100, 1),
        "side": "for" if share >= 0 else "against",
        "sort": {
            "importance": _sort_number(cell.importance),
            "filter": -cell.index,
            "match": _sort_number(None if match is None else -match.e_value),
            "sites": _sort_number(cell.n_sites),
            "information": round(cell.information, 4),
        },
        "facts": _facts(cell),
    }


def _sort_number(value: float | None) -> float:
    """Larger ones come first; what is unknown comes last."""
    return -1e300 if value is None or not np.isfinite(value) else float(value)


def _facts(cell: Cell) -> list[tuple[str, str]]:
    facts = [("information", f"{cell.information:.1f} bits")]
    if cell.n_sites is not None:
        facts.insert(0, ("sites", f"{cell.n_sites:g}"))
    if cell.importance is not None:
        facts.append(("importance", f"{cell.importance:+.3g}"))
    for name, value in (("positives", cell.positive_share), ("negatives", cell.negative_share)):
        if value is not None:
            facts.append((f"active in {name}", f"{100 * value:.1f} %"))
    if cell.group is not None:
        facts.append(("group", str(cell.group)))
    return facts


def _picture(cell: Cell, limits: tuple[float, float]) -> str:
    """The SVG picture of a card."""
    left, columns = limits[0] + 0.5, limits[1] - limits[0]
    width = columns * COLUMN
    shapes = [logo_shapes(cell.heights, -left, _LOGO_BASE)]
    bottom = _LOGO_BASE
    if cell.match is not None and cell.match.heights is not None:
        # What stands out beyond the limits is cut off by the picture's edge.
        shapes.append(f'<g class="match">{logo_shapes(cell.match.heights, cell.match.start - left, _MATCH_BASE)}</g>')
        bottom = _MATCH_BASE
    if cell.profile is not None:
        shapes.append(profile_shape(cell.profile, width, bottom + 6, bottom + 6 + _PROFILE_HEIGHT))
        bottom += 6 + _PROFILE_HEIGHT
    return f'<svg viewBox="0 0 {width:.0f} {bottom + 2:.0f}" role="img">{"".join(shapes)}</svg>'


def _present(matches: Any) -> list[str]:
    return [] if matches is None else [label for name, label in _TABLE.items() if name in matches.columns]


def _rows(matches: Any) -> list[list[str]]:
    if matches is None:
        return []
    names = [name for name in _TABLE if name in matches.columns]
    records: Sequence[dict[str, Any]] = matches.to_dict("records")
    return [[_cell_text(row[name]) for name in names] for row in records if isinstance(row["target"], str)]


def _cell_text(value: Any) -> str:
    if isinstance(value, str):
        return clean_text(value)
    return f"{value:.3g}"
