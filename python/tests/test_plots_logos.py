"""Logos: heights, stacking, glyph boxes, colours, errors and speed. Mirrors deepmotif/plots/logos.py and _glyphs.py."""

from itertools import pairwise
from time import perf_counter
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgba

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots import plot_attribution, plot_logo
from deepmotif.plots._glyphs import unit_glyph
from deepmotif.plots._style import PALETTES
from deepmotif.plots.logos import FILL, attribution_weights, logo_heights, stack_floors

COUNTS = np.array([[8, 0, 1, 1], [0, 10, 0, 0], [5, 0, 5, 0], [1, 1, 1, 1]], float)
#: A few roundings of numbers of order 1.
CLOSE = 16 * np.finfo(float).eps


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def boxes(ax):
    """Letter -> array (n, 4) of the extents x0, y0, x1, y1 of its glyphs."""
    found = {}
    for collection in ax.collections:
        extents = [path.get_extents() for path in collection.get_paths()]
        found[collection.get_label()] = np.array([e.extents for e in extents])
    return found


def motif(name="GATA1"):
    p = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    # Bits against a skewed background, on purpose not what the probabilities alone would give.
    return SimpleNamespace(
        name=name, probabilities=p, information_content=np.array([0.5, 2.5, 1.0, 0.1]), counts=COUNTS
    )


def test_information_is_entropy_from_its_definition():
    p = np.random.default_rng(1).dirichlet(np.ones(4), size=9)
    expected = [[x * (2 + sum(y * np.log2(y) for y in row)) for x in row] for row in p]
    np.testing.assert_allclose(logo_heights(p, "information"), expected, rtol=0, atol=CLOSE)


def test_counts_and_probabilities_give_the_same_logo():
    p = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    for kind in ("information", "probability"):
        np.testing.assert_allclose(logo_heights(COUNTS, kind), logo_heights(p, kind), rtol=0, atol=CLOSE)


def test_a_motif_brings_its_own_information_content_and_name():
    ax = plot_logo(motif("A_$b$"))
    bits = logo_heights(motif(), "information").sum(axis=1)
    np.testing.assert_allclose(bits, [0.5, 2.5, 1.0, 0.1], rtol=0, atol=CLOSE)
    assert ax.get_title() == "A_$b$"
    assert ax.title.get_parse_math() is False
    # 2.5 bits do not fit on the usual axis.
    assert ax.get_ylim() == (0.0, 2.5)
    assert plot_logo(motif(), title="").get_title() == ""
    named = motif("MA0035.4")
    named.alternate_name = "GATA1"
    assert plot_logo(named).get_title() == "MA0035.4 GATA1"


def test_the_best_restart_of_a_class_optimisation_is_drawn():
    result = SimpleNamespace(pwm=np.stack([np.full((4, 4), 0.25), COUNTS]), best=1)
    assert sorted(boxes(plot_logo(result))) == sorted(boxes(plot_logo(COUNTS)))


def test_weights_of_a_motif_are_finite_log_odds():
    weights = logo_heights(motif(), "weight")
    assert np.isfinite(weights).all()
    p = motif().probabilities
    assert ((weights > 0) == (p > 0.25)).all()
    assert abs(weights[3]).max() <= CLOSE


def test_an_empty_row_and_a_uniform_row_draw_nothing():
    ax = plot_logo([[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 3, 0]])
    assert {letter: len(b) for letter, b in boxes(ax).items()} == {"G": 1}


@pytest.mark.parametrize("kind", ["information", "probability", "weight"])
def test_one_collection_per_letter_fills_its_cells_exactly(kind):
    matrix = COUNTS if kind != "weight" else np.random.default_rng(2).normal(size=(7, 4))
    ax = plot_logo(matrix, kind=kind)
    heights = logo_heights(matrix, kind)
    floors = stack_floors(heights)
    drawn = boxes(ax)
    assert len(ax.collections) == len(drawn) == (heights != 0).any(axis=0).sum()
    for j, letter in enumerate("ACGT"):
        cells = drawn[letter]
        # Extents come out of float64 path arithmetic on coordinates below 10.
        tolerance = 100 * np.finfo(float).eps
        expected = []
        for where in (np.flatnonzero(heights[:, j] > 0), np.flatnonzero(heights[:, j] < 0)):
            for i in where:
                low = floors[i, j]
                expected.append([i - FILL / 2, low, i + FILL / 2, low + abs(heights[i, j])])
        # A letter occurs once a column: its left edges identify its cells.
        expected = np.array(sorted(expected))
        np.testing.assert_allclose(cells[np.argsort(cells[:, 0])], expected, rtol=0, atol=tolerance)


