"""Makes fixtures/parity_*.safetensors from PyTorch: what the engine must reproduce where PyTorch is not installed.

Run after a change of the definitions: ``python python/tests/make_fixtures.py``. The stored networks have the structure
of the real ones at a fraction of the size.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

import pytorch_twins as twins  # noqa: E402

LENGTH, ROWS, STEPS, CLIP, LEARNING_RATE = 40, 12, 10, 0.02, 0.01

#: Sizes by kind; the same words are arguments of the twins and of the estimators.
SIZES = {
    "cnn": {"filters": 6, "kernel_sizes": (9, 5, 3)},
    "rnn": {"hidden": 5, "layers": 2},
    "cnn-rnn": {"filters": 6, "kernel_size": 5, "hidden": 5},
}
CLASS_WEIGHTS = np.array([0.5, 2.0], dtype=np.float32)


def record(twin, codes, labels):
    """Everything that is compared, by name: scores, gradients, ten steps of the optimizer (dropout 0)."""
    weight = torch.from_numpy(CLASS_WEIGHTS)
    x, y = twins.letters(codes).requires_grad_(True), torch.from_numpy(labels).long()
    named = twins.named_parameters(twin)
    values = {f"weights/{name}": parameter.detach().clone() for name, parameter in named.items()}
    output = twin(x)
    values["scores"] = output.detach()
    values["input_gradient"] = torch.autograd.grad(output[:, 1].sum(), x, retain_graph=True)[0]
    loss = torch.nn.functional.cross_entropy(output, y, weight)
    values["loss"] = loss.detach().reshape(1)
    gradients = torch.autograd.grad(loss, list(named.values()))
    values |= {f"gradient/{name}": gradient for name, gradient in zip(named, gradients, strict=True)}
    optimizer = twins.optimizer_of(twin, LEARNING_RATE, fused=False)
    for step in range(STEPS):
        rows = np.arange(step, step + ROWS // 2) % ROWS
        twins.train_step(twin, optimizer, twins.letters(codes[rows]), y[rows], CLIP, weight)
    values |= {f"trained/{name}": parameter.detach() for name, parameter in named.items()}
    return {name: np.ascontiguousarray(value.numpy()) for name, value in values.items()}


def main():
    random = np.random.default_rng(20)
    codes = random.integers(0, 4, (ROWS, LENGTH)).astype(np.uint8)
    codes[random.random(codes.shape) < 0.03] = 4
    labels = (np.arange(ROWS) % 3 == 0).astype(np.int32)
    for seed, (kind, sizes) in enumerate(SIZES.items()):
        torch.manual_seed(seed)
        twin = twins.TWINS[kind](dropout=0.0, **sizes)
        values = {"codes": codes, "labels": labels} | record(twin, codes, labels)
        save_file(values, HERE / "fixtures" / f"parity_{kind}.safetensors")


if __name__ == "__main__":
    main()
