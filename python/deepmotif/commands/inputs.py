"""What commands read: sequences from any kind of file, labels or shuffles, motifs, models. Room: command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif._alphabet import UNKNOWN
from deepmotif._reading import reading
from deepmotif.exceptions import DeepMotifError, FileFormatError, InvalidArgumentError

from .outputs import Progress

SEQUENCE_COLUMNS = ("seq", "sequence", "sequences")
LABEL_COLUMNS = ("bound", "label", "labels", "class", "target", "y")
NAME_COLUMNS = ("eventid", "name", "id")
# Enough to see what kind of file it is and to hold the header line of a table.
_HEAD_BYTES = 1 << 16
_EXPECTED = "FASTA, or a table with a header line"


def read_sequences(path: Path, options: Any) -> dm.Sequences:
    """The sequences of a FASTA file or a table; which of them it is, its first character tells.

    `options` has sequence_column, label_column and length, as the command line sets them.
    """
    head = _head(path)
    if not head.strip() or head.lstrip().startswith(">"):
        return dm.read_fasta(path, length=options.length)
    if head.startswith("@"):
        raise FileFormatError(f"{path}: expected {_EXPECTED}; this looks like FASTQ, which has to be converted first")
    if re.match(r"(browser|track|\S+\t\d+\t\d+\b)", head):
        raise FileFormatError(
            f"{path}: expected {_EXPECTED}; this looks like BED, whose sequences are in a genome: "
            "read it in Python by deepmotif.read_peaks(bed, genome)"
        )
    header = _header(head)
    sequence = options.sequence_column or _find_column(header, SEQUENCE_COLUMNS)
    if sequence is None:
        raise FileFormatError(
            f"{path}: expected FASTA, whose first line begins with '>', or a table with a column named seq or sequence "
            f"(or as --sequence-column says); the first line is {head.splitlines()[0][:60]!r}"
        )
    label = options.label_column or _find_column(header, LABEL_COLUMNS)
    name = _find_column(header, NAME_COLUMNS)
    return dm.read_table(path, sequence=sequence, label=label, name=name, length=options.length)


def _head(path: Path) -> str:
    """The first characters of a file, plain or gzip."""
    with reading(path, _EXPECTED) as file:
        raw = file.read(_HEAD_BYTES)
    if b"\0" in raw:
        raise FileFormatError(f"{path}: expected {_EXPECTED}; this is a binary file")
    return raw.decode("utf-8-sig", errors="replace").lstrip("\r\n")


def _header(head: str) -> list[str]:
    line = head.splitlines()[0]
    separator = next((mark for mark in "\t,;" if mark in line), None)
    return [name.strip().strip('"') for name in line.split(separator)]


def _find_column(header: list[str], names: tuple[str, ...]) -> str | None:
    """The column of the header that has one of the names, in whatever case; an earlier name wins."""
    found = {column.lower(): column for column in reversed(header)}
    return next((found[name] for name in names if name in found), None)


def labelled(data: dm.Sequences, path: Path, seed: int, progress: Progress) -> dm.Sequences:
    """The sequences with labels: their own, or 1 for all and 0 for as many dinucleotide shuffles."""
    if data.labels is not None and len(np.unique(data.labels)) > 1:
        return data
    if data.labels is not None and data.labels[0] != 1:
        raise InvalidArgumentError(
            f"{path}: expected labels of two classes, or positives (label 1) only; every label is {data.labels[0]}"
        )
    positives = without_blank(data, path, progress)
    return with_negatives(positives, shuffled(positives, seed))


def without_blank(data: dm.Sequences, path: Path, progress: Progress) -> dm.Sequences:
    """The sequences that have a known base: peaks within masked repeats have none and teach nothing."""
    kept = (data.codes != UNKNOWN).any(axis=1)
    if kept.all():
        return data
    if not kept.any():
        raise InvalidArgumentError(f"{path}: no sequence has a known base")
    progress.say(f"warning: left out {np.sum(~kept)} of {len(data)} sequences without any known base of {path}")
    return data[kept]


def with_negatives(positives: dm.Sequences, negatives: dm.Sequences) -> dm.Sequences:
    """Positives labelled 1, then negatives labelled 0."""
    if positives.length != negatives.length:
        raise InvalidArgumentError(
            f"positives and negatives must have one length; got {positives.length} and {negatives.length} "
            "(cut or pad them by --length)"
        )
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    codes = np.concatenate([positives.codes, negatives.codes])
    return dm.Sequences(codes, names=[*positives.names, *negatives.names], labels=labels)


def shuffled(data: dm.Sequences, seed: int) -> dm.Sequences:
    """A dinucleotide shuffle of every sequence."""
    codes = dm.dinucleotide_shuffle(data.codes, random_state=seed)
    return dm.Sequences(codes, names=[f"{name}_shuf" for name in data.names])


def split(data: dm.Sequences, fraction: float, seed: int) -> tuple[dm.Sequences, dm.Sequences]:
    """Train and test rows in the order of the file; about `fraction` of the rows are drawn for the test.

    Equal sequences, and reverse complements, go to the same side.
    """
    numbers: dict[bytes, int] = {}
    groups = np.array([numbers.setdefault(key, len(numbers)) for key in _either_strand(data)])
    if len(numbers) < 2:
        raise InvalidArgumentError(
            f"expected at least 2 different sequences, to train on one and test on another; got {len(numbers)}"
        )
    drawn = np.random.default_rng(seed).permutation(len(numbers))[: max(1, round(fraction * len(numbers)))]
    test = np.isin(groups, drawn)
    return data[~test], data[test]


def count_shared(train: dm.Sequences, test: dm.Sequences) -> int:
    """Number of test sequences that are also in the training set, as they are or as their reverse complement."""
    known = set(_either_strand(train))
    return sum(key in known for key in _either_strand(test))


def _either_strand(data: dm.Sequences) -> list[bytes]:
    """A key of every sequence that its reverse complement has as well."""
    strands = (data.codes, dm.reverse_complement(data.codes))
    return [min(forward.tobytes(), backward.tobytes()) for forward, backward in zip(*strands, strict=True)]


def read_motif(options: Any) -> dm.Motif | None:
    """The motif that --motif and --motif-name mean; None without --motif."""
    if options.motif is None:
        if options.motif_name is not None:
            options.usage_error("--motif-name chooses from a file; give it by --motif")
        return None
    found = dm.read_meme(options.motif)
    if options.motif_name is None:
        return found[0]
    wanted = options.motif_name.casefold()
    for motif in found:
        if wanted in (motif.name.casefold(), (motif.alternate_name or "").casefold()):
            return motif
    raise InvalidArgumentError(f"{options.motif}: none of its {len(found)} motifs is named {options.motif_name!r}")


def read_database(which: str, progress: Progress) -> list[dm.Motif]:
    """The motifs of a file of any known format, or of JASPAR."""
    if which == "jaspar" and not Path(which).exists():
        found = dm.jaspar()
        progress.say(f"JASPAR: {len(found)} motifs")
        return found
    return dm.read_motifs(which)


def read_models(paths: list[Path], threads: int | None) -> dict[str, Any]:
    """Name -> fitted model. Names are those of the networks; where two are equal, of the files; then with numbers."""
    models = [dm.load(path) for path in paths]
    for model in models:
        model.set_params(n_threads=threads)
    names = [network_name(model) for model in models]
    if len(set(names)) < len(names):
        names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [f"{name} {number}" for number, name in enumerate(names, start=1)]
    return dict(zip(names, models, strict=True))


def network_name(model: Any) -> str:
    """CNN, RNN, CNN-RNN."""
    name = type(model).__name__
    return "CNN-RNN" if name == "CNNRNN" else name


def choose(data: dm.Sequences, which: str | None, source: str) -> int:
    """The row that `which` means: a name that one sequence has, else a number from 0; None is the first."""
    if which is None:
        return 0
    # Several rows of one name: labels as FASTA headers, which name nothing.
    if data.names.count(which) == 1:
        return data.names.index(which)
    if which.isdecimal() and int(which) < len(data):
        return int(which)
    raise InvalidArgumentError(
        f"{source}: {which!r} is neither the name of one sequence nor a number from 0 to {len(data) - 1}"
    )


def dna(text: str) -> str | None:
    """The text in capitals if it can be a DNA sequence, else None."""
    try:
        return dm.decode(dm.encode(text))[0] if text else None
    except DeepMotifError:
        return None
