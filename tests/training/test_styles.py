"""Styles keep what they say they keep."""

from __future__ import annotations

import numpy as np
import pytest

from aesth.training.styles import black_and_white


def test_black_and_white_keeps_the_luma_and_loses_the_colour() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    grey = black_and_white(image)
    assert grey.shape == image.shape
    assert (grey == grey[..., :1]).all()
    assert grey[..., 0] == pytest.approx(image @ np.array([0.299, 0.587, 0.114]), abs=1)
    assert (black_and_white(grey) == grey).all()
