"""A photo that was read to be written is not read once more, unless anybody can have touched it since."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aesth import Scorer
from aesth.metadata import ChangedError, MetadataSession, RatingState, lately
from aesth.metadata.exiftool import ExifTool, ExifToolDied, Reply
from aesth.metadata.lately import LatelyRead, is_settled
from aesth.metadata.workplace import Workplace
from aesth.tagging import Action, tag
from support.metadata import DARKTABLE, NEW, exiftool, make_photo, make_rich_photos, rate_by_exiv2, rate_by_hand, tags

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system does not tell when a file itself was changed")


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession(processes=1) as opened:
        yield opened


@pytest.fixture
def workplace(session: MetadataSession) -> Workplace:
    return session._open()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the ExifTools of this test are told, by command."""
    told, run = list[list[str]](), ExifTool.run

    def listened(self: ExifTool, arguments: Iterable[str], timeout: float = 600.0) -> Reply:
        told.append([*arguments])
        return run(self, told[-1], timeout)

    monkeypatch.setattr(ExifTool, "run", listened)
    return told


def readings(commands: Iterable[list[str]]) -> int:
    """How often a photo was read by itself or with others."""
    return sum("-j" in command for command in commands)


def settled(photo: Path) -> Path:
    """A photo, once any change of it will show."""
    while not is_settled(photo.stat(), time.time_ns()):
        time.sleep(0.01)
    return photo


def rated(path: Path, stars: int) -> Path:
    """A photo rated by a person; its size does not depend on the stars."""
    rate_by_exiv2(make_photo(path), stars)
    return settled(path)


def read_to_write(session: MetadataSession, photo: Path) -> RatingState:
    (state,) = session.read([photo], to_write=True)
    assert isinstance(state, RatingState)
    return state


def test_a_write_that_follows_reads_only_what_it_wrote(
    session: MetadataSession, tmp_path: Path, commands: list[list[str]]
) -> None:
    (photo,) = make_rich_photos(tmp_path / "a.jpg")
    before = tags(settled(photo))
    state = read_to_write(session, photo)
    assert readings(commands) == 1
    assert session.write(photo, NEW, expected=state) == [photo]
    assert readings(commands) == 2
    assert all({"-e", "-fast2"} <= {*command} for command in commands if "-j" in command), (
        "nothing else is made or read"
    )
    assert tags(photo)["XMP-dc:Title"] == before["XMP-dc:Title"]


def test_a_run_reads_each_photo_twice_and_one_that_only_looks_no_blocks(
    session: MetadataSession, brightness: Path, tmp_path: Path, commands: list[list[str]]
) -> None:
    photos = [settled(make_photo(tmp_path / f"{number}.jpg")) for number in range(3)]
    with Scorer(str(brightness), jobs=1, threads=1) as scorer:
        for options in ({"dry_run": True}, {"sidecar": True, "dry_run": True}, {"relative": True, "dry_run": True}):
            list(tag(photos, scorer, session, **cast("Any", options)))
        assert not any("-EXIF" in command for command in commands)
        commands.clear()
        outcomes = list(tag(photos, scorer, session))
    assert {outcome.action for outcome in outcomes} == {Action.WRITTEN}
    names = [argument for command in commands if "-j" in command for argument in command if argument.endswith(".jpg")]
    assert len(names) == 2 * len(photos)


