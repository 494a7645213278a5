"""fit: what is learned and what is recorded; callbacks and progress."""

import io
import sys

import numpy as np
import pytest
from training_cases import SMALL, planted, weights_bytes

import deepmotif as dm
from deepmotif import _training


@pytest.fixture(params=SMALL)
def kind(request):
    return request.param


# ---- what is learned ----


@pytest.mark.parametrize(("name", "epochs"), [("CNN", 15), ("RNN", 40), ("CNNRNN", 25)])
def test_finds_a_planted_word(name, epochs):
    X, y = planted(3000)
    networks = {
        "CNN": dm.CNN(filters=32, kernel_sizes=(8,), dropout=0.2, epochs=epochs, batch_size=64, random_state=1),
        "RNN": dm.RNN(hidden=24, dropout=0.1, epochs=epochs, batch_size=64, random_state=1, decay_every=None),
        "CNNRNN": dm.CNNRNN(filters=32, hidden=8, dropout=0.1, epochs=epochs, batch_size=64, random_state=1),
    }
    model = networks[name].fit(X, y)
    # An exact word among random letters: separable but for chance copies (22 places x 4^-8 = 0.03 %).
    assert model.score(*planted(1000, seed=9)) > 0.95


def test_loss_is_the_mean_over_rows():
    X, y = planted(50)
    # At a learning rate of next to nothing every batch sees the same weights.
    model = dm.CNN(
        filters=4, kernel_sizes=(5,), dropout=0.0, epochs=1, batch_size=16, learning_rate=1e-12,
        validation_fraction=0.0, random_state=0,
    ).fit(X, y)  # fmt: skip
    measures = dm.evaluate(model, X, y)
    # Double precision sums of 50 float32 losses, and steps of 1e-12.
    assert model.history_["loss"][0] == pytest.approx(measures["log_loss"], rel=1e-6)
    assert model.history_["auc"][0] == pytest.approx(measures["roc_auc"], abs=1e-12)


def test_class_weights_weigh_the_loss():
    X, y = planted(60)
    y = (np.arange(60) % 3 == 0).astype(int)
    common = {
        "filters": 4, "kernel_sizes": (5,), "dropout": 0.0, "epochs": 1, "learning_rate": 1e-12,
        "validation_fraction": 0.0, "random_state": 0,
    }  # fmt: skip
    model = dm.CNN(class_weight={0: 1.0, 1: 3.0}, **common).fit(X, y)
    losses = -np.log(model.predict_proba(X)[np.arange(60), y].astype(np.float64))
    weights = np.where(y == 1, 3.0, 1.0)
    assert model.history_["loss"][0] == pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5)
    balanced = dm.CNN(class_weight="balanced", **common).fit(X, y)
    # 40 and 20 of 60: weights 0.75 and 1.5.
    weights = np.where(y == 1, 1.5, 0.75)
    assert balanced.history_["loss"][0] == pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5)


def test_weights_follow_classes():
    X, y = planted(200)
    common = {"filters": 4, "kernel_sizes": (8,), "epochs": 5, "batch_size": 32, "random_state": 0}
    heavy = dm.CNN(class_weight={1: 50.0}, **common).fit(X, y)
    light = dm.CNN(class_weight={1: 0.02}, **common).fit(X, y)
    assert heavy.predict(X).mean() > light.predict(X).mean()


# ---- what is recorded ----


def test_history(kind):
    X, y = planted()
    model = SMALL[kind](epochs=4, decay_every=2, random_state=0).fit(X, y)
    assert list(model.history_) == ["loss", "auc", "val_loss", "val_auc", "learning_rate", "seconds"]
    assert {len(values) for values in model.history_.values()} == {4}
    assert all(type(value) is float and np.isfinite(value) for values in model.history_.values() for value in values)
    assert model.history_["learning_rate"] == [0.01, 0.01, 0.005, 0.005]
    assert model.best_epoch_ == int(np.argmax(model.history_["val_auc"]))
    assert model.classes_.tolist() == [0, 1]
    assert model.length_ == model.n_features_in_ == 30


