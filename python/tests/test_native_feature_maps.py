"""The extension's door to parts of models and ascents: types, shapes, what is written."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import _native
from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU

LAYERS = [Conv1D(3, 5), ReLU(), GlobalMaxPool1D(), Dense(4), ReLU(), Dense(2)]
OPTIONS = {
    "first_layer": 3, "learning_rate": 0.01, "decay_start": 500, "decay_power": 0.2, "decay_floor": 1e-6,
    "patience": 10, "max_steps": 1000, "threads": 1,
}  # fmt: skip


@pytest.fixture
def model():
    return _native.Model([layer.options() for layer in LAYERS], 20, 1)


def arrays(**changes):
    values = {
        "maps": np.ones((2, 1, 3), np.float32), "best_maps": np.zeros((2, 1, 3), np.float32),
        "targets": np.array([0, 1]), "l2": np.ones(2, np.float32), "objectives": np.full(2, -np.inf),
        "scores": np.zeros(2, np.float32), "highest_scores": np.full(2, -np.inf, np.float32),
        "steps": np.zeros(2, np.int64), "waits": np.zeros(2, np.int64), "states": np.zeros(2, np.uint8),
    }  # fmt: skip
    return values | changes


def test_parts_compose(model):
    X = np.random.default_rng(0).integers(0, 4, size=(9, 20)).astype(np.uint8)
    maps = model.activations(X, 0, 1)
    whole = model.scores(X, 1)
    np.testing.assert_array_equal(model.part_outputs(1, 6, maps, 2)[:, 0], whole)
    np.testing.assert_array_equal(model.part_outputs(3, 6, model.part_outputs(1, 3, maps, 1), 1)[:, 0], whole)
    seeds = np.zeros((9, 1, 2), np.float32)
    seeds[:, 0, 1] = 1
    gradient = model.part_gradient(0, 6, np.asarray(dm.one_hot(X)), seeds, 1)
    expected = model.input_gradient(X, 1, _native.TARGET_SCORE, _native.OUTPUT_LINEAR, 0, 1)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
    assert model.part_outputs(1, 6, maps[:0], 1).shape == (0, 1, 2)


def test_an_ascent_writes_its_arrays(model):
    given = arrays()
    assert model.climb(**given, n_steps=5, **OPTIONS) == 2
    assert given["steps"].tolist() == [5, 5]
    assert np.isfinite(given["objectives"]).all()
    assert (given["maps"] != 1).any()
    assert model.climb(**given, n_steps=5000, **OPTIONS) == 0
    assert set(given["states"].tolist()) <= {_native.ASCENT_CONVERGED, _native.ASCENT_OUT_OF_STEPS}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"maps": np.ones((2, 1, 3))}, "maps must be a native float32 array"),
        ({"maps": np.ones((2, 1, 4), np.float32), "best_maps": np.ones((2, 1, 4), np.float32)}, "3 channels"),
        ({"best_maps": np.ones((2, 2, 3), np.float32)}, r"\(R, W, K\)"),
        ({"targets": np.zeros(3, np.int64)}, r"\(R,\)"),
        ({"waits": np.zeros(2, np.int32)}, "waits must be a native int64 array"),
        ({"scores": np.zeros((2, 1), np.float32)}, "scores must have 1 dimensions"),
        ({"steps": "none"}, "steps must be a int64 array"),
    ],
)
def test_arrays_of_other_kinds_are_refused(model, changes, words):
    with pytest.raises(TypeError, match=words):
        model.climb(**arrays(**changes), n_steps=1, **OPTIONS)


def test_read_only_arrays_are_refused(model):
    given = arrays()
    given["maps"].flags.writeable = False
    with pytest.raises(TypeError, match="maps must be writable"):
        model.climb(**given, n_steps=1, **OPTIONS)


def test_engine_errors_arrive(model):
    maps = np.ones((2, 16, 3), np.float32)
    with pytest.raises(dm.InvalidArgumentError, match="first and last"):
        model.part_outputs(5, 5, maps, 1)
    with pytest.raises(dm.InvalidArgumentError, match="finite"):
        model.part_outputs(1, 6, maps * np.nan, 1)
    with pytest.raises(dm.InvalidArgumentError, match="targets"):
        model.climb(**arrays(targets=np.array([0, 2])), n_steps=1, **OPTIONS)
    with pytest.raises(TypeError, match="channels"):
        model.part_outputs(1, 6, np.ones((2, 16, 5), np.float32), 1)
    with pytest.raises(TypeError, match="shape of the layers' output"):
        model.part_gradient(1, 6, maps, np.ones((2, 1, 3), np.float32), 1)
