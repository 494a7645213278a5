"""Logos and profiles as SVG text: the outline of each letter once a page, then only placed. Room: html.

A hundred logos take a tenth of a second; drawn by matplotlib they would take many seconds and megabytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from deepmotif._alphabet import LETTERS
from deepmotif.plots._glyphs import unit_glyph
from deepmotif.plots._style import PALETTES
from deepmotif.plots.logos import FILL, stack_floors

#: Units of one column and of one bit.
COLUMN, BIT = 10.0, 22.0

# A letter below this many bits would be a thin line.
_LEAST_BITS = 0.02


def letter_symbols() -> str:
    """Definitions of the four letters, in the unit square and in their colours, to be put once on a page."""
    shapes = []
    for letter in LETTERS:
        vertices, codes, _ = unit_glyph(letter)
        color = PALETTES["default"][letter]
        shapes.append(f'<path id="letter-{letter}" fill="{color}" d="{_outline(vertices, codes)}"/>')
    return f'<svg width="0" height="0" aria-hidden="true"><defs>{"".join(shapes)}</defs></svg>'


def logo_shapes(heights: NDArray[Any], start: float, base: float) -> str:
    """The letters of heights (L, 4) in bits, the first column at column `start`, standing on the line y = `base`."""
    floors = stack_floors(heights)
    shapes = []
    for position, code in np.argwhere(heights >= _LEAST_BITS):
        x = (start + position + 0.5 - FILL / 2) * COLUMN
        y = base - floors[position, code] * BIT
        place = f"translate({x:.1f} {y:.1f})scale({FILL * COLUMN:.1f} -{heights[position, code] * BIT:.2f})"
        shapes.append(f'<use href="#letter-{LETTERS[code]}" transform="{place}"/>')
    end = start + len(heights)
    line = f'<path class="axis" d="M{start * COLUMN:.1f} {base:.1f}H{end * COLUMN:.1f}"/>'
    return "".join(shapes) + line


def profile_shape(profile: NDArray[Any], width: float, top: float, base: float) -> str:
    """Counts (W,) as an area between the lines y = `base` and y = `top`."""
    step = width / len(profile)
    tallest = max(float(np.max(profile)), 1.0)
    parts = [f"M0 {base:.1f}"]
    for index, count in enumerate(profile):
        parts.append(f"V{base - (base - top) * float(count) / tallest:.1f}H{(index + 1) * step:.1f}")
    return f'<path class="profile" d="{"".join(parts)}V{base:.1f}Z"/>'


def _outline(vertices: NDArray[Any], codes: NDArray[Any]) -> str:
    """A path's steps in SVG's words."""
    words = {Path.MOVETO: ("M", 1), Path.LINETO: ("L", 1), Path.CURVE3: ("Q", 2), Path.CURVE4: ("C", 3)}
    parts, index = [], 0
    while index < len(codes):
        if codes[index] == Path.CLOSEPOLY:
            parts.append("Z")
            index += 1
            continue
        word, count = words[codes[index]]
        points = vertices[index : index + count].ravel()
        parts.append(word + " ".join(f"{value:.4g}" for value in points))
        index += count
    return "".join(parts)
