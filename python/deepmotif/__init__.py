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
    from .attributions import (
        ism as ism,
    )
    from .interchange import (
        from_torch as from_torch,
        load_deepbind as load_deepbind,
        load_keras as load_keras,
        load_onnx as load_onnx,
    )
    from .resolve import (
        DeepResolve as DeepResolve,
        deepresolve as deepresolve,
    )
    from .similarity import (
        association_counts as association_counts,
        class_biclusters as class_biclusters,
        class_clusters as class_clusters,
        class_difference as class_difference,
        class_similarity as class_similarity,
        label_correlation as label_correlation,
        last_layer_similarity as last_layer_similarity,
    )
    from .channels import (
        channel_importance as channel_importance,
        channel_interactions as channel_interactions,
        channel_motifs as channel_motifs,
        enhanced_class_optimization as enhanced_class_optimization,
        visualize_channel as visualize_channel,
    )
    from .motifs import (
        Motif as Motif,
        find_hits as find_hits,
        jaspar as jaspar,
        read_meme as read_meme,
        read_motifs as read_motifs,
        write_meme as write_meme,
    )
    from .filters import (
        FilterMotif as FilterMotif,
        filter_motifs as filter_motifs,
    )
    from .extraction import (
        WindowMotif as WindowMotif,
        activation_motifs as activation_motifs,
        class_motif as class_motif,
        saliency_motifs as saliency_motifs,
        temporal_motifs as temporal_motifs,
    )
    from .seqlets import (
        SeqletMotif as SeqletMotif,
        seqlet_motifs as seqlet_motifs,
    )
    from .interactions import (
        PatternInteractions as PatternInteractions,
        channel_groups as channel_groups,
        pattern_interactions as pattern_interactions,
        pattern_responses as pattern_responses,
    )
    from .comparison import (
        motif_matches as motif_matches,
        tomtom as tomtom,
    )
    from .scanning import (
        scan as scan,
    )
    from .plots import (
        plot_association_counts as plot_association_counts,
        plot_attribution as plot_attribution,
        plot_class_biclusters as plot_class_biclusters,
        plot_class_clusters as plot_class_clusters,
        plot_class_similarity as plot_class_similarity,
        plot_dashboard as plot_dashboard,
        plot_deepresolve as plot_deepresolve,
        plot_feature_map as plot_feature_map,
        plot_filters as plot_filters,
        plot_history as plot_history,
        plot_interactions as plot_interactions,
        plot_logo as plot_logo,
        plot_ofiv as plot_ofiv,
        plot_saliency as plot_saliency,
        plot_similarity_comparison as plot_similarity_comparison,
        plot_temporal as plot_temporal,
    )
    from .html import (
        channels_html as channels_html,
        gallery_html as gallery_html,
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
    "attributions": ("ism",),
    "interchange": ("from_torch", "load_deepbind", "load_keras", "load_onnx"),
    "resolve": ("DeepResolve", "deepresolve"),
    "similarity": (
        "association_counts",
        "class_biclusters",
        "class_clusters",
        "class_difference",
        "class_similarity",
        "label_correlation",
        "last_layer_similarity",
    ),
    "channels": (
        "channel_importance",
        "channel_interactions",
        "channel_motifs",
        "enhanced_class_optimization",
        "visualize_channel",
    ),
    "motifs": ("Motif", "find_hits", "jaspar", "read_meme", "read_motifs", "write_meme"),
    "filters": ("FilterMotif", "filter_motifs"),
    "extraction": ("WindowMotif", "activation_motifs", "class_motif", "saliency_motifs", "temporal_motifs"),
    "seqlets": ("SeqletMotif", "seqlet_motifs"),
    "interactions": ("PatternInteractions", "channel_groups", "pattern_interactions", "pattern_responses"),
    "comparison": ("motif_matches", "tomtom"),
    "scanning": ("scan",),
    "plots": (
        "plot_association_counts",
        "plot_attribution",
        "plot_class_biclusters",
        "plot_class_clusters",
        "plot_class_similarity",
        "plot_dashboard",
        "plot_deepresolve",
        "plot_feature_map",
        "plot_filters",
        "plot_history",
        "plot_interactions",
        "plot_logo",
        "plot_ofiv",
        "plot_saliency",
        "plot_similarity_comparison",
        "plot_temporal",
    ),
    "html": ("channels_html", "gallery_html"),
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
