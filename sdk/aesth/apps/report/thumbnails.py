"""Small pictures of photos, as WebP, which every browser shows."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from aesth.cache import ScoreCache, ViewKind
from aesth.decode import DEFAULT_MAX_PIXELS, load
from aesth.errors import DecodeError
from aesth.preprocess import PIXELS, UInt8Image

SMALL, LARGE = 320, 1600
"""Pixels of the longer side: of thumbnails, and of pictures of photos that no browser shows."""

_QUALITY = 74
_SIZE = "<HH"
_SMALL = ViewKind("thumbnails", f"version 1 of {SMALL} pixels, quality {_QUALITY}, pixels {PIXELS}")
_SHOWN_BY_BROWSERS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif"})


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture.

    Attributes:
        webp: the content of its file.
        width: in pixels.
        height: in pixels.
    """

    webp: bytes
    width: int
    height: int


def thumbnails(photo: Path, sides: Sequence[int], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> list[Thumbnail]:
    """Pictures of ``photo``, upright, whose longer sides have at most as many pixels as ``sides`` say.

    Raises:
        DecodeError: the photo cannot be read.
    """
    try:
        pixels = _pixels(photo, max(sides), max_pixels)
    except DecodeError:  # a RAW may hold a small preview alone
        pixels = _pixels(photo, min(sides), max_pixels)
    return [_thumbnail(pixels, side) for side in sides]


def remembered_thumbnail(photo: Path, cache: ScoreCache, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Thumbnail:
    """The small picture of ``photo``, which is decoded for it once.

    Raises:
        DecodeError: the photo cannot be read.
    """
    glance = cache.look(photo)
    if glance and (kept := cache.view(glance, _SMALL)):
        width, height = struct.unpack_from(_SIZE, kept)
        return Thumbnail(kept[struct.calcsize(_SIZE) :], width, height)
    (made,) = thumbnails(photo, [SMALL], max_pixels=max_pixels)
    if glance and glance.is_current():
        cache.keep_view(glance, _SMALL, struct.pack(_SIZE, made.width, made.height) + made.webp)
    return made


def _pixels(photo: Path, side: int, max_pixels: int) -> UInt8Image:
    return load(photo, at_least=(side // 2, side // 2), headroom=2, max_pixels=max_pixels, previews=True)


def _thumbnail(pixels: UInt8Image, side: int) -> Thumbnail:
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=2)
    return Thumbnail(file.getvalue(), image.width, image.height)


def is_shown_by_browsers(photo: Path) -> bool:
    """Whether the name is that of a photo which browsers show as it is."""
    return photo.suffix.lower() in _SHOWN_BY_BROWSERS
