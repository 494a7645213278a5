"""What each letter of a sequence does to a model's score. Views room.

N sequences, L positions, 4 letters A C G T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._blocks import run_in_blocks
from ._views import check_model, progress_bar
from .exceptions import InvalidArgumentError

__all__ = ["ism"]

Float = NDArray[np.float32]


def ism(m: Any, X: Any, target: Any = None, *, progress: bool | None = None) -> Float:
    """In-silico mutagenesis: what every substitution of one letter does to the score of a class.

    Unlike a gradient, it sees what a letter does where the network is saturated. Subtract the mean over the letters to
    have attributions, in which the letters that a sequence has stand out.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L)
        Letters or codes; not soft ones.
    target : label or index, optional
        The class; for two classes the positive one by default.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    (N, L, 4) float32
        Score with the letter minus score of the sequence: 0 for the letter that is there.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidArgumentError
        If there is no such target, or the sequences are soft.

    References
    ----------
    Alipanahi et al. 2015, Nature Biotechnology 33:831; Zhou and Troyanskaya 2015, Nature Methods 12:931.

    Examples
    --------
    >>> import deepmotif as dm
    >>> model = dm.CNN(filters=4, kernel_sizes=(3,), random_state=0).build(8, 2)
    >>> values = dm.ism(model, ["ACGTACGT"])
    >>> attributions = values - values.mean(axis=2, keepdims=True)
    >>> values.shape, values[0, 0, 0].item()  # its first letter is A
    ((1, 8, 4), 0.0)
    """
    with check_model(m)._lock:
        codes, index = m._read_fitted(X), m._resolve_target(target)
        if codes.ndim != 2:
            raise InvalidArgumentError("X must be letters or codes, which can be exchanged; got soft letters (N, L, 4)")
        rows, length = codes.shape
        changes = np.zeros((rows, length, 4), dtype=np.float32)
        places = np.repeat(np.arange(length), 4)
        letters = np.tile(np.arange(4, dtype=np.uint8), length)

        def mutate(start: int, stop: int) -> None:
            block = codes[start:stop]
            mutants = np.repeat(block[:, None], 4 * length, axis=1)
            mutants[:, np.arange(4 * length), places] = letters
            scores = m.scores(mutants.reshape(-1, length))[:, index].reshape(-1, length, 4)
            change = scores - m.scores(block)[:, None, None, index]
            # Two passes may round differently.
            change[block[:, :, None] == np.arange(4)] = 0
            changes[start:stop] = change

        with progress_bar(progress, rows, "ism") as tick:
            run_in_blocks(rows, 4 * length * length, mutate, tick)
    return changes
