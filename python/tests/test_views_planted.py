"""Planted truth in small: 2,000 sequences of 50 letters; `benchmarks/planted_truth.py` is the full experiment."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import deepmotif as dm

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "planted_truth.py"

MODELS = {
    "CNN": lambda: dm.CNN(filters=24, kernel_sizes=(9, 5), epochs=8, batch_size=64, random_state=0),
    "RNN": lambda: dm.RNN(hidden=16, epochs=24, batch_size=64, random_state=0),
    "CNN-RNN": lambda: dm.CNNRNN(filters=16, hidden=8, epochs=8, batch_size=64, random_state=0),
}


@pytest.fixture(scope="module")
def truth():
    specification = importlib.util.spec_from_file_location("planted_truth", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models(truth):
    X, y, _ = truth.planted(2000, 50, 0)
    return {name: make().fit(X, y) for name, make in MODELS.items()}


@pytest.fixture(scope="module")
def held_out(truth):
    return truth.planted(400, 50, 1)


@pytest.mark.parametrize("name", MODELS)
def test_network_and_saliency_find_the_motif(truth, models, held_out, name):
    """The bars of the full experiment; seen here: AUC of 0.998 and more, 97 % and more of the sites."""
    found = truth.find(models[name], *held_out)
    assert found["auc"] >= truth.BARS["auc"]
    assert found["overlap"] >= truth.BARS["overlap"]


def test_class_optimization_spells_the_motif(truth, models):
    result = dm.class_optimization(models["CNN"], restarts=8, steps=1000, random_state=0, **truth.OPTIMIZATION)
    assert truth.letters_spelled(result.pwm[result.best], truth.MOTIF) >= truth.BARS["letters"]


@pytest.mark.parametrize("name", ["RNN", "CNN-RNN"])
def test_temporal_scores_rise_over_the_motif(truth, models, held_out, name):
    """In nine of ten positives that the model calls, reading the site lifts the forward score from below 1/2 to above,
    give or take one width: the networks need not wait for the last letter, nor answer at once."""
    X, y, sites = held_out
    model, width = models[name], len(truth.MOTIF)
    called = (y == 1) & (model.predict(X) == 1)
    forward = dm.temporal_scores(model, X[called]).forward
    last_negative = forward.shape[1] - 1 - (forward[:, ::-1] < 0.5).argmax(axis=1)
    distance = last_negative - sites[called]
    assert np.mean((distance >= -1) & (distance < 2 * width)) >= 0.9


def test_measures_by_hand(truth):
    values = np.array([[0, 0, 5, 1, 0, 0], [3, 2, 0, 0, 2, 2.5]], np.float32)
    np.testing.assert_array_equal(truth.top_windows(values, 2), [2, 0])
    starts, sites = np.array([0, 4, 9]), np.array([0, 0, 0])
    assert truth.overlap_share(starts, sites, 5) == pytest.approx(2 / 3)
    assert truth.overlap_share(starts, sites, 5, at_least=2) == pytest.approx(1 / 3)
    pwm = dm.one_hot("TTTACCGGAAGAGTTT")[0]
    assert truth.letters_spelled(pwm, "ACCGGAAGTG") == 9
    assert truth.letters_spelled(dm.one_hot(dm.reverse_complement(["TTTACCGGAAGAGTTT"]))[0], "ACCGGAAGTG") == 9
