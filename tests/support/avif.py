"""AVIF files with thumbnails: items of their own beside the picture (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate

_BRANDS = b"avif\0\0\0\0avifmif1miaf"
_ESSENTIAL = (b"av1C", b"irot", b"imir", b"clap")


def with_thumbnails(avif: bytes, thumbnails: Sequence[bytes], *, of: int = 1, wide: bool = False) -> bytes:
    """One AVIF of the first items of several: the picture is item 1, the thumbnails are those after it.

    Args:
        avif: the picture, of Pillow's making.
        thumbnails: files of theirs.
        of: the item that they are said to be thumbnails of.
        wide: whether tables have the larger of two sizes of numbers.
    """
    files = [avif, *thumbnails]
    data = [_item(file) for file in files]
    properties = [_properties(file) for file in files]
    size = len(_head(properties, data, 0, of, wide))
    return _head(properties, data, size + 8, of, wide) + _box(b"mdat", *data)


def _head(properties: list[list[bytes]], data: list[bytes], start: int, of: int, wide: bool) -> bytes:
    """All that is before the items' data, which begin at ``start``."""
    number, version = (">I", 1) if wide else (">H", 0)
    items = range(1, len(data) + 1)
    places = accumulate((len(one) for one in data), initial=start)
    located = [
        struct.pack(">HHHII", item, 0, 1, place, len(one))
        for item, place, one in zip(items, places, data, strict=False)
    ]
    listed = [_full(b"infe", 2, 0, struct.pack(">HH", item, 0), b"av01\0") for item in items]
    references = [
        _box(b"thmb", struct.pack(number, item), struct.pack(">H", 1), struct.pack(number, of)) for item in items[1:]
    ]
    every = [one for own in properties for one in own]
    return _box(b"ftyp", _BRANDS) + _full(
        b"meta",
        0,
        0,
        _full(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
        _full(b"pitm", version, 0, struct.pack(number, 1)),
        _full(b"iloc", 0, 0, b"\x44\0", struct.pack(">H", len(data)), *located),
        _full(b"iinf", 0, 0, struct.pack(">H", len(data)), *listed),
        _full(b"iref", version, 0, *references) if references else b"",
        _box(b"iprp", _box(b"ipco", *every), _associations(properties, number, version)),
    )


def _associations(properties: list[list[bytes]], number: str, version: int) -> bytes:
    """Which properties each item has, and whether a decoder must know them."""
    entries, first = b"", 1
    for item, own in enumerate(properties, 1):
        entries += struct.pack(number, item) + bytes([len(own)])
        for index, one in enumerate(own, first):
            essential = one[4:8] in _ESSENTIAL
            entries += struct.pack(">H", essential << 15 | index) if version else bytes([essential << 7 | index])
        first += len(own)
    return _full(b"ipma", version, version, struct.pack(">I", len(properties)), entries)


def _item(avif: bytes) -> bytes:
    """The data of item 1, whose place is the first in the table."""
    table = avif.index(b"iloc")
    start, length = struct.unpack_from(">II", avif, table + 4 + 4 + 2 + 2 + 6)
    return avif[start : start + length]


def _properties(avif: bytes) -> list[bytes]:
    start = avif.index(b"ipco")
    (size,) = struct.unpack_from(">I", avif, start - 4)
    return list(_boxes(avif[start + 4 : start - 4 + size]))


def _boxes(content: bytes) -> Iterator[bytes]:
    while content:
        (size,) = struct.unpack_from(">I", content)
        yield content[:size]
        content = content[size:]


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, bytes([version]) + flags.to_bytes(3, "big"), *parts)
