"""Descriptions of layers: their arithmetic is the engine's, and nonsense is refused."""

import pytest

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


EVERY_LAYER = [
    layers.Conv1D(6, 4, padding="same", dilation=2),
    layers.Tanh(),
    layers.Conv1D(4, 3, stride=2),
    layers.AveragePool1D(3, 2),
    layers.MaxPool1D(2),
    layers.LSTM(3, bidirectional=True),
    layers.LSTM(2, bidirectional=True, split_input=True),
    layers.Sigmoid(),
    layers.Dropout(0.1),
    layers.Dense(3),
    layers.ReLU(),
    layers.Flatten(),
    layers.Dense(2),
]


def test_every_layer_agrees_with_the_engine():
    length = 50
    engine = _native.Model([layer.options() for layer in EVERY_LAYER], length, 0)
    assert layers.count_parameters(EVERY_LAYER, length) == engine.n_parameters
    shape = (length, 4)
    for index, layer in enumerate(EVERY_LAYER):
        shape = layer.output_shape(*shape)
        assert engine.layer_shape(index, length) == shape
    last_state = [layers.LSTM(3, return_sequences=False), layers.Dense(2)]
    assert _native.Model([layer.options() for layer in last_state], 9, 0).layer_shape(0, 9) == (1, 3)


def test_layers_survive_their_description():
    assert layers.from_config(layers.to_config(EVERY_LAYER)) == EVERY_LAYER


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Conv1D(0, 3), "Conv1D: filters must be a whole number from 1"),
        (lambda: layers.Conv1D(3, 2.5), "Conv1D: kernel_size"),
        (lambda: layers.Conv1D(3, 3, padding="full"), "got 'full'"),
        (lambda: layers.MaxPool1D(2, 0), "stride"),
        (lambda: layers.Dropout(1), "rate must be a number from 0 to below 1; got 1.0"),
        (lambda: layers.Dropout(float("nan")), "rate"),
        (lambda: layers.LSTM(3, split_input=True), "needs bidirectional=True"),
        (lambda: layers.LSTM(3, bidirectional=1), "bidirectional must be True or False"),
        (lambda: layers.Dense(True), "units"),
        (lambda: layers.from_config([{"kind": "dense", "size": 3}]), r"layer 0 \(dense\)"),
        (lambda: layers.from_config([{"kind": "eval"}]), "no known kind"),
        (lambda: layers.from_config([]), "at least one layer"),
    ],
)
def test_bad_layers(make, words):
    with pytest.raises(dm.InvalidArgumentError, match=words):
        make()
