"""Motifs from the views: each window against the rule, written out slowly."""

import numpy as np
import pytest

import deepmotif as dm

L = 30


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(5).integers(0, 5, (12, L)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return dm.CNNRNN(filters=6, kernel_size=5, hidden=4, random_state=3).build(L, 2)


def check_letters(motif, sequence):
    """The motif is the window of its sequence, uniform where a base is unknown."""
    for column, code in zip(motif.probabilities, sequence[motif.start : motif.end], strict=True):
        np.testing.assert_array_equal(column, np.full(4, 0.25) if code == 4 else np.eye(4)[code])


@pytest.mark.parametrize("width", [1, 9, L])
def test_saliency_windows(model, codes, width):
    values = dm.saliency(model, codes).astype(np.float64)
    motifs = dm.saliency_motifs(model, codes, width=width)
    assert [motif.sequence for motif in motifs] == list(range(len(codes)))
    for motif, row, sequence in zip(motifs, values, codes, strict=True):
        sums = [row[i : i + width].sum() for i in range(L - width + 1)]
        assert (motif.start, motif.end) == (int(np.argmax(sums)), int(np.argmax(sums)) + width)
        assert motif.score == pytest.approx(max(sums))
        check_letters(motif, sequence)


@pytest.mark.parametrize("width", [1, 9, L])
def test_temporal_windows(model, codes, width):
    # A bias in the last layer puts the scores on both sides of 0.5.
    scores = dm.temporal_scores(model, codes)
    for motif, forward, backward, sequence in zip(
        dm.temporal_motifs(model, codes, width=width), *scores, codes, strict=True
    ):
        found = []
        for i in range(L - width + 1):
            before, after = forward[max(i - 1, 0)], forward[i + width - 1]
            found.append((bool(before < 0.5 <= after), after - before, i))
        for i in range(L - width + 1):
            before, after = backward[min(i + width, L - 1)], backward[i]
            found.append((bool(before < 0.5 <= after), after - before, i))
        best = max(found, key=lambda one: one[:2])
        assert motif.start == best[2]
        assert motif.score == pytest.approx(float(best[1]), abs=1e-6)
        check_letters(motif, sequence)


def test_activation_windows(model, codes):
    maps = model.activations(codes, 0)
    for motif, activation, sequence in zip(dm.activation_motifs(model, codes), maps, codes, strict=True):
        position, _ = np.unravel_index(activation.argmax(), activation.shape)
        assert motif.score == pytest.approx(float(activation.max()))
        assert motif.start == min(max(position - 2, 0), L - 5)
        check_letters(motif, sequence)
    assert {len(motif) for motif in dm.activation_motifs(model, codes, width=9)} == {9}


def test_class_motif_is_the_most_informative_window(model):
    optimization = dm.class_optimization(model, restarts=2, steps=30, parametrization="softmax")
    motif = dm.class_motif(model, width=7, optimization=optimization)
    matrix = optimization.pwm[optimization.best]
    bits = dm.Motif(matrix).information_content
    sums = [bits[i : i + 7].sum() for i in range(L - 6)]
    assert (motif.start, motif.sequence, motif.name) == (int(np.argmax(sums)), None, "class_1")
    np.testing.assert_allclose(motif.probabilities, matrix[motif.start : motif.end], atol=1e-6)
    assert dm.class_motif(model, 0, width=7, restarts=2, steps=5, search_steps=5).name == "class_0"


def test_soft_letters(model, codes):
    soft = (0.5 * dm.one_hot(codes) + 0.125).astype(np.float32)
    for motif in dm.saliency_motifs(model, soft):
        assert np.isclose(motif.probabilities.sum(axis=1), 1).all()


@pytest.mark.parametrize("function", [dm.saliency_motifs, dm.temporal_motifs, dm.activation_motifs])
def test_errors_of_windows(model, codes, function):
    with pytest.raises(dm.ShapeError, match="width must be at most"):
        function(model, codes, width=L + 1)
    with pytest.raises(dm.InvalidArgumentError, match="width"):
        function(model, codes, width=0)
    with pytest.raises(dm.NotFittedError):
        function(dm.CNNRNN(), codes)
    assert function(model, codes[:0]) == []


def test_other_errors(model, codes):
    with pytest.raises(dm.InvalidArgumentError, match="LSTM"):
        dm.temporal_motifs(dm.CNN(filters=3, kernel_sizes=(5, 3), random_state=0).build(L, 2), codes)
    with pytest.raises(dm.ShapeError, match="width must be at most"):
        dm.class_motif(model, width=L + 1, steps=2, restarts=1, search_steps=1)
    with pytest.raises(dm.InvalidArgumentError, match="optimization must be"):
        dm.class_motif(model, optimization=3)
