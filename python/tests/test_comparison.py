"""Tomtom against its slow twin, and its arguments."""

import numpy as np
import pytest
import tomtom_twin as twin

import deepmotif as dm

pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:.* targets are few")

DISTANCES = ["pearson", "ed", "kullback", "sandelin", "allr", "blic1", "blic5"]
COLUMNS = ["query", "target", "p_value", "e_value", "q_value", "offset", "overlap", "orientation"]


def random_motifs(rng, widths, prefix, sharpness=0.4):
    return [
        dm.Motif(rng.dirichlet([sharpness] * 4, size=w), name=f"{prefix}{i}", n_sites=int(rng.integers(5, 60)))
        for i, w in enumerate(widths)
    ]


def with_pseudocount(motif, background, pseudocount=0.1):
    n = motif.n_sites
    return (np.asarray(motif.probabilities) * n + pseudocount * background) / (n + pseudocount)


@pytest.fixture(scope="module")
def motifs():
    rng = np.random.default_rng(3)
    return random_motifs(rng, [1, 4, 7, 9], "q"), random_motifs(rng, [2, 5, 5, 8, 11, 3, 6, 14], "t")


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize(("both", "min_overlap"), [(True, 1), (False, 4)])
def test_equals_the_twin(motifs, distance, complete, both, min_overlap):
    queries, targets = motifs
    background = np.array([0.3, 0.2, 0.2, 0.3])
    table = dm.tomtom(
        queries,
        targets,
        distance,
        complete_scores=complete,
        reverse_complement=both,
        min_overlap=min_overlap,
        background=background,
    )
    assert list(table.columns) == COLUMNS
    matrices = [with_pseudocount(t, background) for t in targets]
    sites = [t.n_sites for t in targets]
    for query in queries:
        rows = table[table["query"] == query.name].set_index("target")
        expected = twin.compare(
            with_pseudocount(query, background), matrices, query.n_sites, sites, background, distance, complete,
            min_overlap, both,
        )  # fmt: skip
        for target, (p, offset, overlap, orientation) in zip(targets, expected, strict=True):
            row = rows.loc[target.name]
            # The twin takes p-values as 1 minus a product of up to 50 factors: a rounding error each.
            assert abs(row.p_value - p) <= 50 * 2.0**-52
            assert (row.offset, row.overlap, row.orientation) == (offset, overlap, orientation)


def test_small_p_values_keep_their_digits():
    """The tail of a perfect match, taken to the full precision that 1 minus the rest would lose."""
    rng = np.random.default_rng(11)
    targets = random_motifs(rng, rng.integers(6, 16, size=80), "t", sharpness=0.15)
    query = dm.Motif(np.asarray(targets[4].probabilities), name="query", n_sites=targets[4].n_sites)
    row = dm.tomtom(query, targets, "ed").iloc[0]
    assert (row.target, row.offset, row.orientation) == ("t4", 0, "+")
    columns = np.concatenate([with_pseudocount(t, np.full(4, 0.25)) for t in targets])
    columns = np.concatenate([columns, columns[:, ::-1]])
    matrix = with_pseudocount(query, np.full(4, 0.25))
    steps, zero = twin.steps_of(-np.sqrt(((matrix[:, None] - columns) ** 2).sum(axis=-1)), True)
    # A perfect match has the most steps that each column can have; alone it is the largest part of the p-value.
    score = steps.max(axis=1).sum()
    tails = [
        twin.tail(steps, i, n, score - len(matrix) * zero + n * zero)
        for _, i, _, n in twin.alignments(len(matrix), len(matrix), 1)
    ]
    assert row.p_value == pytest.approx(2 * sum(tails), rel=1e-6)  # p + q - pq differs from p + q by p
    assert 0 < row.p_value < 1e-9


def test_order_and_q_values(motifs):
    queries, targets = motifs
    table = dm.tomtom(queries, targets)
    assert list(table["query"].unique()) == [q.name for q in queries]
    for _, rows in table.groupby("query", sort=False):
        p = rows.p_value.to_numpy()
        assert len(p) == len(targets)
        assert (np.diff(p) >= 0).all()
        np.testing.assert_array_equal(rows.e_value, p * len(targets))
        raw = p * len(p) / np.arange(1, len(p) + 1)
        # One product and one quotient each.
        np.testing.assert_allclose(rows.q_value, np.minimum.accumulate(np.append(raw, 1)[::-1])[::-1][:-1], rtol=1e-15)


