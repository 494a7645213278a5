"""Export to PyTorch and ONNX: random networks over all layers give the same there, and back."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_cases import LENGTH, random_network, sample

import deepmotif as dm
from deepmotif import layers as kinds
from deepmotif.interchange import load_onnx, to_onnx, to_torch

FIXTURES = Path(__file__).resolve().parent / "fixtures" / "keras"
SEEDS = range(30)


def difference(a: Any, b: Any) -> float:
    """Largest difference, relative to the magnitude of the expected values above 1."""
    return float(np.abs(a - b).max() / max(1.0, np.abs(b).max()))


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_to_torch_and_back(seed: int) -> None:
    torch = pytest.importorskip("torch")
    model, X = random_network(seed), sample(seed)
    module = to_torch(model)
    x = torch.tensor(X.transpose(0, 2, 1).copy(), requires_grad=True)
    scores = module(x)
    assert difference(scores.detach().numpy(), model.scores(X)) < 1e-5
    scores[:, 0].sum().backward()
    assert difference(x.grad.numpy().transpose(0, 2, 1), dm.input_gradients(model, X, target=0)) < 1e-5
    assert all(parameter.requires_grad for parameter in module.parameters())
    back = dm.from_torch(module, length=LENGTH, output=model.output)
    assert difference(back.scores(X), model.scores(X)) < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_to_onnx_and_back(seed: int, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, X = random_network(seed), sample(seed)
    to_onnx(model, tmp_path / "model.onnx")
    scores, probabilities = run(runtime, tmp_path / "model.onnx", X)
    assert difference(scores, model.scores(X)) < 1e-5
    if model.output != "linear":
        assert difference(probabilities, model.predict_proba(X)) < 1e-5
    back = load_onnx(tmp_path / "model.onnx")
    assert (back.output, back.length_) == (model.output, LENGTH)
    assert difference(back.scores(X), model.scores(X)) < 1e-6


def run(runtime: Any, path: Path, X: np.ndarray) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_outputs()] == ["scores", "probabilities"]
    return session.run(None, {"sequence": X})


@pytest.mark.parametrize("strands", ["average", "maximum"])
def test_both_strands(strands: str, tmp_path: Path) -> None:
    torch, runtime = pytest.importorskip("torch"), pytest.importorskip("onnxruntime")
    layers = [kinds.Conv1D(3, 5), kinds.ReLU(), kinds.GlobalMaxPool1D(), kinds.Dense(2)]
    model, X = dm.Network(layers, reverse_complement=strands, random_state=1).build(LENGTH, 2), sample(0)
    module = to_torch(model)
    assert difference(module(torch.tensor(X.transpose(0, 2, 1).copy())).detach().numpy(), model.scores(X)) < 1e-6
    back = dm.from_torch(module)
    assert back.reverse_complement == strands
    assert difference(back.scores(X), model.scores(X)) < 1e-6
    to_onnx(model, tmp_path / "model.onnx")
    assert difference(run(runtime, tmp_path / "model.onnx", X)[0], model.scores(X)) < 1e-6


def test_blocks_of_channels(tmp_path: Path) -> None:
    torch, runtime = pytest.importorskip("torch"), pytest.importorskip("onnxruntime")
    layers = [kinds.Conv1D(6, 5), kinds.Maxout(3), kinds.GlobalMaxPool1D(), kinds.Dense(1)]
    model, X = dm.Network(layers, "linear", random_state=1).build(LENGTH, 1), sample(0)
    module = to_torch(model)
    assert difference(module(torch.tensor(X.transpose(0, 2, 1).copy())).detach().numpy(), model.scores(X)) < 1e-6
    to_onnx(model, tmp_path / "model.onnx")
    assert difference(run(runtime, tmp_path / "model.onnx", X)[0], model.scores(X)) < 1e-6
    for back in (dm.from_torch(module), load_onnx(tmp_path / "model.onnx")):
        assert back.layers == layers


def test_the_module_can_be_trained() -> None:
    torch = pytest.importorskip("torch")
    model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    module = to_torch(model).train()
    x, y = torch.randn(8, 4, 12), torch.tensor([0, 1] * 4)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    losses = []
    for _ in range(5):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert set(dm.from_torch(module, output="softmax").weights_) == set(model.weights_)


@pytest.mark.parametrize("name", ["sequential", "both", "functional", "image"])
def test_files_of_tf2onnx(name: str) -> None:
    pytest.importorskip("onnx")
    answers = np.load(FIXTURES / "answers.npz")
    model = load_onnx(FIXTURES / f"{name}.onnx")
    found = model.predict_proba(answers["X"]) if model.output == "softmax" else model.scores(answers["X"])
    assert difference(found, answers[name]) < 1e-5


@pytest.mark.parametrize("kind", ["Functional", "ShortcutNetwork", "Image", "LastState", "LSTM", "GRU"])
def test_files_of_the_torch_exporter(kind: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    import test_from_torch as modules

    torch.manual_seed(0)
    module = modules.Recurrent(kind, "state") if kind in ("LSTM", "GRU") else getattr(modules, kind)()
    X = modules.letters()
    x = torch.tensor(X.transpose(0, 2, 1).copy())
    module.eval()
    for opset, axes in ((13, None), (17, {"x": {0: "n"}})):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"input_names": ["x"], "opset_version": opset, "dynamic_axes": axes, "dynamo": False}
            torch.onnx.export(module, (x,), str(tmp_path / "model.onnx"), **options)
        model = load_onnx(tmp_path / "model.onnx")
        assert difference(model.scores(X), module(x).detach().numpy()) < 1e-5


@pytest.mark.parametrize("opset", [18, 21])
def test_files_of_the_second_torch_exporter(opset: int, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    import test_from_torch as modules

    module, X = modules.Recurrent("LSTM", "state").eval(), modules.letters()
    x = torch.tensor(X.transpose(0, 2, 1).copy())
    shapes = {"x": {0: torch.export.Dim("n")}} if opset == 18 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (x,), str(tmp_path / "model.onnx"), input_names=["x"], opset_version=opset, dynamo=True,
            dynamic_shapes=shapes, external_data=False, verbose=False,
        )  # fmt: skip
    assert difference(load_onnx(tmp_path / "model.onnx").scores(X), module(x).detach().numpy()) < 1e-5
