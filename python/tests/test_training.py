"""fit and partial_fit: what is learned, what is recorded, and that nothing but the seed decides."""

import io
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import _blocks, _native, _training

SMALL = {
    "CNN": lambda **kw: dm.CNN(filters=8, kernel_sizes=(6, 3), **kw),
    "RNN": lambda **kw: dm.RNN(hidden=6, **kw),
    "CNNRNN": lambda **kw: dm.CNNRNN(filters=8, kernel_size=7, hidden=4, **kw),
}


def planted(count=300, length=30, seed=0):
    """Half of the sequences hold the word ACGTTGCA at a place of their own."""
    random = np.random.default_rng(seed)
    X = random.integers(0, 4, (count, length)).astype(np.uint8)
    y = np.arange(count) % 2
    for row in np.flatnonzero(y):
        start = random.integers(0, length - 8)
        X[row, start : start + 8] = [0, 1, 2, 3, 3, 2, 1, 0]
    return X, y


def weights_bytes(model):
    return b"".join(array.tobytes() for array in model.weights_.values())


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


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.9, 0.999])
def test_split_is_stratified(fraction):
    labels = np.repeat([0, 1, 2], [200, 40, 3]).astype(np.int32)
    training, validation = _training.split_rows(labels, fraction, 5)
    assert sorted([*training, *validation]) == list(range(243))
    for label, count in enumerate([200, 40, 3]):
        held = np.count_nonzero(labels[validation] == label)
        assert held == min(max(1, round(fraction * count)), count - 1)
    other = _training.split_rows(labels, fraction, 6)[1]
    assert not np.array_equal(other, validation)


def test_split_of_single_rows():
    training, validation = _training.split_rows(np.array([0, 1], dtype=np.int32), 0.5, 0)
    assert training.tolist() == [0, 1]
    assert validation.tolist() == []


# ---- labels ----


