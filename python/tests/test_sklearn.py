"""scikit-learn's conventions: its own estimator checks, and the tools that users combine models with."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError, NotFittedError
from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402
from sklearn.exceptions import NotFittedError as SklearnNotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.utils import check_array  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

QUICK = {
    "epochs": 50,
    "dropout": 0.0,
    "batch_size": 16,
    "learning_rate": 0.02,
    "validation_fraction": 0.0,
    "n_threads": 1,
}


def quietly_parametrize(estimators, **options):
    """parametrize_with_checks; its warning that these estimators have the interface without the base class is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return parametrize_with_checks(estimators, **options)


class _OnNumbers:
    """Lets scikit-learn's checks, whose data are a few normal numbers a row, reach everything behind the door.

    A number becomes soft letters; as tables have a fixed number of columns, so have these sequences.
    """

    def _read(self, X, name="X"):
        X = np.tanh(check_array(X, dtype=np.float64, input_name=name) / 4)
        place = np.broadcast_to(np.arange(X.shape[1]) / 4, X.shape)
        return np.ascontiguousarray(np.stack([X, np.ones_like(X), place, X * place], axis=2), dtype=np.float32)

    def _check_fitted_length(self, length):
        if length != self.n_features_in_:
            raise ValueError(
                f"X has {length} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input"  # noqa: E501
            )


class CNNOnNumbers(_OnNumbers, dm.CNN):
    pass


class RNNOnNumbers(_OnNumbers, dm.RNN):
    pass


@quietly_parametrize(
    [CNNOnNumbers(filters=16, kernel_sizes=(1,), **QUICK), RNNOnNumbers(hidden=8, **QUICK)],
)
def test_estimator_checks_behind_the_door(estimator, check):
    check(estimator)


_NO_CODES = "its data are real numbers; a sequence is letters, codes 0-4 or (N, L, 4)"
_OTHER_WORDS = "our message says what a sequence argument is, in other words than scikit-learn's for tables"
EXPECTED_FAILURES = dict.fromkeys(
    [
        "check_class_weight_classifiers",
        "check_classifiers_classes",
        "check_classifiers_one_label",
        "check_classifiers_regression_target",
        "check_classifiers_train",
        "check_decision_proba_consistency",
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_estimators_dtypes",
        "check_estimators_fit_returns_self",
        "check_estimators_nan_inf",
        "check_estimators_overwrite_params",
        "check_estimators_partial_fit_n_features",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_pipeline_consistency",
        "check_positive_only_tag_during_fit",
        "check_readonly_memmap_input",
        "check_supervised_y_2d",
    ],
    _NO_CODES,
) | dict.fromkeys(
    [
        "check_complex_data",
        "check_dtype_object",
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_estimator_sparse_tag",
        "check_estimators_empty_data_messages",
    ],
    _OTHER_WORDS,
)


