"""What a dashboard holds, and what is asked of the models for it. Mirrors plots/_dashboard_data.py.

The models and the rooms that compute are stand-ins here: figures are tested on made-up arrays.
"""

import sys
from collections import namedtuple
from types import ModuleType, SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import deepmotif
from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots import plot_dashboard
from deepmotif.plots._dashboard_data import as_hits, named_models
from deepmotif.plots.dashboard import DashboardData, ModelPanel

MOTIF = np.array([[1, 1, 8, 0], [10, 0, 0, 0], [0, 0, 0, 10], [9, 1, 0, 0], [7, 1, 1, 1]], float)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def by_label(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def test_hits_take_tables_and_join_strands():
    assert as_hits([(2, 5), (0, 3, "-"), (2, 5, ".")], 9) == ((0, 3, "-"), (2, 5, ""))
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"start": [4, 1], "end": [6, 3], "strand": ["+", "-"], "score": [1.0, 2.0]})
    assert as_hits(table, 9) == ((1, 3, "-"), (4, 6, "+"))


@pytest.mark.parametrize(
    ("hits", "words"),
    [
        ([(1, 2), (5, 3)], r"hits\[1\] must lie in 0..9.*got 5..3"),
        ([(0, 10)], "got 0..10"),
        ([(-1, 4)], "got -1..4"),
        ([(0.5, 4)], r"hits\[0\] must be \(start, end\)"),
        ([7], "got 7"),
        ([(1, 2, "+", 3)], "must be"),
        ([(1, 2, "x")], "strand '\\+', '-' or '.'; got 'x'"),
    ],
)
def test_bad_hits(hits, words):
    with pytest.raises(InvalidArgumentError, match=words):
        as_hits(hits, 9)


@pytest.mark.parametrize(
    ("panel", "error", "words"),
    [
        (ModelPanel("m", 1.5, np.ones(4)), InvalidArgumentError, "probability of m must be in 0..1; got 1.5"),
        (ModelPanel("m", np.nan, np.ones(4)), InvalidArgumentError, "probability of m"),
        (ModelPanel("m", 0.5, np.ones(3)), ShapeError, r"saliency of m must be \(4,\).*got shape \(1, 3\)"),
        (ModelPanel("m", 0.5, np.ones(4), np.ones((3, 5))), ShapeError, "optimized of m must be"),
        (ModelPanel("m", 0.5, np.ones(4), -np.ones((3, 4))), InvalidArgumentError, "probabilities or counts"),
        (ModelPanel("m", 0.5, np.ones(4), None, np.ones(4)), InvalidArgumentError, "both forward and backward"),
        (ModelPanel("m", 0.5, np.ones(4), None, np.ones(3), np.ones(3)), ShapeError, "forward of m"),
    ],
)
def test_bad_panels(panel, error, words):
    with pytest.raises(error, match=words):
        DashboardData("ACGT", [panel])


def test_no_models():
    with pytest.raises(InvalidArgumentError, match="at least one model"):
        DashboardData("ACGT", [])


# MARK: from models to arrays, with stand-ins for the models and the views

Scores = namedtuple("Scores", "forward backward")


class CNN:
    is_recurrent = False

    def _resolve_target(self, target):
        return 1 if target is None else target

    def predict_proba(self, X):
        assert X == ["ACGTACGTAC"]
        return np.array([[0.25, 0.75]])


