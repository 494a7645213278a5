"""DeepResolve on the paper's synthetic sets: does it see the logic that the labels were made with?

Set I: label 1 = CAGGTC and exactly one of CGCTTG and GCTCAT. Set II: four exclusive classes, three of which share half
of their patterns. "detector" networks have a first convolution that fires on each pattern and nothing else; their dense
part is trained. "free" networks are trained from random weights, as in the paper. All train until the validation AUC
has not risen for 8 epochs and keep the best (at most 60 epochs of batches of 128, Adam, .002 halved every 10 epochs).
"either" is a control: set I with label 1 = CAGGTC and at least one of the others, where nothing excludes anything.

What counts, fixed on seeds 0 to 9:

* Set I. The network names its patterns itself: `seqlet_motifs` of `ism` on the positives of the test set.
  Each planted one must be part of the consensus of one ("found"). Every further line is false where one is missing.
  - "patterns": `pattern_interactions` of these three motifs in the test set, each pair in all sequences and in those
    that hold the third pattern too (six tests, each at .05 / 6), calls CGCTTG and GCTCAT exclusive in at least one and
    no other pair in any, and all effects of CAGGTC are above 0. "anywhere": in all sequences alone. "exclusive": how
    many of the six tests call a pair so.
  - "groups": the same from `channel_interactions` of the three groups of channels that respond most to these motifs.
  - "called" (the paper's call): with 10 restarts and lambda 2.8 the channels that respond most to CGCTTG and to GCTCAT,
    of their groups, are non-additive and that of CAGGTC is not. "signs": these two have positive and negative FIVs in
    different restarts and the third positive ones only. "opposite": groups of opposite sign in most of the weight.
  - "overlap": cosine of the channels' responses to CGCTTG and GCTCAT; 1 where the network does not tell them apart.
* Set II. The similarities of classes 1-2, 1-3 and 2-3 are above those of every pair with 4: "paper" with lambda 2.8,
  "auto" and "boundary" with that lambda, "limit" with a lambda of 100,000, where a map is the slope at an empty one.

    python python/benchmarks/resolve_synthetic.py xor --kind detector --seeds 10
    python python/benchmarks/resolve_synthetic.py xor --kind free --first-seed 10 --seeds 10
    python python/benchmarks/resolve_synthetic.py either --kind free --seeds 10
    python python/benchmarks/resolve_synthetic.py classes --kind detector --first-seed 10 --seeds 10
    python python/benchmarks/resolve_synthetic.py classes --kind free --first-seed 10 --seeds 10
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Flatten, MaxPool1D, ReLU

PATTERNS = {"xor": ("CAGGTC", "CGCTTG", "GCTCAT"), "classes": ("GATA", "CAGATG", "TCAT", "CGCTTG")}
PATTERNS["either"] = PATTERNS["xor"]
OUTPUTS = {"xor": ("softmax", 2), "either": ("softmax", 2), "classes": ("sigmoid", 4)}
LAYER = "max_pool1d_0"
XOR_LINES = ("patterns", "anywhere", "groups", "groups anywhere", "called", "signs", "opposite")

# Six tests a network.
LEVEL = 0.05 / 6


def head(classes: int) -> list[Any]:
    return [Flatten(), Dense(64), ReLU(), Dense(classes)]


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
    layers = [Conv1D(channels, 8), ReLU(), MaxPool1D(4), *head(classes)]
    return dm.Network(layers, output, random_state=seed, **options).fit(X, y)


def auc(m: dm.Network, X: Any, y: Any) -> list[float]:
    scores = m.scores(X)
    if y.ndim == 1:
        scores, y = (scores[:, 1] - scores[:, 0])[:, None], y[:, None]
    columns = zip(scores.T, y.T, strict=True)
    return [round(dm._native.roc_auc(np.ascontiguousarray(s), t.astype(np.int32)), 4) for s, t in columns]


# ---- Set I ----


def own_motifs(m: dm.Network, X: Any, y: Any) -> list[dm.Motif]:
    """Patterns that speak for the class, found in what substitutions do to the score of positives."""
    positives = X[y == 1]
    changes = dm.ism(m, positives)
    motifs = dm.seqlet_motifs(changes - changes.mean(axis=2, keepdims=True), positives)
    return [motif for motif in motifs if motif.sign > 0]


def xor_row(m: dm.Network, X: Any, y: Any, restarts: int, l2: float) -> dict[str, Any]:
    """What DeepResolve and ablation say of the three patterns of set I."""
    r = dm.deepresolve(m, LAYER, 1, restarts=restarts, l2=l2)
    motifs = own_motifs(m, X, y)
    holds = [[i for i, motif in enumerate(motifs) if word in motif.consensus] for word in PATTERNS["xor"]]
    row: dict[str, Any] = {"motifs": [motif.consensus for motif in motifs], "found": all(holds)}
    if not all(holds):
        return row | dict.fromkeys(XOR_LINES, False)
    three = [max((motifs[i] for i in numbers), key=lambda motif: motif.n_sites) for numbers in holds]

    def patterns(chosen: list[int], given: int | None) -> Any:
        context = None if given is None else three[given]
        return dm.pattern_interactions(m, [three[i] for i in chosen], X, given=context, alpha=LEVEL)

    row["patterns"], row["anywhere"], row["exclusive"], row["pattern effects"] = logic(patterns)
    random = np.random.default_rng(0).integers(0, 4, size=(1000, X.shape[1])).astype(np.uint8)
    responses = dm.pattern_responses(m, three, random, LAYER)
    unit = responses / np.linalg.norm(responses, axis=1, keepdims=True)
    row["overlap"] = round(float(unit[1] @ unit[2]), 2)
    groups = dm.channel_groups(responses)
    row["channels"] = [len(group) for group in groups]
    if not all(row["channels"]):
        return row | dict.fromkeys(XOR_LINES[2:], False)

    def channels(chosen: list[int], given: int | None) -> Any:
        context = None if given is None else groups[given]
        return dm.channel_interactions(r, m, X, channels=[groups[i] for i in chosen], given=context, alpha=LEVEL)

    row["groups"], row["groups anywhere"], _, row["group effects"] = logic(channels)
    chosen = [int(group[responses[number, group].argmax()]) for number, group in enumerate(groups)]
    positive, negative = (r.signs[:, chosen] > 0).any(axis=0), (r.signs[:, chosen] < 0).any(axis=0)
    row["called"] = r.non_additive[chosen].tolist() == [False, True, True]
    row["signs"] = positive.all() and negative.tolist() == [False, True, True]
    row["opposite"] = channels([1, 2], None).opposite[0] > 0.5
    return row | {"outside": r.non_additive[chosen].tolist(), "all outside": int(r.non_additive.sum())}


def logic(test: Callable[[list[int], int | None], Any]) -> tuple[bool, bool, int, dict[str, Any]]:
    """Whether pattern 0 is needed, and 1 and 2 exclude each other, in some context and in all sequences.

    Then how many tests call a pair exclusive, and all effects. `test` tells the interactions of some of the patterns in
    the context of another.
    """
    found, effects = {}, {}
    for i, j, third in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        for given in (None, third):
            found[i, j, given] = pair = test([i, j], given)
            effects[f"{i}{j}" if given is None else f"{i}{j} | {given}"] = np.round(
                [*pair.effect_with[0], *pair.effect_without[0]], 1
            ).tolist()
    others = [pair for (i, _, _), pair in found.items() if i == 0]
    needed = all(
        min(pair.effect_with[0, 0], pair.effect_without[0, 0]) > 0 and not pair.exclusive[0] for pair in others
    )
    anywhere, beside = bool(found[1, 2, None].exclusive[0]), bool(found[1, 2, 0].exclusive[0])
    calls = sum(int(pair.exclusive[0]) for pair in found.values())
    return needed and (anywhere or beside), needed and anywhere, calls, effects


# ---- Set II ----


def class_row(m: dm.Network, X: Any, restarts: int, l2: float) -> dict[str, Any]:
    """Similarity of the pairs of set II that share patterns against those with the fourth class."""
    row: dict[str, Any] = {}
    for name, penalty in (("paper", l2), ("auto", "auto"), ("boundary", "boundary"), ("limit", 1e5)):
        # As the searches do: the product of learning rate and lambda stays.
        rate = 0.005 * 2.8 / 1e5 if name == "limit" else 0.005
        results = dm.deepresolve(m, LAYER, "all", restarts=restarts, l2=penalty, learning_rate=rate, X=X)
        row |= order(name, dm.class_similarity(results))
        row |= {
            f"{name} lambda": round(results[0].l2, 1),
            f"{name} scores": [round(float(r.scores.mean()), 1) for r in results],
        }
    return row | order("last layer", dm.last_layer_similarity(m))


def order(name: str, similarity: np.ndarray) -> dict[str, Any]:
    alike, unlike = similarity[[0, 0, 1], [1, 2, 2]], similarity[:3, 3]
    return {name: bool(alike.min() > unlike.max()), f"{name} margin": round(float(alike.min() - unlike.max()), 2)}


# ---- The study ----


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("xor", "either", "classes"))
    parser.add_argument("--kind", choices=("detector", "free"), default="detector")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--l2", type=float, default=2.8)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--output", type=Path, help="folder for a line and a network of each seed; taken up again")
    options = parser.parse_args()
    make_set = dm.synthetic_classes if options.set == "classes" else dm.synthetic_xor
    X, y = make_set(n_threads=options.threads)
    if options.set == "either":
        needed, *others = PATTERNS["either"]
        y = np.array([needed in text and any(word in text for word in others) for text in dm.decode(X)], dtype=np.int64)
    cut = len(X) * 4 // 5  # 20 % are the test set, as in the paper
    training = {
        "epochs": options.epochs, "patience": 8, "batch_size": 128, "learning_rate": 0.002, "n_threads": options.threads
    }  # fmt: skip
    make = detector_network if options.kind == "detector" else free_network
    rows = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.perf_counter()
        place = None if options.output is None else options.output / f"{options.set}_{options.kind}_{seed}.safetensors"
        if place is not None and place.exists():
            m = dm.load(place)
        else:
            m = make(options.set, X[:cut], y[:cut], seed, training, options.channels)
            if place is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                m.save(place)
        m.set_params(n_threads=options.threads)
        row = {"seed": seed, "AUC": auc(m, X[cut:], y[cut:])}
        if options.set != "classes":
            row |= xor_row(m, X[cut:], y[cut:], options.restarts, options.l2)
        else:
            row |= class_row(m, X[cut:], options.restarts, options.l2)
        rows.append(row)
        print(json.dumps(row, default=bool), f"{time.perf_counter() - began:.0f} s", flush=True)
    for name, value in rows[0].items():
        if isinstance(value, (bool, np.bool_)):
            print(f"{name}: {sum(bool(row[name]) for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
