"""The benchmark: its clock, its tables, its rivals' definitions, and the command."""

from __future__ import annotations

import time

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.bench import table
from deepmotif.bench.clock import measure
from deepmotif.cli import main
from deepmotif.layers import Conv1D, Dense, Dropout, Flatten, GlobalMaxPool1D, MaxPool1D, ReLU

NETWORKS = {
    "cnn": dm.CNN(filters=6, kernel_sizes=(5, 3), random_state=0),
    "rnn": dm.RNN(hidden=4, random_state=0),
    "cnn-rnn": dm.CNNRNN(filters=6, kernel_size=5, hidden=4, random_state=0),
    "same": dm.Network([Conv1D(5, 6, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(3), ReLU(), Dense(2)]),
    "flat": dm.Network([Conv1D(5, 4), ReLU(), MaxPool1D(4), Flatten(), Dense(3), ReLU(), Dropout(0.5), Dense(2)]),
}


def test_measure_counts_units_a_second() -> None:
    calls: list[int] = []

    def slow(count: int) -> None:
        calls.append(count)
        time.sleep(count * 1e-3)

    rates = measure({"ours": slow, "rival": lambda count: time.sleep(count * 5e-4)}, 10, 0.05, 3)
    assert all(count % 10 == 0 for count in calls)
    assert 300 < rates["ours"].median <= rates["ours"].best < 1001
    assert rates["rival"].best > rates["ours"].best


def test_measure_drops_slow_rivals_but_never_the_first() -> None:
    programs = {
        name: lambda count, s=s: time.sleep(count * s) for name, s in [("ours", 4e-3), ("a", 1e-3), ("b", 4e-3)]
    }
    assert set(measure(programs, 1, 0.02, 1)) == {"ours", "a"}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_rivals_compute_the_same_scores(name: str, framework: str) -> None:
    pytest.importorskip(framework)
    model = NETWORKS[name].build(41, 2)
    X = np.random.default_rng(0).integers(0, 4, (7, 41)).astype(np.uint8)
    expected = model.scores(X)
    if framework == "torch":
        from deepmotif.bench import torch_rival

        found = [
            rival.eval()(torch_rival.letters(X)).detach().numpy()
            for rival in torch_rival.rivals(model, (False, True)).values()
        ]
    else:
        from deepmotif.bench import jax_rival

        found = []
        for im2col in (False, True):
            parameters, apply = jax_rival.network(model, im2col)
            found.append(np.asarray(apply(parameters, jax_rival._letters(X), None)))
    for scores in found:
        np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-6 * max(1, np.abs(expected).max()))


def test_speed_table() -> None:
    row = {
        "network": "CNN", "task": "train", "unit": "sequences/s", "threads": 1, "rival_name": "PyTorch",
        "ours": {"best": 3000.0, "median": 2500.0}, "rival": {"best": 1000.0, "median": 500.0},
    }  # fmt: skip
    alone = row | {"rival": None, "rival_name": "", "task": "predict"}
    lines = table.speed_table([row, alone], {("CNN", "train", 1): 250.0}).splitlines()
    assert lines[2] == "| train | CNN | 1 | 2,500 sequences/s | 500 (PyTorch) | 5.00, 3.00 | 250 | 10.00 |"
    assert lines[3] == "| predict | CNN | 1 | 2,500 sequences/s |  |  |  |  |"


def test_command_alone(capfd: pytest.CaptureFixture[str], tmp_path: object) -> None:
    arguments = ["--networks", "deepresolve-32x8", "--tasks", "predict", "saliency one", "--seconds", "0.01"]
    assert main(["bench", "--alone", "--sections", "speed", "memory", *arguments, "--output", str(tmp_path)]) == 0
    printed = capfd.readouterr()
    assert "| predict | DeepResolve 32 x 8, pool 4 | 1 |" in printed.out
    assert "MB |" in printed.out
    assert "deepmotif" in printed.err
    assert (tmp_path / "bench.json").stat().st_size > 100  # type: ignore[attr-defined]


def test_command_refuses_more_threads_than_processors(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--threads", "4096"]) == 1
    assert "--threads must be at most" in capfd.readouterr().err
