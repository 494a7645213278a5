"""Learning curves: lines, the marked epoch, legends, errors. Mirrors deepmotif/plots/training.py."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from deepmotif.exceptions import InvalidArgumentError, NotFittedError, ShapeError
from deepmotif.plots import plot_history

HISTORY = {
    "loss": [0.7, 0.5, 0.4],
    "val_loss": [0.65, 0.55, 0.6],
    "auc": [0.6, 0.8, 0.9],
    "val_auc": [0.6, 0.7, 0.75],
    "learning_rate": [0.01] * 3,
    "seconds": [1.0] * 3,
}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_both_panels_show_train_and_validation():
    axes = plot_history(HISTORY, title="$a_b$")
    assert axes.shape == (2,)
    for ax, key, label in zip(axes, ("loss", "auc"), ("loss", "ROC AUC"), strict=True):
        drawn = lines(ax)
        np.testing.assert_array_equal(drawn[f"train {label}"].get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(drawn[f"train {label}"].get_ydata(), HISTORY[key])
        np.testing.assert_array_equal(drawn[f"validation {label}"].get_ydata(), HISTORY["val_" + key])
        assert ax.get_legend() is not None
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", label)
    assert axes[0].figure.get_suptitle() == "$a_b$"


@pytest.mark.parametrize(
    ("model", "best"),
    [
        (HISTORY, 3),
        ({**HISTORY, "val_auc": None}, 2),
        (SimpleNamespace(history_=HISTORY, best_epoch_=0), 1),
        (SimpleNamespace(history_=HISTORY), 3),
        ({"loss": [0.3, 0.2], "auc": [0.5, 0.6]}, None),
        (SimpleNamespace(history_={"loss": [0.3, 0.2], "val_loss": [np.nan] * 2}, best_epoch_=1), None),
        ({**HISTORY, "val_auc": [None, 0.7, float("nan")]}, 2),
    ],
)
def test_the_best_epoch_is_marked(model, best):
    for ax in plot_history(model):
        marked = [label for label in lines(ax) if label.startswith("best epoch")]
        assert marked == ([] if best is None else [f"best epoch ({best})"])
        if best is not None:
            np.testing.assert_array_equal(lines(ax)[marked[0]].get_xdata(), [best, best])


def test_an_epoch_can_be_chosen():
    assert "best epoch (2)" in lines(plot_history(HISTORY, best_epoch=1)[0])


def test_one_axes_gets_a_second_scale_and_one_legend():
    figure, (first, second) = plt.subplots(1, 2)
    plt.sca(second)
    axes = plot_history(HISTORY, first)
    assert axes[0] is first
    assert axes[1].get_ylabel() == "ROC AUC"
    assert plt.gca() is second
    texts = [t.get_text() for t in axes[1].get_legend().get_texts()]
    assert texts == ["train loss", "validation loss", "best epoch (3)", "train ROC AUC", "validation ROC AUC"]
    assert len(figure.axes) == 3


def test_a_pair_of_axes_is_used_as_given():
    _, pair = plt.subplots(2, 1)
    axes = plot_history(HISTORY, pair)
    assert list(axes) == list(pair)


def test_one_epoch_is_a_point_and_missing_validation_no_line():
    axes = plot_history({"loss": [0.5], "val_loss": [None], "auc": [0.6]})
    assert list(lines(axes[0])) == ["train loss"]
    assert lines(axes[0])["train loss"].get_marker() == "o"


@pytest.mark.filterwarnings("error")
def test_a_panel_without_values_says_so():
    axes = plot_history({"loss": [0.5, 0.4], "auc": [float("nan")] * 2})
    assert [t.get_text() for t in axes[1].texts] == ["not recorded"]
    assert axes[1].get_legend() is None
    assert not axes[0].texts


@pytest.mark.parametrize(
    ("model", "options", "error", "words"),
    [
        (SimpleNamespace(), {}, NotFittedError, "SimpleNamespace has no history_"),
        ({}, {}, InvalidArgumentError, "at least one of loss, val_loss, auc, val_auc"),
        ({"loss": []}, {}, ShapeError, "length of at least 1"),
        ({"loss": [1.0], "auc": [0.5, 0.6]}, {}, ShapeError, "'loss': 1, 'auc': 2"),
        ({"loss": ["low"]}, {}, ShapeError, r"history\['loss'\] must be a list of numbers"),
        (HISTORY, {"best_epoch": 3}, InvalidArgumentError, r"best_epoch must be an index in 0..2; got 3"),
        (HISTORY, {"ax": [1, 2, 3]}, InvalidArgumentError, "one Axes or a pair; got 3"),
        (HISTORY, {"ax": [1, 2]}, InvalidArgumentError, "ax must be a matplotlib Axes"),
    ],
)
def test_bad_input(model, options, error, words):
    with pytest.raises(error, match=words):
        plot_history(model, **options)
    assert plt.get_fignums() == []
