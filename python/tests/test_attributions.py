"""In-silico mutagenesis by its definition, and its errors."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.layers import Dense, Flatten


@pytest.fixture(scope="module")
def model():
    return dm.CNN(filters=5, kernel_sizes=(5, 3), random_state=0).build(20, 3)


def test_ism_by_definition(model):
    X = np.random.default_rng(0).integers(0, 5, size=(6, 20)).astype(np.uint8)
    found = dm.ism(model, X, 2)
    assert found.shape == (6, 20, 4)
    assert found.dtype == np.float32
    base = model.scores(X)[:, 2]
    for position in (0, 7, 19):
        for letter in range(4):
            mutants = X.copy()
            mutants[:, position] = letter
            # Scores of order 1 in float32.
            np.testing.assert_allclose(
                found[:, position, letter], model.scores(mutants)[:, 2] - base, rtol=0, atol=1e-6
            )
    own = X[:, :, None] == np.arange(4)
    assert (found[own] == 0).all()


def test_ism_of_a_linear_network_is_its_weights():
    linear = dm.Network([Flatten(), Dense(2)], random_state=0).build(12, 2)
    X = np.random.default_rng(1).integers(0, 4, size=(3, 12)).astype(np.uint8)
    weights = linear.weights_["dense_0.weight"][1].reshape(12, 4)
    own = np.take_along_axis(np.broadcast_to(weights, (3, 12, 4)), X[:, :, None].astype(int), axis=2)
    np.testing.assert_allclose(dm.ism(linear, X), weights - own, atol=1e-6)


def test_ism_does_not_depend_on_blocks_or_threads(model):
    X = np.random.default_rng(2).integers(0, 4, size=(300, 20)).astype(np.uint8)
    whole = dm.ism(model, X, 0)
    assert (whole[250:] == dm.ism(model, X[250:], 0)).all()
    model.set_params(n_threads=1)
    assert (dm.ism(model, X, 0) == whole).all()


def test_ism_refuses(model):
    with pytest.raises(dm.InvalidArgumentError, match="soft letters"):
        dm.ism(model, np.full((2, 20, 4), 0.25), 0)
    with pytest.raises(dm.NotFittedError):
        dm.ism(dm.CNN(), ["A" * 20])
    assert dm.ism(model, np.zeros((0, 20), dtype=np.uint8), 0).shape == (0, 20, 4)
