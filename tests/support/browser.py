"""Chromium without a screen, driven by Playwright, and pages of photos to look at with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aesth.apps.report import Frame, PageFile, Sheet
from support.cli import grey_photo
from support.desktop import need, wait_until

DESKTOP, PHONE = (1440, 900), (390, 844)
"""Sizes of windows, in pixels of the page."""


@contextmanager
def chromium(config: pytest.Config) -> Iterator[Any]:
    """A browser; the test is skipped, or fails, where it is not installed."""
    need(config, "chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        give_up = pytest.fail if config.getoption("--need-apps") else pytest.skip
        give_up("needs playwright: pip install 'aesth[test]'")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if is_root else []
        )
        yield browser
        browser.close()


@dataclass
class Seen:
    """A page in a window.

    Attributes:
        page: Playwright's.
        said: what the page and the browser complained about, and dialogs that opened.
        asked: addresses of all that was loaded.
    """

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        """The names of the photos that are on the sheet and in the document, in order."""
        return self.page.eval_on_selector_all(".frame", "frames => frames.map(frame => frame.title)")

    def told(self) -> str:
        """How many photos are shown."""
        return self.page.inner_text("#told")

    def active(self) -> str:
        """The name of the photo that keys act on, as a screen reader is told."""
        return self.page.evaluate(
            "document.getElementById(document.getElementById('sheet').getAttribute('aria-activedescendant')).title"
        )

    def kept(self) -> list[str]:
        """The names of those that are marked as kept."""
        return self.page.eval_on_selector_all(
            ".frame[aria-selected=true]", "frames => frames.map(frame => frame.title)"
        )

    def ground(self) -> str:
        """The colour that the page is on."""
        return self.page.evaluate("getComputedStyle(document.body).backgroundColor")

    def reloaded(self) -> Seen:
        """The same, opened again; what the page just told the browser to remember may take a moment to arrive."""
        self.page.reload()
        return self

    def wait(self, expression: str) -> None:
        """Wait until JavaScript holds; asked from outside, as the page's policy lets no text run in it."""
        wait_until(lambda: self.page.evaluate(expression), expression)

    def wait_for_pictures(self, which: str) -> None:
        """Wait until all pictures that a CSS selector finds are there."""
        self.wait(f"[...document.querySelectorAll('{which}')].every(one => one.complete && one.naturalWidth > 0)")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def set(self, name: str, value: str) -> None:
        """Give a control a value, as a person's hand would."""
        self.page.eval_on_selector(
            f"#{name}",
            "(control, value) => { control.value = value; control.dispatchEvent(new Event('input')) }",
            value,
        )


@contextmanager
def window(browser: Any, address: Path | str, size: tuple[int, int] = DESKTOP, **options: Any) -> Iterator[Seen]:
    """A page, opened from disk in a window of its own; options are Playwright's of a context."""
    is_phone = size == PHONE
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=is_phone, is_mobile=is_phone, offline=True, **options
    )
    seen = Seen(context.new_page())
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.goto(address.as_uri() if isinstance(address, Path) else address)
    seen.page.wait_for_load_state()
    yield seen
    context.close()


def page_of(out: Path, files: Sequence[Path], *, beside: bool = False, **more: Sequence[Any]) -> Path:
    """A page of photos whose scores fall from 100 to 0 in the order given, taken an hour apart.

    Args:
        out: where it is written.
        files: photos, made where they are missing; all look alike.
        beside: thumbnails are beside the page.
        more: other fields of the frames, such as ``group``, one value a photo.
    """
    with PageFile(out, beside=beside) as page:
        frames = []
        for number, file in enumerate(files):
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                grey_photo(file, 30 + number % 50)
            score = 100 - 100 * number / max(len(files) - 1, 1)
            fields = {name: values[number] for name, values in more.items()}
            moment = datetime(2026, 5, 1) + timedelta(hours=number)
            frame = Frame((file,), score, 1 + min(4, int(score / 20)), page.picture([file], file), moment)
            frames.append(replace(frame, **fields))
        page.finish(Sheet("A sheet", frames))
    return out
