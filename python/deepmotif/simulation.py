"""Made-up sequences whose truth is known: planted motifs and the synthetic sets of DeepResolve. Sequences room."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _alphabet, _native
from ._example_motif import example_motif
from ._motif import Motif
from ._validation import check_flag, check_threads, check_whole, draw_seed
from .exceptions import InvalidArgumentError, ShapeError

__all__ = ["simulate", "synthetic_classes", "synthetic_xor"]

Codes = NDArray[np.uint8]

#: Dinucleotides of the human genome, rows the first letter, columns the second, A C G T: how often each occurs in hg19,
#: one strand, as RSAT's count-words program counts. CG is the rare one.
HUMAN_DINUCLEOTIDES = np.array(
    [
        [279490734, 143903156, 199880889, 220891389],
        [207352244, 148888857, 28162976, 199989641],
        [169602085, 121929296, 148965391, 144228762],
        [187721077, 169672559, 207716132, 280279142],
    ],
    dtype=np.float64,
)


def simulate(
    n: int,
    length: int = 101,
    motifs: Any = None,
    random_state: Any = 0,
    *,
    strand: str = "forward",
    plant: str = "all",
    background: Any = "human",
    return_positions: bool = False,
    n_threads: int | None = None,
) -> Any:
    """Random sequences, half of them with planted motifs.

    Parameters
    ----------
    n : int
        Sequences in all; ``n // 2`` are positive.
    length : int
        L.
    motifs : str, Motif, array (K, 4), or list of these
        A str is planted as it is, an ambiguity letter as one of its bases; of a Motif each site is drawn from its
        probabilities. By default `deepmotif.motifs.example_motif`.
    random_state : int, None, Generator or RandomState
        The same seed gives the same sequences for any number of threads.
    strand : {"forward", "both"}
        "both": every site is reverse-complemented with probability 1/2.
    plant : {"all", "one"}
        Of a list, plant every motif in each positive, without overlaps and in any order; or one drawn at random.
    background : "human", "uniform" or array (4, 4)
        First-order Markov chain of all other letters: the dinucleotides of the human genome (hg19), independent
        uniform letters, or the probabilities of the next letter (columns) behind each letter (rows).
    return_positions : bool
        Return the planted positions too.
    n_threads : int, optional
        All processors that the process may use by default.

    Returns
    -------
    X : array (n, L)
        Codes. Positives and negatives in random order. A negative may hold a site by chance.
    y : array (n,)
        int64, 1 where motifs were planted.
    positions : array (n,), or (n, M) for a list of M motifs
        int64 start of each site, -1 where none was planted. Only with ``return_positions=True``.

    Raises
    ------
    ShapeError
        The motifs do not fit into the length.
    InvalidArgumentError
        Letters that are none, options that are not listed.

    Examples
    --------
    >>> from deepmotif.simulation import simulate
    >>> X, y, positions = simulate(10, length=20, motifs="GATAAG", return_positions=True)
    >>> X.shape, y.sum()
    ((10, 20), np.int64(5))
    >>> from deepmotif.sequences import decode
    >>> row = y.argmax()
    >>> decode(X)[row][positions[row] : positions[row] + 6]
    'GATAAG'
    """
    n = check_whole(n, "n", 2)
    length = check_whole(length, "length")
    _check_choice(strand, "strand", ("forward", "both"))
    _check_choice(plant, "plant", ("all", "one"))
    check_flag(return_positions, "return_positions")
    several = isinstance(motifs, (list, tuple))
    matrices = _matrices(motifs)
    seed = draw_seed(random_state)
    X = _background(background, n, length, seed, check_threads(n_threads))
    # Another stream than the background's, so that the motifs planted do not change it.
    random = np.random.default_rng([seed, 1])
    y = np.zeros(n, dtype=np.int64)
    y[random.permutation(n)[: n // 2]] = 1
    rows = np.flatnonzero(y)
    starts = np.full((n, len(matrices)), -1, dtype=np.int64)
    widths = [len(matrix) for matrix in matrices]
    if plant == "all":
        starts[rows] = _places(random, len(rows), widths, length)
    else:
        chosen = random.integers(len(matrices), size=len(rows))
        for index, width in enumerate(widths):
            mine = rows[chosen == index]
            starts[mine, index] = _places(random, len(mine), [width], length)[:, 0]
    for index, matrix in enumerate(matrices):
        planted = np.flatnonzero(starts[:, index] >= 0)
        _write_sites(X, planted, starts[planted, index], _draw_sites(random, matrix, len(planted), strand))
    if not return_positions:
        return X, y
    return X, y, starts if several else starts[:, 0]


def _check_choice(value: Any, name: str, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        shown = " or ".join(f'"{choice}"' for choice in choices)
        raise InvalidArgumentError(f"{name} must be {shown}; got {value!r}")


def _matrices(motifs: Any) -> list[NDArray[np.float64]]:
    if motifs is None:
        motifs = example_motif()
    listed: Sequence[Any] = list(motifs) if isinstance(motifs, (list, tuple)) else [motifs]
    if not listed:
        raise InvalidArgumentError("motifs must hold at least one motif; got an empty list")
    matrices = []
    for motif in listed:
        if isinstance(motif, str):
            motif = Motif.from_consensus(motif)
        matrices.append(motif.probabilities if isinstance(motif, Motif) else Motif(motif).probabilities)
    return matrices


def _background(background: Any, n: int, length: int, seed: int, threads: int) -> Codes:
    """Codes (n, L) of the chain, started from its stationary distribution."""
    transitions = _transitions(background)
    # The stationary distribution: the left eigenvector of eigenvalue 1, by least squares with the sum as fifth row.
    system = np.vstack([transitions.T - np.eye(4), np.ones(4)])
    initial = np.linalg.lstsq(system, np.array([0, 0, 0, 0, 1.0]), rcond=None)[0].clip(0)
    codes: Codes = _native.markov(initial / initial.sum(), transitions, n, length, seed, threads)
    return codes


def _transitions(background: Any) -> NDArray[np.float64]:
    if isinstance(background, str):
        _check_choice(background, "background", ("human", "uniform"))
        counts = HUMAN_DINUCLEOTIDES if background == "human" else np.ones((4, 4))
        return counts / counts.sum(axis=1, keepdims=True)
    try:
        matrix = np.array(background, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (4, 4):
        raise ShapeError('background must be "human", "uniform" or an array (4, 4) of probabilities of the next letter')
    if not (np.isfinite(matrix) & (matrix >= 0)).all() or np.abs(matrix.sum(axis=1) - 1).max() > 1e-6:
        raise InvalidArgumentError("background must have rows of probabilities that sum to 1")
    return matrix / matrix.sum(axis=1, keepdims=True)


def _places(random: np.random.Generator, count: int, widths: list[int], length: int) -> NDArray[np.int64]:
    """Starts (count, M) of M motifs that do not overlap: every order and every spacing equally likely."""
    number, free = len(widths), length - sum(widths)
    if free < 0:
        raise ShapeError(f"length must be at least {sum(widths)}, the width of the motifs together; got {length}")
    # Stars and bars: M of free + M places, all sets equally likely, are where the motifs stand among the free letters.
    # Each draw is an index among the places that are left; passing the taken ones in ascending order makes it a place.
    taken = np.empty((count, 0), dtype=np.int64)
    for drawn in range(number):
        place = random.integers(free + number - drawn, size=count)
        for column in range(drawn):
            place += place >= taken[:, column]
        taken = np.sort(np.column_stack([taken, place]), axis=1)
    gaps = taken - np.arange(number)
    order = np.argsort(random.random((count, number)), axis=1)
    ordered_widths = np.asarray(widths)[order]
    before = np.cumsum(ordered_widths, axis=1) - ordered_widths
    starts = np.empty((count, number), dtype=np.int64)
    np.put_along_axis(starts, order, gaps + before, axis=1)
    return starts


def _draw_sites(random: np.random.Generator, matrix: NDArray[np.float64], count: int, strand: str) -> Codes:
    """Sites (count, K), each letter from its position's probabilities."""
    bounds = np.cumsum(matrix, axis=1)
    # A draw never reaches the last bound, whatever the rounding of the sums; a letter of probability 0 is never drawn.
    draws = random.random((count, len(matrix))) * bounds[:, 3]
    sites = (draws[:, :, None] >= bounds[None, :, :3]).sum(axis=2).astype(np.uint8)
    if strand == "both":
        turned = random.random(count) < 0.5
        sites[turned] = _alphabet.COMPLEMENT[sites[turned, ::-1]]
    return sites


