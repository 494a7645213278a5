"""`deepmotif demo`: from sequences to dashboard in one go, on a simulated transcription factor or on files.

Room: command line. Every file is written as soon as its content is known: a run that stops leaves what it finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError
from deepmotif.motifs import example_motif, find_hits

from .dashboard import write_dashboard
from .inputs import (
    choose,
    dna,
    labelled,
    network_name,
    read_motif,
    read_sequences,
    shuffled,
    split,
    with_negatives,
    without_blank,
)
from .outputs import (
    FIGURE_FORMATS,
    Progress,
    labels_of,
    make_folder,
    save_figure,
    use_no_display,
    versions,
    write_fasta,
    write_history,
    write_json,
    write_table,
)
from .train import CLASSES, check_test, describe, new_model, report_shared, train_model

# The simulated factor: enough sequences for all three networks to learn its motif.
TRAIN_SEQUENCES, TEST_SEQUENCES, LENGTH = 8000, 1000, 101
SIMULATED_EPOCHS, EPOCHS = 8, 20
# Smaller than the networks' default: a few thousand sequences in few epochs need the more steps, the RNN above all.
BATCH_SIZE = 64
# So many steps of the default learning rate, 0.01, unsettle the CNN: on real sets its hidden units die, and validation
# AUC stays at 0.6 where these settings reach 0.85.
CNN_SETTINGS = {"batch_size": 128, "learning_rate": 0.005}
TEST_FRACTION = 0.2
FILE_ENDINGS = {".gz", ".fa", ".fasta", ".fna", ".masked", ".seq", ".tsv", ".csv", ".txt"}
OPTIMIZATION = {"restarts": 8, "steps": 1000}
RESULTS = [f"dashboard.{kind}" for kind in FIGURE_FORMATS]
RESULTS += ["training.png", "metrics.tsv", "metrics.json", "predictions.tsv", "saliency.tsv", "temporal.tsv"]
RESULTS += ["class_optimized.meme", "motif.meme", "train.fasta", "test.fasta"]
RESULTS += [f"{network}.{ending}" for network in CLASSES for ending in ("safetensors", "history.tsv")]


@dataclass(frozen=True)
class Task:
    """What to learn: labelled sequences to train and to test on, and the known motif if there is one."""

    name: str
    train: dm.Sequences
    test: dm.Sequences
    motif: Any = None


def run_demo(options: Any) -> None:
    """Read or simulate, train three networks, compare them, draw the dashboard, say what to look at."""
    _check_usage(options)
    progress = Progress(options.quiet)
    task = _read_task(options, progress)
    row, letters = _read_choice(options, task)
    folder = _empty_folder(options.output)
    shared = report_shared(task.train, task.test, progress)
    _write_inputs(folder, task)
    record: dict[str, Any] = {
        "task": task.name,
        "seed": options.seed,
        "train": describe(task.train),
        "test": describe(task.test) | {"shared_with_training": shared},
        "versions": versions(),
        "networks": {},
    }
    options.epochs = options.epochs or (SIMULATED_EPOCHS if _is_simulated(options) else EPOCHS)
    models = {}
    for network in CLASSES:
        model = new_model(network, options)
        if options.batch_size is None:
            model.set_params(batch_size=BATCH_SIZE)
        if network == "cnn":
            model.set_params(**{name: value for name, value in CNN_SETTINGS.items() if getattr(options, name) is None})
        trained = train_model(model, task.train, progress)
        name = network_name(model)
        models[name] = model
        model.save(folder / f"{network}.safetensors")
        write_history(folder / f"{network}.history.tsv", model)
        record["networks"][name] = trained | {"test_metrics": dm.evaluate(model, task.test, task.test.labels)}
        _write_metrics(folder, record)
    _write_predictions(folder, models, task.test)
    _draw_training(folder, models)
    if letters is None:
        row = typical_positive(models, task.test, task.motif) if row is None else row
        letters = task.test[row]
    shown = _name_of(task.test, row)
    progress.say(f"computing the views of {', '.join(models)} on {shown}")
    optimization = OPTIMIZATION | {"random_state": options.seed}
    write_dashboard(folder, models, letters, task.motif, optimization, title=f"{task.name}: {shown}")
    write_json(folder / "metrics.json", record | {"shown": {"row": row, "sequence": letters}})
    _print_guide(folder, task, record, shown)


def _check_usage(options: Any) -> None:
    if options.positives and (options.train or options.test):
        options.usage_error("--positives excludes --train and --test")
    if (options.train is None) != (options.test is None):
        options.usage_error("--train and --test belong together")
    if options.negatives and not options.positives:
        options.usage_error("--negatives needs --positives")
    results = {(options.output / name).resolve() for name in RESULTS}
    for path in (options.positives, options.negatives, options.train, options.test, options.motif):
        if path is not None and path.resolve() in results:
            options.usage_error(f"{path} would be overwritten by a result; choose another --output")


def _is_simulated(options: Any) -> bool:
    return options.positives is None and options.train is None


# ---- What to learn ----------------------------------------------------------------------------------------------


def _read_task(options: Any, progress: Progress) -> Task:
    motif = read_motif(options)
    if options.train is not None:
        train = labelled(read_sequences(options.train, options), options.train, options.seed, progress)
        test = read_sequences(options.test, options)
        check_test(test, options.test, train)
        task = Task(_title(options.train), train, test, motif)
    elif options.positives is not None:
        task = Task(_title(options.positives), *_split_positives(options, progress), motif)
    else:
        task = simulated_task(options.seed, motif)
    classes = np.unique(labels_of(task.train)).tolist()
    if classes != [0, 1]:
        raise InvalidArgumentError(f"demo: expected the labels 0 and 1; got {classes}")
    return task


def _title(path: Path) -> str:
    """The file's name without its endings: ELK1_AC of ELK1_AC.seq.gz."""
    name = path
    while name.suffix.lower() in FILE_ENDINGS:
        name = name.with_suffix("")
    return name.name


