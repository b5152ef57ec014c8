"""Whom a model marks down: black-and-white photos, and people by the tone of their skin, as far as ratings can tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy import stats

from aesth.preprocess import UInt8Image
from aesth.scale import Scale
from aesth.training.figures import known
from aesth.training.metrics import srcc

TONES: Mapping[str, float] = MappingProxyType(
    {"very light": 55, "light": 41, "intermediate": 28, "tan": 10, "brown": -30, "dark": -math.inf}
)
"""Skin tone -> the individual typology angle, in degrees, that it is above (Chardon, Cretois & Hourseau 1991)."""

SKIN_AT_LEAST = 0.05
"""Share of a picture that looks like skin, below which no tone is told."""

_CB, _CR = (77, 127), (133, 173)


def style_figures(originals: ArrayLike, copies: ArrayLike) -> dict[str, object]:
    """What a change of style costs.

    Args:
        originals: norms of n photos, at least 2.
        copies: norms of the same photos in another style.

    Returns:
        ``photos``; ``marked_down``, the share of copies with a lower norm (0.5 says that style does not matter, ties
        count half); ``mean_change`` and ``median_change`` of the percentile among the originals, -100 to 100; ``p``, of
        a two-sided sign test that as many go up as down.
    """
    before, after = np.asarray(originals, np.float64), np.asarray(copies, np.float64)
    scale = Scale.fit(before, "originals")
    change = scale.score(after) - scale.score(before)
    lower, higher = int((after < before).sum()), int((after > before).sum())
    figures = {
        "photos": len(before),
        "marked_down": round((lower + (len(before) - lower - higher) / 2) / len(before), 4),
        "mean_change": round(float(change.mean()), 2),
        "median_change": round(float(np.median(change)), 2),
        "p": float(f"{stats.binomtest(lower, lower + higher).pvalue:.3g}") if lower + higher else math.nan,
    }
    return {name: known(value) for name, value in figures.items()}


def skin_angle(image: UInt8Image) -> float:
    """The individual typology angle of what looks like skin: arctan((L* - 50) / b*) in degrees, high for light skin.

    Skin is told by its chroma alone (Chai & Ngan 1999), which wood, sand and fur have too; the angle depends on light
    and exposure as much as on skin. Good for a look at many pictures together, never for one.

    Returns:
        The median over skin-coloured pixels; NaN where they are less than `SKIN_AT_LEAST` of the picture.
    """
    chroma = np.asarray(Image.fromarray(image).convert("YCbCr"), np.int16)
    skin = (_CB[0] <= chroma[..., 1]) & (chroma[..., 1] <= _CB[1]) & (_CR[0] <= chroma[..., 2])
    skin &= chroma[..., 2] <= _CR[1]
    if skin.mean() < SKIN_AT_LEAST:
        return math.nan
    lightness, blue_to_yellow = _lab(image[skin])
    return float(np.median(np.degrees(np.arctan2(lightness - 50, blue_to_yellow))))


def tone(angle: float) -> str:
    """The name in `TONES` of an angle in degrees."""
    return next(name for name, least in TONES.items() if angle > least)


def tone_figures(norms: ArrayLike, ratings: ArrayLike, angles: ArrayLike) -> dict[str, object]:
    """Whether a model says less of darker skin than people do.

    The residual of a picture is its percentile among these pictures by norm less that by rating: below 0, the model
    marks it down against people.

    Args:
        norms: of n pictures of people, by a model that has not learned from them.
        ratings: by people, (n,).
        angles: `skin_angle` of each, (n,); pictures whose angle is NaN are left out.

    Returns:
        ``pictures``; ``residual_srcc``, the rank correlation of residual and angle (above 0: darker skin is marked
        down), and its two-sided ``p`` (scipy's, by Student's t); ``tones``: name -> ``pictures`` and ``mean_residual``
        in percentile points, with its ``standard_error``.
    """
    known_angle = np.isfinite(np.asarray(angles, np.float64))
    norm, rating, angle = (np.asarray(values, np.float64)[known_angle] for values in (norms, ratings, angles))
    if len(norm) < 3:
        return {"pictures": len(norm), "residual_srcc": None, "p": None, "tones": {}}
    residual = _percentiles(norm) - _percentiles(rating)
    names = np.array([tone(value) for value in angle])
    return {
        "pictures": len(norm),
        "residual_srcc": known(round(srcc(residual, angle), 4)),
        "p": known(_significance(residual, angle)),
        "tones": {name: _residuals(residual[names == name]) for name in TONES if (names == name).any()},
    }


def _residuals(residual: NDArray[np.float64]) -> dict[str, object]:
    error = residual.std(ddof=1) / math.sqrt(len(residual)) if len(residual) > 1 else math.nan
    return {
        "pictures": len(residual),
        "mean_residual": round(float(residual.mean()), 2),
        "standard_error": known(round(float(error), 2)),
    }


def _significance(residual: NDArray[np.float64], angle: NDArray[np.float64]) -> float:
    if np.ptp(residual) == 0 or np.ptp(angle) == 0:
        return math.nan
    return float(f"{stats.spearmanr(residual, angle).pvalue:.3g}")


def _percentiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks: NDArray[np.float64] = (stats.rankdata(values) - 0.5) / len(values) * 100
    return ranks


def _lab(colours: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """L* and b* (CIE 1976, D65) of sRGB colours (n, 3)."""
    value = colours / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126729, 0.7151522, 0.0721750])
    blue = linear @ np.array([0.0193339, 0.1191920, 0.9503041]) / 1.08883
    y, z = (np.where(v > 216 / 24389, np.cbrt(v), (24389 / 27 * v + 16) / 116) for v in (luminance, blue))
    return 116 * y - 16, 200 * (y - z)
