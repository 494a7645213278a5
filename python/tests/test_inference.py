"""Predictions are those of the definitions, whatever the form, the length and the number of sequences."""

import copy
import threading

import numpy as np
import pytest
import reference

import deepmotif as dm

SMALL = {
    "CNN": dm.CNN(filters=6, kernel_sizes=(5, 4, 3), random_state=7),
    "RNN": dm.RNN(hidden=5, layers=2, random_state=7),
    "CNNRNN": dm.CNNRNN(filters=6, kernel_size=5, hidden=4, random_state=7),
}


@pytest.fixture(params=SMALL)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    return copy.deepcopy(SMALL[kind]).build(40, 2)


def random_codes(count, length, seed=0):
    return np.random.default_rng(seed).integers(0, 5, (count, length)).astype(np.uint8)


@pytest.mark.parametrize("length", [40, 41, 57, 22])
def test_scores_are_those_of_the_definition(kind, model, length):
    codes = random_codes(9, length)
    expected = reference.scores(kind, model.weights_, reference.one_hot(codes))
    # Float32 sums of some tens of products, three layers deep: 100 rounding errors of the largest score.
    np.testing.assert_allclose(model.scores(codes), expected, atol=100 * 6e-8 * np.abs(expected).max())


def test_soft_letters(kind, model):
    x = np.random.default_rng(1).normal(size=(4, 40, 4)).astype(np.float32)
    expected = reference.scores(kind, model.weights_, x)
    np.testing.assert_allclose(model.scores(x), expected, atol=100 * 6e-8 * np.abs(expected).max())


def test_predictions_hang_together(model):
    codes = random_codes(30, 40)
    scores = model.scores(codes)
    probabilities = model.predict_proba(codes)
    assert scores.dtype == probabilities.dtype == np.float32
    assert scores.shape == probabilities.shape == (30, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=4e-7)  # a few roundings
    np.testing.assert_array_equal(model.decision_function(codes), scores[:, 1] - scores[:, 0])
    np.testing.assert_array_equal(model.predict(codes), scores.argmax(axis=1))


def test_every_form_of_sequences_gives_the_same_scores(model):
    codes = random_codes(6, 40)
    expected = model.scores(codes)
    for form in (dm.decode(codes), np.array(dm.decode(codes)), dm.Sequences(codes), codes.astype(np.int64)):
        np.testing.assert_array_equal(model.scores(form), expected)
    largest = np.abs(expected).max()
    # Letters take another path to the same sums.
    np.testing.assert_allclose(model.scores(dm.one_hot(codes)), expected, atol=100 * 6e-8 * largest)


def test_inputs_of_every_make(model):
    codes = random_codes(6, 40)
    expected = model.scores(codes)
    wide = np.zeros((6, 80), dtype=np.uint8)
    wide[:, ::2] = codes
    frozen = codes.copy()
    frozen.flags.writeable = False
    for form in (wide[:, ::2], np.asfortranarray(codes), codes.astype(">i4"), codes.astype(np.float64), frozen):
        np.testing.assert_array_equal(model.scores(form), expected)
    letters = dm.one_hot(codes)
    expected = model.scores(letters)
    for form in (letters.astype(np.float64), letters.astype(">f4"), np.asfortranarray(letters)):
        np.testing.assert_array_equal(model.scores(form), expected)


def test_scores_depend_neither_on_threads_nor_on_the_cut(model):
    codes = random_codes(1100, 40)
    expected = model.set_params(n_threads=1).scores(codes)
    np.testing.assert_array_equal(model.set_params(n_threads=2).scores(codes), expected)
    cut = np.concatenate([model.scores(codes[i : i + 7]) for i in range(0, 1100, 7)])
    np.testing.assert_array_equal(cut, expected)


def test_no_sequences(model):
    assert model.scores(np.empty((0, 40), dtype=np.uint8)).shape == (0, 2)
    assert model.predict(np.empty((0, 40), dtype=np.uint8)).shape == (0,)


def test_activations(kind, model):
    codes = random_codes(3, 40)
    names = model._engine.layer_names
    for index, name in enumerate(names):
        values = model.activations(codes, name)
        np.testing.assert_array_equal(values, model.activations(codes, index))
        np.testing.assert_array_equal(values, model.activations(codes, index - len(names)))
    np.testing.assert_array_equal(model.activations(codes, -1), model.scores(codes))
    if kind == "CNN":
        assert model.activations(codes, "conv1d_0").shape == (3, 36, 6)
        assert model.activations(codes, "global_max_pool1d_0").shape == (3, 6)
        weights = model.weights_
        expected = reference.conv1d(
            reference.one_hot(codes), weights["conv1d_0.weight"], weights["conv1d_0.bias"], False
        )
        np.testing.assert_allclose(model.activations(codes, 0), expected, atol=1e-6)  # 20 products below 1


@pytest.mark.parametrize("layer", ["conv1d_9", 99, -99, 1.5, True, None])
def test_unknown_layer(model, layer):
    with pytest.raises(dm.InvalidArgumentError, match=r"layer must be"):
        model.activations(random_codes(1, 40), layer)


def test_summary(model):
    lines = model.summary().splitlines()
    assert f"{model.n_parameters_:,}" in lines[-1]
    assert [line.split()[0] for line in lines[2:-1]] == model._engine.layer_names
    counts = [int(line.split()[-1].replace(",", "")) for line in lines[2:-1]]
    assert sum(counts) == model.n_parameters_


def test_concurrent_predictions(model):
    codes = random_codes(600, 40)
    expected = model.scores(codes)
    results = []
    threads = [threading.Thread(target=lambda: results.append(model.scores(codes))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)