def simulated_task(seed: int, motif: Any = None) -> Task:
    """A factor whose sites, drawn from a real motif, lie anywhere in half of the sequences."""
    motif = example_motif() if motif is None else motif
    count = TRAIN_SEQUENCES + TEST_SEQUENCES
    X, y = dm.simulate(count, length=LENGTH, motifs=motif, random_state=seed)
    kind = np.where(np.asarray(y) == 1, "site", "background")
    data = dm.Sequences(X, names=[f"{kind[i]}_{i}" for i in range(count)], labels=y)
    return Task(f"simulated {motif.name}", *split(data, TEST_SEQUENCES / count, seed), motif)


def _split_positives(options: Any, progress: Progress) -> tuple[dm.Sequences, dm.Sequences]:
    """Positives split before they are shuffled, so that no shuffle of a test sequence is trained on."""
    positives = read_sequences(options.positives, options)
    if positives.labels is not None and (positives.labels != 1).any():
        raise InvalidArgumentError(
            f"{options.positives}: --positives expects bound sequences only; some labels are not 1"
        )
    parts = split(without_blank(positives, options.positives, progress), TEST_FRACTION, options.seed)
    if options.negatives is None:
        others = [shuffled(part, options.seed + i) for i, part in enumerate(parts)]
    else:
        negatives = without_blank(read_sequences(options.negatives, options), options.negatives, progress)
        others = list(split(negatives, TEST_FRACTION, options.seed))
    return with_negatives(parts[0], others[0]), with_negatives(parts[1], others[1])


def _read_choice(options: Any, task: Task) -> tuple[int | None, str | None]:
    """The row of the test set, or the letters, that --sequence means; both None: to be chosen after training."""
    if options.sequence is None:
        return None, None
    if options.sequence not in task.test.names and not options.sequence.isdecimal():
        letters = dna(options.sequence)
        if letters is not None:
            return None, letters
    return choose(task.test, options.sequence, "--sequence"), None


# ---- What to show -----------------------------------------------------------------------------------------------


