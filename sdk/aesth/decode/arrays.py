"""Arrays of numbers -> pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aesth.errors import DecodeError
from aesth.preprocess import UInt8Image

WHITE = 255
"""What shows through transparent pixels: paper white, as in a browser, on a print, and in a JPEG that is exported."""


def from_array(pixels: NDArray[np.generic]) -> UInt8Image:
    """Pixels (h, w, 3), (h, w, 4), (h, w, 1) or (h, w), uint8 or uint16, as uint8 (h, w, 3); taken as sRGB and upright.

    What is as asked for already is not copied.

    Raises:
        DecodeError: the array has another shape or kind of number.
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in (2, 3) or channels not in (1, 3, 4) or not pixels.size:
        raise DecodeError(f"an array of shape {pixels.shape} is no picture; give (height, width, 3)")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DecodeError(f"an array of {pixels.dtype} is no picture; give uint8 from 0 to 255, or uint16")
    values = pixels.reshape(*pixels.shape[:2], channels)
    if values.dtype == np.uint16:
        values = (values.astype(np.uint32) + 128) // 257
    narrow = values.astype(np.uint8, copy=False)
    if channels == 4:
        return _over_white(narrow[..., :3], narrow[..., 3])
    return np.ascontiguousarray(np.broadcast_to(narrow, (*narrow.shape[:2], 3)))


def _over_white(pixels: UInt8Image, alpha: NDArray[np.uint8]) -> UInt8Image:
    """Pixels (h, w, 3) seen on white paper through ``alpha``, (h, w)."""
    cover = alpha[..., None].astype(np.uint16)
    mixed: UInt8Image = ((pixels * cover + WHITE * (255 - cover) + 127) // 255).astype(np.uint8)
    return mixed
