"""What all figures share: colours, text that is never parsed, new axes, and the checks of arrays.

Room: plots. Everything here is free of models; nothing here touches matplotlib's global state.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, is_color_like, to_rgba
from matplotlib.ticker import FixedLocator, MaxNLocator

from deepmotif._alphabet import LETTERS, UNKNOWN, codes_of_strings
from deepmotif.exceptions import InvalidArgumentError, ShapeError

#: Named letter palettes. The default keeps its letters apart under protan, deutan and tritan vision;
#: "classic" is the green / blue / orange / red of older logos, which is not.
PALETTES: dict[str, dict[str, str]] = {
    "default": {"A": "#009980", "C": "#59B3E6", "G": "#E69B04", "T": "#1A1A1A"},
    "classic": {"A": "#1B9E1B", "C": "#2A4BD7", "G": "#F2A900", "T": "#D62222"},
}
UNKNOWN_COLOR = "#9A9A9A"
HIT_EDGE = "#D6006C"
HIT_FACE = "#FFC2DD"
GRID_COLOR = "#5A5A5A"

#: Keyword arguments of every text that holds a caller's words: `$` and `_` stay what they are.
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}

#: Zero is white, so a position without influence looks empty.
SALIENCY_MAP = "Purples"
#: Blue - white at the middle - red: lightness falls on both sides, so it survives any colour vision.
DIVERGING_MAP = LinearSegmentedColormap.from_list(
    "deepmotif_diverging",
    ["#08306B", "#2166AC", "#67A9CF", "#D1E5F0", "#FFFFFF", "#FDDBC7", "#EF8A62", "#B2182B", "#67001F"],
)


def letter_colors(colors: str | Mapping[str, Any]) -> dict[str, tuple[float, float, float, float]]:
    """The RGBA colour of each of A, C, G, T.

    Parameters
    ----------
    colors : str or mapping
        A palette's name ("default", "classic") or a mapping letter -> colour; letters left out keep the default.

    Raises
    ------
    InvalidArgumentError
        For an unknown palette, a key that is no letter, or a value that is no colour.

    Examples
    --------
    >>> letter_colors({"T": "red"})["T"]
    (1.0, 0.0, 0.0, 1.0)
    """
    if isinstance(colors, str):
        if colors not in PALETTES:
            raise InvalidArgumentError(f"colors must be one of {sorted(PALETTES)} or a mapping; got {colors!r}")
        chosen: dict[str, Any] = dict(PALETTES[colors])
    elif isinstance(colors, Mapping):
        chosen = {**PALETTES["default"], **{str(key).upper(): value for key, value in colors.items()}}
    else:
        raise InvalidArgumentError(f"colors must be a palette's name or a mapping; got {type(colors).__name__}")
    for letter, value in chosen.items():
        if letter not in LETTERS or len(letter) != 1:
            raise InvalidArgumentError(f"colors has the key {letter!r}; expected only A, C, G, T")
        if not is_color_like(value):
            raise InvalidArgumentError(f"colors[{letter!r}] is no colour that matplotlib knows: {value!r}")
    return {letter: to_rgba(chosen[letter]) for letter in LETTERS}


def clean_text(text: object, limit: int = 60) -> str:
    """One printable line of at most `limit` characters, whatever the caller's name held.

    Control characters would make an SVG file unreadable, and a line break would run into the next label.

    Examples
    --------
    >>> clean_text("TF\\n$a_b$")
    'TF $a_b$'
    """
    words = str(text).encode("utf-8", "replace").decode("utf-8")
    kept = ("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in words)).split()
    line = " ".join(kept)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def motif_title(motif: Any, limit: int = 60) -> str:
    """A motif's name, followed by that of its gene where it has one; "" for a plain matrix."""
    names = [getattr(motif, attribute, None) for attribute in ("name", "alternate_name")]
    return clean_text(" ".join(dict.fromkeys(name for name in names if isinstance(name, str))), limit)


