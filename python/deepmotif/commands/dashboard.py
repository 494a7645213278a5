"""`deepmotif dashboard`: trained models on one sequence, as a figure and as tables. Room: command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import deepmotif as dm
from deepmotif.exceptions import InvalidArgumentError

from .inputs import choose, dna, read_models, read_motif, read_sequences
from .outputs import Progress, make_folder, save_figure, use_no_display, write_table


def run_dashboard(options: Any) -> None:
    """Load, compute the three views, write figure and tables."""
    progress = Progress(options.quiet)
    named = read_models(options.model, options.threads)
    name, letters = read_sequence(options)
    motif = read_motif(options)
    target = None if options.target is None else read_target(options.target, named)
    folder = make_folder(options.output)
    progress.say(f"computing the views of {', '.join(named)} on {name or 'the sequence'} ({len(letters)} bp)")
    settings = {"restarts": options.restarts, "steps": options.steps, "random_state": options.seed}
    saved = write_dashboard(folder, named, letters, motif, settings, target=target, title=options.title or name)
    progress.say("saved " + ", ".join(str(path) for path in saved))


def read_sequence(options: Any) -> tuple[str | None, str]:
    """Name and letters of the sequence that --sequence and --record mean."""
    path = Path(options.sequence)
    letters = None if path.exists() else dna(options.sequence)
    if letters is not None:
        if options.record is not None:
            options.usage_error("--record chooses from a file, but --sequence is a DNA sequence")
        return None, letters
    if not path.exists() and not path.suffix:
        raise InvalidArgumentError(
            f"--sequence: {options.sequence[:60]!r} is neither an existing file nor a sequence of the letters ACGTN"
        )
    data = read_sequences(path, options)
    row = choose(data, options.record, options.sequence)
    return data.names[row], data[row]


def read_target(text: str, named: dict[str, Any]) -> Any:
    """The class label of which `text` is the printed form, in every model."""
    for name, model in named.items():
        labels = [str(label) for label in model.classes_]
        if text not in labels:
            raise InvalidArgumentError(f"--target: {name} has no class {text!r}; its classes are {', '.join(labels)}")
    return next(iter(named.values())).classes_.tolist()[labels.index(text)]


def write_dashboard(
    folder: Path,
    named: dict[str, Any],
    letters: str,
    motif: Any,
    optimization: dict[str, Any],
    *,
    target: Any = None,
    title: str | None = None,
) -> list[Path]:
    """Compute the views once, and write them as tables, as motifs and as the figure; the paths of the figure.

    `optimization` holds the options of `class_optimization`.
    """
    use_no_display()
    from deepmotif.plots._dashboard_data import dashboard_data
    from deepmotif.plots.dashboard import draw_dashboard

    data = dashboard_data(named, letters, motif, target=target, class_optimization_options=optimization)
    _write_tables(folder, data, letters)
    optimized = [dm.Motif(p.optimized, name=f"class_optimized_{'_'.join(p.name.split())}") for p in data.models]
    dm.write_meme(folder / "class_optimized.meme", optimized)
    return save_figure(draw_dashboard(data, title=title), folder / "dashboard")


def _write_tables(folder: Path, data: Any, letters: str) -> None:
    """saliency.tsv and, where a model has an LSTM, temporal.tsv: one row per position, counted from 0."""
    start: dict[str, Any] = {"position": range(len(letters)), "base": list(letters)}
    write_table(folder / "saliency.tsv", start | {panel.name: panel.saliency for panel in data.models})
    temporal: dict[str, Any] = {}
    for panel in data.models:
        if panel.forward is not None:
            temporal |= {f"{panel.name}_forward": panel.forward, f"{panel.name}_backward": panel.backward}
    if temporal:
        write_table(folder / "temporal.tsv", start | temporal)
