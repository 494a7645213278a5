"""The dashboard drawn from arrays: rows, alignment, hit boxes, scales, texts. Mirrors plots/dashboard.py."""

from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.collections import QuadMesh

from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._dashboard_layout import best_window
from deepmotif.plots._glyphs import BaseLetters
from deepmotif.plots.dashboard import DashboardData, ModelPanel, draw_dashboard

MOTIF = np.array([[1, 1, 8, 0], [10, 0, 0, 0], [0, 0, 0, 10], [9, 1, 0, 0], [7, 1, 1, 1]], float)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def made_up(length=101, names=("CNN", "RNN", "CNN-RNN"), hits=((10, 15, "+"), (40, 45, "-"), (40, 45, "+")), seed=0):
    rng = np.random.default_rng(seed)
    panels = []
    for name in names:
        temporal = rng.random((2, length)) if "RNN" in name else (None, None)
        optimized = rng.dirichlet(np.ones(4), size=length)
        panels.append(ModelPanel(name, rng.random(), rng.random(length) * rng.uniform(0.1, 9), optimized, *temporal))
    p = MOTIF / MOTIF.sum(axis=1, keepdims=True)
    motif = SimpleNamespace(name="MA0035.4 GATA1_$x$", probabilities=p, information_content=np.ones(len(p)))
    return DashboardData("".join(rng.choice(list("ACGTN"), length)), panels, motif, [h for h in hits if h[1] <= length])


def by_label(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def mesh_of(ax):
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return mesh


def strips_of(figure):
    kinds = ("saliency ", "forward ", "backward ")
    return {k: ax for k, ax in by_label(figure).items() if k.startswith(kinds) and not k.endswith(" scale")}


def test_rows_from_top_to_bottom():
    figure = draw_dashboard(made_up())
    axes = by_label(figure)
    expected = [
        "motif", "window CNN", "window RNN", "window CNN-RNN",
        "optimized CNN", "optimized RNN", "optimized CNN-RNN",
        "sequence", "saliency CNN", "saliency RNN", "saliency CNN-RNN",
        "forward RNN", "backward RNN", "forward CNN-RNN", "backward CNN-RNN",
        "saliency scale", "temporal scale",
    ]  # fmt: skip
    assert list(axes) == expected
    tops = [axes[name].get_position().y1 for name in expected]
    assert all(a >= b for a, b in pairwise(tops))
    # Rows do not run into one another.
    single = expected[4:15]
    for above, below in pairwise(single):
        assert axes[above].get_position().y0 > axes[below].get_position().y1
    assert all(0 <= c <= 1 for ax in axes.values() for c in ax.get_position().extents)


@pytest.mark.parametrize("length", [6, 101, 200, 1000])
def test_every_strip_is_aligned_to_the_base(length):
    data = made_up(length)
    figure = draw_dashboard(data)
    figure.canvas.draw()
    axes = by_label(figure)
    reference = axes["sequence"]
    aligned = {"optimized CNN": axes["optimized CNN"], **strips_of(figure)}
    at = np.column_stack([np.arange(length) + 0.0, np.zeros(length)])
    x = reference.transData.transform(at)[:, 0]
    for ax in aligned.values():
        # The same arithmetic on the same place: equal but for the rounding of pixel coordinates up to 3,000.
        np.testing.assert_allclose(ax.transData.transform(at)[:, 0], x, rtol=0, atol=3000 * 8 * np.finfo(float).eps)
    for name, ax in strips_of(figure).items():
        edges = mesh_of(ax).get_coordinates()[0, :, 0]
        np.testing.assert_array_equal((edges[1:] + edges[:-1]) / 2, np.arange(length), err_msg=name)
    letters = [c for c in reference.collections if isinstance(c, BaseLetters)]
    for letter in letters:
        code = "ACGTN".index(letter.letter)
        np.testing.assert_array_equal(letter.get_offsets()[:, 0], np.flatnonzero(data.codes == code))


def test_strips_show_their_values_on_one_scale_a_kind():
    data = made_up()
    figure = draw_dashboard(data)
    strips = strips_of(figure)
    for panel in data.models:
        values = mesh_of(strips[f"saliency {panel.name}"]).get_array()
        np.testing.assert_array_equal(values[0], panel.saliency / panel.saliency.max())
    np.testing.assert_array_equal(mesh_of(strips["forward RNN"]).get_array()[0], data.models[1].forward)
    np.testing.assert_array_equal(mesh_of(strips["backward RNN"]).get_array()[0], data.models[1].backward)
    limits = {(k.split()[0] == "saliency", mesh_of(ax).norm.vmin, mesh_of(ax).norm.vmax) for k, ax in strips.items()}
    assert limits == {(True, 0.0, 1.0), (False, 0.0, 1.0)}
    axes = by_label(figure)
    assert "largest of the strip" in axes["saliency scale"].get_title(loc="left")
    assert "P(positive)" in axes["temporal scale"].get_title(loc="left")


def test_absolute_saliency_shares_the_largest_of_all_models():
    data = made_up()
    figure = draw_dashboard(data, normalize=False)
    largest = max(panel.saliency.max() for panel in data.models)
    for panel in data.models:
        mesh = mesh_of(strips_of(figure)[f"saliency {panel.name}"])
        np.testing.assert_array_equal(mesh.get_array()[0], panel.saliency)
        assert mesh.norm.vmax == largest


def test_hits_are_boxed_once_per_place():
    figure = draw_dashboard(made_up())
    axes = by_label(figure)
    boxes = [p for p in axes["sequence"].patches if p.get_gid() == "hit"]
    assert [(p.get_x(), p.get_width()) for p in boxes] == [(9.5, 5), (39.5, 5)]
    assert [t.get_text() for t in axes["sequence"].texts] == ["+", "±"]
    minus = by_label(draw_dashboard(made_up(hits=((3, 8, "-"), (9, 12)))))["sequence"]
    assert [t.get_text() for t in minus.texts] == ["\N{MINUS SIGN}", ""]
    edges = [float(line.get_xdata()[0]) for line in axes["saliency CNN"].lines]
    assert edges == [9.5, 14.5, 39.5, 44.5]


def test_each_strip_is_labelled_with_its_probability():
    data = DashboardData(
        "ACGTAC", [ModelPanel(n, p, np.ones(6)) for n, p in (("a", 0.25), ("b", 0.99999), ("c", 1e-7), ("d", 1.0))]
    )
    axes = by_label(draw_dashboard(data))
    labels = [axes[f"saliency {n}"].texts[0].get_text() for n in "abcd"]
    assert labels == [
        "a   P(positive) = 0.250",
        "b   P(positive) > 0.999",
        "c   P(positive) < 0.001",
        "d   P(positive) = 1.000",
    ]


def tick_labels(ax):
    """The tick labels that are drawn: those within the limits of an axis that shows them."""
    drawn = []
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        for tick, place in zip(axis.get_major_ticks(), axis.get_majorticklocs(), strict=True):
            if tick.label1.get_visible() and min(limits) <= place <= max(limits):
                drawn.append(tick.label1)
    return drawn


@pytest.mark.parametrize("length", [6, 101, 1000])
@pytest.mark.parametrize("names", [("CNN",), ("A_$model$ with a very long name", "CNN-RNN", "RNN", "CNN 2", "RNN 2")])
def test_no_two_texts_overlap_and_none_leaves_the_figure(length, names):
    figure = draw_dashboard(made_up(length, names, hits=((10, 15, "+"), (60, 65, "-"))), title="TF_$a_1$ & <co>")
    figure.canvas.draw()
    texts = list(figure.texts)
    for ax in figure.axes:
        # A title on the left has no public accessor but its text.
        texts += [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title, ax._left_title, *tick_labels(ax)]
    shown = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text() and t.get_visible()]
    assert len(shown) > 10
    page = figure.bbox
    for words, box in shown:
        assert min(box.x0 - page.x0, page.x1 - box.x1, box.y0 - page.y0, page.y1 - box.y1) >= 0, words
    for i, (words, box) in enumerate(shown):
        for other, second in shown[i + 1 :]:
            # Boxes of text include a pixel or two of empty ascent: only a real overlap counts.
            wide = min(box.x1, second.x1) - max(box.x0, second.x0)
            high = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert wide <= 1 or high <= 2, (words, other)


