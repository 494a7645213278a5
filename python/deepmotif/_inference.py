"""Predictor: what a fitted estimator can be asked. Models room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._blocks import run_in_blocks
from ._fitted import FittedModel
from ._outputs import Output
from ._validation import check_whole, format_classes
from .exceptions import InvalidArgumentError

Float = NDArray[np.float32]
Labels = NDArray[Any]


class Predictor(FittedModel):
    """Scores, probabilities, classes, activations."""

    __slots__ = ()

    def scores(self, X: Any) -> Float:
        """Scores before the softmax or sigmoid; the values themselves, or logarithms of rates, of a linear output.

        Parameters
        ----------
        X : sequence argument
            N sequences, of any length that the layers allow.

        Returns
        -------
        float32 array (N, C)
            Column c belongs to ``classes_[c]``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ShapeError
            If the sequences are too short; the message names the shortest length.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, 2).scores(["ACGTACGT", "TTTTTTTT"]).shape
        (2, 2)
        """
        with self._lock:
            data = self._read_fitted(X)
            scores = np.empty((len(data), len(self.classes_)), dtype=np.float32)
            threads = self._threads()

            def block(start: int, stop: int) -> None:
                scores[start:stop] = self._scores_of(data[start:stop], threads)

            run_in_blocks(len(data), data.shape[1], block)
            return scores

    def predict_proba(self, X: Any) -> Float:
        """Probabilities of the classes, or of each task.

        Parameters
        ----------
        X : sequence argument
            N sequences.

        Returns
        -------
        float32 array (N, C)
            Column c belongs to ``classes_[c]``; rows of classes sum to 1.

        Raises
        ------
        InvalidArgumentError
            If the output is linear.

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, ["bound", "free"])
        >>> model.predict_proba(["ACGTACGT"]).shape
        (1, 2)
        """
        with self._lock:
            scores, output = self.scores(X), self._head
        if not output.has_probabilities:
            raise InvalidArgumentError(
                "predict_proba needs classes or tasks; the output of this model is linear: use predict or scores"
            )
        return _native.output_apply(output.constant, scores)

    def decision_function(self, X: Any) -> Float:
        """Score of the positive class minus that of the other, (N,); for more classes or tasks the scores (N, C).

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.RNN(hidden=4, random_state=0).build(8, 2).decision_function(["ACGTACGT"]).shape
        (1,)
        """
        with self._lock:
            scores, output = self.scores(X), self._head
        if not output.has_probabilities:
            raise InvalidArgumentError("decision_function needs classes or tasks; the output of this model is linear")
        if output.name == "softmax":
            return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each sequence, (N,) of the kind of ``classes_``.

        Of tasks 0 or 1, of a linear output the values (rates with the Poisson loss): (N, C), for a single one (N,).

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, ["bound", "free"])
        >>> model.predict(["ACGTACGT"])[0] in ("bound", "free")
        True
        """
        with self._lock:
            return self._head.predict(self.scores(X), self.classes_)

    def score(self, X: Any, y: Any) -> float:
        """Area under the ROC curve, ties averaged; for more than two classes the mean of each against the rest.

        Of tasks the mean over those in which both labels occur; of a linear output the mean of Pearson's r over the
        values.

        Parameters
        ----------
        X : sequence argument
            N sequences.
        y : array-like (N,) or (N, C)
            Their labels; every class must occur, in tasks both labels of one at least.

        Examples
        --------
        >>> import deepmotif as dm
        >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, 2)
        >>> 0 <= model.score(["ACGTACGT", "AAAAAAAA"], [0, 1]) <= 1
        True
        """
        scores, targets, output = self._scores_and_targets(X, y)
        return output.score(scores, targets)

    def _scores_and_targets(self, X: Any, y: Any) -> tuple[Float, Labels, Output]:
        """Scores, targets that can be measured, and what both mean."""
        with self._lock:
            scores, classes, output = self.scores(X), self.classes_, self._head
        targets = output.encode(output.read(y, len(scores), "y"), classes)[:]  # labels in a file are read as a whole
        output.check_measurable(targets, classes)
        return scores, targets, output

    def activations(self, X: Any, layer: str | int) -> Float:
        """Output of one layer for the strand as given.

        Parameters
        ----------
        X : sequence argument
            N sequences.
        layer : str or int
            Name (kind and order, as in `summary`: ``"conv1d_0"``) or index; negative ones count from the end.

        Returns
        -------
        float32 array (N, W, K)
            W positions of K channels; (N, K) behind the layer that leaves no positions (a global pool).

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, 2).activations(["ACGTACGT"], "relu_0").shape
        (1, 6, 4)
        """
        with self._lock:
            data = self._read_fitted(X)
            engine, threads = self._engine, self._threads()
            index = self._layer_index(layer)
            shape = engine.layer_shape(index, data.shape[1])
            values = np.empty((len(data), *shape), dtype=np.float32)

            def block(start: int, stop: int) -> None:
                values[start:stop] = engine.activations(data[start:stop], index, threads)

            run_in_blocks(len(data), data.shape[1], block)
            has_positions = all(entry.keeps_positions for entry in self._layers[: index + 1])
            return values if has_positions else values[:, 0]

    def _layer_index(self, layer: str | int) -> int:
        names = self._engine.layer_names
        if isinstance(layer, str):
            if layer not in names:
                raise InvalidArgumentError(f"layer must be one of {names}; got {layer!r}")
            return names.index(layer)
        index = check_whole(layer, "layer", minimum=-len(names))
        if index >= len(names):
            raise InvalidArgumentError(f"layer must be a name or an index below {len(names)}; got {index}")
        return index % len(names)

    def _resolve_target(self, target: Any) -> int:
        """Column of `target`: a label or name if it is one of ``classes_``, else an index; None: see `Output`."""
        _ = self._engine
        values = self.classes_.tolist()
        if target is None:
            default = self._head.default_target(self.classes_)
            if default is None:
                raise InvalidArgumentError(
                    f"target is required for {len(values)} {self._head.columns}: one of "
                    f"{format_classes(self.classes_)} or an index"
                )
            return default
        plain = target.item() if isinstance(target, np.generic) else target
        if isinstance(plain, (str, bool, int, float)) and plain in values:
            return values.index(plain)
        if isinstance(plain, bool) or not isinstance(plain, int) or not 0 <= plain < len(values):
            raise InvalidArgumentError(
                f"target must be one of the labels {format_classes(self.classes_)} or an index from 0 to "
                f"{len(values) - 1}; got {target!r}"
            )
        return plain
