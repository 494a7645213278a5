"""The rival in JAX: the same layers as compiled functions; convolutions by XLA or by one matrix product. Benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deepmotif import layers as kinds

Parameters = dict[str, Any]
Apply = Callable[[Parameters, Any, Any], Any]


def network(model: Any, im2col: bool) -> tuple[Parameters, Apply]:
    """The weights, and scores = apply(weights, letters (N, L, 4), key of dropout or None)."""
    parameters = {name: jnp.asarray(value) for name, value in model.weights_.items()}
    layers = list(zip(model._engine.layer_names, model._layers, strict=True))

    def apply(weights: Parameters, x: Any, key: Any) -> Any:
        for index, (name, layer) in enumerate(layers):
            if isinstance(layer, kinds.Conv1D):
                x = _convolve(layer, weights[f"{name}.weight"], x, im2col) + weights[f"{name}.bias"]
            elif isinstance(layer, kinds.ReLU):
                x = jax.nn.relu(x)
            elif isinstance(layer, kinds.MaxPool1D):
                count = x.shape[1] // layer.size
                x = x[:, : count * layer.size].reshape(x.shape[0], count, layer.size, x.shape[2]).max(axis=2)
            elif isinstance(layer, kinds.GlobalMaxPool1D):
                x = x.max(axis=1)
            elif isinstance(layer, kinds.GlobalAveragePool1D):
                x = x.mean(axis=1)
            elif isinstance(layer, kinds.Flatten):
                x = x.reshape(x.shape[0], -1)
            elif isinstance(layer, kinds.Dense):
                x = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
            elif isinstance(layer, kinds.LSTM):
                x = _lstm(layer, weights, name, x)
            elif isinstance(layer, kinds.Dropout) and key is not None:
                keep = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - layer.rate, x.shape)
                x = jnp.where(keep, x / (1 - layer.rate), 0)
        return x

    return parameters, apply


def _convolve(layer: Any, weight: Any, x: Any, im2col: bool) -> Any:
    width = layer.kernel_size
    if layer.padding == "same":
        x = jnp.pad(x, ((0, 0), ((width - 1) // 2, width - 1 - (width - 1) // 2), (0, 0)))
    if im2col:
        count = x.shape[1] - width + 1
        windows = jnp.stack([x[:, i : i + count] for i in range(width)], axis=2)
        return windows.reshape(*windows.shape[:2], -1) @ weight.transpose(2, 1, 0).reshape(-1, weight.shape[0])
    return jax.lax.conv_general_dilated(
        x, weight.transpose(2, 1, 0), (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC")
    )


def _lstm(layer: Any, weights: Parameters, name: str, x: Any) -> Any:
    outputs = []
    for end in ("", "_reverse") if layer.bidirectional else ("",):
        inputs = x @ weights[f"{name}.weight_ih{end}"].T + weights[f"{name}.bias{end}"]
        recurrent = weights[f"{name}.weight_hh{end}"].T

        def step(state: Any, gates: Any, recurrent: Any = recurrent) -> Any:
            hidden, cell = state
            i, f, g, o = jnp.split(gates + hidden @ recurrent, 4, axis=1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
            return (hidden, cell), hidden

        zeros = jnp.zeros((x.shape[0], layer.units))
        _, hidden = jax.lax.scan(step, (zeros, zeros), inputs.transpose(1, 0, 2), reverse=bool(end), unroll=4)
        outputs.append(hidden.transpose(1, 0, 2))
    return jnp.concatenate(outputs, axis=2)


def _letters(codes: Any) -> Any:
    return jax.nn.one_hot(codes, 4, dtype=jnp.float32)


def _variants(model: Any) -> Iterator[tuple[str, Parameters, Apply]]:
    has_convolution = any(isinstance(layer, kinds.Conv1D) for layer in model._layers)
    for im2col in (False, True) if has_convolution else (False,):
        yield ("JAX im2col" if im2col else "JAX", *network(model, im2col))


def training(model: Any, sigmoid: bool) -> Iterator[tuple[str, Callable[..., Any]]]:
    for title, parameters, apply in _variants(model):

        def loss(weights: Parameters, x: Any, labels: Any, key: Any, apply: Apply = apply) -> Any:
            scores = apply(weights, x, key)
            if sigmoid:
                return (jax.nn.softplus(scores) - labels * scores).mean()
            return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1).mean()

        @jax.jit
        def update(state: Any, codes: Any, labels: Any, loss: Any = loss) -> Any:
            weights, first, second, count = state
            key = jax.random.fold_in(jax.random.key(0), count)
            gradient = jax.tree.map(lambda g: jnp.clip(g, -5, 5), jax.grad(loss)(weights, _letters(codes), labels, key))
            count = count + 1
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
            a, b = 1 - 0.9**count, 1 - 0.999**count
            weights = jax.tree.map(
                lambda w, m, v: w - 0.001 * (m / a) / (jnp.sqrt(v / b) + 1e-8), weights, first, second
            )
            return weights, first, second, count

        zeros = jax.tree.map(jnp.zeros_like, parameters)
        state = [(parameters, zeros, zeros, jnp.float32(0).astype(int))]

        def step(codes: Any, labels: Any, update: Any = update, state: Any = state) -> None:
            state[0] = jax.block_until_ready(update(state[0], codes, labels.astype(np.int32)))

        yield title, step


def _finished(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The call, until its result is there."""
    return lambda codes: jax.block_until_ready(compute(codes))


def prediction(model: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    for title, parameters, apply in _variants(model):
        scores = jax.jit(lambda codes, apply=apply, parameters=parameters: apply(parameters, _letters(codes), None))
        yield title, _finished(scores)


def saliency(model: Any, target: int) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    for title, parameters, apply in _variants(model):

        @jax.jit
        def values(codes: Any, apply: Apply = apply, parameters: Parameters = parameters) -> Any:
            x = _letters(codes)
            gradient = jax.grad(lambda x: apply(parameters, x, None)[:, target].sum())(x)
            return jnp.abs((gradient * x).sum(axis=2))

        yield title, _finished(values)


def class_optimization(model: Any, target: int, restarts: int) -> Iterator[tuple[str, Callable[[int], Any]]]:
    for title, parameters, apply in _variants(model):

        def objective(x: Any, apply: Apply = apply, parameters: Parameters = parameters) -> Any:
            scores = apply(parameters, x, None)
            value = jax.nn.log_softmax(scores)[:, target] if scores.shape[1] > 1 else jax.nn.log_sigmoid(scores)
            return value.sum() - 0.009 * jnp.square(x).sum()

        @jax.jit
        def ascend(x: Any, square: Any, count: Any, objective: Any = objective) -> Any:
            def one(_: Any, state: Any) -> Any:
                x, square = state
                gradient = jax.grad(objective)(x)
                square = 0.99 * square + 0.01 * gradient * gradient
                return x + 0.05 * gradient / (jnp.sqrt(square) + 1e-8), square

            return jax.lax.fori_loop(0, count, one, (x, square))

        start = jax.random.uniform(jax.random.key(0), (restarts, model.length_, 4))

        def steps(count: int, ascend: Any = ascend, start: Any = start) -> None:
            jax.block_until_ready(ascend(start, jnp.zeros_like(start), count))

        yield title, steps
