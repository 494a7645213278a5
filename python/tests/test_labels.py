"""Labels, and everything else that fit refuses."""

import numpy as np
import pytest
from training_cases import SMALL, planted, weights_bytes

import deepmotif as dm


@pytest.fixture(params=SMALL)
def kind(request):
    return request.param


@pytest.mark.parametrize(
    "labels",
    [
        ["free", "bound"],
        [False, True],
        [0, 1],
        [-1, 1],
        [1.0, 2.0],
        [np.uint8(3), np.uint8(9)],
        [np.str_("a"), np.str_("b")],
    ],
    ids=str,
)
@pytest.mark.parametrize("container", [np.array, list, lambda y: np.array(y, dtype=object)])
def test_labels_of_every_kind(labels, container):
    X, y = planted(40)
    model = SMALL["CNN"](epochs=1, random_state=0).fit(X, container([labels[index] for index in y]))
    assert model.classes_.tolist() == sorted(labels)
    assert set(model.predict(X)) <= set(labels)
    assert model.predict(X).dtype == model.classes_.dtype
    assert 0 <= model.score(X, container([labels[index] for index in y])) <= 1


def test_pandas_labels_and_sequences():
    pandas = pytest.importorskip("pandas")
    X, y = planted(40)
    frame = pandas.DataFrame({"seq": dm.decode(X), "label": np.where(y, "bound", "free")}, index=range(100, 140))
    model = SMALL["CNN"](epochs=1, random_state=0).fit(frame["seq"], frame["label"])
    assert model.classes_.tolist() == ["bound", "free"]
    frame.loc[105, "label"] = pandas.NA
    with pytest.raises(dm.InvalidArgumentError, match=r"missing labels; .* at index 5"):
        model.fit(frame["seq"], frame["label"])


def test_bytes_are_strings():
    X, y = planted(40)
    model = SMALL["CNN"](epochs=1).fit(X, np.where(y, b"bound", b"free"))
    assert model.classes_.tolist() == ["bound", "free"]
    assert 0 <= model.score(X, np.where(y, "bound", "free")) <= 1


def test_many_classes():
    X, _ = planted(90)
    y = np.arange(90) % 3
    model = SMALL["CNN"](epochs=2, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (90, 3)
    assert 0 <= model.history_["val_auc"][0] <= 1


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (None, dm.InvalidArgumentError, "requires y to be passed, but the target y is None"),
        ([1] * 40, dm.InvalidArgumentError, r"at least two classes; got the one class \[1\]"),
        ([0, 1] * 19, dm.ShapeError, "one label for each of the 40 sequences of X; got 38"),
        ([0, 1] * 19 + [0, np.nan], dm.InvalidArgumentError, r"missing labels; got .*nan.* at index 39"),
        (["a", None] * 20, dm.InvalidArgumentError, "missing labels; got None .* at index 1"),
        (["a", 1] * 20, dm.InvalidArgumentError, "one kind; got a mixture of int, str"),
        (np.array(["a", 1] * 20, dtype=object), dm.InvalidArgumentError, "a mixture"),
        ([0.0, 0.5] * 20, dm.InvalidArgumentError, "the fraction .*0.5.* at index 1"),
        ([0j, 1j] * 20, dm.InvalidArgumentError, "Unknown label type"),
        (np.zeros((40, 2)), dm.ShapeError, r"shape \(N,\); got shape \(40, 2\)"),
        ([[0], [1, 2]] * 20, dm.ShapeError, "lists of several lengths"),
        ("01" * 20, dm.ShapeError, "one label a sequence"),
    ],
)
def test_bad_labels(y, error, words):
    X, _ = planted(40)
    model = SMALL["CNN"]()
    with pytest.raises(error, match=words):
        model.fit(X, y)
    assert not model.__sklearn_is_fitted__()


def test_column_of_labels_warns():
    X, y = planted(40)
    with pytest.warns(UserWarning, match="column-vector y"):
        SMALL["CNN"](epochs=1).fit(X, y[:, None])


def test_labels_the_model_does_not_know():
    X, y = planted(40)
    model = SMALL["CNN"](epochs=1).fit(X, np.where(y, "bound", "free"))
    with pytest.raises(dm.InvalidArgumentError, match=r"\['bound', 'free'\]; got 'other' at index 0"):
        model.score(X[:2], ["other", "free"])
    with pytest.raises(dm.InvalidArgumentError, match=r"got dtype int64"):
        model.score(X[:2], [0, 1])
    with pytest.raises(dm.InvalidArgumentError, match=r"every class .* 'free' does not occur"):
        model.score(X[:2], ["bound", "bound"])
    with pytest.raises(dm.InvalidArgumentError, match="validation_data: y must hold labels"):
        model.fit(X, np.where(y, "bound", "free"), validation_data=(X, ["x"] * 40))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate must be a finite number above 0; got 0"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate_decay": -1}, "learning_rate_decay"),
        ({"decay_every": 0}, "decay_every"),
        ({"gradient_clip": -1}, "gradient_clip"),
        (
            {"validation_fraction": 1.0},
            "validation_fraction must be a finite number of at least 0 and below 1; got 1.0",
        ),
        ({"patience": 0}, "patience"),
        ({"restore_best": "yes"}, "restore_best must be True or False"),
        ({"class_weight": "heavy"}, "class_weight must be None, 'balanced' or a dict"),
        ({"class_weight": {2: 1.0}}, "names the label 2"),
        ({"class_weight": {0: -1.0}}, r"class_weight\[0\]"),
        ({"class_weight": {0: 0, 1: 0}}, "at least one class a weight above 0"),
    ],
)
def test_bad_hyper_parameters(parameters, words):
    X, y = planted(40)
    with pytest.raises(dm.InvalidArgumentError, match=words):
        SMALL["CNN"](**parameters).fit(X, y)


@pytest.mark.parametrize("data", [(1, 2, 3), "ab", 5, [[0]]])
def test_bad_validation_data(data):
    X, y = planted(40)
    with pytest.raises((dm.InvalidArgumentError, dm.ShapeError), match="validation_data"):
        SMALL["CNN"]().fit(X, y, validation_data=data)


def test_too_short_sequences():
    X, y = planted(40, length=9)
    with pytest.raises(dm.ShapeError, match="the length L of X must be at least 28 positions"):
        dm.CNN().fit(X, y)
    with pytest.raises(dm.ShapeError, match="at least one sequence"):
        dm.RNN().fit(X[:0], y[:0])


def test_a_failed_check_keeps_the_model():
    X, y = planted(40)
    model = SMALL["CNN"](epochs=1, random_state=0).fit(X, y)
    before = weights_bytes(model)
    with pytest.raises(dm.InvalidArgumentError):
        model.fit(X, [0] * 40)
    assert weights_bytes(model) == before


@pytest.mark.parametrize("batch_size", [32, 400])
def test_divergence_is_an_error(kind, batch_size):
    X, y = planted(400)
    model = SMALL[kind](epochs=5, learning_rate=3e38, batch_size=batch_size, random_state=0)
    with pytest.raises(dm.InvalidArgumentError, match=r"learning rate .* is probably too high"):
        model.fit(X, y)
    if model.__sklearn_is_fitted__():
        assert all(np.isfinite(array).all() for array in model.weights_.values())
