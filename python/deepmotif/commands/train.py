"""`deepmotif train`: one network trained on a file of sequences and saved. Room: command line."""

from __future__ import annotations

import math
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError

from .inputs import count_shared, labelled, network_name, read_sequences
from .outputs import (
    Progress,
    labels_of,
    make_folder,
    save_figure,
    use_no_display,
    versions,
    write_history,
    write_json,
)

CLASSES: dict[str, Any] = {"cnn": dm.CNN, "rnn": dm.RNN, "cnn-rnn": dm.CNNRNN}


def run_train(options: Any) -> None:
    """Read, train, save the model with its history, curves and metrics."""
    progress = Progress(options.quiet)
    train = labelled(read_sequences(options.input, options), options.input, options.seed, progress)
    test = _read_test(options, train)
    folder = make_folder(options.output)
    model = new_model(options.network, options)
    path = folder / f"{options.network}.safetensors"
    try:
        result = {"seed": model.random_state, "train": describe(train), **train_model(model, train, progress)}
    except KeyboardInterrupt:
        # A first epoch that was not finished gives no model to speak of.
        if getattr(model, "best_epoch_", None) is None:
            raise
        model.save(path)
        raise KeyboardInterrupt(f"interrupted; the best model so far is {path}") from None
    if test is not None:
        result |= {"test": describe(test), "test_metrics": dm.evaluate(model, test, test.labels)}
        result["shared_with_training"] = report_shared(train, test, progress)
        progress.say("test: " + "  ".join(f"{name} {value:.4f}" for name, value in result["test_metrics"].items()))
    model.save(path)
    write_history(folder / f"{options.network}.history.tsv", model)
    write_json(folder / f"{options.network}.json", result | {"versions": versions()})
    save_curves(folder / f"{options.network}.history", model)
    progress.say(f"saved {path}")


def _read_test(options: Any, train: dm.Sequences) -> dm.Sequences | None:
    if options.test is None:
        return None
    test = read_sequences(options.test, options)
    check_test(test, options.test, train)
    return test


def check_test(test: dm.Sequences, path: Path, train: dm.Sequences) -> None:
    """Refuse, before training, a test set on which nothing can be measured afterwards."""
    if test.labels is None:
        raise InvalidArgumentError(f"{path}: test sequences need labels; found none")
    known, found = np.unique(labels_of(train)), np.unique(labels_of(test))
    if not np.array_equal(known, found):
        raise InvalidArgumentError(
            f"{path}: expected test labels of the classes {known.tolist()} of the training set; got {found.tolist()}"
        )


def new_model(network: str, options: Any) -> Any:
    """An estimator with the settings of the command line; what is not set keeps the estimator's default."""
    names = ("epochs", "batch_size", "learning_rate", "dropout", "patience", "validation_fraction")
    given = {name: getattr(options, name, None) for name in names}
    settings = {name: value for name, value in given.items() if value is not None}
    if getattr(options, "balanced", False):
        settings["class_weight"] = "balanced"
    preset = getattr(options, "preset", None)
    model = CLASSES[network].preset(preset) if preset else CLASSES[network]()
    return model.set_params(**settings, random_state=options.seed, n_threads=options.threads)


def train_model(model: Any, train: dm.Sequences, progress: Progress) -> dict[str, Any]:
    """Fit, with a line of progress before and after; what is worth recording about it."""
    name = network_name(model)
    progress.say(f"training {name}: {len(train)} sequences of {train.length} bp, {model.epochs} epochs")
    start = perf_counter()
    model.fit(train, train.labels, progress=progress.bars)
    seconds = perf_counter() - start
    best = model.best_epoch_
    validation_auc = model.history_["val_auc"][best]
    record = {
        "network": name,
        "settings": model.get_params(),
        "parameters": model.n_parameters_,
        "epochs": len(model.history_["loss"]),
        "best_epoch": best + 1,
        "seconds": round(seconds, 2),
    }
    shown = f"trained {name} in {seconds:.1f} s"
    # NaN, which JSON has no word for: no sequences were held out, or of one class only.
    if not math.isnan(validation_auc):
        record["validation_auc"] = validation_auc
        shown += f", validation AUC {validation_auc:.4f} at epoch {best + 1}"
    elif model.validation_fraction > 0:
        shown += "; warning: too few sequences to hold some of each class out, so the best epoch is not known"
    progress.say(shown)
    return record


def describe(data: dm.Sequences) -> dict[str, Any]:
    """Number, length and labels of sequences, for the record."""
    values, counts = np.unique(labels_of(data), return_counts=True)
    labels = {str(value): int(count) for value, count in zip(values, counts, strict=True)}
    return {"sequences": len(data), "length": data.length, "labels": labels}


def report_shared(train: dm.Sequences, test: dm.Sequences, progress: Progress) -> int:
    """Number of test sequences that training has seen; said aloud, as it flatters the test metrics."""
    shared = count_shared(train, test)
    if shared:
        progress.say(
            f"warning: {shared} of {len(test)} test sequences, or their reverse complements, are in the training set"
        )
    return shared


def save_curves(path: Path, model: Any) -> None:
    """The learning curves of one model as a PNG file, whose ending is added."""
    use_no_display()
    axes = dm.plot_history(model, title=network_name(model))
    save_figure(axes[0].figure, path, ["png"])
