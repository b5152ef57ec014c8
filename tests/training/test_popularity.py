"""Popularity S = log F / log V (paper, Eq. 1) and what holds where the formula says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aesth.training.popularity import popularity

views = st.integers(2, 10**12)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(views)
    return draw(st.integers(0, total)), total


@given(counts())
def test_is_the_ratio_of_the_logarithms(pair: tuple[int, int]) -> None:
    assume(pair[0] > 0)
    assert popularity(*pair) == pytest.approx(math.log(pair[0]) / math.log(pair[1]), rel=1e-12)


@given(counts())
def test_lies_between_0_and_1(pair: tuple[int, int]) -> None:
    assert 0 <= popularity(*pair) <= 1


@given(counts())
def test_one_more_fave_never_lowers_it(pair: tuple[int, int]) -> None:
    faves, total = pair
    assume(faves < total)
    before, after = popularity([faves, faves + 1], total)
    assert after >= before
    if 1 <= faves < 10**9:
        assert after > before


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(1, 30), st.floats(1, 30))
def test_does_not_depend_on_when_the_photo_is_looked_at(rate: float, share: float, early: float, late: float) -> None:
    """V = exp(rate t) and F = exp(share rate t), as in section 4.1."""
    times = np.array([early, late])
    then, now = popularity(np.exp(share * rate * times), np.exp(rate * times))
    assert then == pytest.approx(now, rel=1e-9)
    assert then == pytest.approx(share, rel=1e-9)


def test_without_a_fave_it_is_as_low_as_with_one() -> None:
    assert popularity(0, 500) == 0
    assert popularity(1, 500) == 0


def test_is_1_where_everyone_who_looked_liked_it() -> None:
    assert popularity(7, 7) == 1


@pytest.mark.parametrize(
    ("faves", "total"),
    [(0, 0), (1, 0), (0, 1), (1, 1), (8, 7), (-1, 7), (-7, -7), (3, -7), (math.nan, 7), (3, math.nan), (3, math.inf)],
)
def test_is_unknown_where_the_counts_are_no_evidence(faves: float, total: float) -> None:
    assert math.isnan(popularity(faves, total))


@pytest.mark.filterwarnings("error")
def test_arrays_broadcast_and_one_bad_item_leaves_the_others_alone() -> None:
    score = popularity([[0], [10], [1000]], [1, 100, 10**6])
    np.testing.assert_allclose(score, [[np.nan, 0, 0], [np.nan, 0.5, 1 / 6], [np.nan, np.nan, 0.5]])


def test_scalars_give_a_scalar() -> None:
    score = popularity(10, 100)
    assert score.shape == ()
    assert float(score) == pytest.approx(0.5)


def test_no_pictures_give_no_scores() -> None:
    assert popularity([], []).shape == (0,)
