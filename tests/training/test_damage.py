"""Damage: the kinds and strengths that every published figure rests on."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from aesth.training import damage
from aesth.training.damage import DAMAGES, recompress

UInt8Image = NDArray[np.uint8]

KINDS: dict[str, tuple[Any, Any, Any]] = {
    "gaussian_blur": (damage.gaussian_blur, 1 / 150, 1 / 100),
    "motion_blur": (damage.motion_blur, 1 / 50, 1 / 25),
    "noise": (damage.noise, 14, 28),
    "darker": (damage.brightness, 0.55, 0.35),
    "brighter": (damage.brightness, 1.5, 1.9),
    "contrast": (damage.contrast, 0.6, 0.4),
    "cool_cast": (damage.colour_cast, (0.85, 1, 1.18), (0.75, 1, 1.35)),
    "warm_cast": (damage.colour_cast, (1.18, 1, 0.85), (1.35, 1, 0.75)),
    "jpeg": (damage.jpeg, 15, 6),
    "tilt": (damage.tilt, 6, 12),
    "crop": (damage.crop, 0.7, 0.5),
}
"""The table of the published figures: what is done, weakly and strongly."""


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def photo() -> UInt8Image:
    """Shapes, edges and a gradient, 200 x 300."""
    y, x = np.mgrid[:200, :300]
    image = np.stack([60 + x / 3, 90 + y / 2, 80 + 40 * np.sin(x / 11) * np.cos(y / 7)], axis=-1)
    image[50:120, 60:160] = (200, 60, 40)
    image[(y - 120) ** 2 + (x - 220) ** 2 < 1600] = (40, 160, 200)
    return image.clip(0, 255).astype(np.uint8)


def test_there_are_the_eleven_kinds_of_the_table() -> None:
    assert set(DAMAGES) == set(KINDS)
    assert all(set(strengths) == {"weak", "strong"} for strengths in DAMAGES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_strengths_are_those_of_the_table(kind: str, photo: UInt8Image) -> None:
    function, weak, strong = KINDS[kind]
    assert np.array_equal(DAMAGES[kind]["weak"](photo, seeded()), function(photo, weak, seeded()))
    assert np.array_equal(DAMAGES[kind]["strong"](photo, seeded()), function(photo, strong, seeded()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", ["weak", "strong"])
def test_an_image_comes_out_as_an_image_and_the_original_stays_as_it_was(
    kind: str, strength: Any, photo: UInt8Image
) -> None:
    before = photo.copy()
    damaged = DAMAGES[kind][strength](photo, seeded())
    assert damaged.dtype == np.uint8
    share = KINDS[kind][1 if strength == "weak" else 2] if kind == "crop" else 1
    assert damaged.shape == (round(200 * share), round(300 * share), 3)
    assert np.array_equal(photo, before)
    assert not np.array_equal(damaged, photo)


@pytest.mark.parametrize("kind", KINDS)
def test_chance_comes_from_the_generator_alone(kind: str, photo: UInt8Image) -> None:
    one, same, other = (DAMAGES[kind]["strong"](photo, seeded(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert np.array_equal(one, other) == (kind not in ("motion_blur", "noise", "tilt", "crop"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "crop"])
@pytest.mark.parametrize("seed", range(3))
def test_strong_damage_is_further_from_the_original_than_weak(kind: str, seed: int, photo: UInt8Image) -> None:
    weak, strong = (DAMAGES[kind][strength](photo, seeded(seed)).astype(float) for strength in ("weak", "strong"))
    assert np.square(strong - photo).mean() > 1.2 * np.square(weak - photo).mean() > 0


def test_brightness_multiplies_every_value_and_clips() -> None:
    values = np.arange(0, 255, dtype=np.uint8).reshape(5, 17, 3)
    expected = [[[min(255, round(float(np.float32(v) * np.float32(1.9)))) for v in p] for p in row] for row in values]
    assert damage.brightness(values, 1.9, seeded()).tolist() == expected


def test_contrast_draws_values_towards_the_mean_and_leaves_the_mean() -> None:
    values = np.array([[[10, 20, 30], [110, 120, 130]]], np.uint8)
    assert damage.contrast(values, 0.5, seeded()).tolist() == [[[40, 45, 50], [90, 95, 100]]]


def test_a_colour_cast_multiplies_red_green_and_blue() -> None:
    grey = np.full((2, 2, 3), 100, np.uint8)
    assert DAMAGES["cool_cast"]["strong"](grey, seeded())[0, 0].tolist() == [75, 100, 135]
    assert DAMAGES["warm_cast"]["strong"](grey, seeded())[0, 0].tolist() == [135, 100, 75]


def test_a_gaussian_blur_has_the_sigma_it_says() -> None:
    """The variance of what a white line becomes; Pillow approximates the Gaussian by boxes."""
    image = np.zeros((401, 401, 3), np.uint8)
    image[:, 200] = 255
    profile = damage.gaussian_blur(image, 1 / 100, seeded())[200, :, 0].astype(float)
    variance = (profile * (np.arange(401) - 200) ** 2).sum() / profile.sum()
    assert np.sqrt(variance) == pytest.approx(4.01, abs=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_motion_blur_draws_a_point_out_into_a_line_of_the_length_it_says(seed: int) -> None:
    image = np.zeros((201, 201, 3), np.uint8)
    image[100, 100] = 255
    y, x = np.nonzero(damage.motion_blur(image, 1 / 10, seeded(seed))[..., 0])
    assert np.hypot(np.ptp(y), np.ptp(x)) == pytest.approx(20.1, abs=1.5)
    assert (y.mean(), x.mean()) == pytest.approx((100, 100), abs=0.5)


def test_noise_has_the_deviation_it_says_on_every_channel() -> None:
    noisy = damage.noise(np.full((200, 200, 3), 128, np.uint8), 14, seeded()).astype(float)
    assert noisy.std(axis=(0, 1)) == pytest.approx([14, 14, 14], rel=0.03)
    assert abs(np.corrcoef(noisy.reshape(-1, 3).T)[0, 1]) < 0.02


@settings(deadline=None, max_examples=60)
@given(st.integers(64, 240), st.integers(64, 240), st.sampled_from([6, 12]), st.integers(0, 9))
def test_a_tilted_photo_has_no_corners(height: int, width: int, degrees: float, seed: int) -> None:
    """Nothing of the black behind it is seen; where its edge is touched, a few pixels of the rim are darkened."""
    tilted = damage.tilt(np.full((height, width, 3), 255, np.uint8), degrees, seeded(seed))
    assert tilted[2:-2, 2:-2].min() == 255
    assert tilted.min() > 0
    assert (tilted < 255).mean() < 0.02


def test_a_tilt_goes_to_both_sides(photo: UInt8Image) -> None:
    assert len({damage.tilt(photo, 6, seeded(seed)).tobytes() for seed in range(12)}) == 2


@given(st.integers(0, 1000))
def test_a_crop_is_a_window_of_the_photo(seed: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    window = damage.crop(image, 0.7, seeded(seed))
    assert window.shape == (14, 21, 3)
    places = [(y, x) for y in range(7) for x in range(10) if np.array_equal(image[y : y + 14, x : x + 21], window)]
    assert len(places) == 1


def test_jpeg_is_a_round_trip_at_its_quality_and_recompressing_one_at_95(photo: UInt8Image) -> None:
    def round_trip(quality: int) -> UInt8Image:
        file = io.BytesIO()
        Image.fromarray(photo).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    assert np.array_equal(DAMAGES["jpeg"]["weak"](photo, seeded()), round_trip(15))
    assert np.array_equal(recompress(photo), round_trip(95))
