"""The best spots of a video: the peaks of its smoothed score curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aesth.apps.video.curve import Curve
from aesth.apps.video.peaks import find_peaks

APART = 2.0
"""Seconds between two spots at least."""
PROMINENCE = 5.0
"""Points by which the curve falls at least on both sides of a spot, before it rises above it."""
MOST = 12
"""Spots of a video at most; the best of them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A peak of the curve.

    Attributes:
        rank: 1 for the best of the video.
        time: seconds from the start.
        score: 0-100, smoothed.
    """

    rank: int
    time: float
    score: float


def find_spots(curve: Curve, *, apart: float = APART, prominence: float = PROMINENCE, most: int = MOST) -> list[Spot]:
    """The best spots, in the order in which they are shown; one at least.

    No spot is worse than half of the video: the best of a dull scene is none.

    Args:
        curve: of the video.
        apart: seconds between two of them at least.
        prominence: points that the curve falls on both sides of each.
        most: so many at most, the best.
    """
    peaks = find_peaks(curve.smoothed, curve.times, distance=apart, prominence=prominence)
    peaks = [peak for peak in peaks if curve.smoothed[peak] >= np.median(curve.smoothed)]
    best = sorted(peaks, key=lambda peak: (-curve.smoothed[peak], peak))[:most]
    ranks = {peak: rank for rank, peak in enumerate(best, start=1)}
    return [Spot(ranks[peak], float(curve.times[peak]), float(curve.smoothed[peak])) for peak in sorted(best)]


def neighbourhood_of(curve: Curve, spot: Spot) -> tuple[float, float]:
    """From when to when frames are likely to show what the frame of a spot shows: halfway to those of its scene."""
    number = int(np.searchsorted(curve.times, spot.time))
    start = end = spot.time
    if number > 0 and not curve.begins[number]:
        start = (spot.time + float(curve.times[number - 1])) / 2
    if number + 1 < len(curve.times) and not curve.begins[number + 1]:
        end = (spot.time + float(curve.times[number + 1])) / 2
    return start, end


def stretch_of(curve: Curve, time: float, fall: float) -> tuple[float, float]:
    """From when to when the scene that is shown at ``time`` is as good as then, but for ``fall`` points, in seconds.

    Within what was seen of it: from its first frame that was scored to its last.
    """
    number = int(np.searchsorted(curve.times, time, side="right")) - 1
    scenes = curve.begins.cumsum()
    good = (scenes == scenes[number]) & (curve.smoothed >= curve.smoothed[number] - fall)
    others = np.flatnonzero(~good)
    first = others[others < number].max(initial=-1) + 1
    last = others[others > number].min(initial=len(good)) - 1
    return float(curve.times[first]), float(curve.times[last])
