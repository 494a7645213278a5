"""SequenceModel: the base of all estimators, with their training. Models room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import _files, _native
from ._inference import Predictor
from ._outputs import Output
from ._training import (
    HISTORY_KEYS,
    Callback,
    LabelledRows,
    TrainingOptions,
    TrainingRun,
    class_weights,
    split_rows,
    train_pass,
)
from ._validation import (
    check_flag,
    check_number,
    check_whole,
    draw_seed,
    format_classes,
    require_labels,
)
from .exceptions import InvalidArgumentError, ShapeError

#: Documentation of the constructor arguments that all estimators share; appended to the classes' own.
TRAINING_PARAMETERS = """
    epochs : int
        Passes over the training sequences.
    batch_size : int
        Sequences a step of the optimizer, Adam (Kingma and Ba 2015) with (0.9, 0.999, 1e-8).
    learning_rate : float
        Of the first epochs.
    learning_rate_decay : float
        Factor on the learning rate after every `decay_every` epochs.
    decay_every : int or None
        None: the learning rate stays.
    gradient_clip : float
        Every element of the gradient is clamped to +- this; 0: no clamping.
    validation_fraction : float
        Fraction of every class held out to choose the best epoch, unless `fit` is given `validation_data`; 0: none.
    restore_best : bool
        End with the weights of the epoch of the highest validation AUC, ``best_epoch_``; without validation, the last.
    patience : int or None
        Stop after so many epochs without a better one.
    class_weight : None, "balanced" or dict
        Weight of each label in the training loss; "balanced": the same total for every class.
    random_state : None, int, Generator or RandomState
        Seed of initial weights, split, shuffling and dropout; None draws one. Kept in ``random_state_``.
    n_threads : int or None
        None: all processors that the process may use. Results do not depend on it.
