"""Figures: logos, strips, learning curves and the dashboard. Room: plots.

Functions take arrays, motifs and result objects, draw on a given `ax` or on a new figure, return the Axes or the
Figure, and never show anything.
"""

from deepmotif.plots.dashboard import plot_dashboard
from deepmotif.plots.filters import plot_filters
from deepmotif.plots.logos import plot_attribution, plot_logo
from deepmotif.plots.strips import plot_saliency, plot_temporal
from deepmotif.plots.training import plot_history

__all__ = [
    "plot_attribution",
    "plot_dashboard",
    "plot_filters",
    "plot_history",
    "plot_logo",
    "plot_saliency",
    "plot_temporal",
]
