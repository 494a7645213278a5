"""The engine's trainer: every optimizer, loss and option against PyTorch, ties of the strands, errors.

The bar is 1e-5 of the largest element of an array, for the reasons that test_parity.py gives.
"""

import itertools

import numpy as np
import pytest

from deepmotif import _native
from deepmotif.exceptions import InvalidArgumentError, ShapeError

LENGTH, ROWS, BATCH = 24, 60, 20
TOLERANCE = 1e-5
OPTIMIZERS = {
    "adam": ("Adam", _native.OPTIMIZER_ADAM, {}),
    "adam decayed": ("Adam", _native.OPTIMIZER_ADAM, {"weight_decay": 0.1}),
    "adamw": ("AdamW", _native.OPTIMIZER_ADAMW, {"weight_decay": 0.1}),
    "sgd": ("SGD", _native.OPTIMIZER_SGD, {"weight_decay": 0.1}),
    "sgd momentum": ("SGD", _native.OPTIMIZER_SGD, {"momentum": 0.9}),
    "rmsprop": ("RMSprop", _native.OPTIMIZER_RMSPROP, {"weight_decay": 0.1}),
    "rmsprop momentum": ("RMSprop", _native.OPTIMIZER_RMSPROP, {"momentum": 0.5}),
    "adadelta": ("Adadelta", _native.OPTIMIZER_ADADELTA, {"weight_decay": 0.1}),
}
LOSSES = {
    "softmax": (_native.OUTPUT_SOFTMAX, _native.LOSS_DEFAULT),
    "flags": (_native.OUTPUT_SIGMOID, _native.LOSS_DEFAULT),
    "fractions": (_native.OUTPUT_SIGMOID, _native.LOSS_DEFAULT),
    "mse": (_native.OUTPUT_LINEAR, _native.LOSS_MSE),
    "poisson": (_native.OUTPUT_LINEAR, _native.LOSS_POISSON),
    "correlation": (_native.OUTPUT_LINEAR, _native.LOSS_CORRELATION),
}
KIND = {
    name: getattr(_native, f"LAYER_{name}")
    for name in ("CONV1D", "BATCH_NORM1D", "TANH", "MAX_POOL1D", "GLOBAL_AVERAGE_POOL1D", "FLATTEN", "DENSE", "LSTM",
                 "GLOBAL_MAX_POOL1D", "RELU", "DROPOUT")
}  # fmt: skip


def layer(name, **options):
    return {"kind": KIND[name], **options}


def network(norm=True):
    """Convolution, normalisation, tanh, pool, flatten, dense (normalised as well), dense to three scores."""
    norms = [layer("BATCH_NORM1D", momentum=0.2)] if norm else []
    layers = [layer("CONV1D", units=6, width=5), *norms, layer("TANH"), layer("MAX_POOL1D", width=2, stride=2)]
    layers += [layer("FLATTEN"), layer("DENSE", units=8), *norms, layer("TANH"), layer("DENSE", units=3)]
    return layers


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).integers(0, 4, (ROWS, LENGTH), dtype=np.uint8)


def targets_of(name):
    draw = np.random.default_rng(2)
    if name == "softmax":
        return draw.integers(0, 3, ROWS, dtype=np.int32)
    if name == "flags":
        flags = draw.integers(0, 2, (ROWS, 3), dtype=np.uint8)
        flags[draw.random((ROWS, 3)) < 0.3] = 255
        return flags
    values = draw.random((ROWS, 3), dtype=np.float32)
    if name == "poisson":
        values = draw.poisson(2.0, (ROWS, 3)).astype(np.float32)
    values[draw.random((ROWS, 3)) < 0.2] = np.nan
    return values


def trainer_for(model, loss="softmax", **options):
    output, number = LOSSES[loss]
    return _native.Trainer(model, output=output, loss=number, gradient_clip=0.0, **options)


def torch_network(torch, model, norm):
    nn = torch.nn
    norms = ([nn.BatchNorm1d(6, momentum=0.2)], [nn.BatchNorm1d(8, momentum=0.2)]) if norm else ([], [])
    modules = [nn.Conv1d(4, 6, 5), *norms[0], nn.Tanh(), nn.MaxPool1d(2)]
    # Flatten by positions, as the engine.
    modules += [nn.Unflatten(2, (10, 1)), Transposed(torch), nn.Flatten(), nn.Linear(60, 8), *norms[1], nn.Tanh()]
    twin = nn.Sequential(*modules, nn.Linear(8, 3))
    copy_from(torch, twin, model)
    return twin.train()


def Transposed(torch):
    class Module(torch.nn.Module):
        def forward(self, x):
            return x[..., 0].transpose(1, 2)

    return Module()


def engine_arrays(twin):
    """The tensors in the engine's order: parameters and, behind those of a normalisation, its running statistics."""
    return [value for key, value in twin.state_dict().items() if not key.endswith("num_batches_tracked")]


def copy_from(torch, twin, model):
    flat = torch.from_numpy(model.get_parameters())
    start = 0
    with torch.no_grad():
        for value in engine_arrays(twin):
            value.copy_(flat[start : start + value.numel()].reshape(value.shape))
            start += value.numel()


