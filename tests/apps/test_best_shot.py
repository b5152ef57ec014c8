"""Frames come one by one from a camera, and the best so far is always known, and alone remembered."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from aesth import BestShot, ConfigError, DecodeError
from aesth.apps.bursts import SAME_SCENE
from aesth.encoder import DIMENSIONS, OnnxEncoder, tag_of
from aesth.registry import find
from aesth.taste import Taste


@pytest.fixture(scope="module")
def encoder(brightness: Path) -> OnnxEncoder:
    """Scores brightness; frames of different brightness point to the same place, and are far apart by their lengths."""
    return OnnxEncoder(find(str(brightness)), threads=1)


def scene(blur: float = 0, brightness: float = 1, seed: int = 0) -> np.ndarray:
    """Blocks of grey, with edges everywhere."""
    blocks = np.kron(np.random.default_rng(seed).integers(20, 110, (8, 12)), np.ones((12, 12))) * brightness
    image = Image.fromarray(np.repeat(blocks.astype(np.uint8)[..., None], 3, axis=-1))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))


@given(st.permutations([0.0, 1.0, 2.0, 3.0]))
def test_of_one_view_the_sharpest_is_the_best_so_far_in_any_order(encoder: OnnxEncoder, blurs: list[float]) -> None:
    best_shot = BestShot(encoder=encoder)
    assert best_shot.best is None
    for number, blur in enumerate(blurs):
        best_shot.add(scene(blur), time=number / 30)
        least = int(np.argmin(blurs[: number + 1]))
        assert best_shot.best is not None
        assert (best_shot.best.number, best_shot.best.time) == (least, least / 30)
    assert best_shot.seen == len(blurs)
    assert np.array_equal(best_shot.best.image, scene())


def test_another_view_competes_by_its_score(encoder: OnnxEncoder) -> None:
    best_shot = BestShot(encoder=encoder)
    dark, bright = scene(0, 0.4), scene(4, 2, seed=1)
    shots = [best_shot.add(dark), best_shot.add(bright), best_shot.add(dark)]
    assert best_shot.best is shots[1]
    assert shots[1].score == pytest.approx(bright.mean() / 2.55, abs=0.5)
    strict = BestShot(encoder=encoder, same_scene=SAME_SCENE * 100)
    strict.add(scene())
    assert strict.add(scene(4, 1.05)) is not strict.best, "the same view, a little brighter and not sharp"


def test_only_the_best_frame_is_kept_and_a_camera_may_use_its_buffer_again(encoder: OnnxEncoder) -> None:
    best_shot, buffer = BestShot(encoder=encoder), scene().copy()
    first = best_shot.add(buffer)
    buffer[:] = scene(3)
    assert np.array_equal(first.image, scene())
    other = best_shot.add(buffer)
    images = [weakref.ref(shot.image) for shot in (first, other)]
    del first, other
    gc.collect()
    assert [image() is None for image in images] == [False, True]


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 5, 2), (5,)])
def test_what_is_no_picture_is_refused(encoder: OnnxEncoder, shape: tuple[int, ...]) -> None:
    best_shot = BestShot(encoder=encoder)
    with pytest.raises(DecodeError):
        best_shot.add(np.zeros(shape, np.uint8))
    assert (best_shot.best, best_shot.seen) == (None, 0)


def test_frames_are_scored_by_a_persons_taste(encoder: OnnxEncoder) -> None:
    taste = Taste(tag_of(encoder), slope=0.5, shift=10.0, weights=np.zeros(DIMENSIONS))
    by_taste, in_common = BestShot(encoder=encoder, taste=taste), BestShot(encoder=encoder)
    shot = by_taste.add(scene())
    assert shot.norm == pytest.approx(0.5 * in_common.add(scene()).norm + 10, rel=1e-5)
    assert shot.score == pytest.approx(encoder.record.scale.score(shot.norm))
    with pytest.raises(ConfigError, match="learnt with the model"):
        BestShot(encoder=encoder, taste=replace(taste, model="other-fp32 00000000"))
