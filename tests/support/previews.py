"""JPEG files with further pictures behind the first, as cameras store them (CIPA DC-007, Multi-Picture Format)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

PRIMARY, VGA, FULL_HD, GAIN_MAP = 0x030000, 0x010001, 0x010002, 0x050000


def with_pictures(
    jpeg: bytes, pictures: Sequence[bytes], kinds: Sequence[int] | None = None, order: str = ">"
) -> bytes:
    """A JPEG that is followed by ``pictures``, each of a kind of MPF: full-HD previews where none is told."""
    kinds = kinds or [FULL_HD] * len(pictures)
    start = _behind_metadata(jpeg)
    count = len(pictures) + 1
    directory = struct.pack(
        order + "H HHI4s HHII HHII I",
        3,
        *(0xB000, 7, 4, b"0100"),
        *(0xB001, 4, 1, count),
        *(0xB002, 7, 16 * count, 8 + 2 + 36 + 4),
        0,
    )
    header = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(order + "I", 8)
    length = len(b"MPF\0") + len(header) + len(directory) + 16 * count
    base = start + 4 + len(b"MPF\0")
    whole = len(jpeg) + 4 + length
    entries, at = struct.pack(order + "IIIHH", 1 << 29 | PRIMARY, whole, 0, 2, 0), whole
    for picture, kind in zip(pictures, kinds, strict=True):
        entries += struct.pack(order + "IIIHH", 1 << 30 | kind, len(picture), at - base, 0, 0)
        at += len(picture)
    segment = b"\xff\xe2" + struct.pack(">H", length + 2) + b"MPF\0" + header + directory + entries
    return jpeg[:start] + segment + jpeg[start:] + b"".join(pictures)


def of_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG that claims a size."""
    frame = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:frame] + struct.pack(">HH", height, width) + jpeg[frame + 4 :]


def _behind_metadata(jpeg: bytes) -> int:
    """Where the segments of application data end."""
    at = 2
    while jpeg[at] == 0xFF and 0xE0 <= jpeg[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return at
