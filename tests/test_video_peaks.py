"""Peaks of a curve, against `scipy.signal.find_peaks`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("av")
pytest.importorskip("scipy")

from scipy import signal

from aesth.apps.video.peaks import find_peaks

curves = st.lists(st.integers(0, 12), min_size=1, max_size=40)
different = st.lists(st.integers(0, 1000), min_size=1, max_size=40, unique=True)


def by_scipy(values: list[int], distance: int, prominence: float) -> list[int]:
    """The same, with a depth on both sides that makes the ends peaks as well."""
    depth = -1e6
    found, _ = signal.find_peaks([depth, *values, depth], distance=distance, prominence=prominence)
    return [int(peak) - 1 for peak in found]


@given(curves, st.integers(0, 13))
def test_high_enough_above_what_is_around(values: list[int], prominence: int) -> None:
    times = np.arange(len(values))
    assert find_peaks(values, times, distance=1, prominence=prominence) == by_scipy(values, 1, prominence)


@given(different, st.integers(1, 9), st.integers(0, 500))
def test_far_enough_apart(values: list[int], distance: int, prominence: int) -> None:
    """Of equal peaks, scipy does not say which one stays, so that there are none here."""
    times = np.arange(len(values))
    assert find_peaks(values, times, distance=distance, prominence=prominence) == by_scipy(values, distance, prominence)


@given(curves, st.lists(st.floats(0.01, 5), min_size=40, max_size=40), st.floats(0, 20))
def test_times_need_not_be_even(values: list[int], steps: list[float], distance: float) -> None:
    times = np.cumsum(steps[: len(values)])
    peaks = find_peaks(values, times, distance=distance, prominence=3)
    assert all(after - before >= distance for before, after in zip(times[peaks], times[peaks[1:]], strict=False))
    assert max(values) in [values[peak] for peak in peaks]
