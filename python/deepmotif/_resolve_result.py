"""DeepResolve: what an ascent of feature maps says about one class, in memory and as a file. Views room; private."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import _importance as formulas
from ._archive import read_archive, write_archive
from ._reading import checked_path
from .exceptions import FileFormatError

Float = NDArray[np.float32]
Values = NDArray[np.float64]

_ARRAYS = (
    "scores", "objectives", "steps", "converged", "dead", "weights", "fiv", "inconsistency", "bic", "non_additive",
    "ofiv",
)  # fmt: skip
_FACTS = ("target", "index", "layer", "mode", "l2", "learning_rate", "n_components", "variance_floor")
_EXPECTED = "a result of deepresolve"


@dataclass(frozen=True, eq=False, repr=False)
class DeepResolve:
    """What the channels of one layer mean to one class. T restarts, W positions, K channels.

    Attributes
    ----------
    maps : (T, W, K) float32
        The optimised feature maps (FIM). Read from the file on every access where the run had a directory.
    scores : (T,) float32
        Class score of each map before the output function; in published mode the highest that the restart saw.
    objectives : (T,) float64
        Highest score minus l2 x ||H||^2 of each restart.
    steps : (T,) int64
    converged : (T,) bool
        False where the restart ran out of steps.
    dead : (T,) bool
        Restarts that ended where the score does not depend on the map at all (every hidden unit is off): they say
        nothing and have weight 0.
    weights : (T,) float64
    fiv : (T, K) float64
        Feature importance vectors: means of the maps over the positions.
    inconsistency : (K,) float64
        Weighted variance of each channel's importance over the restarts (IL).
    n_components : int
        Components of the mixture on the inconsistency levels, 1 to 3.
    bic : (3,) float64
        Of 1, 2 and 3 components.
    variance_floor : float
        Least variance of a component.
    non_additive : (K,) bool
        Channels outside of the component of lowest mean.
    ofiv : (K,) float64
        Overall importance of each channel.
    target : label
        The class; ``index`` is its column in the scores.
    layer : str
        The layer whose output the maps are ("input": the letters).
    mode, l2, learning_rate
        As used; with ``l2="auto"`` the values found.
    """

    _maps: Float | Path
    scores: Float
    objectives: Values
    steps: NDArray[np.int64]
    converged: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    weights: Values
    fiv: Values
    inconsistency: Values
    bic: Values
    non_additive: NDArray[np.bool_]
    ofiv: Values
    target: Any
    index: int
    layer: str
    mode: str
    l2: float
    learning_rate: float
    n_components: int
    variance_floor: float
    _order: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_order", np.argsort(-self.ofiv, kind="stable"))

    @classmethod
    def from_maps(cls, maps: Float, scores: Float, dead: NDArray[np.bool_], mode: str, **facts: Any) -> Self:
        """The result of optimised maps: importance, inconsistency, mixture and overall importance."""
        fiv = formulas.importance_vectors(maps)
        weights = formulas.restart_weights(scores, dead)
        levels = formulas.inconsistency_levels(fiv, weights)
        published = mode == "published"
        living = fiv[weights > 0]
        floor = formulas.PUBLISHED_FLOOR if published else formulas.relative_floor(levels, living)
        n_components, outside, bic = formulas.fit_mixture(levels, floor)
        # The authors' program draws no conclusion from the mixture.
        split = np.zeros_like(outside) if published else outside
        ofiv = formulas.overall_importance(fiv, weights, split)
        return cls(
            maps, scores=scores, dead=dead, weights=weights, fiv=fiv, inconsistency=levels, bic=bic,
            non_additive=outside, ofiv=ofiv, mode=mode, n_components=n_components, variance_floor=floor, **facts,
        )  # fmt: skip

    def __repr__(self) -> str:
        restarts, channels = self.fiv.shape
        return (
            f"DeepResolve(target={self.target!r}, layer={self.layer!r}, {restarts} restarts, "
            f"{int(self.dead.sum())} dead, {channels} channels, {int(self.non_additive.sum())} non-additive)"
        )

    @property
    def maps(self) -> Float:
        return _read(self._maps)[0]["maps"] if isinstance(self._maps, Path) else self._maps

    @property
    def ranking(self) -> NDArray[np.intp]:
        """(K,) channel indices, the largest OFIV first."""
        return self._order

    @property
    def signs(self) -> NDArray[np.int8]:
        """(T, K) -1, 0 or 1: the sign of each FIV; 0 below 1e-3 of the largest magnitude and without weight."""
        return formulas.signs(self.fiv, self.weights)

    def save(self, path: Any) -> None:
        """Writes the result as an ``.npz`` file without code or pickles.

        Raises
        ------
        FileWriteError
            If it cannot be written; what stood there is unchanged.
        """
        arrays = {name: getattr(self, name) for name in ("maps", *_ARRAYS)}
        facts = json.dumps({name: getattr(self, name) for name in _FACTS})
        write_archive(checked_path(path), arrays | {"facts": np.array(facts)})

    @classmethod
    def load(cls, path: Any) -> Self:
        """Reads what `save` wrote; the maps stay in the file until they are asked for.

        Raises
        ------
        FileNotFound
            If there is no such file.
        FileFormatError
            If it is of another kind or damaged.
        """
        place = checked_path(path)
        arrays, facts = _read(place)
        arrays.pop("maps")
        return cls(place, **arrays, **facts)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and facts of a result's file."""
    arrays = read_archive(path, ("maps", *_ARRAYS, "facts"), _EXPECTED)
    try:
        facts = json.loads(str(arrays.pop("facts")))
        restarts, _, channels = arrays["maps"].shape
        sizes = {"fiv": (restarts, channels), "scores": (restarts,), "ofiv": (channels,), "weights": (restarts,)}
        if set(facts) != set(_FACTS) or any(arrays[name].shape != size for name, size in sizes.items()):
            raise ValueError("its arrays do not fit together")
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{path}: expected {_EXPECTED}; {error}") from None
    return arrays, facts
