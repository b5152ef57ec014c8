"""A map over its photo in two colours that people tell apart whatever colours they see."""

from __future__ import annotations

import numpy as np

from aesth.apps.explain.maps import SaliencyMap, resized
from aesth.preprocess import UInt8Image

RAISES, LOWERS = (255, 159, 28), (0, 104, 214)
"""Orange and blue, as Okabe & Ito (Color universal design, 2008) pair them; the one is lighter, too."""

_TRANSPARENT_BELOW, _OPAQUE_FROM, _STRENGTH, _CEILING = 0.12, 0.9, 0.8, 99.5
_DIM = 0.75


def overlay(image: UInt8Image, saliency: SaliencyMap, full: float = 0.0) -> UInt8Image:
    """``image`` in dim grey, orange where ``saliency`` is above 0 and blue where it is below, (h, w, 3).

    Args:
        image: sRGB pixels (h, w, 3).
        saliency: of any size, (h', w').
        full: the value that is shown in full colour at least, so that a map in which hardly anything matters looks so;
            where the map has larger ones, these are.
    """
    values = resized(saliency.astype(np.float32), image.shape[:2])
    strength = np.clip(values / ceiling(values, full), -1, 1)
    alpha = _STRENGTH * np.clip((np.abs(strength) - _TRANSPARENT_BELOW) / (_OPAQUE_FROM - _TRANSPARENT_BELOW), 0, 1)
    colours = np.where((strength > 0)[..., None], np.array(RAISES, np.float32), np.array(LOWERS, np.float32))
    grey = _DIM * (image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    mixed: UInt8Image = np.rint(grey + (colours - grey) * alpha[..., None]).astype(np.uint8)
    return mixed


def ceiling(saliency: SaliencyMap, full: float = 0.0) -> float:
    """The value of a map, whatever its sign, that is shown in full colour; above 0."""
    return max(float(np.percentile(np.abs(saliency), _CEILING)), full, float(np.finfo(np.float32).tiny))
