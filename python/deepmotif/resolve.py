"""DeepResolve: what the channels of a layer mean to a class, without any input. Views room.

Liu, Zeng and Gifford, "Visualizing complex feature interactions and feature sharing in genomic deep neural networks",
BMC Bioinformatics 2019, 20:262 (doi:10.1186/s12859-019-2957-4). T restarts, W positions, K channels, C classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._ascent import Ascent, part_gradients, starts
from ._files import write_file
from ._penalty import DEFAULT_L2, SEARCHES, find_l2
from ._places import find_place, place_name, place_shape
from ._reading import checked_path
from ._resolve_result import DeepResolve
from ._validation import check_number, check_whole, draw_seed
from ._views import check_model, label_of, progress_bar
from .exceptions import FileFormatError, FileWriteError, InvalidArgumentError

__all__ = ["DeepResolve", "deepresolve"]

Float = NDArray[np.float32]

MODES = ("paper", "published")

# Maps of the classes that climb together hold about so many floats, twice: present and best ones.
_GROUP_FLOATS = 1 << 22


def deepresolve(
    m: Any,
    layer: str | int | None = None,
    target: Any = None,
    *,
    restarts: int = 10,
    l2: float | str = DEFAULT_L2,
    learning_rate: float = 0.005,
    max_steps: int = 10_000,
    random_state: Any = 0,
    mode: str = "paper",
    X: Any = None,
    length: int | None = None,
    directory: Any = None,
    progress: bool | None = None,
) -> Any:
    """Which channels of a layer a class asks for, refuses, or uses in more than one way.

    From random starts the feature map H between two layers climbs to a maximum of S_c(H) - l2 ||H||^2, where S_c is the
    score of the class before softmax or sigmoid. All classes and restarts climb in one batch, through the layers behind
    H alone; a restart stops when its objective has not improved for 10 steps.

    Parameters
    ----------
    m : model
        A fitted model.
    layer : str or int, optional
        H is the output of this layer; by default the input of the first dense layer, with its positions.
    target : label, index, list of these or "all", optional
        The class or classes; for two classes the positive one by default.
    restarts : int
        T, random starts; every class begins from the same ones.
    l2 : float, "auto" or "boundary"
        Lambda. "auto" looks for the one for which the optimised maps are as large as the mean feature map of real
        sequences, as the paper advises. "boundary", for comparing classes: for which they just make up the class, with
        even odds. With a small lambda the ascent ends far beyond what the network was trained on, where what a class
        refuses outweighs what it asks for; but only there restarts part that use channels in different ways. The
        learning rate is changed so that its product with lambda stays.
    learning_rate : float
        Constant for 500 steps, then it falls with the step number to the power of -0.2.
    max_steps : int
        Most steps of a restart.
    random_state : int, None, Generator or RandomState
        Of the starts. The same seed gives the same result for any number of threads.
    mode : {"paper", "published"}
        "published": as the authors' program does it: uniform starts in [0, 1), the last map instead of the best one,
        scikit-learn's absolute floor of the mixture's variance, and the plain weighted mean as OFIV.
    X : sequences, optional
        Real sequences for ``l2="auto"``; without them random ones with the dinucleotides of the human genome are used.
    length : int, optional
        Length of the sequences that the layer has read, which decides W; by default that of training.
    directory : path, optional
        Folder for the results of many classes, one file each: they are written as soon as they are there, not kept in
        memory, and found again by a call with the same model and arguments; an interrupted call goes on where it was.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    DeepResolve, or a list of them
        A list, in the order of ``m.classes_``, where `target` is a list or "all".

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If there is no layer behind `layer`, no such target, or an option is out of its range.
    MissingDependencyError
        If scikit-learn is not installed: its Gaussian mixtures tell additive channels from others.

    References
    ----------
    Liu, Zeng and Gifford 2019, "Class Specific Feature Importance Map and Feature Importance Vector" and "Visualizing
    complex feature contribution patterns and interactions".

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> r = dm.deepresolve(model, restarts=4)
    >>> r.maps.shape, r.fiv.shape, r.layer
    ((4, 1, 8), (4, 8), 'global_max_pool1d_0')
    >>> bool(r.ofiv[r.ranking[0]] == r.ofiv.max())
    True
    """
    check_whole(restarts, "restarts")
    max_steps = check_whole(max_steps, "max_steps")
    rate = check_number(learning_rate, "learning_rate", 0, open_minimum=True)
    if mode not in MODES:
        raise InvalidArgumentError(f"mode must be 'paper' or 'published'; got {mode!r}")
    if not isinstance(l2, str):
        l2 = check_number(l2, "l2", 0)
    elif l2 not in SEARCHES:
        raise InvalidArgumentError(f"l2 must be a finite number of at least 0, 'auto' or 'boundary'; got {l2!r}")
    seed = draw_seed(random_state)
    with check_model(m)._lock:
        place = find_place(m, layer)
        shape = place_shape(m, place, length)
        classes = _resolve_targets(m, target)
        start = starts(mode, seed, restarts, *shape)
        if isinstance(l2, str):
            l2 = find_l2(m, place, shape, classes, seed, X, rate, by=l2)
            rate *= DEFAULT_L2 / l2
        run = _Run(m, place, start, float(l2), rate, min(max_steps, 1 << 40), mode)
        folder = None if directory is None else _Folder(checked_path(directory, "directory"), run.settings(seed))
        results = run.results(classes, folder, progress)
    return results if _is_many(target) else results[0]


def _is_many(target: Any) -> bool:
    return isinstance(target, (list, tuple, set, range, np.ndarray)) or (isinstance(target, str) and target == "all")


def _resolve_targets(m: Any, target: Any) -> list[int]:
    """Class indices in class order, each once."""
    if isinstance(target, str) and target == "all":
        return list(range(len(m.classes_)))
    if not _is_many(target):
        return [m._resolve_target(target)]
    classes = sorted({m._resolve_target(entry) for entry in list(target)})
    if not classes:
        raise InvalidArgumentError("target must name at least one class; got an empty list")
    return classes


# ---- The run ----


class _Run:
    """All that one call does for its classes, a group at a time."""

    def __init__(
        self, m: Any, place: int, start: Float, l2: float, learning_rate: float, max_steps: int, mode: str
    ) -> None:
        self._m = m
        self._place = place
        self._start = start
        self._l2 = l2
        self._learning_rate = learning_rate
        self._max_steps = max_steps
        self._mode = mode

    def settings(self, seed: int) -> dict[str, Any]:
        """What results depend on, so that a folder holds those of one call alone."""
        restarts, positions, channels = self._start.shape
        return {
            "model": hashlib.sha256(self._m._engine.get_parameters().tobytes()).hexdigest(),
            "layer": place_name(self._m, self._place),
            "restarts": restarts,
            "positions": positions,
            "channels": channels,
            "l2": self._l2,
            "learning_rate": self._learning_rate,
            "max_steps": self._max_steps,
            "mode": self._mode,
            "seed": seed,
        }

    def results(self, classes: list[int], folder: _Folder | None, progress: bool | None) -> list[DeepResolve]:
        found = {} if folder is None else folder.finished(classes)
        missing = [index for index in classes if index not in found]
        group = max(1, _GROUP_FLOATS // self._start.size)
        restarts = len(self._start)
        with progress_bar(progress, len(missing) * restarts, "deepresolve", "restart") as advance:
            for first in range(0, len(missing), group):
                indices = missing[first : first + group]
                checkpoint = None if folder is None else folder.checkpoint(indices[0])
                results = self._climb(indices, advance, checkpoint)
                for result in results:
                    found[result.index] = result if folder is None else folder.keep(result)
        return [found[index] for index in classes]

    def _climb(self, classes: list[int], advance: Any, checkpoint: Path | None) -> list[DeepResolve]:
        m, engine, threads = self._m, self._m._engine, self._m._threads()
        ascent = Ascent(
            engine, self._place + 1, self._start, classes, self._l2, self._learning_rate, self._max_steps, threads
        )
        ascent.run(advance, checkpoint)
        published = self._mode == "published"
        maps = ascent.maps if published else ascent.best_maps
        scores = ascent.highest_scores if published else ascent.scores
        slopes = part_gradients(engine, self._place + 1, maps, ascent.targets, threads)
        dead = ~np.asarray(slopes.any(axis=(1, 2)))
        results = []
        for number, index in enumerate(classes):
            rows = slice(number * len(self._start), (number + 1) * len(self._start))
            result = DeepResolve.from_maps(
                maps[rows],
                scores[rows],
                dead[rows],
                self._mode,
                objectives=ascent.objectives[rows],
                steps=ascent.steps[rows],
                converged=ascent.states[rows] == _native.ASCENT_CONVERGED,
                target=label_of(m, index),
                index=index,
                layer=place_name(m, self._place),
                l2=self._l2,
                learning_rate=self._learning_rate,
            )
            results.append(result)
        return results


class _Folder:
    """Results on the disk: one file a class, and what they depend on."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"could not make the folder: {error.strerror or error}"
            raise FileWriteError(error.errno, reason, str(path)) from None
        text = json.dumps(settings, indent=2) + "\n"
        known = path / "settings.json"
        if not known.exists():
            write_file(known, text.encode())
        elif known.read_text(encoding="utf-8", errors="replace") != text:
            raise InvalidArgumentError(
                f"directory must be empty or hold results of the same model and arguments; {path} holds others"
            )

    def _file(self, index: int) -> Path:
        return self._path / f"class_{index:05d}.npz"

    def checkpoint(self, index: int) -> Path:
        """State of the group that begins with a class, while it climbs."""
        return self._path / f"climbing_{index:05d}.npz"

    def finished(self, classes: Iterable[int]) -> dict[int, DeepResolve]:
        found = {index: DeepResolve.load(self._file(index)) for index in classes if self._file(index).exists()}
        for index, result in found.items():
            if result.index != index:
                raise FileFormatError(f"{self._file(index)}: expected the result of class {index}; got {result.index}")
        return found

    def keep(self, result: DeepResolve) -> DeepResolve:
        """Writes a result; what comes back leaves the maps on the disk."""
        result.save(self._file(result.index))
        return DeepResolve.load(self._file(result.index))
