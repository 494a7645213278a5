"""Known motifs among the top filters: DeepResolve beside input-based rankings, the paper's table 1, on real data.

For every set a network of 16 filters of 25, global maximum, dense 32 and dense 1 is trained on peaks and their
dinucleotide shuffles. Filters are ranked by OFIV, by saliency, gradient x activation and DeepLIFT at the same layer;
enhanced class optimisation ranks pieces of the inputs it finds. Counted is how many sets have a motif that matches the
factor's JASPAR motif (Tomtom) among the first 1, 3 and 5.

    python python/benchmarks/resolve_ranking.py jaspar.meme ELK1=ELK1_AC.seq.gz CTCF=CTCF_AC.seq.gz
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Dropout, GlobalMaxPool1D, ReLU

METHODS = ("OFIV", "saliency", "gradient_x_activation", "deeplift", "class_optimization")
TOPS, LIMITS = (1, 3, 5), (0.05, 0.5)


def network(seed: int, epochs: int) -> dm.Network:
    layers = [Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(32), ReLU(), Dropout(0.5), Dense(1)]
    return dm.Network(
        layers, "sigmoid", epochs=epochs, batch_size=64, learning_rate=0.002, random_state=seed, patience=5
    )


def p_values(motifs: list[Any], database: list[Any], known: list[str]) -> np.ndarray:
    """Smallest Tomtom p-value of each motif against the factor's motifs, among all columns of the database."""
    named = [dm.Motif(motif.probabilities, f"query_{i}") for i, motif in enumerate(motifs)]
    table = dm.tomtom(named, database)
    table = table[table.target.isin(known)]
    best = table.groupby("query").p_value.min()
    return np.array([best.get(f"query_{i}", 1.0) for i in range(len(named))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motifs", help="MEME file of known motifs")
    parser.add_argument("sets", nargs="+", metavar="FACTOR=FILE", help="peaks of a factor, or labelled sequences")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--most", type=int, default=4000, help="peaks of a set that are used")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    database = dm.read_meme(options.motifs)
    counts = {(method, top, limit): 0 for method in METHODS for top in TOPS for limit in LIMITS}
    done = 0
    for item in options.sets:
        factor, path = item.split("=", 1)
        names = {motif.name: (motif.alternate_name or motif.name).upper() for motif in database}
        known = [name for name, gene in names.items() if factor.upper() in gene.split("::")]
        if not known:
            print(f"{factor}: no known motif")
            continue
        began = time.perf_counter()
        data = dm.read_fasta(path) if ".fa" in path else dm.read_table(path)
        peaks = data.codes if data.labels is None else data.codes[data.labels == 1]
        X, y = dm.make_dataset(peaks[: options.most], random_state=options.seed)
        m = network(options.seed, options.epochs).fit(X, y)
        positives = X[y == 1][:1000]
        result = dm.deepresolve(m)
        filters = dm.filter_motifs(m, positives)
        found = p_values([motif.trim() for motif in filters], database, known)
        found[[motif.dead for motif in filters]] = 1
        orders = {"OFIV": found[result.ranking]}
        for method in METHODS[1:4]:
            orders[method] = found[np.argsort(-dm.channel_importance(m, positives, method), kind="stable")]
        pieces = dm.enhanced_class_optimization(m, width=25, output="score", steps=300)
        orders["class_optimization"] = p_values(pieces, database, known)
        for method, values in orders.items():
            for top in TOPS:
                for limit in LIMITS:
                    counts[method, top, limit] += bool((values[:top] < limit).any())
        done += 1
        first = {method: int(values.argmin()) + 1 for method, values in orders.items()}
        auc, seconds = max(m.history_["val_auc"]), time.perf_counter() - began
        print(
            f"{factor}: validation AUC {auc:.3f}, best p {found.min():.1e}, {result.n_components} component(s),",
            end=" ",
        )
        print(f"rank of the best match {first}, {seconds:.0f} s", flush=True)
    print(f"of {done} sets: method | " + " | ".join(f"top {top}, p < {limit}" for limit in LIMITS for top in TOPS))
    for method in METHODS:
        print(method + " | " + " | ".join(str(counts[method, top, limit]) for limit in LIMITS for top in TOPS))


if __name__ == "__main__":
    main()