def new_axes(ax: Any, figsize: tuple[float, float]) -> Any:
    """`ax` itself, or the Axes of a new figure of `figsize` inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not (hasattr(ax, "add_collection") and hasattr(ax, "transData")):
        raise InvalidArgumentError(f"ax must be a matplotlib Axes or None; got {type(ax).__name__}")
    return ax


def as_floats(values: Any, name: str) -> np.ndarray:
    """`values` as a finite float64 array.

    Raises
    ------
    ShapeError
        If the values are no rectangular array of numbers.
    InvalidArgumentError
        If one is NaN or infinite; the message names the index.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ShapeError(f"{name} must be a rectangular array of real numbers; got {type(values).__name__}") from None
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise InvalidArgumentError(f"{name} must be finite; got {array[where]} at index {where}")
    return array


def as_matrix(values: Any, name: str) -> np.ndarray:
    """`values` as a finite float64 (L, 4) array, L >= 1."""
    array = as_floats(values, name)
    if array.ndim != 2 or array.shape[1] != 4 or not len(array):
        hint = "; transpose it" if array.ndim == 2 and array.shape[0] == 4 else ""
        raise ShapeError(f"{name} must be (L, 4) with the letters A, C, G, T in columns; got shape {array.shape}{hint}")
    return array


def as_rows(values: Any, name: str) -> np.ndarray:
    """`values` as a finite float64 (M, L) array; (L,) becomes one row."""
    array = as_floats(values, name)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(f"{name} must be (L,) or (M, L) with L and M at least 1; got shape {array.shape}")
    return array


def as_codes(sequence: Any, length: int | None = None) -> np.ndarray:
    """The uint8 codes (L,) of one sequence: 0-3 = A, C, G, T (or U), 4 = unknown.

    Parameters
    ----------
    sequence : str or array
        Letters in either case (any IUPAC letter but ACGTU is unknown), or codes of shape (L,) or (1, L).
    length : int, optional
        The length that the sequence must have.

    Raises
    ------
    InvalidArgumentError
        For a character that is no nucleotide letter, or a code outside 0-4; the message gives the position.
    ShapeError
        For an empty sequence, more than one sequence, or another length than expected.

    Examples
    --------
    >>> as_codes("acgtN")
    array([0, 1, 2, 3, 4], dtype=uint8)
    """
    if isinstance(sequence, str):
        codes = codes_of_strings([sequence], "sequence")[0]
    else:
        array = np.asarray(sequence)
        array = array[0] if array.ndim == 2 and len(array) == 1 else array
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ShapeError(f"sequence must be one str or uint8 codes (L,); got {array.dtype} of shape {array.shape}")
        bad = np.flatnonzero((array < 0) | (array > UNKNOWN))
        if len(bad):
            raise InvalidArgumentError(f"sequence must hold codes 0-4; got {array[bad[0]]} at position {bad[0]}")
        codes = array.astype(np.uint8)
    if not len(codes):
        raise ShapeError("sequence must have at least one base; got an empty one")
    if length is not None and len(codes) != length:
        raise ShapeError(f"sequence must be as long as the values, {length} positions; got {len(codes)}")
    return codes


def as_labels(labels: Sequence[object] | None, count: int) -> list[str] | None:
    """`labels` cleaned, one per row, or None."""
    if labels is None:
        return None
    labels = [labels] if isinstance(labels, str) else list(labels)
    if len(labels) != count:
        raise ShapeError(f"labels must name every row, {count} in all; got {len(labels)}")
    return [clean_text(label) for label in labels]


def label_positions(ax: Any, length: int, start: int, max_every: int = 30) -> None:
    """Limits and integer ticks of an x axis whose position i is centred on `start + i`."""
    ax.set_xlim(start - 0.5, start + length - 0.5)
    if length <= max_every:
        ax.xaxis.set_major_locator(FixedLocator(list(range(start, start + length))))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, steps=[1, 2, 5, 10]))


def bare(ax: Any, keep: Sequence[str] = ()) -> None:
    """Hide every spine of `ax` but those named in `keep`."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)