@pytest.mark.parametrize(
    "labels",
    [
        ["free", "bound"],
        [False, True],
        [0, 1],
        [-1, 1],
        [1.0, 2.0],
        [np.uint8(3), np.uint8(9)],
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


# ---- determinism ----


def test_same_seed_same_bytes(kind):
    X, y = planted()
    fits = [SMALL[kind](epochs=2, batch_size=100, random_state=3, n_threads=n).fit(X, y) for n in (1, 2, 1, 3)]
    assert len({weights_bytes(model) for model in fits}) == 1
    other = SMALL[kind](epochs=2, batch_size=100, random_state=4).fit(X, y)
    assert weights_bytes(other) != weights_bytes(fits[0])


def test_files_of_equal_trainings_are_equal(kind, tmp_path):
    X, y = planted(80)
    for n_threads in (1, 2):
        SMALL[kind](epochs=2, random_state=3, n_threads=n_threads).fit(X, y).save(tmp_path / str(n_threads))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_refitting_starts_afresh():
    X, y = planted(80)
    model = SMALL["CNN"](epochs=2, random_state=3).fit(X, y)
    first = weights_bytes(model)
    assert weights_bytes(model.fit(X, y)) == first
    model.set_params(random_state=None).fit(X, y)
    again = SMALL["CNN"](epochs=2, random_state=model.random_state_).fit(X, y)
    assert weights_bytes(again) == weights_bytes(model)


@pytest.mark.parametrize("batch_size", [16, 256, 2**62])
def test_size_of_blocks_does_not_matter(kind, monkeypatch, batch_size, tmp_path):
    X, y = planted(620)  # 558 rows to train on: the last batch is a short one
    SMALL[kind](epochs=2, batch_size=batch_size, random_state=0).fit(X, y).save(tmp_path / "large")
    monkeypatch.setattr(_blocks, "BLOCK_SECONDS", 1e-9)  # one batch a call
    SMALL[kind](epochs=2, batch_size=batch_size, random_state=0).fit(X, y).save(tmp_path / "small")
    assert (tmp_path / "large").read_bytes() == (tmp_path / "small").read_bytes()


def test_blocks_last_as_long_as_they_should():
    pace = _blocks.Pace(unit=8)
    assert pace.size == 8
    for _ in range(10):
        pace.update(pace.size, pace.size * 1e-3)  # a millisecond each
    assert pace.size == int(_blocks.BLOCK_SECONDS / 1e-3) // 8 * 8
    pace.update(pace.size, 100.0)
    assert pace.size == 8


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | environment, capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip


TRAIN_SMALL = """
    import hashlib, numpy as np, deepmotif as dm
    from deepmotif import _native
    def digest(n_threads=2):
        X = np.random.default_rng(0).integers(0, 4, (200, 40)).astype(np.uint8)
        model = dm.CNNRNN(filters=8, hidden=4, epochs=2, random_state=0, n_threads=n_threads).fit(X, np.arange(200) % 2)
        return hashlib.sha256(model._engine.get_parameters().tobytes()).hexdigest()
"""


@pytest.mark.parametrize("level", ["baseline", "avx2", "avx512"])
def test_every_instruction_level_trains(level):
    number = {"baseline": _native.ISA_BASELINE, "avx2": _native.ISA_AVX2, "avx512": _native.ISA_AVX512}[level]
    code = TRAIN_SMALL + "\n    print(_native.isa_level(), digest(1), digest(2))"
    used, one, two = run_python(code, DEEPMOTIF_ISA=level).split()
    assert int(used) == min(number, _native.isa_supported())
    assert one == two


def test_training_in_a_forked_child():
    code = (
        TRAIN_SMALL
        + """
    import os, sys
    expected = digest()  # the parent's threads are warm
    child = os.fork()
    if child == 0:
        os._exit(0 if digest() == expected else 3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    )
    assert run_python(code).split() == ["0"]


# ---- memory-mapped codes ----


def test_memory_mapped_codes_are_not_copied(tmp_path):
    count, length = 40_000, 1000
    codes = np.lib.format.open_memmap(tmp_path / "codes.npy", mode="w+", dtype=np.uint8, shape=(count, length))
    random = np.random.default_rng(0)
    for start in range(0, count, 4000):
        codes[start : start + 4000] = random.integers(0, 4, (4000, length))
    codes.flush()
    code = """
        import sys, numpy as np, deepmotif as dm, resource
        codes = np.load(sys.argv[1], mmap_mode="r")
        y = np.arange(len(codes)) % 2
        model = dm.CNN(filters=2, kernel_sizes=(4,), pool=2, epochs=1, random_state=0, n_threads=1)
        model.fit(codes[:200], y[:200])
        def private():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
        before = private()
        peak = []
        model.fit(codes, y, callbacks=lambda *_: peak.append(private()))
        print(max(peak) - before)
    """
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc")
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "codes.npy")]
    grown = int(subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=True).stdout)
    # In kB: row numbers, labels, scores and blocks of validation rows, against 40,000 of the codes themselves.
    assert grown < 20_000


# ---- partial_fit ----


def test_partial_fit(kind):
    X, y = planted(200)
    model = SMALL[kind](random_state=0, batch_size=32)
    for _ in range(3):
        model.partial_fit(X, y)
    assert [len(values) for values in model.history_.values()] == [3] * 6
    assert model.best_epoch_ == 2
    assert model.classes_.tolist() == [0, 1]
    again = SMALL[kind](random_state=0, batch_size=32)
    for _ in range(3):
        again.partial_fit(X, y)
    assert weights_bytes(again) == weights_bytes(model)


def test_partial_fit_goes_on_after_a_pickle(kind):
    import pickle

    X, y = planted(200)
    model = SMALL[kind](random_state=0, batch_size=32).partial_fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert weights_bytes(copy.partial_fit(X, y)) == weights_bytes(model.partial_fit(X, y))


def test_partial_fit_starts_from_the_present_weights():
    X, y = planted(200)
    model = SMALL["CNN"](epochs=3, random_state=0).fit(X, y)
    before = model.weights_
    model.set_params(learning_rate=1e-6).partial_fit(X, y)
    for name, array in model.weights_.items():
        # One batch: Adam moves every weight by about the learning rate at most; rounding adds half an ulp of up to 2.
        np.testing.assert_allclose(array, before[name], atol=1.1e-6 + 1.2e-7)
    assert len(model.history_["loss"]) == 4


def test_partial_fit_knows_its_classes():
    X, y = planted(40)
    model = SMALL["CNN"](random_state=0).partial_fit(X[y == 0], y[y == 0], classes=[0, 1, 2])
    assert model.classes_.tolist() == [0, 1, 2]
    model.partial_fit(X, y)
    with pytest.raises(dm.InvalidArgumentError, match=r"got 3 at index 0"):
        model.partial_fit(X[:1], [3])
    with pytest.raises(dm.InvalidArgumentError, match="classes must be those of the first call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(dm.InvalidArgumentError, match="at least two different labels"):
        SMALL["CNN"]().partial_fit(X[y == 0], y[y == 0])