def _write_sites(X: Codes, rows: NDArray[np.int64], starts: NDArray[np.int64], sites: Codes) -> None:
    X[rows[:, None], starts[:, None] + np.arange(sites.shape[1])] = sites


# MARK: the synthetic sets of DeepResolve

_XOR_PATTERNS = ("CAGGTC", "CGCTTG", "GCTCAT")
_CLASS_PATTERNS = (("GATA", "CAGATG"), ("TCAT", "CAGATG"), ("GATA", "TCAT"), ("CGCTTG",))


def synthetic_xor(
    n: int = 120_000, length: int = 60, random_state: Any = 0, *, n_threads: int | None = None
) -> tuple[Codes, NDArray[np.int64]]:
    """DeepResolve's synthetic set I: one pattern and exactly one of two others.

    Five sixths of the sequences hold a random choice of one, two or three of the patterns CAGGTC, CGCTTG and GCTCAT,
    each once and at a random place; one sixth is random. Letters are independent and uniform.

    Parameters
    ----------
    n : int
        Sequences in all, the paper's 100,000 + 20,000 by default.
    length : int
        L; the paper gives none.
    random_state : int, None, Generator or RandomState
        Of everything.
    n_threads : int, optional
        All processors that the process may use by default.

    Returns
    -------
    X : array (n, L)
        Codes, in random order.
    y : array (n,)
        int64; 1 where CAGGTC and exactly one of CGCTTG and GCTCAT are present, planted or by chance.

    Notes
    -----
    Liu, Zeng and Gifford 2019, "Visualizing complex feature interactions and feature sharing in genomic deep neural
    networks", doi:10.1186/s12859-019-2957-4.

    Examples
    --------
    >>> from deepmotif.simulation import synthetic_xor
    >>> X, y = synthetic_xor(600)
    >>> X.shape, sorted(set(y.tolist()))
    ((600, 60), [0, 1])
    """
    n = check_whole(n, "n", 2)
    length = check_whole(length, "length")
    seed = draw_seed(random_state)
    X = _background("uniform", n, length, seed, check_threads(n_threads))
    random = np.random.default_rng([seed, 1])
    # Bits of 1 to 7: which of the three patterns; 0 for the random sixth.
    chosen = np.where(random.permutation(n) < n - n // 6, random.integers(1, 8, size=n), 0)
    for subset in range(1, 8):
        patterns = [pattern for bit, pattern in enumerate(_XOR_PATTERNS) if subset >> bit & 1]
        _plant(random, X, np.flatnonzero(chosen == subset), patterns)
    first, second, third = (_holds(X, pattern) for pattern in _XOR_PATTERNS)
    return X, (first & (second ^ third)).astype(np.int64)


def synthetic_classes(
    n: int = 100_000, length: int = 60, random_state: Any = 0, *, n_threads: int | None = None
) -> tuple[Codes, NDArray[np.int64]]:
    """DeepResolve's synthetic set II: four exclusive classes, three of which share half of their patterns.

    Class 0 holds GATA and CAGATG, class 1 TCAT and CAGATG, class 2 GATA and TCAT, class 3 CGCTTG, at random places.
    Letters are independent and uniform, so a short pattern of another class may occur by chance.

    Parameters
    ----------
    n : int
        Sequences in all, the classes equally often.
    length : int
        L; the paper gives none.
    random_state : int, None, Generator or RandomState
        Of everything.
    n_threads : int, optional
        All processors that the process may use by default.

    Returns
    -------
    X : array (n, L)
        Codes, in random order.
    y : array (n, 4)
        int64, a single 1 in each row, as the paper's network with four sigmoids takes it; ``y.argmax(axis=1)`` is the
        class.

    Notes
    -----
    Liu, Zeng and Gifford 2019, doi:10.1186/s12859-019-2957-4.

    Examples
    --------
    >>> from deepmotif.simulation import synthetic_classes
    >>> X, y = synthetic_classes(400)
    >>> X.shape, y.sum(axis=0)
    ((400, 60), array([100, 100, 100, 100]))
    """
    n = check_whole(n, "n", 4)
    length = check_whole(length, "length")
    seed = draw_seed(random_state)
    X = _background("uniform", n, length, seed, check_threads(n_threads))
    random = np.random.default_rng([seed, 1])
    labels = random.permutation(n) % 4
    for label, patterns in enumerate(_CLASS_PATTERNS):
        _plant(random, X, np.flatnonzero(labels == label), patterns)
    return X, np.eye(4, dtype=np.int64)[labels]


def _plant(random: np.random.Generator, X: Codes, rows: NDArray[np.int64], patterns: Sequence[str]) -> None:
    """Writes each pattern once into every row, without overlaps."""
    starts = _places(random, len(rows), [len(pattern) for pattern in patterns], X.shape[1])
    for index, pattern in enumerate(patterns):
        site = _alphabet.codes_of_strings([pattern], "pattern")
        _write_sites(X, rows, starts[:, index], np.repeat(site, len(rows), axis=0))


def _holds(X: Codes, pattern: str) -> NDArray[np.bool_]:
    """Which rows hold the pattern anywhere."""
    windows = X.shape[1] - len(pattern) + 1
    match = np.ones((len(X), windows), dtype=bool)
    for offset, code in enumerate(_alphabet.codes_of_strings([pattern], "pattern")[0]):
        match &= X[:, offset : offset + windows] == code
    return np.asarray(match.any(axis=1))
