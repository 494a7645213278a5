"""The three networks: definitions, predictions, weights, targets, errors."""

import copy
import pickle
import re
import threading

import numpy as np
import pytest
import reference

import deepmotif as dm
from deepmotif import _native, layers

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


# ---- the layers' arithmetic against the engine's ----


def test_python_and_engine_agree_on_layers(kind):
    for n_classes, length in ((2, 101), (5, 64)):
        estimator = KINDS[kind]()
        network = estimator._network(n_classes)
        model = estimator.build(length, list(range(n_classes)))
        assert layers.count_parameters(network, length) == model.n_parameters_
        assert layers.minimum_length(network) == model._engine.minimum_length
        shape = (length, 4)
        for index, layer in enumerate(network):
            shape = layer.output_shape(*shape)
            assert model._engine.layer_shape(index, length) == shape
            assert model._engine.layer_names[index].rsplit("_", 1)[0] == layer.kind


EVERY_LAYER = [
    layers.Conv1D(6, 4, padding="same", dilation=2),
    layers.Tanh(),
    layers.Conv1D(4, 3, stride=2),
    layers.AveragePool1D(3, 2),
    layers.MaxPool1D(2),
    layers.LSTM(3, bidirectional=True),
    layers.LSTM(2, bidirectional=True, split_input=True),
    layers.Sigmoid(),
    layers.Dropout(0.1),
    layers.Dense(3),
    layers.ReLU(),
    layers.Flatten(),
    layers.Dense(2),
]


def test_every_layer_agrees_with_the_engine():
    length = 50
    engine = _native.Model([layer.options() for layer in EVERY_LAYER], length, 0)
    assert layers.count_parameters(EVERY_LAYER, length) == engine.n_parameters
    shape = (length, 4)
    for index, layer in enumerate(EVERY_LAYER):
        shape = layer.output_shape(*shape)
        assert engine.layer_shape(index, length) == shape
    last_state = [layers.LSTM(3, return_sequences=False), layers.Dense(2)]
    assert _native.Model([layer.options() for layer in last_state], 9, 0).layer_shape(0, 9) == (1, 3)


def test_layers_survive_their_description():
    assert layers.from_config(layers.to_config(EVERY_LAYER)) == EVERY_LAYER


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Conv1D(0, 3), "Conv1D: filters must be a whole number from 1"),
        (lambda: layers.Conv1D(3, 2.5), "Conv1D: kernel_size"),
        (lambda: layers.Conv1D(3, 3, padding="full"), "'valid' or 'same'; got 'full'"),
        (lambda: layers.MaxPool1D(2, 0), "stride"),
        (lambda: layers.Dropout(1), "rate must be a number from 0 to below 1; got 1"),
        (lambda: layers.Dropout(float("nan")), "rate"),
        (lambda: layers.LSTM(3, split_input=True), "needs bidirectional=True"),
        (lambda: layers.LSTM(3, bidirectional=1), "bidirectional must be True or False"),
        (lambda: layers.Dense(True), "units"),
        (lambda: layers.from_config([{"kind": "dense", "size": 3}]), r"layer 0 \(dense\)"),
        (lambda: layers.from_config([{"kind": "eval"}]), "no known kind"),
        (lambda: layers.from_config([]), "at least one layer"),
    ],
)
def test_bad_layers(make, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        make()


# ---- predictions ----


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


# ---- weights and state ----


def test_weights_round_trip(model):
    weights = model.weights_
    other = copy.deepcopy(model).build(40, 2)
    assert any((other.weights_[name] != array).any() for name, array in weights.items()) or model.random_state == 7
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
