"""Motif comparison with p-values: Tomtom. Motifs room."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._blocks import Pace
from ._motif import checked_background
from ._motif_lists import import_pandas, motif_columns, motif_list, motif_names
from ._validation import check_flag, check_number, check_threads, check_whole
from .exceptions import InvalidArgumentError

if TYPE_CHECKING:
    import pandas

    from ._motif import Motif

__all__ = ["motif_matches", "tomtom"]

Distance = Literal["pearson", "ed", "kullback", "sandelin", "allr", "blic1", "blic5"]

_DISTANCES = {
    "pearson": _native.TOMTOM_PEARSON,
    "ed": _native.TOMTOM_EUCLIDEAN,
    "kullback": _native.TOMTOM_KULLBACK,
    "sandelin": _native.TOMTOM_SANDELIN,
    "allr": _native.TOMTOM_ALLR,
    "blic1": _native.TOMTOM_BLIC1,
    "blic5": _native.TOMTOM_BLIC5,
}
_THRESHOLDS = ("q_value", "e_value", "p_value")

# What filters know of themselves, and what a comparison adds.
_FILTER_COLUMNS = ("dead", "group", "importance", "positive_share", "negative_share")
_MATCH_COLUMNS = ("p_value", "e_value", "q_value", "offset", "overlap", "orientation")

# MEME Suite warns below this number of targets: their columns are the null distribution.
_FEW_TARGETS = 50


def tomtom(
    queries: Motif | list[Motif],
    targets: Motif | list[Motif],
    distance: Distance = "pearson",
    *,
    complete_scores: bool = True,
    min_overlap: int = 1,
    pseudocount: float = 0.1,
    background: ArrayLike | None = None,
    reverse_complement: bool = True,
    threshold: float | None = None,
    threshold_on: Literal["q_value", "e_value", "p_value"] = "q_value",
    n_threads: int | None = None,
) -> pandas.DataFrame:
    """Compare every query motif with every target motif, as MEME Suite's Tomtom.

    The score of an alignment is the sum of the scores of its column pairs. Its null distribution for a query comes
    from the scores of the query's columns with all target columns, summed by dynamic programming.

    Parameters
    ----------
    queries, targets : Motif or list of Motif
        Names must differ within each list. P-values rest on the columns of all targets: fewer than 50 targets give
        a warning.
    distance : {"pearson", "ed", "kullback", "sandelin", "allr", "blic1", "blic5"}
        Column score: Pearson correlation, Euclidean distance, mean Kullback-Leibler divergence, Sandelin and
        Wasserman, average log-likelihood ratio, Bayesian likelihood with 1 or 5 Dirichlet components. MEME Suite's
        own default is "ed" since version 5.
    complete_scores : bool
        Unaligned query columns count with their median score; otherwise only the overlap counts.
    min_overlap : int
        Narrower overlaps are not looked at (nor than the narrower motif, if that is narrower).
    pseudocount : float
        In total per column, against the motif's number of sites (20 where it has none).
    background : array (4,), optional
        Frequencies of A C G T that spread the pseudocount; None: those that came with the first query, from its file,
        or uniform. The two strands are averaged.
    reverse_complement : bool
        Compare with the reverse complement of targets too.
    threshold : float, optional
        Keep rows up to this value of the column `threshold_on`; None keeps all pairs.
    n_threads : int, optional
        None: all processors that the process may use.

    Returns
    -------
    pandas.DataFrame
        One row a pair, the better orientation, sorted by query and then p-value: ``query``, ``target``, ``p_value``
        of the best alignment, ``e_value`` = p-value x number of targets, ``q_value`` (Benjamini and Hochberg over the
        targets of a query), ``offset`` = target position of the query's first column (negative: before the target),
        ``overlap`` in columns, ``orientation`` of the target ("+" or "-").

    Raises
    ------
    InvalidArgumentError
        If an argument is not one of the above; if "kullback" or "allr" meet a probability of 0.
    MissingDependencyError
        If pandas is not installed.

    References
    ----------
    Gupta et al. 2007, Quantifying similarity between motifs, Genome Biology 8:R24; Tanaka et al. 2011, Improved
    similarity scores for comparing motifs, Bioinformatics 27:1603.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import deepmotif as dm
    >>> gata = np.array([[.1, .1, .7, .1], [.9, .0, .0, .1], [.0, .0, .1, .9], [.8, .1, .1, .0]])
    >>> targets = [dm.Motif(gata, name="GATA"), dm.Motif(gata[:, [1, 0, 3, 2]], name="other")]
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # two targets are too few for p-values of any use
    ...     table = dm.tomtom(targets[0].reverse_complement(), targets)
    >>> print(table.loc[[0], ["target", "offset", "overlap", "orientation"]].to_string(index=False))
    target  offset  overlap orientation
      GATA       0        4           -
    """
    table = import_pandas("tomtom")
    query_list, target_list = motif_list(queries, "queries"), motif_list(targets, "targets")
    query_names, target_names = motif_names(query_list, "queries"), motif_names(target_list, "targets")
    if distance not in _DISTANCES:
        raise InvalidArgumentError(f"distance must be one of {', '.join(_DISTANCES)}; got {distance!r}")
    if threshold_on not in _THRESHOLDS:
        raise InvalidArgumentError(f"threshold_on must be one of {', '.join(_THRESHOLDS)}; got {threshold_on!r}")
    if threshold is not None:
        threshold = check_number(threshold, "threshold", 0)
    if len(target_list) < _FEW_TARGETS:
        warnings.warn(
            f"{len(target_list)} targets are few: p-values rest on the columns of all targets, at least {_FEW_TARGETS} "
            "motifs are advised",
            stacklevel=2,
        )
    if background is None:
        background = query_list[0].background
    letters = np.full(4, 0.25) if background is None else checked_background(background)
    settings = {
        "targets": motif_columns(target_list),
        "distance": _DISTANCES[distance],
        "complete_scores": check_flag(complete_scores, "complete_scores"),
        "reverse_complement": check_flag(reverse_complement, "reverse_complement"),
        "min_overlap": check_whole(min_overlap, "min_overlap"),
        "pseudocount": check_number(pseudocount, "pseudocount", 0),
        "background": np.ascontiguousarray((letters + letters[::-1]) / 2),
        "threads": check_threads(n_threads),
    }
    parts = _blocks(query_list, len(target_list), settings, threshold, threshold_on)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["query"] = query_names[columns["query"]]
    columns["target"] = target_names[columns["target"]]
    return table.DataFrame(columns)


def motif_matches(
    motifs: Motif | list[Motif], targets: Motif | list[Motif], *, top: int = 1, **options: Any
) -> pandas.DataFrame:
    """The best matches of every motif in a database, beside what is known of the motif.

    Parameters
    ----------
    motifs : Motif or list of Motif
        Such as those of `filter_motifs`.
    targets : Motif or list of Motif
        The database.
    top : int
        Matches of each motif, best first.
    **options
        Of `tomtom`.

    Returns
    -------
    pandas.DataFrame
        In the order of the motifs: ``motif``, ``consensus``, ``n_sites``, ``information`` (bits in all); for motifs of
        filters ``dead``, ``group``, ``importance``, ``positive_share`` and ``negative_share``; then ``target``,
        ``target_name`` (its alternate name) and the columns of `tomtom`. Dead filters, which match nothing, have one
        row without a target; what is unknown is missing.

    Raises
    ------
    InvalidArgumentError, MissingDependencyError
        As in `tomtom`.

    Examples
    --------
    >>> import warnings
    >>> import deepmotif as dm
    >>> targets = [dm.Motif.from_consensus("GATAAG", "GATA"), dm.Motif.from_consensus("CACGTG", "E-box")]
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # two targets are too few for p-values of any use
    ...     table = dm.motif_matches(dm.Motif.from_consensus("CTTATC", "query"), targets)
    >>> table[["motif", "target", "orientation"]].values.tolist()
    [['query', 'GATA', '-']]
    """
    table = import_pandas("motif_matches")
    listed, target_list = motif_list(motifs, "motifs"), motif_list(targets, "targets")
    names, top = motif_names(listed, "motifs"), check_whole(top, "top")
    known = table.DataFrame(
        {"motif": names, "consensus": [motif.consensus for motif in listed]}
        | {"n_sites": [motif.n_sites for motif in listed]}
        | {"information": [float(motif.information_content.sum()) for motif in listed]}
        | {name: [getattr(motif, name, None) for motif in listed] for name in _FILTER_COLUMNS}
    )
    alive = [motif for motif in listed if not getattr(motif, "dead", False)]
    if alive:
        found = tomtom(alive, target_list, **options)
        found = found.groupby("query", sort=False).head(top).rename(columns={"query": "motif"})
    else:
        found = table.DataFrame({name: [] for name in ("motif", "target", *_MATCH_COLUMNS)})
    alternate = dict(zip(motif_names(target_list, "targets"), (t.alternate_name for t in target_list), strict=True))
    found.insert(2, "target_name", [alternate[name] for name in found["target"]])
    return known.merge(found, on="motif", how="left", sort=False)


def _blocks(
    queries: list[Motif], n_targets: int, settings: dict[str, Any], threshold: float | None, threshold_on: str
) -> list[dict[str, NDArray[Any]]]:
    """Tables of consecutive queries, each from one short call of the engine, so that Ctrl-C is answered."""
    parts = []
    pace = Pace(settings["threads"])
    start = 0
    while start < len(queries):
        stop = min(len(queries), start + pace.size)
        began = time.perf_counter()
        results = _native.tomtom(motif_columns(queries[start:stop]), **settings)
        part = _table(results, start, n_targets)
        if threshold is not None:
            kept = part[threshold_on] <= threshold
            part = {name: values[kept] for name, values in part.items()}
        parts.append(part)
        pace.update(stop - start, time.perf_counter() - began)
        start = stop
    return parts


def _table(results: tuple[NDArray[Any], ...], first_query: int, n_targets: int) -> dict[str, NDArray[Any]]:
    """The engine's arrays (Q, T) as columns of Q x T rows, targets of a query from best to worst."""
    order = results[-1]
    p, q, offset, overlap, turned = (np.take_along_axis(values, order, axis=1).ravel() for values in results[:-1])
    return {
        "query": np.repeat(np.arange(first_query, first_query + len(order)), n_targets),
        "target": order.ravel(),
        "p_value": p,
        "e_value": p * n_targets,
        "q_value": q,
        "offset": offset.astype(np.int64),
        "overlap": overlap.astype(np.int64),
        "orientation": np.array(["+", "-"], dtype=object)[turned],
    }
