"""One self-contained HTML page about the channels of a model. Last room before the command line.

Figures are inline PNG, tables are plain HTML with a few lines of script to sort them; nothing is fetched.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._files import checked_path, write_file
from ._resolve_result import DeepResolve
from .channels import channel_interactions
from .exceptions import InvalidArgumentError
from .similarity import class_clusters, class_similarity

__all__ = ["resolve_html"]

#: Classes with figures of their own, and channels in a table.
MOST_CLASSES, MOST_ROWS = 12, 40

_TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
img { max-width: 100%; } table { border-collapse: collapse; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border-bottom: 1px solid #eee; } th { cursor: pointer; }
td.text, th.text { text-align: left; font-family: ui-monospace, monospace; } .star { color: #b97a00; }
.positive { color: #b2182b; } .negative { color: #2166ac; } .note { color: #555; }
</style></head><body>
<h1>{{ title }}</h1>
<p class="note">DeepResolve (Liu, Zeng and Gifford 2019): feature maps at the output of <b>{{ layer }}</b> that each
class likes best, from {{ restarts }} random starts, lambda {{ "%.3g"|format(l2) }}, mode {{ mode }}. Red: the class
wants the channel. Blue: it refuses it. A star: the channel is used in more than one way.</p>
{% if overview %}<h2>Classes</h2>{% for picture in overview %}<img alt="" src="{{ picture }}">{% endfor %}{% endif %}
{% for part in parts %}
<h2>Class {{ part.name }}</h2>
<p>{{ part.facts }}</p>
<img alt="channels of class {{ part.name }}" src="{{ part.picture }}">
<table class="sortable"><thead><tr><th>rank</th><th>channel</th><th>OFIV</th><th>inconsistency</th><th></th>
{% if part.has_motifs %}<th class="text">motif</th>{% endif %}</tr></thead><tbody>
{% for row in part.rows %}<tr><td>{{ loop.index }}</td><td>{{ row.channel }}</td>
<td class="{{ 'positive' if row.ofiv > 0 else 'negative' }}">{{ "%.4g"|format(row.ofiv) }}</td>
<td>{{ "%.3g"|format(row.level) }}</td><td class="star">{{ "★" if row.star else "" }}</td>
{% if part.has_motifs %}<td class="text">{{ row.motif }}</td>{% endif %}</tr>{% endfor %}
</tbody></table>
{% if part.pairs %}<p>Pairs of non-additive channels and the share of the restarts' weight in which they have opposite
signs:</p><table><thead><tr><th>channels</th><th>opposite</th><th class="text">both ways</th></tr></thead><tbody>
{% for pair in part.pairs %}<tr><td>{{ pair.i }}, {{ pair.j }}</td><td>{{ "%.2f"|format(pair.opposite) }}</td>
<td class="text">{{ "yes" if pair.both_ways else "no" }}</td></tr>{% endfor %}</tbody></table>{% endif %}
{% endfor %}
<script>
document.querySelectorAll("table.sortable th").forEach(function (head) {
  head.addEventListener("click", function () {
    var body = head.closest("table").tBodies[0], column = head.cellIndex;
    var up = head.dataset.up = head.dataset.up ? "" : "1";
    Array.from(body.rows).sort(function (a, b) {
      var x = a.cells[column].textContent, y = b.cells[column].textContent, d = x - y;
      return (isNaN(d) ? x.localeCompare(y) : d) * (up ? 1 : -1);
    }).forEach(function (row) { body.appendChild(row); });
  });
});
</script></body></html>
"""


def resolve_html(
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
    ...     dm.resolve_html(path, dm.deepresolve(model, target="all", restarts=3))
    ...     "<h2>Class 1</h2>" in open(path, encoding="utf-8").read()
    True
    """
    from jinja2 import Environment

    entries = list(results) if isinstance(results, (list, tuple)) else [results]
    similarity = class_similarity(entries)  # type: ignore[arg-type]
    if labels is not None and len(labels) != len(entries):
        raise InvalidArgumentError(f"labels must name each of {len(entries)} classes; got {len(labels)}")
    first: DeepResolve = entries[0]  # type: ignore[assignment]
    names = [str(entry.target) for entry in entries] if labels is None else [str(label) for label in labels]  # type: ignore[union-attr]
    page = Environment(autoescape=True).from_string(_TEMPLATE)
    text = page.render(
        title=title,
        layer=first.layer,
        restarts=len(first.fiv),
        l2=first.l2,
        mode=first.mode,
        overview=_overview(entries, similarity, names) if len(entries) > 1 else [],
        parts=[_part(entry, name, motifs) for entry, name in list(zip(entries, names, strict=True))[:MOST_CLASSES]],
    )
    write_file(Path(checked_path(path)), text.encode())


def _part(result: Any, name: str, motifs: Sequence[Any] | None) -> dict[str, Any]:
    """What the page says of one class."""
    from .plots.resolve import plot_deepresolve

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
    from .plots.resolve import plot_ofiv
    from .plots.similarity import plot_class_similarity

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
