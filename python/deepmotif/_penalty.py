"""The penalty on feature maps: the lambda that keeps an ascent near what real sequences give. Views room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ascent import Ascent, part_scores, starts
from ._factorial import log_odds
from ._places import activations_at, place_name
from .exceptions import InvalidArgumentError, ShapeError

Float = NDArray[np.float32]

#: The paper's lambda.
DEFAULT_L2 = 2.8

#: What lambda may be looked for by.
SEARCHES = ("auto", "boundary")

# Sequences, restarts and steps that are enough to see the size of a map.
_SEQUENCES, _RESTARTS, _STEPS, _ROUNDS, _CLASSES = 256, 3, 1000, 8, 8


def find_l2(
    m: Any, place: int, shape: tuple[int, int], classes: list[int], seed: int, X: Any, learning_rate: float, by: str
) -> float:
    """The lambda for which optimised maps are as large as real ones ("auto"), or just make up a class ("boundary").

    Behind layers that are linear between their kinks the optimum is the slope divided by 2 lambda, so a map that is so
    many times too large, or leads so many times too far from the score of an empty map, asks for so many times as large
    a lambda.
    """
    classes = classes[:_CLASSES]
    excess = _norms(m, place, X, seed) if by == "auto" else _scores(m, place, shape, classes)
    l2 = DEFAULT_L2
    start = starts("paper", seed, _RESTARTS, *shape)
    for _ in range(_ROUNDS):
        rate = learning_rate * DEFAULT_L2 / l2
        ascent = Ascent(m._engine, place + 1, start, classes, l2, rate, _STEPS, m._threads())
        ascent.run(lambda stopped: None)
        factor = excess(ascent)
        if factor == 0 or 0.9 < factor < 1.1:
            break
        l2 *= min(max(factor, 0.1), 10.0)
    return l2


def _norms(m: Any, place: int, X: Any, seed: int) -> Any:
    """How many times as large as the mean feature map of sequences the maps of an ascent are."""
    from .simulation import simulate

    if X is None:
        X, _ = simulate(_SEQUENCES, length=m.length_, random_state=seed)
    data = m._read_fitted(X)
    rows = np.random.default_rng(seed).permutation(len(data))[:_SEQUENCES]
    if not len(rows):
        raise ShapeError("X must hold at least one sequence; got 0")
    wanted = float(np.linalg.norm(activations_at(m, place, data[np.sort(rows)]).mean(axis=0)))
    if wanted == 0:
        raise InvalidArgumentError(
            f"l2='auto' needs sequences that activate {place_name(m, place)}: its mean activation is 0"
        )
    return lambda ascent: float(np.median(np.linalg.norm(ascent.best_maps, axis=(1, 2)))) / wanted


def _scores(m: Any, place: int, shape: tuple[int, int], classes: list[int]) -> Any:
    """How many times as far from the odds of an empty map as even odds those of the maps of an ascent are."""

    def odds(maps: Float, target: int) -> float:
        return float(np.median(log_odds(m, part_scores(m._engine, place + 1, maps, m._threads()), target)))

    empty = np.array([odds(np.zeros((1, *shape), dtype=np.float32), target) for target in classes])
    below = empty < 0
    if not below.any():
        raise InvalidArgumentError("l2='boundary' needs a class that an empty feature map speaks against")

    def excess(ascent: Ascent) -> float:
        maps = ascent.best_maps.reshape(len(classes), -1, *shape)
        reached = np.array([odds(own, target) for own, target in zip(maps, classes, strict=True)])
        return float(np.median((reached - empty)[below] / -empty[below]))

    return excess
