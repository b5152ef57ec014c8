"""When a photo has settled: after a quiet time, with all that belongs to it, once; and never by what we wrote."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.watching.families import Family, Members, family_of, find_families
from aesth.watching.opened import is_open_for_writing
from aesth.watching.settling import Settling

QUIET = 3
FAMILY = Family("/photos", "img_1")
PHOTO = Path("/photos/IMG_1.JPG")


def of_size(size: int) -> Members:
    return Members((PHOTO,), frozenset({(PHOTO.name, size, 0, 1)}))


@given(st.lists(st.sampled_from([None, 1, 2, 3]), min_size=1, max_size=30))
def test_a_photo_comes_once_when_it_was_the_same_for_the_quiet_time(sizes: list[int | None]) -> None:
    """A second between two looks; None while it is not there. It is in work for ever after it came."""
    settling = Settling(QUIET, lambda _: False)
    came = [
        second
        for second, size in enumerate(sizes)
        if settling.look({} if size is None else {FAMILY: of_size(size)}, second)
    ]
    quiet = [
        second
        for second in range(QUIET, len(sizes))
        if sizes[second] is not None and len(set(sizes[second - QUIET : second + 1])) == 1
    ]
    assert came == quiet[:1]


def test_a_photo_that_somebody_writes_waits_however_quiet_it_is() -> None:
    is_open = True
    settling = Settling(QUIET, lambda _: is_open)
    assert [settling.look({FAMILY: of_size(1)}, second) for second in range(9)] == [[]] * 9
    is_open = False
    assert [settling.look({FAMILY: of_size(1)}, second) for second in range(9, 13)].count([PHOTO]) == 1


@pytest.mark.parametrize(
    "name", ["IMG_1.JPG", "img_1.cr3", "IMG_1.xmp", "IMG_1.CR3.xmp", "IMG_1.JPG.part", "IMG_1.jpg.crdownload"]
)
def test_what_belongs_together_is_told_by_its_name(name: str) -> None:
    assert family_of(Path("/photos", name)) == FAMILY


def test_photos_of_one_day_are_no_family() -> None:
    assert family_of(Path("2026.05.31 noon.jpg")) != family_of(Path("2026.05.31 night.jpg"))


def settle(settling: Settling, folder: Path, start: float) -> set[str]:
    """The names of what settles in ``folder`` in two looks, before and after the quiet time."""
    photos = [path for path in folder.iterdir() if path.suffix != ".xmp"]
    return {path.name for after in (0, QUIET) for path in settling.look(find_families(photos), start + after)}


@pytest.fixture
def settled(tmp_path: Path) -> Settling:
    """What saw a photo settle, which is in work."""
    settling = Settling(QUIET, lambda _: False)
    (tmp_path / "a.jpg").write_bytes(b"picture")
    assert settle(settling, tmp_path, 0) == {"a.jpg"}
    return settling


def test_what_we_write_into_a_photo_or_beside_it_is_no_change(settled: Settling, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture with stars")
    (tmp_path / "a.jpg.xmp").write_bytes(b"urn:aesth:xmp/1.0/")
    settled.finish(tmp_path / "a.jpg")
    assert settle(settled, tmp_path, 10) == set()


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "a.cr3"])
def test_what_others_add_while_we_write_is_seen(settled: Settling, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"of another program")
    settled.finish(tmp_path / "a.jpg")
    assert "a.jpg" in settle(settled, tmp_path, 10)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpg.xmp", "a.xmp", "a.cr3"])
def test_what_others_change_later_is_seen(settled: Settling, tmp_path: Path, name: str) -> None:
    settled.finish(tmp_path / "a.jpg")
    (tmp_path / name).write_bytes(b"of another program")
    assert "a.jpg" in settle(settled, tmp_path, 10)


def test_a_raw_and_its_jpeg_come_together_when_the_later_has_settled(tmp_path: Path) -> None:
    settling = Settling(QUIET, lambda _: False)
    (tmp_path / "a.cr3").write_bytes(b"raw")
    assert settling.look(find_families([tmp_path / "a.cr3"]), 0) == []
    (tmp_path / "a.jpg").write_bytes(b"picture")
    both = [tmp_path / "a.cr3", tmp_path / "a.jpg"]
    assert [settling.look(find_families(both), second) for second in (2, 3, 5)] == [[], [], both]


def test_an_empty_file_is_no_photo_yet(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert find_families([tmp_path / "a.jpg"]) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_who_writes_a_file_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    with file.open("wb"):
        assert is_open_for_writing(file)
    assert not is_open_for_writing(file)
    with file.open("rb"):
        assert not is_open_for_writing(file)
    file.unlink()
    assert not is_open_for_writing(file)
    os.mkfifo(file)
    assert not is_open_for_writing(file)
