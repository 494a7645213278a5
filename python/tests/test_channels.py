"""Channels: attributions at a layer against their definitions, ablation, pictures of channels."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif._deeplift import contributions
from deepmotif.layers import Conv1D, Dense, Flatten, GlobalMaxPool1D, MaxPool1D, ReLU, Sigmoid

PATTERNS = ("CAGGTC", "CGCTTG", "GCTCAT")


def detectors(layers, classes, weights):
    """A network whose first convolution fires 1 on each pattern, with the given layers behind it."""
    kernels = np.zeros((3, 4, 6), dtype=np.float32)
    for channel, pattern in enumerate(PATTERNS):
        kernels[channel, ["ACGT".index(letter) for letter in pattern], np.arange(6)] = 1
    weights = {"conv1d_0.weight": kernels, "conv1d_0.bias": np.full(3, -5.0)} | weights
    return dm.Network._from_layers([Conv1D(3, 6), ReLU(), *layers], "softmax", 30, classes, weights)


@pytest.fixture(scope="module")
def xor():
    """Score 1 = CAGGTC with exactly one of the other two, written by hand."""
    weights = {
        "dense_0.weight": [[1, 1, -1], [1, -1, 1]],
        "dense_0.bias": [-1, -1],
        "dense_1.weight": [[0, 0], [1, 1]],
        "dense_1.bias": [0, 0],
    }
    return detectors([GlobalMaxPool1D(), Dense(2), ReLU(), Dense(2)], 2, weights)


@pytest.fixture(scope="module")
def X():
    return dm.synthetic_xor(1200, length=30, random_state=1)[0]


@pytest.fixture(scope="module")
def deep():
    layers = [Conv1D(5, 5), ReLU(), MaxPool1D(3), Conv1D(4, 3), Sigmoid(), Flatten(), Dense(6), ReLU(), Dense(3)]
    network = dm.Network(layers, random_state=2).build(30, 3)
    return network.set_weights({name: 3 * value for name, value in network.weights_.items()})


def test_gradients_by_definition(deep):
    # Soft letters: windows of real ones are often equal, and a tie of two maxima has no derivative.
    X = np.random.default_rng(5).uniform(size=(7, 30, 4)).astype(np.float32)
    maps, engine = deep.activations(X, "conv1d_0"), deep._engine
    slopes = np.zeros_like(maps, dtype=np.float64)
    for position in range(maps.shape[1]):
        for channel in range(maps.shape[2]):
            scores = []
            for step in (1e-3, -1e-3):
                moved = maps.copy()
                moved[:, position, channel] += step
                scores.append(engine.part_outputs(1, 9, moved, 1)[:, 0, 2].astype(np.float64))
            slopes[:, position, channel] = (scores[0] - scores[1]) / 2e-3
    # Differences of scores of order 1 in float32 over 2e-3, and a kink now and then.
    saliency = dm.channel_importance(deep, X, "saliency", "conv1d_0", 2)
    np.testing.assert_allclose(saliency, np.abs(slopes).mean((0, 1)), rtol=0.02, atol=1e-3)
    product = dm.channel_importance(deep, X, "gradient_x_activation", "conv1d_0", 2)
    np.testing.assert_allclose(product, (slopes * maps).mean((0, 1)), rtol=0.02, atol=1e-3)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_deeplift_is_complete(deep, X, place):
    """Contributions sum to the difference of the scores, through maxima, rectifiers and sigmoids."""
    engine, first = deep._engine, place + 1
    maps, base = deep.activations(X[:20], place), deep.activations(X[20:21], place)
    found = contributions(engine, deep._layers, first, maps, base[0], 1, 1)
    difference = engine.part_outputs(first, 9, maps, 1)[:, 0, 1] - engine.part_outputs(first, 9, base, 1)[:, 0, 1]
    np.testing.assert_allclose(found.sum((1, 2)), difference, atol=2e-5)


def test_deeplift_of_linear_layers_is_gradient_times_difference(X):
    model = dm.Network([Flatten(), Dense(2)], random_state=0).build(30, 2)
    np.testing.assert_allclose(
        dm.channel_importance(model, X, "deeplift"), dm.channel_importance(model, X, "gradient_x_activation"), atol=1e-6
    )


def test_ablation_finds_the_exclusive_pair(xor, X):
    result = dm.deepresolve(xor, restarts=20, l2=0.2)
    pairs = dm.channel_interactions(result, xor, X, channels=[0, 1, 2])
    by_pair = {tuple(pair): number for number, pair in enumerate(pairs.pairs.tolist())}
    assert pairs.exclusive[by_pair[1, 2]]
    assert pairs.exclusive.sum() == 1
    assert tuple(pairs.pairs[0]) == (1, 2)
    assert pairs.interaction[by_pair[1, 2]] < -0.5
    # Beside the third pattern or not, CAGGTC speaks for the class.
    assert pairs.effect_with[by_pair[0, 1], 0] > 0
    assert pairs.effect_without[by_pair[0, 1], 0] >= 0
    few = dm.channel_interactions(result, xor, X[:3], channels=[0, 1])
    assert np.isnan(few.effect_with).all()
    assert not few.exclusive.any()
    assert len(dm.channel_interactions(result, channels=[])) == 0


def test_first_layers_are_their_kernels(xor):
    motifs = dm.channel_motifs(xor)
    assert [motif.consensus for motif in motifs] == list(PATTERNS)
    assert dm.channel_motifs(dm.RNN(hidden=3, random_state=0).build(12, 2)) is None


def test_deeper_channels_show_what_they_read():
    """Two detectors side by side, six positions apart: the channel behind them reads both patterns."""
    kernels = np.zeros((2, 4, 4), dtype=np.float32)
    for channel, pattern in enumerate(("GATA", "TCCG")):
        kernels[channel, ["ACGT".index(letter) for letter in pattern], np.arange(4)] = 1
    second = np.zeros((1, 2, 7), dtype=np.float32)
    second[0, 0, 0] = second[0, 1, 6] = 1
    weights = {
        "conv1d_0.weight": kernels,
        "conv1d_0.bias": [-2, -2],
        "conv1d_1.weight": second,
        "conv1d_1.bias": [0],
        "dense_0.weight": [[0], [1]],
        "dense_0.bias": [0, 0],
    }
    layers = [Conv1D(2, 4, padding="same"), ReLU(), Conv1D(1, 7), GlobalMaxPool1D(), Dense(2)]
    model = dm.Network._from_layers(layers, "softmax", 24, 2, weights)
    X = dm.encode(["ACGTACGATACATCCGTTTTACGT", "T" * 24, "CC" + "GATAGGTCCG" + "A" * 12])
    motif = dm.visualize_channel(model, "conv1d_1", 0, X)
    assert len(motif) == 10
    assert motif.consensus[:4] == "GATA"
    assert motif.consensus[6:] == "TCCG"
    np.testing.assert_allclose(motif.probabilities[4:6], 0.25)
    assert motif.name == "conv1d_1_channel_0"


def test_enhanced_class_optimization(xor):
    motifs = dm.enhanced_class_optimization(xor, width=6, top=3, restarts=4, steps=60, output="score")
    assert [len(motif) for motif in motifs] == [6, 6, 6]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, X: dm.channel_importance(m, X, "lime"), "method must be one of"),
        (lambda m, X: dm.channel_importance(m, X, "saliency", "dense_1"), "layers behind it"),
        (lambda m, X: dm.channel_interactions(dm.deepresolve(m, restarts=2), m), "given together"),
        (lambda m, X: dm.channel_interactions(dm.deepresolve(m, restarts=2), channels=[3]), "from 0 to 2"),
        (
            lambda m, X: dm.channel_interactions(dm.deepresolve(m, restarts=2), channels=[[0, 1], [1]]),
            "share no channel",
        ),
        (lambda m, X: dm.channel_interactions(dm.deepresolve(m, restarts=2), channels=[[0], []]), "lists of them"),
        (lambda m, X: dm.channel_interactions(dm.deepresolve(m, restarts=2), m, X, given=3), "given must be"),
        (lambda m, X: dm.channel_interactions(m), "result must be"),
        (lambda m, X: dm.visualize_channel(m, "conv1d_0", 3), "below the 3"),
        (lambda m, X: dm.visualize_channel(m, "global_max_pool1d_0", 0, ["A" * 30]), "no sequence of X activates"),
        (lambda m, X: dm.enhanced_class_optimization(m, width=31), "at most the model's length 30"),
    ],
)
def test_refuses(xor, X, call, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        call(xor, X)


def test_deeplift_names_layers_without_a_rule():
    model = dm.CNNRNN(filters=4, kernel_size=3, hidden=3, random_state=0).build(12, 2)
    with pytest.raises(dm.InvalidArgumentError, match="no rule for the layer lstm"):
        dm.channel_importance(model, ["A" * 12], "deeplift", "relu_0")
    assert dm.channel_importance(model, ["A" * 12], "deeplift").shape == (6,)
