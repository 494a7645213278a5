"""Scan against brute force: every window scored, every word counted."""

import itertools

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import scanning

pytest.importorskip("pandas")

COLUMNS = ["motif", "sequence", "start", "end", "strand", "score", "p_value", "q_value"]
UNIFORM = np.full(4, 0.25)
SKEWED = np.array([0.35, 0.2, 0.15, 0.3])


def random_motif(rng, width, name="m", sharpness=0.5):
    return dm.Motif(rng.dirichlet([sharpness] * 4, size=width), name=name, n_sites=25)


def random_codes(rng, count, length, unknown=0.01):
    codes = rng.integers(0, 4, size=(count, length), dtype=np.uint8)
    codes[rng.random(codes.shape) < unknown] = 4
    return codes


def word_scores(log_odds, background):
    """Scores and probabilities of all words, in the order of itertools.product."""
    scores, probabilities = np.zeros(1), np.ones(1)
    for row in log_odds:
        scores = (scores[:, None] + row).ravel()
        probabilities = (probabilities[:, None] * background).ravel()
    return scores, probabilities


def brute_force(motif, codes, background, p_value):
    """{(sequence, start, strand): (score, p-value)}, words that differ by rounding only counting as equal."""
    hits, tested = {}, 0
    for strand, matrix in (("+", motif), ("-", motif.reverse_complement())):
        log_odds = matrix.log_odds(background)
        scores, probabilities = word_scores(log_odds, background)
        order = np.argsort(scores)[::-1]
        ranked, tails = scores[order], np.cumsum(probabilities[order])
        for row, start in itertools.product(range(len(codes)), range(codes.shape[1] - len(motif) + 1)):
            word = codes[row, start : start + len(motif)]
            if (word > 3).any():
                continue
            tested += 1
            score = log_odds[np.arange(len(motif)), word].sum()
            # Rounding moves sums of ten terms by 1e-14 or so; different words are further apart.
            p = min(tails[np.searchsorted(-ranked, -(score - 1e-12), side="right") - 1], 1)
            if p <= p_value:
                hits[row, start, strand] = (score, p)
    return hits, tested


def as_dict(table):
    return {(row.sequence, row.start, row.strand): (row.score, row.p_value) for row in table.itertuples(index=False)}


def assert_same_hits(table, expected):
    found = as_dict(table)
    assert found.keys() == expected.keys()
    for key, (score, p) in expected.items():
        # Sums of a dozen terms below 16 in another order; p as the bar of the project has it.
        assert abs(found[key][0] - score) <= 12 * 16 * 2.0**-52
        assert abs(found[key][1] - p) <= 1e-9 * p


@pytest.mark.parametrize("width", [1, 2, 5, 6, 7, 8, 10])
@pytest.mark.parametrize("background", [UNIFORM, SKEWED])
def test_equals_brute_force(width, background):
    rng = np.random.default_rng(width)
    motif, codes = random_motif(rng, width), random_codes(rng, 7, 150)
    windows, _ = brute_force(motif, codes, background, 1.0)
    for p_value in (1.0, 0.3, 0.01):
        table = dm.scan(motif, codes, p_value, background=background)
        assert list(table.columns) == COLUMNS
        expected = {key: hit for key, hit in windows.items() if hit[1] <= p_value}
        assert expected or width < 5
        assert_same_hits(table, expected)
        assert (table.end - table.start == width).all()


def test_wide_motifs_have_the_engine_s_p_values():
    """Beyond enumeration: the same scores and p-values as window by window, at any threshold."""
    from deepmotif import _native

    rng = np.random.default_rng(20)
    codes = random_codes(rng, 3, 4000)
    for width in (13, 18, 19, 31):
        motif = random_motif(rng, width)
        loose, strict = dm.scan(motif, codes, 0.05), dm.scan(motif, codes, 1e-3)
        assert len(strict) > 3
        kept = loose[loose.p_value <= 1e-3]
        assert as_dict(kept) == as_dict(strict)
        for strand, matrix in (("+", motif), ("-", motif.reverse_complement())):
            log_odds = matrix.log_odds()
            scores = _native.motif_scores(log_odds, codes, 1)
            p = _native.motif_p_values(log_odds, UNIFORM, scores.ravel()).reshape(scores.shape)
            p[np.isneginf(scores)] = 2  # unknown bases
            mine = loose[loose.strand == strand]
            assert {tuple(i) for i in np.argwhere(p <= 0.05)} == set(zip(mine.sequence, mine.start, strict=True))
            np.testing.assert_array_equal(scores[mine.sequence, mine.start], mine.score)
            # Both strands share one distribution; equal scores of either may be summed in another order.
            np.testing.assert_allclose(p[mine.sequence, mine.start], mine.p_value, rtol=1e-12)


