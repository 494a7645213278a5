"""The motif of the demonstration: GATA1 as JASPAR has it. Sequences room; part of `deepmotif.motifs`.

JASPAR CORE vertebrates, matrix MA0035.3 (Gata1, mouse ChIP-seq), release 2016, whose data are open without restriction:
Mathelier et al. 2016, doi:10.1093/nar/gkv1176.
"""

import numpy as np

from ._motif import Motif

NAME = "Gata1"
IDENTIFIER = "MA0035.3"

#: Sites counted with each letter, one row a letter, A C G T, as in JASPAR's own format.
COUNTS = (
    (2035, 506, 0, 0, 0, 17955, 0, 0, 2166, 2502, 1886),
    (4321, 6406, 14869, 697, 0, 0, 0, 17955, 0, 6166, 5072),
    (2530, 2792, 437, 0, 0, 0, 0, 0, 0, 6687, 1598),
    (9069, 8251, 2649, 17258, 17955, 0, 17955, 0, 15789, 2600, 9399),
)


def example_motif() -> Motif:
    """The motif of the demonstration: mouse GATA1, JASPAR MA0035.3.

    Returns
    -------
    Motif
        11 positions with their counts of sites.

    Examples
    --------
    >>> from deepmotif.motifs import example_motif
    >>> example_motif()
    Motif('Gata1', 'TTCTTATCTGT', 11 positions, 13.6 bits, 17955 sites)
    """
    counts = np.array(COUNTS, dtype=np.float64).T
    return Motif(None, NAME, counts, alternate_name=IDENTIFIER)
