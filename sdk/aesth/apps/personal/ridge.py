"""Ridge regression of what is left of a person's stars when the general score has explained its part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RIDGE = 5.0
"""Weight of the prior that says that a person likes what all like, beside ratings that each weigh 1. So the fewer
ratings there are, the more a taste is shrunk to nothing."""

LEAST_SHARE = 0.1
"""Correlation of the norm with the stars that is assumed at least, for people who do not share what others like."""


@dataclass(frozen=True, eq=False)
class Leaning:
    """What is added to the norm of a photo by its direction.

    Attributes:
        weights: (d,), in units of the norm.
        middle: the direction at which nothing is added, (d,).
    """

    weights: Numbers
    middle: Numbers

    def __call__(self, directions: Numbers) -> Numbers:
        """What is added to photos of these directions, (n, d) -> (n,)."""
        added: Numbers = (directions - self.middle) @ self.weights
        return added


def fit_leaning(norms: Numbers, directions: Numbers, stars: Numbers, ridge: float = RIDGE) -> Leaning:
    """What one person likes more, or less, than the norm says.

    Stars, in standard deviations, are the norm times its correlation with them, plus a linear function of the
    direction, plus noise. Where all stars or all norms are equal there is nothing to learn, and nothing is added.

    Args:
        norms: of the photos, (n,).
        directions: of length 1, (n, d).
        stars: that the person gave, (n,).
        ridge: penalty of the squared weights, while one rating counts 1 and all norms are brought to deviation 1.
    """
    middle = directions.mean(axis=0)
    spread, said_spread = float(norms.std()), float(stars.std())
    if spread == 0 or said_spread == 0:
        return Leaning(np.zeros(directions.shape[1]), middle)
    liked, said = (norms - norms.mean()) / spread, (stars - stars.mean()) / said_spread
    share = max(float(np.mean(liked * said)), LEAST_SHARE)
    weights = ridge_weights(directions - middle, said - share * liked, ridge)
    return Leaning(weights * spread / share, middle)


def ridge_weights(features: Numbers, targets: Numbers, ridge: float) -> Numbers:
    """The weights w that make ``|features w - targets|^2 + ridge |w|^2`` smallest: (n, d), (n,) -> (d,).

    Solved among photos where they are fewer than dimensions, else among dimensions; the result is the same.
    """
    photos, dimensions = features.shape
    if photos < dimensions:
        weights = features.T @ np.linalg.solve(features @ features.T + ridge * np.eye(photos), targets)
    else:
        weights = np.linalg.solve(features.T @ features + ridge * np.eye(dimensions), features.T @ targets)
    return np.asarray(weights, np.float64)
