"""DeepResolve: every formula against a NumPy twin, the XOR network whose optima are known, folders, and errors."""

import builtins

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import _importance as formulas
from deepmotif.layers import Conv1D, Dense, Dropout, Flatten, GlobalMaxPool1D, MaxPool1D, ReLU

pytest.importorskip("sklearn")

L2 = 0.5


def xor_network(bias=-0.5):
    """Scores (x - y)+ and (y - x)+ of two channels, three times as steep and summed; two letters are the channels."""
    layers = [Conv1D(2, 1), GlobalMaxPool1D(), Dense(2), ReLU(), Dense(2)]
    weights = {
        "conv1d_0.weight": np.eye(2, 4)[:, :, None],
        "conv1d_0.bias": np.zeros(2),
        "dense_0.weight": [[3, -3], [-3, 3]],
        "dense_0.bias": [bias, bias],
        "dense_1.weight": [[0, 0], [1, 1]],
        "dense_1.bias": [0, 0],
    }
    return dm.Network._from_layers(layers, "softmax", 5, 2, weights)


@pytest.fixture(scope="module")
def model():
    """A small network with positions in front of its dense layers."""
    layers = [Conv1D(6, 5), ReLU(), MaxPool1D(4), Flatten(), Dense(8), ReLU(), Dropout(0.3), Dense(3)]
    network = dm.Network(layers, random_state=4).build(28, 3)
    return network.set_weights({name: 3 * value for name, value in network.weights_.items()})


@pytest.fixture(scope="module")
def result(model):
    return dm.deepresolve(model, target=1, restarts=12, l2=L2)


# ---- The known network ----


def test_xor_basins_and_dead_starts():
    r = dm.deepresolve(xor_network(), restarts=40, l2=L2, random_state=3)
    vectors = r.fiv
    # It stops where a step gains less than the rounding of the score, 2e-6 of 17.5: within 0.05 of the optimum.
    # S = 3 (x - y) - 0.5 on its side: the optimum of the slope (3, -3) is (3, -3) / (2 l2).
    first, second = np.abs(vectors - [3, -3]).max(1) < 0.05, np.abs(vectors - [-3, 3]).max(1) < 0.05
    assert first.any()
    assert second.any()
    assert (first | second | r.dead).all()
    start = dm._native.random_normal(3, 40, 2)
    # Dead are the starts within the strip 3 |x - y| < 0.5, where the penalty pulls straight to zero.
    expected = 3 * np.abs(start[:, 0] - start[:, 1]) < 0.5
    assert expected.any()
    assert (r.dead == expected).all()
    assert (np.abs(vectors[r.dead]) < 0.05).all()
    assert (r.weights[r.dead] == 0).all()
    assert (r.weights[~r.dead] > 0).all()
    np.testing.assert_allclose(r.scores[~r.dead], 3 * 6 - 0.5, atol=0.1)
    assert r.converged[~r.dead].all()


def test_xor_pair_takes_opposite_signs():
    r = dm.deepresolve(xor_network(), restarts=40, l2=L2, random_state=3)
    pairs = dm.channel_interactions(r, channels=[0, 1])
    assert pairs.pairs.tolist() == [[0, 1]]
    assert pairs.opposite[0] == 1
    assert pairs.both_ways[0]
    # Both channels vary alike, so one component holds both.
    assert r.n_components == 1
    assert not r.non_additive.any()
    np.testing.assert_allclose(r.inconsistency, 9, rtol=0.1)


def test_all_dead():
    r = dm.deepresolve(xor_network(bias=-50), restarts=5, l2=L2)
    assert r.dead.all()
    assert not r.weights.any()
    assert not r.ofiv.any()
    assert not r.non_additive.any()


def test_hidden_units_that_start_off_may_wake_up():
    """With a bias above zero the strip around 0 is alive: a start that is off there is led to it by the penalty."""
    layers = [Conv1D(2, 1), GlobalMaxPool1D(), Dense(1), ReLU(), Dense(2)]
    weights = {
        "conv1d_0.weight": np.eye(2, 4)[:, :, None],
        "conv1d_0.bias": [0, 0],
        "dense_0.weight": [[1, 0]],
        "dense_0.bias": [0.5],
        "dense_1.weight": [[0], [1]],
        "dense_1.bias": [0, 0],
    }
    r = dm.deepresolve(dm.Network._from_layers(layers, "softmax", 5, 2, weights), restarts=30, l2=L2)
    assert (dm._native.random_normal(0, 30, 2)[:, 0] < -0.5).any()
    assert not r.dead.any()
    np.testing.assert_allclose(r.fiv[:, 0], 1, atol=1e-2)


