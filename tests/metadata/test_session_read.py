"""Ratings as photo managers see them, of many photos at a time."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth.errors import MetadataError
from aesth.metadata import MetadataSession, RatingState
from support.metadata import DARKTABLE, EMBEDDED, NEW, make_photo, process_of, rate_by_exiv2, rate_by_hand


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


def rating(session: MetadataSession, path: Path) -> int | None:
    (state,) = session.read([path])
    assert isinstance(state, RatingState), state
    return state.rating


@pytest.mark.parametrize("kind", EMBEDDED)
def test_every_kind_of_photo(session: MetadataSession, tmp_path: Path, kind: str) -> None:
    path = make_photo(tmp_path / f"a.{kind}")
    assert rating(session, path) is None
    rate_by_hand(path, "-IFD0:Rating=2")
    assert rating(session, path) == 2
    rate_by_hand(path, "-XMP-xmp:Rating=3")
    assert rating(session, path) == 3


@pytest.mark.parametrize(
    ("by_hand", "stars"),
    [
        ("-XMP-xmp:Rating=3", 3),
        ("-IFD0:Rating=2", 2),
        ("-IFD0:RatingPercent=99", 5),
        ("-XMP-microsoft:RatingPercent=75", 4),
        ("-XMP-acdsee:Rating=1", 1),
        ("-XMP-xmp:Rating=-1", -1),
        ("-XMP-digiKam:PickLabel=1", -1),
        ("-XMP-dc:Title=no rating", None),
    ],
)
def test_what_other_programs_wrote(session: MetadataSession, tmp_path: Path, by_hand: str, stars: int | None) -> None:
    path = make_photo(tmp_path / "a.jpg")
    rate_by_hand(path, by_hand)
    assert rating(session, path) == stars


def test_the_sidecar_wins_and_an_own_one_over_adobes(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    rate_by_exiv2(photo, 1)
    (tmp_path / "a.xmp").write_text(DARKTABLE.format(rating=2))
    assert rating(session, photo) == 2
    (tmp_path / "a.jpg.xmp").write_text(DARKTABLE.format(rating=3))
    assert rating(session, photo) == 3


def test_the_raws_sidecar_counts_for_its_jpeg_too(session: MetadataSession, tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "a.CR2", make_photo(tmp_path / "a.jpg")
    raw.write_bytes(b"II*\0")
    (tmp_path / "a.xmp").write_text(DARKTABLE.format(rating=5))
    assert [rating(session, path) for path in (raw, jpeg)] == [5, 5]


def test_what_a_person_gave_a_raw_counts_for_its_jpeg_and_the_other_way_round(
    session: MetadataSession, tmp_path: Path
) -> None:
    for stem in "ab":
        (tmp_path / f"{stem}.CR2").write_bytes(b"II*\0")
        make_photo(tmp_path / f"{stem}.jpg")
    (tmp_path / "a.CR2.xmp").write_text(DARKTABLE.format(rating=5))
    rate_by_hand(tmp_path / "b.jpg", "-XMP-xmp:Rating=2")
    photos = [tmp_path / name for name in ("a.CR2", "a.jpg", "b.CR2", "b.jpg")]
    assert [rating(session, photo) for photo in photos] == [5, 5, 2, 2]
    assert [state.rating for state in session.read(photos) if isinstance(state, RatingState)] == [5, 5, 2, 2]


def test_what_we_gave_a_raw_does_not(session: MetadataSession, tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "a.CR2", make_photo(tmp_path / "a.jpg")
    raw.write_bytes(b"II*\0")
    session.write(raw, NEW)
    assert (rating(session, raw), rating(session, jpeg)) == (4, None)


def test_a_raw_that_cannot_be_read_does_its_jpeg_no_harm(session: MetadataSession, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_photo(tmp_path / f"{name}.jpg")
    (tmp_path / "a.CR2").symlink_to("nowhere")
    (tmp_path / "b.CR2").write_bytes(b"II*\0")
    (tmp_path / "b.CR2.xmp").write_text("<rdf:RDF")
    assert [rating(session, tmp_path / name) for name in ("a.jpg", "b.jpg")] == [None, None]


def test_ratings_that_disagree_are_named(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    rate_by_hand(photo, "-XMP-xmp:Rating=3", "-IFD0:Rating=2")
    (tmp_path / "a.jpg.xmp").write_text(DARKTABLE.format(rating=5))
    (state,) = session.read([photo])
    assert isinstance(state, RatingState)
    assert (state.rating, state.conflicts) == (5, ("XMP-xmp:Rating is 3 in a.jpg", "IFD0:Rating is 2 in a.jpg"))


def test_one_bad_photo_is_an_error_in_its_place(session: MetadataSession, tmp_path: Path) -> None:
    good = make_photo(tmp_path / "good.jpg")
    sick = make_photo(tmp_path / "sick.jpg")
    (tmp_path / "sick.jpg.xmp").write_text("<rdf:RDF")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "text.jpg").write_text("no picture at all")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "astray.jpg").symlink_to("nowhere")
    names = ["good.jpg", "missing.jpg", "sick.jpg", ".", "pipe.jpg", "text.jpg", "empty.jpg", "astray.jpg", "good.jpg"]
    states = list(session.read(tmp_path / name for name in names))
    assert [isinstance(state, RatingState) for state in states] == [1, 0, 0, 0, 0, 1, 1, 0, 1]
    assert "no such file" in str(states[1])
    assert str(sick) + ".xmp" in str(states[2])
    assert rating(session, good) is None


def test_photos_are_taken_as_they_are_asked_for(session: MetadataSession, tmp_path: Path) -> None:
    taken = []

    def endless() -> Iterator[Path]:
        path = make_photo(tmp_path / "a.jpg")
        while True:
            taken.append(path)
            yield path

    states = session.read(endless())
    next(states)
    assert len(taken) == 1
    for _ in range(200):
        next(states)
    assert len(taken) < 300


def test_order_over_many_batches(session: MetadataSession, tmp_path: Path) -> None:
    rated = []
    for stars in range(1, 6):
        rated.append(make_photo(tmp_path / f"{stars}.jpg"))
        rate_by_exiv2(rated[-1], stars)
    states = session.read(rated * 40)
    assert [state.rating for state in states if isinstance(state, RatingState)] == [1, 2, 3, 4, 5] * 40


def test_exiftool_dying_costs_nothing_but_time(tmp_path: Path) -> None:
    paths = [make_photo(tmp_path / f"{number}.jpg") for number in range(4)]
    with MetadataSession() as session:
        kill_exiftool(session)
        assert list(session.read(paths)) == [RatingState()] * 4
        kill_exiftool(session)
        assert session.write(paths[0], NEW) == [paths[0]]
    assert sorted(tmp_path.iterdir()) == paths


def test_exiftool_dying_twice_over_a_write_leaves_the_photo_and_the_next_goes_on(
    session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_photo(tmp_path / "a.jpg")
    before = path.read_bytes()
    dying = session._open().exiftool
    with monkeypatch.context() as patch:
        patch.setattr(dying, "program", shutil.which("true"))
        kill_exiftool(session)
        dying.close(kill=True)
        with pytest.raises(MetadataError, match="ended unexpectedly; the file was left as it is"):
            session.write(path, NEW)
    assert path.read_bytes() == before
    assert session.write(path, NEW) == [path]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jpg"]


def kill_exiftool(session: MetadataSession) -> None:
    process = process_of(session._open().exiftool)
    process.kill()
    process.wait()
