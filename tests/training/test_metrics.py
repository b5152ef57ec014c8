"""Correlations against SciPy, shares of pairs against counting them one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aesth.training.metrics import damage_preference, pair_accuracy, plcc, srcc

number = st.integers(-1000, 1000).map(lambda value: value / 8)
paired = st.lists(st.tuples(number, number), min_size=2, max_size=30).map(lambda rows: tuple(zip(*rows, strict=True)))
tied = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30).map(
    lambda rows: tuple(zip(*rows, strict=True))
)
Pair = tuple[tuple[float, ...], tuple[float, ...]]


def is_constant(pair: Pair) -> bool:
    return len(set(pair[0])) == 1 or len(set(pair[1])) == 1


@given(paired | tied)
def test_srcc_is_spearmans(pair: Pair) -> None:
    if is_constant(pair):
        assert math.isnan(srcc(*pair))
    else:
        assert srcc(*pair) == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-9)


@given(paired | tied)
def test_plcc_is_pearsons(pair: Pair) -> None:
    if is_constant(pair):
        assert math.isnan(plcc(*pair))
    else:
        assert plcc(*pair) == pytest.approx(stats.pearsonr(*pair).statistic, abs=1e-9)


def test_srcc_sees_the_order_alone_and_plcc_the_line() -> None:
    ratings = np.arange(1.0, 20)
    assert srcc(np.exp(ratings), ratings) == pytest.approx(1)
    assert srcc(-(ratings**3), ratings) == pytest.approx(-1)
    assert plcc(3 * ratings - 7, ratings) == pytest.approx(1)
    assert plcc(np.exp(ratings), ratings) < 0.7


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_the_unit_does_not_matter(factor: float) -> None:
    scores, ratings = np.array([1.0, 5, 2, 4]), np.array([2.0, 4, 3, 3])
    assert plcc(scores * factor, ratings) == pytest.approx(plcc(scores, ratings))


@given(paired | tied, st.sampled_from([0.0, 0.5, 1.0, 40.0]))
def test_pair_accuracy_counts_every_pair_once(pair: Pair, distance: float) -> None:
    votes = []
    for (s, r), (other_s, other_r) in itertools.combinations(zip(*pair, strict=True), 2):
        if abs(r - other_r) > distance:
            votes.append(0.5 if s == other_s else float((s > other_s) == (r > other_r)))
    if votes:
        assert pair_accuracy(*pair, distance) == pytest.approx(sum(votes) / len(votes))
    else:
        assert math.isnan(pair_accuracy(*pair, distance))


def test_only_pairs_beyond_the_distance_are_asked() -> None:
    scores, ratings = [0.2, 0.1, 0.9], [1.0, 1.5, 6.0]
    assert pair_accuracy(scores, ratings) == pytest.approx(2 / 3)
    assert pair_accuracy(scores, ratings, 0.5) == 1


@given(paired | tied)
def test_damage_preference_is_the_share_of_pairs_that_the_original_wins(pair: Pair) -> None:
    wins = [0.5 if original == damaged else float(original > damaged) for original, damaged in zip(*pair, strict=True)]
    assert damage_preference(*pair) == pytest.approx(sum(wins) / len(wins))


def test_a_model_that_sees_no_damage_has_no_preference() -> None:
    assert damage_preference([3.0], [3.0]) == 0.5


@pytest.mark.parametrize("measure", [srcc, plcc, pair_accuracy, damage_preference])
@pytest.mark.parametrize(
    ("scores", "ratings"),
    [([], []), ([1, 2, 3], [1, 2]), ([1, math.nan], [1, 2]), ([1, 2], [math.inf, 2]), ([[1, 2]], [[1, 2]])],
)
def test_what_cannot_be_compared_is_refused(measure, scores, ratings) -> None:
    with pytest.raises(ValueError):
        measure(scores, ratings)


@pytest.mark.parametrize("measure", [srcc, plcc, pair_accuracy])
def test_one_picture_has_no_order(measure) -> None:
    with pytest.raises(ValueError):
        measure([1.0], [1.0])


def test_a_negative_distance_is_refused() -> None:
    with pytest.raises(ValueError):
        pair_accuracy([1, 2], [1, 2], -0.1)
