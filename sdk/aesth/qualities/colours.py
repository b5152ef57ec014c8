"""How colourful an image is."""

from __future__ import annotations

import numpy as np

from aesth.preprocess import UInt8Image


def colourfulness(image: UInt8Image) -> float:
    """Colourfulness of ``image``, sRGB (h, w, 3): 0 is grey, 33 moderately, 59 quite, 109 extremely colourful.

    Source: Hasler & Süsstrunk, Measuring colourfulness in natural images, SPIE 5007, 2003: M3, fitted to the
    judgements of 20 people.
    """
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    away_from_grey = np.hypot(red_green.mean(), yellow_blue.mean())
    return float(spread + 0.3 * away_from_grey)
