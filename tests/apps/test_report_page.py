"""The page of `aesth report` in Chromium, without a screen: what a person sees, and what keys, mouse and finger do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aesth.cli.inputs import listed_paths
from support.browser import PHONE, Seen, chromium, page_of, window
from support.cli import EVIL_NAMES
from support.desktop import wait_until

pytestmark = [pytest.mark.apps, pytest.mark.timeout(600)]


LIGHT, DARK = "rgb(239, 236, 229)", "rgb(29, 28, 26)"
"""What the page is on."""


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    with chromium(request.config) as opened:
        yield opened


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos, ten in each of four folders; of each folder the first three are a burst, whose second is best."""
    folder = tmp_path_factory.mktemp("library")
    places = ["Alps/Monday", "Alps/Tuesday", "Baltic", "Corsica"]
    files = [folder / places[number // 10] / f"IMG_{number:02}.jpg" for number in range(40)]
    in_burst = [number % 10 < 3 for number in range(40)]
    return page_of(
        folder / "page.html",
        files,
        group=[number // 10 if yes else None for number, yes in enumerate(in_burst)],
        kind=["burst" if yes else None for yes in in_burst],
        best=[number % 10 == 1 if yes else None for number, yes in enumerate(in_burst)],
    )


@pytest.fixture
def seen(browser: Any, library: Path) -> Iterator[Seen]:
    with window(browser, library) as opened:
        yield opened
        assert opened.said == []


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evil")
    hostile = ["<img src=x onerror=alert(1)>.jpg", "</script><script>alert(1)<", "50%25 #?.jpg", "a:b.jpg"]
    names = [name for name in (*hostile, *EVIL_NAMES) if "/" not in name]
    return page_of(folder / "page.html", [folder / "photos" / name for name in names])


def test_it_opens_from_disk_and_asks_no_server(seen: Seen) -> None:
    assert seen.told() == "40 photos"
    assert seen.names()[:3] == ["IMG_00.jpg", "IMG_01.jpg", "IMG_02.jpg"]
    assert {address.split(":")[0] for address in seen.asked} <= {"file", "data"}
    seen.wait_for_pictures(".frame img")


def test_a_screen_reader_is_told_of_each_photo(seen: Seen) -> None:
    sheet = seen.page.get_by_role("listbox", name="Photos")
    assert sheet.get_attribute("aria-multiselectable") == "true"
    second = sheet.get_by_role("option").nth(1)
    assert second.get_attribute("aria-label") == "Rank 2, score 97.4, 5 stars, best of 3, IMG_01.jpg"
    assert (second.get_attribute("aria-posinset"), second.get_attribute("aria-setsize")) == ("2", "40")
    unnamed = seen.page.eval_on_selector_all(
        "button, select, input",
        "all => all.filter(one => !(one.ariaLabel || one.innerText || one.closest('label'))).map(one => one.outerHTML)",
    )
    assert unnamed == []


@pytest.mark.parametrize(
    ("control", "value", "shown"),
    [
        ("folder", "Alps", 20),
        ("folder", "Alps/Monday", 10),
        ("folder", "Baltic", 10),
        ("bursts", "best", 32),
        ("bursts", "only", 12),
        ("from", "2026-05-02", 16),
        ("to", "2026-05-01", 24),
        ("least", "50", 20),
        ("most", "20", 8),
    ],
)
def test_filters_leave_what_is_asked_for_and_can_be_taken_back(
    seen: Seen, library: Path, control: str, value: str, shown: int
) -> None:
    value = f"{library.parent.name}/{value}" if control == "folder" else value
    seen.set(control, value)
    assert seen.told() == f"{shown} of 40 photos"
    seen.page.get_by_role("button", name="Show all").click()
    assert seen.told() == "40 photos"


def test_stars_are_counted_and_chosen_together(seen: Seen) -> None:
    assert seen.page.eval_on_selector_all("#stars .count", "all => all.map(one => one.innerText)") == ["8"] * 5
    seen.page.get_by_role("button", name="5 stars: 8 photos").click()
    seen.press("4")
    assert seen.told() == "16 of 40 photos"
    seen.press("5")
    assert seen.told() == "8 of 40 photos"
    assert seen.names()[0] == "IMG_08.jpg"
    seen.press("0")
    assert seen.told() == "40 photos"


def test_counts_beside_stars_are_of_what_else_is_asked_for(seen: Seen, library: Path) -> None:
    seen.set("folder", f"{library.parent.name}/Corsica")
    assert seen.page.eval_on_selector_all("#stars .count", "all => all.map(one => one.innerText)") == [
        "0",
        "0",
        "0",
        "2",
        "8",
    ]
    assert seen.page.get_by_role("button", name="5 stars: 0 photos").is_visible()


def test_the_ends_of_the_histogram_take_each_other_along(seen: Seen) -> None:
    seen.set("most", "30")
    seen.set("least", "60")
    assert (seen.page.input_value("#least"), seen.page.input_value("#most")) == ("60", "60")
    seen.page.focus("#least")
    seen.press("ArrowLeft")
    assert seen.page.inner_text("#range") == "59 – 60"


def test_nothing_that_is_asked_for_is_said_with_the_way_back(seen: Seen) -> None:
    seen.set("least", "1")
    seen.set("most", "1")
    assert seen.page.get_by_text("No photo is like that.").is_visible()
    seen.press("ArrowRight", "k", "Enter")
    seen.page.locator("#nothing button").click()
    assert seen.told() == "40 photos"


@pytest.mark.parametrize(
    ("order", "first"),
    [("worst", "IMG_39.jpg"), ("oldest", "IMG_00.jpg"), ("newest", "IMG_39.jpg"), ("name", "IMG_00.jpg")],
)
def test_the_order_can_be_another(seen: Seen, order: str, first: str) -> None:
    seen.set("order", order)
    assert seen.names()[0] == first


def test_keys_move_keep_and_open(seen: Seen) -> None:
    seen.press("ArrowRight", "ArrowRight", "k", "ArrowLeft", "Space")
    assert seen.kept() == ["IMG_01.jpg", "IMG_02.jpg"]
    assert seen.page.inner_text("#kept") == "2 kept"
    seen.press("k")
    assert seen.kept() == ["IMG_02.jpg"]
    seen.press("End")
    assert seen.active() == "IMG_39.jpg"
    assert seen.page.locator("[title='IMG_39.jpg']").is_visible()
    seen.press("Home", "ArrowDown", "ArrowUp")
    assert seen.active() == "IMG_00.jpg"
    seen.press("Enter")
    assert seen.page.get_by_role("dialog", name="Photo").is_visible()
    seen.press("ArrowRight", "k", "Escape")
    assert seen.page.get_by_role("dialog").count() == 0
    assert seen.active() == "IMG_01.jpg"
    assert seen.page.evaluate("document.activeElement.id") == "sheet"
    seen.press("?")
    assert seen.page.get_by_role("dialog", name="Keys").is_visible()


IS_HIDDEN = """() => {
    const frame = document.querySelector('.active').getBoundingClientRect();
    const header = document.querySelector('header').getBoundingClientRect().bottom;
    return frame.top < header || frame.bottom > document.querySelector('footer').getBoundingClientRect().top;
}"""


@pytest.mark.parametrize("place", [20, 780])
def test_the_active_photo_is_never_hidden_by_what_sticks_to_the_edges(seen: Seen, place: int) -> None:
    """Its row was scrolled to where the header or the tray is."""
    seen.set("size", "250")
    seen.press("k", "ArrowDown", "ArrowDown", "ArrowDown")
    way = f"document.querySelector('.active').getBoundingClientRect().top - {place}"
    seen.page.evaluate(f"scrollBy({{ top: {way}, behavior: 'instant' }})")
    assert seen.page.evaluate(IS_HIDDEN)
    seen.press("ArrowRight")
    assert not seen.page.evaluate(IS_HIDDEN)


def test_a_click_shows_the_photo_itself_and_its_pixels_one_by_one(seen: Seen) -> None:
    seen.page.locator("[title='IMG_05.jpg']").click()
    picture = seen.page.locator("#viewer .picture")
    assert picture.get_attribute("src").endswith("/Alps/Monday/IMG_05.jpg".lstrip("/"))
    seen.wait("document.querySelector('#viewer .picture').naturalWidth === 64")
    assert picture.bounding_box()["width"] > 500
    seen.press("z")
    assert picture.bounding_box()["width"] == 64
    seen.page.get_by_role("button", name="Close").click()
    assert not picture.is_visible()


def test_photos_of_a_burst_are_beside_each_other_and_stay_enlarged(seen: Seen) -> None:
    seen.page.locator("[title='IMG_11.jpg']").click()
    burst = seen.page.locator(".of-burst")
    assert burst.all_inner_texts() == ["74.4", "71.8", "69.2"]
    assert burst.nth(1).get_attribute("aria-current") == "true"
    seen.press("z")
    burst.nth(2).click()
    assert seen.page.inner_text("#viewer .name") == "IMG_12.jpg"
    assert seen.page.locator(".screen.zoomed").count() == 1
    seen.press("ArrowRight")
    assert seen.page.inner_text("#viewer .name") == "IMG_13.jpg"
    assert seen.page.locator(".screen.zoomed").count() == 0
    assert not burst.first.is_visible()
    assert seen.page.evaluate("document.activeElement.className") == "screen"
    seen.press("ArrowLeft")
    seen.page.get_by_role("button", name="This burst alone").click()
    assert seen.told() == "3 of 40 photos"
    seen.page.get_by_role("button", name="One burst").click()
    assert seen.told() == "40 photos"


def test_a_photo_that_is_gone_is_shown_by_its_thumbnail(browser: Any, tmp_path: Path) -> None:
    page = page_of(tmp_path / "page.html", [tmp_path / "a.jpg"])
    (tmp_path / "a.jpg").unlink()
    with window(browser, page) as seen:
        seen.press("Enter")
        seen.page.get_by_text("not where it was").wait_for()
        assert seen.page.get_attribute("#viewer .picture", "src").startswith("data:image/webp")


def test_no_name_is_taken_for_anything_but_text_and_every_photo_is_found(browser: Any, evil: Path) -> None:
    with window(browser, evil) as seen:
        names = [path.name for path in (evil.parent / "photos").iterdir()]
        told = seen.page.locator("#sheet")
        assert seen.page.locator("#sheet img[onerror], #sheet script").count() == 0
        assert told.get_attribute("role") == "listbox"
        seen.press("Enter")
        for _ in names:
            seen.wait_for_pictures("#viewer .picture")
            assert seen.page.get_attribute("#viewer .picture", "src").startswith("photos/")
            seen.press("ArrowRight")
        assert seen.said == []


def saved(seen: Seen, folder: Path) -> Path:
    """The list that the page saves of what is kept."""
    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="Save list").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def keep_all(seen: Seen) -> None:
    for _ in range(len(seen.names())):
        seen.press("k", "ArrowRight")


def test_the_list_of_what_is_kept_is_read_by_files_from_whatever_the_names(
    browser: Any, evil: Path, tmp_path: Path
) -> None:
    with window(browser, evil, accept_downloads=True) as seen:
        keep_all(seen)
        assert seen.page.is_checked("#null")
        assert seen.page.is_disabled("#null")
        listed = saved(seen, tmp_path)
        assert listed.name == "kept-0.txt"
        assert {*listed_paths(str(listed), null=True)} == {*(evil.parent / "photos").iterdir()}


def test_the_list_has_one_path_a_line_with_the_best_first(browser: Any, library: Path, tmp_path: Path) -> None:
    with window(browser, library, accept_downloads=True) as seen:
        seen.press("ArrowRight", "k", "Home", "k")
        listed = saved(seen, tmp_path)
        names = [f"IMG_{number:02}.jpg" for number in (0, 1)]
        assert [path.name for path in listed_paths(str(listed), null=False)] == names
        assert listed.read_bytes().endswith(os.fsencode(names[1]) + os.linesep.encode())


def test_what_is_kept_is_still_kept_when_the_page_is_opened_again(browser: Any, library: Path) -> None:
    with window(browser, library) as seen:
        seen.press("ArrowRight", "k")
        wait_until(lambda: seen.reloaded().kept() == ["IMG_01.jpg"], "what was kept")
        seen.page.get_by_role("button", name="Show these alone").click()
        assert seen.told() == "1 of 40 photos"
        seen.page.on("dialog", lambda dialog: dialog.accept())
        seen.page.get_by_role("button", name="Clear").click()
        assert (seen.told(), seen.kept()) == ("40 photos", [])
        assert not seen.page.locator("#tray").is_visible()


CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const ground = (one) => {
        for (; one; one = one.parentElement) {
            const colour = rgb(getComputedStyle(one).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const light = ([...colour]) => colour.slice(0, 3)
        .map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const hasText = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return [...document.querySelectorAll('body *')]
        .filter((one) => one.checkVisibility() && hasText(one) && !['SCRIPT', 'STYLE', 'OPTION'].includes(one.tagName))
        .map((one) => {
            const [dark, bright] = [light(rgb(getComputedStyle(one).color)), light(ground(one))].sort((a, b) => a - b);
            return [(bright + 0.05) / (dark + 0.05), one.tagName + '.' + one.className + ' ' + one.textContent];
        })
        .filter(([ratio]) => ratio < 4.5);
}"""
"""Texts that are too faint by WCAG 2, 1.4.3."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(browser: Any, library: Path, scheme: str) -> None:
    with window(browser, library, color_scheme=scheme) as seen:
        seen.press("k", "5")
        assert seen.ground() == {"light": LIGHT, "dark": DARK}[scheme]
        assert seen.page.evaluate(CONTRAST) == []
        seen.press("Enter")
        assert seen.page.evaluate(CONTRAST) == []


def test_light_or_dark_can_be_chosen_and_is_remembered(browser: Any, library: Path) -> None:
    with window(browser, library, color_scheme="light") as seen:
        assert seen.ground() == LIGHT
        seen.page.get_by_role("button", name="Light or dark").click()
        assert seen.ground() == DARK
        wait_until(lambda: seen.reloaded().ground() == DARK, "a page that stays dark")
        seen.page.get_by_role("button", name="Light or dark").click()
        assert seen.ground() == LIGHT


def test_nothing_moves_for_those_who_asked_for_that(browser: Any, library: Path) -> None:
    with window(browser, library, reduced_motion="reduce") as seen:
        seen.press("k")
        assert seen.page.evaluate("getComputedStyle(document.querySelector('.pencil')).animationName") == "none"


def test_on_a_phone_all_fits_and_can_be_hit_with_a_thumb(browser: Any, library: Path) -> None:
    with window(browser, library, PHONE) as seen:
        page = seen.page
        page.locator(".frame .keep").first.tap()
        assert seen.kept() == ["IMG_00.jpg"]
        page.get_by_role("button", name="Filter").tap()
        assert page.get_by_role("button", name="5 stars").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        small = page.eval_on_selector_all(
            "button, select, input[type=date], .frame .keep",
            "all => all.filter(one => one.checkVisibility() && one.offsetHeight < 40).map(one => one.outerHTML)",
        )
        assert small == []
        page.locator(".frame").nth(1).tap()
        assert page.inner_text("#viewer .name") == "IMG_01.jpg"
        assert page.evaluate("document.querySelector('#viewer').scrollWidth") == PHONE[0]


def test_a_finger_turns_to_the_next_photo(browser: Any, library: Path) -> None:
    with window(browser, library, PHONE) as seen:
        seen.page.locator(".frame").first.tap()
        touch = seen.page.context.new_cdp_session(seen.page)
        for kind, x in (("touchStart", 300), ("touchMove", 200), ("touchMove", 100), ("touchEnd", None)):
            points = [] if x is None else [{"x": x, "y": 420}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert seen.page.inner_text("#viewer .name") == "IMG_01.jpg"


@pytest.mark.parametrize("beside", [False, True])
def test_of_five_thousand_photos_only_those_in_sight_are_in_the_document(
    browser: Any, tmp_path: Path, beside: bool
) -> None:
    files = [tmp_path / "photos" / f"{number:04}.jpg" for number in range(5000)]
    with window(browser, page_of(tmp_path / "page.html", files, beside=beside)) as seen:
        assert seen.told() == "5,000 photos"
        sizes = [seen.page.locator("*").count()]
        for share in (0.1, 0.5, 0.9):
            seen.page.evaluate("share => scrollTo(0, share * document.body.scrollHeight)", share)
            near = f"{int(5000 * share) - 300:04}"
            seen.wait(f"[...document.querySelectorAll('.frame')].at(-1).title > '{near}'")
            seen.wait_for_pictures(".frame img")
            sizes.append(seen.page.locator("*").count())
        assert max(sizes) < 1500
        seen.press("End")
        assert seen.active() == "4999.jpg"
        assert seen.page.locator("[title='4999.jpg']").is_visible()
        assert seen.said == []
        if beside:
            assert len(seen.asked) < 3000
