"""BatchNorm1D. Models room; private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._base import Layer


@dataclass(frozen=True)
class BatchNorm1D(Layer):
    """Brings each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and Szegedy 2015).

    Training takes mean and variance over all positions of all sequences of a batch, prediction the running ones:
    running = (1 - momentum) running + momentum batch, as in PyTorch (Keras: momentum is 1 minus this). A batch of a
    single value a channel is normalised by the running statistics.

    Parameters
    ----------
    momentum : float
        From 0 to 1.
    epsilon : float
        Added to the variance; above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> BatchNorm1D().n_parameters(16)
    64
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    kind = "batch_norm1d"
    _numbers = ("momentum", "epsilon")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum > 1:
            raise self._refusal(f"momentum must be a number from 0 to 1; got {self.momentum!r}")
        if self.epsilon < 1e-30:  # 0 in float32
            raise self._refusal(f"epsilon must be a number above 0; got {self.epsilon!r}")

    def options(self) -> dict[str, Any]:
        return super().options() | {"momentum": self.momentum, "epsilon": self.epsilon}

    def n_parameters(self, channels: int) -> int:
        return 4 * channels
