"""Letter outlines: read once from matplotlib's own bold font, then only scaled.

Room: plots. Logos stretch a glyph to fill its cell; the bases written beside strips keep their shape.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path as FilePath
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform

from deepmotif._alphabet import LETTERS
from deepmotif.plots._style import UNKNOWN_COLOR

#: A base narrower than this many points cannot be read and is left out.
SMALLEST_POINTS = 3.0


@cache
def unit_glyph(letter: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Outline of `letter` stretched to the unit square.

    Returns
    -------
    (vertices (V, 2) in 0..1, path codes (V,), natural width / height)

    Examples
    --------
    >>> vertices, codes, aspect = unit_glyph("A")
    >>> vertices.min(axis=0), vertices.max(axis=0)
    (array([0., 0.]), array([1., 1.]))
    """
    # The file, not a family name: the user's font settings must not change the shape of a logo.
    font = FilePath(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    outline = TextPath((0, 0), letter, size=100, prop=FontProperties(fname=str(font)), usetex=False)
    box = outline.get_extents()
    vertices = (np.asarray(outline.vertices) - [box.x0, box.y0]) / [box.width, box.height]
    # The vertex of a closing step is a placeholder that no renderer reads: keep it inside the box.
    vertices[outline.codes == Path.CLOSEPOLY] = 0.5
    vertices.setflags(write=False)
    return vertices, outline.codes, float(box.width / box.height)


def stretched(letter: str, x: np.ndarray, y: np.ndarray, width: float, height: np.ndarray, flip: bool) -> list[Path]:
    """One path per cell: `letter` filling the boxes with lower left corners (x, y), upside down if `flip`."""
    unit, codes, _ = unit_glyph(letter)
    vertices = np.empty((len(x), len(unit), 2))
    vertices[:, :, 0] = x[:, None] + width * unit[None, :, 0]
    vertices[:, :, 1] = y[:, None] + height[:, None] * (1.0 - unit[None, :, 1] if flip else unit[None, :, 1])
    return [Path(v, codes) for v in vertices]


class BaseLetters(PathCollection):
    """The bases of a sequence at (x, y), each in its natural shape, as large as its cell allows.

    The size is taken from the axes when they are drawn, so it follows zooming and resizing; letters that would
    come out narrower than `SMALLEST_POINTS` are not drawn.

    Parameters
    ----------
    letter : str
        The base, or N.
    offsets : array (n, 2)
        Centres of the cells in data coordinates; a cell is one unit wide.
    cell_height : float
        Height of a cell in data coordinates.
    color : colour
    """

    def __init__(self, letter: str, offsets: np.ndarray, cell_height: float, color: Any, **kwargs: Any) -> None:
        vertices, codes, self._aspect = unit_glyph(letter)
        self.letter = letter
        self._cell_height = cell_height
        super().__init__([Path(vertices - 0.5, codes)], offsets=offsets, facecolors=[color], linewidths=0, **kwargs)

    def glyph_pixels(self) -> tuple[float, float]:
        """Width and height of the letter in pixels, as the axes stand now."""
        corners = self.get_offset_transform().transform([(0.0, 0.0), (1.0, self._cell_height)])
        box = np.abs(corners[1] - corners[0])
        # "A" and "C" differ in width but not in height, so heights are set by the widest letter.
        widest = max(unit_glyph(letter)[2] for letter in LETTERS)
        height = min(0.86 * box[0] / widest, 0.84 * box[1])
        return height * self._aspect, height

    def is_legible(self) -> bool:
        """Whether the letter is large enough to be drawn."""
        return self.glyph_pixels()[0] * 72.0 / self.figure.dpi >= SMALLEST_POINTS

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw the letters at the size that the axes allow now."""
        if self.is_legible():
            self.set_transform(Affine2D().scale(*self.glyph_pixels()))
            super().draw(renderer)


def write_bases(
    ax: Any, codes: np.ndarray, y: float, cell_height: float, start: float, colors: dict[str, Any]
) -> list[BaseLetters]:
    """Write the bases of `codes` (L,) along the line `y` of `ax`, one collection per letter that occurs."""
    written = []
    for code, letter in enumerate(LETTERS + "N"):
        where = np.flatnonzero(codes == code)
        if not len(where):
            continue
        offsets = np.column_stack([where + start, np.full(len(where), y)])
        artist = BaseLetters(
            letter,
            offsets,
            cell_height,
            colors.get(letter, UNKNOWN_COLOR),
            offset_transform=ax.transData,
            transform=IdentityTransform(),
        )
        ax.add_collection(artist, autolim=False)
        written.append(artist)
    return written
