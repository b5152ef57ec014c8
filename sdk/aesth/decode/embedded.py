"""Where JPEGs lie in a RAW file: in the directories of those that are TIFFs within, in a box of Canon's CR3.

What lies there is not looked at: it may be a thumbnail, a preview, sensor data, or damaged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

_TIFF = {b"II": b"II*\0", b"MM": b"MM\0*"}
"""How TIFFs begin; many a RAW file has a number of its maker's behind the two letters."""

_STRIPS, _STRIP_SIZES, _CHILDREN, _JPEG, _JPEG_SIZE, _COMPRESSION, _COLOURS = 273, 279, 330, 513, 514, 259, 262
_JPEG_COMPRESSIONS = (6, 7)
_SENSOR = (32803, 34892)
"""Colours behind a filter, and those of a sensor without one."""

_MOST_DIRECTORIES = 32

_PREVIEW_BOX = b"uuid", bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_PREVIEW, _BEFORE_PREVIEW, _BEFORE_JPEG = b"PRVW", 8, 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies in a file, in bytes."""

    start: int
    size: int


def jpegs_in(file: BinaryIO) -> list[Place]:
    """The places at which a RAW file says that it holds JPEGs; none where it is of another kind, or damaged."""
    file.seek(0)
    head = file.read(12)
    if head[4:12] == b"ftypcrx ":
        found = _in_boxes(file)
    elif head[:2] in _TIFF:
        found = _in_directories(file, _TIFF[head[:2]] + head[4:8])
    else:
        return []
    places: list[Place] = []
    # On damaged directories, Pillow raises nearly every class that there is; what was found before may be of use.
    with suppress(Exception):
        places.extend(found)
    return places


def _in_directories(file: BinaryIO, head: bytes) -> Iterator[Place]:
    directory = ImageFileDirectory_v2(head)
    waiting, seen = [directory.next], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        if not at or at in seen:
            continue
        seen.add(at)
        directory = ImageFileDirectory_v2(head)
        file.seek(at)
        directory.load(file)
        waiting += [directory.next, *_numbers(directory, _CHILDREN)]
        yield from _in_directory(directory)


def _in_directory(directory: ImageFileDirectory_v2) -> Iterator[Place]:
    places = [*zip(_numbers(directory, _JPEG), _numbers(directory, _JPEG_SIZE), strict=False)]
    is_jpeg = directory.get(_COMPRESSION) in _JPEG_COMPRESSIONS and directory.get(_COLOURS) not in _SENSOR
    if not places and is_jpeg:
        strips = [*zip(_numbers(directory, _STRIPS), _numbers(directory, _STRIP_SIZES), strict=True)]
        places = strips if len(strips) == 1 else []
    yield from (Place(start, size) for start, size in places if start and size)


def _numbers(directory: ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value = directory.get(tag, ())
    return value if isinstance(value, tuple) else (int(value),)


def _in_boxes(file: BinaryIO) -> Iterator[Place]:
    """The preview of a CR3, which lies in a box of its own beside the film-like ones of the pictures."""
    end, at = file.seek(0, os.SEEK_END), 0
    while at + 8 <= end:
        file.seek(at)
        size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        if (kind, file.read(16)) == _PREVIEW_BOX:
            inside = file.tell() + _BEFORE_PREVIEW
            file.seek(inside + 4)
            if file.read(4) == _PREVIEW:
                file.seek(_BEFORE_JPEG, os.SEEK_CUR)
                length = int.from_bytes(file.read(4), "big")
                yield Place(file.tell(), length)
        if size < 8:
            return
        at += size
