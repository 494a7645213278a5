"""Where convolutions and pools read: paddings of layers in numbers, kernels in full. Interchange room; private."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import layers as kinds
from ._path import unsupported

Array = NDArray[Any]

# Values of a grouped kernel with all its zeros.
_LARGEST_KERNEL = 1 << 24


def ungrouped(weight: Array, groups: int) -> Array:
    """A grouped kernel as a full one: zeros between the groups."""
    if groups == 1:
        return weight
    if groups < 1 or weight.shape[0] % groups or weight.size * groups > _LARGEST_KERNEL:
        unsupported(f"a convolution in {groups} groups of this size")
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    full = np.zeros((weight.shape[0], inputs * groups, *weight.shape[2:]), dtype=weight.dtype)
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        full[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return full


def ceil_padding(layer: Any, length: int) -> int:
    """How far the last window of a pool with `ceil` reaches beyond the padded sequence."""
    left, right = pool_padding(layer, length)
    windows, _ = layer.output_shape(length, 1)
    return max((windows - 1) * layer.stride + layer.size - (length + left + right), 0)


def pool_padding(layer: Any, length: int) -> tuple[int, int]:
    """Padding of a pool before and behind a sequence."""
    if layer.padding == "same":
        total = max((-(-length // layer.stride) - 1) * layer.stride + layer.size - length, 0)
        return total // 2, total - total // 2
    return (0, 0) if layer.padding == "valid" else layer.padding


def conv_padding(layer: kinds.Conv1D) -> tuple[int, int]:
    """Padding of a convolution before and behind a sequence."""
    reach = (layer.kernel_size - 1) * layer.dilation
    if isinstance(layer.padding, str):
        return {"valid": (0, 0), "same": (reach // 2, reach - reach // 2), "causal": (reach, 0)}[layer.padding]
    return layer.padding


def named_padding(left: int, right: int, reach: int) -> Any:
    if left == right == 0:
        return "valid"
    if (left, right) == (reach // 2, reach - reach // 2):
        return "same"
    return "causal" if (left, right) == (reach, 0) else (int(left), int(right))
