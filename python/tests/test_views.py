"""Saliency, input gradients and temporal scores: against float64 twins, their axioms, and their errors."""

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

L = 30

# A float32 pass rounds about 100 times one after the other (30 positions of an LSTM, a few operations each), and so
# does the way back; the unit roundoff is 6e-8. This is also the bar of the project for gradients.
GRADIENT_TOLERANCE = 1e-5
# The bar of the project for probabilities.
PROBABILITY_TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=["cnn", "rnn", "deep rnn", "cnn-rnn"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return make_model(kind, L)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(2).integers(0, 5, (6, L)).astype(np.uint8)


@pytest.fixture(scope="module")
def soft():
    return np.random.default_rng(3).normal(size=(6, L, 4)).astype(np.float32)


def largest_error(actual, expected):
    return np.abs(actual - expected).max() / np.abs(expected).max()


class TestInputGradients:
    @pytest.mark.parametrize("target", [0, 1])
    def test_score_gradient(self, kind, model, codes, soft, target):
        for X in (codes, soft):
            expected = reference.central_gradient(
                lambda letters: scores_of(kind)(model.weights_, letters)[:, target], dm.one_hot(X)
            )
            actual = dm.input_gradients(model, X, target=target)
            assert actual.dtype == np.float32
            assert actual.shape == (6, L, 4)
            assert largest_error(actual, expected) <= GRADIENT_TOLERANCE

    def test_log_probability_gradient(self, kind, model, codes):
        expected = reference.central_gradient(
            lambda letters: reference.log_softmax(scores_of(kind)(model.weights_, letters))[:, 1], dm.one_hot(codes)
        )
        actual = dm.input_gradients(model, codes, output="log_probability")
        assert largest_error(actual, expected) <= GRADIENT_TOLERANCE

    def test_default_target_is_the_positive_class(self, model, codes):
        np.testing.assert_array_equal(dm.input_gradients(model, codes), dm.input_gradients(model, codes, 1))

    def test_centered_sums_to_zero(self, model, codes):
        plain = dm.input_gradients(model, codes)
        centered = dm.input_gradients(model, codes, centered=True)
        # Four roundings of numbers no larger than the largest.
        bound = 8 * np.finfo(np.float32).eps * np.abs(plain).max()
        assert np.abs(centered.sum(-1)).max() <= bound
        assert np.abs(centered - (plain - plain.mean(-1, keepdims=True))).max() <= bound

    def test_codes_are_one_hot_letters(self, model, codes):
        from_letters = dm.input_gradients(model, dm.one_hot(codes))
        assert largest_error(dm.input_gradients(model, codes), from_letters) <= GRADIENT_TOLERANCE

    def test_against_torch(self, kind, model, soft):
        if kind != "rnn":
            pytest.skip("the twins that need no PyTorch cover the rest")
        torch = pytest.importorskip("torch")
        weights = {name: torch.from_numpy(value) for name, value in model.weights_.items()}
        lstm = torch.nn.LSTM(4, 6, batch_first=True, bidirectional=True)
        state = {f"bias_hh_l0{suffix}": torch.zeros(24) for suffix in ("", "_reverse")}
        for suffix in ("", "_reverse"):
            state[f"weight_ih_l0{suffix}"] = weights[f"lstm_0.weight_ih{suffix}"]
            state[f"weight_hh_l0{suffix}"] = weights[f"lstm_0.weight_hh{suffix}"]
            state[f"bias_ih_l0{suffix}"] = weights[f"lstm_0.bias{suffix}"]
        lstm.load_state_dict(state)
        x = torch.from_numpy(soft.copy()).requires_grad_()
        scores = lstm(x)[0].mean(1) @ weights["dense_0.weight"].T + weights["dense_0.bias"]
        scores[:, 1].sum().backward()
        assert largest_error(dm.input_gradients(model, soft), x.grad.numpy()) <= GRADIENT_TOLERANCE


class TestSaliency:
    def test_is_gradient_times_input(self, model, codes, soft):
        for X in (codes, soft):
            for centered in (False, True):
                products = dm.input_gradients(model, X, centered=centered) * dm.one_hot(X)
                signed = dm.saliency(model, X, signed=True, centered=centered)
                assert signed.dtype == np.float32
                bound = 4 * np.finfo(np.float32).eps * np.abs(products).max()
                assert np.abs(signed - products.sum(-1)).max() <= bound
                np.testing.assert_array_equal(dm.saliency(model, X, centered=centered), np.abs(signed))

    def test_unknown_letters_get_zero(self, model, codes):
        assert (codes == 4).any()
        assert not dm.saliency(model, codes)[codes == 4].any()

    def test_strings_and_codes_agree(self, model, codes):
        np.testing.assert_array_equal(dm.saliency(model, dm.decode(codes)), dm.saliency(model, codes))

    def test_log_probability_shrinks_with_certainty(self, codes):
        """The gradient of log p is (1 - p) times that of the difference of the scores."""
        model = make_model("rnn", L)
        difference = dm.input_gradients(model, codes, 1) - dm.input_gradients(model, codes, 0)
        expected = (1 - model.predict_proba(codes)[:, 1])[:, None, None] * difference
        actual = dm.input_gradients(model, codes, output="log_probability")
        assert largest_error(actual, expected) <= GRADIENT_TOLERANCE

    def test_one_thread_or_two(self, kind, codes):
        one, two = make_model(kind, L).set_params(n_threads=1), make_model(kind, L).set_params(n_threads=2)
        X = np.tile(codes, (50, 1))
        assert dm.saliency(one, X).tobytes() == dm.saliency(two, X).tobytes()

    def test_any_cut_into_blocks(self, model, codes):
        X = np.tile(codes, (50, 1))
        whole = dm.saliency(model, X)
        np.testing.assert_array_equal(dm.saliency(model, X[101:102]), whole[101:102])
        np.testing.assert_array_equal(dm.saliency(model, X[37:]), whole[37:])

    def test_empty(self, model):
        assert dm.saliency(model, np.empty((0, L), np.uint8)).shape == (0, L)
        assert dm.input_gradients(model, np.empty((0, L), np.uint8)).shape == (0, L, 4)

    def test_mapped_codes(self, model, codes, tmp_path):
        np.save(tmp_path / "codes.npy", codes)
        mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
        np.testing.assert_array_equal(dm.saliency(model, mapped), dm.saliency(model, codes))

    def test_progress_is_asked_for(self, model, codes, monkeypatch):
        bars = []

        class Bar:
            n = 0
            unit = ""
            closed = False

            def update(self, count):
                self.n += count

            def close(self):
                self.closed = True

        def draw(progress, total, label):
            bars.append((progress, total, label, Bar()))
            return bars[-1][-1] if progress else None

        monkeypatch.setattr("deepmotif._views.training_progress_bar", draw)
        dm.saliency(model, codes, progress=True)
        dm.saliency(model, codes, progress=False)
        dm.class_optimization(model, steps=7, progress=True)
        assert [entry[:3] for entry in bars] == [
            (True, 6, "saliency"), (False, 6, "saliency"), (True, 7, "class optimisation"),
        ]  # fmt: skip
        for _, total, _, bar in (bars[0], bars[2]):
            assert bar.n == total
            assert bar.closed
        assert (bars[0][-1].unit, bars[2][-1].unit) == ("seq", "step")


class TestTemporalScores:
    @pytest.mark.parametrize("kind", ["rnn", "deep rnn"])
    def test_equals_the_model_on_every_cut(self, kind, codes, soft):
        recurrent = make_model(kind, L)
        for X in (codes, soft):
            forward, backward = dm.temporal_scores(recurrent, X)
            assert forward.dtype == backward.dtype == np.float32
            assert forward.shape == backward.shape == (6, L)
            for i in range(L):
                prefix = recurrent.predict_proba(X[:, : i + 1])[:, 1]
                suffix = recurrent.predict_proba(X[:, i:])[:, 1]
                assert np.abs(forward[:, i] - prefix).max() <= PROBABILITY_TOLERANCE
                assert np.abs(backward[:, i] - suffix).max() <= PROBABILITY_TOLERANCE

    def test_convolution_runs_once_on_the_whole_sequence(self, codes):
        model = make_model("cnn-rnn", L)
        features = reference.cnn_rnn_features(model.weights_, dm.one_hot(codes))
        forward, backward = dm.temporal_scores(model, codes, target=0)
        for i in range(L):
            for actual, cut in ((forward, features[:, : i + 1]), (backward, features[:, i:])):
                expected = reference.softmax(reference.recurrent_scores(model.weights_, cut))[:, 0]
                assert np.abs(actual[:, i] - expected).max() <= PROBABILITY_TOLERANCE

    def test_ends_meet(self, codes):
        for kind in ("rnn", "deep rnn", "cnn-rnn"):
            model = make_model(kind, L)
            scores = dm.temporal_scores(model, codes)
            whole = model.predict_proba(codes)[:, 1]
            np.testing.assert_allclose(scores.probability, whole, rtol=0, atol=PROBABILITY_TOLERANCE)
            np.testing.assert_allclose(scores.backward[:, 0], whole, rtol=0, atol=PROBABILITY_TOLERANCE)

    def test_classes_sum_to_one(self, codes):
        model = make_model("rnn", L)
        both = [dm.temporal_scores(model, codes, target) for target in (0, 1)]
        np.testing.assert_allclose(both[0].forward + both[1].forward, 1, rtol=0, atol=PROBABILITY_TOLERANCE)

    def test_one_thread_or_two(self, codes):
        X = np.tile(codes, (20, 1))
        for kind in ("rnn", "cnn-rnn"):
            one, two = make_model(kind, L).set_params(n_threads=1), make_model(kind, L).set_params(n_threads=2)
            assert dm.temporal_scores(one, X).forward.tobytes() == dm.temporal_scores(two, X).forward.tobytes()
            assert dm.temporal_scores(one, X).backward.tobytes() == dm.temporal_scores(two, X).backward.tobytes()

    def test_result_unpacks_and_pickles(self, codes):
        model = make_model("rnn", L, classes=("bound", "free"))
        scores = dm.temporal_scores(model, codes, target="bound")
        assert scores.target == "bound"
        copy = pickle.loads(pickle.dumps(scores))
        assert copy.target == "bound"
        np.testing.assert_array_equal(copy.forward, scores.forward)

    def test_needs_an_lstm(self, codes):
        with pytest.raises(dm.InvalidArgumentError, match="LSTM"):
            dm.temporal_scores(make_model("cnn", L), codes)

    def test_empty(self):
        forward, backward = dm.temporal_scores(make_model("rnn", L), np.empty((0, L), np.uint8))
        assert forward.shape == backward.shape == (0, L)


VIEWS = {
    "saliency": dm.saliency,
    "input_gradients": dm.input_gradients,
    "temporal_scores": dm.temporal_scores,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
class TestErrors:
    def test_not_fitted(self, view, codes):
        with pytest.raises(dm.NotFittedError, match="fit"):
            view(dm.RNN(), codes)

    @pytest.mark.parametrize("target", [2, -1, "bound", 0.5])
    def test_target_out_of_range(self, view, codes, target):
        with pytest.raises(dm.InvalidArgumentError, match="target"):
            view(make_model("rnn", L), codes, target)

    def test_more_than_two_classes_need_a_target(self, view, codes):
        model = make_model("rnn", L, classes=(0, 1, 2))
        with pytest.raises(dm.InvalidArgumentError, match="target"):
            view(model, codes)
        view(model, codes, 2)

    def test_no_model(self, view, codes):
        with pytest.raises(dm.InvalidArgumentError, match="m must be"):
            view("model", codes)

    @pytest.mark.parametrize("X", [np.zeros((2, L), np.int64) + 7, np.full((2, L, 4), np.nan), ["ACGP"], None])
    def test_bad_sequences(self, view, X):
        with pytest.raises((dm.DeepMotifError, TypeError)):
            view(make_model("rnn", L), X)

    def test_progress_is_a_flag(self, view, codes):
        with pytest.raises(dm.InvalidArgumentError, match="progress"):
            view(make_model("rnn", L), codes, progress="yes")


class TestOptions:
    def test_output(self, codes):
        for view in (dm.saliency, dm.input_gradients):
            with pytest.raises(dm.InvalidArgumentError, match="log_probability"):
                view(make_model("rnn", L), codes, output="probability")

    @pytest.mark.parametrize("name", ["signed", "centered"])
    def test_flags(self, codes, name):
        with pytest.raises(dm.InvalidArgumentError, match=name):
            dm.saliency(make_model("rnn", L), codes, **{name: 2})

    def test_too_short(self):
        model = make_model("cnn", L)
        with pytest.raises(dm.ShapeError, match=str(model._engine.minimum_length)):
            dm.saliency(model, ["ACGTAC"])


@pytest.mark.parametrize("view", [dm.saliency, dm.temporal_scores], ids=["saliency", "temporal_scores"])
def test_interrupt_is_answered(view):
    """Ctrl-C half a second into much work; blocks last a quarter of a second, the rest is for a loaded machine."""
    model = make_model("rnn", L)
    X = np.zeros((60_000, 400), np.uint8)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        view(model, X)
    assert time.perf_counter() - begun < 3
