"""The compiled extension: the engine's calls on NumPy arrays. Private; the package on top is what users see.

`X` is uint8 codes (N, L) or float32 letters (N, L, 4), C-contiguous. Every call that computes runs without the GIL;
a second call on the same object waits for the first. `threads` is at least 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Codes = NDArray[np.uint8]

# Every DM_... constant of deepmotif.h but the statuses, under its name without the prefix.
ISA_BASELINE: int
ISA_AVX2: int
ISA_AVX512: int
LAYER_CONV1D: int
LAYER_RELU: int
LAYER_MAX_POOL1D: int
LAYER_GLOBAL_MAX_POOL1D: int
LAYER_AVERAGE_POOL1D: int
LAYER_GLOBAL_AVERAGE_POOL1D: int
LAYER_LSTM: int
LAYER_DENSE: int
LAYER_FLATTEN: int
LAYER_DROPOUT: int
LAYER_SIGMOID: int
LAYER_TANH: int
LAYER_GRU: int
LAYER_LAYER_NORM: int
LAYER_LEAKY_RELU: int
LAYER_ELU: int
LAYER_GELU: int
LAYER_EXPONENTIAL: int
LAYER_SOFTMAX: int
LAYER_GLOBAL_MAX_AVERAGE_POOL1D: int
LAYER_MAXOUT: int
LAYER_RESIDUAL: int
PADDING_CAUSAL: int
PADDING_EXPLICIT: int
ORDER_POSITIONS: int
ORDER_CHANNELS: int
LAYER_BATCH_NORM1D: int
PADDING_VALID: int
PADDING_SAME: int
OUTPUT_SOFTMAX: int
OUTPUT_SIGMOID: int
OUTPUT_LINEAR: int
LOSS_DEFAULT: int
LOSS_MSE: int
LOSS_POISSON: int
LOSS_CORRELATION: int
OPTIMIZER_ADAM: int
OPTIMIZER_ADAMW: int
OPTIMIZER_SGD: int
OPTIMIZER_RMSPROP: int
OPTIMIZER_ADADELTA: int
STRANDS_NONE: int
STRANDS_AVERAGE: int
STRANDS_MAXIMUM: int
STRANDS_SHARED: int
TARGET_SCORE: int
TARGET_LOG_PROBABILITY: int
SALIENCY_SIGNED: int
SALIENCY_CENTERED: int
DIRECTION_FORWARD: int
DIRECTION_BACKWARD: int
ASCENT_CLIMBING: int
ASCENT_CONVERGED: int
ASCENT_OUT_OF_STEPS: int
TOMTOM_PEARSON: int
TOMTOM_EUCLIDEAN: int
TOMTOM_KULLBACK: int
TOMTOM_SANDELIN: int
TOMTOM_ALLR: int
TOMTOM_BLIC1: int
TOMTOM_BLIC5: int

def isa_supported() -> int: ...
def isa_level() -> int: ...
def set_isa_level(level: int) -> None: ...
def random_permutation(seed: int, stream: int, count: int) -> NDArray[np.int64]: ...
def random_normal(seed: int, streams: int, count: int) -> Float: ...
def random_uniform(seed: int, streams: int, count: int) -> Float:
    """Uniform [0, 1) values (streams, count), one stream a row."""

def dinucleotide_shuffle(codes: Codes, seed: int, first_row: int, threads: int) -> Codes: ...
def markov(
    initial: NDArray[np.float64], transitions: NDArray[np.float64], count: int, length: int, seed: int, threads: int
) -> Codes: ...
def output_apply(output: int, scores: Float) -> Float:
    """Softmax, sigmoid or identity of scores (N, C)."""

def roc_auc(scores: Float, labels: NDArray[np.int32]) -> float: ...
def average_precision(scores: Float, labels: NDArray[np.int32]) -> float: ...
def log_loss(probabilities: Float, labels: NDArray[np.int32]) -> float: ...
def matthews(predicted: NDArray[np.int32], labels: NDArray[np.int32], classes: int) -> float: ...
def class_optimization_matrix(inputs: Float) -> Float: ...
def motif_scores(log_odds: NDArray[np.float64], codes: Codes, threads: int) -> NDArray[np.float64]:
    """Scores (N, L - K + 1) of a log-odds matrix (K, 4)."""

def motif_p_values(
    log_odds: NDArray[np.float64], background: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """P-values (n,) of scores (n,)."""

Motifs = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]
"""Columns (sum of widths, 4), widths (n,) and numbers of sites (n,)."""

def tomtom(
    queries: Motifs,
    targets: Motifs,
    distance: int,
    complete_scores: bool,
    reverse_complement: bool,
    min_overlap: int,
    pseudocount: float,
    background: NDArray[np.float64],
    threads: int,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.uint8],
    NDArray[np.int64],
]:
    """P-values, q-values, offsets, overlaps, reversed (0 or 1) and the order of the targets, each (Q, T)."""

class Model:
    """A network. layers: a list of dicts with the fields of dm_layer_options ("kind" is required)."""

    def __init__(self, layers: list[dict[str, Any]], length: int, seed: int) -> None: ...
    @property
    def layer_names(self) -> list[str]: ...
    @property
    def minimum_length(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def parameter_info(self) -> list[tuple[str, tuple[int, ...]]]: ...
    def layer_shape(self, layer: int, length: int) -> tuple[int, int]:
        """Output positions and channels of a layer (-1: the whole model)."""

    def get_parameters(self) -> Float:
        """All parameters concatenated, each in PyTorch's layout."""

    def set_parameters(self, values: Float) -> None: ...
    def scores(self, X: Codes | Float, threads: int) -> Float: ...
    def activations(self, X: Codes | Float, layer: int, threads: int) -> Float: ...
    def input_gradient(
        self, X: Codes | Float, target: int, quantity: int, output: int, flags: int, threads: int
    ) -> Float: ...
    def saliency(
        self, X: Codes | Float, target: int, quantity: int, output: int, flags: int, threads: int
    ) -> Float: ...
    def temporal_scores(self, X: Codes | Float, target: int, output: int, direction: int, threads: int) -> Float: ...
    def class_optimization(
        self,
        variables: Float,
        squares: Float,
        steps: int,
        *,
        target: int,
        quantity: int,
        output: int,
        softmax: bool,
        l2: float,
        learning_rate: float,
        alpha: float,
        epsilon: float,
        fixed: Codes | None,
        threads: int,
    ) -> Float:
        """Advances variables and squares (R, L, 4) in place; returns the objective (R, steps)."""

    def part_outputs(self, first: int, last: int, inputs: Float, threads: int) -> Float:
        """Outputs (N, positions, channels) of layers first ... last - 1 from what layer `first` reads, (N, W, K)."""

    def part_gradient(self, first: int, last: int, inputs: Float, output_gradient: Float, threads: int) -> Float:
        """Gradient (N, W, K) of the sum of output_gradient x output of layers first ... last - 1."""

    def climb(
        self,
        maps: Float,
        best_maps: Float,
        targets: NDArray[np.int64],
        l2: Float,
        objectives: NDArray[np.float64],
        scores: Float,
        highest_scores: Float,
        steps: NDArray[np.int64],
        waits: NDArray[np.int64],
        states: NDArray[np.uint8],
        n_steps: int,
        *,
        first_layer: int,
        learning_rate: float,
        decay_start: int,
        decay_power: float,
        decay_floor: float,
        patience: int,
        max_steps: int,
        threads: int,
    ) -> int:
        """Advances R ascents, all arrays in place, by up to n_steps; returns how many have not stopped."""
    def channel_peaks(self, X: Codes | Float, layer: int, threads: int) -> tuple[NDArray[np.int32], Float]:
        """First position of the maximum of every channel of a layer and the maximum, both (N, K)."""

    def ablated_scores(self, X: Codes | Float, layer: int, threads: int) -> Float:
        """Scores (N, K, C) with one channel of a layer at a time set to zero."""

