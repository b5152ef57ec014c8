"""All measures of one image at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aesth.preprocess import UInt8Image
from aesth.qualities.colours import colourfulness
from aesth.qualities.sharpness import SIDE, at_most, noise, sharpness
from aesth.qualities.tones import contrast, exposure, highlights, shadows


@dataclass(frozen=True, slots=True)
class Qualities:
    """What can be measured of one image.

    None of these says alone whether a photo is good: a fog is meant to be flat, a silhouette to be black.

    Attributes:
        sharpness: line widths that the short side resolves, 0-1024; a blur halves it that everybody sees. An image of
            fewer pixels cannot have more than it has pixels.
        exposure: the mean lightness, 0 (black) to 100 (white); ordinary photos have 35 to 60.
        shadows: the share of pixels that are black, 0-1; what was there is lost.
        highlights: the share of pixels of which a channel is at its end, 0-1; what was there is lost.
        contrast: the spread of lightness, 0-50; ordinary photos have 15 to 30.
        colourfulness: 0 (grey), 15 (slightly), 33 (moderately), 59 (quite), 82 (highly), 109 and more (extremely).
        noise: standard deviation of the grain, of 255; 0 to about 2 is clean.
    """

    sharpness: float
    exposure: float
    shadows: float
    highlights: float
    contrast: float
    colourfulness: float
    noise: float


RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "sharpness": (0.0, float(SIDE)),
        "exposure": (0.0, 100.0),
        "shadows": (0.0, 1.0),
        "highlights": (0.0, 1.0),
        "contrast": (0.0, 50.0),
        "colourfulness": (0.0, 300.0),
        "noise": (0.0, 128.0),
    }
)
"""The least and the greatest value that each measure can have."""


def measure(image: UInt8Image) -> Qualities:
    """All measures of ``image``, upright sRGB pixels (h, w, 3); its short side is reduced to at most `SIDE`."""
    small = at_most(image, SIDE)
    return Qualities(
        sharpness=sharpness(small),
        exposure=exposure(small),
        shadows=shadows(small),
        highlights=highlights(small),
        contrast=contrast(small),
        colourfulness=colourfulness(small),
        noise=noise(small),
    )
