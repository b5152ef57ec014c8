"""The pictures of docs/collection.md: a page that the command made of free photos, in Chromium.

AESTH_PICTURES=docs pytest -m apps tests/apps/test_report_pictures.py
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from support.browser import DESKTOP, PHONE, Seen, chromium, window
from support.bursts import taken
from support.cli import aesth
from support.demo import demo_photos

pytestmark = [pytest.mark.apps, pytest.mark.timeout(600)]

_WIDTH, _QUALITY = 1200, 82
DAYS = ("Monday", "Tuesday", "Wednesday")


def test_the_page_shows_a_holiday(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    sources = demo_photos(tmp_path / "demo")
    if not sources:
        pytest.skip("needs the photos of `make demo`, which could not be fetched")
    shoot(sources, tmp_path / "Holiday")
    out = tmp_path / "page.html"
    done = aesth("report", tmp_path / "Holiday", "-o", out, "--title", "A week in spring")
    assert done.returncode == 0, done.stderr
    with chromium(request.config) as browser:
        with window(browser, out, color_scheme="light") as seen:
            seen.set("bursts", "best")
            seen.press("ArrowRight", "k", "ArrowRight", "ArrowRight", "k", "ArrowDown", "k")
            seen.page.mouse.move(0, 0)
            keep(picture_of(seen), "report.jpg")
        with window(browser, out, color_scheme="dark") as seen:
            seen.page.locator(".frame:has(.group.best)").first.click()
            viewer = picture_of(seen)
        with window(browser, out, PHONE, color_scheme="dark", device_scale_factor=2) as seen:
            phone = picture_of(seen)
    keep(side_by_side(viewer, phone), "report-dark.jpg")


def shoot(sources: Sequence[Path], folder: Path) -> None:
    """Parts of photos, as somebody with a camera would have taken them: some alone, some in bursts."""
    chance = random.Random(7)
    number, moment = 0, 0.0
    for day, name in enumerate(DAYS):
        (folder / name).mkdir(parents=True)
        for source in sources[day :: len(DAYS)]:
            with Image.open(source) as image:
                photo = image.convert("RGB")
            for shots in (4, 1):
                moment += chance.uniform(100, 5000)
                box = view(chance, photo.size)
                for shot in range(shots):
                    number += 1
                    part = photo.crop(shaken(chance, box) if shots > 1 else box)
                    seconds = timedelta(days=day).total_seconds() + moment + shot / 3
                    taken(folder / name / f"IMG_{number:04}.JPG", seconds, picture=part)


def view(chance: random.Random, size: tuple[int, int]) -> tuple[int, ...]:
    """Left, top, right and bottom of a large part of a picture, upright now and then."""
    width, height = size
    share = chance.uniform(0.7, 1)
    across, down = (0.6, 1.0) if chance.random() < 0.25 else (1.0, 0.8)
    wide, high = int(width * share * across), int(height * share * down)
    left, top = chance.randint(0, width - wide), chance.randint(0, height - high)
    return left, top, left + wide, top + high


def shaken(chance: random.Random, box: tuple[int, ...]) -> tuple[int, ...]:
    """The same part but for a few pixels."""
    return tuple(
        edge + (chance.randint(0, 8) if place < 2 else -chance.randint(0, 8)) for place, edge in enumerate(box)
    )


def picture_of(seen: Seen) -> Image.Image:
    """What the window shows once all is there."""
    seen.wait_for_pictures("#sheet img, dialog[open] .picture")
    seen.page.wait_for_timeout(500)
    assert seen.said == []
    with Image.open(BytesIO(seen.page.screenshot())) as image:
        return image.convert("RGB")


def side_by_side(*pictures: Image.Image) -> Image.Image:
    """Pictures of one height, with a space between."""
    height = DESKTOP[1]
    scaled = [picture.resize((picture.width * height // picture.height, height)) for picture in pictures]
    whole = Image.new("RGB", (sum(picture.width for picture in scaled) + 20 * (len(scaled) - 1), height), "white")
    left = 0
    for picture in scaled:
        whole.paste(picture, (left, 0))
        left += picture.width + 20
    return whole


def keep(picture: Image.Image, name: str) -> None:
    """Save a picture into the folder that AESTH_PICTURES names, if it does."""
    assert len(picture.getcolors(picture.width * picture.height) or ()) > 10_000
    folder = os.environ.get("AESTH_PICTURES")
    if folder:
        small = picture.resize((_WIDTH, _WIDTH * picture.height // picture.width), Image.Resampling.LANCZOS)
        small.save(Path(folder) / name, quality=_QUALITY, optimize=True)
