"""Reduced copies of a photo that lie in its file, decoded in its place where they show the same.

In RAW files they stand in for the camera's largest picture, which is what is scored else.

A preview counts only if it is large enough, finely compressed, of the photo's shape, and equal to the top of the photo,
of which so many rows are decoded as it takes to see something there: not if it is damaged, has bars, lies the wrong way
round, or was left behind by a program that changed the photo. A change that left the top as it was is not seen; but
programs that write pixels write a file of their own, without the camera's preview, or with another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from math import ceil
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from aesth.decode import avif, mpf
from aesth.decode.embedded import Place
from aesth.decode.picture import Wanted, foreign_errors, open_picture, orientation_of, set_scale
from aesth.errors import DecodeError
from aesth.formats import Format

ENOUGH = 1.5
"""A preview has at least this many times the size asked for: those of the VGA class are too coarse for an encoder's."""

MOST_BYTES = 1 << 23
"""A preview's file that claims more is passed over."""

COARSEST = 20
"""Above this mean step of quantisation in brightness, too much is lost: 17 is quality 85 of libjpeg, 23 is 80.

Previews of quality 95, 85, 80 and 60 moved scores by float networks by 0.3, 0.4, 0.8 and 1.5 points on average, those
of 80 by ``lite-int8`` by 1.2; how colours are subsampled hardly counts.
"""

WORTHWHILE = 4
"""A preview that has not this many times fewer pixels than the photo saves nothing."""

SAME_SHAPE = 0.01
"""Sides of a preview are rounded: its shape may differ by this share."""

DEPTHS = (1 / 16, 1 / 4)
"""Shares of the photo's height that are compared: the next where the last shows too little."""

COLUMNS = 64
"""The picture is compared by the mean colours of so many cells in a row."""

TEXTURE = 8.0
"""Cells whose colours vary by less than this (standard deviation, of 255) tell no photo from another."""

LIKENESS, LIKE_COLOURS, LIKE_CELL = 0.12, 2.0, 32.0
"""By how much the cells of photo and preview may differ: as a share of their variation, in their mean, and any one.

Of 210 previews of the same picture, reduced, sharpened and compressed in many ways, 207 were within this; the tops of
two others were flat. Changes of 5 to 10 % in brightness, white balance or crop were not, in nine of ten pictures.
"""

_MODES = ("L", "RGB")
_HEAD_BYTES = 1 << 16
_ROUNDED_TO = 16
_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN = 0xDA
_SEQUENTIAL = (0xC0, 0xC1)
_OTHER_FRAMES = frozenset({*range(0xC2, 0xD0)} - {0xC4, 0xC8, 0xCC})
_LEFT_OUT = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
_DETAILED_TOP, _SOME_MORE = 3, 1 << 16


def preview_of(
    file: BinaryIO, image: ImageFile.ImageFile, wanted: Wanted, max_pixels: int
) -> ImageFile.ImageFile | None:
    """The smallest preview that may stand in for a photo, as it is stored; None if there is none.

    Args:
        file: the photo's.
        image: the photo, opened from it and not yet decoded.
        wanted: how many pixels, upright; the preview has `ENOUGH` times as many as that at least.
        max_pixels: a preview of more pixels is passed over.
    """
    stored = wanted.as_stored(orientation_of(image))
    if isinstance(image, JpegImageFile):
        return _in_jpeg(file, image, stored, max_pixels)
    if image.format == Format.AVIF.value:
        return _in_avif(file, image, stored, max_pixels)
    if image.format == Format.HEIF.value:
        # Its thumbnails belong to it by the file's own table; Pillow-HEIF takes one of the same shape, crop, turn and
        # colour profile, or, as all other images and its versions before 1.8, does nothing.
        image.draft(image.mode, (ceil(stored.width * ENOUGH), ceil(stored.height * ENOUGH)))
    return None


def _in_jpeg(file: BinaryIO, image: JpegImageFile, wanted: Wanted, max_pixels: int) -> ImageFile.ImageFile | None:
    """The preview in a JPEG, decoded; listed by its directory, of use, and equal to its top."""
    if "mp" not in image.info:
        return None
    listed = [Place(image.info["mpoffset"] + one.start, one.size) for one in mpf.previews(image.info["mp"])]
    return stand_in(file, listed, image, file, wanted, max_pixels)


def _in_avif(file: BinaryIO, image: ImageFile.ImageFile, wanted: Wanted, max_pixels: int) -> ImageFile.ImageFile | None:
    """The smallest thumbnail in an AVIF that is of use; it belongs to the picture by the file's own tables."""
    if image.mode not in _MODES:
        return None
    file.seek(0)
    found = []
    for copy in avif.thumbnails(file.read()):
        with suppress(DecodeError), foreign_errors():
            found.append(open_picture(BytesIO(copy), Format.AVIF, max_pixels))
    for preview in sorted(found, key=lambda preview: preview.width):
        if _is_of_use(preview, image, wanted):
            with suppress(DecodeError), foreign_errors():
                preview.load()
                return preview
    return None


