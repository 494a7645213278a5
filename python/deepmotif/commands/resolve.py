"""`deepmotif resolve`: what the channels of a layer mean to the classes of a model. Room: command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError

from .inputs import read_sequences
from .outputs import Progress, make_folder, save_figure, use_no_display, write_table

# A figure for each of so many classes; tables hold all.
MOST_FIGURES = 20


def run_resolve(options: Any) -> None:
    """Load a model, resolve its classes, write tables, figures and a page."""
    use_no_display()
    progress = Progress(options.quiet)
    if (options.file is None) == (options.model is None):
        options.usage_error("give one model, as MODEL or by --model")
    path = options.file or options.model
    model = dm.load(path)
    model.set_params(n_threads=options.threads)
    target = _targets(options.target, model)
    X = None if options.sequences is None else read_sequences(options.sequences, options).codes
    folder = make_folder(options.output)
    layer = options.layer
    if layer is not None and layer.lstrip("-").isdecimal():
        layer = int(layer)
    progress.say(f"resolving {len(target)} class{'es' if len(target) > 1 else ''} of {path}")
    results = dm.deepresolve(
        model,
        layer,
        target,
        restarts=options.restarts,
        l2=options.l2,
        learning_rate=options.learning_rate,
        max_steps=options.steps,
        random_state=options.seed,
        mode=options.mode,
        X=X,
        directory=make_folder(folder / "classes"),
        progress=progress.bars,
    )
    motifs = dm.channel_motifs(model, layer, X)
    if motifs is not None:
        dm.write_meme(folder / "channels.meme", motifs)
    _write_tables(folder, results, motifs)
    _write_figures(folder, results, motifs)
    dm.channels_html(folder / "channels.html", results, motifs=motifs, title=f"Channels of {path.name}")
    progress.say(f"saved {folder / 'channels.html'} and the tables and figures beside it")


def _targets(given: list[str] | None, model: Any) -> list[Any]:
    """The classes that --target names: labels as they are printed, or "all"."""
    labels = model.classes_.tolist()
    if given is None:
        return [labels[-1]] if len(labels) <= 2 else labels
    if given == ["all"]:
        return labels
    printed = [str(label) for label in labels]
    for text in given:
        if text not in printed:
            shown = ", ".join(printed[:8]) + (", ..." if len(printed) > 8 else "")
            raise InvalidArgumentError(f"--target: the model has no class {text!r}; its classes are {shown}")
    return [labels[printed.index(text)] for text in given]


def _write_tables(folder: Path, results: list[Any], motifs: list[dm.Motif] | None) -> None:
    """channels.tsv, one row a class and channel; restarts.tsv, one a class and restart; similarity.tsv."""
    channels, restarts = len(results[0].ofiv), len(results[0].fiv)
    columns: dict[str, Any] = {
        "class": np.repeat([str(r.target) for r in results], channels),
        "rank": np.concatenate([np.argsort(r.ranking) + 1 for r in results]),
        "channel": np.tile(np.arange(channels), len(results)),
        "ofiv": np.concatenate([r.ofiv for r in results]),
        "inconsistency": np.concatenate([r.inconsistency for r in results]),
        "non_additive": np.concatenate([r.non_additive.astype(int) for r in results]),
    }
    if motifs is not None:
        columns["motif"] = np.tile([motif.trim().consensus for motif in motifs], len(results))
    write_table(folder / "channels.tsv", columns)
    table: dict[str, Any] = {
        "class": np.repeat([str(r.target) for r in results], restarts),
        "restart": np.tile(np.arange(restarts), len(results)),
    }
    for name in ("scores", "weights", "steps", "converged", "dead"):
        table[name] = np.concatenate([np.asarray(getattr(r, name)) for r in results])
    vectors = np.concatenate([r.fiv for r in results])
    write_table(folder / "restarts.tsv", table | {f"fiv_{k}": vectors[:, k] for k in range(channels)})
    if len(results) > 1:
        names = [str(r.target) for r in results]
        similarity = dm.class_similarity(results)
        write_table(folder / "similarity.tsv", {"class": names} | dict(zip(names, similarity.T, strict=True)))


def _write_figures(folder: Path, results: list[Any], motifs: list[dm.Motif] | None) -> None:
    for result in results[:MOST_FIGURES]:
        name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in str(result.target))
        save_figure(dm.plot_deepresolve(result, motifs=motifs), folder / f"class_{result.index:05d}_{name}")
    if len(results) > 1:
        similarity = dm.class_similarity(results)
        tree = dm.class_clusters(similarity)
        names = [str(result.target) for result in results]
        ax = dm.plot_class_similarity(similarity, labels=names, order=tree.order, clusters=tree.labels)
        save_figure(ax.figure, folder / "similarity")
