"""DeepMotif: train the networks of the Deep Motif Dashboard on DNA sequences and see why they decide as they do.

Everything public is reached from here, ``import deepmotif as dm``, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` finds, for type checkers and editors
    # isort: off
    from .exceptions import (
        DeepMotifError as DeepMotifError,
        FileFormatError as FileFormatError,
        FileNotFound as FileNotFound,
        FileReadError as FileReadError,
        FileWriteError as FileWriteError,
        InternalError as InternalError,
        InvalidArgumentError as InvalidArgumentError,
        MissingDependencyError as MissingDependencyError,
        NotFittedError as NotFittedError,
        OutOfMemoryError as OutOfMemoryError,
        ShapeError as ShapeError,
    )
    from .sequences import (
        Sequences as Sequences,
        decode as decode,
        dinucleotide_shuffle as dinucleotide_shuffle,
        encode as encode,
        make_dataset as make_dataset,
        one_hot as one_hot,
        open_array as open_array,
        read_fasta as read_fasta,
        read_peaks as read_peaks,
        read_table as read_table,
        reverse_complement as reverse_complement,
    )
    from .simulation import (
        simulate as simulate,
        synthetic_classes as synthetic_classes,
        synthetic_xor as synthetic_xor,
    )
    from .models import (
        CNN as CNN,
        CNNRNN as CNNRNN,
        RNN as RNN,
        Network as Network,
        load as load,
    )
    from .metrics import (
        evaluate as evaluate,
    )
    from .views import (
        ClassOptimization as ClassOptimization,
        TemporalScores as TemporalScores,
        class_optimization as class_optimization,
        input_gradients as input_gradients,
        saliency as saliency,
        temporal_scores as temporal_scores,
    )
    from .motifs import (
        Motif as Motif,
        find_hits as find_hits,
        jaspar as jaspar,
        read_meme as read_meme,
        read_motifs as read_motifs,
        write_meme as write_meme,
    )
    from .comparison import (
        tomtom as tomtom,
    )
    from .scanning import (
        scan as scan,
    )
    from .plots import (
        plot_attribution as plot_attribution,
        plot_dashboard as plot_dashboard,
        plot_history as plot_history,
        plot_logo as plot_logo,
        plot_saliency as plot_saliency,
        plot_temporal as plot_temporal,
    )

# Names by module, in the order in which data flow; a test holds them against the imports above.
_EXPORTS: dict[str, tuple[str, ...]] = {
    "exceptions": (
        "DeepMotifError",
        "FileFormatError",
        "FileNotFound",
        "FileReadError",
        "FileWriteError",
        "InternalError",
        "InvalidArgumentError",
        "MissingDependencyError",
        "NotFittedError",
        "OutOfMemoryError",
        "ShapeError",
    ),
    "sequences": (
        "Sequences",
        "decode",
        "dinucleotide_shuffle",
        "encode",
        "make_dataset",
        "one_hot",
        "open_array",
        "read_fasta",
        "read_peaks",
        "read_table",
        "reverse_complement",
    ),
    "simulation": ("simulate", "synthetic_classes", "synthetic_xor"),
    "models": ("CNN", "CNNRNN", "RNN", "Network", "load"),
    "metrics": ("evaluate",),
    "views": (
        "ClassOptimization",
        "TemporalScores",
        "class_optimization",
        "input_gradients",
        "saliency",
        "temporal_scores",
    ),
    "motifs": ("Motif", "find_hits", "jaspar", "read_meme", "read_motifs", "write_meme"),
    "comparison": ("tomtom",),
    "scanning": ("scan",),
    "plots": (
        "plot_attribution",
        "plot_dashboard",
        "plot_history",
        "plot_logo",
        "plot_saliency",
        "plot_temporal",
    ),
}
_MODULES = (*_EXPORTS, "layers")

_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted([*_HOMES, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("deepmotif")
    except PackageNotFoundError:
        return "0+not.installed"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
