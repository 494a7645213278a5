"""A network of DeepSEA's size, the map in front of its third convolution: time of a step and memory.

Convolutions of 320, 480 and 960 filters of 8, max-pools of 4, dense 925, 919 sigmoids, 1,000 bp; random weights. Some
classes are resolved for a few steps, written to a folder and found again; the whole run of 919 classes is the time of
one ascent and step times their number.

    python python/benchmarks/resolve_deepsea.py --classes 8 --steps 10
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time

import deepmotif as dm
from deepmotif.layers import Conv1D, Dense, Dropout, Flatten, MaxPool1D, ReLU


def network() -> dm.Network:
    layers = [
        Conv1D(320, 8), ReLU(), MaxPool1D(4), Dropout(0.2), Conv1D(480, 8), ReLU(), MaxPool1D(4), Dropout(0.2),
        Conv1D(960, 8), ReLU(), Dropout(0.5), Flatten(), Dense(925), ReLU(), Dense(919),
    ]  # fmt: skip
    return dm.Network(layers, "sigmoid", random_state=0).build(1000, 919)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    m = network()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        for turn in ("computed", "found again"):
            cpu, wall = time.process_time(), time.perf_counter()
            results = dm.deepresolve(
                m, "dropout_1", list(range(options.classes)), max_steps=options.steps, directory=folder, progress=True
            )
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            size = f"{options.classes} classes x 10 restarts x {options.steps} steps"
            print(f"{size} {turn}: {wall:.1f} s, {cpu:.1f} s CPU")
            if turn == "computed":
                one = cpu / (options.classes * 10 * (options.steps + 1))
                print(
                    f"919 classes x 10 restarts x 500 steps at this rate: {one * 919 * 10 * 500 / 3600:.1f} CPU hours"
                )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{m.n_parameters_} parameters; {results[0]}")
    print(f"memory {before / 1024:.0f} MB before, {after / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
