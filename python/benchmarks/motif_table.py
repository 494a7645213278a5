"""The paper's table of motifs: how often does what a view extracts match the known motif of the factor?

    python python/benchmarks/motif_table.py FOLDER --sets ELK1 MYC K562_GATA1 > motif_table.tsv

FOLDER as in real_data.py; a set's factor is found in its file name. Networks are trained with default settings, the
recurrent ones on batches of 64. For every positive test sequence each route gives one window of nine positions; counted
is the share that match the factor's motif (any of its JASPAR motifs) at p < 0.05 by Tomtom, at its default settings,
against JASPAR vertebrates. "class" is one motif a network. "chance" is the same for random windows of the same
sequences. Lanchantin et al. 2017, table 3.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from real_data import NETWORKS, read_pair

import deepmotif as dm

WIDTH = 9
# The recurrent networks learn faster on small batches, as `deepmotif demo` trains them.
SETTINGS: dict[str, dict[str, Any]] = {"cnn": {}, "rnn": {"batch_size": 64}, "cnn-rnn": {"batch_size": 64}}


def known_motifs(name: str, database: list[dm.Motif]) -> list[dm.Motif]:
    """The motifs of the factor in a file's name; those of dimers only where it has none of its own."""
    words = {word.upper() for word in name.replace(".", "_").split("_")}
    own = [motif for motif in database if motif.alternate_name.upper() in words]
    dimers = [motif for motif in database if words & set(motif.alternate_name.upper().split("::"))]
    return own or dimers


def share(motifs: list[Any], known: list[dm.Motif], database: list[dm.Motif]) -> tuple[float, float]:
    """Share of the motifs that match a known one at p < 0.05, and of which a known one is the best match of all."""
    # Equal windows are compared once.
    texts = [motif.consensus if motif.information_content.min() == 2 else "" for motif in motifs]
    single = {text or f"{i}": motif for i, (text, motif) in enumerate(zip(texts, motifs, strict=True))}
    named = [dm.Motif(motif.probabilities, name=key) for key, motif in single.items()]
    table = dm.tomtom(named, database, threshold=0.05, threshold_on="p_value")
    names = {motif.name for motif in known}
    matched = set(table.loc[table["target"].isin(names), "query"])
    first = table.groupby("query", sort=False).head(1)
    best = set(first.loc[first["target"].isin(names), "query"])
    keys = [text or f"{i}" for i, text in enumerate(texts)]
    return float(np.mean([key in matched for key in keys])), float(np.mean([key in best for key in keys]))


def random_windows(X: np.ndarray, seed: int) -> list[dm.Motif]:
    starts = np.random.default_rng(seed).integers(0, X.shape[1] - WIDTH + 1, len(X))
    eye = np.vstack([np.eye(4), np.full(4, 0.25)])
    return [dm.Motif(eye[row[s : s + WIDTH]], f"random_{i}") for i, (row, s) in enumerate(zip(X, starts, strict=True))]


def extracted(model: Any, X: np.ndarray, seed: int) -> dict[str, list[Any]]:
    """The motifs of every route that the network has."""
    routes: dict[str, list[Any]] = {"saliency": dm.saliency_motifs(model, X, WIDTH, progress=False)}
    if model.is_recurrent:
        routes["temporal"] = dm.temporal_motifs(model, X, WIDTH, progress=False)
    if any(layer.kind == "conv1d" for layer in model._layers):
        routes["convolution"] = dm.activation_motifs(model, X, WIDTH, progress=False)
    routes["class"] = [dm.class_motif(model, width=WIDTH, random_state=seed, progress=False)]
    return routes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", help="only sets whose file name begins with one of these")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--train", type=int, help="at most so many training sequences")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    database = dm.jaspar()
    files = [*options.folder.glob("*_AC.seq.gz"), *options.folder.glob("*.fa.masked.gz")]
    files = sorted(path for path in files if "_shuffled" not in path.name)
    files = [path for path in files if not options.sets or path.name.startswith(tuple(options.sets))]
    print("set", "network", "auc", "route", "sequences", "match", "best_match", "seconds", sep="\t")
    for path in files:
        X, y, test_X, test_y = read_pair(path)
        if options.train is not None and len(X) > options.train:
            rows = np.random.default_rng(options.seed).permutation(len(X))[: options.train]
            X, y = X[rows], y[rows]
        known = known_motifs(path.name, database)
        if not known:
            print(f"{path.name}: no motif of this factor in JASPAR", file=sys.stderr)
            continue
        positives = test_X[test_y == 1]
        name = path.name.split(".")[0]
        chance = share(random_windows(positives, options.seed), known, database)
        print(name, "-", "-", "chance", len(positives), *(f"{value:.3f}" for value in chance), 0, sep="\t", flush=True)
        for kind in options.networks:
            start = time.perf_counter()
            model = NETWORKS[kind](epochs=options.epochs, random_state=options.seed, n_threads=options.threads)
            model.set_params(**SETTINGS[kind]).fit(X, y, progress=False)
            auc = model.score(test_X, test_y)
            for route, motifs in extracted(model, positives, options.seed).items():
                shares = share(motifs, known, database)
                seconds = time.perf_counter() - start
                values = (*(f"{value:.3f}" for value in shares), f"{seconds:.0f}")
                print(name, kind, f"{auc:.4f}", route, len(motifs), *values, sep="\t", flush=True)


if __name__ == "__main__":
    main()
