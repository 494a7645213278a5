"""Compares `deepmotif.tomtom` with real outputs of MEME Suite's Tomtom.

    python python/benchmarks/tomtom_reference.py FOLDER

Each folder below FOLDER (or FOLDER itself) that holds a ``tomtom.tsv`` (or ``.tsv.gz``) or a ``tomtom.xml``, with the
motif files that its command line names beside it (maybe as ``.gz``), is one comparison. The script prints, for each:
queries with the same best target, matches with the same offset, overlap and orientation, the relative error of the
p-values, and the time; it exits with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import shlex
import sys
import time
import warnings
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm

# The bars: best targets, median and largest relative error of the p-values.
BEST, MEDIAN, LARGEST = 0.99, 0.01, 0.05

# Half a unit in the last digit that the files print.
DIGITS = {"tsv": 5e-6, "xml": 5e-3}


@dataclass
class Reference:
    """One run of the original: what was compared, how, and its matches."""

    kind: str
    queries: list[dm.Motif]
    targets: list[dm.Motif]
    options: dict[str, Any]
    # By query: target, p-value, offset, overlap or None, orientation; best first.
    matches: dict[str, list[tuple[str, float, int, int | None, str]]] = field(default_factory=dict)


def read_options(command: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Arguments of `dm.tomtom` and the motif files of a command line."""
    options: dict[str, Any] = {"distance": "ed"}
    files = []
    words = iter(command[1:])
    for word in words:
        if word == "-dist":
            options["distance"] = next(words)
        elif word == "-min-overlap":
            options["min_overlap"] = int(next(words))
        elif word == "-motif-pseudo":
            options["pseudocount"] = float(next(words))
        elif word == "-incomplete-scores":
            options["complete_scores"] = False
        elif word == "-norc":
            options["reverse_complement"] = False
        elif word in ("-o", "-oc", "-thresh", "-verbosity", "-bfile"):
            next(words)
        elif not word.startswith("-"):
            files.append(word)
    return options, files


def read_motifs(folder: Path, name: str) -> list[dm.Motif] | None:
    """Motifs of a file named on a command line, the first of each identifier as the original takes them."""
    for path in (folder / Path(name).name, folder / (Path(name).name + ".gz")):
        if path.exists():
            with warnings.catch_warnings(record=True) as renamed:
                warnings.simplefilter("always")
                motifs = dm.read_meme(path)
            if not renamed:
                return motifs
            original = {line.split()[1] for line in text(path).splitlines() if line.startswith("MOTIF")}
            return [motif for motif in motifs if motif.name in original]
    return None


def text(path: Path) -> str:
    return gzip.open(path, "rt").read() if path.suffix == ".gz" else path.read_text()


def from_tsv(path: Path) -> Reference | None:
    lines = [line for line in text(path).splitlines() if line.strip()]
    command = next(shlex.split(line[2:]) for line in lines if line.startswith("# tomtom "))
    options, files = read_options(command)
    found = [read_motifs(path.parent, name) for name in files]
    if len(found) != 2 or found[0] is None or found[1] is None:
        return None
    reference = Reference("tsv", found[0], found[1], options)
    for row in csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"):
        match = (row["Target_ID"], float(row["p-value"]), int(row["Optimal_offset"]), int(row["Overlap"]))
        reference.matches.setdefault(row["Query_ID"], []).append((*match, row["Orientation"]))
    return reference


def from_xml(path: Path) -> Reference | None:
    """The file holds its queries, but after the pseudocount, which is taken back here."""
    root = ET.fromstring(text(path))
    options, files = read_options(shlex.split(root.findtext("model/command_line") or ""))
    targets = read_motifs(path.parent, files[-1])
    if targets is None:
        return None
    frequencies = root.find("model/background")
    background = np.array([float(frequencies.get(letter)) for letter in "ACGT"])  # type: ignore[union-attr,arg-type]
    pseudocount = options.get("pseudocount", 0.1)
    queries = []
    for motif in root.findall("queries/motif"):
        smoothed = np.array([[float(row.get(letter)) for letter in "ACGT"] for row in motif])  # type: ignore[arg-type]
        sites = float(motif.get("nsites", 20))
        matrix = np.clip((smoothed * (sites + pseudocount) - pseudocount * background) / sites, 0, None)
        queries.append(dm.Motif(matrix / matrix.sum(axis=1, keepdims=True), motif.get("id", ""), n_sites=sites))
    reference = Reference("xml", queries, targets, {**options, "background": background / background.sum()})
    names = [motif.get("id", "") for motif in root.findall("targets/motif")]
    for query in root.findall("matches/query"):
        for match in query:
            strand = "-" if match.get("rc") == "y" else "+"
            values = (names[int(match.get("idx", 0))], float(match.get("pv", 0)), int(match.get("off", 0)))
            reference.matches.setdefault(queries[int(query.get("idx", 0))].name, []).append((*values, None, strand))
    return reference


def compare(folder: Path, reference: Reference) -> bool:
    """Prints one comparison; whether it keeps the bars."""
    began = time.perf_counter()
    table = dm.tomtom(reference.queries, reference.targets, **reference.options)
    seconds = time.perf_counter() - began
    best = table.drop_duplicates("query").set_index("query")
    rows = table[table["query"].isin(reference.matches)].set_index(["query", "target"])
    same_best = sum(best.loc[query, "target"] == matches[0][0] for query, matches in reference.matches.items())
    errors, same = [], 0
    for query, matches in reference.matches.items():
        for target, p, offset, overlap, strand in matches:
            row = rows.loc[(query, target)]
            errors.append(abs(row.p_value / p - 1))
            same += row.offset == offset and row.overlap == (overlap or row.overlap) and row.orientation == strand
    print(f"{folder.name}: {len(reference.queries)} queries x {len(reference.targets)} targets, {reference.options}")
    print(f"  seconds                              {seconds:.1f}")
    print(f"  queries with the same best target    {same_best} of {len(reference.matches)}")
    print(f"  matches with the same alignment      {same} of {len(errors)}")
    print(f"  relative error of p                  median {np.median(errors):.2g}, largest {max(errors):.2g}")
    print(f"  printed digits allow                 {DIGITS[reference.kind]:.2g}")
    good = same_best >= BEST * len(reference.matches) and same == len(errors)
    return good and float(np.median(errors)) <= MEDIAN and max(errors) <= LARGEST


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    compared, good = 0, True
    for path in sorted([*folder.rglob("tomtom.tsv"), *folder.rglob("tomtom.tsv.gz"), *folder.rglob("tomtom.xml")]):
        reference = from_xml(path) if path.suffix == ".xml" else from_tsv(path)
        if reference is None:
            print(f"{path.parent.name}: skipped, the motif files of its command line are not there")
            continue
        compared += 1
        good &= compare(path.parent, reference)
    if not compared:
        print(f"no comparison below {folder}", file=sys.stderr)
    return 0 if good and compared else 1


if __name__ == "__main__":
    sys.exit(main())
