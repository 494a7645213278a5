"""Network: any sequence of layers as an estimator, and what its output makes of the scores."""

import pickle

import numpy as np
import pytest
from training_cases import planted, weights_bytes

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Flatten, GlobalMaxPool1D, MaxPool1D, ReLU, count_parameters


def body(outputs, filters=8):
    return [Conv1D(filters, 8), ReLU(), GlobalMaxPool1D(), Dense(outputs)]


def network(outputs=2, output="softmax", **parameters):
    defaults = {"epochs": 3, "batch_size": 32, "random_state": 0, "n_threads": 1}
    return dm.Network(body(outputs), output, **(defaults | parameters))


# ---- layers ----


def test_the_presets_are_networks():
    X, y = planted(120)
    preset = dm.CNN(filters=8, kernel_sizes=(6, 3), epochs=2, random_state=0).fit(X, y)
    same = dm.Network(preset._layers, epochs=2, random_state=0).fit(X, y)
    assert weights_bytes(same) == weights_bytes(preset)
    assert same.history_["val_auc"] == preset.history_["val_auc"]


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        ((), dm.InvalidArgumentError, r"layers must be a list of at least one layer; got \(\)"),
        (Dense(2), dm.InvalidArgumentError, "layers must be a list"),
        ([GlobalMaxPool1D(), "dense"], dm.InvalidArgumentError, r"layers\[1\] must be a layer .*; got 'dense'"),
        ([GlobalMaxPool1D(), Dense(3)], dm.ShapeError, r"one score for each of the 2 classes.*1 positions x 3 scores"),
        ([Dense(2)], dm.ShapeError, "one position of scores; got 30 positions"),
        ([Conv1D(4, 40), Flatten(), Dense(2)], dm.ShapeError, "at least 40 positions"),
    ],
)
def test_layers_that_cannot_be(layers, error, words):
    X, y = planted(40)
    with pytest.raises(error, match=words):
        dm.Network(layers).fit(X, y)
    with pytest.raises(error, match=words):
        dm.Network(layers).build(30, 2)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"output": "relu"}, r"output must be one of \['softmax', 'sigmoid', 'linear'\]; got 'relu'"),
        ({"output": "linear", "loss": "hinge"}, "loss must be None or one of .*; got 'hinge'"),
        ({"loss": "mse"}, "loss must be None for output='softmax'"),
    ],
)
def test_outputs_that_cannot_be(parameters, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.Network(body(2), **parameters).build(30, 2)


def test_layers_that_do_not_fit_leave_the_model_as_it_was():
    X, y = planted(60)
    model = network().fit(X, y)
    before = weights_bytes(model)
    with pytest.raises(dm.ShapeError, match="for each of the 3 classes"):
        model.fit(X, np.arange(60) % 3)
    assert weights_bytes(model) == before


def test_from_layers():
    trained = network().fit(*planted(80))
    copy = dm.Network._from_layers(trained._layers, "softmax", 30, trained.classes_, trained.weights_, n_threads=1)
    codes = planted(5)[0]
    np.testing.assert_array_equal(copy.scores(codes), trained.scores(codes))
    assert copy.classes_.tolist() == [0, 1]
    tasks = dm.Network._from_layers(trained._layers, "sigmoid", 30, ["CTCF", "MYC"], trained.weights_)
    # Two roundings to float32 below 1.
    np.testing.assert_allclose(tasks.predict_proba(codes), 1 / (1 + np.exp(-trained.scores(codes))), atol=2**-23)
    assert tasks._resolve_target("MYC") == 1


# ---- state ----


def test_copies_files_and_pickles(tmp_path):
    codes = planted(5)[0]
    model = network(3, "sigmoid").build(30, ["b", "a", "c"])
    model.save(tmp_path / "model")
    loaded = dm.load(tmp_path / "model")
    for other in (loaded, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict_proba(codes), model.predict_proba(codes))
        assert other.layers == model.layers
        assert other.classes_.tolist() == ["b", "a", "c"]
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def test_output_is_that_of_the_weights(tmp_path):
    codes = planted(5)[0]
    model = network(2, "sigmoid").build(30, 2)
    expected = model.predict(codes)
    model.set_params(output="linear")
    model.save(tmp_path / "model")
    for other in (model, pickle.loads(pickle.dumps(model)), dm.load(tmp_path / "model")):
        np.testing.assert_array_equal(other.predict(codes), expected)


# ---- targets ----


@pytest.mark.parametrize(
    ("output", "classes", "target", "index"),
    [
        ("sigmoid", 1, None, 0),
        ("sigmoid", ["CTCF"], None, 0),
        ("sigmoid", ["MYC", "CTCF"], "MYC", 0),
        ("sigmoid", ["MYC", "CTCF"], 1, 1),
        ("sigmoid", 2, 1, 1),
        ("linear", 1, None, 0),
        ("linear", 3, 2, 2),
    ],
)
def test_targets(output, classes, target, index):
    count = classes if isinstance(classes, int) else len(classes)
    assert network(count, output).build(30, classes)._resolve_target(target) == index


def test_target_is_required_for_several():
    with pytest.raises(dm.InvalidArgumentError, match="target is required for 2 tasks"):
        network(2, "sigmoid").build(30, 2)._resolve_target(None)
    with pytest.raises(dm.InvalidArgumentError, match="target is required for 3 values"):
        network(3, "linear").build(30, 3)._resolve_target(None)


def test_linear_has_no_probabilities():
    model = network(1, "linear").build(30, 1)
    codes = planted(5)[0]
    np.testing.assert_array_equal(model.predict(codes), model.scores(codes)[:, 0])
    for call in (model.predict_proba, model.decision_function):
        with pytest.raises(dm.InvalidArgumentError, match="output of this model is linear"):
            call(codes)


def test_flatten_and_pools():
    X, y = planted(60)
    layers = [Conv1D(4, 5, padding="same"), ReLU(), MaxPool1D(3), Flatten(), Dense(2)]
    model = dm.Network(layers, epochs=1, random_state=0).fit(X, y)
    assert model.n_parameters_ == 4 * 21 + 2 * 41
    with pytest.raises(dm.ShapeError, match="30 positions, as in training"):
        model.predict(X[:, :20])


# ---- published networks ----


@pytest.mark.parametrize(
    ("name", "length", "count"),
    [
        # 16 x (24 x 4 + 1) + 32 x 17 + 33
        ("deepbind", 101, 2_129),
        ("deepsea", 1000, 52_843_119),
        ("danq", 1000, 46_926_479),
        ("deepresolve-tf", 101, 2_193),
        # 32 x 33 + 64 x (13 x 32 + 1) + 4 x 65
        ("deepresolve-synthetic", 60, 28_004),
        ("forum", 101, 128 * 97 + 2 * 129),
    ],
)
def test_published_networks(name, length, count):
    model = dm.Network.preset(name, epochs=2)
    outputs = 919 if name in ("deepsea", "danq") else {"forum": 2, "deepresolve-synthetic": 4}.get(name, 1)
    assert count_parameters(model.layers, length) == count
    assert model.epochs == 2
    if count < 10**6:
        model.build(length, outputs)
    assert dm.Network.preset(name, 7).layers[-1] == Dense(7)


def test_unknown_network():
    with pytest.raises(dm.InvalidArgumentError, match=r"name must be one of .*'deepsea'.*; got 'alexnet'"):
        dm.Network.preset("alexnet")
