"""load_deepbind: DeepBind's published parameters as fitted networks. Interchange room.

Alipanahi, Delong, Weirauch and Frey, "Predicting the sequence specificities of DNA- and RNA-binding proteins by deep
learning", Nature Biotechnology 2015. What the published program computes is said in text files of version 0.1.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import layers as kinds
from .._reading import checked_path, reading
from .._validation import check_flag
from ..exceptions import DeepMotifError, FileFormatError
from ..models import Network
from ._finish import check_output, named_weights
from ._flow import Step

__all__ = ["load_deepbind"]

_MAGIC = "# deepbind 0.1"
_SIZES = ("reverse_complement", "num_detectors", "detector_len", "has_avg_pooling", "num_hidden")
_ARRAYS = ("detectors", "thresholds", "weights1", "biases1", "weights2", "biases2")
_LARGEST_FILE = 1 << 26
_LARGEST_SIZE = 4096
_LARGEST_FILTERS = 1 << 24


def load_deepbind(path: str | os.PathLike[str], *, scan: bool = True, output: str = "linear") -> Network:
    r"""One of DeepBind's published models, as a network.

    The score of a window is :math:`w \cdot \mathrm{pool}(\max(0, M * x + b))`, with a hidden layer in some models, x
    padded so that the detectors reach over both ends. The program scores every window as wide as a detector, on both
    strands
    where the model says so, and keeps the maximum. Unknown bases, and the padding, are 0.25 of each letter: taking the
    mean over the letters out of the detectors, into the thresholds, makes them zeros.

    Parameters
    ----------
    path : str or Path
        A parameter file, ``D00000.000.txt``; may be gzip.
    scan : bool
        True: the program's score, the maximum over windows. The detector at each of its offsets in a window is a filter
        of the first layer; the first ones are the detectors whole. False: all of the sequence is one window, as in the
        training of DeepBind; the filters are the detectors.
    output : {"linear", "softmax", "sigmoid"}
        What the score is. The file does not say it: ChIP-seq and SELEX models were trained as "sigmoid".

    Returns
    -------
    Network
        Fitted, one score. `reverse_complement` is "maximum" or "none".

    Raises
    ------
    FileFormatError
        If the file is damaged or is none of DeepBind's.
    FileNotFound
        If there is no such file; also a FileNotFoundError.

    Examples
    --------
    >>> import os, tempfile
    >>> text = '''# deepbind 0.1
    ... reverse_complement = 0
    ... num_detectors = 1
    ... detector_len = 2
    ... has_avg_pooling = 0
    ... num_hidden = 0
    ... detectors = 1,0,0,0,0,1,0,0
    ... thresholds = -1
    ... weights1 = 3
    ... biases1 = 0.5
    ... weights2 =
    ... biases2 =
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.txt")
    ...     _ = open(path, "w").write(text)
    ...     model = load_deepbind(path)
    >>> model.scores(["GACG", "GGGG"])
    array([[3.5],
           [0.5]], dtype=float32)
    """
    check_flag(scan, "scan")
    check_output(output)
    file = _File(checked_path(path))
    steps = file.scanning() if scan else file.whole()
    layers = [layer for layer, _ in steps]
    strands = "maximum" if file.sizes["reverse_complement"] else "none"
    length = max(101, kinds.minimum_length(layers))
    try:
        return Network._from_layers(layers, output, length, 1, named_weights(steps), reverse_complement=strands)
    except DeepMotifError as error:
        raise FileFormatError(f"{path} cannot be imported: {error}") from None


class _File:
    """Sizes and arrays of a parameter file."""

    def __init__(self, path: Any) -> None:
        self._path = path
        lines = self._lines()
        if not lines or lines[0].strip() != _MAGIC:
            raise self._error(f"expected the first line {_MAGIC!r}, got {(lines or [''])[0][:80]!r}")
        entries: dict[str, str] = {}
        for number, line in enumerate(lines[1:], start=2):
            if not line.strip() or line.startswith("#"):
                continue
            key, separator, value = line.partition("=")
            if not separator or key.strip() not in _SIZES + _ARRAYS:
                raise self._error(f"line {number} is none of its entries: {line[:80]!r}")
            entries[key.strip()] = value.strip()
        missing = [key for key in _SIZES + _ARRAYS if key not in entries]
        if missing:
            raise self._error(f"it has no {missing[0]}")
        self.sizes = {key: self._size(key, entries[key]) for key in _SIZES}
        self._arrays(entries)

    def _lines(self) -> list[str]:
        with reading(self._path, "a parameter file of DeepBind") as file:
            data = file.read(_LARGEST_FILE + 1)
            if len(data) > _LARGEST_FILE:
                raise self._error("it is too large")
            return data.decode("utf-8").splitlines()

    def _error(self, reason: str) -> FileFormatError:
        return FileFormatError(f"{self._path} is no parameter file of DeepBind 0.1: {reason}")

    def _size(self, key: str, text: str) -> int:
        least = 1 if key in ("num_detectors", "detector_len") else 0
        most = 1 if key in ("reverse_complement", "has_avg_pooling") else _LARGEST_SIZE
        if not text.isascii() or not text.isdigit() or len(text) > 8 or not least <= int(text) <= most:
            raise self._error(f"{key} must be a whole number from {least} to {most}; got {text[:80]!r}")
        return int(text)

    def _arrays(self, entries: dict[str, str]) -> None:
        count, width, hidden = (self.sizes[key] for key in ("num_detectors", "detector_len", "num_hidden"))
        pools = count * (2 if self.sizes["has_avg_pooling"] else 1)
        detectors = self._array(entries, "detectors", (width, 4, count)).transpose(2, 1, 0)
        means = detectors.mean(axis=1)
        #: (detectors, 4, width) without the mean over the letters, which goes into the thresholds.
        self.detectors = detectors - means[:, None]
        self.thresholds = self._array(entries, "thresholds", (count,)) + means.sum(axis=1)
        self.weights1 = self._array(entries, "weights1", (pools, max(hidden, 1))).T
        self.biases1 = self._array(entries, "biases1", (max(hidden, 1),))
        self.weights2 = self._array(entries, "weights2", (1, hidden))
        self.biases2 = self._array(entries, "biases2", (1 if hidden else 0,))

    def _array(self, entries: dict[str, str], key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        texts = entries[key].split(",") if entries[key] else []
        if len(texts) != int(np.prod(shape)):
            raise self._error(f"{key} must be {int(np.prod(shape))} numbers; got {len(texts)}")
        try:
            values = np.array([float(text) for text in texts])
        except ValueError as error:
            raise self._error(f"{key}: {error}") from None
        if not np.isfinite(values).all() or (np.abs(values) > 1e30).any():
            raise self._error(f"{key} holds NaN or infinity")
        return values.reshape(shape)

    def _dense(self, weight: NDArray[Any], bias: NDArray[Any] | None) -> Step:
        weights = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        return kinds.Dense(len(weight), bias=bias is not None), weights

    def _top(self) -> list[Step]:
        """The layers above the first dense one."""
        return [(kinds.ReLU(), {}), self._dense(self.weights2, self.biases2)] if self.sizes["num_hidden"] else []

    def whole(self) -> list[Step]:
        """All of the sequence as one window."""
        count, width = self.sizes["num_detectors"], self.sizes["detector_len"]
        convolution = kinds.Conv1D(count, width, padding=(width - 1, width - 1))
        pool = kinds.GlobalMaxAveragePool1D() if self.sizes["has_avg_pooling"] else kinds.GlobalMaxPool1D()
        return [
            (convolution, {"weight": self.detectors, "bias": self.thresholds}),
            (kinds.ReLU(), {}),
            (pool, {}),
            self._dense(self.weights1, self.biases1),
            *self._top(),
        ]

    def scanning(self) -> list[Step]:
        """Every window of the detectors' width apart."""
        count, width = self.sizes["num_detectors"], self.sizes["detector_len"]
        if count * (2 * width - 1) * 4 * width > _LARGEST_FILTERS:
            raise self._error("its detectors are too many and too long to be scanned with; pass scan=False")
        # What a window shows of a detector at each offset; whole detectors first, so that they are filters 0, 1 ...
        offsets = [0, *(sign * shift for shift in range(1, width) for sign in (-1, 1))]
        filters = np.zeros((len(offsets), count, 4, width))
        for place, offset in zip(filters, offsets, strict=True):
            shown = slice(max(offset, 0), width + min(offset, 0))
            place[:, :, shown] = self.detectors[:, :, shown.start - offset : shown.stop - offset]
        convolution = kinds.Conv1D(len(offsets) * count, width)
        first = {"weight": filters.reshape(-1, 4, width), "bias": np.tile(self.thresholds, len(offsets))}
        return [
            (convolution, first), (kinds.ReLU(), {}), *self._pooled(len(offsets)), *self._top(),
            (kinds.GlobalMaxPool1D(), {}),
        ]  # fmt: skip

    def _pooled(self, offsets: int) -> list[Step]:
        """Pools over the offsets of a window, and the dense layer on them."""
        if not self.sizes["has_avg_pooling"]:
            return [(kinds.Maxout(offsets), {}), self._dense(self.weights1, self.biases1)]
        # Maxima and means are interleaved; a mean over offsets is a part of the dense layer.
        maxima, means = self.weights1[:, 0::2], self.weights1[:, 1::2]
        body: list[Step] = [(kinds.Maxout(offsets), {}), self._dense(maxima, self.biases1)]
        shortcut: list[Step] = [self._dense(np.tile(means / offsets, (1, offsets)), None)]
        block = kinds.Residual(tuple(layer for layer, _ in body), tuple(layer for layer, _ in shortcut))
        return [(block, (body, shortcut))]
