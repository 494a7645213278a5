"""The figure of interactions: what is drawn where, and what is left out."""

from types import SimpleNamespace

import numpy as np
import pytest

import deepmotif as dm

pytest.importorskip("matplotlib").use("Agg")


@pytest.fixture
def found():
    return SimpleNamespace(
        names=["one", "two", "three_$x$"],
        pairs=np.array([[1, 2], [0, 1], [0, 2]]),
        effect_without=np.array([[2.0, 1.0], [0.5, 0.2], [np.nan, np.nan]]),
        effect_with=np.array([[-1.0, -2.0], [0.7, 0.4], [np.nan, np.nan]]),
        interaction=np.array([-3.0, 0.2, np.nan]),
        exclusive=np.array([True, False, False]),
    )


def test_circles_stand_at_the_effects(found):
    ax = dm.plot_interactions(found, title="class 1")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["two", "three_$x$", "one", "two"]
    lines = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.6]
    np.testing.assert_allclose(lines, [[2, -1], [1, -2], [0.5, 0.7], [0.2, 0.4]])
    assert sum(line.get_marker() == "*" for line in ax.lines) == 1
    assert ax.get_title() == "class 1"


def test_numbers_where_there_are_no_names(found):
    del found.names
    ax = dm.plot_interactions(found)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2", "0", "1"]
    named = dm.plot_interactions(found, labels=["a", "b", "c"])
    assert [label.get_text() for label in named.get_yticklabels()] == ["b", "c", "a", "b"]


def test_refuses(found):
    with pytest.raises(dm.ShapeError, match="labels must name"):
        dm.plot_interactions(found, labels=["a"])
    with pytest.raises(dm.InvalidArgumentError, match="with an ablation"):
        dm.plot_interactions(SimpleNamespace(pairs=found.pairs, effect_with=None))
