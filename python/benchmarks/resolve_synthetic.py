"""DeepResolve on the paper's synthetic sets: does it see the logic that the labels were made with?

Set I: label 1 = CAGGTC and exactly one of CGCTTG and GCTCAT. Set II: four exclusive classes, three of which share half
of their patterns. "detector" networks have a first convolution that fires on each pattern and nothing else; their dense
part is trained. "free" networks are trained from random weights, as in the paper.

    python python/benchmarks/resolve_synthetic.py xor --kind detector --seeds 10
    python python/benchmarks/resolve_synthetic.py xor --kind free --seeds 10
    python python/benchmarks/resolve_synthetic.py classes --kind detector --channels 4 --epochs 1 --seeds 10
    python python/benchmarks/resolve_synthetic.py classes --kind free --epochs 2 --seeds 10
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Dropout, Flatten, MaxPool1D, ReLU

PATTERNS = {"xor": ("CAGGTC", "CGCTTG", "GCTCAT"), "classes": ("GATA", "CAGATG", "TCAT", "CGCTTG")}
OUTPUTS = {"xor": ("softmax", 2), "classes": ("sigmoid", 4)}
LAYER = "max_pool1d_0"


def head(classes: int, dropout: float = 0.0) -> list[Any]:
    return [*([Dropout(dropout)] if dropout else []), Flatten(), Dense(64), ReLU(), Dense(classes)]


def detector_network(name: str, X: Any, y: Any, seed: int, options: dict[str, Any], channels: int) -> dm.Network:
    """A fixed convolution of detectors, one a pattern and the rest for random words, and a trained dense part.

    The dense part is trained by itself on the pooled activations of the detectors. It reads them flattened, so four
    channels at a time pass for the letters of a position.
    """
    patterns, (output, classes) = list(PATTERNS[name]), OUTPUTS[name]
    random = np.random.default_rng(seed)
    words = ["".join("ACGT"[i] for i in random.integers(0, 4, size=6)) for _ in range(channels - len(patterns))]
    kernels = np.zeros((channels, 4, 8), dtype=np.float32)
    for channel, word in enumerate(patterns + words):
        kernels[channel, ["ACGT".index(letter) for letter in word], 1 + np.arange(len(word))] = 1
    fixed = {"conv1d_0.weight": kernels, "conv1d_0.bias": [1.0 - len(word) for word in patterns + words]}
    front = [Conv1D(channels, 8, padding="same"), ReLU(), MaxPool1D(4)]
    length = X.shape[1]
    zeros = {"dense_0.weight": np.zeros((2, length // 4 * channels)), "dense_0.bias": np.zeros(2)}
    reader = dm.Network._from_layers([*front, Flatten(), Dense(2)], "softmax", length, 2, fixed | zeros)
    maps = reader.activations(X, LAYER)
    padded = -(-channels // 4) * 4
    letters = np.zeros((*maps.shape[:2], padded), dtype=np.float32)
    letters[..., :channels] = maps
    tail = dm.Network(head(classes), output, random_state=seed, **options).fit(letters.reshape(len(X), -1, 4), y)
    weights = tail.weights_
    dense = weights["dense_0.weight"].reshape(64, -1, padded)[..., :channels].reshape(64, -1)
    weights = weights | fixed | {"dense_0.weight": dense}
    return dm.Network._from_layers([*front, *head(classes)], output, length, classes, weights)


def free_network(name: str, X: Any, y: Any, seed: int, options: dict[str, Any], channels: int) -> dm.Network:
    output, classes = OUTPUTS[name]
    training = dict(options)
    layers = [Conv1D(channels, 8), ReLU(), MaxPool1D(4), *head(classes, training.pop("dropout", 0.0))]
    return dm.Network(layers, output, random_state=seed, **training).fit(X, y)


def responses(m: dm.Network, name: str) -> np.ndarray:
    """(K, P): how much of a channel's largest activation each pattern alone brings about in random sequences."""
    random = np.random.default_rng(0).integers(0, 4, size=(400, m.length_)).astype(np.uint8)
    base = m.activations(random, "relu_0").max(axis=1).mean(axis=0)
    rises = []
    for pattern in PATTERNS[name]:
        planted = random.copy()
        planted[:, 20 : 20 + len(pattern)] = ["ACGT".index(letter) for letter in pattern]
        rises.append(m.activations(planted, "relu_0").max(axis=1).mean(axis=0) - base)
    top = m.activations(random, "relu_0").max(axis=(0, 1))
    return np.array(rises).T / np.maximum(top, 1e-6)[:, None]


