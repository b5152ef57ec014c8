"""What a photo shows, as a short digest that our own tagging, a new name or another date leave as it is.

Two files of one digest are decoded to the same pixels. The digest takes in the image data, the colour profile and the
orientation, and leaves out the metadata; where these cannot be told apart surely, it takes in the whole file.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from aesth.decode.picture import open_picture, orientation_of
from aesth.fingerprint.containers import digest_jpeg, digest_png, digest_webp
from aesth.fingerprint.isobmff import digest_isobmff
from aesth.fingerprint.source import Blocks, Source, Unsure
from aesth.fingerprint.tiff import digest_tiff
from aesth.formats import HEAD_BYTES, Format, recognise

_DIGESTS: Mapping[Format, Callable[[Source], Blocks]] = {
    Format.JPEG: digest_jpeg,
    Format.PNG: digest_png,
    Format.TIFF: digest_tiff,
    Format.WEBP: digest_webp,
    Format.HEIF: digest_isobmff,
    Format.AVIF: digest_isobmff,
}


_ENDS, _SAMPLES, _SAMPLE = 1 << 18, 4, 1 << 14


def fingerprint(path: Path) -> bytes | None:
    """The digest of a photo; None if it is no regular file, cannot be read or is of no known format.

    A RAW file is large and never written by us: its digest takes in its size, its time of modification, its ends and
    some samples between, so that it can be moved and renamed, but is another photo when it was modified.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            kind = recognise(file.read(HEAD_BYTES), path.suffix)
            if kind is None:
                return None
            if kind is Format.RAW:
                return _sampled(file)
            return _digest(file, kind)
    except (OSError, ValueError, Unsure):
        return None


def _digest(file: BinaryIO, kind: Format) -> bytes:
    if kind in _DIGESTS:
        try:
            return _image_alone(file, kind)
        except (Unsure, IndexError, ValueError):  # damaged, or not of the form that the standards ask for
            pass
    source = Source(file, f"{kind.value} as a whole")
    source.feed_rest()
    return source.digest()


def _image_alone(file: BinaryIO, kind: Format) -> bytes:
    source = Source(file, kind.value)
    blocks = _DIGESTS[kind](source)
    source.note(_orientation(file, kind, blocks))
    return source.digest()


def _orientation(file: BinaryIO, kind: Format, blocks: Blocks) -> int:
    """The orientation that `aesth.decode` sees."""
    if kind is Format.PNG:  # of which Pillow decodes the pixels first, as metadata may follow them
        stand_in = Image.new("1", (1, 1))
        stand_in.info.update({name: block for name, block in (("exif", blocks.exif), ("xmp", blocks.xmp)) if block})
        return orientation_of(stand_in)
    file.seek(0)
    try:
        with open_picture(file, kind, sys.maxsize) as image:
            return orientation_of(image)
    except Exception as error:  # decoders raise nearly every class that there is
        raise Unsure from error


def _sampled(file: BinaryIO) -> bytes:
    state = os.fstat(file.fileno())
    source = Source(file, f"RAW of {state.st_size} bytes, {state.st_mtime_ns}")
    gap = state.st_size // (_SAMPLES + 1)
    places = [
        (0, _ENDS),
        *((gap * number, _SAMPLE) for number in range(1, _SAMPLES + 1)),
        (state.st_size - _ENDS, _ENDS),
    ]
    for start, length in places:
        source.seek(max(0, start))
        source.feed_at_most(length)
    return source.digest()
