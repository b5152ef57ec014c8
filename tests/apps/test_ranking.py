"""Which frame of a burst is the best: by its score, sharpness in the same places, light; each alone decides."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from aesth import qualities
from aesth.apps.moves import most_typical, move, small_copy
from aesth.apps.ranking import WEIGHTS, Look, features, look_at, merits

HEIGHT, WIDTH = 192, 256


@cache
def wide(seed: int = 0) -> Image.Image:
    """Blocks and stripes of all sizes, twice as wide and high as a frame."""
    rng = np.random.default_rng(seed)
    layers = [np.kron(rng.normal(size=(2 * HEIGHT // n, 2 * WIDTH // n)), np.ones((n, n))) for n in (8, 16, 32, 64)]
    grey = 120 + 22 * np.sum(layers, axis=0)
    return Image.fromarray(np.clip(grey, 10, 240).astype(np.uint8)).convert("RGB")


def frame(right: float = 0.5, down: float = 0.5, blur: float = 0, gain: float = 1, seed: int = 0) -> np.ndarray:
    """A view of it from ``right`` and ``down``, in sizes of a frame."""
    left, top = round(right * WIDTH), round(down * HEIGHT)
    view = wide(seed).crop((left, top, left + WIDTH, top + HEIGHT)).filter(ImageFilter.GaussianBlur(blur))
    return np.clip(np.asarray(view) * gain, 0, 255).astype(np.uint8)


def best_of(*frames: np.ndarray, norms: list[float] | None = None) -> int:
    return int(np.argmax(merits(norms or [100.0] * len(frames), [look_at(image) for image in frames])))


def test_the_sharpest_is_the_best_also_if_the_camera_moved() -> None:
    assert best_of(frame(blur=1), frame(right=0.53), frame(down=0.55, blur=2)) == 1
    assert best_of(frame(blur=1), frame(right=0.8, down=0.6), frame(blur=0.7)) == 1


def test_the_same_places_are_compared_where_the_camera_moved_far() -> None:
    """The scene is sharp on its left side alone, so that a view further right has fewer sharp edges."""
    scene = wide().copy()
    scene.paste(scene.filter(ImageFilter.GaussianBlur(4)).crop((WIDTH, 0, 2 * WIDTH, 2 * HEIGHT)), (WIDTH, 0))
    left, right = (scene.crop((at, 0, at + WIDTH, HEIGHT)) for at in (WIDTH // 4, WIDTH // 2 + 32))
    looks = [look_at(np.asarray(image)) for image in (left.filter(ImageFilter.GaussianBlur(0.7)), right)]
    assert np.argmax(features([1.0, 1.0], looks)["sharpness"]) == 1


@pytest.mark.parametrize("gain", [0.5, 0.7, 0.9, 1.1])
def test_sharpness_is_compared_whatever_the_exposure(gain: float) -> None:
    frames = [frame(blur=1.2, gain=0.8), frame(blur=0.4, gain=gain), frame(blur=1.2)]
    found = features([100.0] * 3, [look_at(image) for image in frames])
    assert int(np.argmax(found["sharpness"])) == 1


def test_of_equally_sharp_ones_the_well_exposed_is_the_best() -> None:
    assert best_of(frame(gain=0.5), frame(), frame(gain=2)) == 1


def test_of_frames_that_are_otherwise_alike_the_score_decides() -> None:
    assert best_of(frame(), frame(), frame(), norms=[100, 104, 102]) == 1


def test_another_view_competes_by_its_score() -> None:
    """It has less contrast and is blurred, which says nothing as it shows something else."""
    other = frame(seed=1, blur=3, gain=0.6)
    found = features([1.0, 1.0, 1.0], [look_at(image) for image in (frame(), frame(blur=1), other)])
    assert [values[2] for values in found.values()] == [0, 0, 0, 0]
    assert best_of(frame(), frame(blur=1), other, norms=[100, 100, 300]) == 2


def test_merits_are_the_weighted_features() -> None:
    looks = [look_at(frame(blur=blur, gain=1 + blur / 4)) for blur in (0, 1, 2)]
    found = features([90.0, 100.0, 110.0], looks)
    by_hand = [sum(WEIGHTS[name] * found[name][n] for name in WEIGHTS) for n in range(3)]
    assert merits([90.0, 100.0, 110.0], looks) == pytest.approx(by_hand)


def test_frames_without_an_edge_or_of_other_sizes_are_no_error() -> None:
    flat = [np.full((h, 300, 3), 90, np.uint8) for h in (200, 3, 1)]
    assert merits([1.0, 1.0, 1.0], [look_at(image) for image in flat]) == pytest.approx([0, 0, 0])


def test_a_frame_without_edges_where_others_have_some_is_the_least_sharp() -> None:
    looks = [look_at(image) for image in (frame(), frame(blur=2))]
    nothing = Look(qualities.edges_of(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)), 0, 20, looks[0].view)
    assert int(np.argmin(features([1.0] * 3, [*looks, nothing])["sharpness"])) == 2


@settings(max_examples=12)
@given(st.floats(-0.45, 0.45), st.floats(-0.45, 0.45))
def test_a_move_of_the_camera_is_told_by_two_frames(right: float, down: float) -> None:
    moved = move(small_copy(frame()), small_copy(frame(right=0.5 + right, down=0.5 + down)))
    assert (moved.right, moved.down) == pytest.approx((right, down), abs=0.03)
    assert moved.likeness > 0.6


def test_frames_of_different_scenes_are_not_alike_however_they_are_moved() -> None:
    views = [small_copy(frame(seed=seed)) for seed in range(6)]
    assert max(move(views[0], other).likeness for other in views[1:]) < 0.6


def test_the_most_typical_view_is_not_the_odd_one() -> None:
    views = [small_copy(image) for image in (frame(seed=1), frame(), frame(right=0.52), frame(blur=1))]
    assert most_typical(views) > 0
