"""What a dashboard shows, as plain arrays, and how it is computed from fitted models.

Room: plots. `DashboardData` is free of models and checks itself; `dashboard_data` fills it with the three views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.plots._style import as_codes, as_matrix, as_rows, clean_text
from deepmotif.plots.logos import best_matrix, logo_heights
from deepmotif.plots.strips import temporal_pair

#: Chance of a hit at one place of one strand of a random sequence.
HIT_P_VALUE = 1e-3
# Of the class optimisation: distributions show the motif more clearly than free inputs; the best of a few is robust.
OPTIMIZATION = {"restarts": 8, "parametrization": "softmax"}
FAMILIAR_NAMES = {"CNNRNN": "CNN-RNN"}


@dataclass(frozen=True)
class ModelPanel:
    """The views of one model on one sequence.

    Attributes
    ----------
    name : str
    probability : float
        P(target) of the sequence.
    saliency : array (L,)
    optimized : array (L', 4), optional
        The class-optimised sequence as probabilities; L' need not be L.
    forward, backward : array (L,), optional
        The temporal scores of a model with an LSTM; both or none.
    """

    name: str
    probability: float
    saliency: Any
    optimized: Any = None
    forward: Any = None
    backward: Any = None


@dataclass(frozen=True)
class DashboardData:
    """Everything that `draw_dashboard` draws.

    Attributes
    ----------
    sequence : str or codes (L,)
    models : sequence of ModelPanel
    motif : Motif or array (W, 4), optional
    hits : sequence of (start, end) or (start, end, strand)
        0-based and half-open; equal places on both strands are drawn as one box.
    target : str
        Name of the class in "P(...)".

    Raises
    ------
    ShapeError, InvalidArgumentError
        On construction, naming the model and the field.

    Examples
    --------
    >>> data = DashboardData("GATAAG", [ModelPanel("CNN", 0.9, [0, 1, 2, 1, 0, 0])], hits=[(0, 4)])
    >>> data.length, data.hits
    (6, ((0, 4, ''),))
    """

    sequence: Any
    models: Any
    motif: Any = None
    hits: Any = ()
    target: str = "positive"
    codes: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes = as_codes(self.sequence)
        models = tuple(_checked(panel, len(codes)) for panel in self.models)
        if not models:
            raise InvalidArgumentError("models must hold at least one model; got none")
        if self.motif is not None:
            logo_heights(self.motif, "information")
        # A frozen dataclass is filled in this way during construction.
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "models", models)
        object.__setattr__(self, "hits", as_hits(self.hits, len(codes)))
        object.__setattr__(self, "target", clean_text(self.target, 24))

    @property
    def length(self) -> int:
        """L, the length of the sequence."""
        return len(self.codes)


def as_hits(hits: Any, length: int) -> tuple[tuple[int, int, str], ...]:
    """Hits as sorted (start, end, strand) with the strands of equal places joined, "+-".

    Takes an iterable of pairs or triples, or a table with the columns start, end and strand.

    Examples
    --------
    >>> as_hits([(8, 12, "-"), (2, 6), (8, 12, "+")], 20)
    ((2, 6, ''), (8, 12, '+-'))
    """
    if hasattr(hits, "columns"):
        hits = zip(hits["start"], hits["end"], hits["strand"], strict=True)
    places: dict[tuple[int, int], set[str]] = {}
    for i, hit in enumerate(hits):
        try:
            start, end, *rest = hit
            # Exact integers only: a fraction of a base is a mistake.
            whole = int(start) == start and int(end) == end and len(rest) <= 1
        except (TypeError, ValueError):
            whole = False
        if not whole:
            raise InvalidArgumentError(f"hits[{i}] must be (start, end) or (start, end, strand); got {hit!r}")
        if not 0 <= start < end <= length:
            raise InvalidArgumentError(f"hits[{i}] must lie in 0..{length}, start before end; got {start}..{end}")
        strand = rest[0] if rest and rest[0] is not None else ""
        if strand not in ("", ".", "+", "-"):
            raise InvalidArgumentError(f"hits[{i}] must have the strand '+', '-' or '.'; got {strand!r}")
        places.setdefault((int(start), int(end)), set()).update(strand.strip("."))
    return tuple((*place, "".join(sorted(strands))) for place, strands in sorted(places.items()))


def _checked(panel: ModelPanel, length: int) -> ModelPanel:
    name = clean_text(panel.name, 24)
    if not 0 <= panel.probability <= 1:
        raise InvalidArgumentError(f"probability of {name} must be in 0..1; got {panel.probability!r}")
    saliency = as_rows(panel.saliency, f"saliency of {name}")
    optimized = panel.optimized
    if optimized is not None:
        optimized = as_matrix(optimized, f"optimized of {name}")
        logo_heights(optimized, "information")
    if (panel.forward is None) != (panel.backward is None):
        raise InvalidArgumentError(f"{name} must have both forward and backward scores, or neither")
    forward = backward = None
    strips = [("saliency", saliency)]
    if panel.forward is not None:
        forward, backward = temporal_pair((panel.forward, panel.backward))
        strips += [("forward", forward)]
    for kind, rows in strips:
        if rows.shape != (1, length):
            raise ShapeError(f"{kind} of {name} must be ({length},), one value per base; got shape {rows.shape}")
    one = [None if rows is None else rows[0] for rows in (forward, backward)]
    return ModelPanel(name, float(panel.probability), saliency[0], optimized, *one)


def dashboard_data(
    models: Any,
    sequence: str,
    motif: Any = None,
    *,
    target: Any = None,
    optimizations: Any = None,
    hits: Any = None,
    class_optimization_options: Mapping[str, Any] | None = None,
    random_state: int = 0,
) -> DashboardData:
    """Compute the views of every model; arguments as in `plot_dashboard`."""
    if not isinstance(sequence, str):
        raise InvalidArgumentError(f"sequence must be one str; got {type(sequence).__name__}")
    codes = as_codes(sequence)
    named = named_models(models)
    known = _known_optimizations(optimizations, list(named))
    if hits is None:
        hits = () if motif is None else _known_hits(motif, codes)
    hits = as_hits(hits, len(codes))
    options = {**OPTIMIZATION, "length": len(codes), "random_state": random_state, **(class_optimization_options or {})}
    panels = []
    for name, model in named.items():
        optimized = known[name] if name in known else _optimize(model, target, options)
        panels.append(_panel(name, model, sequence, target, optimized))
    positive = "positive" if target is None else str(target)
    return DashboardData(sequence, panels, motif, hits, positive)


def named_models(models: Any) -> dict[str, Any]:
    """Name -> model; a list is named after the classes, with a number where two would be equal.

    Raises
    ------
    InvalidArgumentError
        For no model, or something that cannot predict.
    """
    if isinstance(models, Mapping):
        named = {str(name): model for name, model in models.items()}
    else:
        if hasattr(models, "predict_proba"):
            models = [models]
        if isinstance(models, str) or not isinstance(models, Iterable):
            raise InvalidArgumentError(f"models must be a list or dict of fitted models; got {type(models).__name__}")
        named = {}
        for model in models:
            kind = type(model).__name__
            base = name = FAMILIAR_NAMES.get(kind, kind)
            number = 2
            while name in named:
                name, number = f"{base} {number}", number + 1
            named[name] = model
    if not named:
        raise InvalidArgumentError("models must hold at least one model; got none")
    for name, model in named.items():
        if not hasattr(model, "predict_proba"):
            raise InvalidArgumentError(f"models[{name!r}] must be a fitted model; got {type(model).__name__}")
    return named


def _panel(name: str, model: Any, sequence: str, target: Any, optimized: Any) -> ModelPanel:
    # Imported here: figures draw arrays, and only this function asks models for them.
    from deepmotif import views

    X = [sequence]
    # The same rule for targets as the views': the models have it.
    column = model._resolve_target(target)
    probability = float(np.asarray(model.predict_proba(X))[0, column])
    saliency = np.asarray(views.saliency(model, X, target))[0]
    forward = backward = None
    if getattr(model, "is_recurrent", False):
        scores = views.temporal_scores(model, X, target)
        forward, backward = np.asarray(scores.forward)[0], np.asarray(scores.backward)[0]
    return ModelPanel(name, probability, saliency, optimized, forward, backward)


def _optimize(model: Any, target: Any, options: Mapping[str, Any]) -> np.ndarray:
    from deepmotif import views

    return best_matrix(views.class_optimization(model, target, **options))


def _known_optimizations(given: Any, names: list[str]) -> dict[str, Any]:
    """Name -> matrix or None for the models whose class optimisation need not be computed."""
    if given is None:
        return {}
    if given is False:
        return dict.fromkeys(names)
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(
            f"optimizations must be a dict name -> (L, 4), None or False; got {type(given).__name__}"
        )
    strange = [name for name in given if name not in names]
    if strange:
        raise InvalidArgumentError(f"optimizations names {strange[0]!r}, which is no model; the models are {names}")
    return {name: best_matrix(value) for name, value in given.items()}


def _known_hits(motif: Any, codes: np.ndarray) -> Any:
    from deepmotif import motifs

    if not hasattr(motif, "probabilities"):
        motif = motifs.Motif(as_matrix(motif, "motif"))
    return motifs.find_hits(motif, codes, p_value=HIT_P_VALUE)
