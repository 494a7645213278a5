"""The three networks: definitions, predictions, weights, targets, errors."""

import copy
import pickle
import re

import numpy as np
import pytest

import deepmotif as dm

KINDS = {"CNN": dm.CNN, "RNN": dm.RNN, "CNNRNN": dm.CNNRNN}
SMALL = {
    "CNN": dm.CNN(filters=6, kernel_sizes=(5, 4, 3), random_state=7),
    "RNN": dm.RNN(hidden=5, layers=2, random_state=7),
    "CNNRNN": dm.CNNRNN(filters=6, kernel_size=5, hidden=4, random_state=7),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    return copy.deepcopy(SMALL[kind]).build(40, 2)


def random_codes(count, length, seed=0):
    return np.random.default_rng(seed).integers(0, 5, (count, length)).astype(np.uint8)


# ---- definitions ----


@pytest.mark.parametrize(("name", "count"), [("CNN", 136_322), ("RNN", 9_602), ("CNNRNN", 46_082)])
def test_parameter_counts(name, count):
    model = KINDS[name]().build(101, 2)
    assert model.n_parameters_ == count
    assert sum(array.size for array in model.weights_.values()) == count


def test_positions_of_the_cnn():
    model = dm.CNN().build(101, 2)
    engine = model._engine
    lengths = [engine.layer_shape(index, 101)[0] for index in range(len(engine.layer_names))]
    shrinking = [length for index, length in enumerate(lengths) if index == 0 or length != lengths[index - 1]]
    assert shrinking == [93, 46, 42, 21, 19, 1]


def test_order_of_layers():
    assert [layer.kind for layer in dm.CNN(kernel_sizes=(5, 3))._network(2)] == [
        *("conv1d", "relu", "max_pool1d", "dropout"),
        *("conv1d", "relu", "dropout", "global_max_pool1d", "dense"),
    ]
    assert [layer.kind for layer in dm.RNN(layers=2)._network(2)] == [
        *("lstm", "dropout", "lstm", "dropout", "global_average_pool1d", "dense")
    ]
    assert [layer.kind for layer in dm.CNNRNN()._network(2)] == [
        *("conv1d", "relu", "lstm", "dropout", "global_average_pool1d", "dense")
    ]


@pytest.mark.parametrize(
    ("cls", "preset", "expected"),
    [
        (dm.CNN, "small", {"filters": 64, "kernel_sizes": (9, 5)}),
        (dm.CNN, "medium", {"filters": 64, "kernel_sizes": (9, 5, 3)}),
        (dm.CNN, "large", {"filters": 64, "kernel_sizes": (9, 5, 3, 3)}),
        (dm.RNN, "small", {"hidden": 16, "layers": 1}),
        (dm.RNN, "medium", {"hidden": 32, "layers": 1}),
        (dm.RNN, "large", {"hidden": 32, "layers": 2}),
        (dm.CNNRNN, "medium", {"filters": 128, "kernel_size": 9, "hidden": 32}),
    ],
)
def test_presets(cls, preset, expected):
    params = cls.preset(preset, epochs=3).get_params()
    assert {name: params[name] for name in expected} == expected
    assert params["epochs"] == 3
    cls.preset(preset).build(101, 2)


def test_unknown_preset():
    with pytest.raises(dm.InvalidArgumentError, match=r"'small', 'medium', 'large'.*'huge'"):
        dm.CNN.preset("huge")


def test_initial_weights():
    weights = dm.CNNRNN(random_state=0).build(101, 2).weights_
    bound = 1 / np.sqrt(4 * 9)
    assert np.abs(weights["conv1d_0.weight"]).max() <= bound
    assert np.abs(weights["conv1d_0.weight"]).max() > 0.99 * bound  # of 4,608 uniform draws
    assert np.ptp(weights["conv1d_0.bias"]) > 0
    assert np.abs(weights["dense_0.weight"]).max() <= 1 / np.sqrt(64)
    bias = weights["lstm_0.bias_reverse"].reshape(4, 32)
    np.testing.assert_array_equal(bias, np.array([0, 1, 0, 0])[:, None] * np.ones(32))
    # Standard deviation of 16,384 normal draws: within 5 standard errors.
    sigma = 1 / np.sqrt(128 + 32)
    assert weights["lstm_0.weight_ih"].std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * 16_384))


