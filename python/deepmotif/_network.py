"""Network: any sequence of layers as an estimator. Models room; the class is public in `models`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ._architectures import ARCHITECTURES
from ._estimator import TRAINING_PARAMETERS, SequenceModel
from ._validation import check_whole
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
    def preset(cls, name: str, outputs: int | None = None, **parameters: Any) -> Self:
        """A published network, untrained.

        Parameters
        ----------
        name : str
            - "deepbind": 16 detectors of 24 positions, maximum over positions and strands, dense 32 (Alipanahi, Delong,
              Weirauch and Frey 2015, Nature Biotechnology 33:831).
            - "deepsea": three convolutions on 1,000 bp, 919 tasks, 52,843,119 parameters (Zhou and Troyanskaya 2015,
              Nature Methods 12:931, supplementary note: dropout, L2 and the limit on kernel norms).
            - "danq": a convolution and a bidirectional LSTM on 1,000 bp, 919 tasks, 46,926,479 parameters (Quang and
              Xie 2016, Nucleic Acids Research 44:e107).
            - "deepresolve-tf": 16 filters of 25, maximum over positions, dense 32, one task, 2,193 parameters;
              "deepresolve-synthetic": 32 filters of 8, pool of 4, dense 64, four tasks (Liu, Zeng and Gifford 2019, BMC
              Bioinformatics 20:401, transcription factors and synthetic sets).
            - "forum": 128 filters of 24, maximum over positions, two classes: the network of a question in a forum on
              how to draw logos of convolution kernels.
        outputs : int, optional
            Scores; as published by default.
        **parameters
            Hyper-parameters instead of the preset's.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.Network.preset("deepresolve-tf").build(101, 1).n_parameters_
        2193
        """
        if name not in ARCHITECTURES:
            raise InvalidArgumentError(f"name must be one of {list(ARCHITECTURES)}; got {name!r}")
        architecture = ARCHITECTURES[name]
        count = architecture.outputs if outputs is None else check_whole(outputs, "outputs")
        return cls(architecture.layers(count), **(architecture.parameters | parameters))

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
