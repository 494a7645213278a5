"""Import from PyTorch: modules written in the ways people write them; what cannot be imported is named."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import layers as kinds

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional

LENGTH = 30


def letters(count: int = 5, length: int = LENGTH) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(4), (count, length)).astype(np.float32)


def check(module: Any, *, length: int | None = None, n: int = LENGTH, **options: Any) -> dm.Network:
    """Imports a module and compares scores and input gradients with its own."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3 if parameter.ndim > 1 else 0.2)
    for name, buffer in module.named_buffers():
        if name.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 2)
    module.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = dm.from_torch(module, length=length, **options)
    X = letters(length=n)
    x = torch.tensor(X.transpose(0, 2, 1).copy(), requires_grad=True)
    scores = module(x)
    np.testing.assert_allclose(model.scores(X), scores.detach().numpy(), rtol=1e-5, atol=1e-5)
    scores[:, 0].sum().backward()
    gradient = x.grad.numpy().transpose(0, 2, 1)
    np.testing.assert_allclose(dm.input_gradients(model, X, target=0), gradient, rtol=1e-4, atol=1e-5)
    return model


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 5, padding="same")
        self.norm = nn.BatchNorm1d(6)
        self.conv2 = nn.Conv1d(6, 5, 3, dilation=2, bias=False)
        self.out = nn.Linear(5 * 13, 2)

    def forward(self, x):  # type: ignore[no-untyped-def]
        x = F.relu(self.norm(self.conv(x)))
        x = F.max_pool1d(x, 2)
        x = torch.tanh(self.conv2(F.pad(x, (1, 1))))
        x = F.dropout(x, 0.2, training=self.training)
        return self.out(x.view(x.size(0), -1))


class Recurrent(nn.Module):
    def __init__(self, kind: str, last: str) -> None:
        super().__init__()
        self.last = last
        self.rnn = getattr(nn, kind)(4, 5, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        self.out = nn.Linear(10, 3)

    def forward(self, x):  # type: ignore[no-untyped-def]
        outputs, state = self.rnn(x.permute(0, 2, 1))
        if self.last == "mean":
            return self.out(outputs.mean(dim=1))
        if isinstance(self.rnn, nn.LSTM):
            state = state[0]
        return self.out(torch.cat([state[-2], state[-1]], dim=1))


class ShortcutNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 6, 3, padding=1)
        self.a = nn.Conv1d(6, 6, 3, padding=1)
        self.b = nn.Conv1d(6, 6, 3, padding=1)
        self.side = nn.Conv1d(6, 6, 1)
        self.out = nn.Linear(12, 2)

    def forward(self, x):  # type: ignore[no-untyped-def]
        x = self.first(x)
        x = x + self.b(F.relu(self.a(x)))
        x = self.side(x) + F.gelu(self.a(x))
        pooled = torch.cat([x.max(dim=-1)[0], x.mean(-1)], dim=1)
        return self.out(F.elu(pooled))


class Image(nn.Module):
    """Sequences as images of one channel, four rows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, (4, 7), padding=(0, 3))
        self.out = nn.Linear(8 * 15, 1)

    def forward(self, x):  # type: ignore[no-untyped-def]
        x = F.max_pool2d(F.leaky_relu(self.conv(x.unsqueeze(1)), 0.1), (1, 2))
        return self.out(torch.flatten(x, 1))


class LastState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 5)
        self.out = nn.Linear(5, 2)

    def forward(self, x):  # type: ignore[no-untyped-def]
        outputs, _ = self.rnn(x.permute(2, 0, 1))
        return self.out(outputs[-1])


def sequential() -> Any:
    return nn.Sequential(
        nn.Conv1d(4, 8, 5, padding=2), nn.ReLU(), nn.MaxPool1d(3, ceil_mode=True), nn.Dropout(0.5),
        nn.Conv1d(8, 6, 3, stride=2, groups=2), nn.AvgPool1d(2, padding=1), nn.Flatten(), nn.Linear(18, 7),
        nn.Sigmoid(), nn.Linear(7, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    "module",
    [
        Functional, ShortcutNetwork, Image, LastState, lambda: Recurrent("LSTM", "mean"),
        lambda: Recurrent("GRU", "mean"), lambda: Recurrent("LSTM", "state"), lambda: Recurrent("GRU", "state"),
    ],
)  # fmt: skip
def test_modules_give_the_same_scores_and_gradients(module: Any) -> None:
    check(module(), length=LENGTH)


def test_sequential_finds_its_length() -> None:
    with pytest.raises(dm.InvalidArgumentError, match=r"several lengths from \d+ on: pass length="):
        dm.from_torch(sequential())
    model = check(sequential(), length=LENGTH)
    assert [type(layer).__name__ for layer in model.layers][:4] == ["Conv1D", "ReLU", "MaxPool1D", "Dropout"]
    network = nn.Sequential(nn.Conv1d(4, 3, 5), nn.Flatten(), nn.Linear(3 * 26, 2))
    assert check(network).length_ == LENGTH


def test_flattened_features_keep_the_order_of_the_framework() -> None:
    model = check(nn.Sequential(nn.Conv1d(4, 3, 5), nn.Flatten(), nn.Linear(3 * 26, 2)))
    assert kinds.Flatten("channels") in model.layers


def test_output_functions() -> None:
    module = nn.Sequential(nn.Conv1d(4, 3, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(3, 2), nn.Sigmoid())
    kept = dm.from_torch(module)
    assert isinstance(kept.layers[-1], kinds.Sigmoid)
    model = dm.from_torch(module, output="sigmoid")
    assert isinstance(model.layers[-1], kinds.Dense)
    np.testing.assert_allclose(model.predict_proba(letters()), kept.scores(letters()), rtol=1e-5)
    with pytest.raises(dm.InvalidArgumentError, match="output must be"):
        dm.from_torch(module, output="logits")


def test_everything_that_cannot_be_imported_is_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose1d(4, 4, 3)
            self.act = nn.PReLU()
            self.out = nn.Linear(4, 2)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.out(torch.cumsum(self.act(self.up(x)), 2).mean(2))

    with pytest.raises(dm.InvalidArgumentError, match=r"up \(ConvTranspose1d\).*act \(PReLU\).*cumsum"):
        dm.from_torch(Odd())


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (nn.Sequential(nn.Conv1d(4, 3, 5), nn.AdaptiveMaxPool1d(3), nn.Flatten(), nn.Linear(9, 1)), "more than one"),
        (nn.Sequential(nn.Conv1d(4, 3, 5, padding=2, padding_mode="circular")), "padding_mode"),
        (nn.Sequential(nn.Conv1d(5, 3, 5)), "weights are for 5 channels"),
        (nn.Sequential(nn.Conv1d(4, 3, 5)), "one vector of scores"),
        (nn.Sequential(nn.Linear(4, 3)), "another axis than the channels"),
    ],
)
def test_reasons(module: Any, reason: str) -> None:
    with pytest.raises(dm.InvalidArgumentError, match=reason):
        dm.from_torch(module, length=LENGTH)


def test_no_module_no_file() -> None:
    with pytest.raises(dm.InvalidArgumentError, match=r"torch\.nn\.Module or a state dict; got int"):
        dm.from_torch(3)
    with pytest.raises(dm.FileFormatError, match="may hold pickles"):
        dm.from_torch("model.pt")


def test_a_module_that_answers_otherwise_than_its_layers_is_a_warning() -> None:
    class Training(nn.Module):
        """Traced as it is in evaluation, run as something else."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(4, 2, 3)
            self.calls = 0

        def forward(self, x):  # type: ignore[no-untyped-def]
            self.calls += 1
            x = self.conv(x)
            return (x if self.calls == 1 else x.exp()).amax(2)

    with pytest.warns(UserWarning, match="differs from the module by"):
        dm.from_torch(Training())