def test_stacks_touch_and_put_the_largest_outermost():
    heights = np.array([[0.2, -0.5, 0.7, -0.1]])
    floors = stack_floors(heights)
    np.testing.assert_allclose(floors, [[0.0, -0.6, 0.2, -0.1]], rtol=0, atol=CLOSE)


def test_negative_letters_are_upside_down_below_the_axis():
    ax = plot_logo([[-1.0, 0, 0, 0], [1.0, 0, 0, 0]], kind="weight")
    up, down = ax.collections[0].get_paths()

    # The apex of an A is narrow, its feet are wide: compare the ends of the glyph.
    def width_at(path, y):
        x = path.vertices[np.isclose(path.vertices[:, 1], y), 0]
        return np.ptp(x)

    assert down.get_extents().y1 <= 0 < up.get_extents().y1
    assert width_at(up, 1.0) < width_at(up, 0.0)
    assert width_at(down, -1.0) < width_at(down, 0.0)
    upright = plot_logo([[-1.0, 0, 0, 0]], kind="weight", flip_below=False).collections[0].get_paths()[0]
    assert width_at(upright, 0.0) < width_at(upright, -1.0)
    low, high = ax.get_ylim()
    assert low < -1
    assert high > 1


def test_shade_and_fade_change_negative_letters_only():
    ax = plot_logo([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]], kind="weight", shade_below=0.5, fade_below=0.25)
    above, below = ax.collections[0].get_facecolors()
    np.testing.assert_allclose(above, to_rgba(PALETTES["default"]["A"]))
    np.testing.assert_allclose(below, [*(0.5 * above[:3]), 0.75])


def test_colours_default_classic_and_own():
    def face(colors):
        ax = plot_logo([[1, 0, 0, 0]], colors=colors)
        return tuple(ax.collections[0].get_facecolors()[0])

    assert face("default") == to_rgba("#009980")
    assert face("classic") == to_rgba(PALETTES["classic"]["A"])
    assert face({"a": "purple"}) == to_rgba("purple")
    assert face({"C": "purple"}) == to_rgba("#009980")


@pytest.mark.parametrize("length", [1, 6, 30, 101])
def test_axes_cover_the_columns_and_label_positions(length):
    p = np.random.default_rng(3).dirichlet(np.ones(4), size=length)
    ax = plot_logo(p, start=5)
    assert ax.get_xlim() == (4.5, 4.5 + length)
    assert ax.get_ylim() == (0.0, 2.0)
    assert ax.get_ylabel() == "bits"
    assert ax.get_xlabel() == "position"
    ax.figure.canvas.draw()
    ticks = [t for t in ax.get_xticks() if 4.5 <= t <= 4.5 + length]
    assert ticks
    assert all(t == int(t) for t in ticks)
    # Labels side by side must not touch.
    extents = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
    extents = sorted((e.x0, e.x1) for e in extents)
    assert all(a[1] < b[0] for a, b in pairwise(extents))


@pytest.mark.parametrize("length", [6, 12, 30, 101])
def test_a_full_column_of_a_new_figure_is_not_squeezed(length):
    ax = plot_logo(np.tile([1.0, 0, 0, 0], (length, 1)))
    ax.figure.canvas.draw()
    width, height = np.abs(ax.transData.transform((FILL, 2.0)) - ax.transData.transform((0.0, 0.0)))
    natural = unit_glyph("A")[2]
    # The tallest letter may be up to ten times as slender as the font's own, as in printed logos; never wider.
    assert 0.1 * natural < width / height < 2.0 * natural


def test_own_limits_are_kept():
    assert plot_logo([[1, 0, 0, 0]], ylim=(-1, 3)).get_ylim() == (-1.0, 3.0)


@pytest.mark.parametrize("letter", "ACGTN")
def test_unit_glyph_is_cached_read_only_and_fills_the_square(letter):
    vertices, codes, aspect = unit_glyph(letter)
    assert unit_glyph(letter)[0] is vertices
    assert not vertices.flags.writeable
    assert len(vertices) == len(codes)
    assert vertices.min() == 0.0
    assert vertices.max() == 1.0
    assert 0.5 < aspect < 1.5


def test_inputs_are_not_changed():
    values = COUNTS.copy()
    values.setflags(write=False)
    plot_logo(values)
    np.testing.assert_array_equal(values, COUNTS)


