"""Classes compared: by definition, with known clusters, and errors."""

import numpy as np
import pytest

import deepmotif as dm


@pytest.fixture(scope="module")
def blocks():
    """Similarities of four groups of five classes in a mixed order, and the group of each."""
    random = np.random.default_rng(0)
    groups = random.permutation(20) % 4
    values = random.normal(size=(4, 30))[groups] + 0.3 * random.normal(size=(20, 30))
    return np.corrcoef(values), groups


@pytest.fixture(scope="module")
def results():
    model = dm.CNN(filters=9, kernel_sizes=(5, 3), random_state=0).build(30, 4)
    return dm.deepresolve(model, target="all", restarts=3)


def test_similarity_by_definition(results):
    values = np.array([r.ofiv for r in results])
    np.testing.assert_allclose(dm.class_similarity(results), np.corrcoef(np.maximum(values, 0)))
    np.testing.assert_allclose(dm.class_similarity(results, positive=False), np.corrcoef(values))
    np.testing.assert_array_equal(dm.class_difference(results[0], results[2]), values[0] - values[2])


def test_label_correlation_by_definition():
    random = np.random.default_rng(1)
    y = random.integers(0, 2, size=(50, 4)).astype(float)
    np.testing.assert_allclose(dm.label_correlation(y), np.corrcoef(y.T))
    y[random.uniform(size=y.shape) < 0.2] = np.nan
    found = dm.label_correlation(y)
    for i, j in [(0, 1), (1, 3), (2, 2)]:
        both = np.isfinite(y[:, i]) & np.isfinite(y[:, j])
        assert found[i, j] == pytest.approx(np.corrcoef(y[both, i], y[both, j])[0, 1])
    labels = random.integers(0, 3, size=40)
    np.testing.assert_allclose(dm.label_correlation(labels), np.corrcoef(np.eye(3)[labels].T))


def test_last_layer_similarity_by_definition():
    model = dm.CNN(filters=9, kernel_sizes=(5,), random_state=0).build(30, 4)
    weights = model.weights_["dense_0.weight"].astype(float)
    norms = np.linalg.norm(weights, axis=1)
    np.testing.assert_allclose(
        dm.last_layer_similarity(model), weights @ weights.T / np.outer(norms, norms), atol=1e-12
    )


def test_clusters_are_found(blocks):
    pytest.importorskip("scipy")
    similarity, groups = blocks
    clusters = dm.class_clusters(similarity)
    assert len({*zip(clusters.labels.tolist(), groups.tolist(), strict=True)}) == 4
    assert sorted(clusters.order.tolist()) == list(range(20))
    assert np.count_nonzero(np.diff(groups[clusters.order])) == 3
    assert len(set(dm.class_clusters(similarity, 2).labels.tolist())) == 2
    assert clusters.labels[0] == 0


@pytest.mark.parametrize("method", ["blocks", "diagonal"])
def test_biclusters_are_found(method):
    pytest.importorskip("sklearn")
    random = np.random.default_rng(3)
    rows, columns = random.permutation(15) % 3, random.permutation(12) % 3
    matrix = np.where(rows[:, None] == columns, 0.9, -0.3) + 0.05 * random.normal(size=(15, 12))
    found = dm.class_biclusters(matrix, 3, method=method)
    assert len({*zip(found.row_labels.tolist(), rows.tolist(), strict=True)}) == 3
    assert len({*zip(found.column_labels.tolist(), columns.tolist(), strict=True)}) == 3
    assert np.count_nonzero(np.diff(rows[found.row_order])) == 2


def test_association_counts_by_definition(blocks):
    similarity, _ = blocks
    positive, negative, (low, high) = dm.association_counts(similarity, range(8), range(8, 20))
    pairs = similarity[np.triu_indices(20, 1)]
    assert (low, high) == tuple(np.quantile(pairs, [0.15, 0.85]))
    np.testing.assert_array_equal(positive, (similarity[:8, 8:] > high).sum(1))
    np.testing.assert_array_equal(negative, (similarity[:8, 8:] < low).sum(1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dm.class_similarity([]), "at least one result"),
        (lambda: dm.class_similarity([1, 2]), "results of deepresolve"),
        (lambda: dm.class_clusters(np.eye(3)[:2]), "square"),
        (lambda: dm.class_clusters(np.eye(3), method="nearest neighbour"), "method must be"),
        (lambda: dm.class_biclusters(np.eye(3), 4), "at most"),
        (lambda: dm.class_biclusters(np.eye(3), method="rows"), "method must be"),
        (lambda: dm.association_counts(np.eye(3), [0], [3]), "columns must be"),
        (lambda: dm.association_counts(np.eye(3), [0], [1], high=0.1), "low must be"),
        (lambda: dm.label_correlation(np.zeros((2, 2, 2))), "y must be labels"),
    ],
)
def test_refuses(call, words):
    with pytest.raises((dm.InvalidArgumentError, dm.ShapeError), match=words):
        call()
