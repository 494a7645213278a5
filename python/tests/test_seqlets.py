"""Seqlets and their clusters: planted explanations are found, on both strands and of both signs; alignments; edges."""

import sys
import types

import numpy as np
import pytest

import deepmotif as dm
from deepmotif._clustering import cluster_windows, shifted
from deepmotif._seqlets import call_seqlets
from deepmotif._similarity import best_alignments

PLANTED = {"GATTACGT": 1.0, "CCTGAGCA": -1.0}


@pytest.fixture(scope="module")
def planted():
    """Sequences with one site of each motif, on either strand, and attributions: the sites and some noise."""
    rng = np.random.default_rng(1)
    X = rng.integers(0, 4, (300, 80)).astype(np.uint8)
    values = rng.normal(0, 0.05, X.shape)
    truth = {motif: [] for motif in PLANTED}
    for row in range(len(X)):
        for motif, first in zip(PLANTED, (5, 45), strict=True):
            site = dm.encode(motif)[0]
            start, turned = first + int(rng.integers(20)), bool(rng.integers(2))
            X[row, start : start + 8] = 3 - site[::-1] if turned else site
            values[row, start : start + 8] += PLANTED[motif]
            truth[motif].append((row, start, turned))
    return X, values, truth


def test_planted_motifs_are_found_with_their_sites(planted):
    X, values, truth = planted
    motifs = dm.seqlet_motifs(values, X)
    assert [motif.name for motif in motifs] == ["positive_0", "negative_0"]
    for motif, (letters, sign) in zip(motifs, PLANTED.items(), strict=True):
        assert motif.sign == sign
        turned = motif.consensus != letters
        assert (motif.reverse_complement() if turned else motif).consensus == letters
        assert motif.n_sites == len(motif.sequences) >= 290
        expected = {(row, start, is_turned != turned) for row, start, is_turned in truth[letters]}
        found = zip(motif.sequences, motif.starts, motif.strands == "-", strict=True)
        assert {(int(row), int(start), bool(minus)) for row, start, minus in found} <= expected
        np.testing.assert_allclose(motif.contributions.sum(axis=1), sign, atol=0.05)
        assert motif.profile.sum() == motif.n_sites


def test_all_letters_give_the_same_as_present_ones(planted):
    X, values, _ = planted
    full = values[:, :, None] * np.where(dm.one_hot(X) > 0, 1.0, -7.0)
    one, two = dm.seqlet_motifs(values, X), dm.seqlet_motifs(full, X)
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first.counts, second.counts)


def test_untrimmed_windows_keep_their_flanks(planted):
    X, values, _ = planted
    assert {len(motif) for motif in dm.seqlet_motifs(values, X, trim=0)} == {19}


def test_noise_has_no_motifs():
    rng = np.random.default_rng(2)
    X = rng.integers(0, 5, (200, 60)).astype(np.uint8)
    assert dm.seqlet_motifs(rng.normal(size=X.shape), X) == []
    assert dm.seqlet_motifs(np.zeros(X.shape), X) == []
    assert dm.seqlet_motifs(np.zeros((1, 9)), ["ACGTACGTN"]) == []


def test_same_seed_same_motifs(planted):
    X, values, _ = planted
    first, second = (dm.seqlet_motifs(values, X, random_state=7) for _ in range(2))
    assert [motif.counts.tobytes() for motif in first] == [motif.counts.tobytes() for motif in second]


def test_seqlets_do_not_overlap_and_keep_to_the_rate():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (300, 60))
    values[:150, 20:29] += 2
    sites = call_seqlets(values, 9, 0, 0.05, 10**6, 0)[1]
    by_row = {}
    for row, start in zip(sites.rows, sites.starts, strict=True):
        by_row.setdefault(int(row), []).append(int(start))
    assert all(np.diff(sorted(starts)).min(initial=99) >= 9 for starts in by_row.values())
    # Windows beside the true ones hold a part of them.
    true = (sites.rows < 150) & (np.abs(sites.starts - 20) < 9)
    assert true.sum() >= 140
    assert (~true).mean() < 0.15


def test_best_alignment_equals_the_slow_search():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(3, 7, 4)), rng.normal(size=(4, 7, 4))
    values, shifts, turned = best_alignments(first, second, 4)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            found = []
            for is_turned in (False, True):
                other = b[::-1, ::-1] if is_turned else b
                for shift in range(-4, 5):
                    pairs = [(a[p], other[p - shift]) for p in range(7) if 0 <= p - shift < 7]
                    value = sum((x * y).sum() for x, y in pairs) / np.linalg.norm(a) / np.linalg.norm(b)
                    found.append((value, shift, is_turned))
            value, shift, is_turned = max(found)
            assert (shifts[i, j], turned[i, j]) == (shift, is_turned)
            assert values[i, j] == pytest.approx(value, abs=1e-6)


