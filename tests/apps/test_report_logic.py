"""What the script of the page computes, told by oracles in Python: rows of frames, filters, lists of files."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.cli.inputs import listed_paths
from support.browser import chromium

pytestmark = pytest.mark.apps

Call = Callable[..., Any]

SPACE = 6
PHOTOS = st.lists(st.tuples(st.integers(20, 320), st.integers(20, 320)), max_size=40).map(
    lambda sizes: [{"width": width, "height": height} for width, height in sizes]
)
WIDTHS, HEIGHTS = st.integers(200, 2000), st.integers(90, 360)


@pytest.fixture(scope="module")
def call(request: pytest.FixtureRequest) -> Iterator[Call]:
    """Calls a function of the page's script that needs no page."""
    with chromium(request.config) as browser:
        page = browser.new_page()
        for name in ("choosing.js", "layout.js", "lists.js"):
            page.add_script_tag(content=files("aesth.apps.report").joinpath("page", name).read_text())
        yield lambda function, *given: page.evaluate(f"given => {function}(...given)", list(given))
        page.close()


@given(PHOTOS, WIDTHS, HEIGHTS)
def test_rows_hold_all_photos_in_order_and_fill_the_width(
    call: Call, photos: list[Any], width: int, wished: int
) -> None:
    rows = call("rowsOf", photos, width, wished, SPACE, 30)
    assert [row["first"] for row in rows] == [sum(len(row["widths"]) for row in rows[:n]) for n in range(len(rows))]
    assert sum(len(row["widths"]) for row in rows) == len(photos)
    for row in rows:
        taken = sum(row["widths"]) + SPACE * (len(row["widths"]) + 1)
        assert taken <= width + 0.01
        assert row is rows[-1] or taken == pytest.approx(width)
        for photo, shown in zip(photos[row["first"] :], row["widths"], strict=False):
            assert shown / row["height"] == pytest.approx(min(3.5, max(0.4, photo["width"] / photo["height"])))
    for above, below in pairwise(rows):
        assert below["top"] == pytest.approx(above["top"] + above["height"] + 30)


@given(PHOTOS, WIDTHS, HEIGHTS)
def test_no_row_would_be_nearer_to_the_height_wished_for_with_its_last_frame_left_out(
    call: Call, photos: list[Any], width: int, wished: int
) -> None:
    for row in call("rowsOf", photos, width, wished, SPACE, 30)[:-1]:
        ratios = [shown / row["height"] for shown in row["widths"]]
        if len(ratios) > 1:
            without = (width - SPACE * len(ratios)) / sum(ratios[:-1])
            assert abs(row["height"] - wished) <= abs(without - wished) + 0.01


@given(PHOTOS.filter(bool), WIDTHS, st.data())
def test_the_photo_above_and_the_row_of_a_height_are_found(
    call: Call, photos: list[Any], width: int, data: Any
) -> None:
    rows = call("rowsOf", photos, width, 180, SPACE, 30)
    index = data.draw(st.integers(0, len(photos) - 1))
    number = call("rowOf", rows, index)
    assert rows[number]["first"] <= index < rows[number]["first"] + len(rows[number]["widths"])
    assert call("rowAt", rows, rows[number]["top"] + 1) == number
    assert call("rowAt", rows, -100) == 0
    below = call("neighbour", rows, index, 1, SPACE)
    assert call("rowOf", rows, below) == min(number + 1, len(rows) - 1)
    assert below == index if number == len(rows) - 1 else below > index


TAKEN = st.one_of(st.none(), st.integers(1, 4).map(lambda day: f"2026-02-{day:02}T12:00:00"))
SHEET = st.lists(
    st.fixed_dictionaries(
        {
            "stars": st.integers(1, 5),
            "score": st.integers(0, 10_000).map(lambda part: part / 100),
            "folder": st.integers(0, 3),
            "taken": TAKEN,
            "group": st.one_of(st.none(), st.integers(1, 3)),
            "best": st.sampled_from([None, True, False]),
        }
    ),
    max_size=20,
).map(lambda photos: [photo | {"best": photo["best"] if photo["group"] else None} for photo in photos])
FOLDERS = ["all", "all/a", "all/a/b", "all/ab"]
DAYS = st.integers(1, 4).map(lambda day: f"2026-02-{day:02}")
ASKED = {
    "stars": st.lists(st.integers(1, 5), unique=True),
    "least": st.integers(0, 60),
    "most": st.integers(40, 100),
    "folder": st.sampled_from(FOLDERS),
    "from": DAYS,
    "to": DAYS,
    "bursts": st.sampled_from(["best", "only"]),
    "group": st.integers(1, 3),
}
ALL = {"stars": [], "least": 0, "most": 100, "folder": "", "from": "", "to": "", "bursts": "all", "group": None}
ONE_OR_TWO = st.lists(st.sampled_from(sorted(ASKED)), min_size=1, max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: ASKED[name] for name in names})
)
CHOSEN = """(photos, asked, folders) => chosen(
    photos, { ...everything(), ...asked, stars: new Set(asked.stars) }, folders, new Set(),
).map((photo) => photos.indexOf(photo))"""


