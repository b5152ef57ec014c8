"""Thumbnails in an AVIF, which libraries do not hand out: items that the file says are so (ISO/IEC 23008-12, 6.4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_NO_REFERENCE = b"free"
"""What a reference is called that decoders pass over."""

_MOST = 4
"""Thumbnails that are looked at."""

_SHOWN_BY = (b"irot", b"imir", b"clap", b"colr", b"pasp")
"""Properties that tell how the numbers of an item are shown."""


class _DamagedError(ValueError):
    """A box points out of the one that it lies in, or is not there."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its kind, and the part of the file in which its content lies."""

    kind: bytes
    content: bytes
    start: int
    end: int

    def number(self, at: int, size: int) -> int:
        """The number in ``size`` bytes of the content, ``at`` bytes behind its start."""
        start = self.start + at
        if start + size > self.end:
            raise _DamagedError
        return int.from_bytes(self.content[start : start + size], "big")

    def boxes(self, at: int = 0) -> Iterator[_Box]:
        """The boxes inside, from ``at`` bytes behind the start of the content."""
        start = self.start + at
        while start < self.end:
            head = _Box(b"", self.content, start, self.end)
            size, kind, header = head.number(0, 4), self.content[start + 4 : start + 8], 8
            if size == 1:
                size, header = head.number(8, 8), 16
            end = start + size if size else self.end
            if not start + header <= end <= self.end:
                raise _DamagedError
            yield _Box(kind, self.content, start + header, end)
            start = end


def thumbnails(avif: bytes) -> list[bytes]:
    """Copies of an AVIF that each have a thumbnail of its picture in the picture's place; none where it is damaged.

    Only those that are turned, mirrored and cropped as the picture is, and have its colours, by the file's own tables.
    """
    try:
        meta = _only(_Box(b"", avif, 0, len(avif)), b"meta")
        primary, references = _only(meta, b"pitm"), _only(meta, b"iref")
        size = 2 if primary.number(0, 1) == 0 else 4
        picture = primary.number(4, size)
        shown = _shown(_only(meta, b"iprp"))
        alike = [one for one in _listed(references, picture) if shown.get(one[1]) == shown.get(picture)][:_MOST]
        return [_instead(avif, primary.start + 4, item.to_bytes(size, "big"), place) for place, item in alike]
    except (_DamagedError, IndexError, OverflowError):
        return []


def _only(box: _Box, kind: bytes) -> _Box:
    """The one box of a kind in another."""
    found = [one for one in box.boxes(4 if box.kind == b"meta" else 0) if one.kind == kind]
    if len(found) != 1:
        raise _DamagedError
    return found[0]


def _listed(references: _Box, picture: int) -> Iterator[tuple[int, int]]:
    """Where it is said of which items that they are thumbnails of a picture."""
    size = 2 if references.number(0, 1) == 0 else 4
    for box in references.boxes(4):
        if box.kind == b"thmb":
            count = box.number(size, 2)
            if picture in [box.number(size + 2 + size * each, size) for each in range(count)]:
                yield box.start - len(box.kind), box.number(0, size)


def _shown(properties: _Box) -> dict[int, frozenset[bytes]]:
    """What is told of each item about how it is shown."""
    known = [*_only(properties, b"ipco").boxes()]
    shown: dict[int, frozenset[bytes]] = {}
    for table in (box for box in properties.boxes() if box.kind == b"ipma"):
        item_size, index_size, at = 2 if table.number(0, 1) == 0 else 4, 1 + table.number(3, 1) % 2, 8
        for _ in range(table.number(4, 4)):
            item, count = table.number(at, item_size), table.number(at + item_size, 1)
            at += item_size + 1
            indices = [table.number(at + index_size * each, index_size) for each in range(count)]
            at += index_size * count
            own = [known[index - 1] for index in (one % (1 << 8 * index_size - 1) for one in indices) if index]
            shown[item] = frozenset(one.kind + one.content[one.start : one.end] for one in own if one.kind in _SHOWN_BY)
    return shown


def _instead(avif: bytes, at: int, item: bytes, reference: int) -> bytes:
    """A copy whose picture is ``item``, which is not called a thumbnail any more: decoders show none of those."""
    changed = bytearray(avif)
    changed[at : at + len(item)] = item
    changed[reference : reference + len(_NO_REFERENCE)] = _NO_REFERENCE
    return bytes(changed)
