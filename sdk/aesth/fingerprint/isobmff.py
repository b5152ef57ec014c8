"""Image data in HEIF and AVIF: the items of an ISO media file, wherever they lie in it (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aesth.fingerprint.source import Blocks, Source, Unsure

_PADDING = (b"free", b"skip", b"wide")
_DESCRIBES = b"cdsc"
_IN_FILE, _IN_BOX = 0, 1


@dataclass(frozen=True)
class _Box:
    """A box: its kind, and where its content lies."""

    kind: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def digest_isobmff(source: Source) -> Blocks:
    """Every item but EXIF and XMP, with all that is said of how items become a picture.

    Of a film, what plays when is not taken apart: the whole file counts.
    """
    described = None
    for box in list(_boxes(source, 0, source.size)):
        if box.kind in (b"moov", b"moof"):
            raise Unsure
        if box.kind == b"meta":
            if described is not None:
                raise Unsure
            described = box
        elif box.kind != b"mdat" and box.kind not in _PADDING:
            _feed_box(source, box)
    if described is None:
        raise Unsure
    _digest_meta(source, described)
    return Blocks()


def _digest_meta(source: Source, meta: _Box) -> None:
    parts: dict[bytes, _Box] = {}
    for box in _boxes(source, meta.start + 4, meta.end):
        if box.kind in parts and box.kind not in _PADDING:
            raise Unsure
        parts[box.kind] = box
    if not {b"iinf", b"iloc"} <= parts.keys():
        raise Unsure
    for kind in sorted(parts.keys() - {b"iinf", b"iloc", b"iref", b"idat", *_PADDING}):
        _feed_box(source, parts[kind])
    metadata = _digest_kinds(source, parts[b"iinf"])
    if b"iref" in parts:
        _digest_references(source, parts[b"iref"])
    _digest_items(source, parts[b"iloc"], parts.get(b"idat"), metadata)


def _digest_kinds(source: Source, listing: _Box) -> frozenset[int]:
    """Digest what kind each item is of; the items that are metadata are left out and returned."""
    metadata = set()
    source.seek(listing.start)
    version = source.number(1)
    source.skip(3)
    source.number(2 if version == 0 else 4)
    for box in _boxes(source, source.position, listing.end):
        source.seek(box.start)
        version = source.number(1)
        if box.kind != b"infe" or version not in (2, 3):
            raise Unsure
        source.skip(3)
        item = source.number(2 if version == 2 else 4)
        source.skip(2)
        kind = source.read(4)
        rest = source.read(box.end - source.position)
        is_xmp = kind == b"mime" and rest.split(b"\0")[1:2] == [b"application/rdf+xml"]
        if kind == b"Exif" or is_xmp:
            metadata.add(item)
        else:
            source.note(item, kind, len(rest), rest)
    return frozenset(metadata)


def _digest_references(source: Source, references: _Box) -> None:
    source.seek(references.start)
    version = source.number(1)
    for box in _boxes(source, references.start + 4, references.end):
        if box.kind != _DESCRIBES:
            source.note(version)
            _feed_box(source, box)


def _digest_items(source: Source, places: _Box, inside: _Box | None, metadata: frozenset[int]) -> None:
    """Digest the data of every item that is no metadata, in the order of the table of places."""
    source.seek(places.start)
    version = source.number(1)
    if version > 2:
        raise Unsure
    source.skip(3)
    sizes, more_sizes = source.number(1), source.number(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more_sizes >> 4
    index_size = more_sizes & 15 if version else 0
    for _ in range(source.number(2 if version < 2 else 4)):
        item = source.number(2 if version < 2 else 4)
        method = source.number(2) & 15 if version else _IN_FILE
        elsewhere = source.number(2)
        base = source.number(base_size)
        extents = []
        for _ in range(source.number(2)):
            source.skip(index_size)
            extents.append((source.number(offset_size), source.number(length_size)))
        if item in metadata:
            continue
        if elsewhere or method not in (_IN_FILE, _IN_BOX) or (method == _IN_BOX and inside is None):
            raise Unsure
        start = base + (inside.start if method == _IN_BOX and inside else 0)
        table = source.position
        source.note(item, len(extents))
        for offset, length in extents:
            if not length:
                raise Unsure
            source.note(length)
            source.seek(start + offset)
            source.feed(length)
        source.seek(table)


def _boxes(source: Source, start: int, end: int) -> Iterator[_Box]:
    """The boxes between two positions."""
    while start < end:
        source.seek(start)
        size, kind = source.number(4), source.read(4)
        if size == 1:
            size = source.number(8)
        if size == 0:
            size = end - start
        content, start = source.position, start + size
        if not content <= start <= end:
            raise Unsure
        yield _Box(kind, content, start)


def _feed_box(source: Source, box: _Box) -> None:
    source.note(box.kind, box.size)
    source.seek(box.start)
    source.feed(box.size)
