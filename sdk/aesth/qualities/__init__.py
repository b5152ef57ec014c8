"""Plain measures of one image: what a photographer would name, each with its unit and range, without a model."""

from __future__ import annotations

from aesth.qualities.colours import colourfulness
from aesth.qualities.measures import RANGES, Qualities, measure
from aesth.qualities.sharpness import SIDE, noise, sharpness
from aesth.qualities.tones import contrast, exposure, highlights, shadows

__all__ = [
    "RANGES",
    "SIDE",
    "Qualities",
    "colourfulness",
    "contrast",
    "exposure",
    "highlights",
    "measure",
    "noise",
    "shadows",
    "sharpness",
]