def test_both_strands_are_one_comparison():
    """Turning the query or all targets round turns the result round."""
    rng = np.random.default_rng(5)
    targets = random_motifs(rng, [8] * 30, "t")
    query = random_motifs(rng, [6], "q")[0]
    straight = dm.tomtom(query, targets).set_index("target")
    turned = dm.tomtom(query.reverse_complement(), targets).set_index("target").loc[straight.index]
    # The histograms of turned columns are summed in another order.
    np.testing.assert_allclose(turned.p_value, straight.p_value, rtol=1e-12)
    assert (turned.orientation != straight.orientation).mean() > 0.9
    clear = turned.orientation != straight.orientation
    assert (turned.offset[clear] == 8 - 6 - straight.offset[clear]).all()


def test_threads_and_blocks_do_not_matter(motifs):
    queries, targets = motifs
    one = dm.tomtom(queries, targets, n_threads=1)
    assert one.equals(dm.tomtom(queries, targets, n_threads=3))
    alone = [dm.tomtom(query, targets) for query in queries]
    for query, table in zip(queries, alone, strict=True):
        assert table.equals(one[one["query"] == query.name].reset_index(drop=True))


@pytest.mark.parametrize("column", ["p_value", "e_value", "q_value"])
def test_threshold(motifs, column):
    queries, targets = motifs
    everything = dm.tomtom(queries, targets)
    limit = everything[column].median()
    kept = dm.tomtom(queries, targets, threshold=limit, threshold_on=column)
    assert 0 < len(kept) < len(everything)
    assert kept.equals(everything[everything[column] <= limit].reset_index(drop=True))


def test_motifs_without_sites_have_twenty(motifs):
    queries, targets = motifs
    plain = dm.Motif(queries[2].probabilities, name="q")
    twenty = dm.Motif(queries[2].probabilities, name="q", n_sites=20)
    assert dm.tomtom(plain, targets).equals(dm.tomtom(twenty, targets))


def test_flat_columns_compare_with_anything():
    """No variance and no range anywhere: one score, p-value 1."""
    flat = [dm.Motif(np.full((3, 4), 0.25), name=str(i)) for i in range(3)]
    for distance in DISTANCES:
        assert (dm.tomtom(flat[0], flat, distance).p_value == 1).all()


def test_few_targets_warn(motifs):
    with pytest.warns(UserWarning, match="8 targets are few"):
        dm.tomtom(*motifs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"queries": []}, "queries must hold at least one motif"),
        ({"targets": "JASPAR"}, "targets must be a Motif or a list of them; got str"),
        ({"queries": [np.eye(4)]}, "got ndarray at index 0"),
        ({"distance": "cosine"}, "distance must be one of pearson, ed"),
        ({"min_overlap": 0}, "min_overlap must be a whole number of at least 1"),
        ({"pseudocount": -1.0}, "pseudocount"),
        ({"pseudocount": float("nan")}, "pseudocount"),
        ({"background": [0.5, 0.5, 0, 0]}, "background must be 4 positive probabilities"),
        ({"background": "uniform"}, "background must be 4 positive probabilities"),
        ({"threshold": -0.1}, "threshold"),
        ({"threshold_on": "score"}, "threshold_on must be one of q_value"),
        ({"complete_scores": 1}, "complete_scores must be True or False"),
        ({"n_threads": 0}, "n_threads"),
    ],
)
def test_wrong_arguments(motifs, change, words):
    arguments = {"queries": motifs[0], "targets": motifs[1], **change}
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.tomtom(**arguments)


def test_equal_names_are_refused(motifs):
    with pytest.raises(dm.InvalidArgumentError, match=r"'t0' is the name of targets\[0\] and targets\[1\]"):
        dm.tomtom(motifs[0], [motifs[1][0], motifs[1][0]])


def test_zeros_need_a_pseudocount(motifs):
    sure = dm.Motif(np.eye(4), name="sure")
    with pytest.raises(dm.InvalidArgumentError, match=r"queries\[0\] has a probability of 0.*pseudocount"):
        dm.tomtom(sure, motifs[1], "kullback", pseudocount=0)
    assert len(dm.tomtom(sure, motifs[1], "ed", pseudocount=0)) == len(motifs[1])
