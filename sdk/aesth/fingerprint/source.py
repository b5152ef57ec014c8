"""A file that is read piece by piece, and the digest of those pieces that count."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

_BYTES = 20
_PIECE = 1 << 17
"""Bytes that are read together: larger pieces of memory are got from the system and given back each time."""

_SLACK = 1 << 16


class Unsure(Exception):  # noqa: N818 - an answer rather than a failure: the whole file counts then
    """Image data cannot be told apart from metadata here."""


@dataclass(frozen=True)
class Blocks:
    """Metadata that may hold the orientation and was left out of the digest, where Pillow is not asked for it.

    Attributes:
        exif: as Pillow keeps it in ``info["exif"]``; None if there is none.
        xmp: the packet; None if there is none.
    """

    exif: bytes | None = None
    xmp: bytes | None = None


class Source:
    """Reads a file, any part in any order, and digests what it is told to.

    Nothing is read that is not there, and no more than twice the file is digested, whatever the file claims.

    Args:
        file: a regular file, open for reading.
        label: what kind of digest this is; digests of two kinds are never the same.
    """

    def __init__(self, file: BinaryIO, label: str) -> None:
        self._file = file
        self._hash = blake2b(f"{label}\n".encode(), digest_size=_BYTES)
        self.size = os.fstat(file.fileno()).st_size
        self._left = 2 * self.size + _SLACK
        self.seek(0)

    def seek(self, position: int) -> None:
        """Go on reading at ``position``."""
        if not 0 <= position <= self.size:
            raise Unsure
        self._file.seek(position)
        self.position = position

    def skip(self, number: int) -> None:
        """Pass over ``number`` bytes."""
        self.seek(self.position + number)

    def read(self, number: int) -> bytes:
        """The next ``number`` bytes, which are not digested."""
        if not 0 <= number <= self.size - self.position:
            raise Unsure
        piece = self._file.read(number)
        self.position += number
        if len(piece) < number:
            raise Unsure
        return piece

    def number(self, size: int, order: str = "big") -> int:
        """The next ``size`` bytes as an unsigned number, not digested."""
        return int.from_bytes(self.read(size), "big" if order == "big" else "little")

    def note(self, *values: object) -> None:
        """Digest facts; bytes as they are, all else as its text."""
        for value in values:
            self._hash.update(value if isinstance(value, bytes) else f"{value}\n".encode())

    def feed(self, number: int) -> None:
        """Digest the next ``number`` bytes."""
        self._left -= number
        if self._left < 0:
            raise Unsure
        while number:
            piece = self.read(min(number, _PIECE))
            self._hash.update(piece)
            number -= len(piece)

    def feed_at_most(self, number: int) -> None:
        """Digest the next ``number`` bytes, or fewer where the file ends."""
        self.feed(min(number, self.size - self.position))

    def feed_rest(self) -> None:
        """Digest what follows, to the end of the file."""
        self.feed(self.size - self.position)

    def digest(self) -> bytes:
        """The digest of all that was fed and noted."""
        return self._hash.digest()
