"""The motifs of JASPAR, offline. Motifs room; users reach it as `deepmotif.motifs`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ._motif import Motif
from .exceptions import InvalidArgumentError, MissingDependencyError

# Pinned: with the library's own default, results would change when the library does.
_RELEASE = "JASPAR2024"


def jaspar(
    release: str | int = _RELEASE,
    collection: str = "CORE",
    tax_group: str | list[str] | None = "vertebrates",
) -> list[Motif]:
    """Motifs of a release of JASPAR, from the copy that comes with the library pyjaspar.

    Parameters
    ----------
    release : str or int
        "JASPAR2024" or 2024, as far as the installed pyjaspar has it.
    collection : str
        Such as "CORE" or "UNVALIDATED".
    tax_group : str, list of str or None
        Such as "vertebrates", "plants", "insects", "fungi"; None: all groups.

    Returns
    -------
    list of Motif
        The latest version of each matrix, with counts: `.name` the matrix identifier, `.alternate_name` the name of the
        factor. JASPAR's data are open; cite the release and its paper.

    Raises
    ------
    InvalidArgumentError
        A release, collection or group that has no motifs.
    MissingDependencyError
        pyjaspar is not installed.

    Notes
    -----
    The first call for a choice takes seconds and keeps the matrices in the user's cache folder (``XDG_CACHE_HOME`` or
    ``~/.cache``), the next ones milliseconds.

    References
    ----------
    Rauluseviciute et al. 2024, JASPAR 2024: 20th anniversary of the open-access database of transcription factor
    binding profiles, Nucleic Acids Research 52:D174.

    Examples
    --------
    >>> import deepmotif as dm
    >>> motifs = dm.jaspar(release=2020)  # doctest: +SKIP
    >>> len(motifs), motifs[0]  # doctest: +SKIP
    (746, Motif('MA0004.1', 'CACGTG', 6 positions, 11.0 bits, 20 sites))
    """
    if not isinstance(release, (str, int)) or isinstance(release, bool):
        raise InvalidArgumentError(f"release must be a name such as {_RELEASE!r} or a year; got {release!r}")
    text = str(release)
    groups = (tax_group,) if isinstance(tax_group, str) else tax_group
    if groups is not None and not (isinstance(groups, (list, tuple)) and all(isinstance(g, str) for g in groups)):
        raise InvalidArgumentError(f"tax_group must be a str, a list of str or None; got {tax_group!r}")
    if not isinstance(collection, str):
        raise InvalidArgumentError(f"collection must be a str such as 'CORE'; got {collection!r}")
    name = text if text.startswith("JASPAR") else f"JASPAR{text}"
    return list(_motifs(name, collection, None if groups is None else tuple(groups)))


@functools.lru_cache(maxsize=8)
def _motifs(release: str, collection: str, groups: tuple[str, ...] | None) -> tuple[Motif, ...]:
    library, version = _library()
    known = library(release=_RELEASE).get_releases()
    if release not in known:
        raise InvalidArgumentError(f"release must be one of {', '.join(known)}; got {release!r}")
    key = repr((version, release, collection, groups))
    path = _cache_folder() / f"jaspar-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    motifs = _stored(path)
    if motifs is None:
        motifs = _fetched(library, release, collection, groups)
        _store(path, motifs)
    return tuple(motifs)


def _library() -> tuple[Any, str]:
    try:
        import pyjaspar
    except ImportError:
        raise MissingDependencyError("jaspar needs pyjaspar: pip install 'deepmotif[motifs]'") from None
    from importlib.metadata import version

    return pyjaspar.jaspardb, version("pyjaspar")


def _fetched(library: Any, release: str, collection: str, groups: tuple[str, ...] | None) -> list[Motif]:
    database = library(release=release)
    with warnings.catch_warnings():
        # The library warns where it finds nothing; that is an error here.
        warnings.simplefilter("ignore")
        found = database.fetch_motifs(collection=collection, tax_group=None if groups is None else list(groups))
    if not found:
        raise InvalidArgumentError(
            f"{release} has no motifs in collection {collection!r} of the group {groups}; known groups are "
            "vertebrates, plants, insects, nematodes, fungi, urochordates and others"
        )
    motifs = []
    for entry in found:
        counts = np.array([entry.counts[letter] for letter in "ACGT"], dtype=np.float64).T
        motifs.append(Motif(None, entry.matrix_id, counts=counts, alternate_name=entry.name))
    return motifs


# MARK: the copy in the cache folder


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepmotif"


def _stored(path: Path) -> list[Motif] | None:
    """The motifs of an earlier call, None where there are none or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as data:
            ends = np.cumsum(data["widths"])
            matrices = np.split(data["counts"], ends[:-1])
            named = zip(matrices, data["names"].tolist(), data["alternate_names"].tolist(), strict=True)
            return [Motif(None, name, counts=counts, alternate_name=other) for counts, name, other in named]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _store(path: Path, motifs: list[Motif]) -> None:
    """Keeps the motifs for later; a folder that cannot be written is no reason to fail."""
    matrices = [motif.counts for motif in motifs if motif.counts is not None]
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez_compressed(
                file,
                counts=np.concatenate(matrices),
                widths=np.array([len(matrix) for matrix in matrices]),
                names=np.array([motif.name for motif in motifs]),
                alternate_names=np.array([motif.alternate_name for motif in motifs]),
            )
        # Another process may read while this one writes: the name appears with the whole file behind it.
        os.replace(file.name, path)
