"""The dashboard: what three networks see in one sequence, base by base (figure 2 of the DeMo Dashboard paper).

Room: plots. `plot_dashboard` computes the views and draws them; `draw_dashboard` draws arrays alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepmotif.exceptions import InvalidArgumentError
from deepmotif.plots._dashboard_data import DashboardData, ModelPanel, dashboard_data
from deepmotif.plots._dashboard_layout import Layout, plan_rows
from deepmotif.plots._dashboard_rows import draw_row, draw_scales
from deepmotif.plots._style import PLAIN, clean_text, letter_colors

__all__ = ["DashboardData", "ModelPanel", "dashboard_data", "draw_dashboard", "plot_dashboard"]


def plot_dashboard(
    models: Any,
    sequence: str,
    motif: Any = None,
    *,
    target: Any = None,
    optimizations: Any = None,
    hits: Any = None,
    class_optimization_options: Mapping[str, Any] | None = None,
    random_state: int = 0,
    region: tuple[int, int] | None = None,
    normalize: bool = True,
    colors: str | Mapping[str, Any] = "default",
    figsize: tuple[float, float] | None = None,
    title: str | None = None,
) -> Any:
    """Draw the DeMo Dashboard of one sequence (Lanchantin et al. 2017, figure 2).

    From top to bottom: the known motif beside the most informative stretch of each model's class optimisation; the
    whole class-optimised sequence of each model; the sequence, motif hits boxed in pink; one saliency strip per model
    with its P(positive); forward and backward temporal strips of the models that have an LSTM. The strips and the
    sequence share one x axis, and each kind of strip has one colour scale, shown at the bottom.

    Parameters
    ----------
    models : list or dict of fitted models
        A list is named after the classes: CNN, RNN, CNN-RNN.
    sequence : str
        The sequence to explain, of L bases.
    motif : Motif or array (W, 4), optional
        The known motif.
    target : label or index, optional
        The class explained; by default the positive one of two.
    optimizations : dict name -> (L, 4) array or ClassOptimization, or False, optional
        Class optimisations computed before; missing names are computed, None or False leaves them out.
    hits : list of (start, end) or (start, end, strand), or DataFrame, optional
        0-based and half-open; by default the places that fit `motif` with p <= 1e-3.
    class_optimization_options : dict, optional
        For `class_optimization`, such as `{"steps": 200, "restarts": 4}`. By default eight
        restarts of distributions (``parametrization="softmax"``), which show the motif more clearly than free inputs.
    random_state : int
        Seed of the class optimisations.
    region : (start, end), optional
        The part of the sequence to show; the whole by default. Bases of long sequences become readable.
    normalize : bool
        Divide each saliency strip by its largest value; otherwise all strips share the absolute scale.
    colors : str or mapping
        As in `plot_logo`.
    figsize : (width, height), optional
        Inches; by default wide enough for the bases and high enough for the rows.
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ShapeError, InvalidArgumentError
        For no models, something other than one str, hits outside it, or a wrong shape; the message names it.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(64, length=40, random_state=0)
    >>> model = dm.RNN(hidden=4, epochs=1, random_state=0).fit(X, y)
    >>> figure = plot_dashboard([model], dm.decode(X[:1])[0], class_optimization_options={"steps": 5})
    >>> [ax.get_label() for ax in figure.axes][-4:]
    ['forward RNN', 'backward RNN', 'saliency scale', 'temporal scale']
    """
    data = dashboard_data(
        models,
        sequence,
        motif,
        target=target,
        optimizations=optimizations,
        hits=hits,
        class_optimization_options=class_optimization_options,
        random_state=random_state,
    )
    return draw_dashboard(data, region=region, normalize=normalize, colors=colors, figsize=figsize, title=title)


def draw_dashboard(
    data: DashboardData,
    *,
    region: tuple[int, int] | None = None,
    normalize: bool = True,
    colors: str | Mapping[str, Any] = "default",
    figsize: tuple[float, float] | None = None,
    title: str | None = None,
) -> Any:
    """Draw a dashboard from arrays; options as in `plot_dashboard`.

    Returns
    -------
    matplotlib Figure
        Its axes are labelled (`ax.get_label()`) by what they show: "motif", "window CNN", "optimized CNN",
        "sequence", "saliency CNN", "forward RNN", "backward RNN", "saliency scale", "temporal scale".

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> data = DashboardData("GATAAG", [ModelPanel("CNN", 0.9, [0, 1, 2, 1, 0, 0])], hits=[(0, 4)])
    >>> [ax.get_label() for ax in draw_dashboard(data).axes]
    ['sequence', 'saliency CNN', 'saliency scale']
    """
    import matplotlib.pyplot as plt

    palette = letter_colors(colors)
    shown = _region(region, data.length)
    rows = plan_rows(data, normalize)
    layout = Layout.fit(data, rows, shown, figsize, bool(title))
    figure = plt.figure(figsize=layout.size)
    if title:
        figure.text(
            0.5, layout.title_y, clean_text(title, 120), ha="center", va="center", fontsize=13, weight="bold", **PLAIN
        )
    meshes: dict[str, Any] = {}
    for row, top in zip(rows, layout.tops, strict=True):
        mesh = draw_row(figure, layout, row, top, data, palette)
        if mesh is not None:
            meshes[row.kind] = mesh
    draw_scales(figure, layout, meshes, data.target, normalize)
    return figure


def _region(region: tuple[int, int] | None, length: int) -> tuple[int, int]:
    if region is None:
        return 0, length
    try:
        start, end = (int(edge) for edge in region)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"region must be (start, end); got {region!r}") from None
    if not 0 <= start < end <= length:
        raise InvalidArgumentError(f"region must lie in 0..{length}, start before end; got {start}..{end}")
    return start, end
