"""FittedModel: the engine behind an estimator: its weights, its state, its layers. Models room; private."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._input import as_input
from ._options import check_choice
from ._outputs import Output, output_named
from ._parameters import Parameters
from ._stored import opened, stored_sequences
from ._strands import MODES, combined_scores
from ._training import HISTORY_KEYS
from ._validation import check_threads, check_whole, draw_seed, format_classes, not_fitted
from .exceptions import InvalidArgumentError, ShapeError
from .layers import Flatten, Layer, count_parameters, engine_options, minimum_length

Float = NDArray[np.float32]

_LEARNED = (
    "classes_",
    "length_",
    "history_",
    "best_epoch_",
    "random_state_",
    "_layers",
    "_head",
    "_strands",
    "_trainer_seed",
)


class FittedModel(Parameters):
    """An engine behind an estimator. Calls from several threads wait for each other."""

    # Slots keep the handles out of vars(self): scikit-learn wants nothing there after the constructor but parameters.
    __slots__ = ("__dict__", "__weakref__", "_lock", "_model", "_trainer")

    # Hyper-parameters that every estimator declares in a place of its own among its arguments.
    output: str
    loss: str | None
    reverse_complement: str
    epochs: int
    batch_size: int
    learning_rate: float
    n_threads: Any
    random_state: Any
    classes_: NDArray[Any]
    length_: int
    history_: dict[str, list[float]]
    best_epoch_: int | None
    random_state_: int
    _layers: list[Layer]
    _trainer_seed: int
    _lock: threading.RLock
    _model: _native.Model | None
    _trainer: _native.Trainer | None

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        self = super().__new__(cls)
        self._lock = threading.RLock()
        self._model = None
        self._trainer = None
        return self

    # ---- the engine ----

    # Of models pickled when there was no other; like the layers it is the fitted model's, not the hyper-parameters'.
    _head: Output = output_named("softmax")
    _strands: str = "none"

    @property
    def _output(self) -> int:
        return self._head.constant

    def _new_head(self) -> Output:
        """What the hyper-parameters say of the scores."""
        return output_named(self.output, self.loss)

    def _network(self, n_classes: int) -> list[Layer]:
        """The layers that the hyper-parameters ask for, up to the scores of so many classes."""
        raise NotImplementedError

    @property
    def _engine(self) -> _native.Model:
        if self._model is None:
            raise not_fitted(
                f"This {type(self).__name__} instance is not fitted yet: call fit, build or deepmotif.load before this"
            )
        return self._model

    def _threads(self) -> int:
        return check_threads(self.n_threads)

    def _read(self, X: Any, name: str = "X") -> Any:
        """Codes (N, L) or letters (N, L, 4) of a sequence argument; what is in a file stays there."""
        X = opened(X, "X")
        stored = stored_sequences(X, name)
        return as_input(X, name) if stored is None else stored

    def _scores_of(self, block: NDArray[Any], threads: int) -> Float:
        """Scores (n, C) of a block, of both strands where they are read together."""
        engine = self._engine
        return combined_scores(self._strands, lambda strand: engine.scores(strand, threads), block)

    def _check_length(self, layers: Sequence[Layer], length: int, what: str = "the length L of X") -> None:
        minimum = minimum_length(layers)
        if length < minimum:
            raise ShapeError(f"{what} must be at least {minimum} positions for {self!r}; got {length}")

    def _read_fitted(self, X: Any) -> Any:
        """`_read` with a check that the fitted network takes the length."""
        _ = self._engine
        data = self._read(X)
        self._check_fitted_length(data.shape[1])
        return data

    def _check_fitted_length(self, length: int) -> None:
        if length == self.length_:
            return
        self._check_length(self._layers, length)
        if any(isinstance(layer, Flatten) for layer in self._layers):
            raise ShapeError(
                f"X must have sequences of {self.length_} positions, as in training, because the network has a Flatten "
                f"layer; got {length} positions"
            )

    def _adopt(self, head: Output, layers: list[Layer], length: int, classes: NDArray[Any], seed: int) -> None:
        """Replaces whatever was learned by an untrained engine."""
        count_parameters(layers, length)  # refuses layers that do not fit on each other, before anything is forgotten
        model = _native.Model(engine_options(layers), length, seed)
        given = model.layer_shape(-1, length)
        if given != (1, len(classes)):
            raise ShapeError(
                f"the layers must end in one score for each of the {len(classes)} {head.columns}, as a "
                f"Dense({len(classes)}) behind a global pool or Flatten; got {given[0]} positions x {given[1]} scores"
            )
        self._forget()
        self._head = head
        self._strands = check_choice(self.reverse_complement, "reverse_complement", MODES)
        self._layers = layers
        self.length_ = length
        self.classes_ = classes
        self.random_state_ = seed
        self.history_ = {key: [] for key in HISTORY_KEYS}
        self.best_epoch_ = None
        self._model = model

    def _forget(self) -> None:
        self._model = None
        self._trainer = None
        for name in _LEARNED:
            vars(self).pop(name, None)

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = dict(vars(self))
            if self._model is not None:
                state["_parameters"] = self._model.get_parameters()
            if self._trainer is not None:
                state["_optimizer"] = self._trainer.get_state()
            return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        parameters = state.pop("_parameters", None)
        optimizer = state.pop("_optimizer", None)
        vars(self).update(state)
        if parameters is not None:
            self._model = _native.Model(engine_options(self._layers), self.length_, self.random_state_)
            self._model.set_parameters(parameters)
        if optimizer is not None:
            self._trainer = self._new_trainer(self._trainer_seed)
            self._trainer.set_state(optimizer)

    def _new_trainer(self, seed: int) -> _native.Trainer:
        raise NotImplementedError

    # ---- weights ----

    def build(self, length: int, classes: int | Iterable[Any] = 2) -> Self:
        """Makes an untrained model with random weights, to be filled by `set_weights` or trained by `partial_fit`.

        Parameters
        ----------
        length : int
            Length L of the sequences.
        classes : int or sequence of labels
            Number of classes (labels 0 ... C-1), or the labels; of tasks or values for the other outputs.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.CNN().build(101, 2).n_parameters_
        136322
        """
        length = check_whole(length, "length")
        head = self._new_head()
        labels = head.named(classes)
        with self._lock:
            layers = self._network(len(labels))
            self._check_length(layers, length, "length")
            self._adopt(head, layers, length, labels, draw_seed(self.random_state))
        return self

    @property
    def weights_(self) -> dict[str, Float]:
        """Copies of all weights by name, in the order of the layers, in PyTorch's shapes (gates i, f, g, o)."""
        engine = self._engine
        flat, start, weights = engine.get_parameters(), 0, {}
        for name, shape in engine.parameter_info:
            size = int(np.prod(shape))
            weights[name] = flat[start : start + size].reshape(shape).copy()
            start += size
        return weights

    def set_weights(self, weights: Mapping[str, Any]) -> Self:
        """Replaces all weights.

        Parameters
        ----------
        weights : mapping
            Array by name, the names and shapes of `weights_`.

        Raises
        ------
        InvalidArgumentError
            If a name is missing or unknown, or a value is not finite.
        ShapeError
            If a shape differs.

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.RNN(hidden=4).build(8, 2)
        >>> weights = model.weights_
        >>> weights["dense_0.bias"][:] = 0
        >>> model.set_weights(weights).weights_["dense_0.bias"]
        array([0., 0.], dtype=float32)
        """
        with self._lock:
            engine = self._engine
            engine.set_parameters(pack_weights(engine.parameter_info, weights))
            self._trainer = None
        return self

    @property
    def n_parameters_(self) -> int:
        """Number of trained parameters."""
        return self._engine.n_parameters

    @property
    def n_features_in_(self) -> int:
        """Positions of the training sequences, under scikit-learn's name."""
        _ = self._engine
        return self.length_

    @property
    def is_recurrent(self) -> bool:
        """Whether the network has an LSTM or GRU layer, and so temporal output scores."""
        layers = self._layers if self._model is not None else self._network(2)
        return any(layer.is_recurrent for layer in layers)

    def summary(self) -> str:
        """Table of the layers: name, output shape for the training length, number of parameters.

        Examples
        --------
        >>> import deepmotif as dm
        >>> print(dm.CNN(filters=4, kernel_sizes=(3,)).build(8, 2).summary())
        CNN on 8 positions, classes [0, 1]
        layer              output  parameters
        conv1d_0            6 x 4          52
        relu_0              6 x 4           0
        dropout_0           6 x 4           0
        global_max_pool1d_0     4           0
        dense_0                 2          10
        total                              62
        """
        engine = self._engine
        rows = [("layer", "output", "parameters")]
        channels, positions = 4, True
        for index, (name, layer) in enumerate(zip(engine.layer_names, self._layers, strict=True)):
            count = layer.n_parameters(channels)
            length, channels = engine.layer_shape(index, self.length_)
            positions = positions and layer.keeps_positions
            rows.append((name, f"{length} x {channels}" if positions else str(channels), f"{count:,}"))
        rows.append(("total", "", f"{engine.n_parameters:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{name:<{widths[0]}}  {shape:>{widths[1]}}  {count:>{widths[2]}}" for name, shape, count in rows]
        title = (
            f"{type(self).__name__} on {self.length_} positions, {self._head.columns} {format_classes(self.classes_)}"
        )
        return "\n".join([title, *lines])


def pack_weights(info: list[tuple[str, tuple[int, ...]]], weights: Mapping[str, Any]) -> Float:
    """Named arrays as the engine's one vector."""
    names = [name for name, _ in info]
    missing = [name for name in names if name not in weights]
    unknown = [name for name in weights if name not in names]
    if missing or unknown:
        raise InvalidArgumentError(
            f"weights must have exactly the names {names}; missing: {missing or 'none'}, unknown: {unknown or 'none'}"
        )
    parts = []
    for name, shape in info:
        array = np.asarray(weights[name])
        if array.shape != tuple(shape):
            raise ShapeError(f"weights[{name!r}] must have shape {tuple(shape)}; got {array.shape}")
        if array.dtype.kind not in "fiu":
            raise InvalidArgumentError(f"weights[{name!r}] must be numbers; got dtype {array.dtype}")
        with np.errstate(over="ignore"):
            part = array.astype(np.float32).ravel()
        if not np.isfinite(part).all():
            raise InvalidArgumentError(f"weights[{name!r}] must be finite in float32; got NaN or infinity")
        parts.append(part)
    return np.concatenate(parts)
