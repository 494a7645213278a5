"""Checkpoints: a training that was killed and goes on ends with the bytes of one that was not."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from training_cases import planted, planted_tasks, weights_bytes

import deepmotif as dm
from deepmotif import _files
from deepmotif.layers import BatchNorm1D, Conv1D, Dense, GlobalMaxPool1D, ReLU

PREAMBLE = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import numpy as np, deepmotif as dm
from deepmotif import _files
from training_cases import planted, weights_bytes
X, y = planted(500)
def network(**parameters):
    options = {{"dropout": 0.3, "epochs": 4, "batch_size": 16, "random_state": 5, "n_threads": 1}}
    return dm.CNN(filters=8, kernel_sizes=(6, 3), **(options | parameters))
# Dies of a power cut, as it were, while the given checkpoint is written: before or after the file gets its name.
def die_at(number, after):
    real, count = os.replace, []
    def replace(source, target):
        count.append(target)
        if len(count) == number:
            if after:
                real(source, target)
            os.kill(os.getpid(), signal.SIGKILL)
        real(source, target)
    os.replace = replace
"""


def network(**parameters):
    options = {"dropout": 0.3, "epochs": 4, "batch_size": 16, "random_state": 5, "n_threads": 1}
    return dm.CNN(filters=8, kernel_sizes=(6, 3), **(options | parameters))


def child(code):
    preamble = PREAMBLE.format(tests=os.path.dirname(__file__))
    return subprocess.run([sys.executable, "-c", preamble + textwrap.dedent(code)], check=False).returncode


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.safetensors"


@pytest.mark.parametrize(("number", "after"), [(1, False), (1, True), (5, False), (9, True), (10, True)])
def test_killed_and_resumed(number, after, path, tmp_path):
    # 450 rows in 29 batches: checkpoints behind batches 8, 16, 24 and the end of each epoch.
    code = f"""
        die_at({number}, {after})
        network().fit(X, y, checkpoint={str(path)!r}, checkpoint_every=8, resume=True)
    """
    assert child(code) == -9
    X, y = planted(500)
    resumed = network().fit(X, y, checkpoint=path, checkpoint_every=8, resume=True)
    plain = network().fit(X, y)
    assert weights_bytes(resumed) == weights_bytes(plain)
    resumed.save(tmp_path / "resumed")
    plain.save(tmp_path / "plain")
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "plain").read_bytes()


def test_interrupted_and_resumed(path):
    X, y = planted(500)
    expected = weights_bytes(network().fit(X, y))
    seen = []

    def stop(model, epoch, logs):
        seen.append(epoch)
        if epoch == 1 and seen.count(1) == 1:
            raise KeyboardInterrupt

    model = network()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, callbacks=stop, checkpoint=path, checkpoint_every=10)
    model.fit(X, y, callbacks=stop, checkpoint=path, checkpoint_every=3, resume=True)
    assert weights_bytes(model) == expected
    # The epoch that was interrupted behind its last step is seen again.
    assert seen == [0, 1, 1, 2, 3]


@pytest.mark.parametrize(
    "parameters",
    [
        {"optimizer": "sgd", "momentum": 0.9},
        {"schedule": "plateau", "decay_every": 1, "learning_rate": 0.05},
        {"reverse_complement": "augment"},
        {"random_state": None},
        {"output": "sigmoid"},
    ],
    ids=str,
)
def test_everything_goes_on(path, parameters):
    X, y = planted_tasks(300) if "output" in parameters else planted(300)
    model = network(**parameters)

    def stop(model, epoch, logs):
        if epoch == 2 and len(model.history_["loss"]) == 3 and not stop.done:
            stop.done = True
            raise KeyboardInterrupt

    stop.done = False
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, callbacks=stop, checkpoint=path, checkpoint_every=7)
    model.fit(X, y, callbacks=stop, checkpoint=path, checkpoint_every=7, resume=True)
    plain = network(**(parameters | {"random_state": model.random_state_})).fit(X, y)
    assert weights_bytes(model) == weights_bytes(plain)
    assert all(model.history_[key] == plain.history_[key] for key in ("loss", "auc", "val_loss", "learning_rate"))


