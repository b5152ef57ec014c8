"""Which of some things is chosen, by what is known of each: the conditional logit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 50
_LONGEST = 2.0
"""No step of the search is longer, so that none leaps into where all choices are certain."""


def fit_choices(features: NDArray[np.float64], chosen: NDArray[np.int64], ridge: float) -> NDArray[np.float64]:
    """The weights under which what was chosen is likeliest: the odds of each thing are exp(weights x features).

    By Newton's method; the likelihood is concave. Source: McFadden, Conditional logit analysis of qualitative choice
    behavior, 1974.

    Args:
        features: of each thing of each choice, (choices, things, f).
        chosen: the number of the thing that was chosen, (choices,).
        ridge: half of it, times the weights' squared length, is taken off the mean log-likelihood.

    Returns:
        (f,).
    """
    weights = np.zeros(features.shape[-1])
    taken = features[np.arange(len(chosen)), chosen]
    for _ in range(_STEPS):
        likely = _likelihoods(features @ weights)
        mean = np.einsum("cn,cnf->cf", likely, features)
        slope = (taken - mean).mean(axis=0) - ridge * weights
        bend = (np.einsum("cn,cnf,cng->fg", likely, features, features) - mean.T @ mean) / len(chosen)
        step = np.linalg.solve(bend + ridge * np.eye(len(weights)), slope)
        weights = weights + step * min(1.0, _LONGEST / max(float(np.linalg.norm(step)), 1e-12))
    return weights


def _likelihoods(merits: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each thing is chosen, by its merit, (choices, things)."""
    odds = np.exp(merits - merits.max(axis=1, keepdims=True))
    likely: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return likely
