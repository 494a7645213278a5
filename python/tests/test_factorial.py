"""Pairs of features: effects, tests and their corrections, against definitions and SciPy."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif._factorial import _p_above_zero, holm, log_odds, pair_effects
from deepmotif.layers import Dense, Flatten


def test_effects_by_definition():
    random = np.random.default_rng(0)
    table = random.normal([1, 3, 2, 0], size=(30, 4))
    found = pair_effects([table, table[:5]], 10)
    both, first, second, neither = table.mean(axis=0)
    np.testing.assert_allclose(found.effect_with[0], [both - second, both - first])
    np.testing.assert_allclose(found.effect_without[0], [first - neither, second - neither])
    assert found.interaction[0] == pytest.approx(both - first - second + neither)
    assert found.relative[0] == pytest.approx(found.interaction[0] / np.abs(found.effect_without[0]).mean())
    assert found.n_sequences.tolist() == [30, 5]
    assert np.isnan([found.interaction[1], found.p_value[1], found.p_exclusive[1], *found.effect_with[1]]).all()


def test_all_four_signs_decide():
    noise = 0.1 * np.random.default_rng(1).normal(size=(40, 4))
    cells = {"xor": [0, 1, 1, 0], "or": [1, 1, 1, 0], "and": [1, 0, 0, 0], "one sided": [0.5, 1, -0.5, 0]}
    found = pair_effects([noise + values for values in cells.values()], 10)
    assert (found.p_exclusive < 1e-6).tolist() == [True, False, False, False]
    assert (found.p_value[:3] < 1e-6).all()
    np.testing.assert_allclose(found.relative[:2], [-2, -1], atol=0.1)
    exact = pair_effects([np.tile([0.0, 1, 1, 0], (12, 1)), np.zeros((12, 4))], 10)
    assert exact.p_exclusive[0] < 1e-3
    assert exact.p_exclusive[1] == 0.5
    assert exact.p_value[1] == 1


@pytest.mark.parametrize("count", [10, 25, 400])
def test_p_values_are_those_of_the_t_test(count):
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(count)
    for shift in (-0.3, 0.0, 0.2, 0.6):
        values = random.normal(shift, size=count)
        expected = stats.ttest_1samp(values, 0, alternative="greater").pvalue
        assert _p_above_zero(values) == pytest.approx(expected, rel=0.04)


def test_holm_by_definition():
    p = np.array([0.04, 0.01, np.nan, 0.03, 0.9])
    np.testing.assert_allclose(holm(p), [0.09, 0.04, np.nan, 0.09, 0.9])
    assert np.isnan(holm(np.full(3, np.nan))).all()
    assert len(holm(np.zeros(0))) == 0


def test_log_odds_of_a_softmax_are_those_of_its_probabilities():
    X = np.random.default_rng(2).integers(0, 4, size=(9, 8)).astype(np.uint8)
    model = dm.Network([Flatten(), Dense(3)], random_state=0).build(8, 3)
    p = model.predict_proba(X)[:, 1].astype(float)
    np.testing.assert_allclose(log_odds(model, model.scores(X), 1), np.log(p / (1 - p)), atol=1e-5)
    tasks = dm.Network([Flatten(), Dense(3)], "sigmoid", random_state=0).build(8, 3)
    np.testing.assert_allclose(log_odds(tasks, tasks.scores(X), 1), tasks.scores(X)[:, 1])
