"""Peaks of a curve: far enough from one another, and high enough above what is around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray


def find_peaks(values: ArrayLike, times: ArrayLike, *, distance: float, prominence: float) -> list[int]:
    """The numbers of the peaks, in order.

    The same as `scipy.signal.find_peaks`, which needs even times, but that the ends of the curve may be peaks too: the
    highest value always is one.

    Args:
        values: (n,), without NaN.
        times: when each of them is, (n,), increasing.
        distance: time between two peaks at least; of those that are nearer, the lower is none.
        prominence: how far the curve falls at least on both sides of a peak, before it rises above it.
    """
    heights, moments = np.asarray(values, np.float64), np.asarray(times, np.float64)
    apart = _keep_apart(list(_maxima(heights)), heights, moments, distance)
    return [peak for peak in apart if prominence_of(peak, heights) >= prominence]


def prominence_of(peak: int, heights: NDArray[np.float64]) -> float:
    """How far the curve falls from a peak before it rises above it, on the side where that is less.

    A curve is taken to fall without end before its first value and after its last.
    """
    before, after = heights[:peak][::-1], heights[peak + 1 :]
    return float(heights[peak] - max(_lowest_until_above(side, heights[peak]) for side in (before, after)))


def _maxima(heights: NDArray[np.float64]) -> Iterator[int]:
    """Values that are higher than those beside them; of equal ones in a row, the one in their middle."""
    begin, before = 0, -np.inf
    runs = [(height, len(list(run))) for height, run in groupby(heights)]
    following = [height for height, _ in runs[1:]] + [-np.inf]
    for (height, length), after in zip(runs, following, strict=True):
        if before < height > after:
            yield begin + (length - 1) // 2
        begin, before = begin + length, height


def _keep_apart(
    peaks: list[int], heights: NDArray[np.float64], moments: NDArray[np.float64], distance: float
) -> list[int]:
    """The highest of ``peaks``, then the highest of those that are far enough from it, and so on."""
    kept: list[int] = []
    for peak in sorted(peaks, key=lambda number: (heights[number], number), reverse=True):
        if all(abs(moments[peak] - moments[other]) >= distance for other in kept):
            kept.append(peak)
    return sorted(kept)


def _lowest_until_above(side: NDArray[np.float64], height: float) -> float:
    """The lowest of values, from the peak outwards, until one is above the peak."""
    above = np.flatnonzero(side > height)
    return float(side[: above[0]].min(initial=height)) if len(above) else -np.inf
