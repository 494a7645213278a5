"""Strips: cells, scales, bases and labels of saliency and temporal figures. Mirrors deepmotif/plots/strips.py."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.collections import QuadMesh

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots import plot_saliency, plot_temporal
from deepmotif.plots._glyphs import BaseLetters, unit_glyph

RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def mesh_of(ax):
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return mesh


def letters_of(ax):
    return {c.letter: c for c in ax.collections if isinstance(c, BaseLetters)}


@pytest.mark.parametrize("shape", [(1,), (41,), (1, 41), (3, 101)])
def test_each_value_is_the_cell_of_its_base(shape):
    values = RNG.random(shape)
    ax = plot_saliency(values, start=10)
    mesh = mesh_of(ax)
    rows = np.atleast_2d(values)
    np.testing.assert_array_equal(mesh.get_array(), rows)
    corners = mesh.get_coordinates()
    np.testing.assert_array_equal(corners[0, :, 0], 10 - 0.5 + np.arange(rows.shape[1] + 1))
    np.testing.assert_array_equal(corners[:, 0, 1], np.arange(len(rows) + 1))
    assert ax.get_xlim() == (9.5, 9.5 + rows.shape[1])
    # The first row is on top.
    assert ax.get_ylim() == (float(len(rows)), 0.0)


def test_bases_are_centred_under_their_cells():
    ax = plot_saliency(RNG.random((2, 6)), "gAnTCg", start=3)
    written = letters_of(ax)
    places = {letter: sorted(c.get_offsets()[:, 0].tolist()) for letter, c in written.items()}
    assert places == {"A": [4.0], "C": [7.0], "G": [3.0, 8.0], "T": [6.0], "N": [5.0]}
    for artist in written.values():
        y = artist.get_offsets()[:, 1]
        assert (y > 2).all()
        assert (y < ax.get_ylim()[0]).all()


@pytest.mark.parametrize("length", [5, 41, 101, 200])
def test_bases_keep_their_shape_and_stay_inside_their_cells(length):
    ax = plot_saliency(RNG.random(length), RNG.integers(0, 4, length))
    ax.figure.canvas.draw()
    cell = np.abs(np.diff(ax.transData.transform([(0, 0), (1, 0.9)]), axis=0)[0])
    for letter, artist in letters_of(ax).items():
        width, height = artist.glyph_pixels()
        assert width / height == pytest.approx(unit_glyph(letter)[2])
        assert width < cell[0]
        assert height < cell[1]
        assert artist.is_legible()
        np.testing.assert_allclose(artist.get_transform().to_values()[:4:3], (width, height))


def test_bases_too_narrow_to_read_are_left_out():
    figure, ax = plt.subplots(figsize=(4, 1))
    plot_saliency(RNG.random(1000), RNG.integers(0, 4, 1000), ax)
    figure.canvas.draw()
    assert not any(artist.is_legible() for artist in letters_of(ax).values())
    ax.set_xlim(99.5, 119.5)
    assert all(artist.is_legible() for artist in letters_of(ax).values())


def test_unsigned_scale_starts_at_zero_and_signed_is_symmetric():
    unsigned = mesh_of(plot_saliency([0.2, 0.8]))
    assert (unsigned.norm.vmin, unsigned.norm.vmax) == (0.0, 0.8)
    signed = mesh_of(plot_saliency([0.2, -0.8]))
    assert (signed.norm.vmin, signed.norm.vmax) == (-0.8, 0.8)
    assert signed.get_cmap()(0.5)[:3] == pytest.approx((1, 1, 1), abs=1 / 128)
    assert mesh_of(plot_saliency([0.0, 0.0])).norm.vmax == 1.0
    assert mesh_of(plot_saliency([0.2, 0.8], vmax=4)).norm.vmax == 4


def test_normalize_divides_each_row_by_its_own_largest():
    ax = plot_saliency([[1.0, 4.0], [0.0, 0.0], [0.5, 0.25]], normalize=True)
    np.testing.assert_array_equal(mesh_of(ax).get_array(), [[0.25, 1.0], [0.0, 0.0], [1.0, 0.5]])
    assert mesh_of(ax).norm.vmax == 1.0


def test_labels_are_written_as_they_are():
    names = ["CNN_$x$", "a\\$b\nc", "RNN"]
    ax = plot_saliency(RNG.random((3, 9)), labels=names, title="$t_1$")
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["CNN_$x$", "a\\$b c", "RNN"]
    assert not any(t.get_parse_math() for t in [*ax.get_yticklabels(), ax.title])
    assert ax.get_title() == "$t_1$"


def test_the_scale_is_shown_without_moving_the_axes():
    figure, axes = plt.subplots(2, 1)
    before = axes[0].get_position().bounds
    plot_saliency(RNG.random(9), ax=axes[0])
    assert axes[0].get_position().bounds == before
    assert mesh_of(axes[0]).colorbar is not None
    assert mesh_of(axes[0]).colorbar.ax.get_ylabel() == "saliency"
    assert mesh_of(plot_saliency(RNG.random(9), ax=axes[1], colorbar=False)).colorbar is None
    assert figure.axes == list(axes)


@pytest.mark.parametrize("count", [1, 3])
def test_temporal_rows_alternate_on_a_fixed_scale(count):
    forward, backward = RNG.random((2, count, 12))
    ax = plot_temporal(SimpleNamespace(forward=forward, backward=backward), "ACGTACGTACGT")
    mesh = mesh_of(ax)
    np.testing.assert_array_equal(mesh.get_array()[0::2], forward)
    np.testing.assert_array_equal(mesh.get_array()[1::2], backward)
    assert (mesh.norm.vmin, mesh.norm.vmax) == (0.0, 1.0)
    assert mesh.colorbar.ax.get_ylabel() == "P(positive)"
    assert sorted(letters_of(ax)) == ["A", "C", "G", "T"]


def test_temporal_colours_run_blue_white_red():
    blue, white, red = mesh_of(plot_temporal(([0.0, 1.0], [0.5, 0.5]))).get_cmap()([0.0, 0.5, 1.0])[:, :3]
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    assert white.min() > 0.99


def test_temporal_takes_pairs_and_names():
    pair = RNG.random((2, 5))
    ax = plot_temporal(pair)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["forward →", "← backward"]
    ax = plot_temporal((pair, pair), labels=["RNN", "$b$"])
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "RNN  forward →",
        "RNN  ← backward",
        "$b$  forward →",
        "$b$  ← backward",
    ]


@pytest.mark.parametrize(
    ("values", "options", "error", "words"),
    [
        ([], {}, ShapeError, r"\(L,\) or \(M, L\).*got shape \(1, 0\)"),
        (np.zeros((2, 3, 4)), {}, ShapeError, r"got shape \(2, 3, 4\)"),
        ([0.1, np.nan], {}, InvalidArgumentError, r"finite; got nan at index \(1,\)"),
        ([0.1, 0.2], {"sequence": "ACG"}, ShapeError, "2 positions; got 3"),
        ([0.1, 0.2], {"sequence": "A!"}, InvalidArgumentError, "'!', .* at position 1"),
        ([0.1, 0.2], {"labels": ["a", "b"]}, ShapeError, "every row, 1 in all; got 2"),
        ([0.1, 0.2], {"vmax": 0}, InvalidArgumentError, "vmax must be a positive number; got 0"),
        ([0.1, 0.2], {"ax": 3}, InvalidArgumentError, "ax must be"),
    ],
)
def test_bad_saliency(values, options, error, words):
    with pytest.raises(error, match=words):
        plot_saliency(values, **options)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        (([0.1, 0.2], [0.1]), ShapeError, r"one shape; got \(1, 2\) and \(1, 1\)"),
        (([0.1, 1.2], [0.1, 0.2]), InvalidArgumentError, "forward must hold probabilities 0..1; got 0.1 to 1.2"),
        (([0.1, 0.2], [-0.1, 0.2]), InvalidArgumentError, "backward must hold"),
        (([0.1, 0.2],), ShapeError, "pair"),
        (3.0, ShapeError, "pair"),
    ],
)
def test_bad_temporal(result, error, words):
    with pytest.raises(error, match=words):
        plot_temporal(result)
