"""Folders -> photos: what is found, in which order, and what is passed over."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth import AesthError, find_photos
from support.people import ordinary_user, public_folder


def tree(root: Path, *names: str) -> Path:
    """Empty files under ``root``; what they hold is not the business of this module."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def found(root: Path, **options: object) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_photos([root], **options)]


FORMATS = (
    *("jpg", "jpeg", "JPG", "png", "tif", "tiff", "webp", "heic", "heif", "avif", "gif"),
    *("cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "dng", "pef", "srw", "CR2"),
)


@pytest.mark.parametrize("suffix", FORMATS)
def test_photos_of_every_format_are_found(tmp_path: Path, suffix: str) -> None:
    assert found(tree(tmp_path, f"photo.{suffix}")) == [f"photo.{suffix}"]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.jpg",
        "._IMG_1.jpg",
        ".darktable/a.jpg",
        ".thumbnails/a.jpg",
        ".dtrash/a.jpg",
        "@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "__MACOSX/a.jpg",
        "Photos Library.photoslibrary/originals/a.jpg",
        "a.jpg.xmp",
        "a.xmp",
        "a.aae",
        "a.CR2.pp3",
        "a.jpg_original",
        "a.nef_original",
        "a.jpg~",
        "a.jpg_exiftool_tmp",
        "a.mp4",
        "notes.txt",
        "jpg",
        "",
    ],
)
def test_passed_over(tmp_path: Path, name: str) -> None:
    assert found(tree(tmp_path, *([name] if name else []), "photo.jpg")) == ["photo.jpg"]


def test_a_folder_may_be_called_like_a_photo(tmp_path: Path) -> None:
    assert found(tree(tmp_path, "a.jpg/b.jpg")) == ["a.jpg/b.jpg"]


def test_what_is_named_itself_is_always_yielded(tmp_path: Path) -> None:
    tree(tmp_path, ".hidden.jpg", "notes.txt", "a.jpg")
    named = [tmp_path / name for name in (".hidden.jpg", "notes.txt", "missing.jpg", "a.jpg")]
    assert list(find_photos(named, exclude=["*"], include=["nothing"], since=datetime.max)) == named


def test_a_hidden_folder_that_is_named_itself_is_searched(tmp_path: Path) -> None:
    tree(tmp_path, ".private/a.jpg")
    assert found(tmp_path / ".private") == ["a.jpg"]


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    tree(tmp_path, "c.jpg", "b/2.jpg", "b/1.jpg", "a.jpg", "b.jpg")
    assert found(tmp_path) == ["a.jpg", "b/1.jpg", "b/2.jpg", "b.jpg", "c.jpg"]


def test_the_order_of_what_is_named_is_kept(tmp_path: Path) -> None:
    tree(tmp_path, "a/1.jpg", "b/1.jpg", "c.jpg")
    named = [tmp_path / "c.jpg", tmp_path / "b", tmp_path / "a"]
    assert list(find_photos(named)) == [tmp_path / "c.jpg", tmp_path / "b/1.jpg", tmp_path / "a/1.jpg"]


def test_each_photo_comes_once_whatever_way_leads_to_it(tmp_path: Path) -> None:
    tree(tmp_path, "a/photo.jpg", "b/other.jpg")
    (tmp_path / "b/link.jpg").symlink_to(tmp_path / "a/photo.jpg")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    named = [tmp_path / "a/photo.jpg", tmp_path, tmp_path / "c", tmp_path / "c/photo.jpg"]
    assert list(find_photos(named)) == [tmp_path / "a/photo.jpg", tmp_path / "b/other.jpg"]


