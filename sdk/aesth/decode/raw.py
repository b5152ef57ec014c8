"""RAW files by their embedded preview, which shows what the photographer saw; developed where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from aesth.decode.arrays import from_array
from aesth.decode.embedded import Place, jpegs_in
from aesth.decode.picture import (
    Wanted,
    decode,
    foreign_errors,
    open_picture,
    orientation_of,
    refuse_bomb,
    turned,
)
from aesth.decode.previews import stand_in
from aesth.errors import DecodeError
from aesth.formats import Format
from aesth.preprocess import UInt8Image

_EXIF_ORIENTATION = (1, 2, 4, 3, 5, 8, 6, 7)
_DEVELOP = Path(__file__).with_name("develop.py")
_DEVELOP_SECONDS = 300
_CLEARLY_LONGER = 1.1
_TOLERABLE = 0.5


def load(file: BinaryIO, path: Path, wanted: Wanted | None, max_pixels: int, *, smaller: bool = False) -> UInt8Image:
    """Upright sRGB pixels (h, w, 3) of a RAW file: its preview where that is large enough, else developed.

    The preview is the largest there is; with ``smaller``, the smallest that shows the same and has enough pixels.

    Raises:
        DecodeError: neither can be had.
    """
    height, width = (wanted.height, wanted.width) if wanted else (1, 1)
    preview = _preview(file, path, wanted, max_pixels, smaller=smaller)
    if preview is not None and _reaches(preview, height, width):
        return preview
    try:
        return _develop(path, (height, width))
    except DecodeError:
        if preview is None or not _reaches(preview, height * _TOLERABLE, width * _TOLERABLE):
            raise
        return preview


def count_pixels(file: BinaryIO, path: Path) -> int:
    """Width times height of the sensor's picture."""
    import rawpy

    with rawpy.imread(str(path) if _is_utf8(path) else file) as raw:
        return int(raw.sizes.width * raw.sizes.height)


def _reaches(pixels: UInt8Image, height: float, width: float) -> bool:
    return bool(pixels.shape[0] >= height and pixels.shape[1] >= width)


def _preview(file: BinaryIO, path: Path, wanted: Wanted | None, max_pixels: int, *, smaller: bool) -> UInt8Image | None:
    """The embedded preview, the largest or one that is ``smaller``; None without one that can be decoded."""
    import rawpy  # only here: slow to import, and many folders have no RAW files

    # LibRaw reads only what it needs through a name, but takes none that is not UTF-8.
    source = str(path) if _is_utf8(path) else file
    with rawpy.imread(source) as raw:
        refuse_bomb((raw.sizes.width, raw.sizes.height), max_pixels)
        try:
            thumbnail = raw.extract_thumb()
        except (rawpy.LibRawError, rawpy.NotSupportedError):
            return None
        orientation, longer_side = _EXIF_ORIENTATION[raw.sizes.flip & 7], _longer_side(raw.sizes)
        try:
            with foreign_errors():
                others = jpegs_in(file) if smaller else ()
                return _decode_preview(thumbnail, orientation, longer_side, wanted, max_pixels, file, others)
        except DecodeError:
            return None


def _decode_preview(
    thumbnail: Any,
    orientation: int,
    longer_side: str,
    wanted: Wanted | None,
    max_pixels: int,
    file: BinaryIO,
    others: Sequence[Place],
) -> UInt8Image:
    if isinstance(thumbnail.data, np.ndarray):
        pixels = Image.fromarray(from_array(thumbnail.data))
        return decode(pixels, wanted, _turn_of(pixels, orientation, longer_side))
    data = BytesIO(thumbnail.data)
    with open_picture(data, Format.JPEG, max_pixels) as image:
        turn = _turn_of(image, orientation, longer_side)
        if others and wanted and isinstance(image, JpegImageFile):
            stand = stand_in(file, others, image, data, wanted.as_stored(turn), max_pixels)
            if stand is not None:
                return decode(stand, wanted, turn)
        return decode(image, wanted, turn)


def _turn_of(image: Image.Image, orientation: int, longer_side: str) -> int:
    """The orientation that makes a preview upright.

    Previews are stored either as the sensor saw the scene, with or without a tag of their own, or already turned.
    The first answer that makes the preview as tall or wide as the RAW picture is right.
    """
    own = orientation_of(image)
    answers = (own, orientation, 1) if own > 1 else (orientation, 1)
    for answer in answers:
        longer = _longer_of(*turned((image.height, image.width), answer))
        if longer == longer_side or "neither" in (longer, longer_side):
            return answer
    return answers[0]


def _longer_side(sizes: Any) -> str:
    """Whether the upright picture is tall or wide."""
    return _longer_of(*turned((sizes.height, sizes.width), _EXIF_ORIENTATION[sizes.flip & 7]))


def _longer_of(height: int, width: int) -> str:
    if max(height, width) < _CLEARLY_LONGER * min(height, width):
        return "neither"
    return "height" if height > width else "width"


def _develop(path: Path, at_least: tuple[int, int]) -> UInt8Image:
    """The sensor's picture, developed by a process of its own.

    LibRaw prints on the process's stderr when sensor data is cut short, goes on with black, and may crash.
    """
    command = [sys.executable, "-P", "-W", "ignore", str(_DEVELOP), os.fspath(path), *map(str, at_least)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEVELOP_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DecodeError(f"developing this RAW file took more than {_DEVELOP_SECONDS} s; it is damaged") from error
    if child.returncode:
        reason = child.stderr.decode("utf-8", "replace").strip().rpartition(": ")[2] or "LibRaw crashed"
        raise DecodeError(
            f"has no preview that is large enough, and its sensor data is damaged or not supported ({reason})"
        )
    return from_array(np.load(BytesIO(child.stdout), allow_pickle=False))


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
