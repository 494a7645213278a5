"""What a motif is: letter probabilities, position by position. Sequences room; users reach it as `deepmotif.Motif`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _alphabet
from ._validation import check_number
from .exceptions import InvalidArgumentError, MissingDependencyError, ShapeError

Matrix = NDArray[np.float64]

#: Row sums of a matrix may differ from 1 by this, as rounded numbers in files do.
SUM_TOLERANCE = 0.01

# Rows closer to 1 than this are left as they are, so that writing and reading a matrix changes no bit.
_EXACT_SUM = 1e-9

#: What MEME Suite assumes where a motif does not say how many sites it was made of.
DEFAULT_SITES = 20


class Motif:
    """A motif: the probability of each letter at each position. It never changes.

    Parameters
    ----------
    probabilities : array (L, 4) or None
        Letters A C G T; rows must sum to 1 within 0.01 and are normalised. None: taken from the counts.
    name : str
        Names are unique within a list of motifs.
    counts : array (L, 4), optional
        Sites with each letter.
    n_sites : number, optional
        Sites that the motif was made of; by default the largest row sum of the counts, None without counts.
    alternate_name : str
        A second name, such as the gene beside a database's identifier.
    background : array (4,), optional
        Letter probabilities that came with the motif, in the file that it was read from. None is uniform.

    Attributes
    ----------
    probabilities, counts, n_sites, name, alternate_name, background
        As given; arrays are float64 and read-only.

    Raises
    ------
    ShapeError, InvalidArgumentError
        A matrix that is not (L, 4), an entry that is negative or not finite, a row that does not sum to 1.

    Examples
    --------
    >>> from deepmotif.motifs import Motif
    >>> motif = Motif([[0.7, 0.1, 0.1, 0.1], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25]], name="example")
    >>> motif.consensus, motif.information_content.round(2)
    ('AGA', array([0.64, 2.  , 0.  ]))
    """

    def __init__(
        self,
        probabilities: ArrayLike | None,
        name: str = "",
        counts: ArrayLike | None = None,
        n_sites: float | None = None,
        *,
        alternate_name: str = "",
        background: ArrayLike | None = None,
    ) -> None:
        self.name = _checked_name(name, "name")
        self.alternate_name = _checked_name(alternate_name, "alternate_name")
        self.counts = None if counts is None else _matrix(counts, "counts")
        if probabilities is None:
            if self.counts is None:
                raise InvalidArgumentError("probabilities must be an array (L, 4); got None, and no counts either")
            probabilities = _frequencies(self.counts)
        self.probabilities = _distributions(_matrix(probabilities, "probabilities"), "probabilities")
        if self.counts is not None and self.counts.shape != self.probabilities.shape:
            raise ShapeError(
                f"counts must have the shape of probabilities, {self.probabilities.shape}; got {self.counts.shape}"
            )
        if n_sites is None and self.counts is not None:
            n_sites = float(self.counts.sum(axis=1).max())
        if n_sites is not None:
            n_sites = check_number(n_sites, "n_sites", 0)
            n_sites = int(n_sites) if n_sites == int(n_sites) else n_sites
        self.n_sites = n_sites
        self.background = None if background is None else checked_background(background)
        for array in (self.counts, self.probabilities, self.background):
            if array is not None:
                array.flags.writeable = False

    @classmethod
    def from_consensus(cls, consensus: str, name: str = "") -> "Motif":
        """A motif from letters; ambiguity letters share a position equally between their bases.

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> Motif.from_consensus("GR").probabilities.tolist()
        [[0.0, 0.0, 1.0, 0.0], [0.5, 0.0, 0.5, 0.0]]
        """
        if not isinstance(consensus, str) or not consensus:
            raise InvalidArgumentError(f"consensus must be a str of nucleotide letters; got {consensus!r}")
        _alphabet.check_letters([consensus], "consensus")
        rows = [[base in _alphabet.IUPAC[letter] for base in _alphabet.LETTERS] for letter in consensus.upper()]
        matrix = np.array(rows, dtype=np.float64)
        return cls(matrix / matrix.sum(axis=1, keepdims=True), name or consensus)

    def __len__(self) -> int:
        return len(self.probabilities)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.probabilities, dtype=dtype) if copy else np.asarray(self.probabilities, dtype=dtype)

    def __repr__(self) -> str:
        shown = self.consensus if len(self) <= 40 else self.consensus[:37] + "..."
        text = f"Motif({self.name!r}, {shown!r}, {len(self)} positions, {self.information_content.sum():.1f} bits"
        return text + (")" if self.n_sites is None else f", {self.n_sites} sites)")

    @property
    def information_content(self) -> Matrix:
        """Bits at each position (L,): 2 minus the entropy, 0 to 2, without small-sample correction."""
        p = self.probabilities
        logs = np.log2(p, out=np.zeros_like(p), where=p > 0)
        return np.clip(2 + (p * logs).sum(axis=1), 0, 2)

    def information(self, background: ArrayLike | None = None, *, corrected: bool = False) -> Matrix:
        """Bits at each position (L,) against a background: the relative entropy of the letters.

        Parameters
        ----------
        background : array (4,), optional
            Probabilities of A C G T; uniform by default.
        corrected : bool
            Subtract what so few sites would have by chance, 3 / (2 ln 2 n) bits for n sites, down to 0.

        Raises
        ------
        InvalidArgumentError
            If `corrected` is asked for and the number of sites is not known.

        References
        ----------
        Schneider, Stormo, Gold and Ehrenfeucht 1986, Journal of Molecular Biology 188:415 (small samples).

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> motif = Motif(None, "four sites", counts=[[4, 0, 0, 0], [1, 1, 1, 1]])
        >>> motif.information().tolist(), motif.information(corrected=True).round(2).tolist()
        ([2.0, 0.0], [1.46, 0.0])
        """
        letters = np.full(4, 0.25) if background is None else checked_background(background)
        p = self.probabilities
        logs = np.log2(p / letters, out=np.zeros_like(p), where=p > 0)
        bits: Matrix = (p * logs).sum(axis=1)
        if corrected:
            if self.n_sites is None:
                raise InvalidArgumentError(f"corrected needs the number of sites, which {self.name!r} does not have")
            sites = np.full(len(p), self.n_sites) if self.counts is None else self.counts.sum(axis=1)
            # Positions that no site covers have nothing to correct: they are uniform.
            bits = bits - 3 / (2 * np.log(2) * np.maximum(sites, 1))
        return np.maximum(bits, 0)

    @property
    def consensus(self) -> str:
        """The likeliest letter of each position, the first of equals."""
        return "".join(_alphabet.LETTERS[i] for i in self.probabilities.argmax(axis=1))

    def reverse_complement(self) -> "Motif":
        """The motif on the other strand, under the same names.

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> Motif.from_consensus("GATAAG").reverse_complement().consensus
        'CTTATC'
        """
        return Motif(
            self.probabilities[::-1, ::-1],
            self.name,
            None if self.counts is None else self.counts[::-1, ::-1],
            self.n_sites,
            alternate_name=self.alternate_name,
            background=None if self.background is None else self.background[::-1],
        )

    def trim(self, threshold: float = 0.25) -> "Motif":
        """Without the positions at both ends that have less information than `threshold` bits.

        A motif with no position above the threshold keeps its most informative one.

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> Motif.from_consensus("NNGATANAN").trim().consensus
        'GATAAA'
        """
        check_number(threshold, "threshold", 0)
        information = self.information_content
        informative = np.flatnonzero(information >= threshold)
        if informative.size == 0:
            informative = np.array([information.argmax()])
        kept = slice(int(informative[0]), int(informative[-1]) + 1)
        return Motif(
            self.probabilities[kept],
            self.name,
            None if self.counts is None else self.counts[kept],
            self.n_sites,
            alternate_name=self.alternate_name,
            background=self.background,
        )

    def log_odds(self, background: ArrayLike | None = None, pseudocount: float = 0.1) -> Matrix:
        """Log-odds matrix (L, 4) in bits.

        Parameters
        ----------
        background : array (4,), optional
            Probabilities of A C G T; uniform by default.
        pseudocount : float
            Sites in total that are added to `n_sites` (20 where unknown), spread by the background. 0 makes the score
            of a letter never seen minus infinity.

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> Motif.from_consensus("A").log_odds(pseudocount=0)
        array([[  2., -inf, -inf, -inf]])
        """
        check_number(pseudocount, "pseudocount", 0)
        letters = np.full(4, 0.25) if background is None else checked_background(background)
        sites = self.n_sites or DEFAULT_SITES
        smoothed = (self.probabilities * sites + pseudocount * letters) / (sites + pseudocount)
        with np.errstate(divide="ignore"):
            values: Matrix = np.log2(smoothed / letters)
        return values

    def to_frame(self) -> Any:
        """The probabilities as a pandas DataFrame: rows are positions, columns A C G T, as logomaker takes it.

        Raises
        ------
        MissingDependencyError
            pandas is not installed.

        Examples
        --------
        >>> from deepmotif.motifs import Motif
        >>> Motif.from_consensus("AG").to_frame().columns.tolist()
        ['A', 'C', 'G', 'T']
        """
        try:
            import pandas
        except ImportError:
            raise MissingDependencyError("to_frame needs pandas: pip install 'deepmotif[pandas]'") from None
        return pandas.DataFrame(self.probabilities.copy(), columns=list(_alphabet.LETTERS))


def _checked_name(name: str, argument: str) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"{argument} must be a str; got {type(name).__name__}")
    return name


def _matrix(values: ArrayLike, name: str) -> Matrix:
    """A fresh (L, 4) array of finite values that are not negative."""
    try:
        matrix = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{name} must be an array (L, 4) of numbers; {error}") from None
    if matrix.ndim != 2 or matrix.shape[1] != 4 or len(matrix) == 0:
        remedy = f"; this looks like (4, L): pass {name}.T" if matrix.ndim == 2 and matrix.shape[0] == 4 else ""
        raise ShapeError(f"{name} must have shape (L, 4), letters A C G T, L at least 1; got {matrix.shape}{remedy}")
    wrong = ~(np.isfinite(matrix) & (matrix >= 0))
    if wrong.any():
        row, letter = (int(i) for i in np.argwhere(wrong)[0])
        raise InvalidArgumentError(
            f"{name} must be finite and not negative; got {matrix[row, letter]} at {name}[{row}, {letter}]"
        )
    return matrix


def _frequencies(counts: Matrix) -> Matrix:
    sums = counts.sum(axis=1, keepdims=True)
    if (sums == 0).any():
        row = int(np.flatnonzero(sums[:, 0] == 0)[0])
        raise InvalidArgumentError(f"counts must not be all 0 at a position; got that at counts[{row}]")
    return counts / sums


def _distributions(matrix: Matrix, name: str) -> Matrix:
    sums = matrix.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if wrong.size:
        row = int(wrong[0])
        raise InvalidArgumentError(
            f"{name} must sum to 1 at every position; {name}[{row}] sums to {sums[row]:g} (counts go to counts=)"
        )
    off = np.abs(sums - 1) > _EXACT_SUM
    matrix[off] /= sums[off, None]
    return matrix


def checked_background(background: ArrayLike) -> Matrix:
    """Letter probabilities (4,): positive, sum within 0.01 of 1, normalised."""
    try:
        values = np.array(background, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (4,) or not (np.isfinite(values) & (values > 0)).all() or abs(values.sum() - 1) > SUM_TOLERANCE:
        raise InvalidArgumentError(
            f"background must be 4 positive probabilities, of A C G T, that sum to 1; got {background!r}"
        )
    total = values.sum()
    return values if abs(total - 1) <= _EXACT_SUM else values / total
