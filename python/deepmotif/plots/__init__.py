"""Figures: logos, strips, learning curves and the dashboard. Room: plots.

Functions take arrays, motifs and result objects, draw on a given `ax` or on a new figure, return the Axes or the
Figure, and never show anything.
"""

from deepmotif.plots.dashboard import plot_dashboard
from deepmotif.plots.filters import plot_filters
from deepmotif.plots.interactions import plot_interactions
from deepmotif.plots.logos import plot_attribution, plot_logo
from deepmotif.plots.resolve import plot_deepresolve, plot_feature_map, plot_ofiv
from deepmotif.plots.similarity import (
    plot_association_counts,
    plot_class_biclusters,
    plot_class_clusters,
    plot_class_similarity,
    plot_similarity_comparison,
)
from deepmotif.plots.strips import plot_saliency, plot_temporal
from deepmotif.plots.training import plot_history

__all__ = [
    "plot_association_counts",
    "plot_attribution",
    "plot_class_biclusters",
    "plot_class_clusters",
    "plot_class_similarity",
    "plot_dashboard",
    "plot_deepresolve",
    "plot_feature_map",
    "plot_filters",
    "plot_history",
    "plot_interactions",
    "plot_logo",
    "plot_ofiv",
    "plot_saliency",
    "plot_similarity_comparison",
    "plot_temporal",
]
