"""How alike motifs or windows are at their best alignment, on either strand. Motifs room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def best_alignments(
    first: NDArray[Any], second: NDArray[Any], max_shift: int, both_strands: bool = True
) -> tuple[Float, NDArray[np.int16], NDArray[np.bool_]]:
    """Similarity of every pair of matrices at the alignment where it is largest.

    The similarity is the cosine of the two matrices, one of them shifted, zeros beyond its ends: 1 for equal ones.

    Parameters
    ----------
    first, second : array (n, W, 4), (m, W, 4)
        Matrices of one width, zero where nothing is known.
    max_shift : int
        Positions that one may be shifted against the other, to either side.
    both_strands : bool
        Try the reverse complement of `second` too.

    Returns
    -------
    similarities, shifts, turned : (n, m)
        Position i of a first matrix lies on position i - shift of the second (of its reverse complement where turned).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.zeros((1, 5, 4)); a[0, 1, 0] = a[0, 2, 2] = 1  # -AG--
    >>> b = np.zeros((1, 5, 4)); b[0, 2, 1] = b[0, 3, 3] = 1  # --CT-
    >>> similarity, shift, turned = best_alignments(a, b, 3)
    >>> similarity.round(5).item(), shift.item(), turned.item()
    (1.0, 0, True)
    """
    width = first.shape[1]
    first, second = _unit(first), _unit(second)
    shape = len(first), len(second)
    best = np.full(shape, -np.inf, dtype=np.float32)
    shifts, turned = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=bool)
    for is_turned in (False, True) if both_strands else (False,):
        other = second[:, ::-1, ::-1] if is_turned else second
        # From the centre outwards: of equal alignments the least shifted one stays.
        for shift in sorted(range(-min(max_shift, width - 1), min(max_shift, width - 1) + 1), key=abs):
            overlap = width - abs(shift)
            a = first[:, max(shift, 0) : max(shift, 0) + overlap].reshape(len(first), overlap * 4)
            b = other[:, max(-shift, 0) : max(-shift, 0) + overlap].reshape(len(second), overlap * 4)
            found = a @ b.T
            better = found > best
            best[better] = found[better]
            shifts[better] = shift
            turned[better] = is_turned
    return best, shifts, turned


def _unit(matrices: NDArray[Any]) -> Float:
    flat = np.ascontiguousarray(matrices, dtype=np.float32).reshape(len(matrices), matrices.shape[1] * 4)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, norms, out=np.zeros_like(flat), where=norms > 0).reshape(matrices.shape)


def group_by_similarity(matrices: NDArray[Any], threshold: float, max_shift: int) -> NDArray[np.int64]:
    """Number of the group of each matrix (n,), from 0 in order of first members.

    A matrix joins the first group whose first member it resembles; a matrix of zeros is a group of its own.

    Examples
    --------
    >>> import numpy as np
    >>> group_by_similarity(np.eye(4)[[[0, 1], [2, 2], [2, 3]]], 0.9, 1).tolist()  # AC, GG, GT = AC turned
    [0, 1, 0]
    """
    similarities, _, _ = best_alignments(matrices, matrices, max_shift)
    groups = np.full(len(matrices), -1, dtype=np.int64)
    leaders: list[int] = []
    for index in range(len(matrices)):
        like = [number for number, leader in enumerate(leaders) if similarities[leader, index] >= threshold]
        groups[index] = like[0] if like else len(leaders)
        if not like:
            leaders.append(index)
    return groups
