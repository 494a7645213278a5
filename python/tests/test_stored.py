"""Sequences and labels in files: the same results as from memory, in little memory."""

import os
import pickle
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest
from training_cases import planted, planted_tasks, weights_bytes

import deepmotif as dm
from deepmotif._stored import StoredRows, stored_sequences
from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU

h5py = pytest.importorskip("h5py")


def network(outputs=3, output="sigmoid", **parameters):
    layers = [Conv1D(8, 6), ReLU(), GlobalMaxPool1D(), Dense(outputs)]
    return dm.Network(layers, output, **({"epochs": 2, "batch_size": 32, "random_state": 0} | parameters))


@pytest.fixture
def data():
    return planted_tasks(300)


def saved(folder, X, y):
    """The arrays in every kind of file."""
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    np.savez(folder / "data.npz", X=X, y=y)
    np.savez_compressed(folder / "small.npz", X=X, y=y)
    with h5py.File(folder / "data.h5", "w") as file:
        file["X"], file["y"] = X, y


def test_files_give_what_memory_gives(data, tmp_path):
    X, y = data
    saved(tmp_path, X, y)
    expected = weights_bytes(network().fit(X, y))
    # A row of so few bytes costs nothing by itself: an HDF5 file is shuffled in one group here, see below.
    for name in ("data.npz", "small.npz"):
        assert weights_bytes(network().fit(str(tmp_path / name), tmp_path / name)) == expected
    assert weights_bytes(network().fit(tmp_path / "X.npy", str(tmp_path / "y.npy"))) == expected
    model = network().fit(tmp_path / "data.h5", tmp_path / "data.h5")
    np.testing.assert_array_equal(model.scores(tmp_path / "data.h5"), model.scores(X))
    assert model.score(str(tmp_path / "data.h5"), str(tmp_path / "data.h5")) == model.score(X, y)
    np.testing.assert_array_equal(dm.saliency(model, tmp_path / "X.npy", 1), dm.saliency(model, X, 1))


def test_arrays_that_must_be_converted_stay_in_the_file(data, tmp_path):
    X, y = data
    expected = weights_bytes(network().fit(X, y))
    np.save(tmp_path / "codes.npy", X.astype(np.int32))
    np.save(tmp_path / "y.npy", np.where(y == 255, np.nan, y))
    codes, labels = (np.load(tmp_path / name, mmap_mode="r") for name in ("codes.npy", "y.npy"))
    assert isinstance(network()._read(codes), StoredRows)
    assert weights_bytes(network().fit(codes, labels)) == expected
    np.save(tmp_path / "letters.npy", dm.one_hot(X).astype(np.uint8))
    letters = np.load(tmp_path / "letters.npy", mmap_mode="r")
    assert network()._read(letters).dtype == np.float32
    np.testing.assert_array_equal(network().fit(letters, y).scores(letters), network().fit(dm.one_hot(X), y).scores(X))


def test_classes_and_values_in_files(tmp_path):
    X, y = planted(200)
    saved(tmp_path, X, y)
    path = tmp_path / "data.npz"
    assert weights_bytes(network(2, "softmax").fit(path, path)) == weights_bytes(network(2, "softmax").fit(X, y))
    assert network(2, "softmax").fit(tmp_path / "data.h5", tmp_path / "data.h5").classes_.tolist() == [0, 1]
    assert weights_bytes(network(1, "linear").fit(path, path)) == weights_bytes(network(1, "linear").fit(X, y))


@pytest.mark.parametrize("chunk", [1, 7, 64, 300])
def test_rows_of_a_chunked_data_set(data, tmp_path, chunk, monkeypatch):
    monkeypatch.setattr("deepmotif._stored._GROUP_BYTES", 1)
    monkeypatch.setattr("deepmotif._stored.REMEMBERED_BYTES", 2000)
    X, _ = data
    with h5py.File(tmp_path / "data.h5", "w") as file:
        stored = stored_sequences(file.create_dataset("X", data=X, chunks=(chunk, 30), compression="gzip"), "X")
        assert stored.group == chunk
        rows = np.random.default_rng(0).permutation(300)
        for start in range(0, 300, 50):
            np.testing.assert_array_equal(stored[rows[start : start + 50]], X[rows[start : start + 50]])
        assert sum(part.nbytes for part in stored._remembered.values()) <= max(2000, chunk * 30)
        np.testing.assert_array_equal(stored[40:90], X[40:90])


