"""The extension module: what it refuses, that it changes no input, leaks nothing and stands concurrent calls."""

import gc
import sys
import threading

import numpy as np
import pytest

from deepmotif import _native
from deepmotif.exceptions import InvalidArgumentError, ShapeError

SMALL = [
    {"kind": _native.LAYER_CONV1D, "units": 6, "width": 5},
    {"kind": _native.LAYER_RELU},
    {"kind": _native.LAYER_GLOBAL_MAX_POOL1D},
    {"kind": _native.LAYER_DENSE, "units": 2},
]


@pytest.fixture
def model():
    return _native.Model(SMALL, 20, 1)


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 5, (7, 20), dtype=np.uint8)


def make_trainer(model, **changes):
    options = {"output": _native.OUTPUT_SOFTMAX, "optimizer": _native.OPTIMIZER_ADAM, "learning_rate": 0.01}
    options |= {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "gradient_clip": 5.0, "seed": 3}
    return _native.Trainer(model, **(options | changes))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda c: c.tolist(), "X must be a uint8 array"),
        (lambda c: c.astype(np.int64), "X must be a native uint8 array"),
        (lambda c: c[:, ::2], "C-contiguous"),
        (lambda c: np.asfortranarray(c), "C-contiguous"),
        (lambda c: c[0], "2 dimensions"),
        (lambda c: np.zeros((3, 20, 4)), "X must be a native float32 array"),
        (lambda c: np.zeros((3, 20, 4), dtype=">f4"), "X must be a native float32 array"),
        (lambda c: np.zeros((3, 20, 5), dtype=np.float32), "must be \\(N, L, 4\\)"),
        (lambda c: np.zeros((3, 4, 20), dtype=np.float32), "must be \\(N, L, 4\\)"),
        (lambda c: np.zeros((1, 1, 1, 1, 1), dtype=np.uint8), "2 dimensions"),
        (lambda c: None, "X must be"),
    ],
)
def test_arrays_that_would_need_converting_are_refused(model, codes, wrong, words):
    with pytest.raises(TypeError, match=words):
        model.scores(wrong(codes), 1)


def test_an_unaligned_array_is_refused(model):
    raw = np.zeros(3 * 20 * 4 * 4 + 1, dtype=np.uint8)
    letters = np.frombuffer(raw[1:].data, dtype=np.float32).reshape(3, 20, 4)
    if letters.flags.aligned:
        pytest.skip("the allocator gave an odd address")
    with pytest.raises(TypeError, match="aligned"):
        model.scores(letters, 1)


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        ([{"kind": 99}], InvalidArgumentError, "kind"),
        ([{"kind": _native.LAYER_DENSE}], InvalidArgumentError, "units"),
        ([{"kind": _native.LAYER_DENSE, "unit": 3}], TypeError, "'unit'"),
        ([{"kind": "dense"}], TypeError, "int"),
        ([{"kind": 2**40}], OverflowError, "kind"),
        ([{"kind": _native.LAYER_DROPOUT, "rate": float("nan")}], InvalidArgumentError, "rate"),
        ([3], TypeError, "dict"),
        ([], InvalidArgumentError, "layer_count"),
    ],
)
def test_layers_that_make_no_sense(layers, error, words):
    with pytest.raises(error, match=words):
        _native.Model(layers, 20, 1)


def test_an_object_without_init_is_an_error_and_no_crash(codes):
    empty = _native.Model.__new__(_native.Model)
    for use in (lambda: empty.scores(codes, 1), lambda: empty.layer_names, lambda: make_trainer(empty)):
        with pytest.raises(RuntimeError, match="never initialised"):
            use()
    with pytest.raises(RuntimeError, match="never initialised"):
        _native.Trainer.__new__(_native.Trainer).get_state()


def test_init_twice_is_an_error(model):
    with pytest.raises(RuntimeError, match="once"):
        model.__init__(SMALL, 20, 1)


def test_engine_errors_arrive_as_their_classes(model, codes):
    with pytest.raises(InvalidArgumentError, match="threads"):
        model.scores(codes, 0)
    with pytest.raises(ShapeError, match="5"):
        model.scores(codes[:, :4].copy(), 1)
    with pytest.raises(InvalidArgumentError, match="layer"):
        model.activations(codes, 4, 1)
    with pytest.raises(ShapeError, match="count"):
        model.set_parameters(np.zeros(3, dtype=np.float32))


