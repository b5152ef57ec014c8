"""What a file holds, read at one look."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.metadata import MetadataSession, formats
from aesth.metadata.lately import LatelyRead
from aesth.metadata.ratings import ALSO_READ_KEYS, READ_KEYS
from aesth.metadata.workplace import Workplace
from support.metadata import EMBEDDED, exiftool, make_photo, make_rich_photos, rate_by_hand

LABEL = "0123456789"


@pytest.fixture(scope="module")
def workplace() -> Iterator[Workplace]:
    with MetadataSession() as session:
        yield session._open()


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    photo = make_photo(tmp_path_factory.mktemp("labelled") / "a.jpg")
    rate_by_hand(photo, f"-XMP-xmp:Label={LABEL}", "-XMP-xmp:Rating=3")
    return photo


def test_tags_are_those_that_are_read_alone_and_blocks_those_of_exiftool(workplace: Workplace, tmp_path: Path) -> None:
    photos = make_rich_photos(*(tmp_path / f"a.{kind}" for kind in EMBEDDED))
    photos.append(make_photo(tmp_path / "plain.jpg"))
    assert {photo.suffix for photo in photos if workplace.read_content(photo).exif_size} >= {".jpg", ".webp", ".heic"}
    for photo in photos:
        content = workplace.read_content(photo)
        assert [content.tags] == workplace.read_tags([photo])
        assert content.xmp == exiftool("-b", "-XMP", photo).encode().strip()
        size = exiftool("-s3", "-EXIF", photo)
        assert content.exif_size == int(size.split()[2] if size else 0), size


def test_tags_are_those_that_exiftool_tells_of_each_group(workplace: Workplace, tmp_path: Path) -> None:
    photos = make_rich_photos(*(tmp_path / f"a.{kind}" for kind in EMBEDDED))
    stars = [f"-{key}=3" for key in READ_KEYS if key.endswith(("Rating", "Percent"))]
    others = ("-XMP-digiKam:PickLabel=3", "-XMP-aesth:Model=a", "-XMP-aesth:Score=1", "-XMP-photoshop:Urgency=2")
    for photo in photos:
        rate_by_hand(photo, *stars, *others, "-XMP-digiKam:TagsList=a/b", "-IFD0:Model=a camera")
        wanted = [f"-{key}" for key in (*READ_KEYS, *ALSO_READ_KEYS, "File:FileType")]
        (expected,) = json.loads(exiftool("-j", "-G1", "-a", "-n", *wanted, photo), parse_int=str, parse_float=str)
        assert len(expected) > 12
        for tags in (workplace.read_content(photo).tags, workplace.read_tags([photo])[0]):
            assert tags == {key: value for key, value in expected.items() if key != "SourceFile"}


def test_simple_photos_of_cameras_hold_no_more_than_a_short_look_finds(workplace: Workplace, data: Path) -> None:
    photos = sorted(path for path in (data / "camera_files").rglob("*") if formats.is_simple_jpeg(path))
    assert len(photos) >= 35
    assert workplace.read_contents(photos, simple=True) == workplace.read_contents(photos, simple=False)


def test_a_rating_behind_a_picture_is_found(workplace: Workplace, tmp_path: Path) -> None:
    """In what Canon's programs append, which ends as a JPEG does."""
    photo, xmp, behind = make_photo(tmp_path / "a.jpg"), tmp_path / "a.xmp", tmp_path / "a.vrd"
    rate_by_hand(xmp, "-XMP-xmp:Rating=5", "-XMP-dc:Title=a title")
    exiftool("-o", behind, f"-XMP<={xmp}")
    exiftool("-overwrite_original", f"-CanonVRD<={behind}", photo)
    assert photo.read_bytes().endswith(b"\xff\xd9")
    content = workplace.read_content(photo)
    assert content.tags["XMP-xmp:Rating"] == "5"
    assert [content.tags] == workplace.read_tags([photo]) == LatelyRead().read_tags(workplace, [photo])


@given(label=st.binary(min_size=len(LABEL), max_size=len(LABEL)).filter(lambda text: not set(text) & set(b"<&\0")))
def test_text_of_any_bytes_is_what_it_is_when_read_alone(workplace: Workplace, labelled: Path, label: bytes) -> None:
    damaged = labelled.with_name("damaged.jpg")
    damaged.write_bytes(labelled.read_bytes().replace(LABEL.encode(), label))
    assert [workplace.read_content(damaged).tags] == workplace.read_tags([damaged])


def test_a_file_that_is_not_there_has_nothing(workplace: Workplace, tmp_path: Path) -> None:
    content = workplace.read_content(tmp_path / "none.jpg")
    assert (content.tags, content.xmp, content.exif_size) == ({}, b"", 0)