def test_links_to_photos_and_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    tree(tmp_path, "disk/photo.jpg", "folder/inside.jpg", "album/a.jpg")
    (tmp_path / "album/link.jpg").symlink_to(tmp_path / "disk/photo.jpg")
    (tmp_path / "album/more").symlink_to(tmp_path / "folder")
    assert found(tmp_path / "album") == ["a.jpg", "link.jpg", "more/inside.jpg"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    tree(tmp_path, "a/photo.jpg", "b/photo.jpg")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to(tmp_path / "a/self")
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    assert found(tmp_path) == ["a/b/photo.jpg", "a/photo.jpg"]


def test_a_link_that_leads_nowhere_is_left_to_who_reads_it(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    assert found(tmp_path) == ["gone.jpg", "loop.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_pipes_are_no_photos(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert found(tmp_path) == []


def test_not_recursive(tmp_path: Path) -> None:
    assert found(tree(tmp_path, "a.jpg", "b/c.jpg"), recursive=False) == ["a.jpg"]


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (["*.jpg"], ["a.JPG", "trip/b.jpg"]),
        (["*.nef", "b.*"], ["c.nef", "trip/b.jpg"]),
        (["trip/*"], ["trip/b.jpg"]),
        (["*/trip/*"], ["trip/b.jpg"]),
        (["trip"], []),
        (["notes.txt"], []),
        ([], ["a.JPG", "c.nef", "trip/b.jpg"]),
    ],
)
def test_include(tmp_path: Path, include: list[str], expected: list[str]) -> None:
    assert found(tree(tmp_path, "a.JPG", "trip/b.jpg", "c.nef", "notes.txt"), include=include) == expected


@pytest.mark.parametrize("glob", ["exports", "exports/", "*/exports", "*/exports/*", "EXPORTS", "exports/*"])
def test_exclude_takes_whole_folders(tmp_path: Path, glob: str) -> None:
    assert found(tree(tmp_path, "a.jpg", "exports/b.jpg", "exports/deep/c.jpg"), exclude=[glob]) == ["a.jpg"]


def test_exclude_wins_over_include(tmp_path: Path) -> None:
    assert found(tree(tmp_path, "a.jpg", "b.jpg"), include=["*.jpg"], exclude=["b*"]) == ["a.jpg"]


def test_an_excluded_folder_that_is_named_itself_is_searched(tmp_path: Path) -> None:
    assert found(tree(tmp_path / "exports", "a.jpg"), exclude=["exports"]) == ["a.jpg"]


@given(st.text(alphabet="abc*?[]!.\n-é", max_size=8))
def test_any_glob_is_taken(tmp_path_factory: pytest.TempPathFactory, glob: str) -> None:
    root = tree(tmp_path_factory.getbasetemp() / "globs", "a.jpg", "b/c.png")
    assert set(found(root, include=[glob])) | set(found(root, exclude=[glob])) <= {"a.jpg", "b/c.png"}


def test_since_is_the_moment_of_the_last_change(tmp_path: Path) -> None:
    tree(tmp_path, "old.jpg", "at.jpg", "new.jpg")
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for name, offset in (("old.jpg", -1), ("at.jpg", 0), ("new.jpg", 1)):
        os.utime(tmp_path / name, times=(0, moment.timestamp() + offset))
    assert found(tmp_path, since=moment) == ["at.jpg", "new.jpg"]
    assert found(tmp_path, since=moment.astimezone().replace(tzinfo=None)) == ["at.jpg", "new.jpg"]


def test_any_name_a_file_system_takes_is_found(tmp_path: Path) -> None:
    names = sorted(["new\nline.jpg", "-dash.jpg", "quote'\"`$#.jpg", "sp ace.jpg", "n" * 246 + ".jpg", "l-\udce9.jpg"])
    assert found(tree(tmp_path, *names), include=["*"]) == names


def test_the_search_is_lazy(tmp_path: Path) -> None:
    def endless() -> object:
        while True:
            yield tmp_path / "a.jpg"
            yield tmp_path / "b.jpg"

    assert len(list(islice(find_photos(endless()), 2))) == 2


@pytest.mark.skipif(os.name == "nt", reason="rules of access are not kept in the mode here")
def test_a_folder_that_cannot_be_read_is_told_and_the_search_goes_on() -> None:
    with public_folder() as root:
        tree(root, "a/a.jpg", "locked/b.jpg", "z.jpg")
        (root / "locked").chmod(0)
        errors: list[AesthError] = []
        with ordinary_user():
            assert found(root, on_error=errors.append) == found(root) == ["a/a.jpg", "z.jpg"]
        (root / "locked").chmod(0o755)
        assert [error.path for error in errors] == [root / "locked"]
        assert "cannot be read" in errors[0].message