def test_inputs_are_unchanged_and_may_be_read_only(model, codes):
    labels = (codes[:, 3] > 1).astype(np.int32)
    rows = np.arange(7)
    for array in (codes, labels, rows):
        array.setflags(write=False)
    before = codes.copy()
    make_trainer(model).run(codes, labels, rows, 3, None, 1)
    model.scores(codes, 1)
    assert np.array_equal(codes, before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": np.array([0, 7])}, "rows"),
        ({"rows": np.array([-1])}, "rows"),
        ({"rows": np.empty(0, dtype=np.int64)}, "rows"),
        ({"batch_size": 0}, "batch_size"),
        ({"targets": np.full(7, 2, dtype=np.int32)}, "label"),
        ({"targets": np.full(7, -1, dtype=np.int32)}, "label"),
        ({"weights": np.array([1, np.nan], dtype=np.float32)}, "weight"),
        ({"threads": -1}, "threads"),
    ],
)
def test_training_arguments_out_of_range(model, codes, changes, words):
    arguments = {
        "X": codes, "targets": np.array([0, 1, 0, 1, 0, 1, 0], dtype=np.int32), "rows": np.arange(7), "batch_size": 4,
        "weights": None, "threads": 1,
    }  # fmt: skip
    before = model.get_parameters()
    with pytest.raises(InvalidArgumentError, match=words):
        make_trainer(model).run(**(arguments | changes))
    assert np.array_equal(model.get_parameters(), before)


def test_the_trainer_keeps_its_model_alive(codes):
    model = _native.Model(SMALL, 20, 1)
    trainer = make_trainer(model)
    del model
    gc.collect()
    loss, weight, scores = trainer.run(codes, np.zeros(7, dtype=np.int32), np.arange(7), 7, None, 1)
    assert np.isfinite(loss)
    assert weight == 7
    assert scores.shape == (7, 2)


def test_trainer_state_resumes_to_the_same_bytes(codes):
    labels = np.array([0, 1, 0, 1, 0, 1, 0], dtype=np.int32)
    rows = np.arange(7)
    straight = _native.Model(SMALL, 20, 1)
    trainer = make_trainer(straight)
    trainer.run(codes, labels, rows, 4, None, 1)
    parameters, state = straight.get_parameters(), trainer.get_state()
    trainer.run(codes, labels, rows, 4, None, 1)

    resumed = _native.Model(SMALL, 20, 9)
    resumed.set_parameters(parameters)
    second = make_trainer(resumed)
    second.set_state(state)
    second.run(codes, labels, rows, 4, None, 1)
    assert resumed.get_parameters().tobytes() == straight.get_parameters().tobytes()


def test_calls_leak_no_references(model, codes):
    labels = np.array([0, 1, 0, 1, 0, 1, 0], dtype=np.int32)
    trainer = make_trainer(model)
    rows = np.arange(7)

    def use():
        model.scores(codes, 1)
        model.activations(codes, 0, 1)
        trainer.run(codes, labels, rows, 4, None, 1)
        trainer.gradient(codes, labels, None, 1)
        for wrong in (codes.astype(np.int32), codes[:, :3].copy()):
            with pytest.raises((TypeError, ValueError)):
                model.scores(wrong, 1)

    use()
    watched = (codes, labels, rows, model, trainer)
    before = [sys.getrefcount(item) for item in watched]
    for _ in range(20):
        use()
    gc.collect()
    assert [sys.getrefcount(item) for item in watched] == before


def test_handles_give_their_memory_back():
    """100 models of 4 MB each would take 400 MB; a quarter of one model per round is allowed for the allocator."""
    wide = [{"kind": _native.LAYER_DENSE, "units": 250_000}]

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    for _ in range(3):
        _native.Model(wide, 1, 1)
    before = resident()
    for _ in range(100):
        _native.Model(wide, 1, 1)
    assert resident() - before < 100 * 1e6


def test_concurrent_calls_on_one_object_wait_for_each_other(codes):
    model = _native.Model(SMALL, 20, 1)
    X = np.tile(codes, (300, 1))
    expected = model.scores(X, 1)
    wrong = []

    def work():
        for _ in range(10):
            if not np.array_equal(model.scores(X, 2), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_level_agrees_within_rounding(codes):
    """Levels sum in different orders: 20 products of a window and 6 of the dense layer, all below 1, in float32."""
    level = _native.isa_level()
    try:
        scores = []
        for each in range(_native.isa_supported() + 1):
            _native.set_isa_level(each)
            scores.append(_native.Model(SMALL, 20, 1).scores(codes, 1))
        for other in scores[1:]:
            np.testing.assert_allclose(other, scores[0], rtol=0, atol=26 * np.finfo(np.float32).eps)
        with pytest.raises(InvalidArgumentError, match="level"):
            _native.set_isa_level(_native.isa_supported() + 1)
    finally:
        _native.set_isa_level(level)
