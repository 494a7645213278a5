"""Class optimisation: the input that a class likes best, by gradient ascent. Views room."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native, _strand_views
from ._blocks import run_in_blocks
from ._fitted import FittedModel
from ._strand_views import reads_both_strands
from ._validation import check_number, check_whole, draw_seed
from ._views import check_model, label_of, progress_bar, quantity_of
from .exceptions import InvalidArgumentError, ShapeError
from .sequences import as_input, one_hot

Float = NDArray[np.float32]

# Logit of a held letter's absence: exp(-200) is 0 in float32, so a held one-hot position stays exactly one-hot.
_ABSENT = np.float32(-200.0)

# The search for starts: the score, as its gradient does not vanish, and a penalty to keep X near the size of letters.
_SEARCH = {
    "quantity": _native.TARGET_SCORE,
    "softmax": False,
    "l2": 1.0,
    "learning_rate": 0.05,
    "alpha": 0.99,
    "epsilon": 1e-8,
}


@dataclass(frozen=True, eq=False, repr=False)
class ClassOptimization:
    """Result of `class_optimization`.

    Attributes
    ----------
    inputs : (R, L, 4) float32
        The optimised inputs: unclamped, or distributions with ``parametrization="softmax"``.
    pwm : (R, L, 4) float32
        The same as probability matrices.
    scores : (R,) float32
        Score of the class, before softmax or sigmoid, at `inputs`.
    objective : (R, steps) float32
        What is maximised; column i before update i.
    best : int
        The restart whose objective ended highest.
    target : label
        The class.
    """

    inputs: Float
    pwm: Float
    scores: Float
    objective: Float
    best: int
    target: Any = None

    def __repr__(self) -> str:
        restarts, length, _ = self.inputs.shape
        return (
            f"<ClassOptimization of class {self.target!r}: {restarts} restarts of length {length}, "
            f"{self.objective.shape[1]} steps, best {self.best} with score {self.scores[self.best]:.4g}>"
        )


def class_optimization(
    m: Any,
    target: Any = None,
    *,
    length: int | None = None,
    l2: float = 0.009,
    learning_rate: float = 0.05,
    steps: int = 1000,
    restarts: int = 1,
    random_state: Any = 0,
    output: str | None = None,
    parametrization: str = "clamp",
    start: Any = None,
    fixed: Any = None,
    search_steps: int = 300,
    alpha: float = 0.99,
    epsilon: float = 1e-8,
    progress: bool | None = None,
) -> ClassOptimization:
    """Find the inputs X that maximise a class minus ``l2 * ||X||^2``, by RMSProp with the model's weights held.

    Parameters
    ----------
    m : model
        A fitted model.
    target : label or index, optional
        The class; for two classes the positive one by default.
    length : int, optional
        Length L of the inputs; that of training, or of `start`, by default.
    l2 : float
        Weight of the penalty on the squared norm.
    learning_rate, alpha, epsilon : float
        RMSProp's, as PyTorch defines them.
    steps : int
        Number of updates.
    restarts : int
        Number R of independent starts; they run in one batch.
    random_state : None, int, Generator or RandomState
        Of the starts: uniform in [0, 1).
    output : {"log_probability", "score"}, optional
        What is maximised: the log of the class's probability, as the paper does, or its score. None: the former where
        the model has probabilities.
    parametrization : {"clamp", "softmax"}
        "clamp": X is free and `pwm` is X clamped to [0, 1], divided by its maximum, 0.01 added, each position
        normalised. "softmax": X is the softmax of free variables, a distribution at every position, and `pwm` is X.
    start : sequence, sequences (R, L) or array (L, 4) or (R, L, 4), optional
        Start from here instead. With "softmax", 0.01 is added to the letters of positions that are not held (a letter
        of probability 0 would have no slope), and an unknown letter is one quarter of each.
    fixed : bool mask (L,) or list of positions, optional
        Positions that keep the letters of `start`.
    search_steps : int
        With "softmax" and no `start`: steps of free inputs that look for places to start from, see the notes.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    ClassOptimization

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If an argument is out of its range, or the ascent diverges (the message names the step).
    ShapeError
        If `start` or `fixed` do not have the length, or the length is too short for the model.

    Notes
    -----
    Free inputs may sum to anything, and a model may be certain of inputs unlike any sequence: RMSProp's steps have
    about the length of the learning rate however small the gradient, and once the class is certain the penalty shrinks
    X until it is as small as the steps. Distributions stay near the sequences, but a network of rectifiers gives no
    direction far from its motif. So "softmax" first lets free inputs climb the score minus ``||X||^2`` for
    `search_steps` steps (not part of `objective`) and starts from their likeliest letters; with 0 it starts from random
    sequences. What does not matter to the class the penalty makes level: the logo shows what does.

    References
    ----------
    Lanchantin, Singh, Wang and Qi 2017, section 2.2 (class optimisation); Simonyan, Vedaldi and Zisserman 2014.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> result = dm.class_optimization(model, restarts=2, steps=50)
    >>> result.pwm.shape, result.objective.shape
    ((2, 40, 4), (2, 50))
    >>> bool((result.objective[:, -1] > result.objective[:, 0]).all())
    True
    """
    steps, restarts = check_whole(steps, "steps"), check_whole(restarts, "restarts")
    search_steps = check_whole(search_steps, "search_steps", minimum=0)
    is_softmax = _is_softmax(parametrization)
    options = {
        "softmax": is_softmax,
        "l2": check_number(l2, "l2", 0.0),
        "learning_rate": check_number(learning_rate, "learning_rate", 0.0, open_minimum=True),
        "alpha": check_number(alpha, "alpha", 0.0, 1.0, open_maximum=True),
        "epsilon": check_number(epsilon, "epsilon", 0.0, open_minimum=True),
    }
    with check_model(m)._lock:
        index = m._resolve_target(target)
        if output is None:
            output = "log_probability" if m._head.has_probabilities else "score"
        options |= {"target": index, "quantity": quantity_of(m, output), "output": m._output, "threads": m._threads()}
        if start is None:
            length = m.length_ if length is None else check_whole(length, "length")
            if fixed is not None:
                raise InvalidArgumentError("fixed holds positions of start: give start as well")
            _check_length(m, length)
            mask, drawn = None, _native.random_uniform(draw_seed(random_state), restarts, length * 4)
            variables = drawn.reshape(restarts, length, 4)
            if is_softmax:
                _ascend(m, variables, search_steps, None, options | _SEARCH, progress, "search")
                variables = _logits(one_hot(variables.argmax(axis=2).astype(np.uint8)), None)
        else:
            letters = _read_start(start, length, restarts)
            _check_length(m, letters.shape[1])
            mask = None if fixed is None else _read_fixed(fixed, letters.shape[1])
            variables = _logits(letters, mask) if is_softmax else letters
        objective = _ascend(m, variables, steps, mask, options, progress, "class optimisation")
        inputs = _letters(variables) if is_softmax else variables
        scores = m._scores_of(inputs, m._threads())[:, index].copy()
    pwm = inputs.copy() if is_softmax else _native.class_optimization_matrix(inputs)
    return ClassOptimization(inputs, pwm, scores, objective, int(np.argmax(objective[:, -1])), label_of(m, index))


def _check_length(m: Any, length: int) -> None:
    """ShapeError where the layers cannot read this length."""
    m._check_length(m._layers, length, "length")
    m._engine.layer_shape(-1, length)


def _ascend(
    m: FittedModel, variables: Float, steps: int, mask: Any, options: dict[str, Any], progress: bool | None, label: str
) -> Float:
    """Runs all steps on `variables`, in place; between two calls of the engine Ctrl-C is heard."""
    squares = np.zeros_like(variables)
    optimize = m._engine.class_optimization
    if reads_both_strands(m):
        optimize = functools.partial(_strand_views.optimize, m)
    objective = np.empty((len(variables), steps), dtype=np.float32)

    def call(first: int, last: int) -> None:
        objective[:, first:last] = optimize(variables, squares, last - first, fixed=mask, **options)

    with progress_bar(progress, steps, label, "step") as advance:
        run_in_blocks(steps, variables.shape[0] * variables.shape[1], call, advance)
    return objective


def _is_softmax(parametrization: Any) -> bool:
    if not isinstance(parametrization, str) or parametrization not in ("clamp", "softmax"):
        raise InvalidArgumentError(f"parametrization must be 'clamp' or 'softmax'; got {parametrization!r}")
    return parametrization == "softmax"


def _read_start(start: Any, length: int | None, restarts: int) -> Float:
    """The given starts as letters (R, L, 4), a new array."""
    if isinstance(start, np.ndarray):
        is_codes = start.ndim == 1 and start.dtype.kind in "iu"
        is_letters = start.ndim == 2 and start.shape[1] == 4 and start.dtype.kind == "f"
        start = start[None] if is_codes or is_letters else start
    letters = np.array(one_hot(as_input(start, name="start")), dtype=np.float32, order="C")
    if len(letters) == 0:
        raise ShapeError("start must hold at least one sequence; got none")
    if restarts not in (1, len(letters)):
        raise InvalidArgumentError(
            f"restarts must be 1 or the number of starts, {len(letters)}: the ascent draws no random numbers, so that "
            f"equal starts end equally; got {restarts}"
        )
    if length is not None and length != letters.shape[1]:
        raise ShapeError(f"start must have the length {length}; got {letters.shape[1]}")
    return letters


def _read_fixed(fixed: Any, length: int) -> NDArray[np.uint8]:
    """The held positions as a mask (L,)."""
    given = np.asarray(fixed)
    if given.dtype == np.bool_:
        if given.shape != (length,):
            raise ShapeError(f"fixed must be a mask of length {length} or a list of positions; got shape {given.shape}")
        return np.ascontiguousarray(given, dtype=np.uint8)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidArgumentError(
            f"fixed must be a mask of length {length} or a list of positions; got {type(fixed).__name__} of shape "
            f"{given.shape} and dtype {given.dtype}"
        )
    outside = given[(given < 0) | (given >= length)] if given.size else given
    if len(outside):
        raise InvalidArgumentError(f"fixed must name positions from 0 to {length - 1}; got {outside[0]}")
    mask = np.zeros(length, dtype=np.uint8)
    mask[given.astype(np.intp)] = 1
    return mask


def _logits(letters: Float, mask: NDArray[np.uint8] | None) -> Float:
    """Free variables whose softmax is `letters`, softened where they are not held."""
    if (letters < 0).any():
        raise InvalidArgumentError("start must have no negative letters with parametrization='softmax'")
    held = np.zeros(letters.shape[1], dtype=bool) if mask is None else mask.astype(bool)
    weights = letters + np.where(held, 0.0, 0.01).astype(np.float32)[None, :, None]
    weights = np.where(weights.sum(-1, keepdims=True) > 0, weights, np.float32(0.25))
    present = np.where(weights > 0, weights, np.float32(1.0))
    return np.ascontiguousarray(np.where(weights > 0, np.log(present), _ABSENT), dtype=np.float32)


def _letters(logits: Float) -> Float:
    """The distributions of free variables."""
    return _native.output_apply(_native.OUTPUT_SOFTMAX, logits.reshape(math.prod(logits.shape[:2]), 4)).reshape(
        logits.shape
    )
