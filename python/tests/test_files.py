"""Model files: the same model gives the same bytes, comes back bit for bit, and hostile files do no harm."""

import json
import os
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save

import deepmotif as dm
from deepmotif import _files
from deepmotif.layers import GRU, BatchNorm1D, Conv1D, Dense, Flatten, MaxPool1D, ReLU, Residual

MODELS = {
    "CNN": lambda: dm.CNN(filters=5, kernel_sizes=(4, 3), random_state=1).build(30, ["bound", "free"]),
    "RNN": lambda: dm.RNN(hidden=3, layers=2, random_state=1).build(30, [False, True]),
    "CNNRNN": lambda: dm.CNNRNN(filters=5, kernel_size=3, hidden=3, random_state=1).build(30, [-1, 5, 7]),
    "Network": lambda: tasks().build(30, ["MYC", "CTCF"]),
}


def tasks():
    """Several tasks, nested layers, both strands."""
    block = Residual([Conv1D(5, 3, padding="same"), BatchNorm1D(), ReLU()], shortcut=[Conv1D(5, 1)])
    layers = [block, MaxPool1D(3, padding="same"), GRU(3, bidirectional=True), Flatten(), Dense(2)]
    return dm.Network(layers, "sigmoid", reverse_complement="average", task_names=("MYC", "CTCF"), random_state=1)


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 5, (6, 30)).astype(np.uint8)


def test_round_trip(model, codes, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = dm.load(str(path))
    assert type(loaded) is type(model)
    assert repr(loaded) == repr(model)
    assert loaded.length_ == 30
    assert loaded.random_state_ == 1
    assert loaded.classes_.tolist() == model.classes_.tolist()
    assert loaded.classes_.dtype.kind == model.classes_.dtype.kind
    np.testing.assert_array_equal(loaded.scores(codes), model.scores(codes))
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_other_libraries_read_the_weights(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    tensors = load_file(tmp_path / "model.safetensors")
    assert set(tensors) == set(model.weights_)
    for name, array in model.weights_.items():
        np.testing.assert_array_equal(tensors[name], array)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float32, np.float16, bool, ">i4", "U7"])
def test_kinds_of_labels_come_back(tmp_path, dtype):
    labels = np.array([0, 1]).astype(dtype)
    model = dm.RNN(hidden=2).build(5, labels)
    model.save(tmp_path / "model")
    loaded = dm.load(tmp_path / "model")
    assert loaded.classes_.tolist() == model.classes_.tolist()
    assert loaded.classes_.dtype.name.rstrip("0123456789") == model.classes_.dtype.name.rstrip("0123456789")
    if np.dtype(dtype).kind != "U":
        assert loaded.classes_.dtype.itemsize == model.classes_.dtype.itemsize


def test_hyper_parameters_come_back(tmp_path):
    parameters = {
        "filters": np.int64(4),
        "kernel_sizes": [3, 3],
        "class_weight": {"a": 2.0, "b": 1},
        "decay_every": None,
        "random_state": np.random.default_rng(0),
        "n_threads": 1,
    }
    model = dm.CNN(**parameters).build(30, ["a", "b"])
    model.save(tmp_path / "model")
    loaded = dm.load(tmp_path / "model")
    assert loaded.filters == 4
    assert loaded.kernel_sizes == (3, 3)
    assert loaded.class_weight == {"a": 2.0, "b": 1}
    assert loaded.decay_every is None
    # A generator cannot be stored, its seed can; the number of threads is the machine's business.
    assert loaded.random_state is None
    assert loaded.random_state_ == model.random_state_
    assert loaded.n_threads is None


def test_layers_are_those_of_the_weights(codes, tmp_path):
    model = MODELS["CNN"]()
    expected = model.scores(codes)
    model.set_params(filters=99)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(dm.load(tmp_path / "model").scores(codes), expected)


def test_history_comes_back_without_the_clock(tmp_path):
    model = MODELS["CNN"]()
    model.history_ = {
        "loss": [0.7, 0.1 + 0.2],
        "auc": [0.5, 0.75],
        "val_loss": [float("nan"), 0.6],
        "val_auc": [float("nan"), 0.8],
        "learning_rate": [0.01, 0.005],
        "seconds": [1.25, 1.5],
    }
    model.best_epoch_ = 1
    model.save(tmp_path / "model")
    loaded = dm.load(tmp_path / "model")
    assert loaded.best_epoch_ == 1
    assert loaded.history_["loss"] == [0.7, 0.1 + 0.2]
    assert np.isnan(loaded.history_["val_auc"][0])
    assert np.isnan(loaded.history_["seconds"]).all()
    assert list(loaded.history_) == list(model.history_)


