"""The training loop: blocks of batches, validation, the best epoch, interrupts. Models room."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._blocks import Pace, run_in_blocks
from .exceptions import InvalidArgumentError

if TYPE_CHECKING:
    from ._estimator import SequenceModel
    from ._outputs import Output

HISTORY_KEYS = ("loss", "auc", "val_loss", "val_auc", "learning_rate", "seconds")

# Streams of the shuffling generator: epochs count from 0, the draws of the validation split start beyond any of them.
_SPLIT_STREAM = 1 << 32

Rows = NDArray[np.int64]
Labels = NDArray[np.int32]
Float = NDArray[np.float32]
Callback = Callable[["SequenceModel", int, dict[str, float]], Any]


@dataclass(frozen=True)
class TrainingOptions:
    """The checked hyper-parameters of one training."""

    epochs: int
    batch_size: int
    learning_rate: float
    learning_rate_decay: float
    decay_every: int | None
    gradient_clip: float
    restore_best: bool
    patience: int | None
    seed: int
    threads: int

    def learning_rate_of(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        if self.decay_every is None:
            return self.learning_rate
        return self.learning_rate * self.learning_rate_decay ** (epoch // self.decay_every)

    def trainer(self, model: _native.Model, output: int) -> _native.Trainer:
        """A fresh optimizer for the model: Adam (Kingma and Ba 2015), gradients clamped element by element."""
        return _native.Trainer(
            model,
            output=output,
            optimizer=_native.OPTIMIZER_ADAM,
            learning_rate=self.learning_rate,
            beta1=0.9,
            beta2=0.999,
            epsilon=1e-8,
            gradient_clip=self.gradient_clip,
            seed=self.seed,
        )


@dataclass(frozen=True)
class LabelledRows:
    """Some rows of sequences X with targets by row of X. X is never copied: it may be a file mapped to memory."""

    X: NDArray[Any]
    targets: NDArray[Any]
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def row_targets(self) -> NDArray[Any]:
        return self.targets[self.rows]


def split_rows(labels: Labels, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Rows for training and for validation, `fraction` of every class drawn at random for the latter.

    Every class keeps a row for training, and gives at least one for validation where it has two.
    """
    held_out = []
    for label in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == label)
        count = min(max(1, round(fraction * len(rows))), len(rows) - 1)
        if count > 0:
            held_out.append(rows[_native.random_permutation(seed, _SPLIT_STREAM + label, len(rows))[:count]])
    validation = np.sort(np.concatenate(held_out)) if held_out else np.empty(0, dtype=np.int64)
    training = np.setdiff1d(np.arange(len(labels), dtype=np.int64), validation, assume_unique=True)
    return training, validation.astype(np.int64)


def class_weights(class_weight: Any, classes: NDArray[Any], labels: Labels) -> Float | None:
    """Weights (C,) that `class_weight` (None, "balanced" or a dict by label) gives to the classes."""
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(classes))
        return (counts.sum() / (len(classes) * np.maximum(counts, 1))).astype(np.float32)
    if not isinstance(class_weight, dict):
        raise InvalidArgumentError(f"class_weight must be None, 'balanced' or a dict; got {class_weight!r}")
    values = classes.tolist()
    weights = np.ones(len(classes), dtype=np.float32)
    for label, weight in class_weight.items():
        plain = label.item() if isinstance(label, np.generic) else label
        if plain not in values:
            raise InvalidArgumentError(f"class_weight names the label {label!r}, which does not occur in y")
        if not isinstance(weight, (int, float, np.number)) or not 0 <= float(weight) < math.inf:
            raise InvalidArgumentError(f"class_weight[{label!r}] must be a finite number of at least 0; got {weight!r}")
        weights[values.index(plain)] = weight
    if not weights.any():
        raise InvalidArgumentError("class_weight must leave at least one class a weight above 0")
    return weights


def scores_of_rows(model: _native.Model, data: LabelledRows, threads: int) -> Float:
    """Scores (rows, C); copies one block of rows of X at a time."""
    scores = np.empty((len(data), model.layer_shape(-1, data.X.shape[1])[1]), dtype=np.float32)

    def block(start: int, stop: int) -> None:
        scores[start:stop] = model.scores(np.ascontiguousarray(data.X[data.rows[start:stop]]), threads)

    run_in_blocks(len(data), data.X.shape[1], block)
    return scores


