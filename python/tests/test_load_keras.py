"""Import of Keras 1, 2 and 3: stored models with their answers, and Keras 1 files against a NumPy twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import layers as kinds

h5py = pytest.importorskip("h5py")

import keras_twin as twin  # noqa: E402

FIXTURES = Path(__file__).resolve().parent / "fixtures" / "keras"
LENGTH = 14


@pytest.fixture(scope="module")
def answers() -> Any:
    return dict(np.load(FIXTURES / "answers.npz"))


def letters(length: int = LENGTH) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(4), (3, length)).astype(np.float32)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape)


# ---- Keras 3 and its .h5 ----


@pytest.mark.parametrize(
    "file", ["sequential.keras", "recurrent.keras", "functional.keras", "image.keras", "sequential.h5", "recurrent.h5"]
)
def test_stored_models_give_their_answers(file: str, answers: dict[str, Any]) -> None:
    model, name = dm.load_keras(FIXTURES / file), file.partition(".")[0]
    X, expected = answers["X"], answers[name]
    output = {"sequential": "softmax", "recurrent": "sigmoid"}.get(name, "linear")
    assert model.output == output
    found = model.scores(X) if output == "linear" else model.predict_proba(X)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_last_layer_may_be_kept(answers: dict[str, Any]) -> None:
    model = dm.load_keras(FIXTURES / "sequential.keras", output="linear")
    assert isinstance(model.layers[-1], kinds.Softmax)
    np.testing.assert_allclose(model.scores(answers["X"]), answers["sequential"], rtol=1e-5, atol=1e-5)


def test_residual_and_pools_of_the_functional_model() -> None:
    model = dm.load_keras(FIXTURES / "functional.keras")
    names = [type(layer).__name__ for layer in model.layers]
    assert names == ["Conv1D", "Residual", "Exponential", "GlobalMaxAveragePool1D", "Dense"]


# ---- Keras 1 ----


@pytest.mark.parametrize("rows", ["letters as channels", "letters as rows"])
def test_keras_1_with_theano(rows: str, tmp_path: Path) -> None:
    as_channels = rows == "letters as channels"
    shape = [4, 1, LENGTH] if as_channels else [1, 4, LENGTH]
    kernel = draw(5, 4, 1, 3) if as_channels else draw(5, 1, 4, 3)
    second = draw(3, 5, 1, 3)
    W, b = draw(3 * 6, 2), draw(2)
    conv = {
        "nb_filter": 5,
        "nb_row": 1 if as_channels else 4,
        "nb_col": 3,
        "border_mode": "valid",
        "dim_ordering": "th",
    }
    first = conv | {"batch_input_shape": [None, *shape], "activation": "relu"}
    then = conv | {"nb_filter": 3, "nb_row": 1, "border_mode": "same", "activation": "linear"}
    pool = {"pool_size": [1, 2], "strides": [1, 2], "border_mode": "valid", "dim_ordering": "th"}
    paths = twin.write_model(
        tmp_path,
        [
            ("Convolution2D", first, {"W": kernel, "b": draw(5)}),
            ("MaxPooling2D", pool, {}),
            ("Convolution2D", then, {"W": second, "b": draw(3)}),
            ("Dropout", {"p": 0.5}, {}),
            ("Flatten", {}, {}),
            ("Dense", {"output_dim": 2, "activation": "sigmoid", "bias": True}, {"W": W, "b": b}),
        ],
    )  # fmt: skip
    X = letters()
    x = X.transpose(0, 2, 1)[:, :, None] if as_channels else X.transpose(0, 2, 1)[:, None]
    y = twin.max_pool_th(np.maximum(twin.conv_th(x, kernel, draw(5), same=False), 0), 2)
    expected = twin.conv_th(y, second, draw(3), same=True).reshape(3, -1) @ W + b
    model = dm.load_keras(*paths)
    assert (model.output, model.length_) == ("sigmoid", LENGTH)
    np.testing.assert_allclose(model.scores(X), expected, rtol=1e-5, atol=1e-5)
    # Told that TensorFlow wrote it, kernels are taken as they are.
    assert np.abs(dm.load_keras(*paths, backend="tensorflow").scores(X) - expected).max() > 0.01


def test_keras_1_with_tensorflow_and_recurrent_layers(tmp_path: Path) -> None:
    kernel, units = draw(3, 1, 4, 5), 4
    conv = {"nb_filter": 5, "filter_length": 3, "border_mode": "valid", "subsample_length": 1, "activation": "relu"}
    gates = {
        f"{what}_{g}": draw(*shape)
        for g in "icfo"
        for what, shape in (("W", (5, units)), ("U", (units, units)), ("b", (units,)))
    }
    last = {
        f"{what}_{g}": draw(*shape) for g in "zrh" for what, shape in (("W", (units, 3)), ("U", (3, 3)), ("b", (3,)))
    }
    rnn = {"activation": "tanh", "inner_activation": "sigmoid"}
    paths = twin.write_model(
        tmp_path,
        [
            ("Convolution1D", conv | {"batch_input_shape": [None, LENGTH, 4]}, {"W": kernel, "b": draw(5)}),
            ("LSTM", rnn | {"output_dim": units, "return_sequences": True}, gates),
            ("GRU", rnn | {"output_dim": 3, "return_sequences": False}, last),
            ("Dense", {"output_dim": 1, "activation": "linear"}, {"W": draw(3, 1), "b": draw(1)}),
        ],
    )  # fmt: skip
    X = letters()
    windows = np.lib.stride_tricks.sliding_window_view(X, 3, axis=1)
    y = np.maximum(np.einsum("nlck,kcf->nlf", windows, kernel[:, 0]) + draw(5), 0)
    expected = twin.gru(twin.lstm(y, gates, units), last, 3) @ draw(3, 1) + draw(1)
    np.testing.assert_allclose(dm.load_keras(*paths).scores(X), expected, rtol=1e-5, atol=1e-5)


def test_keras_1_default_activations_are_named(tmp_path: Path) -> None:
    gates = {f"{what}_{g}": draw(4, 4) if what != "b" else draw(4) for g in "icfo" for what in "WUb"}
    first = {"output_dim": 4, "batch_input_shape": [None, LENGTH, 4], "return_sequences": True}
    highway = ("Highway", {}, {"W": draw(4, 4)})
    paths = twin.write_model(tmp_path, [("LSTM", first, gates), highway])
    with pytest.raises(
        dm.FileFormatError, match=r"lstm_0 \(LSTM\): the activations 'tanh' and 'hard_sigmoid'.*highway_1"
    ):
        dm.load_keras(*paths)


def test_weights_without_an_architecture(tmp_path: Path) -> None:
    _, weights = twin.write_model(tmp_path, [("Flatten", {"batch_input_shape": [None, 3, 4]}, {})])
    with pytest.raises(dm.FileFormatError, match="without an architecture"):
        dm.load_keras(weights)
    with pytest.raises(dm.InvalidArgumentError, match="backend must be"):
        dm.load_keras(weights, backend="jax")


# ---- Keras 2 ----


def functional(layers: list[tuple[str, str, dict[str, Any], list[str]]]) -> str:
    """A functional model as Keras 2 writes it: (class, name, configuration, inputs) for each layer."""
    entries = [
        {
            "class_name": kind, "name": name, "config": {"name": name, **config},
            "inbound_nodes": [[[before, 0, 0, {}] for before in inputs]] if inputs else [],
        }
        for kind, name, config, inputs in layers
    ]  # fmt: skip
    body = {"layers": entries, "input_layers": [["in", 0, 0]], "output_layers": [[layers[-1][1], 0, 0]]}
    return json.dumps({"class_name": "Model", "config": body, "keras_version": "2.2.4", "backend": "tensorflow"})


def test_keras_2_functional_with_a_shortcut(tmp_path: Path) -> None:
    kernel, side, norm = draw(3, 4, 6), draw(1, 4, 6), [draw(6), draw(6), draw(6), np.abs(draw(6)) + 0.5]
    config = functional(
        [
            ("InputLayer", "in", {"batch_input_shape": [None, None, 4]}, []),
            ("Conv1D", "body", {"filters": 6, "padding": "same", "use_bias": False, "activation": "linear"}, ["in"]),
            ("BatchNormalization", "norm", {"axis": 2, "epsilon": 1e-3, "momentum": 0.99}, ["body"]),
            ("Conv1D", "side", {"filters": 6, "padding": "valid", "use_bias": False, "activation": "linear"}, ["in"]),
            ("Add", "sum", {}, ["norm", "side"]),
            ("GlobalAveragePooling1D", "pool", {}, ["sum"]),
            ("Dense", "out", {"units": 2, "activation": "softmax"}, ["pool"]),
        ]
    )
    arrays = {
        "body": {"kernel:0": kernel}, "side": {"kernel:0": side}, "out": {"kernel:0": draw(6, 2), "bias:0": draw(2)},
        "norm": dict(zip(("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"), norm, strict=True)),
    }  # fmt: skip
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = config.encode()
        file.attrs["backend"] = b"tensorflow"
        for layer, values in arrays.items():
            group = file.create_group(f"model_weights/{layer}")
            group.attrs["weight_names"] = [f"{layer}/{key}".encode() for key in values]
            for key, value in values.items():
                group[f"{layer}/{key}"] = value.astype(np.float32)
    X = letters()
    padded = np.pad(X, ((0, 0), (1, 1), (0, 0)))
    body = np.einsum("nlck,kcf->nlf", np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1), kernel)
    body = (body - norm[2]) / np.sqrt(norm[3] + 1e-3) * norm[0] + norm[1]
    expected = (body + X @ side[0]).mean(1) @ draw(6, 2) + draw(2)
    model = dm.load_keras(tmp_path / "model.h5")
    assert [type(layer).__name__ for layer in model.layers] == ["Residual", "GlobalAveragePool1D", "Dense"]
    np.testing.assert_allclose(model.scores(X), expected, rtol=1e-5, atol=1e-5)
    # The length is free.
    assert model.scores(letters(40)).shape == (3, 2)
