"""From views to motifs: the window of each sequence that a model looks at, and the class it dreams of. Motifs room.

Lanchantin, Singh, Wang and Qi, "Deep Motif Dashboard", Pacific Symposium on Biocomputing 2017, section 2.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._blocks import run_in_blocks
from ._class_optimization import ClassOptimization, class_optimization
from ._input_windows import letters_at
from ._motif import Motif
from ._receptive import receptive_field
from ._validation import check_whole
from ._views import check_model
from .exceptions import InvalidArgumentError, ShapeError
from .filters import _layer_of
from .views import saliency, temporal_scores

__all__ = ["WindowMotif", "activation_motifs", "class_motif", "saliency_motifs", "temporal_motifs"]


class WindowMotif(Motif):
    """A window of one sequence as a motif.

    Attributes
    ----------
    sequence : int or None
        The row of the sequence; None for a class optimisation, which is of no sequence.
    start, end : int
        From 0, half open.
    score : float
        What made it the best window of its sequence: the sum of the saliency, the rise of the temporal score, the
        activation, the information content.
    """

    sequence: int | None
    start: int
    end: int
    score: float

    def __init__(
        self, probabilities: ArrayLike, name: str, *, sequence: int | None, start: int, end: int, score: float
    ) -> None:
        super().__init__(probabilities, name)
        self.sequence, self.start, self.end, self.score = sequence, start, end, score


def saliency_motifs(
    m: Any,
    X: Any,
    width: int = 9,
    *,
    target: Any = None,
    output: str = "score",
    centered: bool = False,
    progress: bool | None = None,
) -> list[WindowMotif]:
    """The window of each sequence with the highest sum of the saliency, as a motif.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L)
        Those of the class, as a rule.
    width : int
        Positions of a window.
    target, output, centered, progress
        As in `saliency`.

    Returns
    -------
    list of WindowMotif
        One a sequence, in order; of equal windows the first.

    Raises
    ------
    NotFittedError, InvalidArgumentError, ShapeError
        As in `saliency`; sequences shorter than `width`.

    References
    ----------
    Lanchantin et al. 2017, section 2.3 (motif extraction).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> motifs = dm.saliency_motifs(model, X[:3])
    >>> [(motif.sequence, motif.end - motif.start, len(motif)) for motif in motifs]
    [(0, 9, 9), (1, 9, 9), (2, 9, 9)]
    """
    with check_model(m)._lock:
        data, width = _read(m, X, width)
        values = saliency(m, data, target, output=output, centered=centered, progress=progress)
    sums = _window_sums(values, width)
    starts = sums.argmax(axis=1)
    return _windows(data, starts, width, np.take_along_axis(sums, starts[:, None], axis=1)[:, 0])


def temporal_motifs(
    m: Any, X: Any, width: int = 9, *, target: Any = None, progress: bool | None = None
) -> list[WindowMotif]:
    """The window of each sequence over which the temporal score rises most from negative to positive, as a motif.

    Both directions are looked at. Windows across which the score passes from below to above 0.5 go before all others;
    among those of one kind the largest rise decides.

    Parameters
    ----------
    m : model
        A fitted model with a recurrent layer.
    X : sequences (N, L)
        Those of the class, as a rule.
    width : int
        Positions of a window.
    target, progress
        As in `temporal_scores`.

    Returns
    -------
    list of WindowMotif
        One a sequence, in order; of equal windows the first, forward before backward.

    Raises
    ------
    NotFittedError, InvalidArgumentError, ShapeError
        As in `temporal_scores`; sequences shorter than `width`.

    References
    ----------
    Lanchantin et al. 2017, section 2.3 (motif extraction).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.RNN(hidden=8, epochs=2, random_state=0).fit(X, y)
    >>> [len(motif) for motif in dm.temporal_motifs(model, X[:3], width=6)]
    [6, 6, 6]
    """
    with check_model(m)._lock:
        data, width = _read(m, X, width)
        forward, backward = temporal_scores(m, data, target, progress=progress)
    rises, crossings = [], []
    for scores in (forward, backward[:, ::-1]):
        # Before the first position nothing was read: the first window rises from its own first score.
        before = np.concatenate([scores[:, :1], scores[:, :-width]], axis=1)
        after = scores[:, width - 1 :]
        rises.append((after - before).astype(np.float64))
        crossings.append((before < 0.5) & (after >= 0.5))
    rises[1], crossings[1] = rises[1][:, ::-1], crossings[1][:, ::-1]
    rise, crossing = np.concatenate(rises, axis=1), np.concatenate(crossings, axis=1)
    # A rise is below 1, so that 2 puts any crossing before the rest.
    best = (rise + 2.0 * crossing).argmax(axis=1)
    starts = best % rises[0].shape[1]
    return _windows(data, starts, width, np.take_along_axis(rise, best[:, None], axis=1)[:, 0])


def activation_motifs(
    m: Any, X: Any, width: int | None = None, *, layer: str | int | None = None, progress: bool | None = None
) -> list[WindowMotif]:
    """The window of each sequence at the strongest activation of any filter, as a motif.

    What the paper compares the views with. `filter_motifs` counts such windows filter by filter.

    Parameters
    ----------
    m : model
        A fitted model.
    X : sequences (N, L)
        Those of the class, as a rule.
    width : int, optional
        Positions of a window, around the middle of the filter's; None: the whole receptive field. Windows are moved
        into the sequence.
    layer : str or int, optional
        Name or index; None is the first convolution.
    progress : bool, optional
        Show a progress bar; None: on a terminal or in a notebook only.

    Returns
    -------
    list of WindowMotif
        One a sequence, in order.

    Raises
    ------
    NotFittedError, InvalidArgumentError, ShapeError
        As in `filter_motifs`; sequences shorter than `width`.

    References
    ----------
    Alipanahi et al. 2015, Nature Biotechnology 33:831; Lanchantin et al. 2017, table 3 (convolution activation).

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> [len(motif) for motif in dm.activation_motifs(model, X[:3])]
    [5, 5, 5]
    """
    with check_model(m)._lock:
        index = _layer_of(m, layer)
        data = m._read_fitted(X)
        field = receptive_field(m._layers, index, data.shape[1])
        data, width = _read(m, data, min(field.size, data.shape[1]) if width is None else width)
        values, positions = _strongest(m, data, index)
    middle = field.starts(positions) + (field.size - width) // 2
    return _windows(data, middle.clip(0, data.shape[1] - width), width, values)


def class_motif(
    m: Any,
    target: Any = None,
    *,
    width: int = 9,
    restarts: int = 8,
    random_state: Any = 0,
    parametrization: str = "softmax",
    optimization: ClassOptimization | None = None,
    **options: Any,
) -> WindowMotif:
    """The most informative window of the class optimisation, as a motif.

    Parameters
    ----------
    m : model
        A fitted model.
    target : label or index, optional
        The class; for two classes the positive one by default.
    width : int
        Positions of the window.
    restarts, random_state, parametrization, **options
        Of `class_optimization`. Its own default parametrisation, the paper's, often leaves no motif behind.
    optimization : ClassOptimization, optional
        One that was computed before; nothing is computed then.

    Returns
    -------
    WindowMotif
        Of the best restart; ``sequence`` is None.

    Raises
    ------
    NotFittedError, InvalidArgumentError, ShapeError
        As in `class_optimization`; inputs shorter than `width`.

    References
    ----------
    Lanchantin et al. 2017, sections 2.2 and 2.3.

    Examples
    --------
    >>> import deepmotif as dm
    >>> X, y = dm.simulate(400, length=40, random_state=0)
    >>> model = dm.CNN(filters=8, kernel_sizes=(5, 3), epochs=2, random_state=0).fit(X, y)
    >>> motif = dm.class_motif(model, steps=20, restarts=2)
    >>> len(motif), motif.name
    (9, 'class_1')
    """
    check_model(m)
    width = check_whole(width, "width")
    if optimization is None:
        optimization = class_optimization(
            m, target, restarts=restarts, random_state=random_state, parametrization=parametrization, **options
        )
    elif not isinstance(optimization, ClassOptimization):
        raise InvalidArgumentError(
            f"optimization must be a ClassOptimization or None; got {type(optimization).__name__}"
        )
    matrix = optimization.pwm[optimization.best].astype(np.float64)
    _check_width(width, len(matrix), "the optimised input")
    bits = _window_sums(Motif(matrix).information_content[None], width)[0]
    start = int(bits.argmax())
    return WindowMotif(
        matrix[start : start + width], f"class_{optimization.target}", sequence=None, start=start, end=start + width,
        score=float(bits[start]),
    )  # fmt: skip


# MARK: windows


def _read(m: Any, X: Any, width: int) -> tuple[NDArray[Any], int]:
    data = m._read_fitted(X)
    width = check_whole(width, "width")
    _check_width(width, data.shape[1], "the sequences of X")
    return data, width


def _check_width(width: int, length: int, what: str) -> None:
    if width > length:
        raise ShapeError(f"width must be at most the length of {what}, {length}; got {width}")


def _window_sums(values: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Sums (N, L - width + 1) of neighbouring values (N, L)."""
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float64), width, axis=1)
    sums: NDArray[np.float64] = windows.sum(axis=2)
    return sums


