"""Which files may hold a rating themselves, told by their content; which must not be touched."""

from __future__ import annotations

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
    """Whether the file carries C2PA credentials, whose signature any write would break."""
    # Not by mmap: a program that shortens the file meanwhile would end this one.
    with path.open("rb", buffering=0) as file:
        tail = b""
        while chunk := file.read(_CHUNK):
            window = tail + chunk
            if _C2PA_STORE in window:
                return True
            tail = window[-len(_C2PA_STORE) :]
    return False


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
