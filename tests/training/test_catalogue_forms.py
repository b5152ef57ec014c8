"""Catalogues of scores, of pairs and of popularity, told apart by their first line, and what is wrong with them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.errors import CatalogueError
from aesth.training.catalogue import (
    PicturePair,
    RatedPicture,
    read_catalogue,
    read_faves,
    read_faves_lines,
    read_oasis,
    read_pairs,
    read_scores,
)
from aesth.training.histogram import popularity_report


def listed(folder: Path, *lines: str, files: str = "a.jpg b.jpg c.jpg") -> Path:
    for name in files.split():
        (folder / name).touch()
    listing = folder / "list.csv"
    listing.write_bytes(os.fsencode("\n".join(lines) + "\n"))
    return listing


def wrong(listing: Path, message: str) -> None:
    with pytest.raises(CatalogueError, match=message) as raised:
        read_catalogue(listing)
    assert raised.value.path == listing
    assert "\n" not in str(raised.value)


def test_scores_have_a_picture_a_number_and_perhaps_a_theme(tmp_path: Path) -> None:
    plain = listed(tmp_path, "file,score", "b.jpg,-1.5", "a.jpg,2e1")
    assert read_scores(plain) == [
        RatedPicture(tmp_path / "b.jpg", -1.5, "b.jpg"),
        RatedPicture(tmp_path / "a.jpg", 20.0, "a.jpg"),
    ]
    themed = listed(tmp_path, "score,theme,note,file", "3,Lake,,a.jpg", '4,"Sea, blue",x,b.jpg')
    assert read_scores(themed) == [
        RatedPicture(tmp_path / "a.jpg", 3, "Lake"),
        RatedPicture(tmp_path / "b.jpg", 4, "Sea, blue"),
    ]


def test_pairs_have_a_better_and_a_worse_picture_and_perhaps_a_theme(tmp_path: Path) -> None:
    plain = listed(tmp_path, "better,worse", "a.jpg,b.jpg", "b.jpg,c.jpg", "b.jpg,a.jpg")
    a, b, c = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    assert read_pairs(plain) == [
        PicturePair(a, b, ("a.jpg", "b.jpg")),
        PicturePair(b, c, ("b.jpg", "c.jpg")),
        PicturePair(b, a, ("b.jpg", "a.jpg")),
    ]
    themed = listed(tmp_path, "better,worse,theme", "a.jpg,b.jpg,Burst 1")
    assert read_pairs(themed) == [PicturePair(a, b, ("Burst 1", "Burst 1"))]


def test_names_are_relative_to_the_folder_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jpg").touch()
    listing = listed(tmp_path, "file,score", "sub/a.jpg,1", f"{tmp_path}/b.jpg,2")
    assert [picture.path for picture in read_scores(listing)] == [tmp_path / "sub" / "a.jpg", tmp_path / "b.jpg"]


def test_the_first_line_tells_the_form(tmp_path: Path) -> None:
    scores = listed(tmp_path, "file,score", "a.jpg,1", "b.jpg,2")
    assert list(read_catalogue(scores).pictures) == read_scores(scores)
    pairs = listed(tmp_path, "better,worse", "a.jpg,b.jpg")
    assert list(read_catalogue(pairs).pairs) == read_pairs(pairs)
    assert not read_catalogue(pairs).pictures
    counts = listed(tmp_path, "file,faves,views", "a.jpg,1,10", "b.jpg,10,10")
    assert list(read_catalogue(counts).pictures) == read_faves(counts)
    assert [picture.score for picture in read_faves(counts)] == [0, 1]
    bare = listed(tmp_path, "a.jpg;1;10", "b.jpg;10;10")
    assert read_catalogue(bare).pictures == read_catalogue(counts).pictures


def test_oasis_is_a_catalogue(tmp_path: Path) -> None:
    (tmp_path / "oasis" / "images").mkdir(parents=True)
    for name in "ab":
        (tmp_path / "oasis" / "images" / name).touch()
    (tmp_path / "oasis" / "ratings.csv").write_text("file,theme,beauty_mean\na,Lake,1\nb,Lake,2\n")
    catalogue = read_catalogue(tmp_path / "oasis" / "ratings.csv")
    assert (list(catalogue.pictures), catalogue.name) == (read_oasis(tmp_path / "oasis"), "OASIS beauty ratings")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,score", "a.jpg,1", "b.jpg,nan"], "line 3: the score 'nan' is not a number"),
        (["file,score", "a.jpg,1", "b.jpg,"], "line 3: the score '' is not a number"),
        (["file,score", "a.jpg,1", ",3"], "line 3: file must not be empty"),
        (["file,score", "a.jpg,1", "b.jpg"], "line 3: it must have one field for each column"),
        (["file,score", "a.jpg,1", "b,c.jpg,2"], "line 3: it must have one field for each column"),
        (["file,score", "a.jpg,1", "./a.jpg,2"], r"line 3: a\.jpg is listed twice, first in line 2"),
        (["file,score", "a.jpg,1", "d.jpg,2"], r"no picture for line 3 \(d\.jpg\)"),
        (["file,score", "a.jpg,5", "b.jpg,5.0"], "lines 2 to 3: all 2 pictures have the score 5"),
        (["file,score", "a.jpg,5"], "line 2: has the score 5"),
        (["file,score,theme", "a.jpg,1,"], "line 2: theme must not be empty"),
        (["file,score"], "no rated picture"),
        (["better,worse", "a.jpg,b.jpg", "c.jpg,c.jpg"], r"line 3: c\.jpg is compared with itself"),
        (["better,worse", "a.jpg,./a.jpg"], r"line 2: \./a\.jpg|line 2: a\.jpg is compared with itself"),
        (["better,worse", "a.jpg,b.jpg", "c.jpg,d.jpg"], r"no picture for line 3 \(d\.jpg\)"),
        (["better,worse", "a.jpg,"], "line 2: better and worse must not be empty"),
        (["better,worse"], "no rated picture"),
        (["better,worse,theme", "a.jpg,b.jpg,X", "b.jpg,c.jpg,Y"], r"line 3: the theme of b\.jpg was X before, not Y"),
        (["file,faves,views", "a.jpg,-1,10"], "line 2: faves must be a whole number that is not negative, not '-1'"),
        (["file,faves,views", "a.jpg,1,nan"], "line 2: views must be a whole number that is not negative, not 'nan'"),
        (["file,faves,views", "a.jpg,1,10", "b.jpg,1,90"], "lines 2 to 3: all 2 pictures have the score 0"),
        (["a.jpg;1;10", "b.jpg;-1;10"], "line 2: expected url_or_file;faves;views"),
        (["a.jpg;1;10", "b.jpg;2;10", "a.jpg;3;10"], r"line 3: a\.jpg is listed twice, first in line 1"),
        (["a.jpg,5"], "line 1: not a form of catalogue that is known"),
        ([""], "line 1: not a form of catalogue"),
    ],
)
def test_a_bad_catalogue_is_told_by_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    wrong(listed(tmp_path, *lines), message)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    wrong(tmp_path / "none.csv", "cannot be read")


def test_what_is_no_text_is_told_by_a_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"file,score\n" + b"x" * 200_000 + b"\n")
    wrong(path, "line 2: ")
    path.write_bytes(bytes(range(256)) * 10)
    wrong(path, "line ")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=20)


@given(st.lists(st.tuples(NAMES.filter(str.strip), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1))
def test_what_a_csv_writer_writes_is_read_whatever_names_hold(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, int]]
) -> None:
    listing = tmp_path_factory.mktemp("names") / "list.csv"
    with listing.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", "faves", "views"), *rows])
    assert [(line.name, line.faves, line.views) for line in read_faves_lines(listing)] == rows


def test_popularity_is_told_of_lists_with_and_without_pictures(tmp_path: Path) -> None:
    listing = listed(
        tmp_path, "http://e.org/1;0;9", "http://e.org/2;10;100", "http://e.org/3;7;7", "http://e.org/4;3;1"
    )
    report = popularity_report(listing, bins=4)
    assert (report.pictures, report.unknown) == (3, 1)
    assert [one.pictures for one in report.histogram] == [1, 0, 1, 1]
    assert [one.begin for one in report.histogram] == [0, 0.25, 0.5, 0.75]
    assert (report.mean, report.quartiles) == (0.5, (0.25, 0.5, 0.75))
    assert report.distance_from_uniform == pytest.approx(1 / 3, abs=1e-4)
