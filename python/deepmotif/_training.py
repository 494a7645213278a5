"""The training loop: blocks of batches, validation, the best epoch, interrupts. Models room."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._blocks import Pace, run_in_blocks
from ._options import TrainingOptions
from ._rows import MOST_SEEN, LabelledRows, reversed_rows
from .exceptions import InvalidArgumentError

if TYPE_CHECKING:
    from ._checkpoint import Checkpoint
    from ._estimator import SequenceModel
    from ._outputs import Output

HISTORY_KEYS = ("loss", "auc", "val_loss", "val_auc", "learning_rate", "seconds")

Float = NDArray[np.float32]
Callback = Callable[["SequenceModel", int, dict[str, float]], Any]


@dataclass
class PassState:
    """How far a pass over the training rows has come."""

    #: Rows done.
    rows: int = 0
    loss_sum: float = 0.0
    weight_sum: float = 0.0
    #: Scores that training saw, of the last `MOST_SEEN` / C rows of the pass.
    seen: list[Float] = field(default_factory=list)


def train_pass(
    trainer: _native.Trainer, head: Output, data: LabelledRows, options: TrainingOptions, epoch: int,
    weights: Float | None, tick: Callable[[int], None], state: PassState, stop_every: int | None = None,
) -> tuple[float, float]:  # fmt: skip
    """One pass over the rows in the random order of an epoch; returns the mean loss and the AUC that training saw.

    `tick` is told the number of rows done after each block of batches, when the weights have changed and `state` tells
    of it. Blocks end where a multiple of `stop_every` batches does.
    """
    order = data.shuffled(options.seed, epoch)
    reversed_at = None
    if options.reverse_complement == "augment":
        reversed_at = reversed_rows(options.seed, epoch, len(order))
    pace = Pace()
    kept_from = 0
    while state.rows < len(order):
        start = state.rows
        stop = min(len(order), start + pace.size * options.batch_size)
        if stop_every is not None:
            unit = stop_every * options.batch_size
            stop = min(stop, (start // unit + 1) * unit)
        began = time.perf_counter()
        reversed_rows_here = None if reversed_at is None else reversed_at[start:stop]
        with data.read_shuffled():
            X, targets, rows = data.block(order[start:stop], reversed_rows_here)
            losses, block_weights, scores = trainer.run(X, targets, rows, options.batch_size, weights, options.threads)
        pace.update(-(-(stop - start) // options.batch_size), time.perf_counter() - began)
        state.loss_sum += losses
        state.weight_sum += block_weights
        kept_from = max(0, len(order) - MOST_SEEN // scores.shape[1])
        state.seen.append(scores[max(0, kept_from - start) :])
        state.rows = stop
        tick(stop - start)
    auc = head.auc(np.concatenate(state.seen), data.targets[order[kept_from:]])
    # How the sum was cut shows in its last bits; what is recorded must not depend on the clock.
    return (float(np.float32(state.loss_sum / state.weight_sum)) if state.weight_sum else math.nan), auc


class TrainingRun:
    """One `fit`: trains the estimator's engine epoch by epoch and keeps the best epoch's weights."""

    def __init__(
        self, estimator: SequenceModel, training: LabelledRows, validation: LabelledRows | None,
        weights: Float | None, options: TrainingOptions,
    ) -> None:  # fmt: skip
        self._estimator = estimator
        self._head = estimator._head
        self.training = training
        self._validation = validation
        self._weights = weights
        self._options = options
        #: Where the state is saved, if it is.
        self.checkpoint: Checkpoint | None = None
        self.model = estimator._engine
        self.trainer = options.trainer(self.model, self._head.constant, self._head.loss)
        self.state = PassState()
        self.epoch = 0
        self.best: tuple[float, float] | None = None
        self.best_weights: Float | None = None
        #: True when a callback or `patience` has ended the training.
        self.is_over = False
        #: True once the weights differ from the initial ones.
        self.has_started = False

    def run(self, callbacks: Sequence[Callback], progress: bool | None) -> None:
        """All epochs; on any exception the best weights so far are in place before it goes on its way."""
        bar = progress_bar(progress, self._options.epochs * len(self.training), type(self._estimator).__name__)
        try:
            if bar is not None:
                bar.update(self.epoch * len(self.training) + self.state.rows)
            while self.epoch < self._options.epochs and not self.is_over:
                logs = self._run_epoch(bar)
                self._record(logs)
                if bar is not None:
                    bar.set_postfix({key: f"{logs[key]:.4f}" for key in ("loss", "val_auc") if logs[key] == logs[key]})
                # Every callback sees every epoch, whatever the others answer.
                answers = [callback(self._estimator, self.epoch, dict(logs)) for callback in callbacks]
                self.is_over = any(answers) or self._is_out_of_patience()
                self.epoch += 1
                self.state = PassState()
                self._save()
        finally:
            if self._options.restore_best and self.best_weights is not None:
                self.model.set_parameters(self.best_weights)
            if bar is not None:
                bar.close()

    @property
    def has_usable_weights(self) -> bool:
        """Whether at least one step was taken, and none led to infinity."""
        return self.has_started and bool(np.isfinite(self.model.get_parameters()).all())

    def _save(self) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(self, self._estimator)

    def _run_epoch(self, bar: Any) -> dict[str, float]:
        began = time.perf_counter()
        every = None if self.checkpoint is None else self.checkpoint.every

        def tick(rows: int) -> None:
            self.has_started = True
            if bar is not None:
                bar.update(rows)
            done = self.state.rows
            if every is not None and done % (every * self._options.batch_size) == 0 and done < len(self.training):
                self._save()

        estimator = self._estimator
        rate = self._options.learning_rate_of(self.epoch, estimator.history_["learning_rate"], estimator.best_epoch_)
        self.trainer.set_learning_rate(rate)
        loss, auc = train_pass(
            self.trainer, self._head, self.training, self._options, self.epoch, self._weights, tick, self.state, every
        )  # fmt: skip
        val_loss = val_auc = math.nan
        if self._validation is not None:
            scores = self._scores_of(self._validation)
            if not np.isfinite(scores).all():
                raise InvalidArgumentError(
                    f"the validation scores are not finite after epoch {self.epoch}: the learning rate ({rate:g}) is "
                    "probably too high"
                )
            targets = self._validation.row_targets
            val_loss, val_auc = self._head.mean_loss(scores, targets), self._head.auc(scores, targets)
        seconds = time.perf_counter() - began
        return dict(zip(HISTORY_KEYS, (loss, auc, val_loss, val_auc, rate, seconds), strict=True))

    def _scores_of(self, data: LabelledRows) -> Float:
        """Scores (rows, C); copies one block of rows of X at a time."""
        scores = np.empty((len(data), len(self._estimator.classes_)), dtype=np.float32)

        def block(start: int, stop: int) -> None:
            X = np.ascontiguousarray(data.X[data.rows[start:stop]])
            scores[start:stop] = self._estimator._scores_of(X, self._options.threads)

        run_in_blocks(len(data), data.X.shape[1], block)
        return scores

    def _record(self, logs: dict[str, float]) -> None:
        for key in HISTORY_KEYS:
            self._estimator.history_[key].append(logs[key])
        if self._validation is None:
            self._estimator.best_epoch_ = self.epoch
            return
        merit = self._head.merit(logs["val_loss"], logs["val_auc"])
        if self.best is None or merit > self.best:
            self.best = merit
            self.best_weights = self.model.get_parameters()
            self._estimator.best_epoch_ = self.epoch

    def _is_out_of_patience(self) -> bool:
        best, patience = self._estimator.best_epoch_, self._options.patience
        return patience is not None and best is not None and self.epoch - best >= patience


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
