"""Lists of rated pictures, and the splits that everybody who compares figures must share."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.errors import CatalogueError
from aesth.training.catalogue import (
    RatedPicture,
    fold,
    kept_for_damage,
    read_faves,
    read_oasis,
    unrated_photos,
)

HEADER = "file,theme,category,source,beauty_mean,beauty_sd,raters"


def make_oasis(folder: Path, *lines: str, header: str = HEADER, files: tuple[str, ...] = ("a.jpg", "b.jpg")) -> Path:
    (folder / "images").mkdir()
    for name in files:
        (folder / "images" / name).touch()
    (folder / "ratings.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def make_list(folder: Path, text: str, *files: str) -> Path:
    for name in files:
        (folder / name).touch()
    listing = folder / "list.csv"
    listing.write_bytes(os.fsencode(text))
    return listing


def test_oasis_gives_picture_mean_beauty_and_theme_in_the_order_of_the_list(tmp_path: Path) -> None:
    make_oasis(tmp_path, "b.jpg,Lake,Scene,Pixabay,6.25,1.1,104", 'a.jpg,"Cat, old",Animal,Flickr,4.5,1.2,110')
    assert read_oasis(tmp_path) == [
        RatedPicture(tmp_path / "images" / "b.jpg", 6.25, "Lake"),
        RatedPicture(tmp_path / "images" / "a.jpg", 4.5, "Cat, old"),
    ]


@pytest.mark.parametrize("rating", ["", "high", "nan", "inf"])
def test_a_rating_that_is_no_number_is_told_by_its_line(tmp_path: Path, rating: str) -> None:
    make_oasis(tmp_path, "a.jpg,Lake,Scene,Pixabay,5,1,100", f"b.jpg,Lake,Scene,Pixabay,{rating},1,100")
    with pytest.raises(CatalogueError, match=r"ratings\.csv: line 3: the rating"):
        read_oasis(tmp_path)


@pytest.mark.parametrize("line", ["a.jpg", "a.jpg,,Scene,Pixabay,5,1,100", ",Lake,Scene,Pixabay,5,1,100"])
def test_a_line_with_fields_missing_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    make_oasis(tmp_path, line)
    with pytest.raises(CatalogueError, match="line 2"):
        read_oasis(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    make_oasis(tmp_path, "a.jpg,5", header="file,beauty_mean")
    with pytest.raises(CatalogueError, match="line 1: the column theme is missing"):
        read_oasis(tmp_path)


def test_missing_pictures_are_named_with_their_lines(tmp_path: Path) -> None:
    make_oasis(tmp_path, *(f"{name}.jpg,Lake,Scene,Pixabay,5,1,100" for name in "acdefb"))
    expected = r"line 3 \(c\.jpg\), line 4 \(d\.jpg\), line 5 \(e\.jpg\) and 1 more"
    with pytest.raises(CatalogueError, match=expected) as raised:
        read_oasis(tmp_path)
    assert raised.value.path == tmp_path / "ratings.csv"


@pytest.mark.parametrize("content", [None, b"", HEADER.encode()], ids=["no file", "empty", "header alone"])
def test_a_folder_without_ratings_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ratings.csv").write_bytes(content)
    with pytest.raises(CatalogueError, match=r"ratings\.csv"):
        read_oasis(tmp_path)


def test_faves_and_views_give_popularity(tmp_path: Path) -> None:
    listing = make_list(tmp_path, "a.jpg;10;100\nb.jpg;0;5\n\n", "a.jpg", "b.jpg")
    assert read_faves(listing) == [
        RatedPicture(tmp_path / "a.jpg", 0.5, "a.jpg"),
        RatedPicture(tmp_path / "b.jpg", 0.0, "b.jpg"),
    ]


def test_a_url_stands_for_the_file_of_its_last_part(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "7_c;x.jpg").touch()
    listing = make_list(tmp_path, "https://farm1.example.org/2/7_c;x.jpg?size=l;10;100\r\n")
    assert [picture.path for picture in read_faves(listing, photos)] == [photos / "7_c;x.jpg"]


def test_pictures_of_unknown_popularity_are_left_out(tmp_path: Path) -> None:
    listing = make_list(tmp_path, "a.jpg;1;1\nb.jpg;0;0\nc.jpg;9;3\nd.jpg;2;4\n", "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    assert [picture.path.name for picture in read_faves(listing)] == ["d.jpg"]


@pytest.mark.parametrize(
    "line",
    ["a.jpg", "a.jpg;3", ";1;2", "a.jpg;x;10", "a.jpg;-1;10", "a.jpg;1.5;10", "a.jpg;;10", "a.jpg;1;" + "9" * 400],
)
def test_a_line_that_is_no_entry_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    listing = make_list(tmp_path, f"a.jpg;10;100\n{line}\n", "a.jpg")
    with pytest.raises(CatalogueError, match=r"list\.csv: line 2: expected url_or_file;faves;views"):
        read_faves(listing)


def test_dead_links_are_told_or_left_out(tmp_path: Path) -> None:
    listing = make_list(tmp_path, "a.jpg;10;100\ngone.jpg;2;4\n", "a.jpg")
    with pytest.raises(CatalogueError, match=r"line 2 \(gone\.jpg\)"):
        read_faves(listing)
    assert [picture.path.name for picture in read_faves(listing, skip_missing=True)] == ["a.jpg"]


def test_a_list_of_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no rated picture"):
        read_faves(make_list(tmp_path, "\n"))
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_faves(tmp_path / "none.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_utf8_are_names(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xffcaf\xe9.jpg")
    picture = read_faves(make_list(tmp_path, f"\ufeff{name};10;100\n", name))[0]
    assert picture.path == tmp_path / name
    assert fold(picture.theme) in range(5)


def test_the_splits_are_those_of_every_published_figure() -> None:
    assert [fold(theme) for theme in ("Acorns", "Lake", "Cat", "Château")] == [0, 2, 3, 1]
    assert [kept_for_damage(name) for name in ("0001.jpg", "0002.jpg", "0050.jpg")] == [False, True, True]


@given(st.text())
def test_every_theme_has_a_fold(theme: str) -> None:
    assert fold(theme) in range(5)


def test_folds_are_about_equal_and_one_in_ten_is_kept() -> None:
    folds = Counter(fold(f"theme {i}") for i in range(5000))
    assert all(900 < folds[i] < 1100 for i in range(5))
    assert 400 < sum(kept_for_damage(f"{i:04}.jpg") for i in range(5000)) < 600


def test_unrated_photos_are_the_visible_pictures_in_all_folders_in_one_order(tmp_path: Path) -> None:
    wanted = ["a/1.JPG", "a/2.jpeg", "a b/1.png", "z.webp", "B.jpg"]
    for name in [*wanted, "a/notes.txt", ".hidden.jpg", ".cache/1.jpg", "README"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in unrated_photos(tmp_path)]
    assert found == ["B.jpg", "a/1.JPG", "a/2.jpeg", "a b/1.png", "z.webp"]


def test_a_folder_with_a_hidden_one_above_it_is_searched(tmp_path: Path) -> None:
    (tmp_path / ".data").mkdir()
    (tmp_path / ".data" / "1.jpg").touch()
    assert unrated_photos(tmp_path / ".data") == [tmp_path / ".data" / "1.jpg"]


def test_no_photos_are_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(CatalogueError, match="no pictures") as raised:
            unrated_photos(folder)
        assert raised.value.path == folder


def test_the_real_ratings_are_read(data: Path) -> None:
    pictures = read_oasis(data / "oasis")
    assert len(pictures) == len({picture.path for picture in pictures}) == 655
    assert all(1 <= picture.score <= 7 for picture in pictures)
    assert len({picture.theme for picture in pictures}) == 188
    assert set(Counter(fold(picture.theme) for picture in pictures)) == set(range(5))


def test_the_real_photos_are_found(data: Path) -> None:
    photos = unrated_photos(data / "photos")
    assert len(photos) == 2350
    assert photos == sorted(photos)
    assert 150 < sum(kept_for_damage(path.name) for path in photos) < 320
