"""From the scores of frames to the curve, its spots, and what comes into a reel."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("av")

from aesth.apps.video.curve import Curve, curve_of, score_curve
from aesth.apps.video.cuts import FALL, SHORTEST, choose_cuts
from aesth.apps.video.plot import spread_out
from aesth.apps.video.spots import Spot, find_spots, neighbourhood_of, stretch_of
from aesth.apps.video.timecode import timecode, timecode_for_name
from aesth.decode.video import Video
from aesth.scorer import Scorer
from support.clips import clip, grey, x264

RISE_AND_FALL = [20, 25, 30, 60, 80, 60, 30, 25, 20]


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    count = draw(st.integers(1, 60))
    scores = draw(st.lists(st.floats(0, 100), min_size=count, max_size=count))
    steps = draw(st.lists(st.floats(0.01, 3), min_size=count, max_size=count))
    begins = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return curve_of(np.cumsum(steps), scores, [True, *begins[1:]])


def test_frames_are_scored_in_order_with_their_times(tmp_path: Path, brightness: Path) -> None:
    """Of 25 frames a second, one of every second."""
    percents = [10 + 3 * (number // 25) for number in range(100)]
    film = clip(tmp_path / "film.mp4", map(grey, percents), encoding=x264(g=25))
    seconds = []
    with Scorer(str(brightness)) as scorer, Video(film) as video:
        curve = score_curve(video, scorer, 1.0, seconds.append)
        whole = score_curve(video, scorer, None)
    np.testing.assert_allclose(curve.times, [0, 1, 2, 3], atol=1e-6)
    np.testing.assert_allclose(curve.scores, [10, 13, 16, 19], atol=1)
    assert seconds == list(curve.times)
    np.testing.assert_allclose(whole.scores, percents, atol=1)
    assert not any("aesth-ahead" in thread.name for thread in threading.enumerate())


def test_a_scene_begins_where_frames_are_unlike(tmp_path: Path, brightness: Path) -> None:
    percents = [20, 22, 25, 90, 85, 80, 10, 12]
    film = clip(tmp_path / "film.mp4", map(grey, percents), rate=1)
    with Scorer(str(brightness)) as scorer, Video(film) as video:
        curve = score_curve(video, scorer, None)
    assert list(np.flatnonzero(curve.begins)) == [0, 3, 6]


def test_a_new_scene_is_not_smoothed_into_the_one_before() -> None:
    times, scores = np.arange(8) / 5, [10.0] * 4 + [90.0] * 4
    smooth = curve_of(times, scores, [True] + [False] * 7).smoothed
    cut = curve_of(times, scores, [True] + [False] * 3 + [True] + [False] * 3).smoothed
    assert smooth[3] > 20
    assert smooth[4] < 80
    np.testing.assert_allclose(cut, scores, atol=1)


def test_the_curve_is_the_same_however_often_frames_are_looked_at() -> None:
    """Noise and drift are told for seconds, not for samples."""
    fine = np.linspace(0, 10, 251)
    truth = 50 + 30 * np.sin(fine)
    noisy = truth + np.random.default_rng(0).normal(0, 3, len(fine))
    dense = curve_of(fine, noisy, np.arange(251) == 0)
    sparse = curve_of(fine[::25], noisy[::25], np.arange(11) == 0)
    assert np.abs(dense.smoothed - truth).mean() < 1.5
    assert np.abs(sparse.smoothed - truth[::25]).mean() < 4


def test_the_best_spot_is_the_peak() -> None:
    (spot,) = find_spots(curve_of(np.arange(9), RISE_AND_FALL, np.arange(9) == 0))
    assert (spot.rank, spot.time) == (1, 4.0)
    assert 65 < spot.score < 80


@given(curves(), st.floats(0, 10), st.floats(0, 50), st.integers(1, 5))
def test_spots_are_apart_good_and_the_best_of_all_is_one(
    curve: Curve, apart: float, prominence: float, most: int
) -> None:
    spots = find_spots(curve, apart=apart, prominence=prominence, most=most)
    assert 1 <= len(spots) <= most
    assert sorted(spot.rank for spot in spots) == list(range(1, len(spots) + 1))
    assert [spot.time for spot in spots] == sorted(spot.time for spot in spots)
    assert all(after.time - before.time >= apart for before, after in pairwise(spots))
    assert min(spot.score for spot in spots) >= np.median(curve.smoothed)
    best = min(spots, key=lambda spot: spot.rank)
    assert best.score == curve.smoothed.max()


def test_a_spot_may_move_within_its_scene_halfway_to_the_next_frames() -> None:
    curve = curve_of([0, 1, 2, 3], [50, 60, 70, 20], [True, False, False, True])
    assert neighbourhood_of(curve, Spot(1, 1.0, 60)) == (0.5, 1.5)
    assert neighbourhood_of(curve, Spot(1, 2.0, 70)) == (1.5, 2.0)
    assert neighbourhood_of(curve, Spot(1, 3.0, 20)) == (3.0, 3.0)
    assert neighbourhood_of(curve, Spot(1, 0.0, 50)) == (0.0, 0.5)


@given(curves(), st.floats(1, 60), st.floats(1, 8))
def test_a_reel_is_in_order_fits_and_stays_within_what_is_good(curve: Curve, length: float, shot: float) -> None:
    spots = find_spots(curve)
    cuts = choose_cuts(curve, spots, length, shot)
    assert sum(cut.end - cut.start for cut in cuts) <= length + 1e-6
    assert all(before.end < after.start for before, after in pairwise(cuts))
    long_enough = [spot for spot in spots if np.ptp(stretch_of(curve, spot.time, FALL)) >= SHORTEST]
    if not long_enough:
        assert len(cuts) == 1
        return
    scenes = curve.begins.cumsum()
    for cut in cuts:
        inside = (curve.times >= cut.start - 1e-9) & (curve.times <= cut.end + 1e-9)
        within = [spot for spot in spots if cut.start <= spot.time <= cut.end]
        assert within, "a cut shows a spot"
        assert len(set(scenes[inside])) <= len(within)
        assert curve.smoothed[inside].min(initial=100) >= min(spot.score for spot in within) - FALL - 1e-9


@given(st.lists(st.floats(0, 1), max_size=8).map(sorted))
def test_thumbnails_do_not_overlap_and_keep_their_order(places: list[float]) -> None:
    width = 1 / 8
    centres = spread_out(places, width)
    assert all(after - before >= width - 1e-9 for before, after in pairwise(centres))
    assert all(width / 2 - 1e-9 <= centre <= 1 - width / 2 + 1e-9 for centre in centres)


def test_thumbnails_stay_above_their_spots_where_there_is_room() -> None:
    assert spread_out([0.2, 0.5, 0.8], 0.125) == pytest.approx([0.2, 0.5, 0.8])


@given(st.integers(0, 360_000_000))
def test_a_time_code_tells_the_time(thousandths: int) -> None:
    hours, minutes, seconds = timecode(thousandths / 1000).split(":")
    assert round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000) == thousandths
    assert timecode_for_name(thousandths / 1000) == f"{hours}h{minutes}m{seconds}s"
