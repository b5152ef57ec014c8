"""Occlusion: what is hidden shows what it was worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.apps.explain import occlusion, overlay
from aesth.apps.explain.heat import LOWERS, RAISES
from aesth.encoder import DIMENSIONS, OnnxEncoder, tag_of
from aesth.registry import ModelFile
from aesth.taste import Taste
from support.models import SIDE


@pytest.fixture(scope="module")
def encoder(brightness: Path) -> OnnxEncoder:
    """Its norm is the mean of all values, so that the worth of a window can be computed by hand."""
    return OnnxEncoder(ModelFile(brightness.stem, brightness), threads=1)


def bright_in_the_dark(top: int, left: int, size: int = 8) -> np.ndarray:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[top : top + size, left : left + size] = 240
    return image


@settings(max_examples=15, deadline=None)
@given(st.integers(0, SIDE - 8), st.integers(0, SIDE - 8))
def test_the_map_is_highest_where_the_norm_comes_from(encoder: OnnxEncoder, top: int, left: int) -> None:
    image = bright_in_the_dark(top, left)
    saliency = occlusion(encoder, image, hidden=np.zeros_like(image))
    assert saliency.shape == (SIDE, SIDE)
    assert saliency.dtype == np.float32
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert abs(row - (top + 3.5)) <= 6
    assert abs(column - (left + 3.5)) <= 6


def test_hiding_all_of_a_picture_costs_what_it_is_above_the_veil(encoder: OnnxEncoder) -> None:
    """One window over all: every place is worth the mean fall, weighed by how much of it the window hides."""
    image, veil = np.full((SIDE, SIDE, 3), 200, np.uint8), np.full((SIDE, SIDE, 3), 50, np.uint8)
    saliency = occlusion(encoder, image, windows=[1.0], hidden=veil)
    masked = [np.rint(200 - 150 * mask) for mask in _windows_of(SIDE, 1.0)]
    falls = [200 - pixels.mean() for pixels in masked]
    weights = _windows_of(SIDE, 1.0)
    expected = sum(f * w for f, w in zip(falls, weights, strict=True)) / sum(weights)
    assert saliency == pytest.approx(expected, abs=1e-3)


def _windows_of(length: int, side: float) -> list[np.ndarray]:
    from aesth.apps.explain.maps import _windows

    return list(_windows((length, length), side))


def test_what_lowers_the_norm_is_negative(encoder: OnnxEncoder) -> None:
    dark_spot = 255 - bright_in_the_dark(4, 4)
    saliency = occlusion(encoder, dark_spot, hidden=np.full_like(dark_spot, 255))
    assert saliency.min() < 0
    assert saliency.max() <= 1e-3


@pytest.mark.parametrize("hidden", [None, "same"])
def test_nothing_is_worth_anything_where_hiding_changes_nothing(encoder: OnnxEncoder, hidden: str | None) -> None:
    image = np.full((40, 60, 3), 90, np.uint8)
    saliency = occlusion(encoder, image, hidden=None if hidden is None else image)
    assert saliency == pytest.approx(np.zeros((40, 60)), abs=1e-3)


def test_batches_change_nothing_and_progress_is_told(encoder: OnnxEncoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    told: list[tuple[int, int]] = []
    one = occlusion(encoder, image, batch=1)
    many = occlusion(encoder, image, batch=64, on_progress=lambda done, total: told.append((done, total)))
    assert one == pytest.approx(many, abs=1e-4)
    assert told[-1][0] == told[-1][1] > 1


def test_of_a_taste_the_map_is_of_the_norm_that_the_person_gives(encoder: OnnxEncoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    taste = Taste(tag_of(encoder), slope=2.0, shift=5.0, weights=np.zeros(DIMENSIONS))
    assert occlusion(encoder, image, taste=taste) == pytest.approx(2 * occlusion(encoder, image), abs=1e-3)


@pytest.mark.parametrize("windows", [[], [0.0], [1.5], [0.3, -1]])
def test_windows_are_shares_of_the_picture(encoder: OnnxEncoder, windows: list[float]) -> None:
    with pytest.raises(ValueError, match="shares of the picture"):
        occlusion(encoder, np.zeros((40, 40, 3), np.uint8), windows=windows)


def test_an_overlay_shows_heat_where_the_map_is_high_and_dim_grey_elsewhere() -> None:
    image = np.full((40, 60, 3), (200, 40, 40), np.uint8)
    saliency = np.zeros((20, 30), np.float32)
    saliency[5:10, 5:10] = 1
    drawn = overlay(image, saliency)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert len(set(drawn[35, 50])) == 1
    assert int(drawn[14, 14, 0]) - int(drawn[14, 14, 2]) > 50


def test_an_overlay_of_nothing_is_the_grey_photo() -> None:
    image = np.full((8, 8, 3), 100, np.uint8)
    assert (overlay(image, np.zeros((8, 8), np.float32)) == 75).all()


@pytest.mark.parametrize(("value", "colour"), [(1.0, RAISES), (-1.0, LOWERS)])
def test_an_overlay_shows_what_raises_and_what_lowers_in_two_colours(value: float, colour: tuple[int, ...]) -> None:
    saliency = np.zeros((40, 60), np.float32)
    saliency[10:20, 10:20] = value
    drawn = overlay(np.full((40, 60, 3), 128, np.uint8), saliency)
    away = drawn[15, 15].astype(float) - 96
    assert away == pytest.approx((np.array(colour) - 96) * 0.8, abs=1)
    assert (drawn[30, 40] == 96).all()


def test_the_two_colours_differ_in_lightness_and_for_people_who_see_no_red_or_no_green() -> None:
    """Of sRGB, to deuteranopes and protanopes, by Viénot, Brettel & Mollon (1999): yellow against blue is left."""
    orange, blue = (np.array(colour, float) for colour in (RAISES, LOWERS))
    assert abs((orange - blue) @ [0.299, 0.587, 0.114]) > 60
    for reds in ([0.292, 0.708, 0.0], [0.113, 0.887, 0.0]):
        assert (orange @ reds - orange[2]) > 100 > -100 > (blue @ reds - blue[2])


def test_a_map_in_which_hardly_anything_matters_looks_so() -> None:
    image, noise = np.full((8, 8, 3), 100, np.uint8), np.full((8, 8), 0.001, np.float32)
    assert (overlay(image, noise, full=1.0) == 75).all()
    assert (overlay(image, noise) != 75).any()
