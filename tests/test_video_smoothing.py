"""The Kalman filter and its pass back, against the posterior of the same Gaussian model written out whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("av")

from aesth.apps.video.smoothing import smooth

points = st.floats(0, 100)
variances = st.floats(1e-3, 1e4)
series = st.integers(1, 25).flatmap(
    lambda n: st.tuples(
        st.lists(points, min_size=n, max_size=n), st.lists(variances, min_size=n - 1, max_size=n - 1), variances
    )
)


def posterior(
    measured: NDArray[np.float64], drift: NDArray[np.float64], noise: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of every x by the inverse of the precision matrix (n, n): the slow and literal way."""
    n = len(measured)
    steps = np.diff(np.eye(n), axis=0)
    precision = np.eye(n) / noise + steps.T @ np.diag(1 / drift) @ steps
    covariance = np.linalg.inv(precision)
    return covariance @ measured / noise, np.diag(covariance)


@given(series)
def test_it_is_the_posterior_given_all_measurements(given: tuple[list[float], list[float], float]) -> None:
    measured, drift, noise = np.array(given[0]), np.array(given[1]), given[2]
    mean, variance = posterior(measured, drift, noise)
    known = smooth(measured, drift, noise)
    np.testing.assert_allclose(known.mean, mean, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(known.variance, variance, rtol=1e-6, atol=1e-8)


@given(series)
def test_a_curve_played_backwards_is_smoothed_the_same(given: tuple[list[float], list[float], float]) -> None:
    measured, drift, noise = given
    forwards, backwards = smooth(measured, drift, noise), smooth(measured[::-1], drift[::-1], noise)
    np.testing.assert_allclose(forwards.mean, backwards.mean[::-1], rtol=1e-6, atol=1e-6)


def test_what_does_not_change_stays() -> None:
    np.testing.assert_allclose(smooth([50.0] * 9, [4.0] * 8, 9.0).mean, 50)


def test_noise_gets_less() -> None:
    rng = np.random.default_rng(0)
    truth = 50 + np.cumsum(rng.normal(0, 0.5, 500))
    measured = truth + rng.normal(0, 5, 500)
    known = smooth(measured, np.full(499, 0.25), 25.0)
    assert np.std(known.mean - truth) < 0.4 * np.std(measured - truth)
    assert np.mean(np.abs(known.mean - truth) < 2 * np.sqrt(known.variance)) == pytest.approx(0.95, abs=0.04)
