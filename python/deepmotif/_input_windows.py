"""Windows cut out of sequences. Sequences room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Codes to letters; the last row, of unknown bases, is empty.
_ONE_HOT = np.vstack([np.eye(4, dtype=np.float32), np.zeros((1, 4), dtype=np.float32)])


def letters_at(X: NDArray[Any], rows: NDArray[Any], starts: NDArray[Any], width: int) -> NDArray[np.float32]:
    """Letters (n, width, 4) of the windows that begin at `starts` (n,) of the sequences `rows` (n,).

    What lies beyond an end of a sequence is all zero, as an unknown base is.

    Examples
    --------
    >>> import numpy as np
    >>> letters_at(np.array([[0, 1, 4, 3]], dtype=np.uint8), np.array([0]), np.array([-1]), 3)[0].argmax(axis=1)
    array([0, 0, 1])
    """
    places = np.asarray(starts)[:, None] + np.arange(width)
    inside = (places >= 0) & (places < X.shape[1])
    found = X[np.asarray(rows)[:, None], np.where(inside, places, 0)]
    if X.ndim == 2:
        return _ONE_HOT[np.where(inside, found, 4)]
    return np.where(inside[:, :, None], found, 0).astype(np.float32, copy=False)
