"""The engine's trainer against PyTorch: every optimizer, loss and option, normalisations inside of residual blocks.

The bar is 1e-5 of the largest element of an array, for the reasons that test_parity.py gives.
"""

import numpy as np
import pytest
from trainer_cases import BATCH, LENGTH, LOSSES, OPTIMIZERS, ROWS, draw_codes, network, targets_of, trainer_for

from deepmotif import _native, layers

torch = pytest.importorskip("torch")

# Its threads wait for each other actively, which on a busy machine takes most of the time.
torch.set_num_threads(1)

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def codes():
    return draw_codes()


def torch_network(model, norm):
    nn = torch.nn
    norms = ([nn.BatchNorm1d(6, momentum=0.2)], [nn.BatchNorm1d(8, momentum=0.2)]) if norm else ([], [])
    modules = [nn.Conv1d(4, 6, 5), *norms[0], nn.Tanh(), nn.MaxPool1d(2)]
    # Flatten by positions, as the engine.
    modules += [nn.Unflatten(2, (10, 1)), Transposed(), nn.Flatten(), nn.Linear(60, 8), *norms[1], nn.Tanh()]
    twin = nn.Sequential(*modules, nn.Linear(8, 3))
    copy_from(twin, model)
    return twin.train()


class Transposed(torch.nn.Module):
    def forward(self, x):
        return x[..., 0].transpose(1, 2)


def engine_arrays(twin):
    """The tensors in the engine's order: parameters and, behind those of a normalisation, its running statistics."""
    return [value for key, value in twin.state_dict().items() if not key.endswith("num_batches_tracked")]


def copy_from(twin, model):
    flat = torch.from_numpy(model.get_parameters())
    start = 0
    with torch.no_grad():
        for value in engine_arrays(twin):
            value.copy_(flat[start : start + value.numel()].reshape(value.shape))
            start += value.numel()


def torch_loss(name, scores, targets, weights):
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
        wanted = expected.detach().numpy().reshape(shape)
        error = np.abs(actual - wanted).max() / np.abs(wanted).max()
        assert error <= TOLERANCE, f"{name}: relative error {error:.1e}"


def compare(codes, optimizer, loss, norm, steps, weights=None):
    model = _native.Model(network(norm), LENGTH, 3)
    train_both(model, torch_network(model, norm), codes, optimizer, loss, norm, steps, weights)


def letters_of(codes):
    return torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy())


def train_both(model, twin, codes, optimizer, loss, norm, steps, weights=None):
    """Takes steps with both and compares the losses and, at the end, parameters and running statistics."""
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
    letters = letters_of(codes)
    for step in range(steps):
        rows = np.arange(BATCH) + step * BATCH % ROWS
        value = torch_loss(loss, twin(letters[rows]), targets[rows], weights)
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
    compare(codes, optimizer, "softmax", norm, steps)


@pytest.mark.parametrize("norm", [False, True], ids=["plain", "norm"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_equal_pytorch(codes, loss, norm):
    compare(codes, "sgd momentum", loss, norm, 10)


@pytest.mark.parametrize("loss", ["softmax", "flags"])
def test_class_weights_equal_pytorch(codes, loss):
    compare(codes, "sgd", loss, False, 3, weights=torch.tensor([0.5, 2.0, 1.0]))


def test_evaluation_of_a_normalised_network_equals_pytorch(codes):
    model = _native.Model(network(), LENGTH, 3)
    targets = targets_of("softmax")
    trainer_for(model).run(codes, targets, np.arange(ROWS), BATCH, None, 1)
    twin = torch_network(model, True).eval()
    scores = twin(letters_of(codes))
    torch_loss("softmax", scores, targets, None).backward()
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


# ---- residual blocks ----

#: An entrance, a plain block, and one with a block inside of its body that halves the positions.
RESNET = [
    layers.Conv1D(6, 5), layers.BatchNorm1D(), layers.ReLU(),
    layers.Residual([
        layers.Conv1D(6, 3, padding="same"), layers.BatchNorm1D(momentum=0.3), layers.ReLU(),
        layers.Conv1D(6, 3, padding="same"), layers.BatchNorm1D(),
    ]),
    layers.ReLU(),
    layers.Residual(
        [
            layers.Conv1D(8, 3, padding=(1, 1), stride=2), layers.BatchNorm1D(), layers.ReLU(),
            layers.Residual([layers.Tanh(), layers.BatchNorm1D(epsilon=0.01), layers.Dense(8)]),
            layers.Conv1D(8, 3, padding="same"), layers.BatchNorm1D(),
        ],
        shortcut=[layers.Conv1D(8, 1, stride=2, bias=False), layers.BatchNorm1D()],
    ),
    layers.ReLU(), layers.GlobalAveragePool1D(), layers.Dense(3),
]  # fmt: skip


class Block(torch.nn.Module):
    def __init__(self, body, shortcut=()):
        super().__init__()
        self.body = torch.nn.Sequential(*body)
        self.shortcut = torch.nn.Sequential(*shortcut)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def torch_resnet(model):
    nn = torch.nn
    twin = nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.BatchNorm1d(6), nn.ReLU(),
        Block([
            nn.Conv1d(6, 6, 3, padding=1), nn.BatchNorm1d(6, momentum=0.3), nn.ReLU(), nn.Conv1d(6, 6, 3, padding=1),
            nn.BatchNorm1d(6),
        ]),
        nn.ReLU(),
        Block(
            [
                nn.Conv1d(6, 8, 3, padding=1, stride=2), nn.BatchNorm1d(8), nn.ReLU(),
                Block([nn.Tanh(), nn.BatchNorm1d(8, eps=0.01), nn.Conv1d(8, 8, 1)]),
                nn.Conv1d(8, 8, 3, padding=1), nn.BatchNorm1d(8),
            ],
            [nn.Conv1d(6, 8, 1, stride=2, bias=False), nn.BatchNorm1d(8)],
        ),
        nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    copy_from(twin, model)
    return twin.train()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_residual_blocks_with_normalisations_equal_pytorch(codes, optimizer):
    model = _native.Model(layers.engine_options(RESNET), LENGTH, 3)
    assert "residual_1.shortcut.batch_norm1d_0.running_var" in dict(model.parameter_info)
    twin = torch_resnet(model)
    train_both(model, twin, codes, optimizer, "softmax", True, 10)
    scores = twin.eval()(letters_of(codes)).detach().numpy()
    assert np.abs(model.scores(codes, 1) - scores).max() <= TOLERANCE * np.abs(scores).max()
