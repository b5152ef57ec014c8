"""Photos by rank: which are chosen, how they are called, what goes along, and how files come into a folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.apps.bursts import distances
from aesth.apps.collection import LONGEST_NAME, by_norm, ranked_names, unlike
from aesth.apps.placing import How, place, put_new
from aesth.errors import AesthError
from aesth.shots import Shot, shots_of

POINTS = st.lists(st.integers(0, 12), max_size=12).map(
    lambda angles: [
        np.array([np.cos(angle / 4), np.sin(angle / 4)], np.float32) * (20 - place)
        for place, angle in enumerate(angles)
    ]
)
"""Points in a plane, the longest first."""


@given(POINTS, st.sampled_from([0.0, 0.5, 1.0]))
def test_no_two_that_are_chosen_are_near_and_each_that_is_left_out_is_near_a_better_one(
    points: list[np.ndarray], apart: float
) -> None:
    taken = list(unlike(points, apart))
    assert taken == sorted(taken)
    for number, point in enumerate(points):
        better = [other for other in taken if other < number]
        nearest = min((distances(point, points[other][None])[0] for other in better), default=np.inf)
        assert (nearest > apart) == (number in taken)


def test_only_as_many_points_are_asked_for_as_are_needed() -> None:
    asked: list[int] = []

    def points():
        for number in range(100):
            asked.append(number)
            yield np.eye(100, dtype=np.float32)[number]

    chosen = unlike(points(), 1.0)
    assert [next(chosen) for _ in range(3)] == asked == [0, 1, 2]


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=20))
def test_the_best_come_first_equals_in_the_order_given_and_failures_not_at_all(norms: list[float | None]) -> None:
    order = by_norm(norms)
    assert sorted(order) == [number for number, norm in enumerate(norms) if norm is not None]
    assert order == sorted(order, key=lambda number: (-(norms[number] or 0), number))


@given(
    st.lists(st.text(st.characters(blacklist_characters="/\0", codec="utf-8"), min_size=1, max_size=60), max_size=30)
)
def test_names_sort_by_rank_whatever_they_were(stems: list[str]) -> None:
    names = [ranked_names([Path(stem + ".jpg")], rank, len(stems))[0] for rank, stem in enumerate(stems, 1)]
    assert names == sorted(names)
    assert all(name.partition("-")[2] == stem + ".jpg" for name, stem in zip(names, stems, strict=True))


def test_a_name_that_would_be_too_long_loses_the_end_of_its_stem_in_all_files_of_the_shot() -> None:
    stem = "é" * 125
    names = ranked_names([Path(stem + ".CR2"), Path(stem + ".CR2.xmp"), Path(stem + ".JPG")], 7, 12345)
    assert [len(os.fsencode(name)) <= LONGEST_NAME for name in names] == [True] * 3
    assert [name.replace("é", "") for name in names] == ["00007-.CR2", "00007-.CR2.xmp", "00007-.JPG"]
    assert len({name.count("é") for name in names}) == 1


def test_a_raw_and_its_jpeg_are_one_shot_and_their_sidecars_belong_to_it(tmp_path: Path) -> None:
    for name in ("A.CR2", "A.JPG", "A.CR2.xmp", "A.xmp", "A.JPG.pp3", "A.txt", "AB.xmp", "B.JPG", "B.JPG.XMP"):
        (tmp_path / name).touch()
    raw, jpeg, other = (tmp_path / name for name in ("A.CR2", "A.JPG", "B.JPG"))
    assert shots_of([jpeg, other, raw]) == [Shot((jpeg, raw)), Shot((other,))]
    told = {path.name for path in Shot((jpeg, raw)).companions()}
    assert told == {"A.CR2.xmp", "A.xmp", "A.JPG.pp3"}
    assert {path.name for path in Shot((jpeg,)).companions()} == {"A.CR2", *told}
    assert [path.name for path in Shot((other,)).companions()] == ["B.JPG.XMP"]


def test_the_film_of_a_live_photo_and_sidecars_of_other_versions_belong_to_it(tmp_path: Path) -> None:
    """One that is the own sidecar of another photo does not, nor one that only begins alike."""
    names = (
        "A.HEIC A.MOV A_01.HEIC.xmp A_100.HEIC.xmp A_1.HEIC.xmp A_01.JPG.xmp AB.MOV B.JPG B.mov B_02.JPG C.CR2 C.MOV"
    )
    for name in (*names.split(), "B_02.JPG.xmp", "B_03.JPG.xmp"):
        (tmp_path / name).touch()

    def told(name: str) -> list[str]:
        return [path.name for path in Shot((tmp_path / name,)).companions()]

    assert told("A.HEIC") == ["A.MOV", "A_01.HEIC.xmp", "A_100.HEIC.xmp"]
    assert told("B.JPG") == ["B.mov", "B_03.JPG.xmp"]
    assert told("B_02.JPG") == ["B_02.JPG.xmp"]
    assert told("C.CR2") == []


def test_what_is_told_of_a_shot_is_told_by_the_first_of_its_files_that_tells_anything() -> None:
    first, second = Path("A.CR2"), Path("A.JPG")
    shot = Shot((first, second))
    assert shot.first({first: 0, second: 2}.get) == 0
    assert shot.first({second: 2}.get) == 2
    assert shot.first({Path("B.JPG"): 2}.get) is None


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "from"
    folder.mkdir()
    (tmp_path / "to").mkdir()
    path = folder / "photo.jpg"
    path.write_bytes(b"pixels")
    os.utime(path, (1e9, 1e9))
    return path


@pytest.mark.parametrize("how", How)
def test_a_file_comes_whole_and_with_its_times(source: Path, how: How) -> None:
    target = source.parent.parent / "to" / "1.jpg"
    inode = source.stat().st_ino
    place(source, target, how)
    assert target.read_bytes() == b"pixels"
    assert target.stat().st_mtime == 1e9
    assert source.exists() == (how is not How.MOVE)
    assert target.is_symlink() == (how is How.SYMLINK)
    assert (target.stat().st_ino == inode) == (how is not How.COPY)
    assert [path.name for path in target.parent.iterdir()] == ["1.jpg"]


@pytest.mark.parametrize("how", How)
def test_what_is_there_already_is_never_replaced(source: Path, how: How) -> None:
    target = source.parent.parent / "to" / "1.jpg"
    target.write_bytes(b"mine")
    with pytest.raises(AesthError, match="a file already"):
        place(source, target, how)
    assert (target.read_bytes(), source.read_bytes()) == (b"mine", b"pixels")
    assert [path.name for path in target.parent.iterdir()] == ["1.jpg"]


@pytest.mark.parametrize("how", How)
def test_a_link_leads_to_the_same_photo_afterwards(source: Path, how: How) -> None:
    link, target = source.parent / "link.jpg", source.parent.parent / "to" / "1.jpg"
    link.symlink_to("photo.jpg")
    place(link, target, how)
    assert target.read_bytes() == b"pixels"
    assert source.exists()


def test_a_move_to_another_disk_is_a_copy_and_a_removal(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aesth.apps.placing._is_same_disk", lambda *_: False)
    target = source.parent.parent / "to" / "1.jpg"
    place(source, target, How.MOVE)
    assert (target.read_bytes(), source.exists()) == (b"pixels", False)


def test_where_there_are_no_hard_links_a_file_is_renamed_and_still_replaces_none(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    mine = source.parent / "mine.jpg"
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        put_new(source, mine)
    put_new(source, source.parent / "new.jpg")
    assert (mine.read_bytes(), (source.parent / "new.jpg").read_bytes()) == (b"mine", b"pixels")
    with pytest.raises(AesthError, match="take copies"):
        place(mine, source.parent / "linked.jpg", How.HARDLINK)
