"""Plain measures of one image: each against what it is defined by, and deaf to what it should not hear."""

from __future__ import annotations

import math
from dataclasses import astuple, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aesth import qualities
from aesth.qualities import RANGES, SIDE, Qualities, measure

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


def bars(blur: float, side: int = 256, low: float = 40, high: float = 210, period: int = 128) -> np.ndarray:
    """Upright bars above lying ones, whose edges are blurred by a Gaussian of sigma ``blur`` pixels, exactly."""
    away = np.arange(side) % period + 0.5
    edge = np.vectorize(math.erf)((np.minimum(away, period - away) - period / 4) / (blur * math.sqrt(2)))
    upright, lying = np.meshgrid(edge, edge[side // 2 :])
    grey = low + (high - low) * (1 + np.concatenate([upright, lying])) / 2
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1)


def grain(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, (*image.shape[:2], 1))
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


@given(IMAGES)
def test_every_measure_is_within_its_range(image: np.ndarray) -> None:
    assert [field.name for field in fields(Qualities)] == list(RANGES)
    for value, (least, greatest) in zip(astuple(measure(image)), RANGES.values(), strict=True):
        assert least <= value <= greatest


@pytest.mark.parametrize("blur", [0.7, 1, 2, 3, 4, 6])
def test_sharpness_is_what_a_gaussian_blur_lets_through(blur: float) -> None:
    """Half of the contrast is left at the frequency f with exp(-2 (pi sigma f)²) = 1/2, and a line takes 1/(2f)."""
    frequency = math.sqrt(math.log(2) / 2) / (math.pi * blur)
    assert qualities.sharpness(bars(blur)) == pytest.approx(2 * frequency * 256, rel=0.12)


@given(st.floats(0.8, 4), st.floats(0.5, 1.2), st.floats(0.5, 1))
def test_sharpness_depends_neither_on_exposure_nor_on_contrast(blur: float, gain: float, contrast: float) -> None:
    other = bars(blur, low=125 * gain * (1 - contrast * 0.65), high=125 * gain * (1 + contrast * 0.65))
    assert qualities.sharpness(other) == pytest.approx(qualities.sharpness(bars(blur)), rel=0.15)


@pytest.mark.parametrize("blur", [1, 2, 4])
@pytest.mark.parametrize("sigma", [4, 12])
def test_grain_is_not_sharpness(blur: float, sigma: float) -> None:
    assert qualities.sharpness(grain(bars(blur), sigma)) == pytest.approx(qualities.sharpness(bars(blur)), rel=0.2)


def test_a_picture_of_more_pixels_that_shows_the_same_is_as_sharp() -> None:
    larger = bars(2 * 3, 2 * 256, period=2 * 128)
    assert qualities.sharpness(larger) == pytest.approx(qualities.sharpness(bars(3)), rel=0.1)


def test_more_pixels_than_a_screen_has_add_no_sharpness() -> None:
    assert qualities.sharpness(bars(0.5, 2 * SIDE)) == SIDE


@pytest.mark.parametrize("direction", [(0, 1), (1, 0), (1, 1), (1, -1)])
def test_a_shake_along_one_direction_is_seen(direction: tuple[int, int]) -> None:
    still = bars(0.7)
    steps = [np.roll(still, (step * direction[0], step * direction[1]), (0, 1)) for step in range(-4, 5)]
    shaken = np.mean(steps, axis=0).astype(np.uint8)
    assert qualities.sharpness(shaken) < qualities.sharpness(still) / 2


def test_a_sharp_subject_before_a_blurred_background_is_sharp() -> None:
    portrait = bars(6)
    portrait[64:192, 64:192] = bars(0.7, 128)
    assert qualities.sharpness(portrait) > 0.7 * qualities.sharpness(bars(0.7))


def test_edges_that_end_in_white_do_not_pass_for_sharp() -> None:
    washed = np.minimum(bars(3, low=20, high=120).astype(int) * 4, 255).astype(np.uint8)
    assert qualities.sharpness(washed) < 1.3 * qualities.sharpness(bars(3))


@pytest.mark.parametrize("value", [0, 100, 255])
def test_where_there_is_no_edge_nothing_is_sharp(value: int) -> None:
    flat = np.full((200, 300, 3), value, np.uint8)
    assert (qualities.sharpness(flat), qualities.noise(flat), qualities.contrast(flat)) == pytest.approx(
        (0, 0, 0), abs=1e-4
    )


@pytest.mark.parametrize("sigma", [2, 8, 20])
def test_noise_is_the_deviation_of_the_grain(sigma: float) -> None:
    assert qualities.noise(grain(bars(3), sigma)) == pytest.approx(sigma, rel=0.1)


@given(IMAGES)
def test_colourfulness_is_that_of_hasler_and_suesstrunk(image: np.ndarray) -> None:
    """Their M3, pixel by pixel: sigma_rgyb + 0.3 mu_rgyb."""
    pixels = [[int(value) for value in pixel] for row in image for pixel in row]
    rg, yb = [r - g for r, g, _ in pixels], [(r + g) / 2 - b for r, g, b in pixels]
    (m_rg, s_rg), (m_yb, s_yb) = (
        (mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)))
        for values, mean in ((values, sum(values) / len(values)) for values in (rg, yb))
    )
    expected = math.sqrt(s_rg**2 + s_yb**2) + 0.3 * math.sqrt(m_rg**2 + m_yb**2)
    assert qualities.colourfulness(image) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("pixel", "lightness"), [((0, 0, 0), 0), ((119, 119, 119), 50), ((255, 255, 255), 100), ((255, 0, 0), 53.24)]
)
def test_exposure_is_cie_lightness(pixel: tuple[int, int, int], lightness: float) -> None:
    assert qualities.exposure(np.full((3, 5, 3), pixel, np.uint8)) == pytest.approx(lightness, abs=0.3)


def test_contrast_of_a_chessboard_is_the_greatest() -> None:
    board = np.kron([[0, 255], [255, 0]], np.ones((4, 4)))
    assert qualities.contrast(np.repeat(board[..., None], 3, axis=-1).astype(np.uint8)) == pytest.approx(50)


def test_what_is_lost_is_counted_in_pixels() -> None:
    image = np.full((10, 10, 3), 128, np.uint8)
    image[:2] = 0
    image[2, :, 0] = 255  # one channel at its end is enough
    image[3, :, 1:] = 0  # one that is not black is enough
    assert (qualities.shadows(image), qualities.highlights(image)) == pytest.approx((0.2, 0.1))
