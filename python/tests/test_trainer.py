"""The engine's trainer: determinism, state, penalty and constraint, errors."""

import itertools

import numpy as np
import pytest
from trainer_cases import (
    BATCH,
    LENGTH,
    LOSSES,
    OPTIMIZERS,
    ROWS,
    arrays_of,
    draw_codes,
    layer,
    network,
    targets_of,
    trainer_for,
)

from deepmotif import _native, layers
from deepmotif.exceptions import InvalidArgumentError, ShapeError


@pytest.fixture(scope="module")
def codes():
    return draw_codes()


# ---- determinism and state ----


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("strands", [_native.STRANDS_NONE, _native.STRANDS_AVERAGE, _native.STRANDS_MAXIMUM])
def test_bytes_depend_on_neither_threads_nor_calls(codes, loss, strands):
    targets = targets_of(loss)
    results = []
    for threads, cuts in ((1, [0, ROWS]), (3, [0, ROWS]), (2, [0, 20, 40, ROWS])):
        model = _native.Model([*network()[:-1], layer("DROPOUT", rate=0.2), network()[-1]], LENGTH, 3)
        trainer = trainer_for(model, loss, strands=strands, seed=5)
        seen = [
            trainer.run(codes, targets, np.arange(start, stop), 20, None, threads)[2]
            for start, stop in itertools.pairwise(cuts)
        ]
        results.append((model.get_parameters().tobytes(), np.concatenate(seen).tobytes()))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("strands", [_native.STRANDS_NONE, _native.STRANDS_AVERAGE, _native.STRANDS_SHARED])
def test_bytes_of_residual_blocks_depend_on_neither_threads_nor_calls(codes, strands):
    branch = [layers.BatchNorm1D(), layers.ReLU(), layers.Dropout(0.3), layers.Conv1D(8, 3, padding="same")]
    block = layers.Residual([*branch, layers.Residual([layers.Tanh(), layers.BatchNorm1D()])], shortcut=branch)
    options = layers.engine_options(
        [layers.Conv1D(6, 5), block, layers.Residual(branch), layers.GlobalMaxPool1D(), layers.Dense(3)]
    )
    results = []
    for threads, cuts in ((1, [0, ROWS]), (3, [0, ROWS]), (2, [0, 20, 40, ROWS])):
        model = _native.Model(options, LENGTH, 3)
        trainer = trainer_for(model, strands=strands, seed=5)
        for start, stop in itertools.pairwise(cuts):
            trainer.run(codes, targets_of("softmax"), np.arange(start, stop), 20, None, threads)
        results.append(model.get_parameters().tobytes())
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_state_resumes_to_the_same_bytes(codes, optimizer):
    _, number, options = OPTIMIZERS[optimizer]
    targets = targets_of("softmax")

    def fresh():
        model = _native.Model(network(), LENGTH, 3)
        return model, trainer_for(model, optimizer=number, learning_rate=0.01, **options)

    model, trainer = fresh()
    trainer.run(codes, targets, np.arange(ROWS), BATCH, None, 1)
    kept, state = model.get_parameters(), trainer.get_state()
    trainer.run(codes, targets, np.arange(ROWS), BATCH, None, 1)
    other, resumed = fresh()
    other.set_parameters(kept)
    resumed.set_state(state)
    resumed.run(codes, targets, np.arange(ROWS), BATCH, None, 2)
    assert np.array_equal(model.get_parameters(), other.get_parameters())
    assert np.array_equal(trainer.get_state(), resumed.get_state())


# ---- penalty and constraint ----


def test_the_penalty_moves_matrices_only(codes):
    targets = targets_of("softmax")
    plain, penalised = (_native.Model(network(), LENGTH, 3) for _ in range(2))
    before = arrays_of(plain, plain.get_parameters())
    options = {"optimizer": _native.OPTIMIZER_SGD, "learning_rate": 0.1}
    trainer_for(plain, **options).run(codes, targets, np.arange(BATCH), BATCH, None, 1)
    trainer_for(penalised, l2=0.05, **options).run(codes, targets, np.arange(BATCH), BATCH, None, 1)
    expected, actual = (arrays_of(m, m.get_parameters()) for m in (plain, penalised))
    for name, array in actual.items():
        pull = 0.1 * 2 * 0.05 * before[name] if array.ndim > 1 else 0
        assert np.abs(array - (expected[name] - pull)).max() <= 1e-7, name


