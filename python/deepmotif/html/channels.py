"""What the channels of a layer mean to the classes of a model, on one page that needs nothing else. Room: html."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepmotif._files import write_file
from deepmotif._reading import checked_path
from deepmotif._resolve_result import DeepResolve
from deepmotif.channels import channel_interactions
from deepmotif.exceptions import InvalidArgumentError
from deepmotif.similarity import class_clusters, class_similarity

#: Classes with figures of their own, and channels in a table.
MOST_CLASSES, MOST_ROWS = 12, 40


def channels_html(
    path: Any,
    results: DeepResolve | Sequence[DeepResolve],
    *,
    motifs: Sequence[Any] | None = None,
    labels: Sequence[object] | None = None,
    title: str = "Channels of the model",
) -> None:
    """Write one page about a model's channels: a figure, a table and the interactions of every class.

    Parameters
    ----------
    path : path
        The HTML file; figures are part of it, and nothing is fetched when it is opened.
    results : DeepResolve or list of them
        Of one layer. Of more than 12 classes the heat map of all and figures of the first 12 are shown.
    motifs : list of Motif, optional
        One for each channel.
    labels : list of str, optional
        Names of the classes; by default their labels.
    title : str

    Raises
    ------
    InvalidArgumentError
        If results are not of `deepresolve`.
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import deepmotif as dm, os, tempfile
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(12, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "channels.html")
    ...     dm.channels_html(path, dm.deepresolve(model, target="all", restarts=3))
    ...     "<h2>Class 1</h2>" in open(path, encoding="utf-8").read()
    True
    """
    from jinja2 import Environment, PackageLoader

    entries = list(results) if isinstance(results, (list, tuple)) else [results]
    similarity = class_similarity(entries)  # type: ignore[arg-type]
    if labels is not None and len(labels) != len(entries):
        raise InvalidArgumentError(f"labels must name each of {len(entries)} classes; got {len(labels)}")
    first: DeepResolve = entries[0]  # type: ignore[assignment]
    names = [str(entry.target) for entry in entries] if labels is None else [str(label) for label in labels]  # type: ignore[union-attr]
    environment = Environment(loader=PackageLoader("deepmotif.html", "templates"), autoescape=True)
    page = environment.get_template("channels.html")
    text = page.render(
        title=title,
        layer=first.layer,
        restarts=len(first.fiv),
        l2=first.l2,
        mode=first.mode,
        overview=_overview(entries, similarity, names) if len(entries) > 1 else [],
        parts=[_part(entry, name, motifs) for entry, name in list(zip(entries, names, strict=True))[:MOST_CLASSES]],
    )
    write_file(checked_path(path), text.encode())


def _part(result: Any, name: str, motifs: Sequence[Any] | None) -> dict[str, Any]:
    """What the page says of one class."""
    from deepmotif.plots.resolve import plot_deepresolve

    shown = result.ranking[:MOST_ROWS].tolist()
    rows = [
        {
            "channel": channel,
            "ofiv": float(result.ofiv[channel]),
            "level": float(result.inconsistency[channel]),
            "star": bool(result.non_additive[channel]),
            "motif": "" if motifs is None else motifs[channel].trim().consensus,
        }
        for channel in shown
    ]
    pairs = channel_interactions(result)
    listed = zip(pairs.pairs.tolist(), pairs.opposite.tolist(), pairs.both_ways.tolist(), strict=True)
    converged, dead = int(result.converged.sum()), int(result.dead.sum())
    return {
        "name": name,
        "facts": f"{converged} of {len(result.fiv)} restarts converged, {dead} dead; components of inconsistency: "
        f"{result.n_components}; non-additive channels: {int(result.non_additive.sum())}.",
        "picture": _png(plot_deepresolve(result, motifs=motifs, title=f"class {name}, {result.layer}")),
        "rows": rows,
        "has_motifs": motifs is not None,
        "pairs": [
            {"i": i, "j": j, "opposite": opposite, "both_ways": both}
            for (i, j), opposite, both in list(listed)[:MOST_ROWS]
            if opposite > 0
        ],
    }


def _overview(results: Sequence[Any], similarity: np.ndarray, names: list[str]) -> list[str]:
    """The heat map of all classes, in the order of their tree, and their overall importance."""
    from deepmotif.plots.resolve import plot_ofiv
    from deepmotif.plots.similarity import plot_class_similarity

    tree = class_clusters(similarity)
    heat = plot_class_similarity(
        similarity, labels=names, order=tree.order, clusters=tree.labels, title="similarity of max(OFIV, 0)"
    )
    pictures = [_png(heat.figure)]
    if len(results) <= MOST_CLASSES:
        pictures.append(_png(plot_ofiv(list(results), title="overall importance of channels").figure))
    return pictures


def _png(figure: Any) -> str:
    """A figure as a data address; it is closed."""
    import matplotlib.pyplot as plt

    drawn = io.BytesIO()
    try:
        figure.savefig(drawn, format="png", dpi=110, bbox_inches="tight", metadata={})
    finally:
        plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode()
