"""From optimised feature maps to the importance of channels: DeepResolve's formulas. Views room; private.

T restarts, W positions, K channels. Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262, sections "Visualizing
feature importance" and "Visualizing complex feature contribution patterns".
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exceptions import MissingDependencyError

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A FIV below this share of the largest magnitude has no sign.
SIGN_SHARE = 1e-3

#: scikit-learn's floor of the variance of a mixture's components, in the units of the data, squared.
PUBLISHED_FLOOR = 1e-6

# The floor relative to the data: components are no narrower than a tenth of the spread of all inconsistency levels, and
# no narrower than what a channel that varies by 3 % of the largest importance gives, so that neither rounding errors
# nor a handful of channels of exactly zero become a component.
_SHARE_OF_VARIANCE = 1e-2
_SHARE_OF_SQUARE = 1e-3

_MOST_COMPONENTS = 3


def importance_vectors(maps: NDArray[Any]) -> Values:
    """FIV (T, K): the mean of each map (T, W, K) over its positions."""
    return np.asarray(maps.mean(axis=1, dtype=np.float64))


def restart_weights(scores: NDArray[Any], dead: Flags) -> Values:
    """Weights (T,) of restarts: their class scores, moved up where one is negative; 0 for dead ones.

    Where that leaves no weight at all (equal negative scores), living restarts count the same.
    """
    values = np.where(dead, 0.0, np.asarray(scores, dtype=np.float64))
    weights = np.where(dead, 0.0, values - min(values[~dead].min(initial=0.0), 0.0))
    return weights if weights.sum() > 0 else np.where(dead, 0.0, 1.0)


def weighted_mean(values: Values, weights: Values) -> Values:
    """Mean over the first axis; 0 where there is no weight."""
    total = weights.sum()
    return np.asarray(weights @ values / total) if total > 0 else np.zeros(values.shape[1:])


def inconsistency_levels(fiv: Values, weights: Values) -> Values:
    """IL (K,): variance of each channel's FIVs under the restarts' weights."""
    return weighted_mean((fiv - weighted_mean(fiv, weights)) ** 2, weights)


def relative_floor(inconsistency: Values, fiv: Values) -> float:
    """The least variance of a component of the mixture, relative to the data."""
    largest = float(np.abs(fiv).max(initial=0.0))
    return max(_SHARE_OF_VARIANCE * float(inconsistency.var()), (_SHARE_OF_SQUARE * largest**2) ** 2)


def fit_mixture(inconsistency: Values, floor: float) -> tuple[int, Flags, Values]:
    """Gaussian mixtures of 1 to 3 components on the inconsistency levels; the lowest BIC wins.

    Returns
    -------
    n_components : int
    outside : (K,) bool
        Channels outside of the component of lowest mean.
    bic : (3,)
        BIC of each number of components; infinity where there are fewer channels than components.
    """
    mixture = _mixture_class()
    data = inconsistency[:, None]
    bic = np.full(_MOST_COMPONENTS, np.inf)
    labels = [np.zeros(len(data), dtype=bool)] * _MOST_COMPONENTS
    if len(data) == 1 or floor == 0:  # one channel, or nothing that differs from zero
        bic[0] = 0.0
        return 1, labels[0], bic
    for count in range(1, min(_MOST_COMPONENTS, len(np.unique(data))) + 1):
        for start in _mixture_starts(inconsistency, count, floor):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a fit that has not converged has its BIC as well
                model = mixture(count, reg_covar=floor, init_params="random_from_data", random_state=0, **start)
                fitted = model.fit(data)
            if fitted.bic(data) < bic[count - 1]:
                bic[count - 1] = fitted.bic(data)
                labels[count - 1] = fitted.predict(data) != fitted.means_[:, 0].argmin()
    best = int(bic.argmin())
    return best + 1, labels[best], bic


def _mixture_starts(values: Values, count: int, floor: float) -> list[dict[str, Values]]:
    """Where the fit of a mixture begins: values cut at their widest gaps, and into parts of equal number.

    In one dimension both are at hand, and no random start is needed.
    """
    ordered = np.sort(values)
    gaps = 1 + np.sort(np.argsort(-np.diff(ordered), kind="stable")[: count - 1])
    equal = np.arange(1, count) * len(ordered) // count
    starts = []
    for cuts in dict.fromkeys([tuple(gaps.tolist()), tuple(equal.tolist())]):
        parts = [part for part in np.split(ordered, cuts) if len(part)]
        if len(parts) == count:
            starts.append(
                {
                    "weights_init": np.array([len(part) / len(ordered) for part in parts]),
                    "means_init": np.array([[part.mean()] for part in parts]),
                    "precisions_init": np.array([[[1 / (part.var() + floor)]] for part in parts]),
                }
            )
    return starts


def _mixture_class() -> Any:
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError:
        raise MissingDependencyError(
            "deepresolve needs scikit-learn for its mixture of inconsistency levels: pip install 'deepmotif[sklearn]'"
        ) from None
    return GaussianMixture


def signs(fiv: Values, weights: Values) -> NDArray[np.int8]:
    """Sign (T, K) of every FIV: 0 below `SIGN_SHARE` of the largest magnitude, and in restarts without weight."""
    counted = np.where((weights > 0)[:, None], fiv, 0.0)
    threshold = SIGN_SHARE * np.abs(counted).max(initial=0.0)
    return np.where(np.abs(counted) > threshold, np.sign(counted), 0).astype(np.int8)


def overall_importance(fiv: Values, weights: Values, non_additive: Flags) -> Values:
    """OFIV (K,): the weighted mean of the FIVs; of non-additive channels with both signs, that of the positive ones."""
    result = weighted_mean(fiv, weights)
    sign = signs(fiv, weights)
    for channel in np.flatnonzero(non_additive & (sign > 0).any(axis=0) & (sign < 0).any(axis=0)):
        positive = sign[:, channel] > 0
        result[channel] = weighted_mean(fiv[positive, channel], weights[positive])
    return result
