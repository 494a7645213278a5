"""The engine against PyTorch on the same weights: scores, gradients, steps of the optimizer.

The bar is 1e-5 of the largest element of an array: float32 sums of up to 640 products in two different orders differ by
about sqrt(640) x 6e-8 = 1.5e-6 of their size, and there are up to four layers of them.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import deepmotif as dm
from deepmotif import _native

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-5
ESTIMATORS = {"cnn": dm.CNN, "rnn": dm.RNN, "cnn-rnn": dm.CNNRNN}
STORED_SIZES = {
    "cnn": {"filters": 6, "kernel_sizes": (9, 5, 3)},
    "rnn": {"hidden": 5, "layers": 2},
    "cnn-rnn": {"filters": 6, "kernel_size": 5, "hidden": 5},
}
STEPS, CLIP, LEARNING_RATE = 10, 0.02, 0.01
CLASS_WEIGHTS = np.array([0.5, 2.0], dtype=np.float32)


def assert_close(actual, expected, what):
    assert actual.shape == expected.shape, what
    largest = np.abs(expected).max()
    assert largest > 0, what
    error = np.abs(actual - expected).max() / largest
    assert error <= TOLERANCE, f"{what}: relative error {error:.1e}"


def new_trainer(engine, clip=5.0):
    return _native.Trainer(
        engine,
        output=_native.OUTPUT_SOFTMAX,
        optimizer=_native.OPTIMIZER_ADAM,
        learning_rate=LEARNING_RATE,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        gradient_clip=clip,
        seed=0,
    )


def by_name(model, flat):
    sizes = [int(np.prod(shape)) for _, shape in model._engine.parameter_info]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(model._engine.parameter_info, parts, strict=True)}


@pytest.fixture(params=ESTIMATORS)
def stored(request):
    values = load_file(HERE / "fixtures" / f"parity_{request.param}.safetensors")
    weights = {name.removeprefix("weights/"): array for name, array in values.items() if name.startswith("weights/")}
    sizes = STORED_SIZES[request.param]
    model = ESTIMATORS[request.param](dropout=0.0, **sizes).build(values["codes"].shape[1], 2).set_weights(weights)
    return model, values


def test_stored_scores(stored):
    model, values = stored
    assert_close(model.scores(values["codes"]), values["scores"], "scores")


def test_stored_input_gradient(stored):
    model, values = stored
    engine = model._engine
    gradient = engine.input_gradient(values["codes"], 1, _native.TARGET_SCORE, model._output, 0, 2)
    assert_close(gradient, values["input_gradient"], "input gradient")


def test_stored_parameter_gradients(stored):
    model, values = stored
    flat = new_trainer(model._engine).gradient(values["codes"], values["labels"], CLASS_WEIGHTS, 2)
    for name, gradient in by_name(model, flat).items():
        assert_close(gradient, values[f"gradient/{name}"], name)


def test_stored_steps_of_adam(stored):
    model, values = stored
    trainer = new_trainer(model._engine, CLIP)
    rows = len(values["codes"])
    for step in range(STEPS):
        batch = np.arange(step, step + rows // 2) % rows
        trainer.run(values["codes"], values["labels"], batch, rows // 2, CLASS_WEIGHTS, 1)
    for name, array in model.weights_.items():
        assert_close(array, values[f"trained/{name}"], name)


# ---- at full size, where PyTorch is installed ----


@pytest.fixture(scope="module")
def twins():
    pytest.importorskip("torch")
    sys.path.insert(0, str(HERE.parent / "benchmarks"))
    try:
        import pytorch_twins
    finally:
        sys.path.pop(0)
    return pytorch_twins


@pytest.fixture(params=[(kind, length) for kind in ESTIMATORS for length in (101, 60)], ids=str)
def pair(request, twins):
    kind, length = request.param
    random = np.random.default_rng(length)
    codes = random.integers(0, 5, (70, length)).astype(np.uint8)
    labels = random.integers(0, 2, 70).astype(np.int32)
    model = ESTIMATORS[kind](dropout=0.0, random_state=4).build(length, 2)
    return model, twins.set_weights(twins.TWINS[kind](dropout=0.0), model.weights_), codes, labels


def test_scores_and_gradients(pair, twins):
    import torch

    model, twin, codes, labels = pair
    x = twins.letters(codes).requires_grad_(True)
    output = twin(x)
    assert_close(model.scores(codes), output.detach().numpy(), "scores of codes")
    assert_close(model.scores(x.detach().numpy()), output.detach().numpy(), "scores of letters")
    (expected,) = torch.autograd.grad(output[:, 0].sum(), x, retain_graph=True)
    gradient = model._engine.input_gradient(codes, 0, _native.TARGET_SCORE, model._output, 0, 2)
    assert_close(gradient, expected.numpy(), "input gradient")
    named = twins.named_parameters(twin)
    loss = torch.nn.functional.cross_entropy(output, torch.from_numpy(labels).long())
    expected = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    flat = new_trainer(model._engine).gradient(codes, labels, None, 2)
    for name, values in by_name(model, flat).items():
        assert_close(values, expected[name].numpy(), name)


def test_loss_of_one_step(pair, twins):
    import torch

    model, twin, codes, labels = pair
    expected = torch.nn.functional.cross_entropy(twin(twins.letters(codes)), torch.from_numpy(labels).long()).item()
    rows = np.arange(len(codes))
    loss, weight, scores = new_trainer(model._engine).run(codes, labels, rows, len(codes), None, 1)
    assert weight == len(codes)
    # One float32 loss against another, each from scores that agree to TOLERANCE.
    assert loss / weight == pytest.approx(expected, rel=TOLERANCE)
    assert_close(scores, twin(twins.letters(codes)).detach().numpy(), "scores that training saw")


def test_soft_letters(twins):
    random = np.random.default_rng(2)
    x = random.normal(size=(5, 101, 4)).astype(np.float32)
    import torch

    for kind, estimator in ESTIMATORS.items():
        model = estimator(random_state=1).build(101, 2)
        twin = twins.set_weights(twins.TWINS[kind](), model.weights_).eval()
        with torch.inference_mode():
            assert_close(model.scores(x), twin(torch.from_numpy(x)).numpy(), kind)


def test_fixtures_are_what_the_script_makes(twins):
    sys.path.insert(0, str(HERE))
    try:
        import make_fixtures
    finally:
        sys.path.pop(0)
    assert make_fixtures.SIZES == STORED_SIZES
    assert (make_fixtures.STEPS, make_fixtures.CLIP, make_fixtures.LEARNING_RATE) == (STEPS, CLIP, LEARNING_RATE)
    np.testing.assert_array_equal(make_fixtures.CLASS_WEIGHTS, CLASS_WEIGHTS)
