"""Rows of sequences with their targets: which ones, in which order, on which strand. Models room; private."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native, _stored
from ._stored import StoredRows
from ._strands import other_strand

Rows = NDArray[np.int64]

# Streams of the shuffling generator: epochs count from 0, the others start beyond any of them.
_SPLIT_STREAM = 1 << 32
_STRAND_STREAM = 1 << 33
_WINDOW_STREAM = 1 << 34
_MOST_WINDOWS = 1 << 24

#: Data of more bytes than this are read in groups of about so many bytes.
_LARGE_BYTES = 1 << 28
_LARGE_GROUP_BYTES = 1 << 16

#: Row numbers that are replaced at a time.
_PART = 1 << 16

#: Scores that validation takes: with a thousand tasks those of all rows would not fit into memory.
MOST_SCORES = 1 << 24

#: Scores that a training pass keeps for its AUC, which only watches the training.
MOST_SEEN = 1 << 22


@dataclass(frozen=True)
class LabelledRows:
    """Some rows, in rising order, of sequences X with targets by row of X. Neither is copied: both may be in files."""

    X: NDArray[Any] | StoredRows
    targets: NDArray[Any] | StoredRows
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def row_targets(self) -> NDArray[Any]:
        return self.targets[self.rows]

    @property
    def _is_large(self) -> bool:
        return len(self.X) * _row_bytes(self.X) > _LARGE_BYTES

    def read_shuffled(self) -> contextlib.AbstractContextManager[None]:
        """What surrounds reading the rows in the order of an epoch."""
        return _stored.read_at_random(self.X) if self._is_large else contextlib.nullcontext()

    def shuffled(self, seed: int, epoch: int) -> Rows:
        """The rows in the random order of an epoch.

        What is read in groups is shuffled twice, so that each group is read once: all groups, then the rows of as many
        groups as are remembered. Large data are too, wherever they lie: a memory map of more than the memory would be
        read page by page at random otherwise, and the order must not depend on where the data are.
        """
        stored = [data for data in (self.X, self.targets) if isinstance(data, StoredRows)]
        group = max((data.group for data in stored), default=1)
        row_bytes = max([_row_bytes(self.X), *(data.row_bytes for data in stored)])
        if self._is_large:
            group = max(group, _LARGE_GROUP_BYTES // row_bytes)
        if group == 1:
            order = _native.random_permutation(seed, epoch, len(self))
            # In parts and in place: numbers of all rows are most of what training on a large file needs.
            for start in range(0, len(order), _PART):
                order[start : start + _PART] = self.rows[order[start : start + _PART]]
            return order
        starts = np.flatnonzero(np.diff(self.rows // group)) + 1
        groups = np.split(self.rows, starts)
        order = _native.random_permutation(seed, epoch, len(groups))
        together = max(1, _stored.REMEMBERED_BYTES // 2 // (row_bytes * group))
        shuffled = np.empty(len(self), dtype=np.int64)
        done = 0
        for number, first in enumerate(range(0, len(groups), together)):
            rows = np.concatenate([groups[index] for index in order[first : first + together]])
            stream = _WINDOW_STREAM + epoch * _MOST_WINDOWS + number
            shuffled[done : done + len(rows)] = rows[_native.random_permutation(seed, stream, len(rows))]
            done += len(rows)
        return shuffled

    def block(self, rows: Rows, reversed_at: NDArray[np.bool_] | None = None) -> tuple[Any, Any, Rows]:
        """Sequences, targets and row numbers for one call of the engine, some sequences as their other strand."""
        if reversed_at is None and not isinstance(self.X, StoredRows) and not isinstance(self.targets, StoredRows):
            return self.X, self.targets, rows
        X = np.ascontiguousarray(self.X[rows])
        if reversed_at is not None:
            X = X.copy() if np.may_share_memory(X, self.X) else X
            X[reversed_at] = other_strand(X[reversed_at])
        return X, np.ascontiguousarray(self.targets[rows]), np.arange(len(rows), dtype=np.int64)


def _row_bytes(X: NDArray[Any] | StoredRows) -> int:
    return max(1, int(np.prod(X.shape[1:])) * X.dtype.itemsize)


def reversed_rows(seed: int, epoch: int, count: int) -> NDArray[np.bool_]:
    """Which rows an epoch reads on the other strand: half of them, by chance."""
    return _native.random_permutation(seed, _STRAND_STREAM + epoch, count) % 2 == 1


def split_rows(strata: NDArray[np.int32], fraction: float, seed: int, most: int | None = None) -> tuple[Rows, Rows]:
    """Rows for training and for validation, `fraction` of every stratum drawn at random for the latter.

    Every stratum keeps a row for training, and gives at least one for validation where it has two; `most` rows for
    validation in all, about.
    """
    if most is not None:
        fraction = min(fraction, most / max(1, len(strata)))
    held_out = []
    for label in range(int(strata.max(initial=-1)) + 1):
        rows = np.flatnonzero(strata == label)
        count = min(max(1, round(fraction * len(rows))), len(rows) - 1)
        if count > 0:
            held_out.append(rows[_native.random_permutation(seed, _SPLIT_STREAM + label, len(rows))[:count]])
    validation = np.sort(np.concatenate(held_out)) if held_out else np.empty(0, dtype=np.int64)
    is_training = np.ones(len(strata), dtype=np.bool_)
    is_training[validation] = False
    return np.flatnonzero(is_training).astype(np.int64, copy=False), validation.astype(np.int64, copy=False)
