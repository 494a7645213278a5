"""Several tasks and values: labels, training, predictions and measures."""

import numpy as np
import pytest
from training_cases import planted, planted_tasks, weights_bytes

import deepmotif as dm
from deepmotif._rows import LabelledRows
from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU


def network(outputs, output, **parameters):
    layers = [Conv1D(16, 6), ReLU(), GlobalMaxPool1D(), Dense(outputs)]
    defaults = {"epochs": 15, "batch_size": 32, "random_state": 0, "n_threads": 1}
    return dm.Network(layers, output, **(defaults | parameters))


@pytest.fixture(scope="module")
def tasks():
    X, y = planted_tasks(1200)
    return network(3, "sigmoid").fit(X, y)


# ---- tasks ----


def test_tasks_are_learned(tasks):
    X, y = planted_tasks(400, seed=9)
    measures = dm.evaluate(tasks, X, y, per_task=True)
    assert sorted(measures) == ["accuracy", "log_loss", "mcc", "pr_auc", "roc_auc"]
    # Two words that occur by chance too, in 25 / 4^6 = 0.6 % of the sequences, learned from 1,080; and labels that have
    # nothing to do with the sequence, 360 of them: standard error 0.03.
    assert measures["roc_auc"][:2].min() > 0.9
    assert abs(measures["roc_auc"][2] - 0.5) < 0.15
    assert tasks.score(X, y) == pytest.approx(measures["roc_auc"].mean(), abs=1e-12)
    assert dm.evaluate(tasks, X, y)["roc_auc"] == tasks.score(X, y)


def test_measures_are_scikit_learns(tasks):
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = planted_tasks(300, seed=9)
    measures, scores, p = dm.evaluate(tasks, X, y, per_task=True), tasks.scores(X), tasks.predict_proba(X)
    for task in range(3):
        known = y[:, task] != 255
        labels, column = y[known, task], scores[known, task]
        expected = {
            "roc_auc": metrics.roc_auc_score(labels, column),
            "pr_auc": metrics.average_precision_score(labels, column),
            "accuracy": metrics.accuracy_score(labels, column > 0),
            "mcc": metrics.matthews_corrcoef(labels, column > 0),
        }
        for name, value in expected.items():
            assert measures[name][task] == pytest.approx(value, abs=1e-12)
        # Of float32 probabilities.
        assert measures["log_loss"][task] == pytest.approx(metrics.log_loss(labels, p[known, task]), rel=1e-5)


def test_predictions_of_tasks(tasks):
    X, _ = planted_tasks(50, seed=9)
    assert tasks.predict_proba(X).shape == tasks.scores(X).shape == tasks.decision_function(X).shape == (50, 3)
    assert tasks.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(tasks.predict(X), (tasks.predict_proba(X) > 0.5).astype(int))


def test_history_of_tasks(tasks):
    assert all(np.isfinite(values).all() for values in tasks.history_.values())
    assert tasks.best_epoch_ == int(np.argmax(tasks.history_["val_auc"]))


@pytest.mark.parametrize(
    "form",
    [
        lambda y: y.astype(np.int64),
        lambda y: np.where(y == 255, -1, y).astype(np.int8),
        lambda y: np.where(y == 255, np.nan, y),
        lambda y: np.where(y == 255, np.nan, y).astype(np.float16),
        lambda y: [[None if label == 255 else bool(label) for label in row] for row in y.tolist()],
        lambda y: np.asfortranarray(y),
    ],
    ids=range(6),
)
def test_labels_of_tasks_in_every_form(form):
    X, y = planted_tasks(100)
    expected = weights_bytes(network(3, "sigmoid", epochs=1).fit(X, y))
    assert weights_bytes(network(3, "sigmoid", epochs=1).fit(X, form(y))) == expected


def test_uint8_labels_are_not_copied():
    _, y = planted_tasks(20)
    head = network(3, "sigmoid")._new_head()
    assert head.encode(head.read(y, 20, "y"), np.arange(3)) is not None
    assert np.shares_memory(head.read(y, 20, "y"), y)
    assert np.shares_memory(head.read(y == 1, 20, "y"), y) is False
    flags = y == 1
    assert np.shares_memory(head.read(flags, 20, "y"), flags)


def test_missing_labels_have_no_say():
    X, y = planted_tasks(200)
    hidden = y.copy()
    hidden[:, 2] = 255
    model = network(3, "sigmoid", epochs=2).fit(X, hidden)
    start = network(3, "sigmoid").build(30, 3)
    row = model.weights_["dense_0.weight"][2], start.weights_["dense_0.weight"][2]
    np.testing.assert_array_equal(*row)
    assert np.isnan(dm.evaluate(model, X, hidden, per_task=True)["roc_auc"][2])
    assert np.isfinite(model.score(X, hidden))


