"""Nothing but the seed decides: not threads, processes, blocks, files or earlier calls."""

import os
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from training_cases import SMALL, planted, weights_bytes

import deepmotif as dm
from deepmotif import _blocks, _native


@pytest.fixture(params=SMALL)
def kind(request):
    return request.param


def test_same_seed_same_bytes(kind):
    X, y = planted()
    fits = [SMALL[kind](epochs=2, batch_size=100, random_state=3, n_threads=n).fit(X, y) for n in (1, 2, 1, 3)]
    assert len({weights_bytes(model) for model in fits}) == 1
    other = SMALL[kind](epochs=2, batch_size=100, random_state=4).fit(X, y)
    assert weights_bytes(other) != weights_bytes(fits[0])


@pytest.mark.parametrize("network", [dm.CNN, dm.RNN, dm.CNNRNN])
def test_threads_at_full_size(network):
    X, y = planted(700, length=101)
    fits = [network(epochs=1, random_state=3, n_threads=n).fit(X, y) for n in (1, 2)]
    assert weights_bytes(fits[0]) == weights_bytes(fits[1])


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


# ---- threads ----


def test_fits_of_one_object_wait_for_each_other(kind):
    X, y = planted(200)
    expected = SMALL[kind](epochs=3, random_state=0).fit(X, y)
    model = SMALL[kind](epochs=3, random_state=0)
    shapes = []

    def fit_and_predict():
        model.fit(X, y)
        shapes.append(model.predict_proba(X).shape)

    threads = [threading.Thread(target=fit_and_predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(200, 2)] * 4
    assert weights_bytes(model) == weights_bytes(expected)
    assert model.history_["loss"] == expected.history_["loss"]


def test_predictions_wait_for_a_fit():
    X, y = planted(200)
    model = SMALL["CNN"](epochs=3, random_state=0).fit(X, y)
    expected = model.scores(X)
    model.set_params(epochs=30)
    during = []

    def callback(model, epoch, logs):
        if epoch == 0:
            thread.start()

    thread = threading.Thread(target=lambda: during.append(model.scores(X)))
    model.fit(X, y, callbacks=callback)
    thread.join()
    np.testing.assert_array_equal(during[0], model.scores(X))
    assert (during[0] != expected).any()


def test_threads_respect_the_affinity():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity here")
    code = """
        import os, deepmotif as dm
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(dm.CNN()._threads(), dm.CNN(n_threads=5)._threads())
    """
    assert run_python(code).split() == ["1", "5"]


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
    with pytest.raises(dm.InvalidArgumentError, match="at least two classes"):
        SMALL["CNN"]().partial_fit(X[y == 0], y[y == 0])