def stand_in(
    source: BinaryIO,
    listed: Iterable[Place],
    image: JpegImageFile,
    file: BinaryIO,
    wanted: Wanted,
    max_pixels: int,
) -> ImageFile.ImageFile | None:
    """The smallest of the JPEGs that are ``listed`` in ``source`` that may stand in for another, decoded; None without.

    Args:
        source: what the smaller ones lie in.
        listed: where.
        image: the JPEG, opened and not yet decoded.
        file: what it was opened from: ``source`` itself, in which it lies before the others, or a file of its own.
        wanted: how many pixels, as they are stored.
        max_pixels: a JPEG of more pixels is passed over.
    """
    if image.mode not in _MODES:
        return None
    for place in sorted((one for one in listed if one.size <= MOST_BYTES), key=lambda one: one.size):
        try:
            with foreign_errors():
                source.seek(place.start)
                preview = open_picture(BytesIO(source.read(place.size)), Format.JPEG, max_pixels)
                if _is_of_use(preview, image, wanted) and _is_fine(preview):
                    set_scale(preview, wanted)
                    preview.load()
                    end = place.start if file is source else file.seek(0, os.SEEK_END)
                    if _shows_the_same(file, image, end, preview):
                        preview.info["icc_profile"] = image.info.get("icc_profile")
                        return preview
        except DecodeError:  # the preview is damaged, or the photo; if it is the photo, its own decoding will tell
            continue
    return None


def _is_of_use(preview: ImageFile.ImageFile, image: ImageFile.ImageFile, wanted: Wanted) -> bool:
    """Whether a preview, not yet decoded, is large enough, yet small, and has the photo's shape and kind of colours."""
    shape = preview.width * image.height / (preview.height * image.width)
    return (
        preview.mode in _MODES
        and preview.info.get("icc_profile") in (None, image.info.get("icc_profile"))
        and preview.height >= wanted.height * ENOUGH
        and preview.width >= wanted.width * ENOUGH
        and preview.width * preview.height * WORTHWHILE <= image.width * image.height
        and abs(shape - 1) <= SAME_SHAPE
    )


def _is_fine(preview: ImageFile.ImageFile) -> bool:
    """Whether a JPEG, not yet decoded, is compressed so little that it is to an encoder what its photo is."""
    if not isinstance(preview, JpegImageFile):
        return False
    _, _, _, brightness = preview.layer[0]
    steps = preview.quantization[brightness]
    return sum(steps) <= COARSEST * len(steps)


def _shows_the_same(file: BinaryIO, image: JpegImageFile, end: int, preview: Image.Image) -> bool:
    """Whether the top of the photo, whose data end before ``end``, is the top of ``preview``."""
    for depth in DEPTHS:
        rows = min(image.height, -(-int(image.height * depth) // _ROUNDED_TO) * _ROUNDED_TO)
        top = _top(file, rows, rows / image.height, end)
        columns = min(COLUMNS, top.width, preview.width)
        grid = (columns, max(1, round(top.height * columns / top.width)))
        cells = _cells(top, top.height, grid)
        if cells.std(axis=(0, 1)).max() >= TEXTURE:
            return alike(cells, _cells(preview, preview.height * rows / image.height, grid))
    return False


def alike(cells: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    """Whether colours (rows, columns, 3) are so near to others that they are of the same picture."""
    difference = cells - others
    return bool(
        np.sqrt(np.square(difference).mean()) <= LIKENESS * cells.std(axis=(0, 1)).max()
        and np.abs(difference.mean(axis=(0, 1))).max() <= LIKE_COLOURS
        and np.abs(difference).max() <= LIKE_CELL
    )


def _cells(image: Image.Image, height: float, grid: tuple[int, int]) -> NDArray[np.float32]:
    """Mean colours (rows, columns, 3) in a ``grid`` of columns and rows, from an image's top down to ``height``."""
    part = (0, 0, image.width, height)
    return np.asarray(image.convert("RGB").resize(grid, Image.Resampling.BOX, part), np.float32)


def _top(file: BinaryIO, rows: int, share: float, end: int) -> Image.Image:
    """The first ``rows`` of a JPEG, which are ``share`` of them all, at an eighth of their size.

    Decoded as a picture of its own that has so many rows and so much data as they are likely to take; where they take
    more, the last ones are grey.

    Raises:
        DecodeError: the data do not lie before ``end``.
    """
    head = _head(file, rows)
    start = file.tell()
    if start >= end:
        raise DecodeError("its preview lies amid it")
    data = file.read(min(end - start, int((end - start) * share * _DETAILED_TOP) + _SOME_MORE))
    top = JpegImageFile(BytesIO(head + data + _END_OF_IMAGE))
    top.draft(top.mode, (max(1, top.width // 8), max(1, top.height // 8)))
    top.load()
    return top


def _head(file: BinaryIO, rows: int) -> bytes:
    """What a JPEG tells before its data, but with so many rows, and without metadata; the file is left at the data.

    Raises:
        DecodeError: it is not of the plain kind whose data run from top to bottom, or is too long.
    """
    file.seek(len(_START_OF_IMAGE))
    head = bytearray(_START_OF_IMAGE)
    while len(head) <= _HEAD_BYTES:
        marker = _marker(file)
        length = int.from_bytes(file.read(2), "big")
        if marker in _OTHER_FRAMES or length < 2:
            break
        if marker in _LEFT_OUT:
            file.seek(length - 2, os.SEEK_CUR)
            continue
        body = file.read(length - 2)
        if marker in _SEQUENTIAL:
            body = body[:1] + rows.to_bytes(2, "big") + body[3:]
        head += bytes((0xFF, marker)) + length.to_bytes(2, "big") + body
        if marker == _START_OF_SCAN:
            return bytes(head)
    raise DecodeError("is not a JPEG whose rows follow each other")


def _marker(file: BinaryIO) -> int:
    """The next marker of a JPEG's head; zero at the end of the file."""
    marker = 0xFF
    while marker == 0xFF:
        byte = file.read(1)
        marker = byte[0] if byte else 0
    return marker
