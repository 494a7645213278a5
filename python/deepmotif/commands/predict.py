"""`deepmotif predict`: class probabilities of sequences as a table. Room: command line."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError

from .inputs import read_sequences
from .outputs import Progress, table_text, write_table


def run_predict(options: Any) -> None:
    """Read, predict, write; metrics where the input is labelled."""
    progress = Progress(options.quiet)
    model = dm.load(options.model).set_params(n_threads=options.threads)
    data = read_sequences(options.input, options)
    columns = prediction_columns(model, data)
    if options.output is None:
        sys.stdout.write(table_text(columns))
    else:
        write_table(options.output, columns)
    if data.labels is not None:
        progress.say(_measures(model, data))


def prediction_columns(model: Any, data: dm.Sequences) -> dict[str, Any]:
    """name, label where known, prediction, and the probability of each class."""
    probabilities = model.predict_proba(data)
    columns: dict[str, Any] = {"name": data.names}
    if data.labels is not None:
        columns["label"] = data.labels
    columns["prediction"] = model.classes_[np.argmax(probabilities, axis=1)]
    for index, label in enumerate(model.classes_):
        columns[f"p_{label}"] = probabilities[:, index]
    return columns


def _measures(model: Any, data: dm.Sequences) -> str:
    try:
        measured = dm.evaluate(model, data, data.labels)
    except InvalidArgumentError as error:
        # The predictions stand; only their comparison with these labels does not.
        return f"no metrics: {error}"
    return "  ".join(f"{name} {value:.4f}" for name, value in measured.items())
