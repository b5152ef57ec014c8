"""How far the horizon leans, where there is a line that can be one.

Edge pixels vote for the lines through them in the direction of their gradient (Hough's transform in the form of Duda &
Hart, Use of the Hough transformation to detect lines and curves in pictures, CACM 15, 1972, with the gradients of
O'Gorman & Clowes, Finding picture edges through collinearity of feature points, IEEE Trans. Computers 25, 1976). The
longest line that is nearly level is the horizon, if it is long enough and other long lines do not say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from aesth.preprocess import UInt8Image
from aesth.qualities.sharpness import at_most

MOST = 12.0
"""Degrees that a horizon is looked for at both sides of level; what leans more may be meant to."""
LONG = 0.5
"""Share of the width that a line must cover to be a horizon."""
AGREEMENT = 0.8
"""Share of the votes of all long lines that must lean about as it does."""

_RIM = 0.12
"""Share of the height at the top and at the bottom where lines are frames and bars rather than horizons."""
_SIDE = 256
_LEAST = 16
"""Looked at with so many pixels on the short side at most, and at least."""
_STEP, _TOLERANCE = 0.25, 3.0
"""Degrees from one angle to the next, and by which a gradient may differ from the line it votes for."""
_SUPPORT, _NEAR = 0.3, 1.5
"""A line of this share of the width says something; within so many degrees it says the same."""
_STRONG = 3.0
"""Steps of 255 a pixel from which on a gradient is an edge."""
_ROUNDING = 1.2


@dataclass(frozen=True, slots=True)
class Horizon:
    """A line that is probably the horizon.

    Attributes:
        tilt: degrees that it leans, above 0 where it falls to the right, that is where the camera leaned to the left.
        length: the share of the width that its edge covers, `LONG` to 1.
        agreement: the share of the votes of long, nearly level lines that lean as it does, `AGREEMENT` to 1.
    """

    tilt: float
    length: float
    agreement: float


def horizon(image: UInt8Image) -> Horizon | None:
    """The horizon of ``image``, upright sRGB (h, w, 3), or None where there is none that is sure enough."""
    if min(image.shape[:2]) < _LEAST:
        return None
    grey = Image.fromarray(at_most(image, _SIDE)).convert("L").filter(ImageFilter.GaussianBlur(_ROUNDING))
    return _horizon(np.asarray(grey, np.float32))


def _horizon(grey: NDArray[np.float32]) -> Horizon | None:
    angles = np.arange(-MOST - 2, MOST + 2 + _STEP / 2, _STEP)
    lengths = _longest(grey, angles)
    best = int(lengths.argmax())
    tilt, length = float(_peak(angles, lengths, best)), float(lengths[best])
    votes = np.where(lengths >= _SUPPORT, lengths, 0)
    agreement = float(votes[np.abs(angles - tilt) <= _NEAR].sum() / max(votes.sum(), np.finfo(float).tiny))
    if length < LONG or agreement < AGREEMENT or abs(tilt) > MOST:
        return None
    return Horizon(tilt, min(length, 1.0), agreement)


def _longest(grey: NDArray[np.float32], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the width that the longest line of each of ``angles``, degrees, covers."""
    rows, columns, leaning = _edge_pixels(grey)
    width = grey.shape[1]
    found = np.zeros(len(angles))
    for number, angle in enumerate(angles):
        voting = np.abs(leaning - angle) <= _TOLERANCE
        slope = np.tan(np.radians(angle))
        offsets = rows[voting] - (columns[voting] - width / 2) * slope + width
        counts = np.bincount(offsets.astype(int), minlength=2)
        found[number] = (counts[1:] + counts[:-1]).max() / width
    return found


def _edge_pixels(grey: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Rows and columns of pixels that are an edge's strongest from top to bottom, and the degrees their edge leans."""
    down, right = (np.gradient(grey, axis=axis) for axis in (0, 1))
    strength = np.sqrt(down**2 + right**2)
    middle = strength[1:-1]
    rim = round(_RIM * len(grey))
    is_peak = (middle > strength[:-2]) & (middle >= strength[2:]) & (middle >= _STRONG)
    is_peak[:rim] = is_peak[len(is_peak) - rim :] = False
    rows, columns = np.nonzero(is_peak)
    rows = rows + 1
    leaning = np.degrees(np.arctan2(-right[rows, columns], down[rows, columns]))
    leaning = (leaning + 90) % 180 - 90
    return rows, columns, leaning.astype(np.float32)


def _peak(angles: NDArray[np.float64], lengths: NDArray[np.float64], best: int) -> np.float64:
    """The angle of the longest line, between those tried, weighed by those beside it."""
    near = slice(max(best - 2, 0), best + 3)
    weights = lengths[near] - min(lengths[near].min(), lengths[best] - 1e-9)
    return np.float64((angles[near] * weights).sum() / weights.sum())