def test_readable_bases_are_letters_and_narrow_ones_become_bars():
    def has_bars(figure):
        return any(isinstance(c, QuadMesh) for c in by_label(figure)["sequence"].collections)

    assert not has_bars(draw_dashboard(made_up(200)))
    assert has_bars(draw_dashboard(made_up(1000)))
    assert not has_bars(draw_dashboard(made_up(1000), region=(400, 500)))


def test_a_region_limits_every_aligned_row():
    figure = draw_dashboard(made_up(300), region=(20, 80))
    axes = by_label(figure)
    for name in ("optimized CNN", "sequence", *strips_of(figure)):
        assert axes[name].get_xlim() == (19.5, 79.5)


def test_windows_show_the_most_informative_stretch():
    matrix = np.full((30, 4), 0.25)
    matrix[12:17] = MOTIF / MOTIF.sum(axis=1, keepdims=True)
    assert best_window(matrix, 5) == 12
    assert best_window(matrix, 99) == 0
    data = DashboardData("A" * 30, [ModelPanel("CNN", 0.5, np.ones(30), matrix)])
    window = by_label(draw_dashboard(data))["window CNN"]
    low, high = window.get_xlim()
    assert low <= 11.5
    assert high >= 16.5


def test_an_optimum_of_another_length_has_its_own_axis():
    data = DashboardData("A" * 30, [ModelPanel("CNN", 0.5, np.ones(30), np.tile(MOTIF, (9, 1)))])
    axes = by_label(draw_dashboard(data))
    assert axes["optimized CNN"].get_xlim() == (-0.5, 44.5)
    assert axes["sequence"].get_xlim() == (-0.5, 29.5)


def test_without_motif_optimum_and_lstm_only_the_sequence_and_saliency_remain():
    data = DashboardData("ACGT", [ModelPanel("CNN", 0.5, [0, 0, 0, 0])])
    assert list(by_label(draw_dashboard(data))) == ["sequence", "saliency CNN", "saliency scale"]


def test_size_follows_the_request_and_is_checked():
    figure = draw_dashboard(made_up(), figsize=(12, 7))
    assert tuple(figure.get_size_inches()) == (12, 7)
    with pytest.raises(InvalidArgumentError, match="inches wide for these labels"):
        draw_dashboard(made_up(), figsize=(1, 7))
    with pytest.raises(InvalidArgumentError, match="figsize must be"):
        draw_dashboard(made_up(), figsize=3)


@pytest.mark.parametrize("region", [(5, 5), (-1, 4), (0, 102), (3,), 7])
def test_bad_regions(region):
    with pytest.raises(InvalidArgumentError, match="region must"):
        draw_dashboard(made_up(), region=region)
