"""The three views of a model: saliency, temporal scores, class optimisation. Views room.

Lanchantin, Singh, Wang and Qi, "Deep Motif Dashboard", Pacific Symposium on Biocomputing 2017.
N sequences, L positions, 4 letters A C G T, R restarts.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import _native, _strand_views
from ._blocks import run_in_blocks
from ._class_optimization import ClassOptimization, class_optimization
from ._strand_views import reads_both_strands
from ._validation import check_flag
from ._views import check_model, label_of, progress_bar, quantity_of
from .exceptions import InvalidArgumentError

__all__ = [
    "ClassOptimization",
    "TemporalScores",
    "class_optimization",
    "input_gradients",
    "saliency",
    "temporal_scores",
]

Float = NDArray[np.float32]


def saliency(
    m: Any,
    X: Any,
    target: Any = None,
    *,
    signed: bool = False,
    output: str = "score",
    centered: bool = False,
    progress: bool | None = None,
) -> Float:
    """How much each position matters to a class: |gradient x input|, summed over the letters.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L)
        Strings, codes or (soft) letters.
    target : label or index, optional
        The class; for two classes the positive one by default.
    signed : bool
        Keep the sign: positive where the letter speaks for the class.
    output : {"score", "log_probability"}
        What is explained. The log-probability, the original program's choice, has a vanishing gradient for sequences
        that the model is sure of; the pre-softmax score has not.
    centered : bool
        Subtract from each position's gradient its mean over the four letters first, the part that points off the
        simplex of one-hot sequences.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    (N, L) float32
        0 where the letter is unknown.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If the target or an option is not one that the model has.
    ShapeError
        If the sequences are shorter than the model's layers allow.

    References
    ----------
    Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034; Lanchantin et al. 2017, section 2.2 (saliency maps);
    Majdandzic and Koo 2022, Genome Biology 24:109 (`centered`).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> values = dm.saliency(model, X[:3])
    >>> values.shape, bool((values >= 0).all())
    ((3, 40), True)
    """
    flags = _native.SALIENCY_SIGNED if check_flag(signed, "signed") else 0
    flags |= _native.SALIENCY_CENTERED if check_flag(centered, "centered") else 0
    with check_model(m)._lock:
        X, index, quantity = m._read_fitted(X), m._resolve_target(target), quantity_of(m, output)
        engine, threads = m._engine, m._threads()

        def compute(block: NDArray[Any]) -> Float:
            if reads_both_strands(m):
                return _strand_views.saliencies(m, block, index, quantity, flags, threads)
            return engine.saliency(block, index, quantity, m._output, flags, threads)

        return _in_blocks(compute, X, X.shape[:2], progress, "saliency")


def input_gradients(
    m: Any,
    X: Any,
    target: Any = None,
    *,
    output: str = "score",
    centered: bool = False,
    progress: bool | None = None,
) -> Float:
    """Gradient of a class with respect to every letter at every position, the absent ones too.

    Parameters
    ----------
    m, X, target, output, centered, progress
        As in `saliency`. With `centered` the four values of a position sum to zero.

    Returns
    -------
    (N, L, 4) float32
        The gradient at the input as given; soft letters are taken as they are. Unknown letters have a gradient too:
        what a letter in their place would change, to first order.

    Raises
    ------
    NotFittedError, InvalidArgumentError, ShapeError
        As in `saliency`.

    References
    ----------
    Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> dm.input_gradients(model, X[:3]).shape
    (3, 40, 4)
    """
    flags = _native.SALIENCY_CENTERED if check_flag(centered, "centered") else 0
    with check_model(m)._lock:
        X, index, quantity = m._read_fitted(X), m._resolve_target(target), quantity_of(m, output)
        engine, threads = m._engine, m._threads()

        def compute(block: NDArray[Any]) -> Float:
            if reads_both_strands(m):
                return _strand_views.gradients(m, block, index, quantity, flags != 0, threads)
            return engine.input_gradient(block, index, quantity, m._output, flags, threads)

        return _in_blocks(compute, X, (*X.shape[:2], 4), progress, "input gradients")


class TemporalScores(namedtuple("TemporalScores", ["forward", "backward"])):
    """Probabilities of one class on all prefixes and all suffixes; unpacks as ``forward, backward``.

    Attributes
    ----------
    forward, backward : (N, L) float32
        ``forward[:, i]`` after positions 0 ... i, ``backward[:, i]`` from positions i ... L-1.
    target : label
        The class.
    probability : (N,) float32
        That of the whole sequences, where both directions meet.
    """

    target: Any

    def __new__(cls, forward: Float, backward: Float, target: Any = None) -> Self:
        self = super().__new__(cls, forward, backward)
        self.target = target
        return self

    @property
    def probability(self) -> Float:
        return self.forward[:, -1]


def temporal_scores(m: Any, X: Any, target: Any = None, *, progress: bool | None = None) -> TemporalScores:
    """What a model with an LSTM or GRU says after each position, read from either end.

    Every score is that of the whole model, in both of its directions, on the part of the sequence that was read. Layers
    before the first recurrent one (the convolution of a CNN-RNN) run once on the whole sequence; their output is cut.

    Parameters
    ----------
    m : model
        A fitted model with an LSTM or GRU layer (``m.is_recurrent``).
    X : sequences (N, L)
        Strings, codes or (soft) letters.
    target : label or index, optional
        The class; for two classes the positive one by default.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    TemporalScores
        ``.forward`` and ``.backward`` (N, L) float32, probabilities (scores where the model's output is linear).

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If the model has no LSTM or GRU, or not this target.
    ShapeError
        If a layer behind the first recurrent one cannot read a single position, or the sequences are too short.

    References
    ----------
    Lanchantin, Singh, Wang and Qi 2017, section 2.2 (temporal output scores).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.RNN(hidden=8, epochs=2, random_state=0).fit(X, y)
    >>> forward, backward = dm.temporal_scores(model, X[:3])
    >>> forward.shape
    (3, 40)
    >>> bool(abs(forward[:, -1] - model.predict_proba(X[:3])[:, 1]).max() < 1e-6)
    True
    """
    with check_model(m)._lock:
        if not m.is_recurrent:
            raise InvalidArgumentError(
                "temporal scores need a model with an LSTM or GRU layer, such as RNN or CNNRNN; "
                f"this {type(m).__name__} has none"
            )
        X, index = m._read_fitted(X), m._resolve_target(target)
        forward = _cut_scores(m, X, index, _native.DIRECTION_FORWARD, progress, "temporal scores, forward")
        backward = _cut_scores(m, X, index, _native.DIRECTION_BACKWARD, progress, "temporal scores, backward")
        return TemporalScores(forward, backward, label_of(m, index))


def _cut_scores(m: Any, X: NDArray[Any], index: int, direction: int, progress: bool | None, label: str) -> Float:
    """Probability (N, L) on every cut of one direction."""
    engine, threads = m._engine, m._threads()

    def compute(block: NDArray[Any]) -> Float:
        if reads_both_strands(m):
            return _strand_views.cut_scores(m, block, index, direction, threads)
        return engine.temporal_scores(block, index, m._output, direction, threads)

    # A sequence stands for as many as it has cuts, half as long on average.
    return _in_blocks(compute, X, X.shape[:2], progress, label, cost=max(X.shape[1] // 2, 1))


def _in_blocks(
    compute: Callable[[NDArray[Any]], Float],
    X: NDArray[Any],
    shape: tuple[int, ...],
    progress: bool | None,
    label: str,
    cost: int = 1,
) -> Float:
    """`compute` over blocks of the sequences, each position as dear as `cost`; between two blocks Ctrl-C is heard."""
    result = np.empty(shape, dtype=np.float32)

    def call(start: int, stop: int) -> None:
        result[start:stop] = compute(X[start:stop])

    with progress_bar(progress, len(X), label) as advance:
        run_in_blocks(len(X), X.shape[1] * cost, call, advance)
    return result