def test_shifted_lies_on_the_mean():
    rng = np.random.default_rng(5)
    mean = np.zeros((1, 9, 4))
    mean[0, 2:7] = rng.normal(size=(5, 4))
    windows = np.stack([np.roll(mean[0], 2, axis=0), np.roll(mean[0], -1, axis=0)[::-1, ::-1]])
    values, shifts, turned = best_alignments(mean, windows, 4)
    np.testing.assert_allclose(values, 1, atol=1e-6)
    laid = shifted(windows, shifts[0].astype(np.int64), turned[0])
    np.testing.assert_allclose(laid, np.repeat(mean, 2, axis=0))


def test_thousands_of_windows_are_clustered():
    """More windows than seeds: the rest joins the clusters of the seeds."""
    rng = np.random.default_rng(6)
    kinds = rng.normal(size=(3, 12, 4))
    which = rng.integers(0, 3, 2600)
    windows = kinds[which] + rng.normal(0, 0.3, (2600, 12, 4))
    clusters = cluster_windows(windows, 0.7, 0.85, 20, 3)
    assert len(clusters) == 3
    for cluster in clusters:
        kind = which[cluster.members[0]]
        assert set(cluster.members) == set(np.flatnonzero(which == kind))


def test_strong_windows_hide_no_weak_ones():
    """All seeds of the first turn are of one kind."""
    rng = np.random.default_rng(7)
    kinds = rng.normal(size=(2, 12, 4))
    which = np.repeat([0, 1], [2300, 60])
    windows = kinds[which] + rng.normal(0, 0.3, (len(which), 12, 4))
    clusters = cluster_windows(windows, 0.7, 0.85, 20, 3)
    assert [len(cluster.members) for cluster in clusters] == [2300, 60]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"attributions": np.zeros((3, 5))}, dm.ShapeError, r"attributions must be \(4, 20\)"),
        ({"attributions": "words"}, dm.ShapeError, "attributions must be an array"),
        ({"attributions": np.full((4, 20), np.nan)}, dm.InvalidArgumentError, "finite"),
        ({"width": 21}, dm.ShapeError, "width must be at most"),
        ({"fdr": 0}, dm.InvalidArgumentError, "fdr"),
        ({"similarity": 2}, dm.InvalidArgumentError, "similarity"),
        ({"trim": -1}, dm.InvalidArgumentError, "trim"),
        ({"method": "kmeans"}, dm.InvalidArgumentError, "method must be one of"),
        ({"n_leiden_runs": 3}, dm.InvalidArgumentError, "n_leiden_runs"),
        ({"method": "modisco"}, dm.InvalidArgumentError, "of all letters"),
    ],
)
def test_errors(changes, error, words):
    arguments = {"attributions": np.zeros((4, 20)), "X": np.zeros((4, 20), dtype=np.uint8)} | changes
    with pytest.raises(error, match=words):
        dm.seqlet_motifs(**arguments)


def test_modisco_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "modiscolite.tfmodisco", None)
    with pytest.raises(dm.MissingDependencyError, match=r"deepmotif\[modisco\]"):
        dm.seqlet_motifs(np.zeros((4, 20, 4)), np.zeros((4, 20), dtype=np.uint8), method="modisco")


def test_modisco_patterns_become_motifs(planted, monkeypatch):
    """What the library returns, as its documentation says: lists of patterns, or None."""
    X, values, truth = planted
    seqlets = [
        types.SimpleNamespace(example_idx=row, start=start - 1, end=start + 9, is_revcomp=turned)
        for row, start, turned in truth["GATTACGT"]
    ]
    received = {}

    def library(one_hot, hypothetical_contribs, **options):
        received.update(options, shapes=(one_hot.shape, hypothetical_contribs.shape))
        return [types.SimpleNamespace(seqlets=seqlets)], None

    monkeypatch.setitem(sys.modules, "modiscolite", types.ModuleType("modiscolite"))
    module = types.ModuleType("modiscolite.tfmodisco")
    module.TFMoDISco = library
    monkeypatch.setitem(sys.modules, "modiscolite.tfmodisco", module)
    full = values[:, :, None] * dm.one_hot(X)
    (motif,) = dm.seqlet_motifs(full, X, method="modisco", target_seqlet_fdr=0.1)
    assert (motif.consensus, motif.n_sites, motif.sign) == ("GATTACGT", 300, 1)
    assert received == {"target_seqlet_fdr": 0.1, "shapes": ((300, 80, 4), (300, 80, 4))}