@pytest.mark.parametrize(
    ("matrix", "kind", "error", "words"),
    [
        (np.zeros((4, 7)), "weight", ShapeError, r"\(L, 4\).*got shape \(4, 7\); transpose"),
        (np.zeros((0, 4)), "weight", ShapeError, r"got shape \(0, 4\)"),
        (np.zeros(4), "weight", ShapeError, r"got shape \(4,\)"),
        ([[1, 2], [3]], "weight", ShapeError, "rectangular"),
        ("ACGT", "weight", ShapeError, "rectangular array of real numbers; got str"),
        (np.zeros((2, 4), complex), "weight", ShapeError, "real numbers"),
        ([[0, 1, np.nan, 0]], "weight", InvalidArgumentError, r"finite; got nan at index \(0, 2\)"),
        ([[0, 1, 0, np.inf]], "information", InvalidArgumentError, "finite; got inf"),
        ([[0, 1, -2, 0]], "information", InvalidArgumentError, r"-2.0 at index \(0, 2\).*kind='weight'"),
        ([[0, 1, 0, 0]], "entropy", InvalidArgumentError, "kind must be one of.*'entropy'"),
    ],
)
def test_bad_matrices(matrix, kind, error, words):
    with pytest.raises(error, match=words):
        plot_logo(matrix, kind=kind)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colors": "rainbow"}, "colors must be one of.*'rainbow'"),
        ({"colors": {"A": "no colour"}}, r"colors\['A'\]"),
        ({"colors": {"X": "red"}}, "key 'X'"),
        ({"colors": 3}, "palette's name or a mapping; got int"),
        ({"shade_below": 2}, "shade_below must be between 0 and 1; got 2"),
        ({"fade_below": -0.1}, "fade_below"),
        ({"ax": "here"}, "ax must be a matplotlib Axes or None; got str"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(InvalidArgumentError, match=words):
        plot_logo(COUNTS, **options)


def test_a_motif_whose_fields_disagree():
    broken = motif()
    broken.information_content = np.ones(3)
    with pytest.raises(ShapeError, match=r"information_content must be \(4,\); got shape \(3,\)"):
        plot_logo(broken)


def test_attribution_takes_the_present_letters():
    values = np.arange(12, dtype=float).reshape(3, 4) - 5
    weights = attribution_weights(values, "gNt")
    np.testing.assert_array_equal(weights, [[0, 0, -3, 0], [0, 0, 0, 0], [0, 0, 0, 6]])
    np.testing.assert_array_equal(attribution_weights([-3.0, 9.0, 6.0], "GNU"), weights)
    np.testing.assert_array_equal(attribution_weights([-3.0, 9.0, 6.0], np.array([2, 4, 3], np.uint8)), weights)
    np.testing.assert_array_equal(attribution_weights(values), values)
    np.testing.assert_array_equal(attribution_weights(values[None], "gNt"), weights)
    result = SimpleNamespace(values=values[None], projected=np.zeros((1, 3)))
    np.testing.assert_array_equal(attribution_weights(result, "gNt"), weights)


def test_attribution_draws_signed_letters():
    ax = plot_attribution([0.5, -0.2, 1.0], "GAT", title="$x_1$")
    drawn = boxes(ax)
    assert sorted(drawn) == ["A", "G", "T"]
    assert drawn["A"][0, 3] <= 0 <= drawn["G"][0, 1]
    assert ax.get_ylabel() == "attribution"
    assert ax.get_title() == "$x_1$"


@pytest.mark.parametrize(
    ("values", "sequence", "error", "words"),
    [
        ([0.5, 1.0], None, InvalidArgumentError, r"\(L,\) need the sequence"),
        ([0.5, 1.0], "ACG", ShapeError, "2 positions; got 3"),
        (np.zeros((2, 5, 4)), None, ShapeError, r"one sequence; got shape \(2, 5, 4\)"),
        ([0.5, 1.0], "A-", InvalidArgumentError, "got '-', .* at position 1"),
        ([0.5, 1.0], "Aß", InvalidArgumentError, "got 'ß', .* at position 1"),
        ([0.5, 1.0], np.array([0, 7]), InvalidArgumentError, "codes 0-4; got 7 at position 1"),
        ([0.5, 1.0], ["A", "C"], ShapeError, "one str or uint8 codes"),
        ([], "", ShapeError, "got shape"),
    ],
)
def test_bad_attributions(values, sequence, error, words):
    with pytest.raises(error, match=words):
        plot_attribution(values, sequence)


def test_hundred_columns_are_quick():
    values = np.random.default_rng(4).normal(size=(101, 4))
    ax = plt.figure().add_subplot()
    plot_logo(values, ax, "weight")
    times = []
    for _ in range(5):
        began = perf_counter()
        plot_logo(values, ax, "weight")
        times.append(perf_counter() - began)
    # The bar is 50 ms on an idle machine; the factor of ten leaves room for a loaded one.
    assert min(times) < 0.5
