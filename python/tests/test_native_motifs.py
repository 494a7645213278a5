"""Tomtom and Scanner in the extension: what they refuse, that they change no input, leak nothing, stand threads."""

import gc
import sys
import threading

import numpy as np
import pytest

from deepmotif import _native
from deepmotif.exceptions import InvalidArgumentError

UNIFORM = np.full(4, 0.25)


@pytest.fixture
def motifs():
    rng = np.random.default_rng(0)
    widths = np.array([3, 8, 5])
    return rng.dirichlet(np.ones(4), size=16), widths, np.full(3, 20.0)


@pytest.fixture
def log_odds(motifs):
    return np.log2((motifs[0] + 0.01) / 1.04 / 0.25)


def compare(queries, targets, **changes):
    options = {"distance": _native.TOMTOM_PEARSON, "complete_scores": True, "reverse_complement": True}
    options |= {"min_overlap": 1, "pseudocount": 0.1, "background": UNIFORM, "threads": 2}
    return _native.tomtom(queries, targets, **(options | changes))


def make_scanner(log_odds, widths, **changes):
    options = {"log_odds": log_odds, "reverse": None, "widths": widths, "background": UNIFORM}
    return _native.Scanner(**(options | {"p_value": 0.1, "threads": 2} | changes))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c, w, s: (c.astype(np.float32), w, s),
        lambda c, w, s: (np.asfortranarray(c), w, s),
        lambda c, w, s: (c[:-1], w, s),
        lambda c, w, s: (c, w[:-1], s),
        lambda c, w, s: (c, w, s[:-1]),
        lambda c, w, s: (c, w.astype(np.int32), s),
        lambda c, w, s: (c, np.array([-(2**62), 2**62, 16]), s),
        lambda c, w, s: (c, np.array([2**63 - 1, 2**63 - 1, 18]), s),
        lambda c, w, s: (c[:, :3].copy(), w, s),
        lambda c, w, s: (c, w),
        lambda c, w, s: [c, w, s],
        lambda c, w, s: None,
    ],
)
def test_tomtom_refuses_what_does_not_fit(motifs, wrong):
    with pytest.raises(TypeError):
        compare(wrong(*motifs), motifs)
    with pytest.raises(TypeError):
        compare(motifs, wrong(*motifs))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"distance": 99}, InvalidArgumentError),
        ({"distance": "ed"}, TypeError),
        ({"min_overlap": 0}, InvalidArgumentError),
        ({"pseudocount": float("inf")}, InvalidArgumentError),
        ({"background": np.ones(3)}, TypeError),
        ({"background": np.ones(4)}, InvalidArgumentError),
        ({"threads": 0}, InvalidArgumentError),
    ],
)
def test_tomtom_options(motifs, change, error):
    with pytest.raises(error):
        compare(motifs, motifs, **change)


def test_no_queries_are_no_rows(motifs):
    nothing = (np.empty((0, 4)), np.empty(0, np.int64), np.empty(0))
    assert [array.shape for array in compare(nothing, motifs)] == [(0, 3)] * 6
    with pytest.raises(InvalidArgumentError, match="targets must hold at least one motif"):
        compare(motifs, nothing)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"log_odds": np.zeros((15, 4))}, TypeError),
        ({"log_odds": np.zeros((16, 4), np.float32)}, TypeError),
        ({"reverse": np.zeros((15, 4))}, TypeError),
        ({"widths": np.array([3, 8, -5])}, TypeError),
        ({"widths": np.array([0, 8, 8])}, InvalidArgumentError),
        ({"log_odds": np.full((16, 4), np.nan)}, InvalidArgumentError),
        ({"background": np.zeros(4)}, InvalidArgumentError),
        ({"p_value": 0.0}, InvalidArgumentError),
        ({"p_value": float("nan")}, InvalidArgumentError),
        ({"threads": 0}, InvalidArgumentError),
    ],
)
def test_scanner_refuses_what_does_not_fit(motifs, log_odds, change, error):
    with pytest.raises(error):
        make_scanner(**{"log_odds": log_odds, "widths": motifs[1], **change})


def test_scanner_states(motifs, log_odds):
    scanner = make_scanner(log_odds, motifs[1])
    codes = np.zeros((2, 30), np.uint8)
    for arguments in ((codes, 31, 0, 0, 1), (codes, -1, 0, 0, 1), (codes, 30, -1, 0, 1), (codes, 30, 0, 0, 0)):
        with pytest.raises(InvalidArgumentError):
            scanner.scan(*arguments)
    with pytest.raises(InvalidArgumentError, match="codes must be 0-4; got 9"):
        scanner.scan(codes + 9, 30, 0, 0, 1)
    with pytest.raises(TypeError):
        scanner.scan(codes[0], 30, 0, 0, 1)
    with pytest.raises(InvalidArgumentError):
        scanner.finish(1, 3, 1)
    with pytest.raises(RuntimeError, match="initialised once"):
        scanner.__init__(log_odds, None, motifs[1], UNIFORM, 0.1, 1)
    raw = _native.Scanner.__new__(_native.Scanner)
    for call in (lambda: raw.hits(), lambda: raw.finish(0, 1, 1), lambda: raw.scan(codes, 30, 0, 0, 1)):
        with pytest.raises(RuntimeError, match="never initialised"):
            call()


def test_inputs_unchanged_and_nothing_kept(motifs, log_odds):
    codes = np.random.default_rng(1).integers(0, 5, (50, 40), dtype=np.uint8)
    inputs = [*motifs, log_odds, codes, UNIFORM]
    copies = [array.copy() for array in inputs]
    for array in inputs:
        array.flags.writeable = False
    try:
        counts = [sys.getrefcount(array) for array in inputs]
        for _ in range(20):
            compare(motifs, motifs)
            scanner = make_scanner(log_odds, motifs[1], reverse=log_odds)
            scanner.scan(codes, 40, 0, 0, 2)
            scanner.finish(0, 3, 2)
            scanner.hits()
            with pytest.raises(InvalidArgumentError):
                compare(motifs, motifs, threads=0)
        del scanner
        gc.collect()
        assert [sys.getrefcount(array) for array in inputs] == counts
    finally:
        for array in inputs:
            array.flags.writeable = True
    assert all(np.array_equal(array, copy) for array, copy in zip(inputs, copies, strict=True))


def test_calls_on_one_scanner_wait_for_each_other(motifs, log_odds):
    codes = np.random.default_rng(2).integers(0, 4, (200, 100), dtype=np.uint8)
    scanner = make_scanner(log_odds, motifs[1])
    threads = [threading.Thread(target=scanner.scan, args=(codes, 100, 200 * i, 0, 2)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scanner.finish(0, 3, 2)
    found, sequences = scanner.hits()[:2]
    alone = make_scanner(log_odds, motifs[1])
    alone.scan(codes, 100, 0, 0, 1)
    alone.finish(0, 3, 1)
    once = alone.hits()
    assert len(found) == 6 * len(once[0]) > 0
    assert (np.bincount(sequences // 200) == len(once[0])).all()
