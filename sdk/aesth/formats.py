"""Which formats are read: by name, to find photos in folders, and by content, since names lie."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".hif", ".avif", ".gif"}
)
RAW_SUFFIXES = frozenset(
    {".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".dng", ".pef", ".srw"}
    | {".3fr", ".crw", ".dcr", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nrw", ".rwl", ".sr2", ".srf"}
    | {".x3f"}
)
OTHER_RAW_SUFFIXES = frozenset(
    {".ari", ".bay", ".cap", ".dcs", ".drf", ".eip", ".gpr", ".k25", ".mdc", ".ptx", ".pxn", ".r3d", ".raw", ".rwz"}
)
"""RAW files that are not looked for, but whose sidecars are theirs: ``IMG.xmp`` beside ``IMG.RAW`` and ``IMG.JPG``."""

HEAD_BYTES = 256
"""How much of a file's start tells its format."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"II\x1a\0\0\0HEAPCCDR", b"\0MRM", b"FOVb")
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


class Format(Enum):
    """A format of pictures."""

    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"
    GIF = "GIF"
    HEIF = "HEIF"
    AVIF = "AVIF"
    RAW = "RAW"


def has_photo_name(name: str) -> bool:
    """Whether a file called ``name`` should be a photo, by its suffix."""
    suffix = Path(name).suffix.lower()
    return suffix in PICTURE_SUFFIXES or suffix in RAW_SUFFIXES


def recognise(head: bytes, suffix: str) -> Format | None:
    """The format of a file whose first `HEAD_BYTES` are ``head``; None if it is not read here.

    The content decides. The suffix is asked only where many cameras' RAW files begin alike.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] == b"ftyp":
        return _recognise_brands(head)
    if head.startswith(_RAW) or suffix.lower() in RAW_SUFFIXES:
        return Format.RAW
    if head.startswith(_TIFF):
        return Format.RAW if head[8:10] == b"CR" else Format.TIFF
    return None


def _recognise_brands(head: bytes) -> Format | None:
    """The format of an ISO media file, by the brands in its first box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major, compatible = head[8:12], {head[start : start + 4] for start in range(16, end, 4)}
    if major == b"crx ":
        return Format.RAW
    if major in _AVIF_BRANDS or (major in (b"mif1", b"msf1") and compatible & _AVIF_BRANDS):
        return Format.AVIF
    return Format.HEIF if (compatible | {major}) & _HEIF_BRANDS else None