# ---- weights and state ----


def test_weights_round_trip(model):
    weights = model.weights_
    other = copy.deepcopy(model).set_params(random_state=8).build(40, 2)
    assert any((other.weights_[name] != array).any() for name, array in weights.items())
    other.set_weights({name: array.astype(np.float64) for name, array in weights.items()})
    for name, array in other.weights_.items():
        np.testing.assert_array_equal(array, weights[name])
    weights["dense_0.bias"][:] = 9  # a copy
    assert (model.weights_["dense_0.bias"] != 9).all()


def test_seeds(kind):
    def first(seed):
        return KINDS[kind](random_state=seed).build(40, 2)

    def same(a, b):
        return all((a.weights_[name] == b.weights_[name]).all() for name in a.weights_)

    assert same(first(5), first(5))
    assert not same(first(5), first(6))
    assert not same(first(None), first(None))
    drawn = first(None)
    assert same(drawn, first(drawn.random_state_))
    assert same(first(np.random.default_rng(1)), first(np.random.default_rng(1)))
    assert same(first(np.random.RandomState(1)), first(np.random.RandomState(1)))
    generator = np.random.default_rng(1)
    assert not same(first(generator), first(generator))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "0", True])
def test_bad_seeds(seed):
    with pytest.raises(dm.InvalidArgumentError, match="random_state must be"):
        dm.CNN(random_state=seed).build(101, 2)


def test_bad_weights(model):
    weights = model.weights_
    name = next(iter(weights))
    with pytest.raises(dm.InvalidArgumentError, match=re.escape(f"missing: ['{name}']")):
        model.set_weights({key: array for key, array in weights.items() if key != name})
    with pytest.raises(dm.InvalidArgumentError, match=r"unknown: \['extra'\]"):
        model.set_weights(weights | {"extra": np.zeros(3)})
    with pytest.raises(dm.ShapeError, match=r"must have shape"):
        model.set_weights(weights | {name: np.zeros(3)})
    with pytest.raises(dm.InvalidArgumentError, match="finite"):
        model.set_weights(weights | {name: np.full(weights[name].shape, np.nan)})
    with pytest.raises(dm.InvalidArgumentError, match="finite"):
        model.set_weights(weights | {name: np.full(weights[name].shape, 1e300)})
    for key, array in model.weights_.items():
        np.testing.assert_array_equal(array, weights[key])


def test_copies_and_pickles(model):
    codes = random_codes(4, 40)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.scores(codes), model.scores(codes))
        assert other.get_params() == model.get_params()
        other.set_weights({name: 0 * array for name, array in other.weights_.items()})
        assert model.weights_["dense_0.weight"].any()
    unfitted = pickle.loads(pickle.dumps(dm.CNN(filters=3)))
    assert unfitted.filters == 3
    with pytest.raises(dm.NotFittedError):
        unfitted.scores(codes)


def test_pickle_keeps_the_layers_after_set_params(kind, model):
    codes = random_codes(4, 40)
    expected = model.scores(codes)
    model.set_params(dropout=0.1, **({"filters": 99} if kind != "RNN" else {"hidden": 99}))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).scores(codes), expected)


def test_is_recurrent():
    assert [KINDS[name]().is_recurrent for name in KINDS] == [False, True, True]
    assert dm.RNN().build(10, 2).is_recurrent is True


# ---- classes and targets ----


@pytest.mark.parametrize(
    ("classes", "target", "index"),
    [
        (2, None, 1),
        (2, 0, 0),
        (2, np.int64(1), 1),
        (["bound", "free"], "free", 1),
        (["free", "bound"], None, 1),
        (["bound", "free"], 0, 0),
        ([3, 7], 7, 1),
        ([3, 7], 1, 1),
        ([-1, 1], -1, 0),
        ([-1, 1], 1, 1),
        ([-1, 1], 0, 0),
        ([False, True], True, 1),
        ([1.0, 2.0], 2, 1),
        (4, 3, 3),
    ],
)
def test_targets(classes, target, index):
    assert dm.RNN(hidden=2).build(5, classes)._resolve_target(target) == index


