"""The layers that networks are made of, as plain descriptions. Models room.

A network is a list of these from the sequence (L, 4) up to the scores; the engine builds it from their options.
"""

from __future__ import annotations

from ._base import Layer
from ._chain import count_parameters, engine_options, minimum_length
from ._config import from_config, to_config
from ._convolution import Conv1D
from ._elementwise import ELU, GELU, Dropout, Exponential, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from ._linear import BatchNorm1D, Dense, Flatten, LayerNorm
from ._maxout import Maxout
from ._pooling import (
    AveragePool1D,
    GlobalAveragePool1D,
    GlobalMaxAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
)
from ._recurrent import GRU, LSTM
from ._residual import Residual

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "AveragePool1D",
    "BatchNorm1D",
    "Conv1D",
    "Dense",
    "Dropout",
    "Exponential",
    "Flatten",
    "GlobalAveragePool1D",
    "GlobalMaxAveragePool1D",
    "GlobalMaxPool1D",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool1D",
    "Maxout",
    "ReLU",
    "Residual",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "count_parameters",
    "engine_options",
    "from_config",
    "minimum_length",
    "to_config",
]
