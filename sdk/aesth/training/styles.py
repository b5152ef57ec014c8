"""What a photographer may do to a picture and not harm it: a style, where `damage` is none."""

from __future__ import annotations

import numpy as np
from PIL import Image

from aesth.preprocess import UInt8Image


def black_and_white(image: UInt8Image) -> UInt8Image:
    """The luma (ITU-R BT.601) of a picture (h, w, 3), as a picture of the same shape."""
    return np.asarray(Image.fromarray(image).convert("L").convert("RGB"), np.uint8)
