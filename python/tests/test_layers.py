"""Descriptions of layers: their arithmetic is the engine's, and nonsense is refused."""

import json

import pytest
from random_layers import random_network

import deepmotif as dm
from deepmotif import _native, layers

KINDS = {"CNN": dm.CNN, "RNN": dm.RNN, "CNNRNN": dm.CNNRNN}


@pytest.mark.parametrize("kind", KINDS)
def test_python_and_engine_agree_on_layers(kind):
    for n_classes, length in ((2, 101), (5, 64)):
        estimator = KINDS[kind]()
        network = estimator._network(n_classes)
        model = estimator.build(length, list(range(n_classes)))
        assert layers.count_parameters(network, length) == model.n_parameters_
        assert layers.minimum_length(network) == model._engine.minimum_length
        shape = (length, 4)
        for index, layer in enumerate(network):
            shape = layer.output_shape(*shape)
            assert model._engine.layer_shape(index, length) == shape
            assert model._engine.layer_names[index].rsplit("_", 1)[0] == layer.kind


RESIDUAL = layers.Residual(
    [layers.Conv1D(5, 3, padding="same"), layers.ELU(0.5), layers.Residual([layers.LayerNorm(1e-3)])],
    [layers.Dense(5, bias=False)],
)

EVERY_LAYER = [
    layers.Conv1D(6, 4, padding="same", dilation=2),
    layers.Tanh(),
    layers.Conv1D(4, 3, padding=(5, 0), stride=2, bias=False),
    layers.AveragePool1D(3, 2, (1, 2), ceil=True, count_padding=False),
    layers.GELU(approximate=True),
    layers.MaxPool1D(2, padding="same"),
    layers.LSTM(3, bidirectional=True),
    layers.LSTM(2, bidirectional=True, split_input=True),
    layers.GRU(3, bidirectional=True, reset_after=False),
    layers.LeakyReLU(0.2),
    RESIDUAL,
    layers.Exponential(),
    layers.Softmax(),
    layers.Sigmoid(),
    layers.Dropout(0.1),
    layers.Dense(3),
    layers.ReLU(),
    layers.Flatten(order="channels"),
    layers.Dense(2),
]


def assert_agrees(network, length):
    engine = _native.Model(layers.engine_options(network), length, 0)
    assert layers.count_parameters(network, length) == engine.n_parameters
    shape = (length, 4)
    for index, layer in enumerate(network):
        shape = layer.output_shape(*shape)
        assert engine.layer_shape(index, length) == shape, layer
    return engine


def test_every_layer_agrees_with_the_engine():
    assert_agrees(EVERY_LAYER, 50)
    for last in (layers.LSTM(3, return_sequences=False), layers.GlobalMaxAveragePool1D()):
        assert assert_agrees([last, layers.Dense(2)], 9).layer_shape(0, 9) == last.output_shape(9, 4)


def test_random_networks_agree_with_the_engine():
    for seed in range(150):
        network, length = random_network(seed)
        engine = assert_agrees(network, length)
        assert layers.from_config(json.loads(json.dumps(layers.to_config(network)))) == network
        if not any(isinstance(layer, layers.Flatten) for layer in network):
            assert layers.minimum_length(network) == engine.minimum_length, network


