"""Which files may hold a rating themselves, told by their content; which must not be touched."""

from __future__ import annotations

import os
from pathlib import Path

from aesth.formats import HEAD_BYTES, PICTURE_SUFFIXES, Format, recognise

_EMBEDDABLE = {
    Format.JPEG: "jpg",
    Format.PNG: "png",
    Format.TIFF: "tif",
    Format.WEBP: "webp",
    Format.HEIF: "heic",
    Format.AVIF: "avif",
}

FILE_TYPES = {
    "jpg": frozenset({"JPEG"}),
    "png": frozenset({"PNG", "APNG"}),
    "tif": frozenset({"TIFF"}),
    "webp": frozenset({"WEBP", "Extended WEBP"}),
    "heic": frozenset({"HEIC", "HEIF", "HEICS", "HEIFS"}),
    "avif": frozenset({"AVIF"}),
}
"""What `embeddable` answers -> ExifTool's names for it."""

_TIFF_NAMES = frozenset({".tif", ".tiff"})
_PHOTO_NAMES = PICTURE_SUFFIXES - {".gif"}

_OF_PICTURES = frozenset({b"ftyp", b"meta", b"mdat", b"idat", b"free", b"skip", b"wide", b"moov", b"moof", b"uuid"})
"""Boxes of ISO media files whose place is told by others, or does not matter."""

_MOST_BOXES = 1000
_CHUNK = 1 << 17
"""Bytes that are looked at together: larger pieces of memory are got from the system and given back each time."""

_START_OF_JPEG, _END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN = 0xDA
_WITH_A_LENGTH = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xFF)})
"""Markers of JPEG that a length follows (ITU-T T.81, table B.1)."""

_LONGEST_MARK = 64
_MARKS_OF_MORE = (b"AXS!", b"AXS*", b"CANON OPTIONAL DATA\0")
"""Of those by which ExifTool knows that metadata follow a JPEG, the ones that are not at the very end."""

_OTHER_SEGMENTS = (b"FPXR\0", b"HEAPJPGM")
"""FlashPix, which may hold XMP, and Canon's CIFF: segments that ExifTool's option -fast2 passes over."""

_C2PA_STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""Start of the description box of a C2PA manifest store: JUMBF's mark and the store's UUID, in every container."""


def embeddable(path: Path) -> str | None:
    """The plain extension of its kind, a key of `FILE_TYPES`, if name and content say that it can hold a rating.

    A RAW file can be a TIFF inside, so that a TIFF must be called one.
    """
    with path.open("rb") as file:
        content = recognise(file.read(HEAD_BYTES), path.suffix)
    names = _TIFF_NAMES if content is Format.TIFF else _PHOTO_NAMES
    return _EMBEDDABLE.get(content) if content and path.suffix.lower() in names else None


def has_credentials(path: Path) -> bool:
    """Whether the file carries C2PA credentials, whose signature any write would break.

    Those of a JPEG stand in segments before its picture; all of it is searched where it does not come soon.
    """
    # Not by mmap: a program that shortens the file meanwhile would end this one.
    with path.open("rb", buffering=0) as file:
        head = file.read(_CHUNK)
        if before_picture := _size_before_picture(head):
            return _C2PA_STORE in head[:before_picture]
        tail, chunk = b"", head
        while chunk:
            window = tail + chunk
            if _C2PA_STORE in window:
                return True
            tail = window[-len(_C2PA_STORE) :]
            chunk = file.read(_CHUNK)
    return False


def is_simple_jpeg(path: Path) -> bool:
    """Whether ExifTool finds all XMP and EXIF soon: little stands before the picture of a JPEG, and nothing behind it.

    Its option -fast2, not to look behind the picture nor into what only makers understand, leaves out none of these
    then. False for what cannot be read, too.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_CHUNK)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_MARK))
            end = file.read(_LONGEST_MARK).rstrip(b"\0")
    except OSError:
        return False
    before_picture = head[: _size_before_picture(head)]
    has_more = any(mark in before_picture for mark in _OTHER_SEGMENTS) or any(mark in end for mark in _MARKS_OF_MORE)
    return bool(before_picture) and end.endswith(_END_OF_JPEG) and not has_more


def ends_with_more(path: Path, kind: str) -> bool:
    """Whether a HEIC or AVIF file ends with more than a picture, such as the film of a motion photo.

    ExifTool would put what it writes behind that, and the film is looked for at the end.

    Args:
        path: the file.
        kind: what `embeddable` says of it.
    """
    if kind not in ("heic", "avif"):
        return False
    at, size = 0, path.stat().st_size
    with path.open("rb") as file:
        for _ in range(_MOST_BOXES):
            file.seek(at)
            head = file.read(16)
            length, last = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            at = at + length if length else size  # 0: to the end of the file
            if at >= size or 0 < length < 8:
                return last not in _OF_PICTURES
    return True


def _size_before_picture(head: bytes) -> int:
    """So many bytes stand before the picture of a JPEG that begins with ``head``; 0 where that does not tell."""
    if not head.startswith(_START_OF_JPEG):
        return 0
    at = len(_START_OF_JPEG)
    while at + 4 <= len(head):
        if head[at] != 0xFF or head[at + 1] not in _WITH_A_LENGTH:
            return 0
        if head[at + 1] == _START_OF_SCAN:
            return at
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0