# ---- Twins ----


def twin_ascent(model, start, target, l2, steps, rate=0.005):
    """The ascent of one start in float64, best objective and its map."""
    weights = {name: value.astype(np.float64) for name, value in model.weights_.items()}
    h, best, waits = start.astype(np.float64).reshape(-1), (-np.inf, None, 0.0), 0
    for step in range(steps + 1):
        hidden = weights["dense_0.weight"] @ h + weights["dense_0.bias"]
        score = weights["dense_1.weight"][target] @ np.maximum(hidden, 0) + weights["dense_1.bias"][target]
        objective = score - l2 * (h**2).sum()
        if objective > best[0]:
            best, waits = (objective, h.copy(), score), 0
        else:
            waits += 1
        if waits == 10:
            break
        slope = (weights["dense_1.weight"][target] * (hidden > 0)) @ weights["dense_0.weight"]
        factor = 1 if step <= 500 else max((step - 500) ** -0.2, 1e-6)
        h = h + rate * factor * (slope - 2 * l2 * h)
    return best


def test_ascent_equals_twin(model):
    r = dm.deepresolve(model, target=2, restarts=5, l2=L2, max_steps=700, random_state=8)
    assert r.maps.shape == (5, 6, 6)
    assert r.layer == "max_pool1d_0"
    assert r.target == 2
    start = dm._native.random_normal(8, 5, 36)
    for restart in range(5):
        objective, best, score = twin_ascent(model, start[restart], 2, L2, 700)
        # 700 roundings of values of order 1 along the way.
        np.testing.assert_allclose(r.maps[restart].ravel(), best, atol=1e-3)
        np.testing.assert_allclose([r.objectives[restart], r.scores[restart]], [objective, score], atol=1e-3)