def test_one_task():
    X, y = planted(300)
    model = network(1, "sigmoid").fit(X, y)
    assert model.predict(X).shape == (300,)
    assert model.predict_proba(X).shape == (300, 1)
    assert model.decision_function(X).shape == (300,)
    assert model.classes_.tolist() == [0]
    assert model.score(X, y) > 0.95
    column = network(1, "sigmoid").fit(X, y[:, None])
    assert weights_bytes(column) == weights_bytes(model)


def test_loss_of_tasks_is_the_mean_over_known_labels():
    X, y = planted_tasks(50)
    options = {"epochs": 1, "batch_size": 16, "learning_rate": 1e-12, "validation_fraction": 0.0}
    model = network(3, "sigmoid", **options).fit(X, y)
    known = y != 255
    losses = np.logaddexp(0, model.scores(X).astype(np.float64)) - model.scores(X) * (y == 1)
    assert model.history_["loss"][0] == pytest.approx(losses[known].mean(), rel=1e-5)
    assert model._head.mean_loss(model.scores(X), y) == pytest.approx(losses[known].mean(), rel=1e-12)
    heavy = network(3, "sigmoid", class_weight={0: 3.0}, **options).fit(X, y)
    weights = np.where((y == 1) & (np.arange(3) == 0), 3.0, 1.0)
    # The mean over the labels, not over the weights: PyTorch's pos_weight.
    assert heavy.history_["loss"][0] == pytest.approx((weights * losses)[known].mean(), rel=1e-5)


def test_balanced_tasks():
    X, y = planted_tasks(100)
    y[:] = 255
    y[:60, 0] = 0
    y[60:80, 0] = 1
    y[:50, 1] = 1
    head, rows = network(3, "sigmoid")._new_head(), LabelledRows(X, y, np.arange(100))
    # As many negatives as there are for a positive; 1 where a task has no labels of both kinds.
    np.testing.assert_array_equal(head.weights("balanced", np.arange(3), rows), np.float32([3, 1, 1]))
    np.testing.assert_array_equal(head.weights({2: 0.5}, np.arange(3), rows), np.float32([1, 1, 0.5]))
    with pytest.raises(dm.InvalidArgumentError, match="class_weight names the task 3, which is not one of 3"):
        head.weights({3: 0.5}, np.arange(3), rows)


def test_partial_fit_of_tasks():
    X, y = planted_tasks(100)
    model = network(3, "sigmoid").partial_fit(X, y).partial_fit(X, y)
    assert model.history_["loss"][1] < model.history_["loss"][0]
    assert network(3, "sigmoid").partial_fit(X, y, classes=["b", "a", "c"]).classes_.tolist() == ["b", "a", "c"]
    with pytest.raises(dm.ShapeError, match="a column for each of the 3 tasks"):
        model.partial_fit(X, y[:, :2])


def test_names_of_tasks(tmp_path):
    X, y = planted_tasks(60)
    names = ["MYC", "CTCF", "SP1"]
    model = network(3, "sigmoid", epochs=1, task_names=names).fit(X, y)
    assert model.classes_.tolist() == names
    assert model._resolve_target("CTCF") == 1
    model.save(tmp_path / "model")
    assert dm.load(tmp_path / "model").classes_.tolist() == names
    with pytest.raises(dm.ShapeError, match="task_names must name each of the 3 columns of y; got 2 names"):
        network(3, "sigmoid", task_names=names[:2]).fit(X, y)
    with pytest.raises(dm.InvalidArgumentError, match="must be different"):
        network(3, "sigmoid", task_names=["a", "b", "a"]).fit(X, y)
    with pytest.raises(dm.InvalidArgumentError, match="task_names needs output='sigmoid'"):
        network(2, "softmax", task_names=["a", "b"]).fit(*planted(40))


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (None, dm.InvalidArgumentError, "target y is None"),
        (np.full((40, 2), 2), dm.InvalidArgumentError, r"0 and 1.*; got 2 at y\[0, 0\]"),
        (np.full((40, 2), 0.5), dm.InvalidArgumentError, r"got 0.5 at y\[0, 0\]"),
        ([["a", "b"]] * 40, dm.InvalidArgumentError, "0 and 1, .*; got dtype <U1"),
        (np.zeros((39, 2)), dm.ShapeError, "one row of labels for each of the 40 sequences of X; got 39"),
        (np.zeros((40, 2, 1)), dm.ShapeError, r"got shape \(40, 2, 1\)"),
        (np.zeros((40, 0)), dm.ShapeError, r"got shape \(40, 0\)"),
        (np.zeros((40, 3)), dm.ShapeError, r"one score for each of the 3 tasks.*x 2 scores"),
    ],
)
def test_bad_labels_of_tasks(y, error, words):
    X, _ = planted(40)
    with pytest.raises(error, match=words):
        network(2, "sigmoid").fit(X, y)