Targets = NDArray[np.int32] | NDArray[np.uint8] | Float
"""Class indices (N,) for softmax; for sigmoid uint8 (N, C) of 0, 1 and 255 = missing, or as for linear: float32 (N, C)
with NaN = missing."""

class Trainer:
    """Optimizer state of one model. What is not given is the optimizer's default (dm_trainer_options_init)."""

    def __init__(
        self,
        model: Model,
        *,
        output: int = ...,
        loss: int = ...,
        optimizer: int = ...,
        strands: int = ...,
        learning_rate: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        rho: float = ...,
        epsilon: float = ...,
        momentum: float = ...,
        weight_decay: float = ...,
        l2: float = ...,
        max_norm: float = ...,
        gradient_clip: float = ...,
        seed: int = ...,
    ) -> None: ...
    def set_learning_rate(self, learning_rate: float) -> None: ...
    def run(
        self,
        X: Codes | Float,
        targets: Targets,
        rows: NDArray[np.int64],
        batch_size: int,
        weights: Float | None,
        threads: int,
    ) -> tuple[float, float, Float]:
        """Trains on the rows in batches; returns the sum of weighted losses, the sum of weights, the scores seen.

        weights (C,): of the label's class for softmax, of the positive labels for sigmoid.
        """

    def gradient(self, X: Codes | Float, targets: Targets, weights: Float | None, threads: int) -> Float: ...
    def get_state(self) -> NDArray[np.float64]: ...
    def set_state(self, state: NDArray[np.float64]) -> None: ...

class Scanner:
    """Hits of motifs in sequences that come in pieces, in order."""

    def __init__(
        self,
        log_odds: NDArray[np.float64],
        reverse: NDArray[np.float64] | None,
        widths: NDArray[np.int64],
        background: NDArray[np.float64],
        p_value: float,
        threads: int,
    ) -> None: ...
    def scan(self, codes: Codes, starts: int, first_sequence: int, first_position: int, threads: int) -> None:
        """Windows that start at positions 0 ... starts - 1 of each row."""

    def finish(self, first: int, count: int, threads: int) -> None:
        """P-values of the hits of these motifs: once a motif, when all pieces are in."""

    def hits(
        self,
    ) -> tuple[
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.uint8],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
    ]:
        """Motifs, sequences, starts, reversed (0 or 1), scores, p-values and q-values."""
