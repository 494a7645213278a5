"""Ctrl-C in the middle of training and prediction, sent as the terminal sends it."""

import subprocess
import sys
import textwrap

import pytest

# Waits for a state of the main thread, then sends SIGINT to the process and notes when.
PREAMBLE = """
import os, signal, sys, threading, time
import numpy as np, deepmotif as dm
random = np.random.default_rng(0)
X = random.integers(0, 4, (20000, 101)).astype(np.uint8)
y = np.arange(20000) % 2
X[y == 1, 40:50] = [0, 1, 2, 3, 3, 2, 1, 0, 0, 1]
sent = []
def interrupt_when(condition, delay=0.0):
    def wait():
        while not condition():
            time.sleep(0.002)
        time.sleep(delay)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=wait, daemon=True).start()
def expect_interrupt(call):
    try:
        call()
    except KeyboardInterrupt:
        return time.perf_counter() - sent[0]
    sys.exit("no KeyboardInterrupt")
def weights(model):
    return model._engine.get_parameters().tobytes()
"""


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pytest.mark.parametrize("network", ["dm.CNN", "dm.RNN", "dm.CNNRNN"])
def test_answers_soon(network):
    # Three tries: on a loaded machine a thread may wait long for its turn.
    delays = run(f"""
        for delay in (0.3, 0.7, 1.1):
            sent.clear()
            began = time.perf_counter()
            interrupt_when(lambda: time.perf_counter() > began + 0.5, delay)
            print(expect_interrupt(lambda: {network}(epochs=1000, n_threads=1).fit(X, y)))
    """)
    assert min(map(float, delays)) < 0.5


def test_best_epoch_is_kept():
    epochs, best, same = run("""
        model = dm.CNN(filters=8, kernel_sizes=(9,), epochs=1000, random_state=0, n_threads=1)
        kept = []
        interrupt_when(lambda: len(kept) >= 3, 0.01)
        expect_interrupt(lambda: model.fit(X, y, callbacks=lambda m, e, logs: kept.append(weights(m))))
        print(len(model.history_["loss"]), model.best_epoch_, weights(model) == kept[model.best_epoch_])
    """)
    assert int(epochs) >= 3
    assert 0 <= int(best) < int(epochs)
    assert same == "True"


def test_within_the_first_epoch_the_weights_so_far_are_kept():
    moved, epochs, best = run("""
        model = dm.CNN(epochs=1000, random_state=0, n_threads=1, batch_size=32)
        interrupt_when(lambda: model._model is not None, 0.6)
        expect_interrupt(lambda: model.fit(X, y))
        start = dm.CNN(random_state=0).build(101, 2)
        print(weights(model) != weights(start), len(model.history_["loss"]), model.best_epoch_)
        assert model.predict(X[:3]).shape == (3,)
    """)
    assert (moved, epochs, best) == ("True", "0", "None")


def test_before_the_first_step_the_model_is_not_fitted():
    assert run("""
        from deepmotif import _training
        model = dm.CNN(epochs=2, filters=8, random_state=0, n_threads=1)
        def stop(*arguments): raise KeyboardInterrupt
        real, _training.train_pass = _training.train_pass, stop
        try: model.fit(X, y)
        except KeyboardInterrupt: pass
        try: model.predict(X)
        except dm.NotFittedError: print("not fitted")
        _training.train_pass = real
        undisturbed = dm.CNN(epochs=2, filters=8, random_state=0, n_threads=1).fit(X, y)
        print(weights(model.fit(X, y)) == weights(undisturbed))
    """) == ["not", "fitted", "True"]


def test_fit_after_an_interrupt_is_an_undisturbed_one():
    assert run("""
        model = dm.CNN(epochs=1000, filters=8, random_state=0, n_threads=1)
        interrupt_when(lambda: model._model is not None, 0.3)
        expect_interrupt(lambda: model.fit(X, y))
        undisturbed = dm.CNN(epochs=2, filters=8, random_state=0, n_threads=1).fit(X, y)
        print(weights(model.set_params(epochs=2).fit(X, y)) == weights(undisturbed))
    """) == ["True"]


def test_prediction_answers_soon():
    delay, same = run("""
        model = dm.CNN(random_state=0, n_threads=1).build(101, 2)
        expected = model.scores(X[:10])
        many = np.tile(X, (100, 1))
        began = time.perf_counter()
        interrupt_when(lambda: time.perf_counter() > began + 0.2, 0.3)
        print(expect_interrupt(lambda: model.scores(many)))
        print((model.scores(X[:10]) == expected).all())
    """)
    assert float(delay) < 1.0
    assert same == "True"
