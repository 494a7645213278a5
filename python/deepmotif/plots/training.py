"""Learning curves: loss and ROC AUC per epoch, with the epoch whose weights were kept.

Room: plots. Takes the history of a fitted model, as a dict of lists or as the model that carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepmotif.exceptions import InvalidArgumentError, NotFittedError, ShapeError
from deepmotif.plots._style import GRID_COLOR, PLAIN, bare, clean_text, new_axes

#: Train and validation, apart in lightness as well as in hue.
TRAIN_COLOR = "#59A5DC"
VALIDATION_COLOR = "#B2182B"
PANELS = (("loss", "loss"), ("auc", "ROC AUC"))


def plot_history(model: Any, ax: Any = None, *, best_epoch: int | None = None, title: str | None = None) -> np.ndarray:
    """Draw loss and ROC AUC per epoch, for training and validation, the best epoch marked.

    Parameters
    ----------
    model : fitted model or dict
        A model with `history_`, or such a dict: lists of equal length under `loss`, `auc`, `val_loss`, `val_auc`.
        Missing keys and epochs without a value (None or NaN) are left out.
    ax : Axes or pair of Axes, optional
        A pair gets loss and AUC; a single Axes gets the loss, and the AUC on a second y axis. By default a new
        figure with two panels.
    best_epoch : int, optional
        Index (from 0) of the epoch to mark; by default the model's `best_epoch_`, else the highest validation AUC,
        else the lowest validation loss, and without validation none.
    title : str, optional

    Returns
    -------
    array (2,) of matplotlib Axes
        That of the loss and that of the AUC. Epochs are counted from 1 on the x axis.

    Raises
    ------
    NotFittedError
        If the model has no `history_`.
    ShapeError
        If the lists differ in length, or are empty.
    InvalidArgumentError
        If there is neither a loss nor an AUC, or `best_epoch` is out of range.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> history = {"loss": [0.7, 0.5], "val_loss": [0.6, 0.62], "auc": [0.6, 0.8], "val_auc": [0.7, 0.69]}
    >>> axes = plot_history(history)
    >>> [ax.get_ylabel() for ax in axes]
    ['loss', 'ROC AUC']
    """
    curves, epochs = _curves(model)
    best = _best_epoch(model, curves, epochs, best_epoch)
    axes, twin = _two_axes(ax)
    for panel, (key, label) in zip(axes, PANELS, strict=True):
        style = "--" if twin and key == "auc" else "-"
        _draw_panel(panel, curves, key, label, np.arange(1, epochs + 1), best, style)
    _legends(axes, twin)
    if title and ax is None:
        axes[0].figure.suptitle(clean_text(title), **PLAIN)
    elif title:
        axes[0].set_title(clean_text(title), **PLAIN)
    return axes


def _curves(model: Any) -> tuple[dict[str, np.ndarray], int]:
    history = model if isinstance(model, Mapping) else getattr(model, "history_", None)
    if history is None:
        raise NotFittedError(
            f"plot_history needs a fitted model or a history dict; this {type(model).__name__} has no history_"
        )
    curves = {}
    for key in ("loss", "val_loss", "auc", "val_auc"):
        if history.get(key) is not None:
            try:
                curves[key] = np.array([np.nan if v is None else v for v in history[key]], dtype=float)
            except (TypeError, ValueError):
                raise ShapeError(f"history[{key!r}] must be a list of numbers, one per epoch") from None
    if not curves:
        raise InvalidArgumentError("history must have at least one of loss, val_loss, auc, val_auc; got none of them")
    lengths = {key: len(values) for key, values in curves.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise ShapeError(f"the lists of history must have one common length of at least 1; got {lengths}")
    return curves, next(iter(lengths.values()))


def _best_epoch(model: Any, curves: dict[str, np.ndarray], epochs: int, asked: int | None) -> int | None:
    if asked is not None:
        if not 0 <= asked < epochs:
            raise InvalidArgumentError(f"best_epoch must be an index in 0..{epochs - 1}; got {asked!r}")
        return asked
    validated = any(np.isfinite(curves[key]).any() for key in ("val_loss", "val_auc") if key in curves)
    known = getattr(model, "best_epoch_", None)
    # Without validation the last epoch is kept, which does not make it the best.
    if validated and known is not None and 0 <= known < epochs:
        return int(known)
    for key, pick in (("val_auc", np.nanargmax), ("val_loss", np.nanargmin)):
        if key in curves and np.isfinite(curves[key]).any():
            return int(pick(np.where(np.isfinite(curves[key]), curves[key], np.nan)))
    return None


def _two_axes(ax: Any) -> tuple[np.ndarray, bool]:
    """The pair of axes, and whether the second is a y axis laid over the first."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")[1], False
    given = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) > 2:
        raise InvalidArgumentError(f"ax must be one Axes or a pair; got {len(given)}")
    given = [new_axes(one, (0, 0)) for one in given]
    twin = len(given) == 1
    if twin:
        figure = given[0].figure
        current = figure.gca()
        given.append(given[0].twinx())
        # A new axes becomes the figure's current one: the caller's choice is put back.
        figure.sca(current)
    return np.array(given, dtype=object), twin


def _draw_panel(
    ax: Any, curves: dict[str, np.ndarray], key: str, label: str, epochs: np.ndarray, best: int | None, style: str
) -> None:
    marker = "o" if len(epochs) == 1 else None
    series = ((key, "train", TRAIN_COLOR), ("val_" + key, "validation", VALIDATION_COLOR))
    for name, who, color in series:
        if name in curves and np.isfinite(curves[name]).any():
            ax.plot(epochs, curves[name], style, color=color, label=f"{who} {label}", linewidth=1.6, marker=marker)
    if not ax.lines:
        ax.text(0.5, 0.5, "not recorded", transform=ax.transAxes, ha="center", va="center", color=GRID_COLOR)
    if best is not None:
        ax.axvline(epochs[best], color="#444444", linewidth=0.9, linestyle=":", label=f"best epoch ({epochs[best]})")
        kept = curves.get("val_" + key)
        if kept is not None and np.isfinite(kept[best]):
            star = {"marker": "*", "markersize": 12, "markeredgecolor": "white"}
            ax.plot(epochs[best], kept[best], color=VALIDATION_COLOR, **star)
    ax.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("epoch")
    ax.set_ylabel(label)


def _legends(axes: np.ndarray, twin: bool) -> None:
    if not twin:
        for ax in axes:
            bare(ax, keep=("left", "bottom"))
            if ax.get_legend_handles_labels()[0]:
                ax.legend(frameon=False, fontsize="small")
        return
    handles, labels = [], []
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles.append(handle)
                labels.append(label)
    # On the upper axes of the two, so that no curve runs over it.
    axes[1].legend(handles, labels, frameon=False, fontsize="small", loc="center right")
