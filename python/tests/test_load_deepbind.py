"""DeepBind's parameter files: windows, strands and unknown bases as the published program has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepmotif as dm

DETECTORS, WIDTH, HIDDEN = 3, 5, 4


def parameters(path: Path, hidden: int, average: bool, strands: bool = True) -> dict[str, np.ndarray]:
    """Writes a file with random numbers and returns them."""
    random = np.random.default_rng(4)
    pools = DETECTORS * (2 if average else 1)
    shapes = {
        "detectors": (WIDTH, 4, DETECTORS), "thresholds": (DETECTORS,), "weights1": (pools, max(hidden, 1)),
        "biases1": (max(hidden, 1),), "weights2": (hidden,), "biases2": (1 if hidden else 0,),
    }  # fmt: skip
    arrays = {key: random.normal(0, 0.5, shape) for key, shape in shapes.items()}
    sizes = {
        "reverse_complement": int(strands), "num_detectors": DETECTORS, "detector_len": WIDTH,
        "has_avg_pooling": int(average), "num_hidden": hidden,
    }  # fmt: skip
    lines = ["# deepbind 0.1", *(f"{key} = {value}" for key, value in sizes.items())]
    lines += [f"{key} = " + ",".join(f"{value:.9e}" for value in array.ravel()) for key, array in arrays.items()]
    path.write_text("\n".join(lines) + "\n")
    return arrays


def window_score(arrays: dict[str, np.ndarray], x: np.ndarray, average: bool) -> float:
    """Score of one window (L, 4), from the description of the program alone."""
    padded = np.pad(x, ((WIDTH - 1, WIDTH - 1), (0, 0)), constant_values=0.25)
    places = np.lib.stride_tricks.sliding_window_view(padded, WIDTH, axis=0)
    maps = np.maximum(np.einsum("plj,jlk->pk", places, arrays["detectors"]) + arrays["thresholds"], 0)
    pooled = np.stack([maps.max(0), maps.mean(0)], axis=1).ravel() if average else maps.max(0)
    hidden = pooled @ arrays["weights1"] + arrays["biases1"]
    return float(
        np.maximum(hidden, 0) @ arrays["weights2"] + arrays["biases2"][0] if arrays["weights2"].size else hidden[0]
    )


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("hidden", [0, HIDDEN])
def test_scores_are_those_of_the_program(hidden: int, average: bool, tmp_path: Path) -> None:
    arrays = parameters(tmp_path / "model.txt", hidden, average)
    sequences = ["ACGTNNGATTACA", "CCCUUACGNNNNA"]
    x = dm.one_hot(dm.encode(sequences)).astype(float)
    x[x.sum(axis=2) == 0] = 0.25
    both = [x, x[:, ::-1, ::-1]]
    scanned = [
        max(window_score(arrays, strand[n, s : s + WIDTH], average) for strand in both for s in range(13 - WIDTH + 1))
        for n in range(2)
    ]
    whole = [max(window_score(arrays, strand[n], average) for strand in both) for n in range(2)]
    model = dm.load_deepbind(tmp_path / "model.txt")
    np.testing.assert_allclose(model.scores(sequences)[:, 0], scanned, rtol=1e-5, atol=1e-5)
    unscanned = dm.load_deepbind(str(tmp_path / "model.txt"), scan=False)
    np.testing.assert_allclose(unscanned.scores(sequences)[:, 0], whole, rtol=1e-5, atol=1e-5)


def test_what_the_network_is(tmp_path: Path) -> None:
    arrays = parameters(tmp_path / "model.txt", HIDDEN, False, strands=False)
    model = dm.load_deepbind(tmp_path / "model.txt", output="sigmoid")
    assert (model.output, model.reverse_complement) == ("sigmoid", "none")
    first = model.weights_["conv1d_0.weight"][:DETECTORS]
    centred = arrays["detectors"] - arrays["detectors"].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(first, centred.transpose(2, 1, 0), atol=1e-6)
    assert dm.saliency(model, ["ACGTACGTACGT"], target=0).shape == (1, 12)
    assert model.activations(["ACGTACGTACGT"], "maxout_0").shape == (1, 8, DETECTORS)
    model.save(tmp_path / "model.safetensors")
    assert (dm.load(tmp_path / "model.safetensors").scores(["ACGTACGTACGT"]) == model.scores(["ACGTACGTACGT"])).all()
    with pytest.raises(dm.ShapeError, match="at least 5 positions"):
        model.scores(["ACGT"])