# ---- writing ----


def test_permissions_follow_the_umask(model, tmp_path):
    path = tmp_path / "model"
    previous = os.umask(0o027)
    try:
        model.save(path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_link_keeps_pointing(model, tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert dm.load(tmp_path / "real").length_ == 30


def test_path_is_taken_as_given(model, tmp_path):
    model.save(tmp_path / "no.suffix")
    assert [entry.name for entry in tmp_path.iterdir()] == ["no.suffix"]


@pytest.mark.parametrize("where", ["missing/model", "file/model", "."])
def test_folder_that_cannot_be_written_to(model, tmp_path, where):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(dm.FileWriteError, match="could not write the file") as caught:
        model.save(tmp_path / where)
    assert isinstance(caught.value, OSError)
    assert caught.value.errno is not None
    assert str(tmp_path) in str(caught.value)


def test_folder_without_permission(tmp_path):
    # The superuser may write everywhere, so the child gives up that right first.
    code = (
        "import os, sys, deepmotif as dm\n"
        "model = dm.RNN(hidden=2, random_state=0).build(5, 2)\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: model.save(sys.argv[1])\n"
        "except dm.FileWriteError as error: assert 'Permission denied' in str(error); sys.exit(7)"
    )
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    assert subprocess.run([sys.executable, "-c", code, str(folder / "model")]).returncode == 7


def test_full_disk_leaves_what_was_there(tmp_path):
    # A limit on the size of files stands for a full disk: the write begins and cannot end.
    code = (
        "import resource, sys, signal, deepmotif as dm\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "model = dm.RNN(random_state=0).build(5, 2)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: model.save(sys.argv[1])\n"
        "except dm.FileWriteError as error: sys.exit(7)"
    )
    path = tmp_path / "model"
    path.write_bytes(b"what was there")
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 7
    assert path.read_bytes() == b"what was there"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_devices_are_written_to_not_replaced(model):
    with pytest.raises(dm.FileWriteError, match="No space left on device"):
        model.save("/dev/full")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    model.save("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


# ---- hostile files ----


def written(tmp_path, data):
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(data)
    return path


def test_missing_file(tmp_path):
    with pytest.raises(dm.FileNotFound, match=r"there is no such file.*nowhere"):
        dm.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        dm.load(tmp_path / "nowhere")


@pytest.mark.parametrize("path", [3, None, "", b"model"])
def test_paths_that_are_none(model, path):
    with pytest.raises(dm.InvalidArgumentError, match="path must be the path of a file"):
        dm.load(path)
    with pytest.raises(dm.InvalidArgumentError, match="path must be the path of a file"):
        model.save(path)


def test_file_that_may_not_be_read(tmp_path):
    # The superuser may read everything, so the child gives up that right first.
    code = (
        "import os, sys, deepmotif as dm\n"
        "dm.load\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: dm.load(sys.argv[1])\n"
        "except dm.FileReadError as error: assert 'Permission denied' in str(error); sys.exit(7)"
    )
    path = tmp_path / "model"
    path.write_bytes(b"")
    path.chmod(0)
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 7


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(dm.FileFormatError, match="is a folder"):
        dm.load(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        b">seq1\nACGTACGTACGT\n",
        b"\x1f\x8b\x08" + bytes(100),
        b"\x80\x04\x95" + bytes(100),  # a pickle
        b"PK\x03\x04" + bytes(100),
        (2**63 - 1).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (8).to_bytes(8, "little") + b"\xff" * 8,
        save({"x": np.zeros(3, np.float32)}),
        save({"x": np.zeros(3, np.float32)}, metadata={"deepmotif": "not json"}),
        save({"x": np.zeros(3, np.float32)}, metadata={"deepmotif": "[]"}),
        save({"x": np.zeros(3, np.float32)}, metadata={"deepmotif": "[" * 100_000}),
    ],
    ids=range(14),
)
def test_files_of_another_kind(tmp_path, data):
    with pytest.raises(dm.FileFormatError, match=r"hostile.safetensors is not a model file of DeepMotif"):
        dm.load(written(tmp_path, data))


def test_every_cut(tmp_path):
    data = _files.model_bytes(MODELS["RNN"]())
    for end in [*range(0, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(dm.FileFormatError):
            dm.load(written(tmp_path, data[:end]))
    with pytest.raises(dm.FileFormatError):
        dm.load(written(tmp_path, data + b"\0"))


def test_flipped_bytes_never_end_the_process(tmp_path):
    data = bytearray(_files.model_bytes(MODELS["RNN"]()))
    random = np.random.default_rng(0)
    for _ in range(300):
        position = int(random.integers(len(data)))
        kept, data[position] = data[position], int(random.integers(256))
        try:
            model = dm.load(written(tmp_path, bytes(data)))
        except dm.FileFormatError:
            pass
        else:
            assert np.isfinite(model.weights_["dense_0.bias"]).all()
        data[position] = kept


CHANGES = {
    "format": lambda c: c.update(format="other"),
    "newer version": lambda c: c.update(version=99),
    "kind of object": lambda c: c.update(kind="os.system"),
    "kind of no str": lambda c: c.update(kind=["CNN"]),
    "another kind's hyper-parameters": lambda c: c.update(kind="RNN"),
    "missing entry": lambda c: c.pop("layers"),
    "hyper-parameter": lambda c: c["parameters"].update(__class__="x"),
    "hyper-parameters": lambda c: c.update(parameters=[]),
    "length of another network": lambda c: c.update(length=3),
    "length": lambda c: c.update(length=2**70),
    "negative length": lambda c: c.update(length=-5),
    "length as text": lambda c: c.update(length="30"),
    "seed": lambda c: c.update(random_state=-1),
    "one class": lambda c: c["classes"].update(values=["bound"]),
    "unsorted classes": lambda c: c["classes"].update(values=["free", "bound"]),
    "too many classes": lambda c: c["classes"].update(values=["a", "b", "c"]),
    "classes of another type": lambda c: c["classes"].update(values=[1, "b"]),
    "class beyond its type": lambda c: c.update(classes={"type": "int8", "values": [0, 300]}),
    "unknown type of classes": lambda c: c["classes"].update(type="object"),
    "class beyond int64": lambda c: c.update(classes={"type": "int64", "values": [0, 2**80]}),
    "history": lambda c: c["history"].pop("loss"),
    "uneven history": lambda c: c["history"]["loss"].append(1.0),
    "history of text": lambda c: c["history"].update(loss=["x"]),
    "best epoch": lambda c: c.update(best_epoch=5),
    "no layers": lambda c: c.update(layers=[]),
    "unknown layer": lambda c: c["layers"][0].update(kind="lambda"),
    "layer with an unknown argument": lambda c: c["layers"][0].update(activation="x"),
    "huge layer": lambda c: c["layers"][0].update(filters=2**24, kernel_size=2**24),
    "layer beyond any size": lambda c: c["layers"][0].update(filters=10**30),
    "layers that do not fit": lambda c: c["layers"].reverse(),
    "a million layers": lambda c: c.update(layers=[{"kind": "relu"}] * 1_000_000),
    "padding": lambda c: c["layers"][0].update(padding="same"),
}


def test_sizes_are_not_believed(tmp_path):
    data = _files.model_bytes(MODELS["CNN"]())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    size = 1 << 36
    header["conv1d_0.weight"] = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}
    text = json.dumps({key: header[key] for key in ("__metadata__", "conv1d_0.weight")}).encode()
    path = written(tmp_path, len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + size)  # 64 GB that take no place on the disk, and must take none in memory
    began = time.perf_counter()
    with pytest.raises(dm.FileFormatError, match=r"its layers have \d+ parameters, but it holds 17179869184"):
        dm.load(path)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("change", CHANGES)
def test_changed_descriptions(tmp_path, change):
    model = MODELS["CNN"]()
    data = _files.model_bytes(model)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    config = json.loads(header["__metadata__"]["deepmotif"])
    CHANGES[change](config)
    data = save(model.weights_, metadata={"deepmotif": json.dumps(config)})
    if change == "padding":
        # Fits the weights as well: a legal description of a slightly different network.
        assert dm.load(written(tmp_path, data))._layers[0].padding == "same"
        return
    with pytest.raises(dm.FileFormatError, match="is not a model file of DeepMotif: "):
        dm.load(written(tmp_path, data))


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("dense_0.bias"),
        lambda w: w.update(extra=np.zeros(2, np.float32)),
        lambda w: w.update({"dense_0.bias": np.array([np.nan, 0], np.float32)}),
        lambda w: w.update({"dense_0.bias": np.zeros(2, np.float64)}),
        lambda w: w.update({"dense_0.bias": np.zeros((2, 1), np.float32)}),
        lambda w: w.update({"other": w.pop("dense_0.bias")}),
    ],
    ids=range(6),
)
def test_changed_weights(tmp_path, change):
    model = MODELS["CNN"]()
    data = _files.model_bytes(model)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    weights = model.weights_
    change(weights)
    with pytest.raises(dm.FileFormatError):
        dm.load(written(tmp_path, save(weights, metadata=header["__metadata__"])))
