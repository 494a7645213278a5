"""TrainingOptions: the checked hyper-parameters of one training, optimizer and schedule. Models room; private."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import _native
from ._strands import MODES
from ._validation import check_flag, check_number, check_whole
from .exceptions import InvalidArgumentError

OPTIMIZERS = {
    "adam": _native.OPTIMIZER_ADAM,
    "adamw": _native.OPTIMIZER_ADAMW,
    "sgd": _native.OPTIMIZER_SGD,
    "rmsprop": _native.OPTIMIZER_RMSPROP,
    "adadelta": _native.OPTIMIZER_ADADELTA,
}
_WITH_MOMENTUM = ("sgd", "rmsprop")

SCHEDULES = ("step", "constant", "cosine", "plateau")

_LOSSES = {
    "": _native.LOSS_DEFAULT,
    "mse": _native.LOSS_MSE,
    "poisson": _native.LOSS_POISSON,
    "correlation": _native.LOSS_CORRELATION,
}


@dataclass(frozen=True)
class TrainingOptions:
    """What one training needs to know, but for the data."""

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float | None
    momentum: float
    l2: float
    max_norm: float | None
    gradient_clip: float
    schedule: str
    learning_rate_decay: float
    decay_every: int | None
    reverse_complement: str
    restore_best: bool
    patience: int | None
    seed: int
    threads: int

    @property
    def needs_validation(self) -> str | None:
        """Name of the hyper-parameter that asks for validation data, if there is one."""
        if self.patience is not None:
            return "patience"
        return "schedule='plateau'" if self.schedule == "plateau" else None

    def learning_rate_of(self, epoch: int, rates: list[float], best_epoch: int | None) -> float:
        """Learning rate of an epoch, counted from 0, those of the epochs before it and the best of these being known.

        "cosine" is Loshchilov and Hutter 2017, equation 5, without restarts.
        """
        if self.schedule == "cosine":
            return self.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))
        if self.schedule == "constant" or self.decay_every is None:
            return self.learning_rate
        if self.schedule == "step":
            return self.learning_rate * self.learning_rate_decay ** (epoch // self.decay_every)
        if not rates:
            return self.learning_rate
        since = max(rates.index(rates[-1]) - 1, -1 if best_epoch is None else best_epoch)
        return rates[-1] * (self.learning_rate_decay if epoch - 1 - since >= self.decay_every else 1.0)

    def trainer(self, model: _native.Model, output: int, loss: str) -> _native.Trainer:
        """A fresh optimizer for the model; what is not named here has the optimizer's defaults, PyTorch's."""
        given = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return _native.Trainer(
            model,
            output=output,
            loss=_LOSSES[loss],
            optimizer=OPTIMIZERS[self.optimizer],
            strands=MODES[self.reverse_complement],
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            l2=self.l2,
            max_norm=self.max_norm or 0.0,
            gradient_clip=self.gradient_clip,
            seed=self.seed,
            **given,
        )


def training_options(model: Any, seed: int, threads: int) -> TrainingOptions:
    """The checked hyper-parameters of an estimator."""
    optimizer = check_choice(model.optimizer, "optimizer", OPTIMIZERS)
    momentum = check_number(model.momentum, "momentum", 0, 1, open_maximum=True)
    if momentum and optimizer not in _WITH_MOMENTUM:
        raise InvalidArgumentError(f"momentum is one of {' and '.join(_WITH_MOMENTUM)}; got {momentum} for {optimizer}")
    return TrainingOptions(
        epochs=check_whole(model.epochs, "epochs"),
        # No call has more rows than this; the engine counts in 64 bits, Python does not.
        batch_size=min(check_whole(model.batch_size, "batch_size"), 1 << 40),
        optimizer=optimizer,
        learning_rate=check_number(model.learning_rate, "learning_rate", 0, open_minimum=True),
        weight_decay=None if model.weight_decay is None else check_number(model.weight_decay, "weight_decay", 0),
        momentum=momentum,
        l2=check_number(model.l2, "l2", 0),
        max_norm=None if model.max_norm is None else check_number(model.max_norm, "max_norm", 0, open_minimum=True),
        gradient_clip=check_number(model.gradient_clip, "gradient_clip", 0),
        schedule=check_choice(model.schedule, "schedule", SCHEDULES),
        learning_rate_decay=check_number(model.learning_rate_decay, "learning_rate_decay", 0, open_minimum=True),
        decay_every=None if model.decay_every is None else check_whole(model.decay_every, "decay_every"),
        reverse_complement=check_choice(model.reverse_complement, "reverse_complement", MODES),
        restore_best=check_flag(model.restore_best, "restore_best"),
        patience=None if model.patience is None else check_whole(model.patience, "patience"),
        seed=seed,
        threads=threads,
    )


def check_choice(value: Any, name: str, choices: Any) -> str:
    """One of the given names."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgumentError(f"{name} must be one of {list(choices)}; got {value!r}")
    return value
