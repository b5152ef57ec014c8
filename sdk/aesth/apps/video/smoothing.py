"""Smoothing of a score curve: a Kalman filter, and back over it the pass of Rauch, Tung and Striebel (1965).

What is sought, the score x, wanders from one sample to the next; what is measured, y, is it and noise:

    x[k] = x[k - 1] + w[k],  w[k] ~ N(0, drift[k])        y[k] = x[k] + v[k],  v[k] ~ N(0, noise)

The filter tells x[k] by all measurements until then; the pass back by those after it as well, so that no peak is late.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Series = NDArray[np.float64]
"""(n,): a number for each sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """What is known of x by all measurements.

    Attributes:
        mean: (n,).
        variance: (n,).
    """

    mean: Series
    variance: Series


def smooth(measured: ArrayLike, drift: ArrayLike, noise: float) -> Smoothed:
    """The mean and variance of each x[k], given every y.

    Args:
        measured: y, (n,).
        drift: variance of each step, (n - 1,); 0 or more.
        noise: variance of a measurement, more than 0. Of x[0] nothing is known but y[0].
    """
    y, q = np.asarray(measured, np.float64), np.asarray(drift, np.float64)
    filtered = _filter(y, q, noise)
    mean, variance = filtered.mean.copy(), filtered.variance.copy()
    for k in range(len(y) - 2, -1, -1):
        predicted = filtered.variance[k] + q[k]
        gain = filtered.variance[k] / predicted
        mean[k] += gain * (mean[k + 1] - filtered.mean[k])
        variance[k] += gain**2 * (variance[k + 1] - predicted)
    return Smoothed(mean, variance)


def _filter(y: Series, q: Series, noise: float) -> Smoothed:
    """The mean and variance of each x[k], given the measurements up to y[k]."""
    mean, variance = y.copy(), np.full_like(y, noise)
    for k in range(1, len(y)):
        predicted = variance[k - 1] + q[k - 1]
        gain = predicted / (predicted + noise)
        mean[k] = mean[k - 1] + gain * (y[k] - mean[k - 1])
        variance[k] = (1 - gain) * predicted
    return Smoothed(mean, variance)
