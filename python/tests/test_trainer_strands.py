"""Training on both strands: combined scores and tied weights."""

import numpy as np
import pytest
from trainer_cases import BATCH, LENGTH, ROWS, arrays_of, draw_codes, layer, network, targets_of, trainer_for

from deepmotif import _native
from deepmotif.exceptions import InvalidArgumentError


@pytest.fixture(scope="module")
def codes():
    return draw_codes()


def complement(codes):
    return np.ascontiguousarray(np.where(codes < 4, 3 - codes, 4)[:, ::-1], dtype=np.uint8)


@pytest.mark.parametrize("strands", ["AVERAGE", "MAXIMUM"])
def test_scores_of_both_strands_are_combined(codes, strands):
    model = _native.Model(network(norm=False), LENGTH, 3)
    pair = np.stack([model.scores(codes, 1), model.scores(complement(codes), 1)])
    expected = pair.mean(0) if strands == "AVERAGE" else pair.max(0)
    trainer = trainer_for(model, strands=getattr(_native, f"STRANDS_{strands}"), learning_rate=0.0)
    seen = trainer.run(codes, targets_of("softmax"), np.arange(ROWS), BATCH, None, 1)[2]
    assert np.abs(seen - expected).max() <= 1e-6


@pytest.mark.parametrize("strands", ["AVERAGE", "MAXIMUM"])
def test_gradients_of_combined_scores(codes, strands):
    """Against differences along random directions of the parameters."""
    model = _native.Model(network(norm=False), LENGTH, 3)
    targets = targets_of("flags")
    trainer = trainer_for(model, "flags", strands=getattr(_native, f"STRANDS_{strands}"), learning_rate=0.0)
    gradient = trainer.gradient(codes, targets, None, 2).astype(float)
    start = model.get_parameters()
    direction = (gradient / np.linalg.norm(gradient)).astype(np.float32)
    losses = []
    for sign in (1, -1):
        model.set_parameters(start + np.float32(sign * 0.004) * direction)
        total, weight, _ = trainer.run(codes, targets, np.arange(ROWS), ROWS, None, 1)
        losses.append(total / weight)
    # Scores that change places within a step are a part of the loss that is not smooth.
    assert (losses[0] - losses[1]) / 0.008 == pytest.approx(np.linalg.norm(gradient), rel=1e-2)


TIED = {
    "convolutions": [
        layer("CONV1D", units=6, width=5), layer("BATCH_NORM1D"), layer("RELU"), layer("MAX_POOL1D", width=2, stride=2),
        layer("CONV1D", units=8, width=3, padding=1), layer("RELU"), layer("FLATTEN"), layer("DENSE", units=5),
        layer("TANH"), layer("DENSE", units=3),
    ],
    "recurrent": [
        layer("CONV1D", units=6, width=5), layer("TANH"), layer("LSTM", units=5, bidirectional=1),
        layer("DENSE", units=4), layer("LSTM", units=3, bidirectional=1, split_input=1), layer("GLOBAL_MAX_POOL1D"),
        layer("BATCH_NORM1D"), layer("DENSE", units=3),
    ],
    "gated": [
        layer("CONV1D", units=6, width=5, bias=0), layer("LAYER_NORM"), layer("GRU", units=5, bidirectional=1),
        layer("GRU", units=3, bidirectional=1, reset_after=0), layer("GLOBAL_MAX_AVERAGE_POOL1D"),
        layer("BATCH_NORM1D"), layer("DENSE", units=3),
    ],
    "residual": [
        layer("CONV1D", units=6, width=5), layer("RESIDUAL", body_count=4, shortcut_count=0),
        layer("CONV1D", units=6, width=3, padding=1), layer("BATCH_NORM1D"), layer("RELU"),
        layer("CONV1D", units=6, width=3, padding=1), layer("RESIDUAL", body_count=4, shortcut_count=2),
        layer("LSTM", units=4, bidirectional=1), layer("RESIDUAL", body_count=2, shortcut_count=0), layer("TANH"),
        layer("BATCH_NORM1D"), layer("CONV1D", units=8, width=1), layer("BATCH_NORM1D"), layer("GLOBAL_MAX_POOL1D"),
        layer("DENSE", units=3),
    ],
    "last state": [layer("LSTM", units=4, bidirectional=1, return_sequences=0), layer("DENSE", units=3)],
}  # fmt: skip


@pytest.mark.parametrize("name", TIED)
def test_shared_strands_score_alike_after_training(codes, name):
    model = _native.Model(TIED[name], LENGTH, 3)
    trainer = trainer_for(model, strands=_native.STRANDS_SHARED, weight_decay=0.01, l2=0.01, max_norm=2.0)
    before = model.get_parameters()
    for _ in range(5):
        trainer.run(codes, targets_of("softmax"), np.arange(ROWS), BATCH, None, 2)
    scores = model.scores(codes, 1)
    assert np.abs(model.get_parameters() - before).max() > 0.01
    assert np.abs(scores - model.scores(complement(codes), 1)).max() <= 1e-5 * np.abs(scores).max()
    # What is tied is tied to the bit.
    for array, weight in arrays_of(model, model.get_parameters()).items():
        if "conv1d" in array and array.endswith(".weight"):
            assert np.array_equal(weight, weight[::-1, ::-1, ::-1]), array


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([layer("CONV1D", units=5, width=5), layer("GLOBAL_MAX_POOL1D"), layer("DENSE", units=3)], "conv1d_0.*even"),
        (
            [layer("RESIDUAL", body_count=1, shortcut_count=1), layer("CONV1D", units=5, width=1),
             layer("DENSE", units=5), layer("GLOBAL_MAX_POOL1D"), layer("DENSE", units=3)],
            "residual_0.*even",
        ),
        (
            [layer("RESIDUAL", body_count=1, shortcut_count=1), layer("GLOBAL_MAX_POOL1D"),
             layer("GLOBAL_AVERAGE_POOL1D"), layer("DENSE", units=3)],
            "residual_0.*global_max_pool1d ends the positions",
        ),
        ([layer("LSTM", units=4), layer("GLOBAL_MAX_POOL1D"), layer("DENSE", units=3)], "lstm_0.*bidirectional"),
        ([layer("CONV1D", units=6, width=5), layer("GLOBAL_MAX_POOL1D")], "dense layer must follow"),
        (
            [layer("CONV1D", units=6, width=4, padding=1), layer("GLOBAL_MAX_POOL1D"), layer("DENSE", units=3)],
            "conv1d_0 does not read both ends",
        ),
        (
            [layer("CONV1D", units=6, width=4), layer("MAX_POOL1D", width=2, stride=2), layer("FLATTEN"),
             layer("DENSE", units=3)],
            "max_pool1d_0 does not read both ends",
        ),
    ],
)  # fmt: skip
def test_layers_that_cannot_be_tied(layers, words):
    with pytest.raises(InvalidArgumentError, match=words):
        trainer_for(_native.Model(layers, LENGTH, 3), strands=_native.STRANDS_SHARED)
