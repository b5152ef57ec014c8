"""Plain measures of one image: what a photographer would name, each with its unit and range, without a model."""

from __future__ import annotations

from aesth.qualities.colours import colourfulness
from aesth.qualities.comparing import moved, relative_sharpness
from aesth.qualities.horizons import Horizon, horizon
from aesth.qualities.measures import RANGES, Qualities, measure
from aesth.qualities.sharpness import SIDE, Edges, at_most, edges_of, noise, sharpness
from aesth.qualities.tones import contrast, exposure, highlights, shadows

__all__ = [
    "RANGES",
    "SIDE",
    "Edges",
    "Horizon",
    "Qualities",
    "at_most",
    "colourfulness",
    "contrast",
    "edges_of",
    "exposure",
    "highlights",
    "horizon",
    "measure",
    "moved",
    "noise",
    "relative_sharpness",
    "shadows",
    "sharpness",
]
