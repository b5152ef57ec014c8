"""Everything but RAW: a stream or a PIL image -> upright sRGB pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from aesth.preprocess import UInt8Image, averaged

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many pixels of a picture are wanted.

    Twice as many as an encoder asks for, reduced by its own filter, would bring scores nearer to those of every pixel:
    by float networks, 0.20 points apart on average and 1.7 at most, in place of 0.51 and 3.1; by int8 ones, which
    round, 0.65 and 4.9 in place of 0.84 and 7.0. But JPEGs of 24 megapixels, which an eighth is enough of now, would
    take a third more time, and scores by previews would be farther off (0.48 in place of 0.37 by float networks; of the
    int8 ones, those of ``lite`` nearer, 0.57 in place of 0.67).

    Attributes:
        height: at least so many, where the picture has them.
        width: likewise.
        headroom: so many times as many are kept, where the picture has them.
    """

    height: int
    width: int
    headroom: int = 1

    @property
    def kept(self) -> tuple[int, int]:
        """Height and width that a reduced picture still has."""
        return self.height * self.headroom, self.width * self.headroom

    def as_stored(self, orientation: int) -> Wanted:
        """The same before the turn of a picture that is meant upright."""
        height, width = turned((self.height, self.width), orientation)
        return replace(self, height=height, width=width)


def open_picture(file: BinaryIO, kind: Format, max_pixels: int) -> ImageFile.ImageFile:
    """The picture in a stream, its header read and its size allowed, not yet decoded.

    The decoders are called by name instead of through ``PIL.Image.open``: that one has a limit of its own for the
    whole process, and hands PostScript to another program.
    """
    image = _decoder(kind)(file)
    refuse_bomb(image.size, max_pixels)
    return image


def decode(image: Image.Image, wanted: Wanted | None = None, orientation: int | None = None) -> UInt8Image:
    """Upright sRGB pixels (h, w, 3) of a PIL image.

    Args:
        image: of any mode.
        wanted: how many pixels, upright; None to keep every one.
        orientation: EXIF orientation that replaces the image's own.
    """
    if wanted and isinstance(image, JpegImageFile):
        set_scale(image, wanted.as_stored(orientation or orientation_of(image)))
    image.load()
    if not all(image.size):
        raise DecodeError(f"the picture is empty ({image.width} x {image.height} pixels)")
    turn = orientation or orientation_of(image)
    profile = image.info.get("icc_profile")
    flat = flatten(image)
    if wanted:
        flat = averaged(flat, *wanted.as_stored(turn).kept)
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


def turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width of a picture that an EXIF orientation makes upright, or of an upright one as it is stored."""
    height, width = size
    return (width, height) if orientation in SIDEWAYS else (height, width)


def set_scale(image: ImageFile.ImageFile, wanted: Wanted) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth where that keeps what is ``wanted``, as it is stored."""
    height, width = wanted.kept
    image.draft(image.mode, (width, height))


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
