"""Cuts long engine calls into blocks, so that Ctrl-C and progress bars are answered. Models room."""

from __future__ import annotations

import time
from collections.abc import Callable

# Half of what an interrupt may wait, so that one misjudged block does not break the promise of half a second.
BLOCK_SECONDS = 0.2

# Positions of the first block: a fraction of BLOCK_SECONDS even for large networks without vector instructions.
_FIRST_BLOCK_POSITIONS = 1 << 13

# Fourfold at most from one block to the next: the first one also pays for memory that later ones find ready.
_GROWTH = 4


class Pace:
    """How many units of work (batches, rows) fill one engine call of about `BLOCK_SECONDS`.

    Only the time decides where the work is cut; the engine's results do not depend on it.
    """

    def __init__(self, unit: int = 1) -> None:
        self._unit = unit
        self.size = unit

    def update(self, done: int, seconds: float) -> None:
        """Takes note that `done` units took so long."""
        fitting = done * BLOCK_SECONDS / max(seconds, 1e-6)
        size = min(int(fitting), _GROWTH * self.size)
        self.size = max(self._unit, size // self._unit * self._unit)


def run_in_blocks(
    n_rows: int, length: int, call: Callable[[int, int], None], tick: Callable[[int], None] | None = None
) -> None:
    """Calls `call(start, stop)` for consecutive blocks of the rows 0 ... n_rows - 1.

    Parameters
    ----------
    n_rows, length : int
        N and L of the sequences.
    call : callable
        Does the work of the rows start ... stop - 1.
    tick : callable, optional
        Told the number of rows done after each block.

    Examples
    --------
    >>> done = []
    >>> run_in_blocks(3, 100, lambda start, stop: done.extend(range(start, stop)))
    >>> done
    [0, 1, 2]
    """
    pace = Pace(max(1, _FIRST_BLOCK_POSITIONS // max(1, length)))
    start = 0
    while start < n_rows:
        stop = min(n_rows, start + pace.size)
        began = time.perf_counter()
        call(start, stop)
        pace.update(stop - start, time.perf_counter() - began)
        if tick is not None:
            tick(stop - start)
        start = stop
