"""Both strands: training, predictions and views of models whose scores are those of the two together."""

import numpy as np
import pytest
from training_cases import planted, planted_tasks, weights_bytes

import deepmotif as dm
from deepmotif.layers import GRU, LSTM, Conv1D, Dense, GlobalAveragePool1D, GlobalMaxPool1D, Sigmoid

LAYERS = {
    "convolution": lambda n: [Conv1D(6, 5), Sigmoid(), GlobalAveragePool1D(), Dense(n)],
    "recurrence": lambda n: [Conv1D(6, 5, padding="same"), LSTM(4, True), GlobalAveragePool1D(), Dense(n)],
    "gates": lambda n: [GRU(4), GlobalAveragePool1D(), Dense(n)],
}
OUTPUTS = {"softmax": 3, "sigmoid": 2, "linear": 2}


def untrained(body, output, mode):
    count = OUTPUTS[output]
    layers = LAYERS[body](count)
    return dm.Network(layers, output, reverse_complement=mode, random_state=1, n_threads=1).build(20, count)


def codes(count=6):
    return np.random.default_rng(0).integers(0, 5, (count, 20)).astype(np.uint8)


@pytest.mark.parametrize("mode", ["average", "maximum"])
def test_scores_of_both_strands(mode):
    X = codes()
    model, one = untrained("convolution", "softmax", mode), untrained("convolution", "softmax", "none")
    pair = np.stack([one.scores(X), one.scores(dm.reverse_complement(X))])
    expected = pair.max(axis=0) if mode == "maximum" else pair.mean(axis=0)
    np.testing.assert_allclose(model.scores(X), expected, rtol=1e-6)
    np.testing.assert_array_equal(model.scores(X), model.scores(dm.reverse_complement(X)))


