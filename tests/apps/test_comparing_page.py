"""The page of `aesth learn --compare` in the real Chromium: keys, clicks, undo, hostile names, small screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aesth.apps.personal.choices import Looks
from aesth.comparing.pictures import Pictures
from aesth.comparing.questions import Questions
from aesth.comparing.server import Result, Sitting, serving
from support.browser import chromium
from support.tastes import coloured, person

pytestmark = pytest.mark.apps

HOSTILE = '<img src=x onerror="document.title=1">&amp;\u202e</span><script>document.title=2</script>'
ANSWERED = "#photos[aria-busy=false]"


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    with chromium(request.config) as browser:
        yield browser


@pytest.fixture
def sitting(tmp_path: Path) -> Sitting:
    photos = [coloured(tmp_path / f"{n}.jpg", (20 * n, 90, 0)) for n in range(12)]
    questions = Questions(Looks.of(person(ratings=12).embeddings), seed=0)
    result = Result([HOSTILE, "so it is"], [("General score", 0.5), ("Your taste", 0.75)])
    return Sitting(questions, Pictures(photos), [f"{HOSTILE}{n}" for n in range(12)], 3, lambda: result)


@pytest.fixture
def said() -> list[str]:
    """What the page and the browser complain of."""
    return []


@pytest.fixture
def page(browser: Any, sitting: Sitting, said: list[str]) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    with serving(sitting) as address:
        page.goto(address)
        page.wait_for_selector(ANSWERED)
        yield page
    page.close()


def press(page: Any, key: str) -> None:
    page.keyboard.press(key)  # which makes the page busy at once
    page.wait_for_selector(ANSWERED)


def test_keys_and_clicks_choose_skip_and_take_back(page: Any, sitting: Sitting) -> None:
    left, right = page.evaluate("question.pair")
    press(page, "ArrowLeft")
    assert sitting.questions.choices().tolist() == [[left, right]]
    press(page, "Space")
    assert page.evaluate("question.number") == 2
    press(page, "u")
    press(page, "u")
    assert page.evaluate("question.pair") == [left, right]
    assert len(sitting.questions.choices()) == 0
    page.click("#right")
    page.wait_for_selector(ANSWERED)
    assert sitting.questions.choices().tolist() == [[right, left]]
    assert page.inner_text("#count") == "1 of 3"


def test_photos_are_loaded_before_they_are_asked_for(page: Any) -> None:
    following = page.evaluate("question.following")
    page.evaluate("Promise.all(ahead.map(image => image.decode()))")
    press(page, "ArrowRight")
    assert page.evaluate("question.pair") == following
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth == 64)")


def test_the_end_shows_the_result_and_names_are_text(page: Any, sitting: Sitting, said: list[str]) -> None:
    assert page.text_content(".name").startswith(HOSTILE)
    for _ in range(3):
        press(page, "ArrowLeft")
    assert page.locator("#finish.ready").count() == 1
    page.click("#finish")
    page.wait_for_selector("#end")
    assert page.locator("#lines p").all_text_contents() == [HOSTILE, "so it is"]
    assert page.text_content("#bars") == "General score50 of 100Your taste75 of 100"
    assert page.title() == "Which do you like better?"
    assert sitting.over.wait(5)
    assert said == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (844, 390), (320, 568)])
@pytest.mark.parametrize("dark", [False, True])
def test_both_photos_and_all_buttons_fit_on_every_screen(page: Any, width: int, height: int, dark: bool) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if dark else "light")
    boxes = [part.bounding_box() for part in page.locator(".photo img, footer button").all()]
    assert len(boxes) == 5
    for box in boxes:
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height
    assert min(min(box["width"], box["height"]) for box in boxes[:2]) > 0.25 * min(width, height)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 20, 20)" if dark else "rgb(244, 242, 238)")


def test_without_the_program_the_page_says_so(browser: Any, sitting: Sitting) -> None:
    page = browser.new_page()
    with serving(sitting) as address:
        page.goto(address)
        page.wait_for_selector(ANSWERED)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#problem")
    assert "What you chose is kept" in page.inner_text("#problem")
