"""What a listing of folders tells of the files beside a photo: the same as asking for each by its name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aesth.metadata import sidecars
from aesth.pairs import Folders, families, partners, raws_beside

STEMS = ("IMG_1", "img_1", "IMG_1.CR2", "Übersee", "U\u0308bersee", "a.b", ".hidden")
SUFFIXES = ("", ".jpg", ".JPG", ".Jpg", ".CR2", ".cr2", ".heic", ".xmp", ".XMP", ".png")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(st.tuples(st.sampled_from(STEMS), st.sampled_from(SUFFIXES)).map("".join), max_size=12))
def test_it_changes_nothing(tmp_path: Path, names: set[str]) -> None:
    folder = tmp_path / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    folders = Folders()
    for photo in (folder / (stem + suffix) for stem in STEMS for suffix in (".jpg", ".JPG", ".CR2")):
        assert partners(photo, folders) == partners(photo)
        assert raws_beside(photo, folders) == raws_beside(photo)
        assert sidecars.find(photo, folders) == sidecars.find(photo)


@pytest.mark.parametrize("age", [0, 1000])
def test_what_comes_later_is_found_after_a_new_look(tmp_path: Path, age: int) -> None:
    """Also where the folder is so new that its time may not tell."""
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    folders = Folders()
    then = tmp_path.stat().st_mtime - age
    os.utime(tmp_path, (then, then))
    assert sidecars.find(photo, folders) == []
    sidecar.touch()
    if not age:
        os.utime(tmp_path, (then, then))
    folders.refresh()
    assert sidecars.find(photo, folders) == [sidecars.Sidecar(sidecar)]


def test_a_folder_is_listed_once_while_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(tmp_path, (10**9, 10**9))
    scandir, listed = os.scandir, list[object]()
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(path), scandir(path))[1])
    folders = Folders()
    for number in range(9):
        folders.refresh()
        assert partners(tmp_path / f"{number}.jpg", folders) == []
    assert len(listed) == 1


def test_one_that_cannot_be_listed_is_asked_for_names(tmp_path: Path) -> None:
    assert Folders().suffixes(str(tmp_path / "none"), "a") is None
    assert sidecars.find(tmp_path / "none" / "a.jpg", Folders()) == []


def test_only_a_few_listings_are_kept(tmp_path: Path) -> None:
    folders = Folders()
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        assert folders.suffixes(str(tmp_path / str(number)), "a") == ()
    assert len(folders._listed) < 9


def test_photos_that_may_share_a_file_are_of_one_family(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    photo, link = tmp_path / "IMG.jpg", tmp_path / "other" / "z.jpg"
    photo.touch()
    link.symlink_to(photo)
    for other in ("IMG.CR2", "img.JPG", "IMG.jpg.xmp", "IMG.CR2.jpg", "other/../IMG.png"):
        assert families(photo) & families(tmp_path / other), other
    assert families(photo) & families(link)
    for other in ("IMG2.jpg", "other/IMG.jpg"):
        assert not families(photo) & families(tmp_path / other), other
