"""What holds for every figure: no global state changed, nothing shown, and PNG, PDF and SVG files come out."""

import io
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import deepmotif as dm
from deepmotif import plots
from deepmotif.plots.dashboard import DashboardData, ModelPanel, draw_dashboard

RNG = np.random.default_rng(11)
LENGTH = 12
SEQUENCE = "ACGTNACGTACG"
SIMILARITY = np.corrcoef(RNG.normal(size=(6, 9)))
RESULT = SimpleNamespace(
    fiv=RNG.normal(size=(2, 3)), ofiv=RNG.normal(size=3), inconsistency=RNG.random(3), weights=np.array([1.0, 2.0]),
    non_additive=np.array([False, True, False]), n_components=2, target="bound", layer="max_pool1d_0",
    maps=RNG.normal(size=(2, 7, 3)), ranking=np.arange(3),
)  # fmt: skip
PAIRS = SimpleNamespace(
    names=["a", "b", "$c$"], pairs=np.array([[0, 1], [0, 2], [1, 2]]), effect_with=RNG.normal(size=(3, 2)),
    effect_without=RNG.normal(size=(3, 2)), interaction=np.array([-1.0, 0.2, np.nan]),
    exclusive=np.array([True, False, False]),
)  # fmt: skip
CALLS = {
    "plot_logo": lambda ax: plots.plot_logo(RNG.random((LENGTH, 4)), ax),
    "plot_attribution": lambda ax: plots.plot_attribution(RNG.normal(size=LENGTH), SEQUENCE, ax),
    "plot_saliency": lambda ax: plots.plot_saliency(RNG.random((2, LENGTH)), SEQUENCE, ax, labels=["a", "b"]),
    "plot_temporal": lambda ax: plots.plot_temporal(RNG.random((2, LENGTH)), SEQUENCE, ax),
    "plot_history": lambda ax: plots.plot_history({"loss": [0.6, 0.5], "auc": [0.7, 0.8], "val_auc": [0.6, 0.7]}, ax),
    "plot_interactions": lambda ax: plots.plot_interactions(PAIRS, ax),
    "plot_ofiv": lambda ax: plots.plot_ofiv(RESULT, ax),
    "plot_feature_map": lambda ax: plots.plot_feature_map(RESULT, ax),
    "plot_class_similarity": lambda ax: plots.plot_class_similarity(SIMILARITY, ax),
    "plot_class_biclusters": lambda ax: plots.plot_class_biclusters(SIMILARITY, dm.class_biclusters(SIMILARITY), ax),
    "plot_association_counts": lambda ax: plots.plot_association_counts([3, 1, 2], [0, 2, 1], ax),
}
# Figures of several axes, which take none.
FIGURES = {
    "plot_dashboard": lambda: dashboard(),
    "plot_deepresolve": lambda: plots.plot_deepresolve(RESULT),
    "plot_filters": lambda: plots.plot_filters([dm.Motif(RNG.dirichlet(np.ones(4), 6), name=name) for name in "ab"]),
    "plot_class_clusters": lambda: plots.plot_class_clusters(SIMILARITY, dm.class_clusters(SIMILARITY)),
    "plot_similarity_comparison": lambda: plots.plot_similarity_comparison({"a": SIMILARITY, "b": -SIMILARITY}),
}


def dashboard():
    panel = ModelPanel("RNN", 0.5, RNG.random(LENGTH), RNG.random((LENGTH, 4)), *RNG.random((2, LENGTH)))
    return draw_dashboard(DashboardData(SEQUENCE, [panel], RNG.random((5, 4)), [(0, 5, "+")]), title="$x$")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_every_function_of_the_package_is_checked_here():
    assert sorted([*CALLS, *FIGURES]) == sorted(plots.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_a_given_axes_is_used_and_the_rest_left_alone(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show was called"))
    figure, (ours, current) = plt.subplots(1, 2)
    other = plt.figure()
    plt.figure(figure.number)
    plt.sca(current)
    settings, numbers = dict(mpl.rcParams), plt.get_fignums()
    returned = CALLS[name](ours)
    assert returned is ours or returned[0] is ours
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == numbers
    assert plt.gcf() is figure
    assert plt.gca() is current
    assert not current.has_data()
    assert other.axes == []


@pytest.mark.parametrize("name", CALLS)
def test_an_axes_outside_pyplot_will_do(name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    CALLS[name](figure.subfigures(1, 2)[1].subplots())
    figure.canvas.draw()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", CALLS)
def test_without_an_axes_one_new_figure_is_made(name):
    settings = dict(mpl.rcParams)
    returned = CALLS[name](None)
    assert plt.get_fignums() == [1]
    assert np.ravel(returned)[0].figure is plt.figure(1)
    assert dict(mpl.rcParams) == settings


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
@pytest.mark.parametrize("name", [*CALLS, *FIGURES])
def test_every_figure_can_be_saved(name, kind):
    made = FIGURES[name]() if name in FIGURES else CALLS[name](None)
    figure = made if hasattr(made, "savefig") else np.ravel(made)[0].figure
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format=kind, bbox_inches="tight")
    start = file.getvalue()[:400]
    assert {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[kind] in start


def test_names_survive_an_svg_file_as_they_are():
    import xml.etree.ElementTree as ElementTree

    names = ["a$b_c$", "<script>&\x00\x1b[1m\ud800", "tab\there"]
    ax = plots.plot_saliency(RNG.random((3, LENGTH)), labels=names, title="$\\frac{")
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        ax.figure.savefig(file, format="svg")
    texts = "".join(ElementTree.fromstring(file.getvalue()).itertext())
    for shown in ("a$b_c$", "<script>&", "tab here", "$\\frac{"):
        assert shown in texts


@pytest.mark.parametrize("name", FIGURES)
def test_whole_figures_change_no_settings(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show was called"))
    settings = dict(mpl.rcParams)
    FIGURES[name]()
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == [1]


def test_importing_the_figures_does_not_import_pyplot():
    program = "import deepmotif.plots, sys; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(p for p in sys.path if p)})
