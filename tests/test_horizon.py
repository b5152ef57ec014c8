"""The horizon: pictures of a sea that are turned by known angles, and pictures that have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from aesth.qualities import horizon
from aesth.qualities.horizons import LONG, MOST

ANGLES = st.floats(-0.95 * MOST, 0.95 * MOST)


def sea(
    degrees: float, size: tuple[int, int] = (300, 400), *, level: float = 0.5, step: int = 60, seed: int = 0
) -> np.ndarray:
    """Grainy water below grainy sky, whose border falls to the right by ``degrees``."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    below = y - level * height - (x - width / 2) * np.tan(np.radians(degrees))
    grain = np.random.default_rng(seed).normal(0, 6, size)
    grey = 150 - step * np.clip(below + 0.5, 0, 1) + grain
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


@settings(max_examples=15)
@given(ANGLES, st.floats(0.3, 0.7), st.sampled_from([(300, 400), (400, 300), (700, 900)]), st.integers(0, 99))
def test_a_horizon_leans_as_the_picture_was_turned(
    degrees: float, level: float, size: tuple[int, int], seed: int
) -> None:
    found = horizon(sea(degrees, size, level=level, seed=seed))
    assert found is not None
    assert found.tilt == pytest.approx(degrees, abs=0.35)
    assert LONG <= found.length <= 1
    assert found.agreement > 0.9


@settings(max_examples=5)
@given(ANGLES)
def test_mirrored_it_leans_to_the_other_side(degrees: float) -> None:
    image = sea(degrees)
    found, mirrored = horizon(image), horizon(image[:, ::-1])
    assert found is not None
    assert mirrored is not None
    assert mirrored.tilt == pytest.approx(-found.tilt, abs=0.2)


def test_turning_a_picture_turns_its_horizon() -> None:
    """By Pillow's own rotation, which knows nothing of lines."""
    level = Image.fromarray(sea(0, (600, 800)))
    for degrees in (-7.0, -1.0, 2.5, 9.0):
        turned = level.rotate(-degrees, Image.Resampling.BICUBIC).crop((150, 120, 650, 480))
        found = horizon(np.asarray(turned))
        assert found is not None
        assert found.tilt == pytest.approx(degrees, abs=0.35)


def test_darkness_and_a_little_blur_do_not_move_it() -> None:
    image = sea(4, step=90)
    for changed in (image // 3, 255 - image, blurred(image, 3)):
        found = horizon(changed)
        assert found is not None
        assert found.tilt == pytest.approx(4, abs=0.35)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def framed() -> np.ndarray:
    """Nothing, between bars as of a film."""
    image = np.full((300, 400, 3), 120, np.uint8)
    image[:30] = image[-30:] = 0
    return image


NOTHING = {
    "flat": np.full((200, 300, 3), 120, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8),
    "a pixel": np.zeros((1, 1, 3), np.uint8),
    "a row": np.zeros((1, 90, 3), np.uint8),
    "upright": sea(0)[:, :300].transpose(1, 0, 2),
    "too steep": sea(20),
    "a frame": framed(),
    "a short line": np.where(np.arange(400)[None, :, None] < 150, sea(0), sea(0, level=2)),
    "lines that disagree": np.concatenate([sea(6, (150, 400)), sea(-6, (150, 400)), sea(0, (150, 400))]),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_said_where_nothing_is_sure(name: str) -> None:
    assert horizon(np.ascontiguousarray(NOTHING[name])) is None