def test_best_epoch_is_restored(kind):
    X, y = planted()
    validation = planted(120, seed=4)
    best = SMALL[kind](epochs=6, learning_rate=0.05, random_state=0, batch_size=32).fit(
        X, y, validation_data=validation
    )
    assert best.score(*validation) == max(best.history_["val_auc"])
    last = SMALL[kind](epochs=6, learning_rate=0.05, random_state=0, batch_size=32, restore_best=False)
    last.fit(X, y, validation_data=validation)
    assert last.history_["val_auc"] == best.history_["val_auc"]
    assert last.score(*validation) == last.history_["val_auc"][-1]


def test_equal_aucs_are_told_apart_by_the_loss():
    X, y = planted(400)
    # A word this short is learned soon; from then on every epoch has an AUC of 1.
    model = dm.CNN(filters=16, kernel_sizes=(8,), dropout=0.0, epochs=20, batch_size=32, random_state=0)
    model.fit(X, y, validation_data=(X, y))
    aucs, losses = np.array(model.history_["val_auc"]), np.array(model.history_["val_loss"])
    assert (aucs == aucs.max()).sum() > 1
    assert losses[model.best_epoch_] == losses[aucs == aucs.max()].min()


def test_without_validation():
    X, y = planted(60)
    model = SMALL["CNN"](epochs=3, validation_fraction=0.0, random_state=0).fit(X, y)
    assert np.isnan(model.history_["val_auc"]).all()
    assert np.isnan(model.history_["val_loss"]).all()
    assert model.best_epoch_ == 2


def test_validation_of_one_class_goes_by_the_loss():
    X, y = planted(100)
    model = SMALL["CNN"](epochs=4, random_state=0).fit(X, y, validation_data=(X[y == 1], y[y == 1]))
    assert np.isnan(model.history_["val_auc"]).all()
    assert model.best_epoch_ == int(np.argmin(model.history_["val_loss"]))


def test_patience():
    X, y = planted(100)
    y = np.random.default_rng(0).permutation(y)  # nothing to learn
    model = SMALL["CNN"](epochs=200, patience=3, random_state=0).fit(X, y)
    assert len(model.history_["loss"]) == model.best_epoch_ + 4 < 200
    with pytest.raises(dm.InvalidArgumentError, match="patience needs validation"):
        SMALL["CNN"](patience=3, validation_fraction=0.0).fit(X, y)


# ---- callbacks and progress ----


def test_callbacks():
    X, y = planted(60)
    calls = []

    def first(model, epoch, logs):
        calls.append((epoch, sorted(logs), model.predict(X).shape, len(model.history_["loss"])))

    def second(model, epoch, logs):
        return epoch == 2

    model = SMALL["CNN"](epochs=9, random_state=0).fit(X, y, callbacks=[second, first])
    keys = sorted(_training.HISTORY_KEYS)
    assert calls == [(epoch, keys, (60,), epoch + 1) for epoch in range(3)]
    assert len(model.history_["loss"]) == 3
    SMALL["CNN"](epochs=2).fit(X, y, callbacks=first)
    with pytest.raises(dm.InvalidArgumentError, match="callbacks must be callables"):
        model.fit(X, y, callbacks=[3])


def test_exceptions_of_callbacks_pass_and_leave_the_best_model():
    X, y = planted(60)
    seen = []

    def callback(model, epoch, logs):
        seen.append(weights_bytes(model))
        if epoch == 3:
            raise RuntimeError("enough")

    model = SMALL["CNN"](epochs=9, random_state=0)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, y, callbacks=[callback])
    assert weights_bytes(model) == seen[model.best_epoch_]


def test_progress(monkeypatch):
    X, y = planted(60)

    def written(progress):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        SMALL["CNN"](epochs=2).fit(X, y, progress=progress)
        return stream.getvalue()

    assert written(None) == ""  # not a terminal
    assert written(False) == ""
    assert "CNN" in written(True)
