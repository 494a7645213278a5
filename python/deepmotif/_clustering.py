"""Clusters of aligned windows: densest first, each drawn towards its mean. Motifs room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._similarity import best_alignments

Float = NDArray[np.float32]

# Similarities of more windows than this are not held at once (n x n): of the rest, those that are like no cluster that
# these form are the next seeds.
_SEEDS = 2000

# A cluster's mean and its members settle within few rounds.
_ROUNDS = 3


@dataclass
class Cluster:
    """Windows and how each lies on the mean: as `best_alignments` says of the mean against the window."""

    members: NDArray[np.int64]
    shifts: NDArray[np.int64]
    turned: NDArray[np.bool_]


def cluster_windows(
    windows: NDArray[Any], similarity: float, merge: float, least: int, max_shift: int
) -> list[Cluster]:
    """Clusters of windows (n, W, 4), the largest first; windows that are like no others are left out.

    Parameters
    ----------
    windows : array (n, W, 4)
        Strongest first: they are the seeds.
    similarity : float
        Least cosine similarity of a member to the mean of its cluster.
    merge : float
        Clusters whose means are so similar are one.
    least : int
        Fewest members of a cluster.
    max_shift : int
        Largest shift of a member.
    """
    windows = np.ascontiguousarray(windows, dtype=np.float32)
    means: list[Float] = []
    rest = np.arange(len(windows))
    while len(rest) >= least:
        fresh = _dense_means(windows[rest[:_SEEDS]], similarity, least, max_shift)
        means = _merged(means + fresh, merge, max_shift)
        rest = rest[_SEEDS:]
        if len(rest) and means:
            values, _, _ = best_alignments(np.stack(means), windows[rest], max_shift)
            rest = rest[values.max(axis=0) < similarity]
    return _assign(windows, means, similarity, least, max_shift)


def _dense_means(seeds: Float, similarity: float, least: int, max_shift: int) -> list[Float]:
    """Means of the clusters that windows form, the densest first."""
    alike = best_alignments(seeds, seeds, max_shift)[0] >= similarity
    free = np.ones(len(seeds), dtype=bool)
    means: list[Float] = []
    while True:
        neighbours = (alike & free[None, :]).sum(axis=1) * free
        centre = int(neighbours.argmax())
        if neighbours[centre] < least:
            return means
        pool = np.flatnonzero(free)
        mean, members = seeds[centre], np.array([centre])
        for _ in range(_ROUNDS):
            found = _join(mean, seeds[pool], similarity, max_shift)
            if len(found.members) == 0:
                break
            members, mean = pool[found.members], _mean(seeds[pool], found)
        # The centre leaves in any case, so that every round ends with fewer windows.
        free[members] = free[centre] = False
        if len(members) >= least:
            means.append(mean)


def shifted(windows: NDArray[Any], shifts: NDArray[Any], turned: NDArray[Any]) -> NDArray[Any]:
    """Windows (n, W, 4) laid on their mean: turned where they lie on the other strand, zeros where they end."""
    width = windows.shape[1]
    laid = np.where(turned[:, None, None], windows[:, ::-1, ::-1], windows)
    places = np.arange(width)[None, :] - shifts[:, None]
    inside = (places >= 0) & (places < width)
    taken = laid[np.arange(len(laid))[:, None], np.where(inside, places, 0)]
    return np.where(inside[:, :, None], taken, 0)


def _join(mean: Float, windows: Float, similarity: float, max_shift: int) -> Cluster:
    """The windows that lie well on the mean."""
    values, shifts, turned = (part[0] for part in best_alignments(mean[None], windows, max_shift))
    members = np.flatnonzero(values >= similarity)
    return Cluster(members, shifts[members].astype(np.int64), turned[members])


def _mean(windows: Float, cluster: Cluster) -> Float:
    mean: Float = shifted(windows[cluster.members], cluster.shifts, cluster.turned).mean(axis=0)
    return mean


def _merged(means: list[Float], merge: float, max_shift: int) -> list[Float]:
    """The means without those that resemble an earlier one, which is of a denser cluster."""
    kept: list[Float] = []
    for mean in means:
        if not kept or best_alignments(np.stack(kept), mean[None], max_shift)[0].max() < merge:
            kept.append(mean)
    return kept


def _assign(windows: Float, means: list[Float], similarity: float, least: int, max_shift: int) -> list[Cluster]:
    """Every window goes to the mean that it resembles most."""
    if not means:
        return []
    values, shifts, turned = best_alignments(np.stack(means), windows, max_shift)
    best = values.argmax(axis=0)
    clusters = []
    for index in range(len(means)):
        members = np.flatnonzero((best == index) & (values[index] >= similarity))
        if len(members) >= least:
            clusters.append(Cluster(members, shifts[index, members].astype(np.int64), turned[index, members]))
    return sorted(clusters, key=lambda cluster: -len(cluster.members))
