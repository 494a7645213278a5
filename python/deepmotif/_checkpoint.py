"""Checkpoints: the state of an unfinished `fit` in a file, to go on from to the same bytes. Models room; private.

Everything that the rest of the training depends on is there: weights, the optimizer's state, the best epoch's weights,
how far the pass has come, and the history. What can be had again, the order of the rows, is drawn again.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _files
from ._options import TrainingOptions
from ._rows import LabelledRows
from ._training import PassState
from .exceptions import DeepMotifError, FileFormatError, InvalidArgumentError
from .layers import Layer, to_config

if TYPE_CHECKING:
    from ._estimator import SequenceModel
    from ._outputs import Output
    from ._training import TrainingRun

_FORMAT = "deepmotif-checkpoint"
_VERSION = 1

# Rows of the data that stand for all of them in the comparison with a checkpoint's.
_SAMPLED_ROWS = 64

# May differ between the runs: the machine's threads, and more epochs to add to what was done.
_FREE_OPTIONS = ("threads", "epochs")


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often the state of a training is saved, and which training that is."""

    path: str | os.PathLike[str]
    #: Batches between two; None: only behind every epoch.
    every: int | None
    #: What a training that goes on must have in common with the saved one.
    identity: dict[str, Any]

    def save(self, run: TrainingRun, model: SequenceModel) -> None:
        """Writes the state under a temporary name and renames it: the file is always one whole checkpoint."""
        state = run.trainer.get_state()
        # But for the number of steps these are the engine's float32.
        tensors: dict[str, NDArray[Any]] = {
            "weights": run.model.get_parameters(),
            "optimizer": state[1:].astype(np.float32),
        }
        if run.best_weights is not None:
            tensors["best_weights"] = run.best_weights
        if run.state.seen:
            tensors["seen"] = np.concatenate(run.state.seen)
        config = {
            "identity": self.identity,
            "seed": model.random_state_,
            "steps": int(state[0]),
            "epoch": run.epoch,
            "is_over": run.is_over,
            "rows": run.state.rows,
            "sums": [run.state.loss_sum.hex(), run.state.weight_sum.hex()],
            "best": None if run.best is None else [value.hex() for value in run.best],
            "best_epoch": model.best_epoch_,
            "history": {key: [value.hex() for value in values] for key, values in model.history_.items()},
        }
        _files.write_file(self.path, _files.packed(tensors, _FORMAT, _VERSION, config))


@dataclass(frozen=True)
class SavedState:
    """A checkpoint as read."""

    path: str
    tensors: dict[str, Any]
    config: dict[str, Any]

    @property
    def seed(self) -> int:
        return _files.whole(self.config["seed"], "seed", 0, (1 << 64) - 1)

    def check(self, identity: dict[str, Any]) -> None:
        """Refuses the checkpoint of other data or other hyper-parameters; the message names what differs."""
        saved = self.config.get("identity")
        differing = [key for key in identity if not isinstance(saved, dict) or saved.get(key) != identity[key]]
        if differing:
            raise InvalidArgumentError(
                f"{self.path} is the checkpoint of another training, which differs in {', '.join(differing)}: use "
                "another file, or resume=False"
            )

    def restore(self, run: TrainingRun, model: SequenceModel) -> None:
        """Puts the run where the saved one was; FileFormatError if the parts of the checkpoint do not fit together."""
        try:
            self._restore(run, model)
        except (DeepMotifError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise FileFormatError(f"{self.path} is a damaged checkpoint: {error}") from None

    def _restore(self, run: TrainingRun, model: SequenceModel) -> None:
        config, tensors = self.config, self.tensors
        run.best_weights = tensors.get("best_weights")
        if run.best_weights is not None:
            run.model.set_parameters(run.best_weights)  # refuses what does not fit, now and not behind the last epoch
        run.model.set_parameters(tensors["weights"])
        steps = _files.whole(config["steps"], "steps", 0, 1 << 53)
        run.trainer.set_state(np.concatenate([[steps], tensors["optimizer"]]))
        if config["best"] is not None:
            first, second = config["best"]
            run.best = (float.fromhex(first), float.fromhex(second))
        run.epoch = _files.whole(config["epoch"], "epoch", 0, 1 << 40)
        run.is_over = bool(config["is_over"])
        loss_sum, weight_sum = (float.fromhex(value) for value in config["sums"])
        seen = [tensors["seen"]] if "seen" in tensors else []
        run.state = PassState(_files.whole(config["rows"], "rows", 0, 1 << 60), loss_sum, weight_sum, seen)
        if run.state.rows >= len(run.training):
            raise ValueError(f"{run.state.rows} rows done of {len(run.training)}")
        run.has_started = run.epoch > 0 or run.state.rows > 0
        for key, values in model.history_.items():
            values[:] = [float.fromhex(value) for value in config["history"][key]]
            if len(values) != run.epoch:
                raise ValueError(f"{len(values)} epochs of {key} after {run.epoch}")
        best_epoch = config["best_epoch"]
        model.best_epoch_ = None if best_epoch is None else _files.whole(best_epoch, "best_epoch", 0, run.epoch)


def read_checkpoint(path: str | os.PathLike[str]) -> SavedState | None:
    """The checkpoint in a file; None if there is no file."""
    if not os.path.exists(path):
        return None
    return SavedState(os.fspath(path), *_files.unpacked(path, _FORMAT, _VERSION, "a checkpoint"))


def identity_of(
    class_weight: Any, layers: list[Layer], head: Output, classes: NDArray[Any], options: TrainingOptions,
    training: LabelledRows, validation: LabelledRows | None,
) -> dict[str, Any]:  # fmt: skip
    """What makes a training this one and no other."""
    shown = {key: value for key, value in asdict(options).items() if key not in _FREE_OPTIONS}
    if options.schedule == "cosine":
        shown["epochs"] = options.epochs
    identity = {
        "layers": to_config(layers),
        "output": [head.name, head.loss],
        "classes": classes.tolist(),
        "class_weight": repr(class_weight),
        **shown,
        "training data": _digest(training),
        "validation data": None if validation is None else _digest(validation),
    }
    return json.loads(json.dumps(identity))


def _digest(data: LabelledRows) -> list[Any]:
    """Shape and a checksum of some rows and their targets."""
    sample = data.rows[np.unique(np.linspace(0, len(data) - 1, _SAMPLED_ROWS).astype(np.int64))]
    total = 0
    for array in (data.rows, data.X[sample], data.targets[sample]):
        total = zlib.crc32(np.ascontiguousarray(array).tobytes(), total)
    return [*data.X.shape, len(data), total]
