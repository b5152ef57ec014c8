"""Bursts, brackets and panoramas, told by time, camera, exposure, distance and view: pure functions of these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.apps.bursts import GAP, SAME_SCENE, Group, Kind, distances, find_groups, find_series
from aesth.apps.moves import small_copy
from aesth.metadata import Capture, Exposure, ExposureMode

NOON = datetime(2026, 5, 31, 12)
CAMERA = ("Maker", "Model", "1")
AUTO, MANUAL, BRACKET = ExposureMode.AUTO, ExposureMode.MANUAL, ExposureMode.BRACKET


def at(seconds: float, exposure: Exposure | None = None, camera: tuple[str, str, str] = CAMERA) -> Capture:
    return Capture(NOON + timedelta(seconds=seconds), camera, exposure or Exposure())


def scenes(*names: str) -> np.ndarray:
    """A point for each photo, (n, 26): the same for those of one scene, nothing in common for those of others."""
    return 3 * np.eye(26, dtype=np.float32)[[ord(name) - ord("a") for name in names]]


def burst(*members: int) -> Group:
    return Group(Kind.BURST, members)


def bracket(*members: int) -> Group:
    return Group(Kind.BRACKET, members)


def test_alike_photos_in_quick_succession_are_a_burst_and_others_are_not() -> None:
    captures = [at(0), at(0.2), at(0.4), at(30), at(60), at(61)]
    assert find_groups(captures, scenes(*"aaaaaa")) == [burst(0, 1, 2), burst(4, 5)]


def test_another_scene_or_another_camera_is_another_burst() -> None:
    other = ("Maker", "Model", "2")
    assert find_groups([at(0), at(0.5), at(1), at(1.5)], scenes(*"aabb")) == [burst(0, 1), burst(2, 3)]
    two = [at(0), at(0.1, camera=other), at(0.2), at(0.3, camera=other)]
    assert find_groups(two, scenes(*"aaaa")) == [burst(0, 2), burst(1, 3)]


def test_a_frame_that_failed_does_not_cut_a_burst() -> None:
    assert find_groups([at(0), at(0.1), at(0.2)], scenes(*"axa")) == [burst(0, 2)]


def test_the_order_in_which_photos_are_given_is_not_that_in_which_they_were_taken() -> None:
    assert find_groups([at(0.4), at(0), at(0.2)], scenes(*"aaa")) == [burst(1, 2, 0)]


def test_photos_without_a_time_are_in_no_group() -> None:
    unknown = Capture(None, CAMERA)
    assert find_series([unknown, unknown]) == []
    assert find_groups([at(0), unknown, at(0.1)], scenes(*"aaa")) == [burst(0, 2)]
    assert find_groups([], scenes()) == []


def test_the_gap_begins_when_an_exposure_ends() -> None:
    long = Exposure(seconds=30)
    assert find_series([at(0, long), at(30 + GAP)]) == [[0, 1]]
    assert find_series([at(0, long), at(30.1 + GAP)]) == []
    assert find_series([at(0), at(5)], gap=5) == [[0, 1]]


def test_time_zones_count_where_all_photos_of_a_camera_tell_them() -> None:
    """At the end of summer time the clock says the same twice; and a camera may tell its zone only of some photos."""
    summer, winter = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
    one, other = (replace(at(0), taken=NOON.replace(tzinfo=zone)) for zone in (summer, winter))
    assert find_series([one, other]) == []
    assert find_series([one, other, at(0.5)]) == [[0, 1, 2]]
    assert find_series([one, replace(at(0), taken=datetime(2026, 5, 31, 10, tzinfo=UTC))]) == [[0, 1]]


def biased(*biases: float, mode: ExposureMode | None = BRACKET) -> list[Capture]:
    """Photos every half a second, each with a bias in EV."""
    return [at(n / 2, Exposure(1 / 100, 8, bias, mode)) for n, bias in enumerate(biases)]


def timed(*seconds: float, mode: ExposureMode | None = MANUAL) -> list[Capture]:
    return [at(n / 2, Exposure(time, 8, 0, mode)) for n, time in enumerate(seconds)]


@pytest.mark.parametrize("mode", [AUTO, MANUAL, BRACKET, None])
def test_photos_of_different_bias_are_a_bracket_and_left_whole(mode: ExposureMode | None) -> None:
    assert find_groups(biased(0, -2, 2, mode=mode), scenes(*"aaa")) == [bracket(0, 1, 2)]


def test_brackets_that_follow_one_another_are_told_apart() -> None:
    assert find_groups(biased(0, -2, 2, 0, -2, 2), scenes(*"aaaaaa")) == [bracket(0, 1, 2), bracket(3, 4, 5)]


@pytest.mark.parametrize("mode", [MANUAL, BRACKET, None])
def test_steps_of_the_shutter_that_the_camera_did_not_choose_are_a_bracket(mode: ExposureMode | None) -> None:
    assert find_groups(timed(1 / 100, 1 / 400, 1 / 25, mode=mode), scenes(*"aaa")) == [bracket(0, 1, 2)]


def test_steps_of_the_aperture_are_a_bracket_and_equal_exposures_by_other_means_are_none() -> None:
    stopped = [at(n / 2, Exposure(1 / 100, aperture, 0, MANUAL)) for n, aperture in enumerate((4, 8, 16))]
    assert find_groups(stopped, scenes(*"aaa")) == [bracket(0, 1, 2)]
    same = [at(n / 2, Exposure(time, aperture, 0, MANUAL)) for n, (time, aperture) in enumerate([(0.01, 4), (0.04, 8)])]
    assert find_groups(same, scenes(*"aa")) == [burst(0, 1)]


def test_what_the_camera_adapts_to_the_light_is_no_bracket() -> None:
    assert find_groups(timed(1 / 500, 1 / 250, 1 / 125, mode=AUTO), scenes(*"aaa")) == [burst(0, 1, 2)]


def test_a_long_bracket_is_whole_though_it_takes_its_time() -> None:
    times = (0, 2.5, 11.5)
    shots = [at(t, Exposure(s, 8, 0, MANUAL)) for t, s in zip(times, (2, 8, 32), strict=True)]
    assert find_groups(shots, scenes(*"aaa")) == [bracket(0, 1, 2)]


def test_a_burst_after_a_bracket_is_a_burst() -> None:
    assert find_groups(biased(0, -2, 2, 0, 0, 0, mode=MANUAL), scenes(*"aaaaaa")) == [bracket(0, 1, 2), burst(3, 4, 5)]


def test_a_correction_during_a_burst_makes_no_bracket_but_two_shots_alone_or_told_by_the_camera_do() -> None:
    assert find_groups(timed(1 / 50, 1 / 50, 1 / 200, 1 / 200), scenes(*"aaaa")) == [burst(0, 1, 2, 3)]
    assert find_groups(biased(0, -1, mode=AUTO), scenes(*"aa")) == [bracket(0, 1)]
    assert find_groups([*biased(0, -1), at(1.5), at(2)], scenes(*"aaaa")) == [bracket(0, 1), burst(2, 3)]


def test_a_bracket_shows_one_scene() -> None:
    assert find_groups(biased(0, -2, 2), scenes(*"abc")) == []


def panorama(*members: int) -> Group:
    return Group(Kind.PANORAMA, members)


def views(*places: float, down: float = 0) -> list[np.ndarray]:
    """Views of one wide scene, each at a place in widths of a photo."""
    scene = np.random.default_rng(0).integers(0, 255, (40, 300, 1), np.uint8).repeat(8, 0).repeat(8, 1).repeat(3, 2)
    lefts, top = [round(400 * place) for place in places], round(160 * down)
    return [small_copy(scene[top : top + 160, left : left + 400]) for left in lefts]


SLOWLY = [at(1.5 * n) for n in range(5)]


@pytest.mark.parametrize("places", [(0, 0.5, 1, 1.4, 1.8), (4, 3.5, 3.1, 2.6, 2)])
def test_shots_between_which_the_camera_was_turned_on_are_a_panorama_and_left_whole(places: tuple[float, ...]) -> None:
    assert find_groups(SLOWLY, scenes(*"aaaaa"), views=views(*places)) == [panorama(0, 1, 2, 3, 4)]
    assert find_groups(SLOWLY, scenes(*"abcde"), views=views(*places)) == [panorama(0, 1, 2, 3, 4)], "unlike each other"
    assert find_groups(SLOWLY, scenes(*"aaaaa")) == [burst(0, 1, 2, 3, 4)], "no views, no panoramas"


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((0, 0.03, 0.01, 0.04, 0.02), [burst(0, 1, 2, 3, 4)]),
        ((0, 0.4, 0, 0.4, 0), [burst(0, 1, 2, 3, 4)]),
        ((0, 0.4, 0.4, 0.4, 0.4), [burst(0, 1, 2, 3, 4)]),
        ((0, 0.5, 1, 1, 1), [panorama(0, 1, 2), burst(3, 4)]),
        ((0, 0.5, 1, 0.6, 0.2), [panorama(0, 1, 2), burst(3, 4)]),
        ((0, 0, 0.5, 1, 1.5), [panorama(1, 2, 3, 4)]),
    ],
)
def test_a_hand_that_wavers_or_a_photo_framed_anew_makes_no_panorama(
    places: tuple[float, ...], expected: list[Group]
) -> None:
    assert find_groups(SLOWLY, scenes(*"aaaaa"), views=views(*places)) == expected


def test_a_view_that_wanders_aslant_is_no_panorama() -> None:
    aslant = [views(0.4 * n, down=0.3 * n)[0] for n in range(4)]
    assert find_groups(SLOWLY[:4], scenes(*"aaaa"), views=aslant) == [burst(0, 1, 2, 3)]


def test_a_camera_that_follows_what_moves_takes_a_burst() -> None:
    quickly = [at(0.1 * n) for n in range(5)]
    assert find_groups(quickly, scenes(*"aaaaa"), views=views(0, 0.4, 0.8, 1.2, 1.6)) == [burst(0, 1, 2, 3, 4)]


def test_the_shots_of_a_panorama_show_the_same_where_they_overlap() -> None:
    mixed = [*views(0, 0.5), *views(1, 1.5, 2, down=1)]
    assert find_groups(SLOWLY, scenes(*"aaaaa"), views=mixed) == [burst(0, 1), panorama(2, 3, 4)]


def test_views_that_have_too_little_in_common_are_no_panorama() -> None:
    rng = np.random.default_rng(0)
    vague = [view + rng.normal(0, 1.5 * view.std(), view.shape) for view in views(0, 0.4, 0.8, 1.2)]
    assert find_groups(SLOWLY[:4], scenes(*"aaaa"), views=vague) == [burst(0, 1, 2, 3)]


def test_a_bracket_at_each_place_is_a_bracket() -> None:
    shots = [at(1.5 * n, Exposure(1 / 100, 8, bias, BRACKET)) for n, bias in enumerate((0, -1, 1) * 3)]
    places = [place for place in (0, 0.5, 1) for _ in range(3)]
    whole = find_groups(shots, scenes(*"aaaaaaaaa"), views=views(*places))
    assert whole == [bracket(0, 1, 2), bracket(3, 4, 5), bracket(6, 7, 8)]


@given(st.floats(0.01, 100), st.integers(0, 5))
def test_a_distance_is_relative_to_the_lengths(factor: float, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(4, 8)).astype(np.float32)
    apart = distances(points[0], points)
    assert apart[0] == 0
    assert distances(factor * points[0], factor * points) == pytest.approx(apart, rel=1e-4)
    assert distances(points[1], points[:1]) == pytest.approx(apart[1:2])
    assert distances(scenes("a")[0], scenes("b")) == pytest.approx(math.sqrt(2))


def test_a_photo_without_any_length_is_no_error() -> None:
    assert distances(np.zeros(8, np.float32), np.zeros((2, 8), np.float32)).tolist() == [0, 0]


Taken = tuple[float, float, str, float]
TAKEN = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda half: half / 2),
        st.sampled_from([0.0, 0.0, 0.5, 4.0]),
        st.sampled_from("12"),
        st.sampled_from([0.0, 0.1, 0.9, 1.6]),
    ),
    max_size=14,
)
"""Start and length of an exposure, camera, and where a photo points in a plane."""


def groups_by_hand(photos: Sequence[Taken]) -> set[frozenset[int]]:
    """The definition, word for word: whatever is connected by pairs of one camera, near in time and alike."""

    def belong(one: Taken, other: Taken) -> bool:
        first, second = sorted([one, other], key=lambda photo: photo[0])
        apart = 2 * math.sin(abs(one[3] - other[3]) / 2)
        return one[2] == other[2] and second[0] - (first[0] + first[1]) <= GAP and apart <= SAME_SCENE

    groups = [{n} for n in range(len(photos))]
    for n, one in enumerate(photos):
        for m, other in enumerate(photos):
            if n != m and (belong(one, other) or (one[0] == other[0] and belong(other, one))):
                joined = [group for group in groups if n in group or m in group]
                groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    return {frozenset(group) for group in groups if len(group) > 1}


@given(TAKEN)
def test_a_burst_is_whatever_is_connected_by_near_and_alike_pairs(photos: list[Taken]) -> None:
    captures = [at(start, Exposure(length or None, mode=AUTO), ("", "", camera)) for start, length, camera, _ in photos]
    points = np.array([[math.cos(angle), math.sin(angle)] for *_, angle in photos], np.float32).reshape(-1, 2)
    found = find_groups(captures, points)
    assert {frozenset(group.members) for group in found} == groups_by_hand(photos)
    assert all(group.kind is Kind.BURST for group in found)
    for group in found:
        taken = [captures[member].taken for member in group.members]
        assert taken == sorted(moment for moment in taken if moment)