def _strongest(m: Any, data: NDArray[Any], index: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The largest activation of any channel in each sequence and its position."""
    values, positions = np.empty(len(data)), np.empty(len(data), dtype=np.int64)
    engine, threads = m._engine, m._threads()

    def call(start: int, stop: int) -> None:
        places, maxima = engine.channel_peaks(data[start:stop], index, threads)
        best = maxima.argmax(axis=1)[:, None]
        values[start:stop] = np.take_along_axis(maxima, best, axis=1)[:, 0]
        positions[start:stop] = np.take_along_axis(places, best, axis=1)[:, 0]

    run_in_blocks(len(data), data.shape[1], call)
    return values, positions


def _windows(data: NDArray[Any], starts: NDArray[Any], width: int, scores: NDArray[Any]) -> list[WindowMotif]:
    letters = letters_at(data, np.arange(len(data)), starts, width).astype(np.float64).clip(min=0)
    totals = letters.sum(axis=2, keepdims=True)
    matrices = np.divide(letters, totals, out=np.full_like(letters, 0.25), where=totals > 0)
    return [
        WindowMotif(
            matrix, f"sequence_{row}", sequence=row, start=int(start), end=int(start) + width, score=float(score)
        )
        for row, (matrix, start, score) in enumerate(zip(matrices, starts, scores, strict=True))
    ]