class TestChangedSince:
    """Another program changes a photo between the read and the write: by what a change of a file can be seen."""

    def by_size(self, photo: Path) -> None:
        rate_by_hand(photo, "-XMP-xmp:Rating=2", "-XMP-dc:Title=a title")

    def by_both_times_only(self, photo: Path) -> None:
        with photo.open("rb+") as file:
            content = file.read()
            file.seek(content.index(b'xmp:Rating="1"') + len(b'xmp:Rating="'))
            file.write(b"2")

    def by_the_time_of_the_change_only(self, photo: Path) -> None:
        before = photo.stat()
        self.by_both_times_only(photo)
        os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))

    def by_another_file_of_the_same_size_and_time(self, photo: Path) -> None:
        other = Path(shutil.copy2(photo, photo.with_name("other.jpg")))
        self.by_the_time_of_the_change_only(other)
        other.replace(photo)

    @pytest.mark.parametrize(
        ("change", "same"),
        [
            (by_size, ()),
            (by_both_times_only, ("st_ino", "st_size")),
            (by_the_time_of_the_change_only, ("st_ino", "st_size", "st_mtime_ns")),
            (by_another_file_of_the_same_size_and_time, ("st_size", "st_mtime_ns")),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_a_rating_of_a_person_stands(
        self,
        session: MetadataSession,
        tmp_path: Path,
        change: Callable[[TestChangedSince, Path], None],
        same: tuple[str, ...],
    ) -> None:
        photo = rated(tmp_path / "a.jpg", 1)
        state, before = read_to_write(session, photo), photo.stat()
        change(self, photo)
        changed, now = photo.read_bytes(), photo.stat()
        assert all(getattr(before, name) == getattr(now, name) for name in same)
        with pytest.raises(ChangedError, match="somebody rated this photo meanwhile"):
            session.write(photo, NEW, expected=state)
        assert photo.read_bytes() == changed
        assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]

    def test_even_while_it_was_read(
        self, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = rated(tmp_path / "a.jpg", 1)
        read = Workplace.read_contents

        def slowly(*arguments: Any, **options: Any) -> Any:
            found = read(*arguments, **options)
            self.by_both_times_only(photo)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(Workplace, "read_contents", slowly)
            state = read_to_write(session, photo)
        assert state.rating == 1
        with pytest.raises(ChangedError, match="somebody rated this photo meanwhile"):
            session.write(photo, NEW, expected=state)

    def test_what_else_was_written_there_stays(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = settled(make_photo(tmp_path / "a.jpg"))
        state = read_to_write(session, photo)
        exiftool("-overwrite_original", "-XMP-dc:Title=a title", "-IFD0:Artist=Ann", photo)
        session.write(photo, NEW, expected=state)
        found = tags(photo)
        assert (found["XMP-dc:Title"], found["IFD0:Artist"], found["XMP-xmp:Rating"]) == ("a title", "Ann", 4)

    def test_a_sidecar_that_appeared_is_seen(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = settled(make_photo(tmp_path / "a.jpg"))
        state = read_to_write(session, photo)
        (tmp_path / "a.jpg.xmp").write_text(DARKTABLE.format(rating=5))
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(ChangedError, match="somebody rated this photo meanwhile"):
            session.write(photo, NEW, expected=state)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_one_that_appeared_without_a_rating_is_merged(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = settled(make_photo(tmp_path / "a.jpg")), tmp_path / "a.jpg.xmp"
        state = read_to_write(session, photo)
        sidecar.write_text(DARKTABLE.format(rating=0))
        assert session.write(photo, NEW, expected=state) == [sidecar, photo]

    def test_so_is_one_of_the_raw_that_appeared_beside_it(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = settled(make_photo(tmp_path / "a.jpg"))
        state = read_to_write(session, photo)
        (tmp_path / "a.CR3").write_bytes(b"II*\0")
        (tmp_path / "a.CR3.xmp").write_text(DARKTABLE.format(rating=2))
        with pytest.raises(ChangedError, match="somebody rated this photo meanwhile"):
            session.write(photo, NEW, expected=state)


def test_where_exiftool_dies_over_more_than_the_rating_that_is_read_alone(
    session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, run = [rated(tmp_path / f"{stars}.jpg", stars) for stars in (1, 2)], ExifTool.run

    def dying(self: ExifTool, arguments: Iterable[str], timeout: float = 600.0) -> Reply:
        if "-EXIF" in (told := [*arguments]):
            raise ExifToolDied("ExifTool ended unexpectedly")
        return run(self, told, timeout)

    monkeypatch.setattr(ExifTool, "run", dying)
    states = session.read(photos, to_write=True)
    assert [state.rating for state in states if isinstance(state, RatingState)] == [1, 2]


class TestWhatIsKept:
    def test_is_what_a_write_would_read(self, workplace: Workplace, tmp_path: Path) -> None:
        rich, plain = *make_rich_photos(tmp_path / "a.jpg"), make_photo(tmp_path / "b.jpg")
        no_utf8 = tmp_path / "c.jpg"
        rate_by_hand(make_photo(no_utf8), "-XMP-xmp:Label=0123456789", "-XMP-xmp:Rating=3")
        no_utf8.write_bytes(no_utf8.read_bytes().replace(b"0123456789", b"\xff" * 10))
        photos = [settled(photo) for photo in (rich, plain, no_utf8)]
        kept = LatelyRead()
        assert kept.read_tags(workplace, photos) == workplace.read_tags(photos)
        for photo in photos:
            assert kept.take(photo.stat()) == workplace.read_content(photo)

    def test_is_taken_once(self, workplace: Workplace, tmp_path: Path) -> None:
        photo, kept = settled(make_photo(tmp_path / "a.jpg")), LatelyRead()
        kept.read_tags(workplace, [photo])
        assert kept.take(photo.stat()) is not None
        assert kept.take(photo.stat()) is None

    def test_is_of_the_last_photos_only(
        self, workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lately, "MOST", 2)
        photos = [settled(make_photo(tmp_path / f"{number}.jpg")) for number in range(3)]
        kept = LatelyRead()
        kept.read_tags(workplace, photos)
        assert [kept.take(photo.stat()) is None for photo in photos] == [True, False, False]

    def test_is_nothing_of_what_may_change_unseen_or_be_large(self, workplace: Workplace, tmp_path: Path) -> None:
        large, png, missing = tmp_path / "large.jpg", settled(make_photo(tmp_path / "a.png")), tmp_path / "missing.jpg"
        content = make_photo(large).read_bytes()
        large.write_bytes(content[:2] + b"\xff\xe4\xff\xff".ljust(0xFFFF + 2, b"\0") * 2 + content[2:])
        others = [settled(large), png, missing]
        kept = LatelyRead()
        fresh = make_photo(tmp_path / "fresh.jpg")
        found = kept.read_tags(workplace, [fresh, *others])
        assert found == workplace.read_tags([fresh, *others])
        assert [None if tags is None else tags["File:FileType"] for tags in found] == ["JPEG", "JPEG", "PNG", None]
        assert [kept.take(photo.stat()) for photo in (fresh, large, png)] == [None] * 3


SECOND, CHANGED = 10**9, 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("mtime", "ctime", "after", "sure"),
    [
        (CHANGED + 1, CHANGED + 1, 0, False),
        (CHANGED + 1, CHANGED + 1, SECOND // 20, False),  # as coarse as clocks of systems tick
        (CHANGED + 1, CHANGED + 1, SECOND // 5, True),
        (CHANGED, CHANGED, 2 * SECOND, False),  # FAT counts by two seconds
        (CHANGED, CHANGED, 5 * SECOND, True),
        (CHANGED, CHANGED + 1, 2 * SECOND, False),
        (CHANGED + 1, CHANGED, 2 * SECOND, False),
        (CHANGED + 99 * SECOND, CHANGED + 1, 5 * SECOND, True),  # by a camera whose clock is wrong
        (CHANGED - 99 * SECOND, CHANGED + 1, 0, False),  # an old photo that was copied this moment
        (CHANGED + 1, CHANGED + 9 * SECOND, SECOND, False),  # a server's clock is ahead
    ],
)
def test_when_a_change_is_sure_to_show(mtime: int, ctime: int, after: int, sure: bool) -> None:
    state = cast("os.stat_result", SimpleNamespace(st_mtime_ns=mtime, st_ctime_ns=ctime))
    assert is_settled(state, CHANGED + after) is sure
