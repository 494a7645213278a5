"""Models that come from, and go to, other libraries: Keras, PyTorch, ONNX, DeepBind. Interchange room.

Each format has a file of its own, loaded when it is first used; the libraries are optional.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._from_torch import from_torch as from_torch
    from ._load_deepbind import load_deepbind as load_deepbind
    from ._load_keras import load_keras as load_keras
    from ._load_onnx import load_onnx as load_onnx
    from ._to_onnx import to_onnx as to_onnx
    from ._to_torch import to_torch as to_torch

__all__ = ["from_torch", "load_deepbind", "load_keras", "load_onnx", "to_onnx", "to_torch"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}._{name}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
