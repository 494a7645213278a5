"""What every view shares: which model, which quantity, progress. Views room."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from . import _native
from ._fitted import FittedModel
from ._training import progress_bar as training_progress_bar
from ._validation import check_flag
from .exceptions import InvalidArgumentError

_QUANTITIES = {"score": _native.TARGET_SCORE, "log_probability": _native.TARGET_LOG_PROBABILITY}


def check_model(m: Any) -> FittedModel:
    """The model itself; NotFittedError before `fit`."""
    if not isinstance(m, FittedModel):
        raise InvalidArgumentError(f"m must be a DeepMotif model; got {type(m).__name__}")
    _ = m._engine
    return m


def quantity_of(model: FittedModel, output: str) -> int:
    """The constant of `output`, which must make sense for the model."""
    if not isinstance(output, str) or output not in _QUANTITIES:
        raise InvalidArgumentError(f"output must be 'score' or 'log_probability'; got {output!r}")
    if output == "log_probability" and model._output == _native.OUTPUT_LINEAR:
        raise InvalidArgumentError("output='log_probability' needs a model with probabilities; this one is linear")
    return _QUANTITIES[output]


def label_of(model: FittedModel, target: int) -> Any:
    """The class label at an index, as a plain Python value."""
    label = model.classes_[target]
    return label.item() if hasattr(label, "item") else label


@contextlib.contextmanager
def progress_bar(progress: bool | None, total: int, label: str, unit: str = "seq") -> Iterator[Callable[[int], Any]]:
    """Yields a function that advances a bar, as in `fit`; `progress=None`: on a terminal or in a notebook only."""
    bar = training_progress_bar(None if progress is None else check_flag(progress, "progress"), total, label)
    if bar is not None:
        bar.unit = unit
    try:
        yield (lambda count: None) if bar is None else bar.update
    finally:
        if bar is not None:
            bar.close()