"""


@dataclass(eq=False, repr=False, kw_only=True)
class SequenceModel(Predictor):
    """Base of the estimators; a subclass gives the layers.

    Its fields, and those of the subclass, are the arguments of the constructor, which only stores them.
    """

    __slots__ = ()

    loss: str | None = None
    task_names: Any = None
    learning_rate_decay: float = 0.5
    decay_every: int | None = 10
    gradient_clip: float = 5.0
    validation_fraction: float = 0.1
    restore_best: bool = True
    patience: int | None = None
    class_weight: Any = None
    random_state: Any = None
    n_threads: int | None = None

    def _training_options(self, seed: int) -> TrainingOptions:
        return TrainingOptions(
            epochs=check_whole(self.epochs, "epochs"),
            # No call has more rows than this; the engine counts in 64 bits, Python does not.
            batch_size=min(check_whole(self.batch_size, "batch_size"), 1 << 40),
            learning_rate=check_number(self.learning_rate, "learning_rate", 0, open_minimum=True),
            learning_rate_decay=check_number(self.learning_rate_decay, "learning_rate_decay", 0, open_minimum=True),
            decay_every=None if self.decay_every is None else check_whole(self.decay_every, "decay_every"),
            gradient_clip=check_number(self.gradient_clip, "gradient_clip", 0),
            restore_best=check_flag(self.restore_best, "restore_best"),
            patience=None if self.patience is None else check_whole(self.patience, "patience"),
            seed=seed,
            threads=self._threads(),
        )

    def _new_trainer(self, seed: int) -> _native.Trainer:
        return self._training_options(seed).trainer(self._engine, self._output)

    # ---- data ----

    def _read_labelled(self, head: Output, X: Any, y: Any, name: str = "") -> tuple[NDArray[Any], NDArray[Any]]:
        """Sequences and labels of equal number, at least one."""
        require_labels(y, f"{name}y")
        data = self._read(X, f"{name}X")
        labels = head.read(y, len(data), f"{name}y")
        if not len(data):
            raise ShapeError(f"{name}X must hold at least one sequence; got 0 sample(s) (shape={data.shape})")
        return data, labels

    def _read_validation(
        self, head: Output, validation_data: Any, classes: NDArray[Any], length: int
    ) -> LabelledRows:  # fmt: skip
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
            raise InvalidArgumentError(f"validation_data must be a pair (X, y); got {type(validation_data).__name__}")
        data, y = self._read_labelled(head, validation_data[0], validation_data[1], "validation_data: ")
        if data.shape[1] != length:
            self._check_length(self._network(len(classes)), data.shape[1], "the length L of validation_data")
        targets = head.encode(y, classes, "validation_data: y")
        return LabelledRows(data, targets, np.arange(len(data), dtype=np.int64))

    def _hold_out(
        self, head: Output, data: NDArray[Any], targets: NDArray[Any], validation: LabelledRows | None, seed: int
    ) -> tuple[LabelledRows, LabelledRows | None]:
        """Training and validation rows of the data, where no validation data were given."""
        fraction = check_number(self.validation_fraction, "validation_fraction", 0, 1, open_maximum=True)
        rows = np.arange(len(data), dtype=np.int64)
        if validation is None and fraction > 0:
            rows, held_out = split_rows(head.strata(targets), fraction, seed)
            if len(held_out):
                validation = LabelledRows(data, targets, held_out)
        if validation is None and self.patience is not None:
            raise InvalidArgumentError(
                "patience needs validation: give validation_data or a validation_fraction above 0"
            )
        return LabelledRows(data, targets, rows), validation

    # ---- training ----

    def fit(
        self, X: Any, y: Any, validation_data: tuple[Any, Any] | None = None,
        callbacks: Iterable[Callback] | Callback = (), progress: bool | None = None,
    ) -> Self:  # fmt: skip
        """Trains from fresh random weights.

        Parameters
        ----------
        X : sequence argument
            N sequences of length L. Memory-mapped codes are read row by row, never copied whole.
        y : array-like (N,)
            Labels: whole numbers, booleans or strings of at least two classes.
        validation_data : (X, y), optional
            Sequences to choose the best epoch by; otherwise `validation_fraction` of X is held out.
        callbacks : callable or list of callables
            Each is called as ``f(model, epoch, logs)`` after every epoch (from 0) with that line of ``history_``;
            a true return value stops the training. Exceptions pass through.
        progress : bool, optional
            Progress bar; None: on a terminal or in a notebook only.

        Returns
        -------
        self
            Has ``classes_``, ``length_``, ``history_`` (lists loss, auc, val_loss, val_auc, learning_rate, seconds,
            one entry an epoch), ``best_epoch_`` (index into them) and ``random_state_``.

        Raises
        ------
        InvalidArgumentError
            If a hyper-parameter or a label is unusable, there is one class only, or the loss becomes infinite or NaN.
        ShapeError
            If the numbers of sequences and labels differ or L is too short; the message names the shortest length.
        KeyboardInterrupt
            On Ctrl-C, at once; the model then has the best weights so far (before the first step: it is not fitted).

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.CNN(filters=4, kernel_sizes=(3,), epochs=2, random_state=0, n_threads=1)
        >>> model = model.fit(["AAAAAAAA", "ACACACAC", "TTTTTTTT", "TGTGTGTG"] * 5, [0, 0, 1, 1] * 5)
        >>> model.predict_proba(["AAAAAAAA"]).shape, len(model.history_["loss"])
        ((1, 2), 2)
        """
        hooks = _callback_list(callbacks)
        with self._lock:
            head = self._new_head()
            data, labels = self._read_labelled(head, X, y)
            classes = head.learn(labels, self.task_names)
            targets = head.encode(labels, classes)
            layers = self._network(len(classes))
            self._check_length(layers, data.shape[1])
            validation = None
            if validation_data is not None:
                validation = self._read_validation(head, validation_data, classes, data.shape[1])
            options = self._training_options(draw_seed(self.random_state))
            training, validation = self._hold_out(head, data, targets, validation, options.seed)
            weights = class_weights(self.class_weight, classes, training.row_targets)
            run = None
            try:
                self._adopt(head, layers, data.shape[1], classes, options.seed)
                run = TrainingRun(self, training, validation, weights, options)
                run.run(hooks, progress)
            except BaseException:
                # Ctrl-C too: a model is either trained a little or, before its first step or diverged, not fitted.
                if run is None or not run.has_started or not np.isfinite(self._engine.get_parameters()).all():
                    self._forget()
                raise
        return self

    def partial_fit(self, X: Any, y: Any, classes: Iterable[Any] | None = None) -> Self:
        """One pass over the sequences from the present weights; no validation, the learning rate does not decay.

        Parameters
        ----------
        X : sequence argument
            N sequences.
        y : array-like (N,)
            Labels.
        classes : sequence of labels, optional
            All classes, in the first call on a model that is not fitted; otherwise those of y.

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0, n_threads=1)
        >>> for _ in range(3):
        ...     model = model.partial_fit(["AAAAAAAA", "TTTTTTTT"], [0, 1])
        >>> len(model.history_["loss"])
        3
        """
        with self._lock:
            head = self._new_head() if self._model is None else self._head
            data, labels = self._read_labelled(head, X, y)
            if self._model is None:
                self.build(data.shape[1], head.learn(labels, self.task_names) if classes is None else classes)
            else:
                self._check_fitted_length(data.shape[1])
                self._check_classes(classes)
            targets = head.encode(labels, self.classes_)
            options = self._training_options(self.random_state_)
            weights = class_weights(self.class_weight, self.classes_, targets)
            passes = len(self.history_["loss"])
            if self._trainer is None:
                # The seed moves with the passes done, so that training on after `fit` repeats no dropout masks.
                self._trainer_seed = (self.random_state_ + passes) % (1 << 64)
                self._trainer = self._new_trainer(self._trainer_seed)
            self._trainer.set_learning_rate(options.learning_rate)
            rows = LabelledRows(data, targets, np.arange(len(data), dtype=np.int64))
            loss, auc = train_pass(self._trainer, head, rows, options, passes, weights, lambda rows: None)
            logs = {"loss": loss, "auc": auc, "learning_rate": options.learning_rate}
            for key in HISTORY_KEYS:
                self.history_[key].append(logs.get(key, float("nan")))
            self.best_epoch_ = passes
        return self

    def _check_classes(self, classes: Iterable[Any] | None) -> None:
        if classes is None:
            return
        given = self._head.named(classes)
        if given.tolist() != self.classes_.tolist():
            raise InvalidArgumentError(
                f"classes must be those of the first call, {format_classes(self.classes_)}; got {format_classes(given)}"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to a safetensors file, for `deepmotif.load`.

        The file holds weights, layers, hyper-parameters, classes and history (but for the seconds), no code; the same
        model gives the same bytes. It is written under a temporary name first: a failure leaves what stood there.

        Raises
        ------
        NotFittedError
            Before `fit`.
        FileWriteError
            If the folder does not exist or may not be written to, or the disk is full; also an OSError.

        Examples
        --------
        >>> import deepmotif as dm, os, tempfile
        >>> model = dm.RNN(hidden=4, random_state=0).build(8, 2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     model.save(path)
        ...     bool((dm.load(path).scores(["ACGTACGT"]) == model.scores(["ACGTACGT"])).all())
        True
        """
        with self._lock:
            _files.write_file(path, _files.model_bytes(self))


def _callback_list(callbacks: Any) -> list[Callable[..., Any]]:
    hooks = [callbacks] if callable(callbacks) else list(callbacks)
    for hook in hooks:
        if not callable(hook):
            raise InvalidArgumentError(f"callbacks must be callables f(model, epoch, logs); got {hook!r}")
    return hooks
