"""A whole library of the real digiKam 7.9: rated, sorted by score and stacked, as it is seen on its screen, and back.

All tests share one start of digiKam, since it takes long; the last one ends it, and starts it again.

AESTH_PICTURES=docs pytest -m apps tests/apps/test_digikam_whole_library.py takes the pictures of the documentation and
of the plugin's README.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from aesth.digikam.running import services
from support.desktop import Desktop, need, wait_until
from support.digikam_library import (
    ALBUM,
    COLOURS,
    DEMO,
    GREYS,
    THEIRS,
    Library,
    make_library,
    outcomes,
    people_did,
    show_by_hand,
)
from support.digikam_menu import HEIGHT, WIDTH, Photographer, aesth_program, with_aesth
from support.screen import keep, seen_at, seen_in_order

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

SHOWN = {**COLOURS, **{name: (round(2.55 * percent),) * 3 for name, percent in GREYS.items()}}
"""Colours of the photos in `ALBUM`, as the screen shows them."""

MENU, STARS = (440, 62, 1190, 620), (440, 62, 1322, 822)
"""What of the window is shown: left, top, right and bottom."""


@pytest.fixture(scope="module")
def library(
    request: pytest.FixtureRequest, screen: Desktop, brightness: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    need(request.config, "digikam", "import", "gdbus")
    desktop = with_aesth(screen)
    assert aesth_program(desktop, "digikam", "install").returncode == 0
    collection = tmp_path_factory.mktemp("library") / "my collection"
    digikam, demo = make_library(desktop, collection)
    number = len(list(collection.rglob("*.*g")))
    with digikam.running() as process:
        wait_until(lambda: len(digikam.ratings()) == number, "all photos", process)
        yield Library(digikam, process, brightness, demo)


@pytest.fixture
def demo(library: Library) -> frozenset[str]:
    if not library.demo:
        pytest.skip("needs the photos of `make demo`, which could not be fetched")
    return library.demo


def test_digikam_shows_the_best_photos_first(library: Library, demo: frozenset[str], tmp_path: Path) -> None:
    """Those that a person selected and had rated from the menu, by the model that comes with aesth."""
    digikam, person = library.digikam, library.person
    person.enlarge()
    person.choose_album(DEMO)
    person.open_menu(tmp_path / "menu.png")
    person.choose("s")
    wait_until(lambda: 0 not in stars_of(library, demo), "stars of all photos", person.process)
    wait_until(lambda: not person.windows("Score aesthetics"), "the end of aesth's window", person.process)
    person.look_away()
    wait_until(person.sees_one_window, "digiKam's window alone", person.process)
    person.await_rest()
    digikam.desktop.screenshot(tmp_path / "stars.png")
    assert len(stars_of(library, demo)) > 1
    keep(part_of(tmp_path / "menu.png", MENU), "digikam-menu.png")
    keep(part_of(tmp_path / "stars.png", STARS), "digikam.png")


def stars_of(library: Library, photos: frozenset[str]) -> set[int]:
    return {stars for name, stars in library.digikam.ratings().items() if name in photos}


def part_of(picture: Path, box: tuple[int, int, int, int]) -> Image.Image:
    """A part of a picture of the screen."""
    with Image.open(picture) as seen:
        part = seen.convert("RGB").crop(box)
    assert len(part.getcolors(WIDTH * HEIGHT) or ()) > 1000
    return part


def test_albums_are_rated_while_digikam_runs(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digikam, process = library.digikam, library.process
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", digikam.desktop.environment["DBUS_SESSION_BUS_ADDRESS"])
    assert services() == {f"org.kde.digikam-{process.pid}": process.pid}
    with monkeypatch.context() as patch:
        (tmp_path / "gdbus").symlink_to(shutil.which("gdbus") or "")
        patch.setenv("PATH", str(tmp_path))
        assert services() == {f"org.kde.digikam-{process.pid}": process.pid}
    before = library.what_we_change()
    refused = library.aesth("rank")
    assert refused.returncode == 1
    assert f"digiKam is running (process {process.pid}). Nothing was changed" in refused.stderr
    assert library.what_we_change() == before
    rated = library.aesth("tag", "--album", ALBUM, "--album", "Share")
    stars = {name: one["rating"] for name, one in outcomes(rated).items()}
    assert stars.keys() == SHOWN.keys()
    assert "the collection Share is not there (there is no folder /nowhere): 1 photo left out" in rated.stderr
    wait_until(lambda: digikam.ratings().items() >= stars.items(), "the stars of all files", process)
    again = outcomes(library.aesth("tag", "--album", ALBUM))
    assert {one["action"] for one in again.values()} == {"skipped"}


def test_a_library_is_sorted_and_stacked_on_screen_and_taken_back(library: Library, tmp_path: Path) -> None:
    digikam, theirs = library.digikam, {"t0.jpg", "t1.jpg", "t2.jpg"}
    digikam.close(library.process)
    people_did(digikam)
    before = library.what_we_change()
    ranked = outcomes(library.aesth("rank", "--album", ALBUM, "--album", THEIRS))
    assert {name for name, one in ranked.items() if one["action"] == "kept"} == theirs
    stacked = outcomes(library.aesth("group", "--album", ALBUM, "--album", THEIRS))
    assert {name for name, one in stacked.items() if one["action"] == "kept"} == theirs
    assert library.groups() == {"t1.jpg": "t0.jpg", "burst1.jpg": "burst2.jpg", "burst3.jpg": "burst2.jpg"}
    if library.demo:
        library.aesth("rank", "--album", DEMO, model=False)
        library.aesth("group", "--album", DEMO, model=False)
    changed = library.what_we_change()

    show_by_hand(digikam, ALBUM)
    best_first = [name for name in ranked if name in SHOWN and name not in ("burst1.jpg", "burst3.jpg")]
    scores = [ranked[name]["score"] for name in best_first]
    assert scores == sorted(scores, reverse=True)
    picture = tmp_path / "sorted.png"
    with digikam.running() as process:
        person = Photographer(digikam, process)
        wait_until(lambda: seen_in_order(screenshot(person, picture), SHOWN) == best_first, "the best first", process)
        assert library.what_we_change() == changed
        places = [seen_at(picture, SHOWN)[best_first[place]] for place in (2, 0)]
        wait_until(lambda: sorted_by_hand(library, person, *places), "a photo elsewhere", process)
        if library.demo:
            take_picture(person, picture)
    by_hand = library.what_we_change()
    assert {one["action"] for one in outcomes(library.aesth("rank", "--album", ALBUM)).values()} == {"kept"}
    assert library.what_we_change() == by_hand
    with digikam.changing() as database:
        database.executemany("UPDATE Images SET manualOrder = ? WHERE id = ?", [row[::-1] for row in changed[0]])
    assert library.what_we_change() == changed

    runs = [json.loads(line) for line in library.aesth("undo", "--list", model=False).stdout.splitlines()]
    assert [run["kind"] for run in runs] == ["rank", "group"] * (2 if library.demo else 1)
    for run in reversed(runs):
        undone = outcomes(library.aesth("undo", str(run["run"]), model=False))
        assert {one["action"] for one in undone.values()} == {"written"}
    assert library.what_we_change() == before


def screenshot(person: Photographer, picture: Path) -> Path:
    person.enlarge()
    person.desktop.screenshot(picture)
    return picture


def sorted_by_hand(library: Library, person: Photographer, photo: tuple[int, int], before: tuple[int, int]) -> bool:
    """Drag a photo to the place before another, as a person does; whether digiKam's database says so."""
    known = library.what_we_change()
    person.sort_by_hand(photo, before)
    return library.what_we_change() != known


def take_picture(person: Photographer, picture: Path) -> None:
    """The picture of the documentation, once all photos are shown and nothing else."""
    person.choose_album(DEMO)

    def is_ready() -> bool:
        person.look_away()
        person.desktop.screenshot(picture)
        with Image.open(picture) as seen:
            colours = seen.convert("RGB").getcolors(WIDTH * HEIGHT * 2) or []
        return person.sees_one_window() and len(colours) > 3000

    wait_until(is_ready, "photos alone", person.process)
    person.desktop.screenshot(picture)
    with Image.open(picture) as seen:
        whole = seen.convert("RGB").crop((0, 0, WIDTH, HEIGHT))
    keep(whole.resize((1000, 1000 * HEIGHT // WIDTH), Image.Resampling.LANCZOS), "digikam-sorted.png", colours=200)
