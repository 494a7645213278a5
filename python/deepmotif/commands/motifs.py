"""`deepmotif motifs`: the motifs of a model's filters and of its saliency, compared and shown. Room: command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm

from .dashboard import read_target
from .inputs import network_name, read_database, read_sequences
from .outputs import Progress, frame_columns, make_folder, write_table

# Enough for motifs, few enough for a recurrent model.
_MOST_EXPLAINED = 4000


def run_motifs(options: Any) -> None:
    """Load, extract, compare, write."""
    progress = Progress(options.quiet)
    model = dm.load(options.model).set_params(n_threads=options.threads)
    data = read_sequences(options.input, options)
    target = None if options.target is None else read_target(options.target, {network_name(model): model})
    # A class that has to be named is asked for before the work begins.
    model._resolve_target(target)
    labels = _known_labels(model, data)
    database = None if options.database is None else read_database(options.database, progress)
    folder = make_folder(options.output)
    progress.say(f"filters of {network_name(model)} on {len(data)} sequences, route {options.route}")
    motifs = dm.filter_motifs(
        model, data, options.layer, options.route, options.threshold, y=labels, target=target,
        random_state=options.seed, progress=progress.bars,
    )  # fmt: skip
    matches = _write(folder, "filters", motifs, database, progress)
    title = f"{motifs[0].layer} of {options.model.name}"
    dm.gallery_html(folder / "gallery.html", motifs, matches, database, title=title)
    progress.say(f"saved {folder / 'gallery.html'}")
    explained = _explained(model, data, labels, target)
    values = dm.saliency(model, explained, target, signed=True, centered=True, progress=progress.bars)
    seqlets = dm.seqlet_motifs(values, explained, random_state=options.seed)
    _write(folder, "seqlets", seqlets, database, progress)


def _known_labels(model: Any, data: dm.Sequences) -> np.ndarray | None:
    """The labels, where they are those of the model."""
    if data.labels is None or not np.isin(data.labels, model.classes_).all():
        return None
    return data.labels


def _explained(model: Any, data: dm.Sequences, labels: np.ndarray | None, target: Any) -> dm.Sequences:
    """The sequences of the class, all where labels are not known; evenly chosen where there are many."""
    rows = np.arange(len(data))
    if labels is not None:
        wanted = model.classes_[model._resolve_target(target)]
        rows = rows[labels == wanted] if (labels == wanted).any() else rows
    return data[rows[:: -(-len(rows) // _MOST_EXPLAINED)]]


def _write(folder: Path, name: str, motifs: list[Any], database: list[dm.Motif] | None, progress: Progress) -> Any:
    """NAME.meme with the motifs, NAME.tsv with what is known of them; the table of matches, with a database."""
    alive = [motif for motif in motifs if not getattr(motif, "dead", False)]
    if not alive:
        progress.say(f"no motif of {name}: nothing is written for them")
        return None
    dm.write_meme(folder / f"{name}.meme", alive)
    matches = None
    if database is not None:
        matches = dm.motif_matches(motifs, database)
        columns = frame_columns(matches)
    else:
        columns = {
            "motif": [motif.name for motif in motifs],
            "consensus": [motif.consensus for motif in motifs],
            "n_sites": [motif.n_sites for motif in motifs],
            "information": [float(motif.information_content.sum()) for motif in motifs],
            "importance": [getattr(motif, "importance", None) for motif in motifs],
        }
    write_table(folder / f"{name}.tsv", columns)
    progress.say(f"saved {folder / name}.meme and .tsv: {len(alive)} motifs" + _dead(motifs, alive))
    return matches


def _dead(motifs: list[Any], alive: list[Any]) -> str:
    return f", {len(motifs) - len(alive)} dead filters" if len(alive) < len(motifs) else ""
