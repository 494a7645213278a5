"""Network: any sequence of layers as an estimator. Models room; the class is public in `models`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ._estimator import TRAINING_PARAMETERS, SequenceModel
from .exceptions import InvalidArgumentError
from .layers import Layer


@dataclass(eq=False, repr=False)
class Network(SequenceModel):
    __doc__ = f"""Any sequence of layers, from the sequence (L, 4) up to one score for each class, task or value.

    Parameters
    ----------
    layers : list of layers
        Of `deepmotif.layers`. Nothing is appended: the last one, a `Dense` as a rule, gives the scores.
    output : {{"softmax", "sigmoid", "linear"}}
        What the scores are. "softmax": C classes that exclude each other, y (N,). "sigmoid": C tasks, each yes or no,
        y (N, C), or (N,) for one; labels 0 and 1, missing ones are NaN or None, in arrays of integers -1 or 255.
        "linear": C values, y (N, C) or (N,), missing ones are NaN.{TRAINING_PARAMETERS}
    Examples
    --------
    >>> import deepmotif as dm
    >>> from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU
    >>> dm.Network([Conv1D(16, 25, padding="same"), ReLU(), GlobalMaxPool1D(), Dense(2)]).build(101, 2).n_parameters_
    1650
    """

    __slots__ = ()

    layers: Any = ()
    output: str = "softmax"
    epochs: int = 50
    batch_size: int = 256
    learning_rate: float = 0.01

    def _network(self, n_outputs: int) -> list[Layer]:
        if not isinstance(self.layers, (list, tuple)) or not self.layers:
            raise InvalidArgumentError(f"layers must be a list of at least one layer; got {self.layers!r:.200}")
        for index, layer in enumerate(self.layers):
            if not isinstance(layer, Layer) or not layer.kind:
                raise InvalidArgumentError(f"layers[{index}] must be a layer of deepmotif.layers; got {layer!r:.200}")
        return list(self.layers)

    @classmethod
    def _from_layers(
        cls, layers: list[Layer], output: str, length: int, classes: Any, weights: Mapping[str, Any], **parameters: Any
    ) -> Self:
        """A fitted network with given weights.

        Parameters
        ----------
        layers : list of layers
            Up to the scores.
        output : {"softmax", "sigmoid", "linear"}
            What the scores are.
        length : int
            Length L of the sequences.
        classes : int or sequence
            Number of classes, tasks or values, or their labels.
        weights : mapping
            Array by name, as for `set_weights`.
        **parameters
            Further hyper-parameters.

        Examples
        --------
        >>> from deepmotif.layers import Dense, GlobalMaxPool1D
        >>> weights = {"dense_0.weight": [[1, 0, 0, 0]], "dense_0.bias": [0]}
        >>> model = Network._from_layers([GlobalMaxPool1D(), Dense(1)], "linear", 3, 1, weights)
        >>> model.predict(["ACG", "CGT"])
        array([1., 0.], dtype=float32)
        """
        # The weights that a seed would give are replaced, and the same import must give the same file.
        model = cls(layers, output, **({"random_state": 0} | parameters))
        return model.build(length, classes).set_weights(weights)
