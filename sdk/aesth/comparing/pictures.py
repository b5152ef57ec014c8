"""Photos as a browser shows them: JPEG of moderate size, without what the file tells besides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock

from PIL import Image

from aesth.decode import DEFAULT_MAX_PIXELS, load

SIDE = 1400
"""Pixels of the longer side at most."""

KEPT = 16
"""So many pictures stay in memory: those that are shown, and those that may be shown next."""


class Pictures:
    """The photos of a sitting, by their numbers. Threads may share it; one photo is decoded at a time.

    Args:
        photos: files.
        max_pixels: photos of more pixels are refused.
    """

    def __init__(self, photos: Sequence[Path], max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self._photos = photos
        self._max_pixels = max_pixels
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()

    def jpeg(self, number: int) -> bytes:
        """The photo of this number as JPEG.

        Raises:
            DecodeError: it cannot be read any more.
            IndexError: there is no such photo.
        """
        with self._lock:
            if number not in self._kept:
                self._kept[number] = self._encoded(self._photos[number])
            self._kept.move_to_end(number)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[number]

    def _encoded(self, photo: Path) -> bytes:
        pixels = load(photo, at_least=(SIDE // 2, SIDE // 2), headroom=2, max_pixels=self._max_pixels, previews=True)
        image = Image.fromarray(pixels)
        image.thumbnail((SIDE, SIDE))
        file = BytesIO()
        image.save(file, "JPEG", quality=88)
        return file.getvalue()
