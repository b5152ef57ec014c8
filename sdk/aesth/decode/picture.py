"""Everything but RAW: a stream or a PIL image -> upright sRGB pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from aesth.decode.colour import flatten, to_srgb
from aesth.errors import DecodeError
from aesth.formats import Format
from aesth.preprocess import UInt8Image

HEADROOM = 2
"""Reduced cheaply, a picture keeps at least this many times the size asked for; the encoder's filter does the rest.

With 1, a photo of 24 megapixels takes 0.7 to 0.8 of the time, but scores move by one point on average, and by six in
some: more than between this and every pixel.
"""

_ORIENTATION_TAG = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap height and width."""


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Turn what the decoders raise into a `DecodeError`."""
    try:
        yield
    except DecodeError:
        raise
    except Exception as error:  # on damaged data, decoders raise nearly every class that there is
        raise DecodeError(_explain(error)) from error


def open_picture(file: BinaryIO, kind: Format, max_pixels: int) -> ImageFile.ImageFile:
    """The picture in a stream, its header read and its size allowed, not yet decoded.

    The decoders are called by name instead of through ``PIL.Image.open``: that one has a limit of its own for the
    whole process, and hands PostScript to another program.
    """
    image = _decoder(kind)(file)
    refuse_bomb(image.size, max_pixels)
    return image


def decode(image: Image.Image, at_least: tuple[int, int] | None = None, orientation: int | None = None) -> UInt8Image:
    """Upright sRGB pixels (h, w, 3) of a PIL image.

    Args:
        image: of any mode.
        at_least: height and width that a reduced result still has; None to keep every pixel.
        orientation: EXIF orientation that replaces the image's own.
    """
    if at_least and isinstance(image, JpegImageFile):
        set_scale(image, as_stored(at_least, orientation or orientation_of(image)))
    image.load()
    if not all(image.size):
        raise DecodeError(f"the picture is empty ({image.width} x {image.height} pixels)")
    turn = orientation or orientation_of(image)
    profile = image.info.get("icc_profile")
    flat = flatten(image)
    if at_least:
        flat = _reduced(flat, as_stored(at_least, turn))
    upright = to_srgb(flat, profile)
    if turn in _TRANSPOSE:
        upright = upright.transpose(_TRANSPOSE[turn])
    return np.asarray(upright)


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1-8 of an image; 1 where it has none or its metadata is broken."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken metadata raises nearly every class, and the photo is still good
        return 1
    return orientation if orientation in _TRANSPOSE else 1


def as_stored(at_least: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width before the turn of a size that is meant upright."""
    height, width = at_least
    return (width, height) if orientation in SIDEWAYS else (height, width)


def set_scale(image: ImageFile.ImageFile, at_least: tuple[int, int], headroom: int = HEADROOM) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth where that keeps ``headroom`` times height and width."""
    height, width = at_least
    image.draft(image.mode, (width * headroom, height * headroom))


def refuse_bomb(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture whose width times height is beyond the limit.

    Raises:
        DecodeError: it is.
    """
    width, height = size
    if width * height > max_pixels:
        raise DecodeError(
            f"{width} x {height} pixels are more than the limit of {max_pixels}; raise the limit if the file is trusted"
        )


def _decoder(kind: Format) -> Callable[[BinaryIO], ImageFile.ImageFile]:
    if kind is Format.HEIF:
        from pillow_heif import HeifImageFile  # only here: slow to import, and most folders have none

        decoder: Callable[[BinaryIO], ImageFile.ImageFile] = HeifImageFile
        return decoder
    return _DECODERS[kind]


_DECODERS: dict[Format, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    Format.JPEG: JpegImageFile,
    Format.PNG: PngImageFile,
    Format.TIFF: TiffImageFile,
    Format.WEBP: WebPImageFile,
    Format.GIF: GifImageFile,
    Format.AVIF: AvifImageFile,
}


def _reduced(image: Image.Image, at_least: tuple[int, int]) -> Image.Image:
    """The image averaged over whole blocks of pixels, to no less than `HEADROOM` times the size asked for."""
    height, width = at_least
    factor = min(image.height // (height * HEADROOM), image.width // (width * HEADROOM))
    return image.reduce(factor) if factor > 1 else image


def _explain(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "does not fit into memory; decode fewer photos at a time, or make the picture smaller"
    if isinstance(error, Image.DecompressionBombError):  # WebP's decoder has a limit of its own
        return "more pixels than are decoded of this format; make the picture smaller"
    if isinstance(error, OSError) and error.errno:
        return f"cannot be read ({error.strerror}); check the disk or the permissions"
    return f"damaged or cut short ({_one_line(error)}); restore it from another copy"


def _one_line(error: Exception) -> str:
    text: Any = error.args[0] if error.args else ""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return " ".join(words.split())[:200].rstrip(".") or type(error).__name__