def test_q_values_count_all_windows():
    rng = np.random.default_rng(2)
    motif, codes = random_motif(rng, 6), random_codes(rng, 5, 200, unknown=0.05)
    table = dm.scan(motif, codes, 0.02)
    _, tested = brute_force(motif, codes, UNIFORM, 0.02)
    p = np.sort(table.p_value)
    raw = p * tested / np.arange(1, len(p) + 1)
    expected = np.minimum.accumulate(np.minimum(raw, 1)[::-1])[::-1]
    np.testing.assert_allclose(np.sort(table.q_value), expected, rtol=1e-14)  # a product and a quotient
    assert (table.sort_values("p_value").q_value.diff().dropna() >= 0).all()


def test_pieces_do_not_matter(monkeypatch):
    """Long and short rows, cut anywhere: the same table."""
    rng = np.random.default_rng(4)
    motifs = [random_motif(rng, width, f"m{width}") for width in (3, 9, 14, 25)]
    for shape in ((1, 5000), (40, 120), (3, 1700)):
        codes = random_codes(rng, *shape)
        whole = dm.scan(motifs, codes, 0.01)
        assert len(whole) > 100
        monkeypatch.setattr(scanning, "_FIRST_BLOCK", 97)
        monkeypatch.setattr(scanning, "Pace", FixedPace)
        assert dm.scan(motifs, codes, 0.01).equals(whole)
        monkeypatch.undo()


class FixedPace:
    """Blocks that stay as short as the first."""

    def __init__(self, unit):
        self.size = unit

    def update(self, done, seconds):
        pass


def test_threads_and_company_do_not_matter():
    rng = np.random.default_rng(5)
    motifs = [random_motif(rng, 5 + i % 12, f"m{i}") for i in range(70)]
    codes = random_codes(rng, 30, 400)
    together = dm.scan(motifs, codes, 1e-3, n_threads=1)
    assert together.equals(dm.scan(motifs, codes, 1e-3, n_threads=3))
    alone = dm.scan(motifs[41], codes, 1e-3)
    assert alone.equals(together[together.motif == "m41"].reset_index(drop=True))
    order = together.sort_values(["sequence", "start", "strand"], kind="stable").groupby("motif", sort=False)
    assert all(group.index.is_monotonic_increasing for _, group in order)


def test_one_strand():
    rng = np.random.default_rng(6)
    motif, codes = random_motif(rng, 7), random_codes(rng, 4, 300)
    both = dm.scan(motif, codes, 0.01)
    one = dm.scan(motif, codes, 0.01, both_strands=False)
    assert as_dict(one) == {key: hit for key, hit in as_dict(both).items() if key[2] == "+"}


def test_forms_of_sequences(tmp_path):
    motif = dm.Motif.from_consensus("GATAAG")
    text = ["TTGATAAGTTNTTCTTATCAA", "ACGTACGTACGTACGTACGTA"]
    codes = dm.encode(text)
    expected = dm.scan(motif, text, 1e-3)
    assert len(expected) == 2
    stored = np.memmap(tmp_path / "codes", np.uint8, "w+", shape=codes.shape)
    stored[:] = codes
    for form in (codes, dm.one_hot(codes), stored, codes.astype(np.int64), codes[:, ::-1][:, ::-1]):
        assert dm.scan(motif, form, 1e-3).equals(expected)


def test_letters_never_seen():
    """Without a pseudocount a wrong letter scores minus infinity: such windows come with p_value=1.0 only."""
    motif = dm.Motif.from_consensus("GAT")
    table = dm.scan(motif, ["GATC"], 0.9, pseudocount=0)
    assert as_dict(table) == {(0, 0, "+"): (6.0, 4.0**-3), (0, 1, "-"): (6.0, 4.0**-3)}
    table = dm.scan(motif, ["GATC"], 1.0, pseudocount=0)
    assert len(table) == 4
    assert (table.p_value[np.isneginf(table.score)] == 1).all()


def test_nothing_found():
    motif = dm.Motif.from_consensus("GATAAG")
    for X in (["ACGT"], ["NNNNNNNNN"], ["CCCCCCCCC"]):
        table = dm.scan(motif, X)
        assert list(table.columns) == COLUMNS
        assert len(table) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motifs": []}, "motifs must hold at least one motif"),
        ({"motifs": "GATA"}, "motifs must be a Motif or a list of them; got str"),
        ({"p_value": 0}, "p_value must be a finite number above 0 and at most 1"),
        ({"p_value": 1.5}, "p_value"),
        ({"p_value": float("nan")}, "p_value"),
        ({"pseudocount": -1}, "pseudocount"),
        ({"background": [1, 1, 1, 1]}, "background"),
        ({"both_strands": "yes"}, "both_strands must be True or False"),
        ({"n_threads": 0}, "n_threads"),
        ({"X": np.full((1, 9, 4), 0.25, np.float32)}, "one-hot for a scan"),
        ({"X": ["ACGX?"]}, "X"),
    ],
)
def test_wrong_arguments(change, words):
    arguments = {"motifs": dm.Motif.from_consensus("GATA"), "X": ["ACGTACGT"], **change}
    with pytest.raises(dm.DeepMotifError, match=words):
        dm.scan(**arguments)
