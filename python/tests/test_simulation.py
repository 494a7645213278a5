"""Sequences room: simulated sequences hold what they are said to hold."""

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.motifs import example_motif
from deepmotif.simulation import HUMAN_DINUCLEOTIDES


def test_half_hold_the_motif_at_the_positions_named():
    X, y, starts = dm.simulate(101, length=40, motifs="GATRAG", random_state=2, return_positions=True)
    assert X.shape == (101, 40)
    assert X.dtype == np.uint8
    assert y.dtype == starts.dtype == np.int64
    assert y.sum() == 50
    assert ((starts >= 0) == (y == 1)).all()
    sites = {string[start : start + 6] for string, start in zip(dm.decode(X), starts, strict=True) if start >= 0}
    assert sites == {"GATAAG", "GATGAG"}
    # Neither first nor last: slices of the result are mixed.
    assert 0 < y[:50].sum() < 50


def test_positions_cover_all_places_evenly():
    """Counts per place are binomial: 5 deviations bound each but for one run in 10^6."""
    _, y, starts = dm.simulate(40_000, length=12, motifs="ACGTA", return_positions=True)
    counts = np.bincount(starts[y == 1], minlength=8)
    assert len(counts) == 8
    assert (np.abs(counts - 2500) < 5 * np.sqrt(20_000 * (1 / 8) * (7 / 8))).all()


def test_both_strands():
    X, _, starts = dm.simulate(2000, length=30, motifs="AACCG", strand="both", return_positions=True)
    sites = [string[start : start + 5] for string, start in zip(dm.decode(X), starts, strict=True) if start >= 0]
    assert set(sites) == {"AACCG", "CGGTT"}
    assert abs(sites.count("AACCG") - 500) < 5 * np.sqrt(1000 / 4)


def test_several_motifs_do_not_overlap():
    motifs = ["GATAAG", "CCCC", dm.Motif.from_consensus("TTGCAT")]
    X, y, starts = dm.simulate(500, length=17, motifs=motifs, return_positions=True)
    assert starts.shape == (500, 3)
    assert (starts[y == 0] == -1).all()
    strings = dm.decode(X)
    orders = set()
    for row in np.flatnonzero(y):
        for start, word in zip(starts[row], ("GATAAG", "CCCC", "TTGCAT"), strict=True):
            assert strings[row][start : start + len(word)] == word
        orders.add(tuple(np.argsort(starts[row])))
    assert len(orders) == 6


def test_one_of_several_motifs():
    X, y, starts = dm.simulate(400, length=20, motifs=["GATAAG", "TTGCAT"], plant="one", return_positions=True)
    assert ((starts >= 0).sum(axis=1) == y).all()
    assert 50 < (starts[:, 0] >= 0).sum() < 150
    row = np.flatnonzero(starts[:, 1] >= 0)[0]
    assert dm.decode(X)[row][starts[row, 1] :].startswith("TTGCAT")


def test_sites_follow_the_matrix():
    """Each letter count is binomial: 5 deviations bound it but for one run in 10^6."""
    motif = example_motif()
    X, y, starts = dm.simulate(20_000, length=30, motifs=motif, return_positions=True)
    rows = np.flatnonzero(y)
    sites = X[rows[:, None], starts[rows][:, None] + np.arange(len(motif))]
    for position, expected in enumerate(motif.probabilities):
        counts = np.bincount(sites[:, position], minlength=4)
        assert (np.abs(counts - 10_000 * expected) <= 5 * np.sqrt(10_000 * expected * (1 - expected))).all()


@pytest.mark.parametrize("background", ["human", "uniform", np.full((4, 4), 0.1) + 0.6 * np.eye(4)[[1, 2, 3, 0]]])
def test_background_dinucleotides(background):
    """Counts over all pairs; neighbouring pairs are dependent, so 10 binomial deviations are allowed."""
    X, y = dm.simulate(4000, length=200, motifs="A", background=background)
    pairs = X[y == 0]
    counts = np.zeros((4, 4))
    np.add.at(counts, (pairs[:, :-1], pairs[:, 1:]), 1)
    if isinstance(background, str):
        expected = HUMAN_DINUCLEOTIDES if background == "human" else np.ones((4, 4))
        expected = expected / expected.sum()
    else:
        # Each letter is followed in turn by the next: the stationary distribution is uniform.
        expected = background / 4
    total = counts.sum()
    assert (np.abs(counts - total * expected) < 10 * np.sqrt(total * expected)).all()