def typical_positive(models: dict[str, Any], test: dm.Sequences, motif: Any = None) -> int:
    """Row of a typical positive: one that every network calls positive, of median score among those.

    Where a motif is known, only rows with a hit of it count, if there are any. Where no row pleases all networks, the
    one that the least convinced network likes best.
    """
    scores = np.stack([model.decision_function(test) for model in models.values()])
    positive = test.labels == 1
    agreed = positive & (scores > 0).all(axis=0)
    if not agreed.any():
        return int(np.argmax(np.where(positive, scores.min(axis=0), -np.inf)))
    rows = np.flatnonzero(agreed)
    if motif is not None:
        bound = [row for row in rows if len(find_hits(motif, test.codes[row], p_value=1e-4))]
        rows = np.array(bound or rows)
    # Networks differ in the scale of their scores; ranks do not.
    ranks = np.argsort(np.argsort(scores[:, rows], axis=1), axis=1).sum(axis=0)
    return int(rows[np.argsort(ranks, kind="stable")[(len(rows) - 1) // 2]])


def _name_of(test: dm.Sequences, row: int | None) -> str:
    if row is None:
        return "the sequence given"
    # Labels as FASTA headers name nothing.
    name = test.names[row]
    return f"test sequence {row}" + (f" ({name})" if test.names.count(name) == 1 else "")


# ---- Files ------------------------------------------------------------------------------------------------------


def _empty_folder(path: Path) -> Path:
    """The folder without results of an earlier run, which must not stand beside those of a run that is stopped."""
    folder = make_folder(path)
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    return folder


def _write_inputs(folder: Path, task: Task) -> None:
    write_fasta(folder / "train.fasta", task.train)
    write_fasta(folder / "test.fasta", task.test)
    if task.motif is not None:
        dm.write_meme(folder / "motif.meme", [task.motif])


def _write_metrics(folder: Path, record: dict[str, Any]) -> None:
    networks = record["networks"]
    measured = [network["test_metrics"] for network in networks.values()]
    columns: dict[str, Any] = {"network": list(networks), "parameters": [n["parameters"] for n in networks.values()]}
    columns |= {name: [values[name] for values in measured] for name in measured[0]}
    columns["training_seconds"] = [network["seconds"] for network in networks.values()]
    write_table(folder / "metrics.tsv", columns)
    write_json(folder / "metrics.json", record)


def _write_predictions(folder: Path, models: dict[str, Any], test: dm.Sequences) -> None:
    columns: dict[str, Any] = {"row": range(len(test)), "name": test.names, "label": test.labels}
    columns |= {f"p_{name}": model.predict_proba(test)[:, 1] for name, model in models.items()}
    write_table(folder / "predictions.tsv", columns)


def _draw_training(folder: Path, models: dict[str, Any]) -> None:
    use_no_display()
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(models), 2, figsize=(9, 2.7 * len(models)), layout="constrained", squeeze=False)
    for pair, (name, model) in zip(axes, models.items(), strict=True):
        dm.plot_history(model, pair, title=name)
    save_figure(figure, folder / "training", ["png"])


def _print_guide(folder: Path, task: Task, record: dict[str, Any], shown: str) -> None:
    """What to look at; at most ten lines."""
    boxes = "do they lie in the pink boxes, the known motif?" if task.motif else "do the networks agree?"
    print(f"{task.name}: {len(task.test)} test sequences; the dashboard shows {shown}")
    for name, network in record["networks"].items():
        measured = network["test_metrics"]
        print(f"  {name:8} AUC {measured['roc_auc']:.3f}   accuracy {measured['accuracy']:.3f}")
    print(f"Look at {folder / 'dashboard.png'} (also .pdf and .svg):")
    print(f"  dark saliency cells are the bases that decided: {boxes}")
    print("  temporal strips turn red where an RNN has read enough to call the sequence positive")
    print("  class-optimised logos are what each network would most like to see")
    print("Beside it: models (.safetensors), metrics.tsv, training.png, predictions.tsv, the views as tables")