def is_asked(photo: dict[str, Any], asked: dict[str, Any]) -> bool:
    """The filters, word for word."""
    folder, day = Path(FOLDERS[photo["folder"]]), (photo["taken"] or "")[:10]
    return all(
        [
            not asked["stars"] or photo["stars"] in asked["stars"],
            asked["least"] <= photo["score"] <= asked["most"],
            not asked["folder"] or folder.is_relative_to(asked["folder"]),
            not asked["from"] or (day and day >= asked["from"]),
            not asked["to"] or (day and day <= asked["to"]),
            asked["bursts"] != "best" or photo["group"] is None or photo["best"] is not False,
            asked["bursts"] != "only" or photo["group"] is not None,
            asked["group"] is None or photo["group"] == asked["group"],
        ]
    )


@settings(max_examples=200)
@given(SHEET, ONE_OR_TWO.map(lambda asked: ALL | asked))
def test_those_photos_are_shown_that_are_asked_for(call: Call, photos: list[Any], asked: dict[str, Any]) -> None:
    expected = [number for number, photo in enumerate(photos) if is_asked(photo, asked)]
    assert call(f"({CHOSEN})", photos, asked, FOLDERS) == expected


@pytest.mark.parametrize(("folder", "shown"), [("all/a", True), ("all/a/b", True), ("all/ab", False), ("all", False)])
def test_a_folder_holds_those_below_it_and_none_whose_name_begins_alike(call: Call, folder: str, shown: bool) -> None:
    assert call("isBelow", folder, "all/a") == shown


@given(SHEET)
def test_every_photo_is_in_one_bar_of_the_histogram_and_one_count_of_stars(call: Call, photos: list[Any]) -> None:
    bars = [sum(min(int(photo["score"] / 2), 49) == bar for photo in photos) for bar in range(50)]
    assert call("histogram", photos, 50) == bars
    assert call("countStars", photos) == [sum(photo["stars"] == stars for photo in photos) for stars in range(6)]
    counts = dict(call("folderCounts", photos, FOLDERS))
    below = {folder: sum(Path(FOLDERS[p["folder"]]).is_relative_to(folder) for p in photos) for folder in FOLDERS}
    assert counts == {folder: number for folder, number in below.items() if number}


@given(SHEET, st.sampled_from(["score", "worst", "oldest", "newest"]))
def test_an_order_keeps_all_photos_and_equals_as_they_were(call: Call, photos: list[Any], order: str) -> None:
    keys: dict[str, Callable[[Any], Any]] = {
        "score": lambda photo: -photo["score"],
        "worst": lambda photo: photo["score"],
        "oldest": lambda photo: photo["taken"] or "~",
        "newest": lambda photo: [-ord(character) for character in photo["taken"] or ""] or [0],
    }
    assert call("ordered", photos, order) == sorted(photos, key=keys[order])


LIST = """async (paths, end) => {
    const bytes = new Uint8Array(await listOf(paths, end).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
}"""


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda path: b"\0" not in path), max_size=8))
def test_a_list_is_read_as_the_paths_that_went_into_it_to_the_byte(
    call: Call, tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    paths = [os.fsdecode(name) for name in names]
    written = tmp_path_factory.getbasetemp() / "list"
    written.write_bytes(base64.b64decode(call(f"({LIST})", paths, "\0")))
    assert [os.fsencode(path) for path in map(str, listed_paths(str(written), null=True))] == [
        os.fsencode(Path(path)) for path in paths
    ]
    assert call("needsNull", paths) == any(b"\n" in name or b"\r" in name for name in names)
