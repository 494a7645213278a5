"""Random networks over all layers and options: scores and input gradients in PyTorch and onnxruntime, and back.

``python python/benchmarks/interchange_parity.py --networks 300`` needs torch, onnx and onnxruntime. Errors are the
largest difference, relative to the largest magnitude where that is above 1. Where float32 itself loses digits, as in a
normalisation of nearly equal channels, PyTorch in float64 says which digits: the gradient may be off by 1e-5 or by
twice as much as PyTorch's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from network_cases import LENGTH, random_network, sample

import deepmotif as dm
from deepmotif.interchange import load_onnx, to_onnx, to_torch

BAR = 1e-5


def relative(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def in_torch(module: Any, X: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and gradients (N, L, 4) of the first one."""
    x = torch.tensor(X.transpose(0, 2, 1).copy(), dtype=dtype, requires_grad=True)
    scores = module.to(dtype)(x)
    scores[:, 0].sum().backward()
    return scores.detach().numpy(), x.grad.numpy().transpose(0, 2, 1)


def compare(seed: int, folder: Path) -> dict[str, float]:
    """Errors of one network, by what was compared."""
    model, X = random_network(seed), sample(seed)
    scores, gradients = model.scores(X), dm.input_gradients(model, X, target=0)
    module = to_torch(model)
    other, other_gradients = in_torch(module, X, torch.float32)
    errors = {"scores, PyTorch": relative(other, scores), "gradients, PyTorch": relative(other_gradients, gradients)}
    exact, exact_gradients = in_torch(module, X, torch.float64)
    errors["scores, float64"] = relative(scores, exact)
    errors["gradients, float64"] = relative(gradients, exact_gradients)
    errors["gradients of PyTorch, float64"] = relative(other_gradients, exact_gradients)
    back = dm.from_torch(module.float(), length=LENGTH, output=model.output)
    errors["scores, from_torch"] = relative(back.scores(X), scores)
    errors["gradients, from_torch"] = relative(dm.input_gradients(back, X, target=0), gradients)
    path = folder / "model.onnx"
    to_onnx(model, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    errors["scores, onnxruntime"] = relative(session.run(["scores"], {"sequence": X})[0], scores)
    back = load_onnx(path)
    errors["scores, load_onnx"] = relative(back.scores(X), scores)
    errors["gradients, load_onnx"] = relative(dm.input_gradients(back, X, target=0), gradients)
    return errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="seed of the first network")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start, worst, kinds, failures = time.perf_counter(), {}, Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.networks):
            kinds.update({layer.kind for layer in random_network(seed)._layers})
            errors = compare(seed, Path(folder))
            allowed = max(BAR, 2 * errors["gradients of PyTorch, float64"])
            bad = {
                key: error
                for key, error in errors.items()
                if not error <= (allowed if key.startswith("gradients") else BAR)
            }
            if bad:
                failures.append((seed, bad))
            for key, error in errors.items():
                worst.setdefault(key, []).append(error)
    print(f"{arguments.networks} networks, {time.perf_counter() - start:.0f} s")
    print("networks with each layer: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    for key, values in worst.items():
        above = sum(value > BAR for value in values)
        print(f"{key:32s} median {np.median(values):.1e}  largest {max(values):.1e}  above {BAR:g}: {above}")
    for seed, bad in failures:
        print(f"network {seed}: {bad}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