@quietly_parametrize(
    [dm.CNN(filters=8, kernel_sizes=(1,), **QUICK), dm.RNN(hidden=8, **QUICK), dm.CNNRNN(filters=8, hidden=8, **QUICK)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(5)
    X = random.integers(0, 4, (240, 30)).astype(np.uint8)
    y = np.arange(240) % 2
    X[y == 1, 10:18] = [0, 1, 2, 3, 3, 2, 1, 0]
    return X, y


@pytest.fixture
def model():
    return dm.CNN(filters=8, kernel_sizes=(8,), dropout=0.0, epochs=12, batch_size=16, random_state=3, n_threads=1)


FORMS = {
    "codes": lambda codes: codes,
    "list of str": dm.decode,
    "array of str": lambda codes: np.array(dm.decode(codes)),
    "object array": lambda codes: np.array(dm.decode(codes), dtype=object),
    "letters": dm.one_hot,
    "Sequences": dm.Sequences,
}


@pytest.mark.parametrize("form", FORMS)
def test_cross_validation_takes_every_form(model, data, form):
    X, y = data
    scores = cross_val_score(model, FORMS[form](X), y, cv=3)
    # The planted word is exact: the classes are separable; 0.9 leaves room for 12 short epochs.
    assert scores.min() > 0.9


def test_named_scorings(model, data):
    X, y = data
    for scoring in ("roc_auc", "average_precision", "accuracy", "neg_log_loss", "matthews_corrcoef"):
        assert np.isfinite(cross_val_score(model, X, y, cv=2, scoring=scoring)).all()
    assert cross_val_predict(model, X, y, cv=2, method="predict_proba").shape == (240, 2)


def test_our_roc_auc_is_scikit_learns(model, data):
    from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

    X, y = data
    model.set_params(epochs=2).fit(X, y)
    measures = dm.evaluate(model, X, y)
    difference = model.decision_function(X)
    # Both count pairs in double precision; the order of sums differs.
    assert measures["roc_auc"] == pytest.approx(roc_auc_score(y, difference), abs=1e-12)
    assert measures["pr_auc"] == pytest.approx(average_precision_score(y, difference), abs=1e-12)
    assert measures["mcc"] == pytest.approx(matthews_corrcoef(y, model.predict(X)), abs=1e-12)
    assert model.score(X, y) == measures["roc_auc"]


def test_macro_one_against_the_rest(data):
    from sklearn.metrics import roc_auc_score

    X, _ = data
    y = np.array(["a", "b", "c"])[np.arange(240) % 3]
    model = dm.CNN(filters=4, kernel_sizes=(5,), epochs=2, random_state=0, n_threads=1).fit(X, y)
    probabilities = model.predict_proba(X).astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = roc_auc_score(y, probabilities, multi_class="ovr", average="macro")
    # Renormalising in double precision may break a few ties of float32 probabilities among 19,200 pairs a class.
    assert model.score(X, y) == pytest.approx(expected, abs=1e-3)
    assert model.decision_function(X).shape == (240, 3)


def test_grid_search(model, data):
    X, y = data
    grid = {"filters": [2, 8], "kernel_sizes": [(8,), (3, 3)]}
    search = GridSearchCV(model.set_params(epochs=3), grid, cv=2, scoring="roc_auc", n_jobs=1).fit(X, y)
    assert set(search.best_params_) == set(grid)
    assert search.best_estimator_.filters == search.best_params_["filters"]
    assert search.predict(X).shape == (240,)


def test_grid_search_in_other_processes(model, data):
    X, y = data
    search = GridSearchCV(model.set_params(epochs=1), {"filters": [2, 4]}, cv=2, n_jobs=2).fit(X, y)
    alone = GridSearchCV(model, {"filters": [2, 4]}, cv=2, n_jobs=1).fit(X, y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_pipeline(model, data):
    X, y = data
    pipeline = make_pipeline(FunctionTransformer(dm.reverse_complement), model).fit(X, y)
    assert pipeline.score(X, y) > 0.9
    assert clone(pipeline).set_params(cnn__filters=3)[-1].filters == 3


def test_clone_and_parameters(model):
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert is_classifier(model)
    with pytest.raises(InvalidArgumentError, match="Invalid parameter 'filter' for estimator CNN"):
        model.set_params(filter=3)


def test_repr_shows_what_differs():
    assert repr(dm.CNN(epochs=3, kernel_sizes=(5,))) == "CNN(kernel_sizes=(5,), epochs=3)"
    assert repr(dm.RNN()) == "RNN()"


# ---- any network ----


def network(outputs=2, output="softmax", **parameters):
    layers = [Conv1D(8, 8), ReLU(), GlobalMaxPool1D(), Dense(outputs)]
    options = {"epochs": 12, "batch_size": 16, "learning_rate": 0.02, "random_state": 3, "n_threads": 1}
    return dm.Network(layers, output, **(options | parameters))


def test_networks_are_cloned_with_their_layers(data):
    model = network()
    copy = clone(model)
    assert copy.layers is not model.layers
    assert copy.get_params() == model.get_params()
    assert repr(copy) == repr(model)
    assert repr(network(epochs=50, batch_size=256, learning_rate=0.01, random_state=None, n_threads=None)) == (
        "Network(layers=[Conv1D(filters=8, kernel_size=8, padding='valid', dilation=1, stride=1, bias=True), ReLU(), "
        "GlobalMaxPool1D(), Dense(units=2, bias=True)])"
    )
    np.testing.assert_array_equal(copy.fit(*data).scores(data[0]), model.fit(*data).scores(data[0]))


def test_grid_over_layers(data):
    X, y = data
    grid = {"layers": [network().layers, [GlobalMaxPool1D(), Dense(2)]], "optimizer": ["adam", "rmsprop"]}
    search = GridSearchCV(network(), grid, cv=2, scoring="roc_auc").fit(X, y)
    assert search.best_params_["layers"] == network().layers
    assert make_pipeline(FunctionTransformer(dm.reverse_complement), search).fit(X, y).score(X, y) > 0.9


def test_tasks_and_values_in_cross_validation(data):
    X, y = data
    both = np.stack([y, 1 - y], axis=1)
    tasks, values = network(2, "sigmoid"), network(1, "linear")
    assert is_classifier(tasks)
    assert is_regressor(values)
    assert not is_classifier(values)
    assert cross_val_score(tasks, X, both, cv=3).min() > 0.9  # the mean AUC over the tasks
    assert cross_val_predict(tasks, X, both, cv=2).shape == (240, 2)
    assert cross_val_score(values, X, y.astype(float), cv=3, scoring="r2").min() > 0.5
    assert cross_val_predict(values, X, y.astype(float), cv=2).shape == (240,)


def test_not_fitted_is_caught_by_either_name(model, data):
    with pytest.raises(SklearnNotFittedError):
        model.predict(data[0])
    with pytest.raises(NotFittedError, match=r"This CNN instance is not fitted yet: call fit") as caught:
        model.scores(data[0])
    copy = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copy, NotFittedError)
    assert isinstance(copy, SklearnNotFittedError)
    assert str(copy) == str(caught.value)
    with pytest.raises(SklearnNotFittedError):
        check_is_fitted(model)
    check_is_fitted(model.build(30, 2))


def test_sklearn_is_not_imported_by_models():
    code = (
        "import sys, deepmotif as dm; m = dm.CNN(); m.get_params(); repr(m)\n"
        "try: m.predict(['A' * 40])\n"
        "except dm.NotFittedError: pass\n"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