def test_measures_need_both_labels():
    X, y = planted_tasks(40)
    model = network(3, "sigmoid", epochs=1).fit(X, y)
    with pytest.raises(dm.InvalidArgumentError, match="both 0 and 1 in at least one task"):
        model.score(X, np.zeros_like(y))
    with pytest.raises(dm.ShapeError, match=r"a column for each of the 3 tasks .*; got shape \(40, 2\)"):
        model.score(X, y[:, :2])
    with pytest.raises(dm.InvalidArgumentError, match="per_task=True needs output='sigmoid'"):
        dm.evaluate(network(2, "softmax", epochs=1).fit(*planted(40)), *planted(40), per_task=True)


def test_presets_take_tasks():
    X, y = planted_tasks(200)
    model = dm.CNN(filters=8, kernel_sizes=(6,), output="sigmoid", epochs=1, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (200, 3)


# ---- values ----


def values(count=400, seed=0):
    """Codes and values: how many of two words there are, in each half."""
    X, y = planted_tasks(count, seed=seed)
    return X, (np.where(y == 1, 1.0, 0.0)[:, :2] * [2.0, -1.0]).astype(np.float32)


@pytest.mark.parametrize("loss", [None, "mse", "correlation"])
def test_values_are_learned(loss):
    X, y = values(1200)
    model = network(2, "linear", loss=loss).fit(X, y)
    assert model.predict(X).shape == (1200, 2)
    measures = dm.evaluate(model, *values(300, seed=5))
    assert measures["pearson"] > 0.85
    assert model.score(*values(300, seed=5)) == measures["pearson"]
    assert np.isnan(model.history_["val_auc"]).all()
    assert model.best_epoch_ == int(np.argmin(model.history_["val_loss"]))


def test_poisson_counts():
    X, y = planted(1200)
    counts = np.random.default_rng(0).poisson(np.where(y == 1, 6.0, 1.0))
    model = network(1, "linear", loss="poisson", epochs=10).fit(X, counts)
    rates = model.predict(X)
    assert rates.shape == (1200,)
    np.testing.assert_allclose(rates, np.exp(model.scores(X)[:, 0]), rtol=1e-6)
    assert rates[y == 1].mean() == pytest.approx(6, rel=0.2)
    with pytest.raises(dm.InvalidArgumentError, match=r"counts or rates of at least 0.*; got -1 at y\[0, 0\]"):
        model.fit(X, np.full(1200, -1))


def test_measures_of_values():
    stats = pytest.importorskip("scipy.stats")
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = values(100)
    y[::7, 0] = np.nan
    model = network(2, "linear", epochs=2).fit(X, y)
    measures, predicted = dm.evaluate(model, X, y, per_task=True), model.predict(X)
    for column in range(2):
        known = ~np.isnan(y[:, column])
        p, t = predicted[known, column].astype(np.float64), y[known, column].astype(np.float64)
        assert measures["pearson"][column] == pytest.approx(stats.pearsonr(p, t)[0], abs=1e-12)
        assert measures["spearman"][column] == pytest.approx(stats.spearmanr(p, t)[0], abs=1e-12)
        assert measures["r2"][column] == pytest.approx(metrics.r2_score(t, p), abs=1e-12)
        assert measures["mse"][column] == pytest.approx(metrics.mean_squared_error(t, p), abs=1e-12)


@pytest.mark.parametrize("loss", ["mse", "poisson", "correlation"])
def test_loss_of_values_is_what_training_minimises(loss):
    X, y = values(64)
    y = np.abs(y)
    y[::9, 1] = np.nan
    options = {"epochs": 1, "batch_size": 64, "learning_rate": 1e-12, "validation_fraction": 0.0}
    model = network(2, "linear", loss=loss, **options).fit(X, y)
    assert model.history_["loss"][0] == pytest.approx(model._head.mean_loss(model.scores(X), y), rel=1e-5)


def test_bad_values():
    X, _ = planted(40)
    with pytest.raises(dm.InvalidArgumentError, match=r"finite numbers.*; got inf at y\[3, 0\]"):
        network(1, "linear").fit(X, np.where(np.arange(40) == 3, np.inf, 1.0))
    with pytest.raises(dm.InvalidArgumentError, match="class_weight must be None for output='linear'"):
        network(1, "linear", class_weight="balanced").fit(X, np.arange(40.0))
