"""What cameras and phones put into photos besides the picture is there after a write, to the byte where it is data."""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aesth.discover import find_photos
from aesth.metadata import MetadataSession, RatingState
from aesth.pairs import partners
from support.camera import FILM, MAKERS, make_camera_photos, with_packet
from support.metadata import NEW, differences, frames, make_photo, tags_below

PACKET = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description rdf:about='' xmlns:u='urn:unknown/'>%s<u:a>1</u:a></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.fixture(scope="module")
def rated(session: MetadataSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders with all of the photos, as they were and rated."""
    old = tmp_path_factory.mktemp("old")
    make_camera_photos(old)
    new = Path(shutil.copytree(old, tmp_path_factory.mktemp("new") / "photos"))
    for photo in sorted(new.iterdir()):
        assert session.write(photo, NEW) == [photo], photo.name
    return old, new


@pytest.fixture(scope="module")
def found(rated: tuple[Path, Path]) -> dict[Path, dict[str, Any]]:
    """Every tag of them, data inside of them too."""
    return tags_below(*rated)


@pytest.mark.parametrize("name", MAKERS)
def test_pixels_and_every_other_tag_stay(
    rated: tuple[Path, Path], found: dict[Path, dict[str, Any]], name: str
) -> None:
    old, new = (folder / name for folder in rated)
    assert found[new]["XMP-xmp:Rating"] == NEW.rating
    assert differences(found[old], found[new]) == set()
    assert len(frames(old)) == len(frames(new))
    assert all(map(np.array_equal, frames(old), frames(new)))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("makers-note.jpg", "Canon:OwnerName"),
        ("thumbnail.jpg", "IFD1:ThumbnailImage"),
        ("thumbnail.jpg", "IPTC:Caption-Abstract"),
        ("thumbnail.jpg", "GPS:GPSAltitude"),
        ("mpf.jpg", "MPImage2:MPImage2"),
        ("gain-map.jpg", "MPImage2:MPImage2"),
        ("gain-map.jpg", "XMP-hdrgm:Version"),
        ("gain-map.jpg", "XMP-Container:DirectoryItemSemantic"),
        ("depth-map.jpg", "XMP-GDepth:DepthImage"),
        ("motion.jpg", "XMP-GCamera:MicroVideoOffset"),
        *((f"profile.{kind}", "ICC-header:ProfileID") for kind in ("png", "tif", "webp", "heic", "avif")),
    ],
)
def test_they_hold_what_they_are_made_for(
    found: dict[Path, dict[str, Any]], rated: tuple[Path, Path], name: str, key: str
) -> None:
    assert key in found[rated[0] / name]
    assert key in found[rated[1] / name]


def test_what_follows_the_picture_stays_to_the_byte(rated: tuple[Path, Path]) -> None:
    assert (rated[1] / "motion.jpg").read_bytes().endswith(FILM)
    for name in ("mpf.jpg", "gain-map.jpg"):
        before, after = (folder.joinpath(name).read_bytes() for folder in rated)
        second = before[before.rindex(b"\xff\xd8\xff") :]
        assert before.count(b"\xff\xd8\xff") > 1
        assert after.endswith(second)


@pytest.mark.parametrize("box", [b"mpvd", b"sefd"])
def test_a_heic_that_ends_with_a_film_gets_a_sidecar(session: MetadataSession, tmp_path: Path, box: bytes) -> None:
    """ExifTool would write behind the film, which phones look for at the end."""
    photo = make_photo(tmp_path / "a.heic")
    photo.write_bytes(photo.read_bytes() + struct.pack(">I", 8 + len(FILM)) + box + FILM)
    before = photo.read_bytes()
    assert session.write(photo, NEW) == [tmp_path / "a.heic.xmp"]
    assert photo.read_bytes() == before


def test_a_photo_whose_xmp_would_lose_a_word_gets_a_sidecar(session: MetadataSession, tmp_path: Path) -> None:
    for number, comment in enumerate([b"", b"<!-- which ExifTool drops -->"]):
        photo = make_photo(tmp_path / f"{number}.jpg")
        photo.write_bytes(with_packet(photo.read_bytes(), PACKET % comment))
        before = photo.read_bytes()
        (written,) = session.write(photo, NEW)
        assert (written == photo) is not comment.startswith(b"<")
        assert comment in written.read_bytes()
        assert (photo.read_bytes() == before) is (written != photo)


def test_xmp_in_utf_16_stays_in_a_photo_and_is_copied_to_a_sidecar(session: MetadataSession, tmp_path: Path) -> None:
    start = "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
    packet = start + PACKET.decode() % "<u:city>Zürich</u:city>" + "<?xpacket end='w'?>"
    photos = [make_photo(tmp_path / name) for name in ("inside.jpg", "beside.jpg")]
    for photo in photos:
        photo.write_bytes(with_packet(photo.read_bytes(), packet.encode("utf-16-be")))
    inside, beside = photos
    assert session.write(inside, NEW) == [inside]
    (sidecar,) = session.write(beside, NEW, sidecar=True)
    found = tags_below(inside, sidecar)
    for path in (inside, sidecar):
        assert (found[path]["XMP-u:City"], found[path]["XMP-xmp:Rating"]) == ("Zürich", NEW.rating)


def test_of_a_live_photo_the_picture_is_rated_and_the_film_is_let_alone(
    session: MetadataSession, tmp_path: Path
) -> None:
    av = pytest.importorskip("av")
    photo, film = make_photo(tmp_path / "IMG_1.HEIC"), tmp_path / "IMG_1.MOV"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    before = film.read_bytes()
    assert b"moov" in before
    assert list(find_photos([tmp_path])) == [photo]
    assert list(partners(photo)) == []
    assert session.write(photo, NEW) == [photo]
    (state,) = session.read([photo])
    assert isinstance(state, RatingState)
    assert state.rating == NEW.rating
    assert film.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {photo.name, film.name}