def test_pool_lengths_and_their_inverse():
    """input_length gives the fewest positions for every size, stride, padding and mode."""
    for size, stride, ceil in [(1, 1, False), (3, 2, True), (4, 3, False), (4, 3, True), (2, 5, True), (5, 1, True)]:
        for padding in ((0, 0), (size - 1, 0), (size // 2, size - 1), "same"):
            pool = layers.MaxPool1D(size, stride, padding, ceil)
            outputs = [pool.output_shape(length, 1)[0] for length in range(1, 40)]
            for wanted in range(1, 5):
                fewest = next(length for length, output in enumerate(outputs, 1) if output >= wanted)
                assert pool.input_length(wanted) == fewest, (pool, wanted)


def test_names_of_nested_parameters():
    network = [RESIDUAL, layers.GRU(2, return_sequences=False), layers.Dense(2)]
    engine = _native.Model(layers.engine_options(network), 20, 0)
    assert engine.layer_names == ["residual_0", "gru_0", "dense_0"]
    assert dict(engine.parameter_info) == {
        "residual_0.conv1d_0.weight": (5, 4, 3), "residual_0.conv1d_0.bias": (5,),
        "residual_0.residual_0.layer_norm_0.weight": (5,), "residual_0.residual_0.layer_norm_0.bias": (5,),
        "residual_0.shortcut.dense_0.weight": (5, 4), "gru_0.weight_ih": (6, 5), "gru_0.weight_hh": (6, 2),
        "gru_0.bias_ih": (6,), "gru_0.bias_hh": (6,), "dense_0.weight": (2, 2), "dense_0.bias": (2,),
    }  # fmt: skip


def test_layers_survive_their_description():
    assert layers.from_config(layers.to_config(EVERY_LAYER)) == EVERY_LAYER
    assert layers.from_config(json.loads(json.dumps(layers.to_config(EVERY_LAYER)))) == EVERY_LAYER


def nested(depth):
    block = {"kind": "relu"}
    for _ in range(depth):
        block = {"kind": "residual", "layers": [block], "shortcut": []}
    return [block]


def test_blocks_sixteen_deep():
    network = [*layers.from_config(nested(16)), layers.GlobalMaxPool1D()]
    assert _native.Model(layers.engine_options(network), 9, 0).layer_shape(0, 9) == (9, 4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Conv1D(0, 3), "Conv1D: filters must be a whole number from 1"),
        (lambda: layers.Conv1D(3, 2.5), "Conv1D: kernel_size"),
        (lambda: layers.Conv1D(3, 3, padding="full"), "'causal' or .*; got 'full'"),
        (lambda: layers.Conv1D(3, 3, padding=(1, -1)), "padding must be a whole number from 0"),
        (lambda: layers.Conv1D(3, 3, padding=(1, 2, 3)), "padding"),
        (lambda: layers.Conv1D(3, 3, bias=0), "bias must be True or False"),
        (lambda: layers.MaxPool1D(2, 0), "stride"),
        (lambda: layers.MaxPool1D(2, padding=(2, 0)), "padding must be a whole number from 0 to 1; got 2"),
        (lambda: layers.AveragePool1D(2, padding="causal"), "'valid', 'same' or"),
        (lambda: layers.Dropout(1), "rate must be a number from 0 to below 1; got 1.0"),
        (lambda: layers.Dropout(float("nan")), "rate"),
        (lambda: layers.LeakyReLU(-0.1), "slope must be a finite number of at least 0"),
        (lambda: layers.ELU("1"), "alpha"),
        (lambda: layers.LayerNorm(float("inf")), "epsilon"),
        (lambda: layers.Flatten("rows"), "order must be 'positions' or 'channels'"),
        (lambda: layers.LSTM(3, split_input=True), "needs bidirectional=True"),
        (lambda: layers.LSTM(3, bidirectional=1), "bidirectional must be True or False"),
        (lambda: layers.GRU(3, reset_after=None), "reset_after"),
        (lambda: layers.Dense(True), "units"),
        (lambda: layers.Residual([]), "at least one layer"),
        (lambda: layers.Residual("relu"), "sequence of layers"),
        (lambda: layers.Residual([layers.Flatten()]), "must not contain Flatten"),
        (lambda: layers.from_config([{"kind": "dense", "size": 3}]), r"layer 0 \(dense\)"),
        (lambda: layers.from_config([{"kind": "eval"}]), "no known kind"),
        (lambda: layers.from_config([]), "at least one layer"),
        (lambda: layers.from_config(nested(17)), "nested"),
        (lambda: layers.from_config(nested(900)), "nested deeper than 16"),
        (lambda: layers.from_config([{"kind": "residual", "layers": [3]}]), "layers 0 is of no known kind"),
        (lambda: layers.from_config([{"kind": "residual", "layers": {"kind": "relu"}}]), "sequence of layers"),
        (lambda: layers.from_config([{"kind": "conv1d", "filters": 1, "kernel_size": 1, "padding": {}}]), "padding"),
    ],
)
def test_bad_layers(make, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        make()


def test_blocks_whose_ways_differ():
    block = layers.Residual([layers.Conv1D(4, 3)])
    with pytest.raises(dm.ShapeError, match="equal shapes"):
        block.output_shape(10, 4)
    with pytest.raises(dm.ShapeError, match=r"layer 0.*\(8, 4\) and \(10, 4\)"):
        _native.Model(layers.engine_options([block, layers.GlobalMaxPool1D()]), 10, 0)


@pytest.mark.parametrize("count", [-1, 1, 2**62])
def test_engine_refuses_blocks_without_their_layers(count):
    options = [{"kind": _native.LAYER_RESIDUAL, "body_count": count}]
    with pytest.raises(dm.InvalidArgumentError, match="body_count"):
        _native.Model(options, 10, 0)
