"""Planted truth for filters: JASPAR motifs planted one at a time, found again among the filters of a default CNN?

    python python/benchmarks/planted_filters.py > planted_filters.tsv

Half of the sequences hold one site drawn from a JASPAR motif. A motif counts as found by a route where a filter's motif
matches it (or one of the same name) at E < 0.05 in JASPAR. One line a motif and route; the bar, at the end: 18 of 20.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

import deepmotif as dm

ROUTES = ("activation", "kernel", "optimized")


def chosen_motifs(database: list[dm.Motif], count: int, seed: int) -> list[dm.Motif]:
    """Motifs of different factors, wide and sharp enough that sites differ from chance: 8 to 16 wide, from 10 bits."""
    fit = [m for m in database if 8 <= len(m) <= 16 and m.information_content.sum() >= 10]
    order = np.random.default_rng(seed).permutation(len(fit))
    by_factor = {fit[i].alternate_name: fit[i] for i in order[::-1]}
    return list(by_factor.values())[-count:]


def best_match(motifs: list[Any], planted: dm.Motif, database: list[dm.Motif]) -> dict[str, Any]:
    """The best match of any living filter with the planted motif, and the best match in the whole database."""
    alive = [motif for motif in motifs if not motif.dead]
    table = dm.tomtom(alive, database)
    own = {m.name for m in database if m.alternate_name == planted.alternate_name}
    right = table[table["target"].isin(own)].sort_values("p_value").iloc[0]
    top = table.sort_values("p_value").iloc[0]
    names = {m.name: m.alternate_name for m in database}
    return {
        "filter": right["query"],
        "e_value": right["e_value"],
        "p_value": right["p_value"],
        "best_of_all": names[top["target"]],
        "best_e_value": top["e_value"],
        "dead": len(motifs) - len(alive),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motifs", type=int, default=20)
    parser.add_argument("--sequences", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    database = dm.jaspar()
    found = dict.fromkeys(ROUTES, 0)
    any_route = 0
    print(
        "motif", "factor", "width", "auc", "route", "filter", "e_value", "best_of_all", "best_e_value", "dead", sep="\t"
    )
    start = time.perf_counter()
    for planted in chosen_motifs(database, options.motifs, options.seed):
        X, y = dm.simulate(options.sequences, length=101, motifs=[planted], random_state=options.seed)
        model = dm.CNN(epochs=options.epochs, random_state=options.seed, n_threads=options.threads)
        model.fit(X, y, progress=False)
        auc = max(model.history_["val_auc"])
        hits = 0
        for route in ROUTES:
            match = best_match(dm.filter_motifs(model, X, route=route, importance=0, progress=False), planted, database)
            is_found = match["e_value"] < 0.05
            found[route] += is_found
            hits += is_found
            known = (planted.name, planted.alternate_name, len(planted), f"{auc:.4f}")
            best = (match["best_of_all"], f"{match['best_e_value']:.2g}", match["dead"])
            print(*known, route, match["filter"], f"{match['e_value']:.2g}", *best, sep="\t")
            sys.stdout.flush()
        any_route += hits > 0
    print(f"# found, E < 0.05, of {options.motifs}:", *(f"{route} {count}" for route, count in found.items()), end=" ")
    print(f"any route {any_route}; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
