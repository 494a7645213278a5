"""Class optimisation: against a float64 twin and PyTorch's RMSProp, its options, and its errors."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
import views_reference as reference
from views_reference import make_model, scores_of

import deepmotif as dm

L = 14
KINDS = ["cnn", "rnn", "cnn-rnn"]


@pytest.fixture(scope="module")
def rnn():
    return make_model("rnn", L)


def starts_of(model, **options):
    """The drawn starts: one step of a vanishing learning rate moves them by less than a rounding."""
    return dm.class_optimization(model, steps=1, learning_rate=1e-30, **options).inputs


class TestAscent:
    @pytest.mark.parametrize("output", ["log_probability", "score"])
    def test_steps_equal_the_twin(self, output):
        """A step divides the gradient by its root mean square, so a relative error passes into steps of up to 10
        learning rates: gradients are exact to 1e-5 of the largest element, the smallest are a hundred times smaller."""
        for kind in ("rnn", "cnn-rnn"):
            model = make_model(kind, L)

            def value(letters, kind=kind, model=model):
                scores = scores_of(kind)(model.weights_, letters)
                return (reference.log_softmax(scores) if output == "log_probability" else scores)[:, 1]

            start = starts_of(model, restarts=2, random_state=3)
            x, objective = reference.rmsprop_ascent(value, start, 6, 0.009, 0.05, 0.99, 1e-8)
            result = dm.class_optimization(model, steps=6, restarts=2, random_state=3, output=output)
            assert np.abs(result.inputs - x).max() <= 2e-3
            assert np.abs(result.objective - objective).max() <= 2e-4

    def test_against_torch_rmsprop(self, rnn):
        """The optimizer alone: with a huge penalty the gradient is that of lambda ||X||^2 to within 1e-6."""
        torch = pytest.importorskip("torch")
        start = starts_of(rnn, random_state=1)
        x = torch.from_numpy(start.copy()).requires_grad_()
        optimizer = torch.optim.RMSprop([x], lr=0.05, alpha=0.99, eps=1e-8)
        for _ in range(10):
            optimizer.zero_grad()
            (1e6 * (x**2).sum()).backward()
            optimizer.step()
        result = dm.class_optimization(rnn, steps=10, l2=1e6, random_state=1)
        # Ten steps of half a unit at most, each rounded, and each off by the 1e-6 of the score's own gradient.
        assert np.abs(result.inputs - x.detach().numpy()).max() <= 1e-4

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("parametrization", ["clamp", "softmax"])
    def test_climbs(self, kind, parametrization):
        result = dm.class_optimization(
            make_model(kind, L), restarts=3, steps=300, learning_rate=0.01, parametrization=parametrization
        )
        assert (result.objective[:, -1] > result.objective[:, 0]).all()

    def test_results_belong_together(self, rnn):
        result = dm.class_optimization(rnn, restarts=4, steps=40)
        for array in (result.inputs, result.pwm, result.scores, result.objective):
            assert array.dtype == np.float32
        assert result.inputs.shape == result.pwm.shape == (4, L, 4)
        assert result.objective.shape == (4, 40)
        np.testing.assert_array_equal(result.scores, rnn.scores(result.inputs)[:, 1])
        assert result.best == result.objective[:, -1].argmax()
        clamped = result.inputs.clip(0, 1)
        expected = clamped / clamped.max(axis=(1, 2), keepdims=True) + 0.01
        expected /= expected.sum(-1, keepdims=True)
        # A dozen float32 roundings of numbers of at most 4.
        np.testing.assert_allclose(result.pwm, expected, rtol=0, atol=1e-6)

    def test_objective_is_before_each_update(self, rnn):
        result = dm.class_optimization(rnn, steps=3, random_state=2)
        start = starts_of(rnn, random_state=2).astype(np.float64)
        first = reference.log_softmax(reference.recurrent_scores(rnn.weights_, start))[:, 1] - 0.009 * (start**2).sum()
        # Rounding of the objective, of order one, to float32.
        np.testing.assert_allclose(result.objective[:, 0], first, rtol=0, atol=1e-5)

    def test_length(self):
        model = make_model("cnn", L)
        assert dm.class_optimization(model, steps=1).inputs.shape == (1, L, 4)
        assert dm.class_optimization(model, steps=1, length=25).inputs.shape == (1, 25, 4)


class TestReproducibility:
    def test_seed(self, rnn):
        one = dm.class_optimization(rnn, steps=20, random_state=7)
        two = dm.class_optimization(rnn, steps=20, random_state=7)
        other = dm.class_optimization(rnn, steps=20, random_state=8)
        assert one.inputs.tobytes() == two.inputs.tobytes()
        assert one.inputs.tobytes() != other.inputs.tobytes()

    def test_generators_advance(self, rnn):
        generator = np.random.default_rng(0)
        one = dm.class_optimization(rnn, steps=1, random_state=generator)
        two = dm.class_optimization(rnn, steps=1, random_state=generator)
        assert one.inputs.tobytes() != two.inputs.tobytes()

    def test_a_restart_does_not_depend_on_the_others(self, rnn):
        few = dm.class_optimization(rnn, steps=20, restarts=2)
        many = dm.class_optimization(rnn, steps=20, restarts=5)
        np.testing.assert_array_equal(few.inputs, many.inputs[:2])

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_thread_or_two(self, kind):
        one, two = (
            dm.class_optimization(make_model(kind, L).set_params(n_threads=n), steps=20, restarts=5) for n in (1, 2)
        )
        assert one.inputs.tobytes() == two.inputs.tobytes()
        assert one.objective.tobytes() == two.objective.tobytes()

    def test_model_is_unchanged(self, rnn):
        before = rnn._engine.get_parameters().tobytes()
        dm.class_optimization(rnn, steps=20)
        assert rnn._engine.get_parameters().tobytes() == before


class TestOptions:
    def test_softmax_keeps_distributions(self, rnn):
        result = dm.class_optimization(rnn, steps=100, restarts=2, parametrization="softmax")
        np.testing.assert_allclose(result.inputs.sum(-1), 1, rtol=0, atol=1e-6)
        assert (result.inputs >= 0).all()
        np.testing.assert_array_equal(result.pwm, result.inputs)

    def test_softmax_starts_from_random_sequences(self, rnn):
        start = starts_of(rnn, restarts=3, parametrization="softmax", search_steps=0)
        np.testing.assert_allclose(start.max(axis=-1), 1.01 / 1.04, rtol=1e-6)
        letters = starts_of(rnn, restarts=3).argmax(axis=-1)
        np.testing.assert_array_equal(start.argmax(axis=-1), letters)

    def test_softmax_starts_from_a_search(self, rnn):
        search = dm.class_optimization(rnn, steps=40, restarts=3, output="score", l2=1.0)
        start = starts_of(rnn, restarts=3, parametrization="softmax", search_steps=40)
        np.testing.assert_array_equal(start.argmax(axis=-1), search.inputs.argmax(axis=-1))

    @pytest.mark.parametrize("parametrization", ["clamp", "softmax"])
    def test_start_and_fixed(self, rnn, parametrization):
        sequence = "ACGTACGTACGTAC"
        fixed = [0, 5, 13]
        result = dm.class_optimization(rnn, start=sequence, fixed=fixed, steps=30, parametrization=parametrization)
        letters = dm.one_hot(sequence)
        np.testing.assert_array_equal(result.inputs[:, fixed], letters[:, fixed])
        free = np.setdiff1d(np.arange(L), fixed)
        assert (result.inputs[:, free] != letters[:, free]).all()

    def test_fixed_as_a_mask(self, rnn):
        mask = np.zeros(L, dtype=bool)
        mask[[1, 4]] = True
        by_mask = dm.class_optimization(rnn, start="A" * L, fixed=mask, steps=10)
        by_list = dm.class_optimization(rnn, start="A" * L, fixed=[1, 4], steps=10)
        np.testing.assert_array_equal(by_mask.inputs, by_list.inputs)

    def test_forms_of_start(self, rnn):
        sequence = "ACGTACGTACGTAC"
        codes = dm.encode(sequence)
        results = [
            dm.class_optimization(rnn, start=start, steps=5).inputs
            for start in (sequence, [sequence], codes, codes[0], dm.one_hot(codes), dm.one_hot(codes)[0])
        ]
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])

    def test_several_starts(self, rnn):
        both = dm.class_optimization(rnn, start=["A" * L, "C" * L], steps=5)
        assert both.inputs.shape == (2, L, 4)
        alone = dm.class_optimization(rnn, start="C" * L, steps=5)
        np.testing.assert_array_equal(both.inputs[1], alone.inputs[0])

    def test_start_is_not_written_to(self, rnn):
        start = np.full((1, L, 4), 0.25, np.float32)
        dm.class_optimization(rnn, start=start, steps=5)
        assert (start == 0.25).all()

    def test_softmax_start_is_softened(self, rnn):
        result = dm.class_optimization(rnn, start="A" * L, steps=1, learning_rate=1e-30, parametrization="softmax")
        np.testing.assert_allclose(result.inputs[0, :, 0], 1.01 / 1.04, rtol=1e-6)
        result = dm.class_optimization(rnn, start="N" * L, steps=1, learning_rate=1e-30, parametrization="softmax")
        np.testing.assert_allclose(result.inputs, 0.25, rtol=1e-6)

    def test_target_label(self):
        model = make_model("rnn", L, classes=("bound", "free"))
        result = dm.class_optimization(model, "bound", steps=200)
        assert result.target == "bound"
        assert model.predict_proba(result.inputs)[0, 0] > 0.5

    def test_result_pickles_and_prints(self, rnn):
        result = dm.class_optimization(rnn, steps=5, restarts=3)
        copy = pickle.loads(pickle.dumps(result))
        np.testing.assert_array_equal(copy.inputs, result.inputs)
        assert "3 restarts of length 14, 5 steps" in repr(result)


class TestErrors:
    def test_not_fitted(self):
        with pytest.raises(dm.NotFittedError, match="fit"):
            dm.class_optimization(dm.CNN())

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"target": 2}, "target"),
            ({"target": -1}, "target"),
            ({"steps": 0}, "steps"),
            ({"steps": 1.5}, "steps"),
            ({"restarts": 0}, "restarts"),
            ({"length": 0}, "length"),
            ({"search_steps": -1}, "search_steps"),
            ({"l2": -1}, "l2"),
            ({"l2": float("nan")}, "l2"),
            ({"learning_rate": 0}, "learning_rate"),
            ({"alpha": 1}, "alpha"),
            ({"epsilon": 0}, "epsilon"),
            ({"output": "probability"}, "output"),
            ({"parametrization": "sigmoid"}, "parametrization"),
            ({"random_state": "x"}, "random_state"),
            ({"start": "ACGT", "length": 5}, "length"),
            ({"start": ["A" * L] * 2, "restarts": 3}, "restarts"),
            ({"start": ["A" * L], "fixed": [L]}, "fixed"),
            ({"start": ["A" * L], "fixed": [-1]}, "fixed"),
            ({"start": ["A" * L], "fixed": [0.5]}, "fixed"),
            ({"start": ["A" * L], "fixed": [True]}, "fixed"),
            ({"fixed": [0]}, "start"),
            ({"start": np.full((1, L, 4), -1.0, np.float32), "parametrization": "softmax"}, "negative"),
            ({"start": np.empty((0, L), np.uint8)}, "start"),
            ({"start": ["ACGP"]}, "start"),
            ({"learning_rate": 1e30, "output": "score", "steps": 100}, "learning_rate"),
        ],
    )
    def test_argument(self, rnn, options, word):
        with pytest.raises(dm.DeepMotifError, match=word):
            dm.class_optimization(rnn, **options)

    def test_too_short(self):
        with pytest.raises(dm.ShapeError):
            dm.class_optimization(make_model("cnn", L), length=4)


def test_interrupt_is_answered(rnn):
    """Ctrl-C half a second into minutes of steps; blocks last a quarter of a second, the rest is for a busy machine."""
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        dm.class_optimization(rnn, length=400, restarts=50, steps=1_000_000)
    assert time.perf_counter() - begun < 3
