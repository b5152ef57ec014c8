"""Image data in TIFF: the first directory, which is the one that is decoded, and the strips or tiles it names."""

from __future__ import annotations

from dataclasses import dataclass

from aesth.fingerprint.source import Blocks, Source, Unsure

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of one value of each type."""

_STRIPS, _TILES = (273, 279), (324, 325)
_OLD_JPEG = frozenset({512, 513, 514, 519, 520, 521})

_METADATA = frozenset(
    {
        *(269, 270, 271, 272, 285, 305, 306, 315, 316),  # names, descriptions, software, date, artist, host
        *(282, 283, 296),  # resolution on paper
        330,  # further pictures
        *(700, 33723, 34377, 34665, 34853),  # XMP, IPTC, Photoshop, EXIF, GPS
        *(18246, 18249),  # ratings
        *(33432, *range(40091, 40096)),  # copyright; Windows' title, comment, author, keywords, subject
    }
)
"""Tags that tell of the picture and not of its pixels. All others count, known or not."""


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    value: int
    """Position of the value."""

    @property
    def size(self) -> int:
        return _SIZES[self.kind] * self.count


def digest_tiff(source: Source) -> Blocks:
    """The first directory but for its metadata, and the data of its strips or tiles."""
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(source.read(4))
    if order is None:
        raise Unsure
    entries = _directory(source, order)
    starts, lengths = _STRIPS if _STRIPS[0] in entries else _TILES
    if starts not in entries or lengths not in entries or _OLD_JPEG & entries.keys():
        raise Unsure
    source.note(order)
    for entry in entries.values():
        if entry.tag not in _METADATA and entry.tag not in (starts, lengths):
            source.note(entry.tag, entry.kind, entry.count)
            source.seek(entry.value)
            source.feed(entry.size)
    places = list(zip(_numbers(source, entries[starts], order), _numbers(source, entries[lengths], order), strict=True))
    source.note(len(places))
    for start, length in places:
        source.note(length)
        source.seek(start)
        source.feed(length)
    return Blocks()


def _directory(source: Source, order: str) -> dict[int, _Entry]:
    source.seek(source.number(4, order))
    entries: dict[int, _Entry] = {}
    for _ in range(source.number(2, order)):
        tag, kind, count = source.number(2, order), source.number(2, order), source.number(4, order)
        if kind not in _SIZES or tag in entries:
            raise Unsure
        place = source.position
        pointed = source.number(4, order)
        entries[tag] = _Entry(tag, kind, count, place if _SIZES[kind] * count <= 4 else pointed)
    return entries


def _numbers(source: Source, entry: _Entry, order: str) -> list[int]:
    """The values of an entry of numbers."""
    if entry.kind not in (3, 4):
        raise Unsure
    source.seek(entry.value)
    values = source.read(entry.size)
    width = _SIZES[entry.kind]
    return [
        int.from_bytes(values[start : start + width], "little" if order == "little" else "big")
        for start in range(0, len(values), width)
    ]
