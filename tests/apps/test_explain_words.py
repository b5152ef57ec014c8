"""Plain words and the picture: what is measured is told with its value, in lines that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from aesth.apps.explain import Effect, Remark, draw, overlay, remarks
from aesth.apps.explain.heat import LOWERS, RAISES
from aesth.apps.explain.words import Measured, measure_all
from aesth.qualities import RANGES, Horizon, Qualities

ORDINARY = Qualities(sharpness=400, exposure=50, shadows=0, highlights=0, contrast=20, colourfulness=33, noise=1)


def told(name: str, horizon: Horizon | None = None, side: int = 1000, **changed: float) -> tuple[str, str]:
    values = {field: getattr(ORDINARY, field) for field in RANGES} | changed
    (found,) = (one for one in remarks(Measured(Qualities(**values), horizon, side)) if one.name == name)
    return found.value, found.words


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("Sharpness", {"sharpness": 400}, ("400 of 1000 lines", "sharp")),
        ("Sharpness", {"sharpness": 100}, ("100 of 1000 lines", "blurred")),
        ("Exposure", {"exposure": 49.6}, ("lightness 50 of 100", "well exposed")),
        ("Exposure", {"exposure": 80, "highlights": 0.2}, ("lightness 80 of 100", "very bright, 20% burnt out")),
        ("Exposure", {"exposure": 10, "shadows": 0.5}, ("lightness 10 of 100", "very dark, 50% black")),
        ("Contrast", {"contrast": 5}, ("5 of 50", "flat")),
        ("Colour", {"colourfulness": 0}, ("0", "hardly any")),
        ("Colour", {"colourfulness": 109}, ("109", "extremely colourful")),
        ("Horizon", {}, ("", "none that is sure")),
    ],
)
def test_values_are_told_with_what_they_mean(name: str, changed: dict[str, float], expected: tuple[str, str]) -> None:
    assert told(name, **changed) == expected


@pytest.mark.parametrize(
    ("tilt", "expected"),
    [(3.04, ("3.0°", "falls to the right")), (-1.5, ("1.5°", "falls to the left")), (0.2, ("0.2°", "level"))],
)
def test_a_horizon_is_told_with_the_side_that_it_falls_to(tilt: float, expected: tuple[str, str]) -> None:
    assert told("Horizon", Horizon(tilt, 0.8, 1.0)) == expected


@given(st.fixed_dictionaries({name: st.floats(*limits) for name, limits in RANGES.items()}), st.integers(1, 1024))
def test_there_are_words_for_whatever_can_be_measured(values: dict[str, float], side: int) -> None:
    found = remarks(Measured(Qualities(**values), None, side))
    assert [one.name for one in found] == ["Sharpness", "Exposure", "Contrast", "Colour", "Horizon"]
    assert all(one.words for one in found)


def test_lines_are_counted_of_as_many_as_there_are_pixels_up_to_those_of_a_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = np.zeros((80, 120, 3), np.uint8)
    assert measure_all(image).side == 80
    monkeypatch.setattr("aesth.apps.explain.words.SIDE", 64)
    assert measure_all(image).side == 64


REMARKS = (Remark("Sharpness", "1024 of 1024 lines", "sharp to the last pixel"),) * 5


def drawn(image: np.ndarray, saliency: np.ndarray, rating: int = 3, **more: object) -> np.ndarray:
    given = {"score": 100.0, "effect": Effect(99.9, 99.9), "remarks": REMARKS} | more
    return draw(image, saliency, rating=rating, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(680, 900), (1, 1), (3000, 10), (10, 3000), (500, 500)])
def test_all_of_a_page_lies_within_its_margins(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 60, np.uint8)
    page = drawn(image, np.zeros(size, np.float32), notes=("how far to believe it: −99.9 (edges −99.9, chance −99.9)",))
    for rim in (page[:8], page[-8:], page[:, :24], page[:, -24:]):
        assert (rim == 255).all()


@pytest.mark.parametrize(("size", "margin"), [((680, 680), slice(714, 727)), ((680, 300), slice(-32, None))])
def test_the_longest_words_end_where_the_legend_or_the_page_does(size: tuple[int, int], margin: slice) -> None:
    worst = Qualities(1024, 100, 1, 1, 50, 300, 128)
    longest = remarks(Measured(worst, Horizon(-12, 1, 1), 1024))
    page = drawn(np.full((*size, 3), 255, np.uint8), np.zeros(size, np.float32), remarks=longest)
    words = page if size[1] < 680 else page[72 + 680 :]
    assert (words[:, margin] == 255).all()
    assert (page == RAISES).all(axis=-1).sum() > 400


def test_the_photo_stands_beside_its_map() -> None:
    image = np.random.default_rng(0).integers(0, 256, (680, 900, 3), np.uint8)
    saliency = np.linspace(-1, 1, 900, dtype=np.float32)[None].repeat(680, axis=0)
    page = drawn(image, saliency)
    assert (page[72:752, 32:932] == image).all()
    assert (page[72:752, 948:1848] == overlay(image, saliency)).all()


@pytest.mark.parametrize("rating", range(1, 6))
def test_stars_are_counted_by_colour(rating: int) -> None:
    page = drawn(np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), np.float32), rating)
    row = (page[36] == (230, 160, 0)).all(axis=-1)
    assert (np.diff(row.astype(int)) == 1).sum() == rating


def test_the_legend_has_both_colours_and_says_where_nothing_matters() -> None:
    image, nothing = np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), np.float32)
    page, calm = drawn(image, nothing), drawn(image, nothing, effect=Effect(0.0, 0.01))
    for colour in (RAISES, LOWERS):
        assert (page == colour).all(axis=-1).sum() > 400
    assert (page != calm).any()


def test_the_font_has_all_that_is_written() -> None:
    """A sign that it lacks would be drawn as an empty box."""
    horizons = (None, Horizon(-3.0, 1.0, 1.0), Horizon(3.0, 1.0, 1.0))
    ends = [{name: limits[end] for name, limits in RANGES.items()} for end in (0, 1)]
    lines = [
        one for horizon in horizons for values in ends for one in remarks(Measured(Qualities(**values), horizon, 9))
    ]
    written = {sign for one in lines for sign in one.name + one.value + one.words} - {" "}
    font = ImageFont.load_default(20)
    missing = bytes(font.getmask("\uffff"))
    assert {sign for sign in written if bytes(font.getmask(sign)) == missing} == set()
