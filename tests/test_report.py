"""The page of `aesth report` as a file: what is in it, what may run in it, and what lies beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.apps.report import Frame, PageFile, Picture, Sheet, page, thumbnails
from aesth.errors import AesthError, ConfigError, DecodeError
from support.cli import EVIL_NAMES, grey_photo
from support.pages import read_page
from support.photos import corners, dng, exif_of, photo, scene

PICTURE = Picture("data:image/webp;base64,AAAA", "photo.jpg", (320, 240))
HOSTILE = (
    "</script><script>alert(1)</script>.jpg",
    "<!--<script>.jpg",
    "<img src=x onerror=alert(1)>.jpg",
    '"onload="alert(1).jpg',
    "]]>&lt;$title.jpg",
    "\udce9.jpg",
    *EVIL_NAMES,
)


def sheet(*files: Path, title: str = "Photos") -> Sheet:
    return Sheet(title, [Frame((file,), 50, 3, PICTURE) for file in files])


@pytest.mark.parametrize("title", HOSTILE[:6])
def test_no_name_and_no_title_is_taken_for_anything_but_text(title: str) -> None:
    files = [Path("/photos", name) for name in HOSTILE]
    made = read_page(page(sheet(*files, title=title)))
    plain = read_page(page(sheet(Path("/photos/a.jpg"))))
    assert made.kinds() == plain.kinds()
    assert [photo["files"] for photo in made.data["photos"]] == [[str(file)] for file in files]
    assert [photo["name"] for photo in made.data["photos"]] == [file.name for file in files]
    assert made.texts["title"] == [title.encode("utf-8", "replace").decode()]


@given(st.text())
def test_data_cannot_end_the_element_that_it_is_in(text: str) -> None:
    told = sheet(Path("/photos/a.jpg"), title=text).to_json()
    assert told.isascii()
    assert not re.search("[<>&]", told)
    assert json.loads(told)["title"] == text


def test_only_the_script_and_the_style_of_the_page_may_run_and_nothing_is_asked_of_a_server() -> None:
    made = read_page(page(sheet(Path("/photos/a.jpg"))))
    (policy,) = [tag["content"] for tag in made.attributes["meta"] if tag.get("http-equiv")]
    assert policy is not None
    allowed = dict(rule.split(" ", 1) for rule in policy.split("; "))

    def checksum(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == checksum(made.texts["script"][1])
    assert allowed["style-src"] == checksum(made.texts["style"][0])
    assert allowed["img-src"] == "'self' data: file:"
    linked = [value for tags in made.attributes.values() for tag in tags for value in (tag.get("src"), tag.get("href"))]
    assert {value for value in linked if value is not None} == {"#pencil"}
    assert not any(
        "style" in tag or any(name.startswith("on") for name in tag)
        for tags in made.attributes.values()
        for tag in tags
    )


def test_the_page_knows_of_each_photo_what_is_to_be_told() -> None:
    files = (Path("/all/2026/May/IMG_1.JPG"), Path("/all/2026/May/IMG_1.CR3"))
    frame = Frame(files, 93.456, 5, PICTURE, datetime(2026, 5, 31, 12, 0, 7, 250_000), 4, "burst", best=True)
    other = Frame((Path("/all/2026/June/a.jpg"),), 7, 1, replace(PICTURE, full=None))
    told = json.loads(Sheet("Holidays", [frame, other], (10, 35, 70, 90)).to_json())
    assert told["folders"] == ["2026/June", "2026/May"]
    assert told["cutPoints"] == [10, 35, 70, 90]
    assert told["lineEnd"] == os.linesep
    assert told["photos"] == [
        {
            "name": "IMG_1.JPG",
            "files": [str(file) for file in files],
            "folder": 1,
            "score": 93.46,
            "stars": 5,
            "width": 320,
            "height": 240,
            "thumbnail": PICTURE.thumbnail,
            "full": "photo.jpg",
            "taken": "2026-05-31T12:00:07",
            "group": 4,
            "kind": "burst",
            "best": True,
        },
        {
            **dict.fromkeys(("full", "taken", "group", "kind", "best")),
            "name": "a.jpg",
            "files": ["/all/2026/June/a.jpg"],
            "folder": 0,
            "width": 320,
            "height": 240,
            "thumbnail": PICTURE.thumbnail,
            "score": 7,
            "stars": 1,
        },
    ]


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (["/all/a.jpg"], ["all"]),
        (["/all/a.jpg", "/all/in/b.jpg"], ["all", "all/in"]),
        (["/one/a.jpg", "/two/b.jpg"], ["one", "two"]),
        (["/a.jpg", "/two/b.jpg"], ["/", "two"]),
    ],
)
def test_folders_are_called_as_people_see_them(files: list[str], folders: list[str]) -> None:
    assert json.loads(sheet(*map(Path, files)).to_json())["folders"] == folders


def test_a_page_of_the_same_photos_knows_what_was_kept_in_the_last() -> None:
    one, other = Path("/photos/a.jpg"), Path("/photos/b.jpg")
    identities = [json.loads(sheet(*files).to_json())["id"] for files in ([one, other], [other, one], [one])]
    assert identities[0] == identities[1] != identities[2]


def test_a_thumbnail_is_upright_and_no_larger_than_asked(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", scene(600, 900), exif=exif_of(6))
    small, large = thumbnails(path, [320, 1600])
    assert (small.width, small.height) == (213, 320)
    assert (large.width, large.height) == (600, 900)
    assert small.webp.startswith(b"RIFF")
    (tmp_path / "small.webp").write_bytes(small.webp)
    from aesth.decode import load

    assert corners(load(tmp_path / "small.webp")) == pytest.approx(corners(load(path)), abs=12)


@pytest.mark.parametrize("name", [name for name in HOSTILE if "/" not in name])
def test_the_url_of_a_photo_leads_from_the_page_to_its_bytes(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "50% & more"
    folder.mkdir()
    path = grey_photo(folder / name)
    out = PageFile(tmp_path / "pages" / "report.html")
    url = out.picture([path], path).full
    assert url is not None
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", url)
    assert os.fsdecode(unquote_to_bytes(url)) == f"../50% & more/{name}"


def test_thumbnails_are_in_the_page_unless_they_are_to_be_beside_it(tmp_path: Path) -> None:
    path = grey_photo(tmp_path / "a.jpg")
    inside = PageFile(tmp_path / "in.html").picture([path], path)
    beside = PageFile(tmp_path / "by.html", beside=True).picture([path], path)
    assert base64.b64decode(inside.thumbnail.removeprefix("data:image/webp;base64,")).startswith(b"RIFF")
    assert beside.thumbnail.startswith("by-thumbnails/")
    assert (tmp_path / beside.thumbnail).read_bytes().startswith(b"RIFF")
    assert inside.size == beside.size == (64, 48)


def test_of_a_photo_that_no_browser_shows_there_is_a_large_picture_beside_the_page(tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "A.DNG", grey_photo(tmp_path / "A.JPG")
    raw.write_bytes(dng(scene(400, 600)))
    out = PageFile(tmp_path / "report.html", beside=True)
    assert (out.picture([raw], raw).full or "").startswith("report-thumbnails/")
    assert out.picture([raw, jpeg], jpeg).full == "A.JPG"
    assert PageFile(tmp_path / "in.html").picture([raw], raw).full is None
    with pytest.raises(DecodeError):
        out.picture([tmp_path / "missing.jpg"], tmp_path / "missing.jpg")


def test_what_is_there_is_replaced_only_when_told(tmp_path: Path) -> None:
    for name, beside in (("page.html", False), ("with-thumbnails", True)):
        (tmp_path / name).write_text("mine")
        with pytest.raises(ConfigError, match="--overwrite"):
            PageFile(tmp_path / name.replace("with-thumbnails", "with.html"), beside=beside)
    PageFile(tmp_path / "page.html", overwrite=True).finish(sheet(tmp_path / "a.jpg"))
    assert read_page(tmp_path / "page.html").data["title"] == "Photos"
    with pytest.raises(ConfigError, match="is a folder"):
        PageFile(tmp_path, overwrite=True)


def test_a_file_that_comes_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = PageFile(tmp_path / "page.html")
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(AesthError, match="meanwhile"):
        out.finish(sheet(tmp_path / "a.jpg"))
    assert (tmp_path / "page.html").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_page_that_is_replaced_leaves_no_thumbnail_of_the_last_and_every_file_of_the_person(tmp_path: Path) -> None:
    paths = [grey_photo(tmp_path / f"{percent}.jpg", percent) for percent in (10, 90)]
    folder = tmp_path / "page-thumbnails"
    for path in paths:
        with PageFile(tmp_path / "page.html", beside=True, overwrite=True) as out:
            (shown,) = [out.picture([path], path)]
            out.finish(Sheet("Photos", [Frame((path,), 50, 3, shown)]))
        assert [f"page-thumbnails/{kept.name}" for kept in folder.glob("*.webp")] == [shown.thumbnail]
        (folder / "notes.txt").write_text("mine")
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_page_that_is_not_finished_leaves_nothing_and_the_last_one_whole(tmp_path: Path) -> None:
    first, second = (grey_photo(tmp_path / f"{percent}.jpg", percent) for percent in (10, 90))
    with PageFile(tmp_path / "new.html", beside=True) as out:
        out.picture([first], first)
    assert not (tmp_path / "new-thumbnails").exists()
    with PageFile(tmp_path / "page.html", beside=True) as out:
        shown = out.picture([first], first)
        out.finish(Sheet("Photos", [Frame((first,), 50, 3, shown)]))
    with PageFile(tmp_path / "page.html", beside=True, overwrite=True) as out:
        out.picture([first], first)
        out.picture([second], second)
    assert [f"page-thumbnails/{path.name}" for path in (tmp_path / "page-thumbnails").iterdir()] == [shown.thumbnail]