def test_formulas_by_definition(result):
    maps, scores = result.maps.astype(np.float64), result.scores.astype(np.float64)
    np.testing.assert_allclose(result.fiv, maps.mean(axis=1))
    weights = scores + max(0, -scores.min())
    np.testing.assert_allclose(result.weights, weights)
    mean = np.average(result.fiv, axis=0, weights=weights)
    variance = np.average((result.fiv - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(result.inconsistency, variance, atol=1e-15)
    np.testing.assert_array_equal(result.ranking, np.argsort(-result.ofiv, kind="stable"))
    assert result.variance_floor > 0
    assert 1 <= result.n_components <= 3
    assert result.n_components == 1 + result.bic.argmin()


def test_overall_importance_by_definition():
    random = np.random.default_rng(0)
    fiv, weights = random.normal(size=(7, 5)), random.uniform(size=7)
    weights[2] = 0
    fiv[:, 3] = np.abs(fiv[:, 3])
    fiv[:, 4] *= 1e-6
    outside = np.array([False, True, True, True, True])
    found = formulas.overall_importance(fiv, weights, outside)
    for channel in range(5):
        values, shares = fiv[:, channel], weights
        if channel in (1, 2):  # outside, with both signs among the restarts that count
            kept = (values > 1e-3 * np.abs(fiv[weights > 0]).max()) & (weights > 0)
            values, shares = values[kept], shares[kept]
        assert found[channel] == pytest.approx((values * shares).sum() / shares.sum())


def test_weights_are_moved_above_zero():
    none = np.zeros(4, dtype=bool)
    np.testing.assert_allclose(formulas.restart_weights(np.array([1.0, 2, 3, 4]), none), [1, 2, 3, 4])
    np.testing.assert_allclose(formulas.restart_weights(np.array([-1.0, 2, 3, 4]), none), [0, 3, 4, 5])
    np.testing.assert_allclose(formulas.restart_weights(np.full(4, -2.0), none), [1, 1, 1, 1])
    dead = np.array([True, False, False, False])
    np.testing.assert_allclose(formulas.restart_weights(np.array([-9.0, -1, 0, 1]), dead), [0, 0, 1, 2])


def test_mixture_tells_outliers_from_rounding():
    fiv = np.random.default_rng(1).normal(1, 1e-6, size=(10, 20))
    levels = formulas.inconsistency_levels(fiv, np.ones(10))
    assert formulas.fit_mixture(levels, formulas.relative_floor(levels, fiv))[0] == 1
    fiv[:5, 3], fiv[5:, 7] = -1, -1
    levels = formulas.inconsistency_levels(fiv, np.ones(10))
    count, outside, _ = formulas.fit_mixture(levels, formulas.relative_floor(levels, fiv))
    assert count == 2
    assert np.flatnonzero(outside).tolist() == [3, 7]
    # The same networks with importances a hundred times smaller: scikit-learn's absolute floor sees one component.
    assert formulas.fit_mixture(levels / 1e4, formulas.relative_floor(levels / 1e4, fiv / 100))[0] == 2
    assert formulas.fit_mixture(levels / 1e4, formulas.PUBLISHED_FLOOR)[0] == 1


def test_published_mode(model):
    r = dm.deepresolve(model, target=1, restarts=6, l2=L2, mode="published")
    paper = dm.deepresolve(model, target=1, restarts=6, l2=L2)
    assert r.variance_floor == 1e-6
    assert (r.fiv != paper.fiv).any()
    np.testing.assert_allclose(r.ofiv, np.average(r.fiv, axis=0, weights=r.weights))
    last = model._engine.part_outputs(3, 8, r.maps, 1)[:, 0, 1]
    assert (r.scores >= last).all()
    once = dm.deepresolve(model, target=1, restarts=6, l2=L2, mode="published", max_steps=1, learning_rate=1e-9)
    np.testing.assert_allclose(once.maps.ravel(), dm._native.random_uniform(0, 6, 36).ravel(), atol=1e-6)


# ---- Classes, threads, places ----


def test_classes_do_not_know_of_each_other(model):
    results = dm.deepresolve(model, target="all", restarts=4, l2=L2)
    assert [r.target for r in results] == [0, 1, 2] == [r.index for r in results]
    some = dm.deepresolve(model, target=[2, 0], restarts=4, l2=L2)
    assert [r.target for r in some] == [0, 2]
    alone = dm.deepresolve(model, target=2, restarts=4, l2=L2)
    for r in (results[2], some[1]):
        np.testing.assert_array_equal(r.maps, alone.maps)


def test_threads_do_not_matter(model):
    runs = []
    for threads in (1, 3):
        model.set_params(n_threads=threads)
        runs.append(dm.deepresolve(model, target=0, restarts=33, l2=L2, layer="relu_0"))
    model.set_params(n_threads=None)
    assert runs[0].maps.shape == (33, 24, 6)
    np.testing.assert_array_equal(runs[0].maps, runs[1].maps)


def test_any_place(model):
    for layer, shape in [("conv1d_0", (24, 6)), (3, (1, 36)), (4, (1, 8)), ("relu_1", (1, 8)), (-2, (1, 8))]:
        r = dm.deepresolve(model, layer, 0, restarts=2, l2=L2)
        assert r.maps.shape == (2, *shape)
    recurrent = dm.RNN(hidden=3, random_state=0).build(12, 2)
    assert dm.deepresolve(recurrent, restarts=2, max_steps=20).maps.shape == (2, 1, 6)
    assert dm.deepresolve(recurrent, "lstm_0", restarts=2, max_steps=20).maps.shape == (2, 12, 6)
    letters = dm.Network([Flatten(), Dense(2)], random_state=0).build(6, 2)
    assert dm.deepresolve(letters, restarts=2).maps.shape == (2, 6, 4)


def test_auto_l2_gives_maps_of_the_size_of_activations(model):
    X = dm.simulate(200, length=28, random_state=2)[0]
    r = dm.deepresolve(model, target=1, restarts=6, l2="auto", X=X)
    wanted = np.linalg.norm(model.activations(X, "max_pool1d_0").mean(axis=0))
    sizes = np.linalg.norm(r.maps, axis=(1, 2))
    assert 0.6 * wanted < np.median(sizes) < 1.7 * wanted
    assert r.learning_rate * r.l2 == pytest.approx(0.005 * 2.8)
    assert dm.deepresolve(model, target=1, restarts=2, l2="auto", max_steps=5).l2 > 0


def linear_task(bias):
    """Score 3 x + 4 y + bias of two channels."""
    weights = {
        "conv1d_0.weight": np.eye(2, 4)[:, :, None],
        "conv1d_0.bias": [0, 0],
        "dense_0.weight": [[3, 4]],
        "dense_0.bias": [bias],
    }
    return dm.Network._from_layers([Conv1D(2, 1), GlobalMaxPool1D(), Dense(1)], "sigmoid", 5, 1, weights)


def test_boundary_l2_gives_maps_of_even_odds():
    r = dm.deepresolve(linear_task(-2), restarts=4, l2="boundary")
    # The optimum is (3, 4) / (2 lambda), its score 25 / (2 lambda) - 2.
    assert r.l2 == pytest.approx(25 / 4, rel=0.1)
    np.testing.assert_allclose(r.scores, 0, atol=0.2)
    assert r.learning_rate * r.l2 == pytest.approx(0.005 * 2.8)
    with pytest.raises(dm.InvalidArgumentError, match="speaks against"):
        dm.deepresolve(linear_task(1), l2="boundary")


# ---- Files ----


def test_directory_keeps_and_finds_results(model, tmp_path):
    fresh = dm.deepresolve(model, target="all", restarts=4, l2=L2)
    first = dm.deepresolve(model, target=[1], restarts=4, l2=L2, directory=tmp_path)
    stamp = (tmp_path / "class_00001.npz").stat().st_mtime_ns
    again = dm.deepresolve(model, target="all", restarts=4, l2=L2, directory=tmp_path)
    assert (tmp_path / "class_00001.npz").stat().st_mtime_ns == stamp
    for a, b in zip([fresh[1], *fresh], [first[0], *again], strict=True):
        np.testing.assert_array_equal(a.maps, b.maps)
        np.testing.assert_array_equal(a.ofiv, b.ofiv)
        assert (a.target, a.n_components, repr(a)) == (b.target, b.n_components, repr(b))
    (tmp_path / "file").touch()
    with pytest.raises(dm.FileWriteError, match="folder"):
        dm.deepresolve(model, target=0, restarts=4, l2=L2, directory=tmp_path / "file")
    with pytest.raises(dm.InvalidArgumentError, match="same model and arguments"):
        dm.deepresolve(model, target=0, restarts=5, l2=L2, directory=tmp_path)


def test_interrupted_run_goes_on(model, tmp_path, monkeypatch):
    from deepmotif import _ascent

    whole = dm.deepresolve(model, target="all", restarts=4, l2=L2)
    climb, calls = _ascent.Ascent._climb, []

    def interrupted(self, n_steps):
        calls.append(n_steps)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return climb(self, 9)

    monkeypatch.setattr(_ascent.Ascent, "_climb", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dm.deepresolve(model, target="all", restarts=4, l2=L2, directory=tmp_path)
    assert (tmp_path / "climbing_00000.npz").exists()
    steps = []
    monkeypatch.setattr(
        _ascent.Ascent, "_climb", lambda self, n: (steps.append(int(self.steps.max())), climb(self, n))[1]
    )
    resumed = dm.deepresolve(model, target="all", restarts=4, l2=L2, directory=tmp_path)
    assert steps[0] == 27
    assert not (tmp_path / "climbing_00000.npz").exists()
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a.maps, b.maps)


def test_damaged_result(result, tmp_path):
    path = tmp_path / "r.npz"
    result.save(path)
    loaded = dm.DeepResolve.load(path)
    np.testing.assert_array_equal(loaded.maps, result.maps)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(dm.FileFormatError, match="deepresolve"):
        dm.DeepResolve.load(path)
    with pytest.raises(dm.FileNotFound):
        dm.DeepResolve.load(tmp_path / "none.npz")


# ---- Errors ----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"restarts": 0}, "restarts must be a whole number of at least 1"),
        ({"l2": -1}, "l2 must be"),
        ({"l2": "large"}, "'auto'"),
        ({"learning_rate": 0}, "learning_rate must be"),
        ({"max_steps": 0}, "max_steps must be"),
        ({"mode": "original"}, "mode must be 'paper' or 'published'"),
        ({"layer": "dense_1"}, "layers behind it"),
        ({"layer": "dense_7"}, "layer must be one of"),
        ({"target": 7}, "target must be"),
        ({"target": []}, "at least one class"),
        ({"target": None}, "target is required"),
        ({"learning_rate": 1e30, "target": 0}, "lower learning_rate"),
    ],
)
def test_refuses(model, options, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.deepresolve(model, **({"target": 0} | options))


def test_refuses_models_that_are_not_fitted():
    with pytest.raises(dm.NotFittedError):
        dm.deepresolve(dm.CNN())
    with pytest.raises(dm.InvalidArgumentError, match="m must be"):
        dm.deepresolve("model")


def test_without_scikit_learn(model, monkeypatch):
    real = builtins.__import__

    def absent(name, *arguments, **keywords):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(dm.MissingDependencyError, match=r"deepmotif\[sklearn\]"):
        dm.deepresolve(model, target=0)