def test_running_statistics_go_on(path):
    X, y = planted(300)
    layers = [Conv1D(8, 6), BatchNorm1D(), ReLU(), GlobalMaxPool1D(), Dense(2)]

    def fit(**options):
        model = dm.Network(layers, epochs=3, batch_size=16, random_state=0, reverse_complement="shared", n_threads=1)
        return model.fit(X, y, **options)

    def stop(model, epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=stop, checkpoint=path, checkpoint_every=5)
    assert weights_bytes(fit(checkpoint=path, checkpoint_every=5, resume=True)) == weights_bytes(fit())


def test_finished_training_is_not_repeated(path):
    X, y = planted(300)
    model = network().fit(X, y, checkpoint=path)
    written = path.read_bytes()
    calls = []
    again = network().fit(X, y, callbacks=lambda *_: calls.append(1), checkpoint=path, resume=True)
    assert calls == []
    assert weights_bytes(again) == weights_bytes(model)
    assert path.read_bytes() == written
    longer = network(epochs=6).fit(X, y, checkpoint=path, resume=True)
    assert weights_bytes(longer) == weights_bytes(network(epochs=6).fit(X, y))


def test_stopped_training_stays_stopped(path):
    X, y = planted(300)
    model = network(epochs=9).fit(X, y, callbacks=lambda m, epoch, logs: epoch == 1, checkpoint=path)
    again = network(epochs=9).fit(X, y, checkpoint=path, resume=True)
    assert len(again.history_["loss"]) == 2
    assert weights_bytes(again) == weights_bytes(model)


def test_without_resume_it_starts_afresh(path):
    X, y = planted(100)
    network(epochs=1).fit(X, y, checkpoint=path)
    assert len(network(epochs=2).fit(X, y, checkpoint=path).history_["loss"]) == 2
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"filters": 4}, "layers"),
        ({"class_weight": "balanced"}, "class_weight"),
        ({"random_state": 6}, "seed"),
        ({"reverse_complement": "augment"}, "reverse_complement"),
    ],
    ids=str,
)
def test_checkpoint_of_another_training(path, change, words):
    X, y = planted(100)
    network(epochs=1).fit(X, y, checkpoint=path)
    options = {"filters": 8} | change
    filters = options.pop("filters")
    other = dm.CNN(filters, (6, 3), **({"dropout": 0.3, "epochs": 4, "batch_size": 16, "random_state": 5} | options))
    with pytest.raises(dm.InvalidArgumentError, match=f"checkpoint of another training, which differs in .*{words}"):
        other.fit(X, y, checkpoint=path, resume=True)
    with pytest.raises(dm.InvalidArgumentError, match="differs in training data"):
        network().fit(X, 1 - y, checkpoint=path, resume=True)


def test_arguments(path):
    X, y = planted(40)
    for options, words in [
        ({"resume": True}, "resume and checkpoint_every need a checkpoint"),
        ({"checkpoint_every": 3}, "resume and checkpoint_every need a checkpoint"),
        ({"checkpoint": path, "checkpoint_every": 0}, "checkpoint_every must be"),
        ({"checkpoint": 3}, "checkpoint must be the path of a file"),
        ({"checkpoint": path, "resume": 1}, "resume must be True or False"),
    ]:
        with pytest.raises(dm.InvalidArgumentError, match=words):
            network().fit(X, y, **options)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("weights"),
        lambda t: t.update(weights=t["weights"][1:]),
        lambda t: t.update(weights=t["weights"] * np.float32(np.nan)),
        lambda t: t.update(optimizer=t["optimizer"][:-1]),
        lambda t: t.update(best_weights=t["best_weights"][1:]),
    ],
    ids=range(5),
)
def test_damaged_checkpoints(path, change):
    X, y = planted(100)
    network(epochs=1).fit(X, y, checkpoint=path)
    tensors = load_file(path)
    text = _files.unpacked(path, "deepmotif-checkpoint", 1, "a checkpoint")[1]
    change(tensors)
    (path).write_bytes(_files.packed(tensors, "deepmotif-checkpoint", 1, text))
    with pytest.raises(dm.FileFormatError, match=r"damaged checkpoint|not a checkpoint"):
        network().fit(X, y, checkpoint=path, resume=True)
    save_file(tensors, path)
    with pytest.raises(dm.FileFormatError, match="is not a checkpoint file of DeepMotif"):
        network().fit(X, y, checkpoint=path, resume=True)