@pytest.mark.parametrize(
    ("classes", "target", "words"),
    [
        (3, None, r"target is required for 3 classes"),
        (2, 2, r"\[0, 1\] or an index from 0 to 1; got 2"),
        (2, -1, r"got -1"),
        (["a", "b"], "c", r"\['a', 'b'\].*got 'c'"),
        (["a", "b"], True, "got True"),
        (2, 0.5, "got 0.5"),
        (2, [1], r"got \[1\]"),
    ],
)
def test_bad_targets(classes, target, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.RNN(hidden=2).build(5, classes)._resolve_target(target)


def test_classes_are_sorted():
    model = dm.RNN(hidden=2).build(5, ["yes", "no", "maybe"])
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    assert model.predict_proba(["ACGTA"]).shape == (1, 3)


# ---- errors ----


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.predict(["ACGT"]),
        lambda m: m.predict_proba(["ACGT"]),
        lambda m: m.scores(["ACGT"]),
        lambda m: m.decision_function(["ACGT"]),
        lambda m: m.score(["ACGT"], [1]),
        lambda m: m.activations(["ACGT"], 0),
        lambda m: m.weights_,
        lambda m: m.n_parameters_,
        lambda m: m.n_features_in_,
        lambda m: m.summary(),
        lambda m: m.set_weights({}),
        lambda m: m.save("model.safetensors"),
        lambda m: m._engine,
        lambda m: m._resolve_target(1),
        lambda m: dm.evaluate(m, ["ACGT"], [1]),
    ],
)
def test_not_fitted(call):
    with pytest.raises(dm.NotFittedError, match="CNN instance is not fitted yet: call fit"):
        call(dm.CNN())


def test_too_short_names_the_minimum():
    model = dm.CNN().build(101, 2)
    with pytest.raises(dm.ShapeError, match=r"the length L of X must be at least 28 positions for CNN\(\); got 27"):
        model.scores(random_codes(1, 27))
    assert model.scores(random_codes(1, 28)).shape == (1, 2)
    with pytest.raises(dm.ShapeError, match=r"length must be at least 28"):
        dm.CNN().build(27, 2)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (dm.CNN(filters=0), "filters must be a whole number of at least 1; got 0"),
        (dm.CNN(kernel_sizes=()), "kernel_sizes must have at least one entry"),
        (dm.CNN(kernel_sizes=9), "kernel_sizes must be a sequence"),
        (dm.CNN(kernel_sizes=(9, 2.5)), "every entry of kernel_sizes"),
        (dm.CNN(pool=0), "pool"),
        (dm.CNN(dropout=1.0), "dropout must be a finite number of at least 0 and below 1; got 1.0"),
        (dm.RNN(hidden="32"), "hidden must be a whole number of at least 1; got '32'"),
        (dm.RNN(layers=0), "layers"),
        (dm.RNN(bidirectional=2), "bidirectional must be True or False"),
        (dm.CNNRNN(kernel_size=8), "kernel_size must be odd, .*; got 8"),
    ],
)
def test_bad_hyper_parameters(model, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        model.build(101, 2)


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, "2", True])
def test_bad_thread_counts(model, n_threads):
    with pytest.raises(dm.InvalidArgumentError, match="n_threads must be a whole number of at least 1"):
        model.set_params(n_threads=n_threads).scores(random_codes(1, 40))


@pytest.mark.parametrize(
    ("length", "classes", "words"),
    [
        (0, 2, "length must be"),
        (101.0, 2, "length must be"),
        (101, 1, "classes must be a whole number of at least 2"),
        (101, ["a"], "at least two different labels"),
        (101, ["a", None], "missing"),
    ],
)
def test_bad_builds(length, classes, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.CNN().build(length, classes)
