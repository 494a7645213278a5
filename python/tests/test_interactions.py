"""Patterns that act together: hand-made networks whose logic is known, and errors."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, GlobalAveragePool1D, GlobalMaxPool1D, ReLU

PATTERNS = ("CAGGTC", "CGCTTG", "GCTCAT")
LENGTH = 30


def detectors(words, layers, weights):
    """A network whose first convolution fires 1 on each word and nothing else."""
    kernels = np.zeros((len(words), 4, 6), dtype=np.float32)
    for channel, word in enumerate(words):
        kernels[channel, ["ACGT".index(letter) for letter in word], np.arange(6)] = 1
    weights = {"conv1d_0.weight": kernels, "conv1d_0.bias": np.full(len(words), -5.0)} | weights
    return dm.Network._from_layers([Conv1D(len(words), 6), ReLU(), *layers], "sigmoid", LENGTH, 1, weights)


@pytest.fixture(scope="module")
def doubled():
    """CAGGTC with exactly one of the other two; two channels see CGCTTG, each with half of its weight."""
    weights = {
        "dense_0.weight": [[1, 0.5, 0.5, -1], [1, -0.5, -0.5, 1]],
        "dense_0.bias": [-1, -1],
        "dense_1.weight": [[1, 1]],
        "dense_1.bias": [0],
    }
    words = (PATTERNS[0], PATTERNS[1], *PATTERNS[1:])
    return detectors(words, [GlobalMaxPool1D(), Dense(2), ReLU(), Dense(1)], weights)


@pytest.fixture(scope="module")
def counting():
    """One channel counts CGCTTG and GCTCAT alike: the first one raises the score, the second lowers it."""
    positions = LENGTH - 5
    weights = {
        "conv1d_1.weight": np.array([[1, 0, 0], [0, 1, 1]])[:, :, None],
        "conv1d_1.bias": [0, 0],
        "dense_0.weight": np.array([[1, 0], [0, 1], [0, 1]]) * positions,
        "dense_0.bias": [0, 0, -1],
        "dense_1.weight": [[1, 1, -3]],
        "dense_1.bias": [0],
    }
    return detectors(PATTERNS, [Conv1D(2, 1), GlobalAveragePool1D(), Dense(3), ReLU(), Dense(1)], weights)


@pytest.fixture(scope="module")
def X():
    return dm.synthetic_xor(1500, length=LENGTH, random_state=1)[0]


def by_pair(found):
    return {tuple(pair): number for number, pair in enumerate(found.pairs.tolist())}


def test_patterns_exclude_each_other(doubled, X):
    found = dm.pattern_interactions(doubled, PATTERNS, X, both_strands=False)
    place = by_pair(found)
    assert found.names == list(PATTERNS)
    assert found.pairs[0].tolist() == [1, 2]
    assert found.exclusive.tolist() == [True, False, False]
    # CAGGTC is there in about half of them, without which nothing matters.
    np.testing.assert_allclose(found.effect_without[0], 0.5, atol=0.15)
    np.testing.assert_allclose(found.effect_with[0], -0.5, atol=0.15)
    given = dm.pattern_interactions(doubled, PATTERNS[1:], X, given=PATTERNS[0], both_strands=False)
    np.testing.assert_allclose([given.effect_without[0], -given.effect_with[0]], 1, atol=0.02)
    assert given.relative[0] == pytest.approx(-2, abs=0.05)
    assert given.n_sequences[0] < found.n_sequences[place[1, 2]]
    # CGCTTG does nothing without CAGGTC.
    np.testing.assert_allclose(found.effect_without[place[0, 1], 1], 0, atol=0.01)


def test_a_channel_that_serves_both_hides_nothing(counting, X):
    responses = dm.pattern_responses(counting, PATTERNS, X, "conv1d_1")
    np.testing.assert_allclose(responses[1], responses[2], atol=0.1)
    found = dm.pattern_interactions(counting, PATTERNS, X, both_strands=False)
    assert found.exclusive[by_pair(found)[1, 2]]
    assert found.exclusive.sum() == 1


def test_from_a_network_to_its_logic(doubled):
    """The network names its patterns, and which of them exclude each other."""
    X, y = dm.synthetic_xor(3000, length=60, random_state=3)
    positives = X[y == 1]
    changes = dm.ism(doubled, positives)
    motifs = dm.seqlet_motifs(changes - changes.mean(axis=2, keepdims=True), positives)
    assert {motif.consensus for motif in motifs} == set(PATTERNS)
    found = dm.pattern_interactions(doubled, motifs, X)
    exclusive = [{motifs[i].consensus for i in pair} for pair in found.pairs[found.exclusive]]
    assert exclusive == [{"CGCTTG", "GCTCAT"}]


def test_groups_see_what_single_channels_do_not(doubled, X):
    pytest.importorskip("sklearn")
    random = np.random.default_rng(0).integers(0, 4, size=(200, LENGTH)).astype(np.uint8)
    responses = dm.pattern_responses(doubled, PATTERNS, random)
    np.testing.assert_allclose(responses, [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], atol=0.02)
    groups = dm.channel_groups(responses)
    assert [group.tolist() for group in groups] == [[0], [1, 2], [3]]
    result = dm.deepresolve(doubled, restarts=20, l2=0.2)
    found = dm.channel_interactions(result, doubled, X, channels=groups, given=groups[0])
    assert found.pairs.tolist().count([1, 2]) == 1
    assert found.exclusive[by_pair(found)[1, 2]]
    assert found.exclusive.sum() == 1
    assert found.relative[by_pair(found)[1, 2]] == pytest.approx(-2, abs=0.1)
    assert found.opposite[by_pair(found)[1, 2]] > 0.9
    # One of two channels takes half away, and the score does not fall below what GCTCAT alone gives.
    single = dm.channel_interactions(result, doubled, X, channels=[1, 3], given=0)
    assert not single.exclusive[0]


def test_motifs_soft_sites_and_other_lengths(counting, X):
    motif = dm.Motif([[0.97, 0.01, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]] * 4, name="agagagag")
    assert dm.pattern_responses(counting, motif, X[:20]).shape == (1, 2)
    few = dm.pattern_interactions(counting, [motif, "CAGGTC"], X)
    assert np.isnan(few.interaction).all()
    assert not few.exclusive.any()
    assert few.n_sequences[0] < 10


def test_results_do_not_depend_on_threads(doubled, X):
    one, two = (dm.pattern_interactions(doubled.set_params(n_threads=n), PATTERNS, X, max_sequences=40) for n in (1, 2))
    assert one.n_sequences.max() == 40
    np.testing.assert_array_equal(one.effect_with, two.effect_with)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, X: dm.pattern_interactions(m, ["CAGGTC"], X), "at least two patterns; got 1"),
        (lambda m, X: dm.pattern_interactions(m, ["CAGGTC", "ACXZ"], X), r"patterns\[1\] is no word of letters: .*Z"),
        (lambda m, X: dm.pattern_interactions(m, PATTERNS, X, p_value=0), "p_value must be"),
        (lambda m, X: dm.pattern_interactions(m, PATTERNS, X, replacements=0), "replacements must be"),
        (lambda m, X: dm.pattern_interactions(m, PATTERNS, X, min_sequences=1), "min_sequences must be"),
        (lambda m, X: dm.pattern_interactions(m, 3, X), "patterns must be a Motif"),
        (lambda m, X: dm.pattern_interactions(m, ["CAG1", "A"], X), "letter"),
        (lambda m, X: dm.pattern_interactions(m, PATTERNS, np.full((2, LENGTH, 4), 0.25)), "letters or codes"),
        (lambda m, X: dm.pattern_responses(m, ["A" * 31], X), "at most as long as X"),
        (lambda m, X: dm.pattern_responses(m, PATTERNS, X, "dense_1"), "layers behind it"),
        (lambda m, X: dm.channel_groups([1.0, 2.0]), "responses must be"),
        (lambda m, X: dm.channel_groups(np.eye(2), threshold=2), "threshold must be"),
    ],
)
def test_refuses(doubled, X, call, words):
    with pytest.raises((dm.InvalidArgumentError, dm.ShapeError), match=words):
        call(doubled, X)
