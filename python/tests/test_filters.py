"""filter_motifs: every route against slow twins, receptive fields against gradients, and the edges."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import _native
from deepmotif._receptive import channel_network, receptive_field
from deepmotif.layers import (
    AveragePool1D,
    BatchNorm1D,
    Conv1D,
    Dense,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Residual,
    engine_options,
)  # fmt: skip

L = 30


@pytest.fixture(scope="module")
def cnn():
    return dm.CNN(filters=6, kernel_sizes=(5, 3, 3), random_state=1).build(L, 2)


@pytest.fixture(scope="module")
def padded():
    """An even kernel: of its zeros the odd one is on the right."""
    model = dm.CNNRNN(filters=5, kernel_size=7, hidden=3, random_state=2)
    return model.build(L, 2)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(3).integers(0, 5, (40, L)).astype(np.uint8)


def slow_windows(model, X, layer, field, threshold):
    """Letters of the windows (n, width, 4) and output positions of each channel, sequence by sequence."""
    maps = model.activations(X, layer)
    letters = dm.one_hot(X)
    found = []
    for k in range(maps.shape[2]):
        largest = maps[:, :, k].max()
        windows, positions = [], []
        for row, activation in enumerate(maps[:, :, k]):
            best = int(np.argmax(activation))
            if not (activation[best] > 0 and activation[best] > threshold * largest):
                continue
            start = field.start + field.jump * best
            window = np.zeros((field.size, 4))
            for i in range(field.size):
                if 0 <= start + i < X.shape[1]:
                    window[i] = letters[row, start + i]
            windows.append(window)
            positions.append(best)
        found.append((windows, positions))
    return found


@pytest.mark.parametrize("layer", ["conv1d_0", "relu_0", "max_pool1d_0", "conv1d_1", "conv1d_2"])
@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9])
def test_activation_counts_equal_the_twin(cnn, codes, layer, threshold):
    index = cnn._layer_index(layer)
    motifs = dm.filter_motifs(cnn, codes, layer=layer, threshold=threshold)
    field = receptive_field(cnn._layers, index, L)
    assert len(motifs) == 6
    for motif, (windows, positions) in zip(motifs, slow_windows(cnn, codes, layer, field, threshold), strict=True):
        assert (motif.n_sites, motif.dead, len(motif)) == (len(windows), not windows, field.size)
        np.testing.assert_array_equal(motif.counts, np.sum(windows, axis=0) if windows else np.zeros((field.size, 4)))
        np.testing.assert_array_equal(np.repeat(np.arange(len(motif.profile)), motif.profile), sorted(positions))


def test_windows_beyond_the_ends(padded, codes):
    field = receptive_field(padded._layers, 0, L)
    assert (field.start, field.size, field.jump) == (-3, 7, 1)
    for motif, (windows, _) in zip(
        dm.filter_motifs(padded, codes, threshold=0.1), slow_windows(padded, codes, 0, field, 0.1), strict=True
    ):
        np.testing.assert_array_equal(motif.counts, np.sum(windows, axis=0))


def test_soft_letters_are_counted_as_they_are(cnn, codes):
    soft = (0.5 * dm.one_hot(codes) + 0.125).astype(np.float32)
    field = receptive_field(cnn._layers, 0, L)
    for motif, (windows, _) in zip(dm.filter_motifs(cnn, soft), slow_windows(cnn, soft, 0, field, 0.5), strict=True):
        np.testing.assert_allclose(motif.counts, np.sum(windows, axis=0), rtol=1e-12)


def test_kernel_equals_the_rule(cnn):
    kernels = cnn.weights_["conv1d_0.weight"].transpose(0, 2, 1)
    for motif, kernel in zip(dm.filter_motifs(cnn, route="kernel"), kernels, strict=True):
        for column, weights in zip(motif.probabilities, kernel, strict=True):
            kept = [max(float(w), 0.0) for w in weights]
            expected = [w / sum(kept) for w in kept] if sum(kept) else [0.25] * 4
            np.testing.assert_allclose(column, expected, rtol=1e-12)
        assert (motif.counts, motif.n_sites, motif.profile) == (None, None, None)


def test_dead_filters(cnn, codes):
    model = dm.CNN(filters=6, kernel_sizes=(5, 3, 3), random_state=1).build(L, 2)
    weights = model.weights_
    weights["conv1d_0.weight"][2] = -1
    weights["conv1d_0.bias"][2] = 0
    weights["conv1d_0.weight"][4] = 0
    weights["conv1d_0.bias"][4] = -1
    # Only the bias: active everywhere, about nothing.
    weights["conv1d_0.weight"][5] = 0
    weights["conv1d_0.bias"][5] = 1
    model.set_weights(weights)
    sequences = codes % 4
    for route in ("activation", "kernel", "optimized"):
        for X in (sequences, None)[: 1 if route == "activation" else 2]:
            motifs = dm.filter_motifs(model, X, route=route)
            assert [motif.dead for motif in motifs] == [False, False, True, False, True, False]
            assert [motif.group is None for motif in motifs] == [motif.dead for motif in motifs]
            assert np.all(motifs[2].probabilities == 0.25)
            assert "dead" in repr(motifs[2])
    assert dm.filter_motifs(model, sequences)[2].n_sites == 0
    assert dm.filter_motifs(model, sequences)[5].n_sites == len(sequences)


def on_simplex(v):
    """The nearest distribution, by bisection of the value to subtract."""
    low, high = v.min() - 1, v.max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(v - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(v - low, 0)


def test_optimized_is_the_best_distribution(cnn):
    """Of a linear filter: the projection of the weights, at the l2 that just decides the most decided position."""
    kernels = cnn.weights_["conv1d_0.weight"].transpose(0, 2, 1).astype(np.float64)
    for motif, kernel in zip(dm.filter_motifs(cnn, route="optimized", steps=1000), kernels, strict=True):
        steepest = (kernel.max(axis=1) - kernel.min(axis=1)).max()
        expected = [on_simplex(weights / steepest) for weights in kernel]
        # The steps of RMSProp never shrink: it stays within one of them of the optimum.
        np.testing.assert_allclose(motif.probabilities, expected, atol=0.05)


@pytest.mark.parametrize("layer", [0, "conv1d_1", "max_pool1d_1", "conv1d_2"])
def test_channel_network_computes_the_channel(cnn, codes, layer):
    """On the window of any position the small network gives the activation of the large one there."""
    index = cnn._layer_index(layer)
    field = receptive_field(cnn._layers, index, L)
    maps = cnn.activations(codes, layer)
    for channel in (0, 3):
        model, target, size = channel_network(cnn, index, channel)
        assert size == field.size
        for position in range(maps.shape[1]):
            start = int(field.starts(np.array([position]))[0])
            window = np.ascontiguousarray(codes[:, start : start + size])
            np.testing.assert_allclose(
                model.scores(window, 1)[:, target], maps[:, position, channel], rtol=2e-6, atol=2e-6
            )


@pytest.mark.parametrize(
    "layers",
    [
        [Conv1D(3, 4, padding="same", stride=2), ReLU(), MaxPool1D(3, 2), Conv1D(2, 3, dilation=2)],
        [Conv1D(3, 5), AveragePool1D(2), Conv1D(2, 4, padding="same"), AveragePool1D(3, 1)],
        [Conv1D(3, 1)],
        [Conv1D(3, 4, padding="causal"), MaxPool1D(3, 2, padding="same"), Conv1D(2, 3, padding=(2, 0))],
        [Conv1D(3, 3, padding=(0, 1)), AveragePool1D(4, 3, padding="same"), Conv1D(2, 2)],
        [Residual([Conv1D(4, 5, padding="same"), Conv1D(4, 3, padding="same")]), Conv1D(2, 2)],
        [Residual([Conv1D(3, 2, padding="causal")], shortcut=[Conv1D(3, 1)]), MaxPool1D(2)],
    ],
)
def test_receptive_field_is_where_the_output_changes(layers):
    """Against the engine: an output moves exactly with the positions of its window (all weights positive)."""
    engine = _native.Model(engine_options([*layers, GlobalMaxPool1D()]), L, 0)
    engine.set_parameters(np.abs(engine.get_parameters()) + np.float32(0.1))
    index = len(layers) - 1
    field = receptive_field(layers, index, L)
    base = np.ones((1, L, 4), dtype=np.float32)
    changed = np.repeat(base, L, axis=0)
    changed[np.arange(L), np.arange(L)] = 2
    moved = (engine.activations(changed, index, 1) != engine.activations(base, index, 1)).any(axis=2)
    for position in range(moved.shape[1]):
        start = field.start + field.jump * position
        read = np.flatnonzero(moved[:, position])
        # Strides above a kernel's width leave gaps; the ends are exact.
        assert (read[0], read[-1]) == (max(start, 0), min(start + field.size, L) - 1)


@pytest.mark.parametrize("layer", ["conv1d_0", "residual_0", "batch_norm1d_0", "conv1d_1"])
def test_blocks_and_normalisation(codes, layer):
    """Windows, and the one-channel network, of layers that stand beside and above blocks of their own."""
    body = [Conv1D(4, 5, padding="same"), ReLU(), Conv1D(4, 3, padding="same")]
    parts = [Conv1D(4, 6), ReLU(), Residual(body), BatchNorm1D(), MaxPool1D(2, padding=(1, 0)), Conv1D(3, 3)]
    model = dm.Network([*parts, GlobalMaxPool1D(), Dense(2)], random_state=0).build(L, 2)
    index = model._layer_index(layer)
    field = receptive_field(model._layers, index, L)
    for motif, (windows, _) in zip(
        dm.filter_motifs(model, codes, layer=layer), slow_windows(model, codes, layer, field, 0.5), strict=True
    ):
        np.testing.assert_array_equal(motif.counts, np.sum(windows, axis=0) if windows else np.zeros((field.size, 4)))
    optimized = dm.filter_motifs(model, codes, layer=layer, route="optimized", steps=30)
    assert {len(motif) for motif in optimized} == {field.size}
    assert not all(motif.dead for motif in optimized)


def test_importance_is_the_change_by_silence(cnn, codes):
    motifs = dm.filter_motifs(cnn, codes, target=0, importance=1000)
    scores = cnn.scores(codes)[:, 0].astype(np.float64)
    for k, motif in enumerate(motifs):
        silent = dm.CNN(filters=6, kernel_sizes=(5, 3, 3), random_state=1).build(L, 2)
        weights = silent.weights_
        weights["conv1d_0.weight"][k] = 0
        weights["conv1d_0.bias"][k] = 0
        silent.set_weights(weights)
        # Scores are near 1, rounded at float32.
        assert abs(motif.importance - (scores - silent.scores(codes)[:, 0]).mean()) < 1e-6
    assert dm.filter_motifs(cnn, codes, importance=0)[0].importance is None


def test_shares_of_the_classes(cnn, codes):
    y = (np.arange(len(codes)) % 3 == 0).astype(int)
    maps = cnn.activations(codes, 0)
    for k, motif in enumerate(dm.filter_motifs(cnn, codes, y=y)):
        best = maps[:, :, k].max(axis=1)
        active = best > 0.5 * best.max()
        assert motif.positive_share == pytest.approx(active[y == 1].mean())
        assert motif.negative_share == pytest.approx(active[y == 0].mean())
    motif = dm.filter_motifs(cnn, codes, y=np.ones(len(codes), dtype=int))[0]
    assert motif.negative_share is None


def test_more_classes_than_two_have_no_default(codes):
    model = dm.CNN(filters=6, kernel_sizes=(5, 3), random_state=1).build(L, 3)
    assert dm.filter_motifs(model, codes)[0].importance is None
    assert dm.filter_motifs(model, codes, target=2)[0].importance is not None
    with pytest.raises(dm.InvalidArgumentError, match="target"):
        dm.filter_motifs(model, codes, y=np.arange(len(codes)) % 3)
    with pytest.raises(dm.InvalidArgumentError, match="target"):
        dm.filter_motifs(model, codes, target=7)


def test_tasks_and_values(codes):
    parts = [Conv1D(4, 6), ReLU(), GlobalMaxPool1D()]
    y = np.stack([np.arange(len(codes)) % 2, np.arange(len(codes)) % 4 == 0], axis=1).astype(int)
    tasks = dm.Network([*parts, Dense(2)], output="sigmoid", random_state=0).build(L, 2)
    best = tasks.activations(codes, 0).max(axis=1)
    motif = dm.filter_motifs(tasks, codes, y=y, target=1)[0]
    active = best[:, 0] > 0.5 * best[:, 0].max()
    assert motif.positive_share == pytest.approx(active[y[:, 1] == 1].mean())
    with pytest.raises(dm.ShapeError, match=r"y must be \(40, 2\)"):
        dm.filter_motifs(tasks, codes, y=y[:, 0], target=1)
    values = dm.Network([*parts, Dense(1)], output="linear", random_state=0).build(L, 1)
    assert dm.filter_motifs(values, codes)[0].importance is not None
    with pytest.raises(dm.InvalidArgumentError, match="no positives"):
        dm.filter_motifs(values, codes, y=y[:, 0])


def test_the_network_of_the_forum(codes):
    """Any sequence of layers: here the global maximum right behind a padded convolution."""
    parts = [Conv1D(8, 24, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(2)]
    model = dm.Network(parts, random_state=0).build(L, 2)
    field = receptive_field(model._layers, 0, L)
    assert (field.start, field.size) == (-11, 24)
    for motif, (windows, _) in zip(
        dm.filter_motifs(model, codes), slow_windows(model, codes, 0, field, 0.5), strict=True
    ):
        np.testing.assert_array_equal(motif.counts, np.sum(windows, axis=0))


def test_near_duplicates_share_a_group(codes):
    model = dm.CNN(filters=6, kernel_sizes=(8, 3), random_state=1).build(L, 2)
    weights = model.weights_
    kernel = weights["conv1d_0.weight"]
    kernel[3] = kernel[0]
    kernel[4] = kernel[1][::-1, ::-1]
    model.set_weights(weights)
    groups = [motif.group for motif in dm.filter_motifs(model, route="kernel")]
    assert groups[3] == groups[0]
    assert groups[4] == groups[1]
    assert len({groups[0], groups[1], groups[2], groups[5]}) == 4


def test_blocks_and_threads_change_nothing(codes):
    model = dm.CNN(filters=6, kernel_sizes=(5, 3), random_state=1).build(L, 2)
    X = np.tile(codes, (300, 1))
    tables = []
    for threads in (1, 3):
        model.set_params(n_threads=threads)
        tables.append([(m.counts.tobytes(), m.maximum, m.importance) for m in dm.filter_motifs(model, X)])
    assert tables[0] == tables[1]


def test_one_sequence_and_all_unknown(cnn):
    (motif, *_) = dm.filter_motifs(cnn, ["ACGTTGCA" * 3 + "ACGTTG"])
    assert motif.n_sites in (0, 1)
    unknown = dm.filter_motifs(cnn, ["N" * L])
    for motif, bias in zip(unknown, cnn.weights_["conv1d_0.bias"], strict=True):
        assert motif.dead == (bias <= 0)
        assert motif.counts.sum() == 0
        assert np.all(motif.probabilities == 0.25)


def test_another_length_than_trained(cnn, codes):
    longer = np.hstack([codes, codes])
    assert len(dm.filter_motifs(cnn, longer)[0].profile) == 2 * L - 4


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"X": None}, dm.InvalidArgumentError, "X must be sequences"),
        ({"X": np.zeros((0, L), dtype=np.uint8)}, dm.ShapeError, "at least one"),
        ({"X": ["ACG"]}, dm.ShapeError, "at least"),
        ({"route": "kernels"}, dm.InvalidArgumentError, "route must be one of"),
        ({"route": "kernel", "layer": "conv1d_1"}, dm.InvalidArgumentError, "do not stand for letters"),
        ({"layer": "conv1d_7"}, dm.InvalidArgumentError, "layer must be one of"),
        ({"layer": "global_max_pool1d_0"}, dm.InvalidArgumentError, "reads all of it"),
        ({"layer": "dense_0"}, dm.InvalidArgumentError, "reads all of it"),
        ({"threshold": 1.0}, dm.InvalidArgumentError, "threshold"),
        ({"importance": -1}, dm.InvalidArgumentError, "importance"),
        ({"y": [1]}, dm.ShapeError, "y must have one label"),
        ({"X": None, "route": "kernel", "y": [1]}, dm.InvalidArgumentError, "y must be labels of X"),
    ],
)
def test_errors(cnn, codes, changes, error, words):
    with pytest.raises(error, match=words):
        dm.filter_motifs(cnn, **({"X": codes} | changes))


def test_models_without_convolutions_and_unfitted_ones(codes):
    with pytest.raises(dm.InvalidArgumentError, match="no convolution"):
        dm.filter_motifs(dm.RNN(hidden=3, random_state=0).build(L, 2), codes)
    with pytest.raises(dm.NotFittedError):
        dm.filter_motifs(dm.CNN(), codes)
    with pytest.raises(dm.InvalidArgumentError, match="m must be"):
        dm.filter_motifs(codes, codes)


def test_global_pool_has_no_field():
    with pytest.raises(dm.InvalidArgumentError, match="global_max_pool1d"):
        receptive_field([Conv1D(2, 3), GlobalMaxPool1D()], 1, L)


def test_corrected_information():
    motif = dm.Motif(None, counts=[[8, 0, 0, 0], [2, 2, 2, 2]])
    bits = 3 / (2 * np.log(2) * 8)
    np.testing.assert_allclose(motif.information(corrected=True), [2 - bits, 0])
    np.testing.assert_allclose(motif.information([0.4, 0.1, 0.1, 0.4])[0], np.log2(1 / 0.4))
    with pytest.raises(dm.InvalidArgumentError, match="number of sites"):
        dm.Motif.from_consensus("A").information(corrected=True)
