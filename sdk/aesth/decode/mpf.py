"""The directory of the pictures behind the first one of a JPEG: Multi-Picture Format, CIPA DC-007."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

NAME = b"MPF\0"
"""How the segment begins that holds a directory."""

_ORDERS: dict[bytes, Literal["<", ">"]] = {b"II*\0": "<", b"MM\0*": ">"}
_ENTRIES = 0xB002
_ENTRY_BYTES = 16
_PREVIEW, _CLASS = 0x010000, 0xFF0000
_FORMAT = 0x07000000
_MOST_TAGS, _MOST_PICTURES = 32, 32


@dataclass(frozen=True, slots=True, order=True)
class Preview:
    """Where the directory says that a reduced copy of the picture lies; "Large Thumbnail" in the standard.

    Attributes:
        start: where its file begins, counted from the directory's own start.
        size: of its file, in bytes.
        kind: of what size it should be: VGA, full HD, ...
    """

    start: int
    size: int
    kind: int


def previews(directory: bytes) -> list[Preview]:
    """The previews that ``directory`` lists, a segment's content behind `NAME`; none where it is damaged.

    Whether there is anything at those places is not looked at.
    """
    order = _ORDERS.get(directory[:4])
    if order is None:
        return []
    try:
        (at,) = struct.unpack_from(order + "I", directory, 4)
        (tags,) = struct.unpack_from(order + "H", directory, at)
        for number in range(min(tags, _MOST_TAGS)):
            tag, _, size, value = struct.unpack_from(order + "HHII", directory, at + 2 + 12 * number)
            if tag == _ENTRIES:
                count = min(size // _ENTRY_BYTES, _MOST_PICTURES)
                return [found for each in range(count) if (found := _preview(directory, value, each, order))]
    except struct.error:  # it points out of itself
        pass
    return []


def _preview(directory: bytes, table: int, number: int, order: str) -> Preview | None:
    attribute, size, start = struct.unpack_from(order + "III", directory, table + _ENTRY_BYTES * number)
    if attribute & _CLASS != _PREVIEW or attribute & _FORMAT or not size or not start:
        return None
    return Preview(start, size, attribute & 0xFFFFFF)
