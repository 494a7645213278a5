"""Random networks over all layers against PyTorch in double precision, on the same arrays.

The bar is 1e-5 of the largest element: float32 sums of some dozens of products, over at most a dozen layers.
"""

import numpy as np
import pytest
from random_layers import random_network

from deepmotif import _native, layers

torch = pytest.importorskip("torch")

torch.set_num_threads(1)

TOLERANCE = 1e-5


def assert_close(actual, expected, what):
    expected = expected.detach().numpy()
    assert actual.shape == expected.shape, what
    error = np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-3)
    assert error <= TOLERANCE, f"{what}: relative error {error:.1e}"


def tensors(engine):
    flat = torch.from_numpy(engine.get_parameters()).double()
    sizes = [int(np.prod(shape)) for _, shape in engine.parameter_info]
    parts = flat.split(sizes)
    return {name: part.reshape(shape) for (name, shape), part in zip(engine.parameter_info, parts, strict=True)}


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_equal_pytorch(seed):
    from torch_layers import evaluate

    network, length = random_network(seed)
    engine = _native.Model(layers.engine_options(network), length, seed)
    rng = np.random.default_rng(seed)
    arrays = {name: array.requires_grad_() for name, array in tensors(engine).items()}
    soft = rng.random((5, length, 4), dtype=np.float32)
    x = torch.from_numpy(soft).double().requires_grad_()
    scores = evaluate(network, arrays, x)[:, 0]
    assert_close(engine.scores(soft, 1), scores, f"scores of {network}")
    (gradient,) = torch.autograd.grad(scores[:, 1].sum(), x, retain_graph=True)
    actual = engine.input_gradient(soft, 1, _native.TARGET_SCORE, _native.OUTPUT_SOFTMAX, 0, 2)
    assert_close(actual, gradient, f"input gradient of {network}")

    codes = rng.integers(0, 5, (4, length), dtype=np.uint8)
    letters = torch.from_numpy(np.eye(5, 4)[codes])
    assert_close(engine.scores(codes, 2), evaluate(network, arrays, letters)[:, 0], f"scores of codes of {network}")

    labels = rng.integers(0, 3, 5).astype(np.int32)
    loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels).long())
    wanted = torch.autograd.grad(loss, list(arrays.values()))
    trainer = _native.Trainer(
        engine, output=_native.OUTPUT_SOFTMAX, optimizer=_native.OPTIMIZER_ADAM, learning_rate=0.01, beta1=0.9,
        beta2=0.999, epsilon=1e-8, gradient_clip=5.0, seed=0,
    )  # fmt: skip
    gradient = torch.cat([array.flatten() for array in wanted])
    assert_close(trainer.gradient(soft, labels, None, 1), gradient, f"parameter gradient of {network}")
