"""What is kept of a picture: upright, sRGB, no larger than needed, without metadata."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from aesth import decode
from aesth.errors import DecodeError


def reduced(path: Path, side: int, quality: int, max_pixels: int) -> bytes:
    """A picture as a JPEG file whose short side has at most ``side`` pixels.

    Raises:
        DecodeError: it is no picture, too large, damaged, or too long and thin for JPEG.
    """
    image = Image.fromarray(decode.load(path, at_least=(side, side), headroom=2, max_pixels=max_pixels))
    scale = side / min(image.size)
    if scale < 1:
        size = (max(side, round(image.width * scale)), max(side, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    try:
        image.save(file, "JPEG", quality=quality)
    except (OSError, ValueError) as error:
        raise DecodeError(f"{image.width} x {image.height} pixels cannot be a JPEG file", path) from error
    return file.getvalue()
