"""What is offered to the rest: files, PIL images and arrays -> upright sRGB pixels."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from aesth.decode import raw
from aesth.decode.picture import Wanted, decode, foreign_errors, open_picture, orientation_of
from aesth.decode.previews import preview_of
from aesth.errors import DecodeError
from aesth.formats import HEAD_BYTES, Format, recognise
from aesth.preprocess import UInt8Image

DEFAULT_MAX_PIXELS = 400_000_000


def load(
    path: Path,
    *,
    at_least: tuple[int, int] | None = None,
    headroom: int = 1,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    previews: bool = False,
) -> UInt8Image:
    """The picture in a file, upright, as sRGB pixels (h, w, 3).

    The first picture of files with several, the embedded preview of RAW files. Transparent pixels show white.

    Args:
        path: the photo.
        at_least: height and width that the result must reach where the file does; a larger picture may come reduced.
            None keeps every pixel.
        headroom: so many times as much is kept of it where the file, or the preview that stands in for it, has it.
        max_pixels: a picture of more pixels is refused before it is decoded.
        previews: take a reduced copy that is stored in a JPEG, HEIF, AVIF or RAW, where it shows the same and reaches
            ``at_least``. A RAW has its largest preview taken otherwise.

    Raises:
        DecodeError: the file cannot be read as a picture; one line says why and what to do.
    """
    wanted = Wanted(*at_least, headroom) if at_least else None
    try:
        with foreign_errors(), _open(path) as file:
            kind = _format_of(file, path)
            if kind is Format.RAW:
                return raw.load(file, path, wanted, max_pixels, smaller=previews)
            with open_picture(file, kind, max_pixels) as image:
                preview = preview_of(file, image, wanted, max_pixels) if previews and wanted else None
                if preview is None:
                    return decode(image, wanted)
                return decode(preview, wanted, orientation_of(image))
    except DecodeError as error:
        raise DecodeError(error.message, path) from error.__cause__


def count_pixels(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> int:
    """Width times height of the picture in a file, of a RAW file's sensor; nothing is decoded.

    Raises:
        DecodeError: the file cannot be read as a picture.
    """
    try:
        with foreign_errors(), _open(path) as file:
            kind = _format_of(file, path)
            if kind is Format.RAW:
                return raw.count_pixels(file, path)
            with open_picture(file, kind, max_pixels) as image:
                return image.width * image.height
    except DecodeError as error:
        raise DecodeError(error.message, path) from error.__cause__


def from_pil(image: Image.Image) -> UInt8Image:
    """Upright sRGB pixels (h, w, 3) of a PIL image of any mode, orientation and colour profile.

    Raises:
        DecodeError: the image is empty or its data is damaged.
    """
    with foreign_errors():
        return decode(image)


def _open(path: Path) -> BinaryIO:
    """The file, for reading; a pipe or a device, which could block for ever, is refused."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DecodeError("is a folder, not a photo" if stat.S_ISDIR(mode) else "is not a regular file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise DecodeError("no such file; it may have been moved or renamed") from error
    except PermissionError as error:
        raise DecodeError("no permission to read it; change its permissions, or run as its owner") from error


def _format_of(file: BinaryIO, path: Path) -> Format:
    head = file.read(HEAD_BYTES)
    file.seek(0, os.SEEK_SET)
    if not head:
        raise DecodeError("is empty (0 bytes); restore it from another copy")
    kind = recognise(head, path.suffix)
    if kind is None:
        raise DecodeError("not a picture that can be read (JPEG, PNG, TIFF, WebP, HEIF, AVIF, GIF and RAW can)")
    return kind
