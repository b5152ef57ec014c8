"""How light and dark are spread in an image, and what of them is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aesth.preprocess import UInt8Image

BLACK, WHITE = 4, 251
"""Values up to which, and from which on, a channel is at its end; JPEG moves such pixels by a few steps."""


def exposure(image: UInt8Image) -> float:
    """Mean lightness of ``image``, sRGB (h, w, 3): 0 (black) to 100 (white)."""
    return float(lightness(image).mean())


def contrast(image: UInt8Image) -> float:
    """Standard deviation of the lightness of ``image``, sRGB (h, w, 3): 0 (flat) to 50 (half black, half white).

    Source: the root-mean-square contrast of Peli, Contrast in complex images, JOSA A 7, 1990, of lightness.
    """
    return float(lightness(image).std())


def shadows(image: UInt8Image) -> float:
    """Share of pixels of ``image``, (h, w, 3), that are black, 0-1."""
    return float((image <= BLACK).all(axis=-1).mean())


def highlights(image: UInt8Image) -> float:
    """Share of pixels of ``image``, (h, w, 3), of which a channel is at its end, 0-1, as cameras let them blink."""
    return float((image >= WHITE).any(axis=-1).mean())


def lightness(image: UInt8Image) -> NDArray[np.float32]:
    """CIE 1976 lightness L*, 0-100, (h, w), of sRGB pixels (h, w, 3)."""
    luminance = _LINEAR[image] @ _LUMINANCE
    light: NDArray[np.float32] = np.where(luminance > (6 / 29) ** 3, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    return light


def _linear() -> NDArray[np.float32]:
    """Linear light of the 256 values of sRGB (IEC 61966-2-1)."""
    values = np.arange(256) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


_LINEAR = _linear()
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