def test_bad_values_are_found_where_they_are(data, tmp_path):
    X, y = data
    X = X.copy()
    X[250, 3] = 9
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["X"], file["text"], file["y"] = X, [b"ACGT"] * 300, np.where(y == 255, 7, y)
        with pytest.raises(dm.InvalidArgumentError, match=r"codes 0-4 .*; got 9 at X\[0:300\]\[250, 3\]"):
            network().fit(file["X"], y)
        with pytest.raises(dm.InvalidArgumentError, match="a data set of numbers with rows; got dtype object"):
            network().fit(file["text"], y)
        with pytest.raises(dm.InvalidArgumentError, match=r"0 and 1.*; got 7 at y"):
            network().fit(data[0], file["y"])
        with pytest.raises(dm.ShapeError, match="one row of labels for each of the 299 sequences of X; got 300"):
            network().fit(data[0][:299], file["y"])


# ---- open_array ----


def test_open_array(data, tmp_path):
    X, y = data
    saved(tmp_path, X, np.asfortranarray(y))
    for name in ("data.npz", "small.npz", "data.h5"):
        np.testing.assert_array_equal(dm.open_array(tmp_path / name, "X")[:], X)
        np.testing.assert_array_equal(dm.open_array(tmp_path / name, "y")[:], y)
        with pytest.raises(dm.InvalidArgumentError, match=r"name must be one of the arrays of .*'X', 'y'.*; got 'z'"):
            dm.open_array(tmp_path / name, "z")
    assert isinstance(dm.open_array(tmp_path / "data.npz", "X"), np.memmap)
    assert isinstance(dm.open_array(tmp_path / "X.npy"), np.memmap)


class Evil:
    def __reduce__(self):
        return os.system, ("touch unpickled",)


def test_hostile_arrays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("objects.npz", X=np.array([Evil()], dtype=object))
    np.save("objects.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "text.h5").write_bytes(b"ACGT" * 100)
    (tmp_path / "text.npz").write_bytes(b"ACGT" * 100)
    np.save("cut.npy", np.zeros((100, 100)))
    os.truncate("cut.npy", 1000)
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 1000000), }"
        archive.writestr("X.npy", header.ljust(127) + b"\n" + bytes(1000))
    for name in ("objects.npz", "objects.npy", "pickle.npy", "text.h5", "text.npz", "cut.npy", "bomb.npz"):
        with pytest.raises(dm.FileFormatError, match="holds no array that can be read"):
            dm.open_array(name)
    with h5py.File("links.h5", "w") as file:
        file["X"] = h5py.ExternalLink("other.h5", "X")
    with pytest.raises(dm.DeepMotifError):
        dm.open_array("links.h5", "X")
    with pytest.raises(dm.FileNotFound):
        network().fit("nowhere.npy", [0])
    with pytest.raises(dm.InvalidArgumentError, match="path must end in one of"):
        dm.open_array("model.pt")
    assert not (tmp_path / "unpickled").exists()


# ---- memory ----


def test_memory_stays_flat(tmp_path):
    count, length = 60_000, 1000
    with h5py.File(tmp_path / "data.h5", "w") as file:
        X = file.create_dataset("X", (count, length), np.uint8, chunks=(512, length))
        y = file.create_dataset("y", (count, 5), np.uint8, chunks=(512, 5))
        random = np.random.default_rng(0)
        for start in range(0, count, 6000):
            X[start : start + 6000] = random.integers(0, 4, (6000, length), dtype=np.uint8)
            y[start : start + 6000] = random.integers(0, 2, (6000, 5), dtype=np.uint8)
    code = """
        import sys, h5py, deepmotif as dm
        from deepmotif import _stored
        from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D
        _stored.REMEMBERED_BYTES = _stored.REMEMBERED_BYTES // 16
        file = h5py.File(sys.argv[1])
        model = dm.Network(
            [Conv1D(2, 8, stride=8), GlobalMaxPool1D(), Dense(5)], "sigmoid", epochs=1, random_state=0, n_threads=1
        )
        model.fit(file["X"][:300], file["y"][:300])
        def private():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
        before = private()
        peak = []
        model.fit(file["X"], file["y"], callbacks=lambda *_: peak.append(private()))
        print(max(peak) - before)
    """
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc")
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "data.h5")]
    grown = int(subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=True).stdout)
    # In kB: 8 MB of remembered rows, as much of a block and its copy in order, scores, against 60,000 kB of sequences.
    assert grown < 45_000
