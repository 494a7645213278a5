"""Gradient ascent on feature maps: starts, blocks of steps, saving and resuming. Views room; private."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._archive import read_archive, write_archive
from ._blocks import Pace
from .exceptions import FileFormatError, InvalidArgumentError

Float = NDArray[np.float32]

#: Steps at the full learning rate, then the power of the step number by which it falls, and the least factor.
DECAY = {"decay_start": 500, "decay_power": 0.2, "decay_floor": 1e-6}

#: Evaluations without a better objective after which a restart stops.
PATIENCE = 10

# An interrupted ascent loses at most so many seconds of work.
_SAVE_SECONDS = 60.0

_ARRAYS = (
    "maps", "best_maps", "targets", "l2", "objectives", "scores", "highest_scores", "steps", "waits", "states",
)  # fmt: skip


def starts(mode: str, seed: int, restarts: int, positions: int, channels: int) -> Float:
    """Start maps (T, W, K): standard normal, or uniform in [0, 1) as published. The same for every class."""
    draw = _native.random_uniform if mode == "published" else _native.random_normal
    return draw(seed, restarts, positions * channels).reshape(restarts, positions, channels)


class Ascent:
    """R ascents of any classes through the layers behind one place of a network, in arrays of their own.

    Parameters
    ----------
    engine : native model
    first_layer : int
        The layer that reads the feature maps.
    start : (T, W, K) float32
        Start maps, used for every class.
    targets : list of int
        Classes; ascent i T + t is restart t of the i-th.
    l2, learning_rate, max_steps
        As in `deepresolve`.
    """

    def __init__(
        self, engine: _native.Model, first_layer: int, start: Float, targets: list[int], l2: float,
        learning_rate: float, max_steps: int, threads: int,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._options: dict[str, Any] = {
            "first_layer": first_layer,
            "learning_rate": learning_rate,
            "max_steps": max_steps,
            "patience": PATIENCE,
            "threads": threads,
            **DECAY,
        }
        count = len(targets) * len(start)
        self.maps = np.tile(start, (len(targets), 1, 1))
        self.best_maps = self.maps.copy()
        self.targets = np.repeat(np.array(targets, dtype=np.int64), len(start))
        self.l2 = np.full(count, l2, dtype=np.float32)
        self.objectives = np.full(count, -np.inf)
        self.scores = np.full(count, -np.inf, dtype=np.float32)
        self.highest_scores = np.full(count, -np.inf, dtype=np.float32)
        self.steps = np.zeros(count, dtype=np.int64)
        self.waits = np.zeros(count, dtype=np.int64)
        self.states = np.full(count, _native.ASCENT_CLIMBING, dtype=np.uint8)
        self._pace = Pace()

    def run(self, tick: Callable[[int], Any], checkpoint: Path | None = None) -> None:
        """Climbs until every ascent has stopped; tells `tick` how many did. Between blocks Ctrl-C is heard.

        With a `checkpoint` the state is kept there every minute and when the run is interrupted, and taken up from
        there; the file is removed at the end.
        """
        if checkpoint is not None and checkpoint.exists():
            self._load(checkpoint)
        saved, left = time.monotonic(), len(self.maps)
        try:
            while left:
                began = time.perf_counter()
                steps = self._pace.size
                still = self._climb(steps)
                self._pace.update(steps, time.perf_counter() - began)
                self._check_finite()
                tick(left - still)
                left = still
                if checkpoint is not None and time.monotonic() - saved > _SAVE_SECONDS:
                    self._save(checkpoint)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            if checkpoint is not None:
                self._save(checkpoint)
            raise
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)

    def _climb(self, n_steps: int) -> int:
        """Up to so many steps of every ascent that has not stopped; how many have not stopped then."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        return self._engine.climb(**arrays, n_steps=n_steps, **self._options)

    def _check_finite(self) -> None:
        if np.isfinite(self.objectives).all() and np.isfinite(self.maps).all():
            return
        ascent = int((~np.isfinite(self.maps).all(axis=(1, 2)) | ~np.isfinite(self.objectives)).argmax())
        raise InvalidArgumentError(
            f"a feature map of class {self.targets[ascent]} grew beyond all numbers after {self.steps[ascent]} steps: "
            "lower learning_rate or l2 (2 x learning_rate x l2 must stay below 1)"
        )

    def _save(self, path: Path) -> None:
        write_archive(path, {name: getattr(self, name) for name in _ARRAYS})

    def _load(self, path: Path) -> None:
        arrays = read_archive(path, _ARRAYS, "the state of an interrupted run")
        for name, array in arrays.items():
            own = getattr(self, name)
            if array.shape != own.shape or array.dtype != own.dtype:
                raise FileFormatError(f"{path}: expected {name} of shape {own.shape}; got {array.shape}")
        if not np.array_equal(arrays["targets"], self.targets):
            raise FileFormatError(f"{path}: expected the state of classes {sorted(set(self.targets.tolist()))}")
        for name, array in arrays.items():
            setattr(self, name, np.ascontiguousarray(array))


def part_scores(engine: _native.Model, first_layer: int, maps: Float, threads: int) -> Float:
    """Scores (N, C) of feature maps (N, W, K) that `first_layer` reads."""
    return engine.part_outputs(first_layer, len(engine.layer_names), maps, threads)[:, 0]


def part_gradients(engine: _native.Model, first_layer: int, maps: Float, targets: NDArray[Any], threads: int) -> Float:
    """Gradients (N, W, K) of each map's class score; `targets` (N,) or one class."""
    layers = len(engine.layer_names)
    classes = engine.part_outputs(first_layer, layers, maps[:1], threads).shape[2] if len(maps) else 1
    seeds = np.zeros((len(maps), 1, classes), dtype=np.float32)
    seeds[np.arange(len(maps)), 0, targets] = 1
    return engine.part_gradient(first_layer, layers, maps, seeds, threads)
