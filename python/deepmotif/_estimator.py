"""SequenceModel: the base of all estimators, with their training. Models room."""

from __future__ import annotations

import importlib
import numbers
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import _files, _native
from ._checkpoint import Checkpoint, SavedState, identity_of, read_checkpoint
from ._inference import Predictor
from ._options import TrainingOptions, training_options
from ._outputs import Output
from ._reading import checked_path
from ._rows import MOST_SCORES, LabelledRows, split_rows
from ._training import HISTORY_KEYS, Callback, PassState, TrainingRun, train_pass
from ._validation import check_flag, check_number, check_whole, draw_seed, format_classes, require_labels
from .exceptions import InvalidArgumentError, ShapeError

#: Documentation of the constructor arguments that all estimators share; appended to the classes' own.
TRAINING_PARAMETERS = """
    epochs : int
        Passes over the training sequences.
    batch_size : int
        Sequences a step of the optimizer.
    learning_rate : float
        Of the first epochs.
    loss : {None, "mse", "poisson", "correlation"}
        For ``output="linear"``: mean squared error (the default); Poisson, where a score is the logarithm of a rate and
        `predict` gives the rate; 1 - Pearson's r over the batch. The other outputs have one loss, cross-entropy.
    task_names : sequence of str, optional
        What ``classes_`` calls the columns of y, instead of numbers; for "sigmoid" and "linear".
    optimizer : {"adam", "adamw", "sgd", "rmsprop", "adadelta"}
        PyTorch's update rules with its defaults: Adam (Kingma and Ba 2015) with (0.9, 0.999, 1e-8), and so on.
    momentum : float
        Of "sgd" and "rmsprop".
    weight_decay : float or None
        Times every parameter it is added to the gradient; with "adamw" the parameters shrink by it. None: PyTorch's
        default, 0.01 for "adamw" and 0 for the others.
    l2 : float
        Weight of a penalty, the sum of the squared weights but for biases; no part of the loss that is recorded.
    max_norm : float or None
        Longest vector of the weights that go into one output unit (a filter, say); None: no limit.
    schedule : {"step", "constant", "cosine", "plateau"}
        "step": `learning_rate_decay` after every `decay_every` epochs. "cosine": down to 0 after all epochs. "plateau":
        `learning_rate_decay` when `decay_every` epochs have brought no better one.
    learning_rate_decay : float
        Factor on the learning rate.
    decay_every : int or None
        None: the learning rate stays, but for "cosine".
    gradient_clip : float
        Every element of the gradient is clamped to +- this; 0: no clamping.
    reverse_complement : {"none", "augment", "average", "maximum", "shared"}
        "augment": each epoch reads half of the sequences, by chance, on the other strand. "average", "maximum": both
        strands are read, in training, prediction and views, and their scores combined. "shared": weights tied such that
        the network is the same for both strands (Shrikumar et al. 2017).
    validation_fraction : float
        Fraction of the sequences (of every class) held out to choose the best epoch, unless `fit` is given
        `validation_data`; 0: none. With a great many tasks no more than give 2^24 scores.
    restore_best : bool
        End with the weights of the best epoch, ``best_epoch_``: of the highest validation AUC, for "linear" of the
        lowest validation loss; without validation, the last.
    patience : int or None
        Stop after so many epochs without a better one.
    class_weight : None, "balanced" or dict
        Weight of each label in the training loss; "balanced": the same total for every class. For "sigmoid" the weight
        of a task's positive labels, by task; not for "linear".
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
    optimizer: str = "adam"
    momentum: float = 0.0
    weight_decay: float | None = None
    l2: float = 0.0
    max_norm: float | None = None
    schedule: str = "step"
    learning_rate_decay: float = 0.5
    decay_every: int | None = 10
    gradient_clip: float = 5.0
    reverse_complement: str = "none"
    validation_fraction: float = 0.1
    restore_best: bool = True
    patience: int | None = None
    class_weight: Any = None
    random_state: Any = None
    n_threads: int | None = None

    def _new_trainer(self, seed: int) -> _native.Trainer:
        options = training_options(self, seed, self._threads())
        return options.trainer(self._engine, self._head.constant, self._head.loss)

    # ---- data ----

    def _read_labelled(self, head: Output, X: Any, y: Any, name: str = "") -> tuple[Any, Any]:
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
        self, head: Output, data: Any, targets: Any, validation: LabelledRows | None, options: TrainingOptions
    ) -> tuple[LabelledRows, LabelledRows | None]:
        """Training and validation rows of the data, where no validation data were given."""
        fraction = check_number(self.validation_fraction, "validation_fraction", 0, 1, open_maximum=True)
        rows = None
        if validation is None and fraction > 0:
            most = MOST_SCORES // (1 if targets.ndim == 1 else targets.shape[1])
            rows, held_out = split_rows(head.strata(targets), fraction, options.seed, most)
            if len(held_out):
                validation = LabelledRows(data, targets, held_out)
        if validation is None and options.needs_validation:
            raise InvalidArgumentError(
                f"{options.needs_validation} needs validation: give validation_data or a validation_fraction above 0"
            )
        if rows is None:
            rows = np.arange(len(data), dtype=np.int64)
        return LabelledRows(data, targets, rows), validation

    # ---- training ----

    def fit(
        self, X: Any, y: Any, validation_data: tuple[Any, Any] | None = None,
        callbacks: Iterable[Callback] | Callback = (), progress: bool | None = None, *,
        checkpoint: str | os.PathLike[str] | None = None, checkpoint_every: int | None = None, resume: bool = False,
    ) -> Self:  # fmt: skip
        """Trains from fresh random weights.

        Parameters
        ----------
        X : sequence argument
            N sequences of length L. Memory-mapped arrays, HDF5 data sets (h5py) and the path of an ``.npy``, ``.npz``
            or HDF5 file (of several arrays in it "X" is meant) are read some rows at a time, never as a whole.
        y : array-like (N,) or (N, C)
            Labels: whole numbers, booleans or strings of at least two classes. For the other outputs see `output`;
            uint8 labels are not copied, and labels may be in files as X ("y" is meant).
        validation_data : (X, y), optional
            Sequences to choose the best epoch by; otherwise `validation_fraction` of X is held out.
        callbacks : callable or list of callables
            Each is called as ``f(model, epoch, logs)`` after every epoch (from 0) with that line of ``history_``;
            a true return value stops the training. Exceptions pass through.
        progress : bool, optional
            Progress bar; None: on a terminal or in a notebook only.
        checkpoint : str or Path, optional
            File that the state of the training is saved to after every epoch, and after every `checkpoint_every`
            batches of an epoch. It is replaced as a whole: there is always one that can be read.
        checkpoint_every : int, optional
            Batches between two checkpoints of an epoch.
        resume : bool
            Go on from the file `checkpoint` if there is one: the same call with the same data, killed at any point and
            repeated, ends with the same bytes. A training that was finished is not repeated; more `epochs` are added.

        Returns
        -------
        self
            Has ``classes_``, ``length_``, ``history_`` (lists loss, auc, val_loss, val_auc, learning_rate, seconds,
            one entry an epoch), ``best_epoch_`` (index into them) and ``random_state_``.

        Raises
        ------
        InvalidArgumentError
            If a hyper-parameter or a label is unusable, there is one class only, the loss becomes infinite or NaN, or
            the checkpoint is that of another training.
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
        saved = _saved_state(checkpoint, checkpoint_every, resume)
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
            # A number is a demand, that the checkpoint must have met; anything else draws a seed, once.
            is_given = isinstance(self.random_state, numbers.Integral)
            seed = draw_seed(self.random_state) if saved is None or is_given else saved.seed
            options = training_options(self, seed, self._threads())
            training, validation = self._hold_out(head, data, targets, validation, options)
            weights = head.weights(self.class_weight, classes, training)
            identity = None
            if checkpoint is not None:
                identity = identity_of(self.class_weight, layers, head, classes, options, training, validation)
            if saved is not None and identity is not None:
                saved.check(identity)
            run, before = None, self._model
            try:
                self._adopt(head, layers, data.shape[1], classes, options.seed)
                run = TrainingRun(self, training, validation, weights, options)
                if checkpoint is not None and identity is not None:
                    run.checkpoint = Checkpoint(checkpoint, checkpoint_every, identity)
                if saved is not None:
                    saved.restore(run, self)
                run.run(hooks, progress)
            except BaseException:
                # Ctrl-C too: a model is either trained a little or, before its first step or diverged, not fitted.
                # Layers that do not fit leave the model as it was.
                if self._model is not before and (run is None or not run.has_usable_weights):
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
            options = training_options(self, self.random_state_, self._threads())
            self._strands = options.reverse_complement
            rows = LabelledRows(data, targets, np.arange(len(data), dtype=np.int64))
            weights = head.weights(self.class_weight, self.classes_, rows)
            passes = len(self.history_["loss"])
            if self._trainer is None:
                # The seed moves with the passes done, so that training on after `fit` repeats no dropout masks.
                self._trainer_seed = (self.random_state_ + passes) % (1 << 64)
                self._trainer = self._new_trainer(self._trainer_seed)
            self._trainer.set_learning_rate(options.learning_rate)
            state = PassState()
            loss, auc = train_pass(self._trainer, head, rows, options, passes, weights, lambda rows: None, state)
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

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Writes the network as an ONNX file; see `deepmotif.interchange`.

        Parameters
        ----------
        path : str or Path
            The input is ``sequence`` (N, L, 4), the outputs ``scores`` and ``probabilities``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        MissingDependencyError
            Without onnx.
        """
        # The room of other libraries' models comes later than this one, and brings these libraries.
        importlib.import_module("deepmotif.interchange").to_onnx(self, path)

    def to_torch(self) -> Any:
        """The network as a ``torch.nn.Module`` of sequences (N, 4, L) that returns the scores.

        Raises
        ------
        NotFittedError
            Before `fit`.
        MissingDependencyError
            Without PyTorch.
        """
        return importlib.import_module("deepmotif.interchange").to_torch(self)


def _saved_state(checkpoint: Any, checkpoint_every: Any, resume: Any) -> SavedState | None:
    """The checkpoint to go on from, if there is one; checks the three arguments."""
    resume = check_flag(resume, "resume")
    if checkpoint_every is not None:
        check_whole(checkpoint_every, "checkpoint_every")
    if checkpoint is None:
        if resume or checkpoint_every is not None:
            raise InvalidArgumentError("resume and checkpoint_every need a checkpoint: give the path of its file")
        return None
    path = checked_path(checkpoint, "checkpoint")
    return read_checkpoint(path) if resume else None


def _callback_list(callbacks: Any) -> list[Callable[..., Any]]:
    hooks = [callbacks] if callable(callbacks) else list(callbacks)
    for hook in hooks:
        if not callable(hook):
            raise InvalidArgumentError(f"callbacks must be callables f(model, epoch, logs); got {hook!r}")
    return hooks