def roles(found: np.ndarray) -> np.ndarray:
    """(K,) the pattern that a channel is for; -1 for none, -2 for several."""
    best = found.max(axis=1)
    second = np.sort(found, axis=1)[:, -2]
    role = np.where(best > 0.25, found.argmax(axis=1), -1)
    return np.where((best > 0.25) & (second > 0.5 * best), -2, role)


def xor_row(m: dm.Network, X: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What DeepResolve and ablation say of the three patterns of set I."""
    r = dm.deepresolve(m, LAYER, 1, **options)
    role = roles(responses(m, "xor"))
    of = [np.flatnonzero(role == p) for p in range(3)]
    row: dict[str, Any] = {
        "components": r.n_components,
        "shared": int((role == -2).sum()),
        "filters": [len(o) for o in of],
    }
    if any(len(o) == 0 for o in of):
        row |= {"called": False, "opposite": False, "ablation": False, "wrong": "a pattern without a filter of its own"}
        return row
    # The channel that stands for a pattern: the most important one.
    size = np.abs(r.fiv).max(axis=0)
    chosen = [int(o[size[o].argmax()]) for o in of]
    outside = r.non_additive[chosen]
    pairs = dm.channel_interactions(r, m, X, channels=chosen)
    pair = pairs.pairs.tolist().index(sorted(chosen[1:]))
    row["called"] = bool(outside[1] and outside[2] and not outside[0])
    row["opposite"] = bool(pairs.opposite[pair] > 0.5)
    row["ablation"] = bool(pairs.exclusive[pair] and pairs.exclusive.sum() == 1)
    row["wrong"] = (
        "" if row["called"] else f"non-additive: CAGGTC {outside[0]}, CGCTTG {outside[1]}, GCTCAT {outside[2]}"
    )
    return row


def class_row(m: dm.Network, options: dict[str, Any]) -> dict[str, Any]:
    """Similarity of the pairs of set II that share patterns against those with the fourth class."""
    results = dm.deepresolve(m, LAYER, "all", **options)
    similarity = dm.class_similarity(results)
    alike = [similarity[i, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    unlike = [similarity[i, 3] for i in range(3)]
    last = dm.last_layer_similarity(m)
    return {
        "alike": np.round(alike, 2).tolist(),
        "unlike": np.round(unlike, 2).tolist(),
        "called": bool(min(alike) > max(unlike)),
        "last layer": bool(min(last[0, 1], last[0, 2], last[1, 2]) > last[3, :3].max()),
        "components": [r.n_components for r in results],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("xor", "classes"))
    parser.add_argument("--kind", choices=("detector", "free"), default="detector")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--dropout", type=float, default=0.0, help="behind the pool of free networks")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--l2", type=float, default=2.8)
    options = parser.parse_args()
    X, y = dm.synthetic_xor() if options.set == "xor" else dm.synthetic_classes()
    cut = len(X) * 4 // 5  # 20 % are the test set, as in the paper
    training = {"epochs": options.epochs, "batch_size": 128, "learning_rate": options.learning_rate}
    if options.weight_decay:
        training |= {"optimizer": "adamw", "weight_decay": options.weight_decay}
    if options.kind == "free":
        training["dropout"] = options.dropout
    ascent = {"restarts": options.restarts, "l2": options.l2}
    make = detector_network if options.kind == "detector" else free_network
    rows = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.perf_counter()
        m = make(options.set, X[:cut], y[:cut], seed, training, options.channels)
        scores = m.scores(X[cut:])
        if options.set == "xor":
            auc = [dm._native.roc_auc(np.ascontiguousarray(scores[:, 1] - scores[:, 0]), y[cut:].astype(np.int32))]
            row = xor_row(m, X[cut:], ascent)
        else:
            columns = [np.ascontiguousarray(scores[:, c]) for c in range(4)]
            auc = [dm._native.roc_auc(column, y[cut:, c].astype(np.int32)) for c, column in enumerate(columns)]
            row = class_row(m, ascent)
        rows.append(row)
        print(seed, "AUC", np.round(auc, 4).tolist(), row, f"{time.perf_counter() - began:.0f} s", flush=True)
    for name in ("called", "opposite", "ablation", "last layer"):
        if name in rows[0]:
            print(f"{name}: {sum(row[name] for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
