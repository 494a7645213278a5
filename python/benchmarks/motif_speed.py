"""Time of the motif room: Tomtom, scan, and from a trained network of 128 filters to a page with their logos.

    python python/benchmarks/motif_speed.py --train CTCFL_..._AC.seq.gz --threads 2

Seconds by the clock and of processors, the best of several runs. Bars on two free cores: 1,000 queries in 1,019 motifs
in 5 s, 700 motifs in 1 Mbp in 5 s, the page in 10 s.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif import layers


def forum_network(threads: int | None) -> Any:
    """128 filters of 24 positions, same padding, ReLU, maximum over all positions, dense."""
    parts = [layers.Conv1D(128, 24, padding="same"), layers.ReLU(), layers.GlobalMaxPool1D(), layers.Dense(2)]
    return dm.Network(parts, epochs=5, batch_size=128, learning_rate=0.001, random_state=0, n_threads=threads)


def measured(name: str, call: Callable[[], Any], repeats: int) -> None:
    """Prints the best clock and processor seconds of a call."""
    clock, processors = [], []
    for _ in range(repeats):
        began = time.perf_counter(), time.process_time()
        call()
        clock.append(time.perf_counter() - began[0])
        processors.append(time.process_time() - began[1])
    print(f"{name}\t{min(clock):.2f}\t{min(processors):.2f}", flush=True)


def page(model: Any, X: Any, y: Any, database: list[dm.Motif], folder: Path) -> None:
    """What `deepmotif motifs` does for the filters: motifs, matches, page."""
    motifs = dm.filter_motifs(model, X, y=y, progress=False)
    matches = dm.motif_matches(motifs, database, n_threads=model.n_threads)
    dm.gallery_html(folder / "gallery.html", motifs, matches, database)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, help="positives of the network (a table with the column seq)")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--release", default="JASPAR2026", help="of JASPAR: 1,019 motifs of vertebrates")
    options = parser.parse_args()
    database = dm.jaspar(options.release)
    rng = np.random.default_rng(0)
    queries = [dm.Motif(rng.dirichlet(np.full(4, 0.4), size=12), name=f"q{i}") for i in range(1000)]
    print("task", "seconds", "processor seconds", sep="\t")
    measured(
        f"tomtom: 1,000 random motifs of 12 in {len(database)}",
        lambda: dm.tomtom(queries, database, n_threads=options.threads),
        options.repeats,
    )
    genome = rng.integers(0, 4, (1, 1_000_000)).astype(np.uint8)
    measured(
        "scan: 700 motifs in 1 Mbp", lambda: dm.scan(database[:700], genome, n_threads=options.threads), options.repeats
    )
    if options.train is not None:
        X, y = dm.make_dataset(dm.read_table(options.train), random_state=0)
        model = forum_network(options.threads).fit(X, y, progress=False)
        print(f"# trained on {len(X)} sequences: validation AUC {max(model.history_['val_auc']):.4f}")
        with tempfile.TemporaryDirectory() as folder:
            measured("page of 128 filters", lambda: page(model, X, y, database, Path(folder)), options.repeats)
            measured("figure of 128 filters", lambda: dm.plot_filters(dm.filter_motifs(model, X, progress=False)), 1)


if __name__ == "__main__":
    main()
