"""Which files can hold a rating, told by name and content."""

import struct
from pathlib import Path

import pytest

from aesth.metadata import formats
from support.metadata import EMBEDDED, make_photo


@pytest.mark.parametrize("kind", EMBEDDED)
def test_the_kinds_that_are_written_to(tmp_path: Path, kind: str) -> None:
    assert formats.embeddable(make_photo(tmp_path / f"a.{kind}")) == kind


def test_content_decides_among_photos_whose_name_lies(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg").rename(tmp_path / "a.PNG")
    assert formats.embeddable(path) == "jpg"


@pytest.mark.parametrize("name", ["a.CR2", "a.nef", "a.dng", "a.tif.bak", "a", "a.jpg"])
def test_a_tiff_by_another_name_may_be_a_raw(tmp_path: Path, name: str) -> None:
    path = make_photo(tmp_path / "a.tif").rename(tmp_path / name)
    assert formats.embeddable(path) is None


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"text", b"RIFF0000WAVE", b"\0\0\0\x18ftypqt  ", b"\0\0\0\x18ftypcrx "]
)
def test_other_content_is_not_written_to(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert formats.embeddable(path) is None


def test_credentials_are_found_wherever_they_lie(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    assert not formats.has_credentials(path)
    path.write_bytes(path.read_bytes() + credentials())
    assert formats.has_credentials(path)
    for before in (1 << 20, 1 << 21):  # across the pieces by which a file is read
        path.write_bytes(bytes(before - 20) + credentials())
        assert formats.has_credentials(path)


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    """A box of an ISO media file; a ``length`` of 1 stands behind the kind, in 64 bits, 0 reaches to the end."""
    if length == 1:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content) if length is None else length, kind) + content


PICTURE = box(b"ftyp", b"heic") + box(b"meta", bytes(40)) + box(b"mdat", bytes(100))


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (PICTURE, False),
        (PICTURE + box(b"free"), False),
        (PICTURE + box(b"mdat", bytes(9), length=1), False),
        (PICTURE + box(b"mdat", bytes(99), length=0), False),
        (PICTURE + box(b"mpvd", b"film"), True),
        (PICTURE + box(b"mpvd", b"film", length=1), True),
        (PICTURE + box(b"sefd", b"film", length=0), True),
        (PICTURE + b"SEFT", True),
        (PICTURE + box(b"free") * 2000, True),
    ],
)
def test_what_follows_the_picture_of_a_heic(tmp_path: Path, content: bytes, more: bool) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(content)
    assert formats.ends_with_more(path, "heic") is more
    assert not formats.ends_with_more(path, "jpg")


def credentials() -> bytes:
    """The beginning of a C2PA manifest store (C2PA specification, 11.1.4)."""
    return b"\0\0\0\x38jumb\0\0\0\x1ejumdc2pa" + bytes.fromhex("00110010800000aa00389b71") + b"\x03c2pa\0"