def test_state_dict_with_layers() -> None:
    module = nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(3, 2))
    layers = [kinds.Conv1D(3, 5), kinds.ReLU(), kinds.GlobalMaxPool1D(), kinds.Dense(2)]
    model = dm.from_torch(module.state_dict(), layers=layers, output="softmax")
    expected = module(torch.tensor(letters().transpose(0, 2, 1).copy())).detach().numpy()
    np.testing.assert_allclose(model.scores(letters()), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(dm.InvalidArgumentError, match=r"0\.weight of shape \(3, 4, 5\) does not fit conv1d_0\.weight"):
        dm.from_torch(module.state_dict(), layers=[kinds.Conv1D(4, 5), *layers[1:]])
    with pytest.raises(dm.InvalidArgumentError, match="more than the layers need"):
        dm.from_torch(module.state_dict() | {"more": torch.zeros(2)}, layers=layers)
    with pytest.raises(dm.InvalidArgumentError, match="no architecture"):
        dm.from_torch(module.state_dict())


def test_state_dict_of_an_lstm() -> None:
    rnn, out = nn.LSTM(4, 3, bidirectional=True, batch_first=True), nn.Linear(6, 2)
    state = {f"rnn.{key}": value for key, value in rnn.state_dict().items()} | dict(out.state_dict(prefix="out."))
    layers = [kinds.LSTM(3, bidirectional=True), kinds.GlobalAveragePool1D(), kinds.Dense(2)]
    model = dm.from_torch(state, layers=layers)
    expected = out(rnn(torch.tensor(letters()))[0].mean(1)).detach().numpy()
    np.testing.assert_allclose(model.scores(letters()), expected, rtol=1e-5, atol=1e-6)


def test_parameters_that_belong_to_no_module() -> None:
    class Convolution(nn.Conv1d):
        """A class of one's own is traced into."""

        def forward(self, x):  # type: ignore[no-untyped-def]
            return F.conv1d(x, self.weight, self.bias, padding="same").relu()

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = Convolution(4, 5, 3)
            self.weight = nn.Parameter(torch.zeros(2, 5))

        def forward(self, x):  # type: ignore[no-untyped-def]
            return F.linear(self.conv(x).amax(dim=2), self.weight)

    model = check(Plain())
    assert [type(layer).__name__ for layer in model.layers] == ["Conv1D", "ReLU", "GlobalMaxPool1D", "Dense"]


def test_a_length_that_the_module_does_not_take() -> None:
    class Exact(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]
            return F.max_pool1d(x, 7).mean(2) + F.max_pool1d(x, 7).mean(2).exp()

    with pytest.raises(dm.InvalidArgumentError, match=r"cannot be imported|no position|not take"):
        dm.from_torch(Exact(), length=5)


def test_sums_of_many_ways() -> None:
    class Skips(nn.Module):
        """Residual blocks of which each one also goes to the end by itself."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.skip = nn.Conv1d(4, 5, 1), nn.Conv1d(5, 5, 1)
            self.blocks = nn.ModuleList(
                [nn.Sequential(nn.BatchNorm1d(5), nn.Conv1d(5, 5, 3, padding=1)) for _ in "abc"]
            )
            self.sides = nn.ModuleList([nn.Conv1d(5, 5, 1) for _ in "abc"])
            self.out = nn.Linear(5, 2)

        def forward(self, x):  # type: ignore[no-untyped-def]
            x = self.first(x)
            end = self.skip(x)
            for block, side in zip(self.blocks, self.sides, strict=True):
                x = x + block(x)
                end = end + side(x)
            return self.out(end.mean(-1))

    check(Skips())
