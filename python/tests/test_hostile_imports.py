"""Files that are damaged or made to harm: a FileFormatError at once, no code run, no memory taken."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.interchange import load_deepbind, load_keras, load_onnx, to_onnx

DEEPBIND = """# deepbind 0.1
reverse_complement = 1
num_detectors = 2
detector_len = 3
has_avg_pooling = 0
num_hidden = 0
detectors = {detectors}
thresholds = -0.1,0.2
weights1 = 1,2
biases1 = 0.5
weights2 =
biases2 =
""".replace("{detectors}", ",".join(["0.1"] * 24))


@contextmanager
def refused(match: str | None = None) -> Iterator[None]:
    """A FileFormatError in under a second, without more than a little memory."""
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(dm.FileFormatError, match=match):
        yield
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("pickle-ran",)


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


# ---- every format ----

LOADERS: list[Callable[[Path], Any]] = [load_deepbind, load_keras, load_onnx]


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"PK\x03\x04" + b"\0" * 60, b"\x89HDF\r\n\x1a\n" + b"\xff" * 64])
def test_other_bytes(load: Callable[[Path], Any], data: bytes, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    with refused():
        load(write(tmp_path / "model", data))


@pytest.mark.parametrize("load", LOADERS)
def test_pickles_are_not_run(load: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    for data in (pickle.dumps(Bomb()), archive.getvalue()):
        with refused():
            load(write(tmp_path / "model.pt", data))
    with refused("may hold pickles"):
        dm.from_torch(tmp_path / "model.pt")
    assert not (tmp_path / "pickle-ran").exists()


@pytest.mark.parametrize("load", LOADERS)
def test_no_file_and_a_folder(load: Callable[[Path], Any], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    with pytest.raises(dm.FileNotFound):
        load(tmp_path / "none")
    with refused("folder"):
        load(tmp_path)


# ---- DeepBind ----


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("0.1\n", "0.2\n", "first line"),
        ("num_detectors = 2", "num_detectors = 2000000000", "num_detectors must be a whole number"),
        ("num_detectors = 2", "num_detectors = 4000", "detectors must be 48000 numbers; got 24"),
        ("num_detectors = 2", "num_detectors = -2", "num_detectors must be"),
        ("-0.1,0.2", "nan,0.2", "thresholds holds NaN"),
        ("-0.1,0.2", "1e999,0.2", "thresholds holds NaN or infinity"),
        ("-0.1,0.2", "x,0.2", "thresholds: could not convert"),
        ("biases1 = 0.5\n", "", "it has no biases1"),
        ("biases1 = 0.5", "__import__('os')", "line 10 is none of its entries"),
    ],
)
def test_deepbind(old: str, new: str, reason: str, tmp_path: Path) -> None:
    load_deepbind(write(tmp_path / "good.txt", DEEPBIND))
    with refused(reason):
        load_deepbind(write(tmp_path / "bad.txt", DEEPBIND.replace(old, new, 1)))


def test_deepbind_cut_short(tmp_path: Path) -> None:
    for end in range(0, len(DEEPBIND) - 24, 7):
        with refused():
            load_deepbind(write(tmp_path / "cut.txt", DEEPBIND[:end]))


# ---- Keras ----


def dense(units: int = 2) -> dict[str, Any]:
    layers = [
        {"class_name": "Flatten", "config": {"name": "flat", "batch_input_shape": [None, 3, 4]}},
        {"class_name": "Dense", "config": {"name": "out", "units": units}},
    ]
    return {"class_name": "Sequential", "config": {"layers": layers}}


def keras_file(path: Path, config: Any, kernel: Any = None, **options: Any) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"flat", b"out"]
        flat, out = group.create_group("flat"), group.create_group("out")
        flat.attrs["weight_names"] = np.array([], dtype="S1")
        out.attrs["weight_names"] = [b"out/kernel:0", b"out/bias:0"]
        inner = out.create_group("out")
        inner["bias:0"] = np.zeros(2, np.float32)
        if callable(kernel):
            kernel(inner)
        else:
            inner.create_dataset("kernel:0", data=np.ones((12, 2)) if kernel is None else kernel, **options)
    return path


def test_keras_good(tmp_path: Path) -> None:
    assert load_keras(keras_file(tmp_path / "good.h5", dense())).scores(["ACG"]).tolist() == [[3, 3]]


def test_keras_links_and_outside_data(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret"
    secret.write_bytes(np.ones((12, 2), np.float32).tobytes())
    other = keras_file(tmp_path / "other.h5", dense())

    def external(group: Any) -> None:
        group["kernel:0"] = h5py.ExternalLink(str(other), "/model_weights/out/out/kernel:0")

    def soft(group: Any) -> None:
        group["kernel:0"] = h5py.SoftLink("/model_weights/out/out/bias:0")

    def stored(group: Any) -> None:
        group.create_dataset("kernel:0", (12, 2), "f4", external=[(str(secret), 0, 96)])

    def virtual(group: Any) -> None:
        layout = h5py.VirtualLayout((12, 2), "f4")
        layout[:] = h5py.VirtualSource(str(other), "model_weights/out/out/kernel:0", (12, 2))
        group.create_virtual_dataset("kernel:0", layout)

    for make, reason in ((external, "links"), (soft, "links"), (stored, "other files"), (virtual, "other files")):
        with refused(reason):
            load_keras(keras_file(tmp_path / "bad.h5", dense(), make))


def test_keras_sizes_and_values(tmp_path: Path) -> None:
    def huge(group: Any) -> None:
        group.create_dataset("kernel:0", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")

    def texts(group: Any) -> None:
        group["kernel:0"] = ["code"]

    with refused("declares 4398046511104 bytes and has 0"):
        load_keras(keras_file(tmp_path / "bad.h5", dense(), huge))
    with refused("must hold numbers"):
        load_keras(keras_file(tmp_path / "bad.h5", dense(), texts))
    with refused("NaN"):
        load_keras(keras_file(tmp_path / "bad.h5", dense(), np.full((12, 2), np.nan)))
    with refused("no length of the sequences|weights are of shape"):
        load_keras(keras_file(tmp_path / "bad.h5", dense(), np.ones((9, 2))))
    data = keras_file(tmp_path / "good.h5", dense()).read_bytes()
    for end in range(8, len(data) - 1, len(data) // 20):
        with refused():
            load_keras(write(tmp_path / "cut.h5", data[:end]))


def sequential(kind: str, config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": [{"class_name": kind, "config": config}]}}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ([], "no table"),
        ({"class_name": "Sequential"}, "no architecture"),
        ({"class_name": "Sequential", "config": {"layers": []}}, "holds 0 layers"),
        ({"class_name": "Evil", "config": {}}, "built by code"),
        (
            sequential("Lambda", {"name": "f", "function": ["4wEA"], "batch_input_shape": [None, 3, 4]}),
            r"f \(Lambda\): there is no such layer",
        ),
        (sequential("Dense", {"name": "d", "batch_input_shape": [None, 7, 9]}), "an input of shape"),
        (sequential("Dense", 3), "no architecture"),
    ],
)
def test_keras_architectures(config: Any, reason: str, tmp_path: Path) -> None:
    with refused(reason):
        load_keras(keras_file(tmp_path / "bad.h5", config))


def test_keras_json_without_end(tmp_path: Path) -> None:
    with refused("no architecture in JSON"):
        load_keras(write(tmp_path / "deep.json", "[" * 100_000), keras_file(tmp_path / "good.h5", dense()))


def test_keras_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(dense()))
        with archive.open("model.weights.h5", "w", force_zip64=True) as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
    with refused(r"model\.weights\.h5 declares 67108864 bytes, packed in"):
        load_keras(path)


# ---- ONNX ----


@pytest.fixture
def exported(tmp_path: Path) -> Any:
    onnx = pytest.importorskip("onnx")
    to_onnx(dm.CNN(filters=3, kernel_sizes=(3,), random_state=0).build(8, 2), tmp_path / "good.onnx")
    return onnx.load(str(tmp_path / "good.onnx"))


def test_onnx_cut_short(exported: Any, tmp_path: Path) -> None:
    data = (tmp_path / "good.onnx").read_bytes()
    for end in range(0, len(data) - 1, 37):
        with refused():
            load_onnx(write(tmp_path / "cut.onnx", data[:end]))


def test_onnx_outside_data_and_sizes(exported: Any, tmp_path: Path) -> None:
    def broken(change: Callable[[Any], None], reason: str) -> None:
        model = type(exported)()
        model.CopyFrom(exported)
        change(model)
        with refused(reason):
            load_onnx(write(tmp_path / "bad.onnx", model.SerializeToString()))

    def tensor(model: Any) -> Any:
        return next(entry for entry in model.graph.initializer if entry.name == "conv1d_0.weight")

    def outside(model: Any) -> None:
        tensor(model).data_location = 1
        tensor(model).external_data.add(key="location", value="/etc/passwd")

    def huge(model: Any) -> None:
        tensor(model).dims[:] = [1 << 40, 1 << 40, 1 << 40]

    def not_a_number(model: Any) -> None:
        tensor(model).raw_data = np.full(36, np.nan, np.float32).tobytes()

    def unknown(model: Any) -> None:
        model.graph.node[1].op_type = "Einsum"

    def old(model: Any) -> None:
        model.opset_import[0].version = 9

    def detached(model: Any) -> None:
        model.graph.node[1].input[0] = "nothing"

    def enormous_fill(model: Any) -> None:
        model.graph.node[2].op_type = "ConstantOfShape"

    broken(outside, "another file")
    broken(huge, "without as many values")
    broken(not_a_number, "NaN")
    broken(unknown, r"node_1 \(Einsum\): there is no such layer")
    broken(old, "opset 9")
    broken(detached, "its input nothing does not exist")
    broken(enormous_fill, "cannot be imported|does not compute")


def test_deepbind_that_scans_with_everything(tmp_path: Path) -> None:
    width = 3000
    text = DEEPBIND.replace("num_detectors = 2", "num_detectors = 1").replace(
        "detector_len = 3", f"detector_len = {width}"
    )
    text = (
        text.replace(",".join(["0.1"] * 24), ",".join(["0"] * 4 * width)).replace("-0.1,0.2", "0").replace("1,2", "1")
    )
    with refused("too long to be scanned"):
        load_deepbind(write(tmp_path / "wide.txt", text))


def test_onnx_that_grows(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def refuse(nodes: list[Any], arrays: dict[str, np.ndarray], length: int, reason: str) -> None:
        tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", kind, ["N", 4, length])],
            [helper.make_tensor_value_info("y", kind, ["N", 2])], tensors,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        with refused(reason):
            load_onnx(write(tmp_path / "bad.onnx", model.SerializeToString()))

    doubled = [helper.make_node("Concat", [f"w{i}", f"w{i}"], [f"w{i + 1}"], axis=0) for i in range(40)]
    refuse(
        [*doubled, helper.make_node("Conv", ["x", "w40"], ["y"])], {"w0": np.ones((9, 4, 3), np.float32)}, 9, "larger"
    )
    grouped = [
        helper.make_node("Conv", ["x", "w"], ["h"]),
        helper.make_node("Conv", ["h", "g"], ["y"], group=50_000),
    ]
    arrays = {"w": np.ones((50_000, 4, 1), np.float32), "g": np.ones((50_000, 1, 1), np.float32)}
    refuse(grouped, arrays, 9, "50000 groups")
    pooled = [helper.make_node("GlobalMaxPool", ["x"], ["h"]), helper.make_node("Flatten", ["h"], ["y"])]
    refuse(pooled, {}, 1 << 40, "positions, more than")
