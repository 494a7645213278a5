"""Seqlets: windows whose attributions are larger than chance would have them. Motifs room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._clustering import Cluster
from ._input_windows import letters_at


@dataclass(frozen=True)
class Sites:
    """Windows of one width: rows, first positions, which lie on the other strand, sums of attributions, all (n,)."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    turned: NDArray[np.bool_]
    scores: NDArray[np.float64]
    width: int

    def taken(self, index: NDArray[Any]) -> Sites:
        """Some of the windows."""
        return Sites(self.rows[index], self.starts[index], self.turned[index], self.scores[index], self.width)

    def laid(self, cluster: Cluster) -> Sites:
        """The windows of a cluster, moved so that they lie on its mean."""
        own = self.taken(cluster.members)
        # Position i of the mean is position i - shift of the window, counted from its end where it is turned.
        starts = own.starts + np.where(cluster.turned, cluster.shifts, -cluster.shifts)
        return Sites(own.rows, starts, cluster.turned, own.scores, self.width)


def call_seqlets(
    projected: NDArray[np.float64], width: int, flank: int, fdr: float, most: int, seed: int
) -> dict[int, Sites]:
    """Significant windows of each sign that do not overlap, with their flanks, strongest first."""
    sums = _sums(projected, width)
    # Where the positions of a sequence are shuffled, nothing is left of motifs, but all of the sizes of attributions.
    shuffled = np.random.default_rng(seed).permuted(projected, axis=1)
    null = _sums(shuffled, width)
    found = {}
    for sign in (1, -1):
        limit = _threshold(sign * sums, sign * null, fdr)
        rows, starts = _peaks(sign * sums, limit, width)
        scores = sums[rows, starts]
        order = np.argsort(-np.abs(scores), kind="stable")[:most]
        turned = np.zeros(len(order), dtype=bool)
        found[sign] = Sites(rows[order], starts[order] - flank, turned, scores[order], width + 2 * flank)
    return found


def windows_of(letters: NDArray[np.float32], projected: NDArray[np.float64], sites: Sites) -> NDArray[np.float32]:
    """Attributions (n, W, 4) of the present letters in the windows, zero beyond the ends; as on the + strand."""
    own = letters_at(letters, sites.rows, sites.starts, sites.width)
    places = sites.starts[:, None] + np.arange(sites.width)
    weights = projected[sites.rows[:, None], places.clip(0, projected.shape[1] - 1)]
    return (own * weights[:, :, None]).astype(np.float32)


def _sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(values, width, axis=1)
    return windows.sum(axis=2)  # type: ignore[no-any-return]


def _threshold(sums: NDArray[np.float64], null: NDArray[np.float64], fdr: float) -> float:
    """The smallest positive sum at and above which the expected share of false discoveries is at most `fdr`."""
    observed, chance = np.sort(sums, axis=None), np.sort(null, axis=None)
    found = len(observed) - np.arange(len(observed))
    false = len(chance) - np.searchsorted(chance, observed, side="left")
    good = np.flatnonzero((observed > 0) & (false <= fdr * found))
    return float(observed[good[0]]) if len(good) else np.inf


def _peaks(sums: NDArray[np.float64], limit: float, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best windows at and above a limit, one after the other, without those that overlap a better one."""
    if not np.isfinite(limit):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    left = sums.copy()
    rows = np.flatnonzero((left >= limit).any(axis=1))
    parts = []
    offsets = np.arange(-width + 1, width)
    while len(rows):
        best = left[rows].argmax(axis=1)
        kept = left[rows, best] >= limit
        rows, best = rows[kept], best[kept]
        parts.append((rows, best))
        left[rows[:, None], (best[:, None] + offsets).clip(0, left.shape[1] - 1)] = -np.inf
    found = [np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)]
    return found[0], found[1]
