"""Optimizers, schedules and regularisation: what the hyper-parameters do, and which of them are refused."""

import math

import numpy as np
import pytest
from training_cases import SMALL, planted, weights_bytes

import deepmotif as dm
from deepmotif import _options


def options(**parameters):
    return _options.training_options(dm.CNN(**parameters), 0, 1)


def rates(count, merits=None, **parameters):
    """Learning rates of so many epochs; `merits`: which epochs were the best so far."""
    chosen, seen, best = options(epochs=count, **parameters), [], None
    for epoch in range(count):
        seen.append(chosen.learning_rate_of(epoch, seen, best))
        if merits is None or merits[epoch]:
            best = epoch
    return seen


def test_schedules():
    assert rates(5, decay_every=2) == [0.01, 0.01, 0.005, 0.005, 0.0025]
    assert rates(5, decay_every=None) == rates(5, schedule="constant") == [0.01] * 5
    cosine = rates(4, schedule="cosine")
    assert cosine == [0.005 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4)]


def test_plateau():
    better = [True, True, False, False, False, False, True, False, False, False]
    found = rates(10, better, schedule="plateau", decay_every=2, learning_rate=1.0)
    # Two epochs without a better one, at the present rate, halve it.
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    with pytest.raises(dm.InvalidArgumentError, match="schedule='plateau' needs validation"):
        SMALL["CNN"](schedule="plateau", validation_fraction=0.0).fit(*planted(40))


@pytest.mark.parametrize("optimizer", _options.OPTIMIZERS)
def test_every_optimizer_learns(optimizer):
    X, y = planted(400)
    rate = {"sgd": 0.3, "adadelta": 2.0}.get(optimizer, 0.01)
    model = SMALL["CNN"](
        optimizer=optimizer, learning_rate=rate, epochs=12, batch_size=16, random_state=0, decay_every=None, dropout=0.0
    ).fit(X, y)  # fmt: skip
    assert model.history_["loss"][-1] < 0.8 * model.history_["loss"][0]


@pytest.mark.parametrize(
    "parameters",
    [
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "rmsprop", "momentum": 0.5},
        {"weight_decay": 0.1},
        {"optimizer": "adamw"},
        {"l2": 0.1},
        {"max_norm": 0.1},
        {"gradient_clip": 1e-3},
    ],
    ids=str,
)
def test_every_option_reaches_the_engine(parameters):
    X, y = planted(100)

    def fit(**options):
        return weights_bytes(
            SMALL["CNN"](epochs=2, random_state=0, batch_size=16, learning_rate=0.1, **options).fit(X, y)
        )

    without = fit(**({"optimizer": parameters["optimizer"]} if "momentum" in parameters else {}))
    assert fit(**parameters) != without


def test_norms_are_limited():
    X, y = planted(100)
    model = SMALL["CNN"](epochs=2, max_norm=0.2, random_state=0).fit(X, y)
    norms = np.sqrt((model.weights_["conv1d_0.weight"].astype(np.float64) ** 2).sum(axis=(1, 2)))
    # Rounding of the scaled weights.
    assert norms.max() <= 0.2 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"optimizer": "lion"}, r"optimizer must be one of \['adam', .*; got 'lion'"),
        ({"momentum": 0.9}, "momentum is one of sgd and rmsprop; got 0.9 for adam"),
        ({"optimizer": "sgd", "momentum": 1.0}, "momentum must be a finite number of at least 0 and below 1"),
        ({"weight_decay": -1}, "weight_decay must be"),
        ({"l2": float("inf")}, "l2 must be"),
        ({"max_norm": 0}, "max_norm must be a finite number above 0"),
        ({"schedule": 3}, "schedule must be one of"),
        ({"reverse_complement": None}, "reverse_complement must be one of"),
    ],
)
def test_bad_options(parameters, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        SMALL["CNN"](**parameters).fit(*planted(40))
