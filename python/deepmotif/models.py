"""The three networks of the Deep Motif Dashboard as estimators, and `load`. Models room.

Lanchantin, Singh, Wang and Qi, "Deep Motif Dashboard: visualizing and understanding genomic sequences using deep neural
networks", Pacific Symposium on Biocomputing 2017. The engine knows none of them by name: each is a list of layers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from . import _files
from ._estimator import TRAINING_PARAMETERS, SequenceModel
from ._network import Network
from ._validation import check_flag, check_number, check_whole
from .exceptions import InvalidArgumentError
from .layers import LSTM, Conv1D, Dense, Dropout, GlobalAveragePool1D, GlobalMaxPool1D, Layer, MaxPool1D, ReLU

__all__ = ["CNN", "CNNRNN", "RNN", "Network", "load"]


DROPOUT_PARAMETER = """
    dropout : float
        Fraction of values that the dropout layers set to 0 in training."""


class _DeMoNetwork(SequenceModel):
    __slots__ = ()

    dropout: float
    _presets: ClassVar[dict[str, dict[str, Any]]] = {}

    @classmethod
    def preset(cls, name: str, **parameters: Any) -> Self:
        """The paper's "small", "medium" or "large" variant, other hyper-parameters as given.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.RNN.preset("large", epochs=10)
        RNN(layers=2, epochs=10)
        """
        if name not in cls._presets:
            raise InvalidArgumentError(f"name must be one of {list(cls._presets)}; got {name!r}")
        return cls(**(cls._presets[name] | parameters))

    def _recurrent_body(self, hidden: Any, layers: Any, bidirectional: Any, n_classes: int) -> list[Layer]:
        """LSTM stacks, one for each direction, dropout after every layer; the mean over positions of the last."""
        hidden, layers = check_whole(hidden, "hidden"), check_whole(layers, "layers")
        bidirectional = check_flag(bidirectional, "bidirectional")
        body: list[Layer] = []
        for index in range(layers):
            # Both stacks read the sequence; above that each reads what its own lower layer says.
            body.append(LSTM(hidden, bidirectional=bidirectional, split_input=bidirectional and index > 0))
            body.append(Dropout(self._rate()))
        return [*body, GlobalAveragePool1D(), Dense(n_classes)]

    def _rate(self) -> float:
        return check_number(self.dropout, "dropout", 0, 1, open_maximum=True)


@dataclass(eq=False, repr=False)
class CNN(_DeMoNetwork):
    __doc__ = f"""Convolutional network: convolutions with ReLU, max-pooling between them, maximum over all positions.

    For every kernel size but the last: valid convolution, ReLU, max-pool (stride = size), dropout; for the last: valid
    convolution, ReLU, dropout, maximum over all positions; then a dense layer and softmax.

    Parameters
    ----------
    filters : int
        Filters of every convolution.
    kernel_sizes : sequence of int
        Positions that the filters of each convolution span.
    pool : int
        Size of the max-pools.{DROPOUT_PARAMETER}{TRAINING_PARAMETERS}
    Examples
    --------
    >>> import deepmotif as dm
    >>> dm.CNN(filters=64, kernel_sizes=(9, 5)).build(101, 2).n_parameters_
    23042
    """

    __slots__ = ()

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "small": {"filters": 64, "kernel_sizes": (9, 5)},
        "medium": {"filters": 64, "kernel_sizes": (9, 5, 3)},
        "large": {"filters": 64, "kernel_sizes": (9, 5, 3, 3)},
    }

    filters: int = 128
    kernel_sizes: Any = (9, 5, 3)
    pool: int = 2
    dropout: float = 0.5
    epochs: int = 50
    batch_size: int = 256
    learning_rate: float = 0.01
    output: str = field(default="softmax", kw_only=True)

    def _network(self, n_classes: int) -> list[Layer]:
        filters, pool, rate = check_whole(self.filters, "filters"), check_whole(self.pool, "pool"), self._rate()
        try:
            sizes = [check_whole(size, "every entry of kernel_sizes") for size in self.kernel_sizes]
        except TypeError:
            raise InvalidArgumentError(
                f"kernel_sizes must be a sequence of whole numbers; got {self.kernel_sizes!r}"
            ) from None
        if not sizes:
            raise InvalidArgumentError("kernel_sizes must have at least one entry; got none")
        layers: list[Layer] = []
        for size in sizes[:-1]:
            layers += [Conv1D(filters, size), ReLU(), MaxPool1D(pool), Dropout(rate)]
        return [*layers, Conv1D(filters, sizes[-1]), ReLU(), Dropout(rate), GlobalMaxPool1D(), Dense(n_classes)]


@dataclass(eq=False, repr=False)
class RNN(_DeMoNetwork):
    __doc__ = f"""Recurrent network: two LSTM stacks, one of which reads the reversed sequence; mean over positions.

    Dropout after every LSTM layer; the two means, concatenated, go to a dense layer and softmax.

    Parameters
    ----------
    hidden : int
        Hidden units of each direction.
    layers : int
        LSTM layers of each stack.
    bidirectional : bool
        False: only the stack that reads forwards.{DROPOUT_PARAMETER}{TRAINING_PARAMETERS}
    Examples
    --------
    >>> import deepmotif as dm
    >>> dm.RNN().build(101, 2).n_parameters_
    9602
    """

    __slots__ = ()

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "small": {"hidden": 16, "layers": 1},
        "medium": {"hidden": 32, "layers": 1},
        "large": {"hidden": 32, "layers": 2},
    }

    hidden: int = 32
    layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.5
    epochs: int = 50
    batch_size: int = 256
    learning_rate: float = 0.01
    output: str = field(default="softmax", kw_only=True)

    def _network(self, n_classes: int) -> list[Layer]:
        return self._recurrent_body(self.hidden, self.layers, self.bidirectional, n_classes)


@dataclass(eq=False, repr=False)
class CNNRNN(_DeMoNetwork):
    __doc__ = f"""Convolution, then recurrence: one convolution as wide as a motif under the body of the `RNN`.

    Zeros on both ends keep the length (kernel sizes are odd); ReLU, no pooling, no dropout before the LSTM stacks.

    Parameters
    ----------
    filters : int
        Filters of the convolution.
    kernel_size : int
        Positions that a filter spans; odd.
    hidden : int
        Hidden units of each direction.
    layers : int
        LSTM layers of each stack.
    bidirectional : bool
        False: only the stack that reads forwards.{DROPOUT_PARAMETER}{TRAINING_PARAMETERS}
    Examples
    --------
    >>> import deepmotif as dm
    >>> dm.CNNRNN().build(101, 2).n_parameters_
    46082
    """

    __slots__ = ()

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "small": {"filters": 128, "kernel_size": 9, "hidden": 16, "layers": 1},
        "medium": {"filters": 128, "kernel_size": 9, "hidden": 32, "layers": 1},
        "large": {"filters": 128, "kernel_size": 9, "hidden": 32, "layers": 2},
    }

    filters: int = 128
    kernel_size: int = 9
    hidden: int = 32
    layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.5
    epochs: int = 50
    batch_size: int = 256
    learning_rate: float = 0.01
    output: str = field(default="softmax", kw_only=True)

    def _network(self, n_classes: int) -> list[Layer]:
        filters, size = check_whole(self.filters, "filters"), check_whole(self.kernel_size, "kernel_size")
        if size % 2 == 0:
            raise InvalidArgumentError(f"kernel_size must be odd, so that the convolution keeps the length; got {size}")
        body = self._recurrent_body(self.hidden, self.layers, self.bidirectional, n_classes)
        return [Conv1D(filters, size, padding="same"), ReLU(), *body]


def load(path: str | os.PathLike[str]) -> SequenceModel:
    """The model that `save` wrote, bit for bit. The file is data only: nothing in it is executed.

    Parameters
    ----------
    path : str or Path
        A safetensors file.

    Returns
    -------
    estimator
        Fitted, of the class that was saved.

    Raises
    ------
    FileNotFound
        If there is no such file; also a FileNotFoundError.
    FileFormatError
        If the file is damaged, cut short or not a model of this library.

    Examples
    --------
    >>> import deepmotif as dm, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     dm.CNN(filters=4, kernel_sizes=(3,)).build(8, 2).save(path)
    ...     dm.load(path)
    CNN(filters=4, kernel_sizes=(3,))
    """
    return _files.load_model(path, {cls.__name__: cls for cls in (CNN, RNN, CNNRNN, Network)})