def test_seed_is_all_that_matters():
    one = dm.simulate(300, random_state=4, n_threads=1)
    two = dm.simulate(300, random_state=4, n_threads=2)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert (dm.simulate(300, random_state=5)[0] != one[0]).any()
    generator = np.random.default_rng(1)
    assert (dm.simulate(20, random_state=generator)[0] != dm.simulate(20, random_state=generator)[0]).any()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 1}, InvalidArgumentError, "n must be"),
        ({"length": 5, "motifs": "GATAAG"}, ShapeError, "length must be at least 6.*got 5"),
        ({"length": 9, "motifs": ["GATAAG", "CCCC"]}, ShapeError, "length must be at least 10"),
        ({"motifs": []}, InvalidArgumentError, "at least one motif"),
        ({"motifs": "GA-A"}, InvalidArgumentError, "a gap"),
        ({"motifs": np.ones((3, 4))}, InvalidArgumentError, "sum to 1"),
        ({"strand": "reverse"}, InvalidArgumentError, 'strand must be "forward" or "both"'),
        ({"plant": "none"}, InvalidArgumentError, 'plant must be "all" or "one"'),
        ({"background": "mouse"}, InvalidArgumentError, 'background must be "human" or "uniform"'),
        ({"background": [0.25] * 4}, ShapeError, r"array \(4, 4\)"),
        ({"background": np.ones((4, 4))}, InvalidArgumentError, "sum to 1"),
        ({"return_positions": "yes"}, InvalidArgumentError, "return_positions"),
    ],
)
def test_simulate_refuses(options, error, words):
    with pytest.raises(error, match=words):
        dm.simulate(**{"n": 10, **options})


# MARK: DeepResolve's sets


def test_set_of_xor():
    X, y = dm.synthetic_xor(6000, random_state=1)
    assert X.shape == (6000, 60)
    strings = dm.decode(X)
    expected = ["CAGGTC" in s and (("CGCTTG" in s) != ("GCTCAT" in s)) for s in strings]
    np.testing.assert_array_equal(y, np.array(expected, dtype=np.int64))
    # Two of seven choices of patterns in five sixths of the sequences; 5 binomial deviations.
    share = 5 / 6 * 2 / 7
    assert abs(y.sum() - 6000 * share) < 5 * np.sqrt(6000 * share * (1 - share))
    for pattern in ("CAGGTC", "CGCTTG", "GCTCAT"):
        share = 5 / 6 * 4 / 7
        assert abs(sum(pattern in s for s in strings) - 6000 * share) < 300


def test_set_of_four_classes():
    X, y = dm.synthetic_classes(2001, random_state=1)
    assert y.shape == (2001, 4)
    assert (y.sum(axis=1) == 1).all()
    patterns = [("GATA", "CAGATG"), ("TCAT", "CAGATG"), ("GATA", "TCAT"), ("CGCTTG",)]
    for string, label in zip(dm.decode(X), y.argmax(axis=1), strict=True):
        assert all(pattern in string for pattern in patterns[label])
    assert y.sum(axis=0).max() - y.sum(axis=0).min() <= 1


@pytest.mark.parametrize("make", [dm.synthetic_xor, dm.synthetic_classes])
def test_sets_depend_on_the_seed_only(make):
    one, two = make(600, random_state=3, n_threads=1), make(600, random_state=3, n_threads=2)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert (make(600, random_state=4)[0] != one[0]).any()
    assert make(700, length=40)[0].shape == (700, 40)
    with pytest.raises(ShapeError, match="length must be at least"):
        make(700, length=9)
