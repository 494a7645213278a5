"""The tasks that are timed, ours and the rivals', one row of the table each. Benchmarks."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import deepmotif as dm

from .clock import Rate, measure
from .networks import CASES, Case

Program = Callable[[int], Any]
OURS = "DeepMotif"

#: Unit of each task's rate.
TASKS = {
    "train": "sequences/s",
    "predict": "sequences/s",
    "predict one": "calls/s",
    "saliency": "sequences/s",
    "saliency one": "calls/s",
    "classopt 64": "steps/s",
    "classopt 1": "steps/s",
}
# Inference in batches: the best of these is the rival.
_BATCHES = (64, 256)


@dataclass(frozen=True)
class Row:
    """One measured task: rates of us and of the best rival."""

    network: str
    task: str
    unit: str
    threads: int
    ours: Rate
    rival: Rate | None
    rival_name: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run(
    networks: Iterable[str], tasks: Iterable[str], threads: int, seconds: float, repeats: int, rivals: str
) -> Iterator[Row]:
    """Rows of the table. `rivals`: "tuned" (every variant), "plain" (channels first, eager) or "none"."""
    if rivals != "none" and importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(threads)
    for name in networks:
        case = CASES[name]
        model = case.model(threads)
        for task in tasks:
            step, programs = _programs(case, model, task, rivals)
            rates = measure(programs, step, seconds, repeats)
            ours = rates.pop(OURS)
            best = max(rates, key=lambda rival: rates[rival].median, default="")
            yield Row(case.title, task, TASKS[task], threads, ours, rates.get(best), best)


def _programs(case: Case, model: Any, task: str, rivals: str) -> tuple[int, dict[str, Program]]:
    """The least amount of work, and who does it."""
    kind, _, size = task.partition(" ")
    if kind == "classopt":
        return 10, _class_optimization(case, model, int(size), rivals)
    if kind == "train":
        return case.batch, _training(case, model, rivals)
    return _inference(case, model, kind, size == "one", rivals)


def _training(case: Case, model: Any, rivals: str) -> dict[str, Program]:
    X, y = case.data(16 * case.batch)

    def ours(count: int) -> None:
        while count > 0:
            model.partial_fit(X[:count], y[:count])
            count -= len(X)

    def of(step: Callable[[Any, Any], Any]) -> Program:
        def run(count: int) -> None:
            while count > 0:
                order = np.random.default_rng(count).permutation(min(count, len(X)))
                for start in range(0, len(order), case.batch):
                    rows = order[start : start + case.batch]
                    step(X[rows], y[rows])
                count -= len(order)

        return run

    programs: dict[str, Program] = {OURS: ours}
    for module, arguments in _rival_modules(rivals):
        for name, step in module.training(model, case.tasks > 0, *arguments):
            programs[name] = of(step)
    return programs


def _inference(case: Case, model: Any, kind: str, single: bool, rivals: str) -> tuple[int, dict[str, Program]]:
    X, _ = case.data(4 * case.batch)
    call: Callable[[Any], Any] = model.scores if kind == "predict" else lambda X: dm.saliency(model, X, case.target)

    def in_batches(work: Callable[[Any], Any], batch: int) -> Program:
        def run(count: int) -> None:
            while count > 0:
                for start in range(0, min(count, len(X)), batch):
                    work(X[start : min(start + batch, count)])
                count -= len(X)

        return run

    programs: dict[str, Program] = {OURS: in_batches(call, 1 if single else len(X))}
    for batch in (1,) if single else _BATCHES:
        for module, arguments in _rival_modules(rivals):
            if kind == "saliency":
                works = module.saliency(model, case.target, *arguments)
            elif arguments:
                works = module.prediction(model, *arguments, batch, rivals == "tuned")
            else:
                works = module.prediction(model)
            for name, work in works:
                programs[name + ("" if single else f", batches of {batch}")] = in_batches(work, batch)
    return (1 if single else _BATCHES[-1]), programs


def _class_optimization(case: Case, model: Any, restarts: int, rivals: str) -> dict[str, Program]:
    def ours(count: int) -> None:
        dm.class_optimization(model, case.target, length=case.length, restarts=restarts, steps=count)

    programs: dict[str, Program] = {OURS: ours}
    for module, arguments in _rival_modules(rivals):
        programs.update(module.class_optimization(model, case.target, *arguments, restarts))
    return programs


def _rival_modules(rivals: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The rivals' modules that are wanted and installed, with the memory layouts that PyTorch is to try."""
    if rivals == "none":
        return
    if importlib.util.find_spec("torch") is not None:
        from . import torch_rival

        yield torch_rival, ((False, True) if rivals == "tuned" else (False,),)
    if rivals == "tuned" and importlib.util.find_spec("jax") is not None:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        from . import jax_rival

        yield jax_rival, ()