def test_the_norm_of_the_weights_into_a_unit_is_limited(codes):
    model = _native.Model(network(), LENGTH, 3)
    trainer_for(model, max_norm=0.3).run(codes, targets_of("softmax"), np.arange(ROWS), BATCH, None, 2)
    for name, array in arrays_of(model, model.get_parameters()).items():
        if array.ndim > 1:
            norms = np.sqrt((array.reshape(len(array), -1).astype(float) ** 2).sum(1))
            assert norms.max() == pytest.approx(0.3, rel=1e-6), name


# ---- what is refused ----


@pytest.mark.parametrize(
    ("loss", "value", "words"),
    [
        ("flags", 2, "0, 1 or 255.*got 2 in row 3, column 1"),
        ("fractions", 1.5, r"in \[0, 1\] or NaN; got 1.5 in row 3, column 1"),
        ("mse", np.inf, "finite or NaN; got inf in row 3, column 1"),
        ("poisson", -1, "not negative.*got -1.0 in row 3, column 1"),
        ("correlation", -np.inf, "finite or NaN; got -inf in row 3, column 1"),
    ],
)
def test_bad_targets_are_named(codes, loss, value, words):
    model = _native.Model(network(), LENGTH, 3)
    targets = targets_of(loss)
    targets[3, 1] = value
    before = model.get_parameters()
    with pytest.raises(InvalidArgumentError, match=words):
        trainer_for(model, loss).run(codes, targets, np.arange(ROWS), BATCH, None, 1)
    assert np.array_equal(before, model.get_parameters())


def test_targets_of_another_form(codes):
    model = _native.Model(network(), LENGTH, 3)
    rows = np.arange(ROWS)
    with pytest.raises(InvalidArgumentError, match=r"labels for softmax.*got values for output 0"):
        trainer_for(model).run(codes, targets_of("mse"), rows, BATCH, None, 1)
    with pytest.raises(ShapeError, match="3 columns, one a score; got 2"):
        trainer_for(model, "mse").run(codes, targets_of("mse")[:, :2].copy(), rows, BATCH, None, 1)
    with pytest.raises(TypeError, match="targets must have one entry a sequence"):
        trainer_for(model, "mse").run(codes, targets_of("mse")[:5], rows, BATCH, None, 1)
    with pytest.raises(InvalidArgumentError, match="class weights must be null for a linear output"):
        trainer_for(model, "mse").run(codes, targets_of("mse"), rows, BATCH, np.ones(3, dtype=np.float32), 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer": 9}, "optimizer"),
        ({"loss": _native.LOSS_POISSON}, "linear"),
        ({"strands": 4}, "strands"),
        ({"momentum": 1.0}, "momentum"),
        ({"rho": float("nan")}, "rho"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"l2": float("inf")}, "l2"),
        ({"max_norm": -1.0}, "max_norm"),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(InvalidArgumentError, match=words):
        _native.Trainer(_native.Model(network(), LENGTH, 3), **options)


def test_a_batch_of_one_value_takes_the_running_statistics(codes):
    model = _native.Model(network(), LENGTH, 3)
    trainer = trainer_for(model, learning_rate=0.01)
    before = arrays_of(model, model.get_parameters())
    _, _, scores = trainer.run(codes, targets_of("softmax"), np.arange(1), 1, None, 1)
    after = arrays_of(model, model.get_parameters())
    assert np.isfinite(scores).all()
    assert np.array_equal(before["batch_norm1d_1.running_mean"], after["batch_norm1d_1.running_mean"])
    assert not np.array_equal(before["batch_norm1d_0.running_mean"], after["batch_norm1d_0.running_mean"])


def test_tasks_without_variation_leave_the_correlation_alone(codes):
    targets = targets_of("correlation")
    targets[:, 0] = np.nan
    targets[:, 1] = 4
    model = _native.Model(network(norm=False), LENGTH, 3)
    total, weight, scores = trainer_for(model, "correlation").run(codes, targets, np.arange(ROWS), ROWS, None, 1)
    known = ~np.isnan(targets[:, 2])
    expected = 1 - np.corrcoef(scores[known, 2], targets[known, 2])[0, 1]
    assert weight == 1
    assert total == pytest.approx(expected, rel=1e-5)
