"""Which files can hold a rating, told by name and content."""

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


def credentials() -> bytes:
    """The beginning of a C2PA manifest store (C2PA specification, 11.1.4)."""
    return b"\0\0\0\x38jumb\0\0\0\x1ejumdc2pa" + bytes.fromhex("00110010800000aa00389b71") + b"\x03c2pa\0"
