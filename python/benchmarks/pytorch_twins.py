"""The three networks in PyTorch, by the same definitions, for parity tests and comparisons of accuracy and speed.

Idiomatic PyTorch: `nn.Conv1d`, `nn.LSTM` with both directions in one call, fused Adam, one-hot letters made batch by
batch, inference without gradients. `channels_last=True` runs convolutions in the layout that oneDNN likes best; which
of the two is faster depends on the machine, so a comparison of speed should try both.
"""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Convolution(nn.Conv1d):
    """Conv1d on (N, C, L), or on (N, C, 1, L) in channels-last memory, initialised as PyTorch does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() == 3:
            return super().forward(x)
        weight = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        return functional.conv2d(x, weight, self.bias, padding=(0, self.padding[0]))


class Recurrence(nn.Module):
    """Two LSTM stacks, one reading the reversed sequence; dropout after every layer; mean over positions."""

    def __init__(self, channels: int, hidden: int, layers: int, bidirectional: bool, dropout: float) -> None:
        super().__init__()
        self.first = nn.LSTM(channels, hidden, batch_first=True, bidirectional=bidirectional)
        directions = 2 if bidirectional else 1
        # Above the first layer each direction reads its own lower layer only, which nn.LSTM's num_layers does not do.
        self.upper = nn.ModuleList(
            nn.ModuleList(nn.LSTM(hidden, hidden, batch_first=True) for _ in range(directions))
            for _ in range(layers - 1)
        )
        self.dropout = nn.Dropout(dropout)
        for lstm in [self.first, *(lstm for layer in self.upper for lstm in layer)]:
            initialize_lstm(lstm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(self.first(x)[0])
        for stacks in self.upper:
            halves = x.chunk(len(stacks), dim=2)
            outputs = [
                stack(half.flip(1))[0].flip(1) if direction else stack(half)[0]
                for direction, (stack, half) in enumerate(zip(stacks, halves, strict=True))
            ]
            x = self.dropout(torch.cat(outputs, dim=2))
        return x.mean(dim=1)


def initialize_lstm(lstm: nn.LSTM) -> None:
    """Weights normal(0, 1/sqrt(D + H)), forget bias 1, one trained bias a gate (PyTorch's second one stays 0)."""
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight"):
            nn.init.normal_(parameter, 0, 1 / math.sqrt(lstm.input_size + hidden))
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                with torch.no_grad():
                    parameter[hidden : 2 * hidden] = 1
            else:
                parameter.requires_grad_(False)


class TwinCNN(nn.Module):
    """The CNN on letters (N, L, 4)."""

    def __init__(
        self, filters: int = 128, kernel_sizes: tuple[int, ...] = (9, 5, 3), pool: int = 2, dropout: float = 0.5,
        classes: int = 2, channels_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        channels = [4] + [filters] * len(kernel_sizes)
        self.convolutions = nn.ModuleList(
            Convolution(channels[i], filters, size) for i, size in enumerate(kernel_sizes)
        )
        self.dense = nn.Linear(filters, classes)
        self.dropout = nn.Dropout(dropout)
        self.pool = pool
        self.channels_last = channels_last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.transpose(1, 2)
        if self.channels_last:
            x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        for index, convolution in enumerate(self.convolutions):
            x = convolution(x).relu()
            if index + 1 < len(self.convolutions):
                x = functional.max_pool2d(x, (1, self.pool)) if x.dim() == 4 else functional.max_pool1d(x, self.pool)
            x = self.dropout(x)
        return self.dense(x.flatten(2).amax(dim=2))


class TwinRNN(nn.Module):
    """The RNN on letters (N, L, 4); `channels_last` means nothing to it."""

    def __init__(
        self, hidden: int = 32, layers: int = 1, bidirectional: bool = True, dropout: float = 0.5, classes: int = 2,
        channels_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.recurrence = Recurrence(4, hidden, layers, bidirectional, dropout)
        self.dense = nn.Linear(hidden * (2 if bidirectional else 1), classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.recurrence(x))


class TwinCNNRNN(nn.Module):
    """The CNN-RNN on letters (N, L, 4)."""

    def __init__(
        self, filters: int = 128, kernel_size: int = 9, hidden: int = 32, layers: int = 1, bidirectional: bool = True,
        dropout: float = 0.5, classes: int = 2, channels_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.convolutions = nn.ModuleList([Convolution(4, filters, kernel_size, padding=kernel_size // 2)])
        self.recurrence = Recurrence(filters, hidden, layers, bidirectional, dropout)
        self.dense = nn.Linear(hidden * (2 if bidirectional else 1), classes)
        self.channels_last = channels_last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.transpose(1, 2)
        if self.channels_last:
            x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        x = self.convolutions[0](x).relu().flatten(2)
        return self.dense(self.recurrence(x.transpose(1, 2)))


TWINS = {"cnn": TwinCNN, "rnn": TwinRNN, "cnn-rnn": TwinCNNRNN}


# ---- weights under our names ----


def named_parameters(twin: nn.Module) -> dict[str, nn.Parameter]:
    """The trained parameters of a twin under the names of `weights_`, in its order."""
    named = {}
    for index, convolution in enumerate(getattr(twin, "convolutions", ())):
        named[f"conv1d_{index}.weight"], named[f"conv1d_{index}.bias"] = convolution.weight, convolution.bias
    if hasattr(twin, "recurrence"):
        first = twin.recurrence.first
        suffixes = ("", "_reverse") if first.bidirectional else ("",)
        for layer, stacks in enumerate([None, *twin.recurrence.upper]):
            for direction, suffix in enumerate(suffixes):
                lstm, end = (first, suffix) if stacks is None else (stacks[direction], "")
                for ours, theirs in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias", "bias_ih")):
                    named[f"lstm_{layer}.{ours}{suffix}"] = getattr(lstm, f"{theirs}_l0{end}")
    named["dense_0.weight"], named["dense_0.bias"] = twin.dense.weight, twin.dense.bias
    return named


def set_weights(twin: nn.Module, weights: dict[str, np.ndarray]) -> nn.Module:
    """Copies `weights_` of an estimator into a twin."""
    named = named_parameters(twin)
    if set(named) != set(weights):
        raise ValueError(f"weights must have the names {sorted(named)}; got {sorted(weights)}")
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(weights[name])))
    return twin


def letters(codes: np.ndarray) -> torch.Tensor:
    """One-hot letters (N, L, 4) of codes; code 4 is all zeros."""
    table = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    return table[torch.from_numpy(np.asarray(codes, dtype=np.int64))]


# ---- training ----


def optimizer_of(twin: nn.Module, learning_rate: float = 0.01, fused: bool = True) -> torch.optim.Adam:
    """Adam (0.9, 0.999, 1e-8) on the trained parameters."""
    trained = [parameter for parameter in twin.parameters() if parameter.requires_grad]
    return torch.optim.Adam(trained, lr=learning_rate, fused=fused)


def train_step(
    twin: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, clip: float = 5.0,
    weight: torch.Tensor | None = None,
) -> float:  # fmt: skip
    """One step: mean negative log-likelihood, gradients clamped element by element."""
    optimizer.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(twin(x), y, weight)
    loss.backward()
    nn.utils.clip_grad_value_([p for p in twin.parameters() if p.grad is not None], clip)
    optimizer.step()
    return loss.item()


@torch.inference_mode()
def scores(twin: nn.Module, X: np.ndarray, batch_size: int = 1024) -> np.ndarray:
    """Scores (N, C) of codes (N, L), dropout off."""
    twin.eval()
    return torch.cat([twin(letters(X[i : i + batch_size])) for i in range(0, len(X), batch_size)]).numpy()


def roc_auc(difference: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve, ties averaged."""
    _, inverse, counts = np.unique(difference, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def train(
    X: np.ndarray, y: np.ndarray, kind: str, seed: int = 0, epochs: int = 50, *, batch_size: int = 256,
    learning_rate: float = 0.01, validation_fraction: float = 0.1, clip: float = 5.0, threads: int | None = None,
    channels_last: bool = False, restore_best: bool = True, **options: Any,
) -> tuple[nn.Module, dict[str, list[float]]]:  # fmt: skip
    """Trains a twin on codes (N, L) and labels 0 / 1, with the defaults of the estimators.

    Parameters
    ----------
    X, y : arrays (N, L) and (N,)
        Codes and labels.
    kind : {"cnn", "rnn", "cnn-rnn"}
        The network.
    seed : int
        Of weights, split, shuffling and dropout.
    epochs, batch_size, learning_rate, validation_fraction, clip
        As the estimators' parameters; the learning rate is halved every 10 epochs.
    threads : int, optional
        Threads of PyTorch; None: leave as they are.
    channels_last : bool
        Convolutions in channels-last memory.
    restore_best : bool
        End with the weights of the epoch of the highest validation AUC.
    **options
        Sizes of the network.

    Returns
    -------
    (module, history)
        history: lists loss, val_auc, seconds (of the training pass alone), one entry an epoch.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    twin = TWINS[kind](channels_last=channels_last, **options)
    optimizer = optimizer_of(twin, learning_rate)
    training, validation = _split(y, validation_fraction, random)
    labels = torch.as_tensor(y, dtype=torch.long)
    history: dict[str, list[float]] = {"loss": [], "val_auc": [], "seconds": []}
    best_auc, best_state = -1.0, None
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * 0.5 ** (epoch // 10)
        began = time.perf_counter()
        twin.train()
        order = random.permutation(training)
        losses = []
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            losses.append(train_step(twin, optimizer, letters(X[rows]), labels[rows], clip) * len(rows))
        history["seconds"].append(time.perf_counter() - began)
        history["loss"].append(sum(losses) / len(order))
        if len(validation):
            values = scores(twin, X[validation])
            auc = roc_auc(values[:, 1] - values[:, 0], y[validation])
            history["val_auc"].append(auc)
            if auc > best_auc:
                best_auc, best_state = auc, copy.deepcopy(twin.state_dict())
    if restore_best and best_state is not None:
        twin.load_state_dict(best_state)
    return twin.eval(), history


def _split(y: np.ndarray, fraction: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and for validation, stratified."""
    held_out = [
        random.permutation(np.flatnonzero(y == label))[: round(fraction * np.count_nonzero(y == label))]
        for label in np.unique(y)
    ]
    validation = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(len(y)), validation), validation
