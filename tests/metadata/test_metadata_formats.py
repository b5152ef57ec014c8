"""Which files can hold a rating, told by name and content."""

import struct
from pathlib import Path

import pytest

from aesth.metadata import formats
from support.metadata import EMBEDDED, make_photo, make_rich_photos


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


@pytest.mark.parametrize("before", [0, 100, 200_000])
def test_credentials_of_a_jpeg_stand_before_its_picture(tmp_path: Path, before: int) -> None:
    path = make_photo(tmp_path / "a.jpg")
    plain = path.read_bytes()
    path.write_bytes(with_segments(plain, *comments(before)))
    assert not formats.has_credentials(path)
    path.write_bytes(with_segments(plain, *comments(before), (0xEB, b"JP\0\1\0\0\0\1" + credentials())))
    assert formats.has_credentials(path)


def test_those_that_somebody_put_behind_it_are_not_of_this_jpeg(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + credentials())
    assert not formats.has_credentials(path)


@pytest.mark.parametrize("damage", [b"between segments", b"\xff\xe5\0\0", b"\xff\xd9"])
def test_all_of_a_damaged_jpeg_is_searched(tmp_path: Path, damage: bytes) -> None:
    path = make_photo(tmp_path / "a.jpg")
    path.write_bytes(b"\xff\xd8" + damage + path.read_bytes()[2:] + credentials())
    assert formats.has_credentials(path)


def test_credentials_of_other_files_are_found_wherever_they_lie(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.png")
    assert not formats.has_credentials(path)
    path.write_bytes(path.read_bytes() + credentials())
    assert formats.has_credentials(path)
    for before in (1 << 17, 1 << 20, 1 << 21):  # across the pieces by which a file is read
        path.write_bytes(bytes(before - 20) + credentials())
        assert formats.has_credentials(path)


class TestSimpleJpegs:
    def test_a_jpeg_of_a_camera_is_one(self, tmp_path: Path) -> None:
        assert formats.is_simple_jpeg(make_photo(tmp_path / "a.jpg"))
        assert formats.is_simple_jpeg(*make_rich_photos(tmp_path / "b.jpg"))

    @pytest.mark.parametrize("kind", ["png", "tif", "webp", "heic"])
    def test_no_other_file_is(self, tmp_path: Path, kind: str) -> None:
        assert not formats.is_simple_jpeg(make_photo(tmp_path / f"a.{kind}"))
        assert not formats.is_simple_jpeg(tmp_path / "missing.jpg")

    @pytest.mark.parametrize(
        "segments",
        [
            [(0xE2, b"FPXR\0\2\0\0\0")],
            [(0xE0, b"II\x1a\0\0\0HEAPJPGM")],
            [(0xE4, bytes(60_000)), (0xE5, bytes(60_000)), (0xE6, bytes(60_000))],
        ],
        ids=["FlashPix", "CIFF", "large"],
    )
    def test_nor_is_one_with_such_segments(self, tmp_path: Path, segments: list[tuple[int, bytes]]) -> None:
        path = make_photo(tmp_path / "a.jpg")
        path.write_bytes(with_segments(path.read_bytes(), *segments))
        assert not formats.is_simple_jpeg(path)

    @pytest.mark.parametrize("more", [b"film", b"AXS!" + bytes(6) + b"\xff\xd9", b"\xff\xd9cbipcbbl", bytes(64)])
    def test_nor_is_one_that_something_follows(self, tmp_path: Path, more: bytes) -> None:
        path = make_photo(tmp_path / "a.jpg")
        path.write_bytes(path.read_bytes() + more)
        assert not formats.is_simple_jpeg(path)

    def test_nor_is_one_whose_segments_lead_nowhere(self, tmp_path: Path) -> None:
        path = make_photo(tmp_path / "a.jpg")
        path.write_bytes(b"\xff\xd8" + b"\xff\xe5\0\0" + path.read_bytes()[2:])
        assert not formats.is_simple_jpeg(path)


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more segments, by marker and content, at its beginning."""
    return (
        jpeg[:2] + b"".join(struct.pack(">BBH", 0xFF, kind, 2 + len(text)) + text for kind, text in segments) + jpeg[2:]
    )


def comments(size: int) -> list[tuple[int, bytes]]:
    """Segments of so many bytes without meaning."""
    return [(0xFE, bytes(min(size - at, 60_000))) for at in range(0, size, 60_000)]


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