@pytest.mark.parametrize("mode", ["average", "maximum"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("body", LAYERS)
def test_gradients_against_differences(body, output, mode):
    model = untrained(body, output, mode)
    X = np.random.default_rng(1).random((2, 20, 4)).astype(np.float32)
    for quantity in ["score"] if output == "linear" else ["score", "log_probability"]:

        def value(letters, quantity=quantity):
            if quantity == "score":
                return model.scores(letters)[:, 1].astype(np.float64)
            return np.log(model.predict_proba(letters)[:, 1].astype(np.float64))

        gradient = dm.input_gradients(model, X, 1, output=quantity)
        direction = np.random.default_rng(2).standard_normal(X.shape).astype(np.float32)
        step = np.float32(2.0**-7)
        slopes = (value(X + step * direction) - value(X - step * direction)) / (2 * float(step))
        # Differences of float32 scores near 1, divided by 2^-6; the third derivative adds as much.
        np.testing.assert_allclose((gradient * direction).sum(axis=(1, 2)), slopes, atol=2e-4, rtol=2e-2)


@pytest.mark.parametrize("mode", ["average", "maximum"])
def test_saliency_is_that_of_the_gradients(mode):
    X, model = codes(), untrained("recurrence", "softmax", mode)
    gradient = dm.input_gradients(model, X, 2, centered=True)
    np.testing.assert_allclose(gradient.sum(axis=2), 0, atol=1e-6)
    signed = dm.saliency(model, X, 2, signed=True, centered=True)
    np.testing.assert_allclose(signed, (gradient * dm.one_hot(X)).sum(axis=2), rtol=1e-6)
    np.testing.assert_array_equal(dm.saliency(model, X, 2, centered=True), np.abs(signed))
    # A view of one strand read backwards is that of the other.
    turned = dm.saliency(model, dm.reverse_complement(X), 2, signed=True, centered=True)[:, ::-1]
    np.testing.assert_allclose(turned, signed, atol=1e-6)


@pytest.mark.parametrize("mode", ["average", "maximum"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_temporal_scores_of_both_strands(output, mode):
    X = codes(3)
    # No layer before the recurrence: a cut is the sequence itself, cut.
    layers = [LSTM(3, True), GlobalAveragePool1D(), Dense(OUTPUTS[output])]
    model = dm.Network(layers, output, reverse_complement=mode, random_state=1).build(20, OUTPUTS[output])
    values = model.predict if output == "linear" else model.predict_proba
    result = dm.temporal_scores(model, X, 1)
    for i in (0, 7, 19):
        np.testing.assert_allclose(result.forward[:, i], values(X[:, : i + 1])[:, 1], atol=1e-6)
        np.testing.assert_allclose(result.backward[:, i], values(X[:, i:])[:, 1], atol=1e-6)


@pytest.mark.parametrize("parametrization", ["clamp", "softmax"])
def test_class_optimization_takes_the_engines_steps(parametrization):
    # A palindromic network: both strands have one score, and the combined model is the model itself.
    def model(mode):
        layers = [Conv1D(2, 4), Sigmoid(), GlobalAveragePool1D(), Dense(2)]
        network = dm.Network(layers, reverse_complement=mode, random_state=3).build(12, 2)
        weights = network.weights_
        kernel = weights["conv1d_0.weight"]
        kernel[1] = kernel[0, ::-1, ::-1]
        weights["conv1d_0.bias"][1] = weights["conv1d_0.bias"][0]
        weights["dense_0.weight"][:, 1] = weights["dense_0.weight"][:, 0]
        return network.set_weights(weights)

    options = {"steps": 40, "restarts": 2, "parametrization": parametrization, "search_steps": 5}
    one = dm.class_optimization(model("none"), **options)
    for mode in ("average", "maximum"):
        both = dm.class_optimization(model(mode), **options)
        # The same 40 steps in another order of float32 additions; RMSProp divides by the root of small squares.
        np.testing.assert_allclose(both.objective, one.objective, atol=1e-4)
        np.testing.assert_allclose(both.inputs, one.inputs, atol=1e-2)


def test_class_optimization_holds_positions():
    model = untrained("convolution", "sigmoid", "average")
    result = dm.class_optimization(model, 0, start="ACGTACGTACGTACGTACGT", fixed=[0, 5], steps=30)
    np.testing.assert_array_equal(result.inputs[0, [0, 5]], dm.one_hot("ACGTACGTACGTACGTACGT")[0, [0, 5]])
    assert (result.objective[:, -1] > result.objective[:, 0]).all()


def test_linear_models_are_optimised_by_their_score():
    model = untrained("convolution", "linear", "none")
    result = dm.class_optimization(model, 1, steps=20)
    assert (result.objective[:, -1] > result.objective[:, 0]).all()
    with pytest.raises(dm.InvalidArgumentError, match="needs a model with probabilities"):
        dm.class_optimization(model, 1, output="log_probability")


@pytest.mark.parametrize("mode", ["augment", "average", "maximum", "shared"])
def test_training_with_both_strands(mode):
    X, y = planted(600)
    # Half of the motifs on the other strand, where a model of one strand has to learn two words.
    X[1::4] = dm.reverse_complement(X[1::4])
    layers = [Conv1D(16, 8), Sigmoid(), GlobalMaxPool1D(), Dense(2)]
    options = {"epochs": 12, "batch_size": 32, "random_state": 0, "learning_rate": 0.03}
    model = dm.Network(layers, reverse_complement=mode, **options).fit(X, y)
    assert model.score(X, y) > 0.9
    if mode in ("average", "maximum"):
        np.testing.assert_array_equal(model.scores(X), model.scores(dm.reverse_complement(X)))
    if mode == "shared":
        # Sums of 16 products in another order.
        np.testing.assert_allclose(model.scores(X), model.scores(dm.reverse_complement(X)), atol=1e-5)
        kernels = model.weights_["conv1d_0.weight"]
        np.testing.assert_array_equal(kernels, kernels[::-1, ::-1, ::-1])
    again = dm.Network(layers, reverse_complement=mode, **options, n_threads=1).fit(X, y)
    assert weights_bytes(again) == weights_bytes(model)


def test_weights_that_cannot_be_shared():
    X, y = planted(40)
    layers = [Conv1D(5, 3), Sigmoid(), GlobalMaxPool1D(), Dense(2)]
    with pytest.raises(dm.InvalidArgumentError, match=r"strands cannot share the weights of conv1d_0.*must be even"):
        dm.Network(layers, reverse_complement="shared").fit(X, y)


def test_mode_is_that_of_the_weights(tmp_path):
    model = untrained("convolution", "sigmoid", "average")
    expected = model.scores(codes())
    model.set_params(reverse_complement="none")
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(dm.load(tmp_path / "model").scores(codes()), expected)
    with pytest.raises(dm.InvalidArgumentError, match=r"reverse_complement must be one of .*; got 'both'"):
        model.set_params(reverse_complement="both").fit(*planted_tasks(40))
