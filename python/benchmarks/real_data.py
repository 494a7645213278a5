"""Test AUC on real ChIP-seq sets, default settings, beside a PyTorch model of the same definition.

    python python/benchmarks/real_data.py FOLDER --seeds 0 1 2 --programs deepmotif pytorch > real_data.tsv

FOLDER holds pairs NAME_AC.seq.gz (training peaks, positives only: their dinucleotide shuffles are the negatives) and
NAME_B.seq.gz (test set), or NAME.fa.masked.gz with NAME_shuffled.fa.masked.gz, of which every eighth pair is the test
set. One line a run is printed when it is done; lines of an earlier run given by --done are not run again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import deepmotif as dm

NETWORKS = {"cnn": dm.CNN, "rnn": dm.RNN, "cnn-rnn": dm.CNNRNN}
Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def read_pair(path: Path) -> Data:
    """Training codes and labels, test codes and labels."""
    if path.name.endswith("_AC.seq.gz"):
        X, y = dm.make_dataset(dm.read_table(path).codes, random_state=0)
        test = dm.read_table(path.with_name(path.name.replace("_AC.", "_B.")))
        return X, y, test.codes, test.labels
    positives = dm.read_fasta(path).codes
    negatives = dm.read_fasta(path.with_name(path.name.replace(".fa.", "_shuffled.fa."))).codes
    held_out = np.arange(len(positives)) % 8 == 0
    parts = [np.concatenate([positives[rows], negatives[rows]]) for rows in (~held_out, held_out)]
    labels = [np.repeat([1, 0], rows.sum()) for rows in (~held_out, held_out)]
    return parts[0], labels[0], parts[1], labels[1]


def our_auc(kind: str, data: Data, seed: int, threads: int, epochs: int) -> float:
    model = NETWORKS[kind](random_state=seed, n_threads=threads, epochs=epochs).fit(data[0], data[1])
    return model.score(data[2], data[3])


def pytorch_auc(kind: str, data: Data, seed: int, threads: int, epochs: int) -> float:
    import pytorch_twins

    twin, _ = pytorch_twins.train(data[0], data[1], kind, seed, epochs, threads=threads, channels_last=kind != "rnn")
    scores = pytorch_twins.scores(twin, data[2])
    return pytorch_twins.roc_auc(scores[:, 1] - scores[:, 0], data[3])


PROGRAMS = {"deepmotif": our_auc, "pytorch": pytorch_auc}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", help="only sets whose file name begins with one of these")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=["deepmotif"])
    parser.add_argument("--done", type=Path, help="output of an earlier run")
    options = parser.parse_args()
    done = set()
    if options.done:
        done = {tuple(line.split("\t")[:4]) for line in options.done.read_text().splitlines()}
    files = [*options.folder.glob("*_AC.seq.gz"), *options.folder.glob("*.fa.masked.gz")]
    files = sorted((path for path in files if "_shuffled" not in path.name), key=lambda path: path.stat().st_size)
    files = [path for path in files if not options.sets or path.name.startswith(tuple(options.sets))]
    if not files:
        sys.exit(f"{options.folder}: expected NAME_AC.seq.gz or NAME.fa.masked.gz; found none")
    for seed in options.seeds:
        for path in files:
            data = read_pair(path)
            for kind in NETWORKS:
                for program in options.programs:
                    name = path.name.split(".")[0]
                    if (name, kind, str(seed), program) in done:
                        continue
                    start = time.perf_counter()
                    auc = PROGRAMS[program](kind, data, seed, options.threads, options.epochs)
                    print(name, kind, seed, program, f"{auc:.4f}", f"{time.perf_counter() - start:.0f}", sep="\t")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
