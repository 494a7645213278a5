"""Real sets: the best JASPAR match of the filters of a CNN by each route, and the factor's own motif among them.

    python python/benchmarks/filter_table.py FOLDER --sets ELK1 MYC K562_GATA1 > filter_table.tsv

FOLDER as in real_data.py. "seqlets" are the motifs of signed saliency. One line a set and route: the best match of all
motifs of the route, marked where it is the factor's, and the best match with the factor's own motif.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from motif_table import SETTINGS, known_motifs
from real_data import NETWORKS, read_pair

import deepmotif as dm

ROUTES = ("activation", "kernel", "optimized")


def motifs_of(model: Any, X: np.ndarray, y: np.ndarray, route: str) -> list[Any]:
    if route == "seqlets":
        positives = X[y == 1][:4000]
        values = dm.saliency(model, positives, signed=True, centered=True, progress=False)
        return dm.seqlet_motifs(values, positives)
    return dm.filter_motifs(model, X, route=route, y=y, importance=0, progress=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", help="only sets whose file name begins with one of these")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    database = dm.jaspar()
    names = {motif.name: motif.alternate_name for motif in database}
    files = [*options.folder.glob("*_AC.seq.gz"), *options.folder.glob("*.fa.masked.gz")]
    files = sorted(path for path in files if "_shuffled" not in path.name)
    files = [path for path in files if not options.sets or path.name.startswith(tuple(options.sets))]
    print("set", "auc", "route", "motifs", "dead", "best", "E", "known", "known_E", "known_motif", sep="\t")
    for path in files:
        X, y, test_X, test_y = read_pair(path)
        model = NETWORKS["cnn"](epochs=options.epochs, random_state=options.seed, n_threads=options.threads)
        model.set_params(**SETTINGS["cnn"])
        model.fit(X, y, progress=False)
        auc = model.score(test_X, test_y)
        own = {motif.name for motif in known_motifs(path.name, database)}
        for route in (*ROUTES, "seqlets"):
            motifs = motifs_of(model, X, y, route)
            alive = [motif for motif in motifs if not getattr(motif, "dead", False)]
            start = (path.name.split(".")[0], f"{auc:.4f}", route, len(alive), len(motifs) - len(alive))
            if not alive:
                print(*start, "-", "-", "-", "-", "-", sep="\t", flush=True)
                continue
            table = dm.tomtom(alive, database).sort_values("p_value", kind="stable")
            best, known = table.iloc[0], table[table["target"].isin(own)].iloc[0]
            mark = "*" if best["target"] in own else ""
            print(
                *start, names[best["target"]] + mark, f"{best['e_value']:.1e}", names[known["target"]],
                f"{known['e_value']:.1e}", known["query"], sep="\t", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
