"""What every view shares: which model, which quantity, long runs in short calls, progress. Views room."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from . import _native
from ._validation import check_flag
from .exceptions import InvalidArgumentError

_QUANTITIES = {"score": _native.TARGET_SCORE, "log_probability": _native.TARGET_LOG_PROBABILITY}

# Seconds that one call of the engine should take: too short to keep Ctrl-C waiting, long enough to cost nothing.
_CALL_SECONDS = 0.12


def engine_of(model: Any) -> Any:
    """The engine's network behind a fitted model; NotFittedError where there is none yet."""
    # Asked of the class: the attribute of an unfitted model raises an AttributeError that hasattr() would swallow.
    if not hasattr(type(model), "_resolve_target"):
        raise InvalidArgumentError(f"model must be a DeepMotif model; got {type(model).__name__}")
    return model._engine


def quantity_of(model: Any, output: str) -> int:
    """The constant of `output`, which must make sense for the model."""
    if not isinstance(output, str) or output not in _QUANTITIES:
        raise InvalidArgumentError(f"output must be 'score' or 'log_probability'; got {output!r}")
    if output == "log_probability" and model._output == _native.OUTPUT_LINEAR:
        raise InvalidArgumentError("output='log_probability' needs a model with probabilities; this one is linear")
    return _QUANTITIES[output]


def label_of(model: Any, target: int) -> Any:
    """The class label at an index, as a plain Python value."""
    label = model.classes_[target]
    return label.item() if hasattr(label, "item") else label


def paced(total: int, first: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """Consecutive (start, stop) that cover 0 ... total; each is as long as the last one's time suggests.

    Starts are whole multiples of `multiple`: the engine's own blocks are then cut in the same places as in one call.
    """
    start, count = 0, first
    while start < total:
        stop = min(start + count, total)
        begun = time.perf_counter()
        yield start, stop
        seconds = max(time.perf_counter() - begun, 1e-6)
        # At most fourfold: one lucky reading of the clock must not make the next call last for seconds.
        wanted = int((stop - start) * min(_CALL_SECONDS / seconds, 4.0))
        count = max(wanted // multiple, 1) * multiple
        start = stop


@contextlib.contextmanager
def progress_bar(progress: bool | None, total: int, label: str) -> Iterator[Callable[[int], Any]]:
    """Yields a function that advances a bar; `progress=None` draws one on a terminal or in a notebook only."""
    if progress is None:
        progress = "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
    if not check_flag(progress, "progress"):
        yield lambda count: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=label, leave=False) as bar:
        yield bar.update
