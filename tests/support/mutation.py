"""Damage to files as disks, cables, cut downloads and people of ill will do it, drawn at random."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

NUMBERS = (0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Lengths and offsets at which programs that count wrongly fail."""

HOSTILE = (
    b"\n-execute\n",
    b"{ready}\n",
    b"=0=post000001\n",
    b"Error: File format error - x\n",
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    b"</rdf:Description>",
    b"<xmp:Rating>9</xmp:Rating>",
    b'xmp:Rating="nan"',
    b"jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x388\x9bq",
    b"\xff\xd8\xff\xe1",
    b"\0" * 64,
)

_LENGTHS = re.compile(
    rb"\xff[\xc4\xdb\xdd\xe0-\xef](?P<jpeg>..)"
    rb"|(?P<before>....)(?:IHDR|IDAT|IEND|eXIf|iTXt|iCCP|fcTL|ftyp|meta|iinf|infe|iloc|iprp|ipco|ipma|mdat|mpvd|uuid)"
    rb"|(?:VP8[ LX]|EXIF|XMP |ICCP|ANIM|ANMF|RIFF)(?P<after>....)"
    rb"|[\0\x01\x02\x82\x83\x87\x88\xc5\xc6][\0\x01\x02\x82\x83\x87\x88\xc5\xc6]\0[\x01-\x0c](?P<big>........)"
    rb"|[\x01\x02\x82\x83\x87\x88\xc5\xc6]{0,1}..[\x01-\x0c]\0(?P<little>........)",
    re.DOTALL,
)
"""Lengths, counts and offsets: of JPEG's segments, PNG's chunks and HEIF's boxes, RIFF's chunks, TIFF's entries."""

Mutation = Callable[[bytes, Random], bytes]


def mutated(content: bytes, draw: Random, others: Sequence[bytes]) -> bytes:
    """``content`` with one to three damages; ``others`` are files that it may be mixed with."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        if draw.random() < 0.1:
            content = spliced(content, draw.choice(others), draw)
        elif content:
            content = draw.choice(MUTATIONS)(content, draw)
    return content


def with_flipped_bits(content: bytes, draw: Random) -> bytes:
    changed = bytearray(content)
    reach = draw.choice((64, 600, len(content)))
    for _ in range(draw.choice((1, 2, 8))):
        changed[draw.randrange(min(reach, len(content)))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut(content: bytes, draw: Random) -> bytes:
    return content[: draw.randrange(len(content))]


def with_zeros(content: bytes, draw: Random) -> bytes:
    start, end = _block(content, draw)
    return content[:start] + bytes(end - start) + content[end:]


def without_a_block(content: bytes, draw: Random) -> bytes:
    start, end = _block(content, draw)
    return content[:start] + content[end:]


def with_a_block_twice(content: bytes, draw: Random) -> bytes:
    start, end = _block(content, draw)
    return content[:end] + content[start:end] + content[end:]


def with_blocks_swapped(content: bytes, draw: Random) -> bytes:
    (a, b), (c, d) = sorted((_block(content, draw), _block(content, draw)))
    if b > c:
        return with_a_block_twice(content, draw)
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def with_another_length(content: bytes, draw: Random) -> bytes:
    """One length or offset changed, where the format has them; else any four bytes."""
    spans = [match.span(match.lastgroup or 0) for match in _LENGTHS.finditer(content)]
    start, end = draw.choice(spans) if spans else _block(content, draw)
    if end - start == 8:  # of an entry of a TIFF: the count or the value
        start += draw.choice((0, 4))
    size = 2 if end - start == 2 else 4
    order = draw.choice(("big", "little"))
    old = int.from_bytes(content[start : start + size], order)
    number = draw.choice((*NUMBERS, old + 1, old - 1, old * 2, len(content), len(content) - start))
    return content[:start] + (number % (1 << 8 * size)).to_bytes(size, order) + content[start + size :]


def with_hostile_text(content: bytes, draw: Random) -> bytes:
    """Something that means much to a parser or to ExifTool's protocol, put in or written over what is there."""
    at, text = draw.randrange(len(content)), draw.choice(HOSTILE)
    return content[:at] + text + content[at + draw.choice((0, len(text))) :]


def spliced(content: bytes, other: bytes, draw: Random) -> bytes:
    """The start of one file and the end of another."""
    return content[: draw.randrange(len(content) + 1)] + other[draw.randrange(len(other) + 1) :]


MUTATIONS: tuple[Mutation, ...] = (
    *(with_flipped_bits, with_flipped_bits, with_another_length, with_another_length, with_another_length),
    *(cut, with_zeros, without_a_block, with_a_block_twice, with_blocks_swapped, with_hostile_text),
)


def _block(content: bytes, draw: Random) -> tuple[int, int]:
    start = draw.randrange(len(content))
    return start, min(len(content), start + draw.choice((1, 4, 16, 100, 1000)))