class CNNRNN(CNN):
    is_recurrent = True


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins for the rooms that compute; the list records what was asked of them."""
    asked = []

    def saliency(model, X, target=None):
        asked.append(("saliency", type(model).__name__, target))
        return np.arange(10.0)[None]

    def temporal_scores(model, X, target=None):
        asked.append(("temporal", type(model).__name__, target))
        return Scores(np.full((1, 10), 0.25), np.full((1, 10), 0.75))

    def class_optimization(model, target=None, **options):
        asked.append(("optimization", type(model).__name__, target, options))
        return SimpleNamespace(pwm=np.stack([np.full((10, 4), 0.25), np.tile(MOTIF, (2, 1)) / 10]), best=1)

    def find_hits(motif, codes, p_value):
        asked.append(("hits", motif.name, codes.tolist(), p_value))
        return [(2, 7, "+")]

    views, motifs = ModuleType("deepmotif.views"), ModuleType("deepmotif.motifs")
    views.saliency, views.temporal_scores, views.class_optimization = saliency, temporal_scores, class_optimization
    motifs.find_hits = find_hits
    motifs.Motif = lambda probabilities: SimpleNamespace(probabilities=probabilities, name="wrapped")
    for name, module in (("views", views), ("motifs", motifs)):
        monkeypatch.setitem(sys.modules, f"deepmotif.{name}", module)
        monkeypatch.setattr(deepmotif, name, module, raising=False)
    return asked


def test_views_are_asked_of_every_model(calls):
    chosen = {"class_optimization_options": {"steps": 7}, "random_state": 3}
    figure = plot_dashboard([CNN(), CNNRNN()], "ACGTACGTAC", MOTIF, **chosen)
    options = {"restarts": 8, "parametrization": "softmax", "length": 10, "random_state": 3, "steps": 7}
    assert calls == [
        ("hits", "wrapped", [0, 1, 2, 3, 0, 1, 2, 3, 0, 1], 1e-3),
        ("optimization", "CNN", None, options),
        ("saliency", "CNN", None),
        ("optimization", "CNNRNN", None, options),
        ("saliency", "CNNRNN", None),
        ("temporal", "CNNRNN", None),
    ]
    axes = by_label(figure)
    assert "forward CNN-RNN" in axes
    assert "forward CNN" not in axes
    assert axes["saliency CNN"].texts[0].get_text() == "CNN   P(positive) = 0.750"
    # The best restart, not the first: its columns hold information.
    assert axes["optimized CNN"].collections


def test_what_is_given_is_not_computed(calls):
    given = {"a": np.tile(MOTIF, (2, 1)), "b": None}
    plot_dashboard({"a": CNN(), "b": CNN()}, "ACGTACGTAC", MOTIF, optimizations=given, hits=[(0, 5)], target=0)
    assert calls == [("saliency", "CNN", 0), ("saliency", "CNN", 0)]
    calls.clear()
    axes = by_label(plot_dashboard(CNN(), "ACGTACGTAC", optimizations=False))
    assert calls == [("saliency", "CNN", None)]
    assert "optimized CNN" not in axes


def test_a_target_names_the_probability(calls):
    axes = by_label(plot_dashboard([CNN()], "ACGTACGTAC", target=0, optimizations=False))
    assert axes["saliency CNN"].texts[0].get_text() == "CNN   P(0) = 0.250"


def test_models_of_a_list_are_named_after_their_classes():
    assert list(named_models([CNN(), CNNRNN(), CNN(), CNN()])) == ["CNN", "CNN-RNN", "CNN 2", "CNN 3"]
    assert list(named_models({"my $x$": CNN()})) == ["my $x$"]
    assert list(named_models((CNN(),))) == ["CNN"]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([], "ACGTACGTAC"), {}, InvalidArgumentError, "at least one model"),
        (({}, "ACGTACGTAC"), {}, InvalidArgumentError, "at least one model"),
        ((3, "ACGTACGTAC"), {}, InvalidArgumentError, "list or dict of fitted models; got int"),
        (("CNN", "ACGTACGTAC"), {}, InvalidArgumentError, "list or dict of fitted models; got str"),
        (([3], "ACGTACGTAC"), {}, InvalidArgumentError, r"models\['int'\] must be a fitted model; got int"),
        (([CNN()], ["ACGT"]), {}, InvalidArgumentError, "sequence must be one str; got list"),
        (([CNN()], ""), {}, ShapeError, "at least one letter"),
        (([CNN()], "ACG*"), {}, InvalidArgumentError, r"got '\*', .* at position 3"),
        (
            ([CNN()], "ACGTACGTAC"),
            {"optimizations": {"b": MOTIF}},
            InvalidArgumentError,
            "names 'b', which is no model",
        ),
        (([CNN()], "ACGTACGTAC"), {"optimizations": 3}, InvalidArgumentError, "optimizations must be a dict"),
        (([CNN()], "ACGTACGTAC"), {"hits": [(0, 99)]}, InvalidArgumentError, "0..10"),
    ],
)
def test_bad_calls(calls, arguments, options, error, words):
    with pytest.raises(error, match=words):
        plot_dashboard(*arguments, **options)
    assert plt.get_fignums() == []