def torch_loss(torch, name, scores, targets, weights):
    functions = torch.nn.functional
    if name == "softmax":
        return functions.cross_entropy(scores, torch.from_numpy(targets).long(), weight=weights)
    present = torch.from_numpy((targets != 255) & ~np.isnan(targets.astype(np.float32)))
    wanted = torch.from_numpy(np.where(present, targets, 0).astype(np.float32))
    if name in ("flags", "fractions"):
        every = functions.binary_cross_entropy_with_logits(scores, wanted, reduction="none", pos_weight=weights)
        return every[present].mean()
    if name == "mse":
        return functions.mse_loss(scores[present], wanted[present])
    if name == "poisson":
        return functions.poisson_nll_loss(scores[present], wanted[present], log_input=True, full=False)
    losses = []
    for task in range(3):
        rows = present[:, task]
        losses.append(1 - torch.corrcoef(torch.stack([scores[rows, task], wanted[rows, task]]))[0, 1])
    return torch.stack(losses).mean()


def assert_parameters(model, twin):
    flat = model.get_parameters()
    start = 0
    for (name, shape), expected in zip(model.parameter_info, engine_arrays(twin), strict=True):
        actual = flat[start : start + expected.numel()].reshape(shape)
        start += expected.numel()
        wanted = expected.detach().numpy()
        error = np.abs(actual - wanted).max() / np.abs(wanted).max()
        assert error <= TOLERANCE, f"{name}: relative error {error:.1e}"


def compare(torch, codes, optimizer, loss, norm, steps, weights=None):
    # Its threads wait for each other actively, which on a busy machine takes most of the time.
    torch.set_num_threads(1)
    model = _native.Model(network(norm), LENGTH, 3)
    twin = torch_network(torch, model, norm)
    kind, number, options = OPTIMIZERS[optimizer]
    # Large steps, so that ten of them change the network; the rules that divide by the gradient take small ones.
    rate = 0.002 if kind in ("Adam", "AdamW", "RMSprop") else 0.05
    own = options
    if norm and kind in ("Adam", "AdamW", "RMSprop"):
        # A bias in front of a normalisation has gradient 0 but for rounding, which a rule must not blow up.
        options, own = options | {"eps": 1e-3}, options | {"epsilon": 1e-3}
    rule = getattr(torch.optim, kind)(twin.parameters(), lr=rate, **options)
    trainer = trainer_for(model, loss, optimizer=number, learning_rate=rate, **own)
    targets = targets_of(loss)
    letters = torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy())
    for step in range(steps):
        rows = np.arange(BATCH) + step * BATCH % ROWS
        value = torch_loss(torch, loss, twin(letters[rows]), targets[rows], weights)
        rule.zero_grad()
        value.backward()
        rule.step()
        total, weight, _ = trainer.run(codes, targets, rows, BATCH, None if weights is None else weights.numpy(), 2)
        assert total / weight == pytest.approx(float(value.detach()), rel=TOLERANCE)
    assert_parameters(model, twin)


@pytest.mark.parametrize("steps", [1, 10])
@pytest.mark.parametrize("norm", [False, True], ids=["plain", "norm"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_equal_pytorch(codes, optimizer, norm, steps):
    compare(pytest.importorskip("torch"), codes, optimizer, "softmax", norm, steps)


@pytest.mark.parametrize("norm", [False, True], ids=["plain", "norm"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_equal_pytorch(codes, loss, norm):
    compare(pytest.importorskip("torch"), codes, "sgd momentum", loss, norm, 10)


@pytest.mark.parametrize("loss", ["softmax", "flags"])
def test_class_weights_equal_pytorch(codes, loss):
    torch = pytest.importorskip("torch")
    compare(torch, codes, "sgd", loss, False, 3, weights=torch.tensor([0.5, 2.0, 1.0]))


def test_evaluation_of_a_normalised_network_equals_pytorch(codes):
    torch = pytest.importorskip("torch")
    model = _native.Model(network(), LENGTH, 3)
    targets = targets_of("softmax")
    trainer_for(model).run(codes, targets, np.arange(ROWS), BATCH, None, 1)
    twin = torch_network(torch, model, True).eval()
    letters = torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy())
    scores = twin(letters)
    torch_loss(torch, "softmax", scores, targets, None).backward()
    wanted = scores.detach().numpy()
    assert np.abs(model.scores(codes, 1) - wanted).max() <= TOLERANCE * np.abs(wanted).max()
    flat = trainer_for(model).gradient(codes, targets, None, 2)
    start = 0
    gradients = [p.grad.numpy() for p in twin.parameters()]
    for name, shape in model.parameter_info:
        size = int(np.prod(shape))
        part = flat[start : start + size].reshape(shape)
        start += size
        expected = np.zeros(shape) if "running" in name else gradients.pop(0)
        assert np.abs(part - expected).max() <= TOLERANCE * max(np.abs(expected).max(), 1e-3), name


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


def arrays_of(model, flat):
    sizes = [int(np.prod(shape)) for _, shape in model.parameter_info]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(model.parameter_info, parts, strict=True)}


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


# ---- strands ----


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
    weight = arrays_of(model, model.get_parameters()).get("conv1d_0.weight")
    assert weight is None or np.array_equal(weight, weight[::-1, ::-1, ::-1])


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([layer("CONV1D", units=5, width=5), layer("GLOBAL_MAX_POOL1D"), layer("DENSE", units=3)], "conv1d_0.*even"),
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