def train_pass(
    trainer: _native.Trainer, head: Output, data: LabelledRows, options: TrainingOptions, shuffle: int,
    weights: Float | None, tick: Callable[[int], None],
) -> tuple[float, float]:  # fmt: skip
    """One pass over the rows in random order (stream `shuffle`); returns the mean loss and the AUC that training saw.

    `tick` is told the number of rows done after each block of batches, when the weights have changed.
    """
    order = data.rows[_native.random_permutation(options.seed, shuffle, len(data))]
    pace = Pace()
    loss_sum = weight_sum = 0.0
    seen = []
    start = 0
    while start < len(order):
        stop = min(len(order), start + pace.size * options.batch_size)
        began = time.perf_counter()
        losses, block_weights, scores = trainer.run(
            data.X, data.targets, order[start:stop], options.batch_size, weights, options.threads
        )
        pace.update(-(-(stop - start) // options.batch_size), time.perf_counter() - began)
        loss_sum += losses
        weight_sum += block_weights
        seen.append(scores)
        tick(stop - start)
        start = stop
    auc = head.auc(np.concatenate(seen), data.targets[order])
    # How the sum was cut shows in its last bits; what is recorded must not depend on the clock.
    return (float(np.float32(loss_sum / weight_sum)) if weight_sum else math.nan), auc


class TrainingRun:
    """One `fit`: trains the estimator's engine epoch by epoch and keeps the best epoch's weights."""

    def __init__(
        self, estimator: SequenceModel, training: LabelledRows, validation: LabelledRows | None,
        weights: Float | None, options: TrainingOptions,
    ) -> None:  # fmt: skip
        self._estimator = estimator
        self._model = estimator._engine
        self._head = estimator._head
        self._trainer = options.trainer(self._model, estimator._output)
        self._training = training
        self._validation = validation
        self._weights = weights
        self._options = options
        self._best: tuple[float, float] | None = None
        self._best_weights: Float | None = None
        #: True once the weights differ from the initial ones.
        self.has_started = False

    def run(self, callbacks: Sequence[Callback], progress: bool | None) -> None:
        """All epochs; on any exception the best weights so far are in place before it goes on its way."""
        total = self._options.epochs * len(self._training)
        bar = progress_bar(progress, total, type(self._estimator).__name__)
        try:
            for epoch in range(self._options.epochs):
                logs = self._epoch(epoch, bar)
                self._record(epoch, logs)
                if bar is not None:
                    bar.set_postfix({key: f"{logs[key]:.4f}" for key in ("loss", "val_auc") if logs[key] == logs[key]})
                # Every callback sees every epoch, whatever the others answer.
                answers = [callback(self._estimator, epoch, dict(logs)) for callback in callbacks]
                if any(answers) or self._is_out_of_patience(epoch):
                    break
        finally:
            if self._options.restore_best and self._best_weights is not None:
                self._model.set_parameters(self._best_weights)
            if bar is not None:
                bar.close()

    def _epoch(self, epoch: int, bar: Any) -> dict[str, float]:
        began = time.perf_counter()

        def tick(rows: int) -> None:
            self.has_started = True
            if bar is not None:
                bar.update(rows)

        rate = self._options.learning_rate_of(epoch)
        self._trainer.set_learning_rate(rate)
        loss, auc = train_pass(self._trainer, self._head, self._training, self._options, epoch, self._weights, tick)
        val_loss = val_auc = math.nan
        if self._validation is not None:
            scores = scores_of_rows(self._model, self._validation, self._options.threads)
            if not np.isfinite(scores).all():
                raise InvalidArgumentError(
                    f"the validation scores are not finite after epoch {epoch}: the learning rate ({rate:g}) is "
                    "probably too high"
                )
            targets = self._validation.row_targets
            val_loss, val_auc = self._head.mean_loss(scores, targets), self._head.auc(scores, targets)
        seconds = time.perf_counter() - began
        return dict(zip(HISTORY_KEYS, (loss, auc, val_loss, val_auc, rate, seconds), strict=True))

    def _record(self, epoch: int, logs: dict[str, float]) -> None:
        for key in HISTORY_KEYS:
            self._estimator.history_[key].append(logs[key])
        if self._validation is None:
            self._estimator.best_epoch_ = epoch
            return
        merit = self._head.merit(logs["val_loss"], logs["val_auc"])
        if self._best is None or merit > self._best:
            self._best = merit
            self._best_weights = self._model.get_parameters()
            self._estimator.best_epoch_ = epoch

    def _is_out_of_patience(self, epoch: int) -> bool:
        best = self._estimator.best_epoch_
        return self._options.patience is not None and best is not None and epoch - best >= self._options.patience


def _is_notebook() -> bool:
    """True within a Jupyter kernel; a program that has merely imported one is none."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython(), "kernel") if ipython is not None else False


def progress_bar(progress: bool | None, total: int, name: str) -> Any:
    """A tqdm bar, or None; progress=None: only on a terminal or in a notebook."""
    if progress is None:
        progress = sys.stderr is not None and (sys.stderr.isatty() or _is_notebook())
    if not progress:
        return None
    with warnings.catch_warnings():
        # A notebook without ipywidgets: tqdm falls back to a text bar, which is all right.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    # What is done within a second needs no bar.
    return tqdm(total=total, desc=name, unit="seq", unit_scale=True, delay=1)
