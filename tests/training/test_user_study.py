"""The user study: read from CSV, computed as Table 2, checked by hand."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth.errors import CatalogueError
from aesth.scorer import Scorer
from aesth.training.plots import plot_study
from aesth.training.user_study import agreement_by_distance, read_preferences, scores_of
from support.cli import grey_photo

SCORES = [(0.9, 0.2), (0.1, 0.45), (0.5, 0.25), (0.3, 0.9), (0.6, 0.6)]
VOTES = [(5, 0), (1, 4), (2, 3), (1, 4), (3, 2)]
"""Shares that prefer the higher score: 1, 0.8, 0.4, 0.8; the last pair has none. Distances: 0.7, 0.35, 0.25, 0.6, 0."""


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_by_hand() -> None:
    near, far, farthest, none = agreement_by_distance(SCORES, VOTES, (0.1, 0.5, 0.65, 0.8))
    assert (near.pairs, near.votes, near.mean) == (4, 20, pytest.approx(0.75))
    assert near.variance == pytest.approx((0.25**2 + 0.05**2 + 0.35**2 + 0.05**2) / 4)
    assert (far.pairs, far.votes, far.mean, far.variance) == (2, 10, pytest.approx(0.9), pytest.approx(0.01))
    assert (farthest.pairs, farthest.mean, farthest.variance) == (1, 1, 0)
    assert (none.pairs, none.votes) == (0, 0)
    assert all(math.isnan(value) for value in (none.mean, none.variance, none.ks_p, none.u_p))


def test_the_mann_whitney_test_by_hand() -> None:
    """Left has the higher score in pairs 1 and 3 (left shares 1, 0.4), the lower in 2 and 4 (0.2, 0.2): U is 4 of 4."""
    (row,) = agreement_by_distance(SCORES, VOTES, (0.1,))
    assert row.u_statistic == 4


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=6, unique=True), st.integers(1, 5))
def test_without_ties_its_p_is_the_share_of_all_orders_that_are_as_extreme(ranks: list[int], higher: int) -> None:
    higher = min(higher, len(ranks) - 1)
    votes = [(rank, 20 - rank) for rank in ranks]
    scores = [(1.0, 0.0) if index < higher else (0.0, 1.0) for index in range(len(ranks))]
    (row,) = agreement_by_distance(scores, votes, (0.1,))
    statistics = [
        sum(ranks[i] > ranks[j] for i in chosen for j in range(len(ranks)) if j not in chosen)
        for chosen in combinations(range(len(ranks)), higher)
    ]
    assert row.u_p == pytest.approx(np.mean([statistic >= row.u_statistic for statistic in statistics]))


def test_the_kolmogorov_smirnov_statistic_by_hand() -> None:
    """Shares 1, 0.8, 0.4, 0.8 against the normal distribution of mean 0.75 and variance 0.0475."""
    (row,) = agreement_by_distance(SCORES, VOTES, (0.1,))
    normal = [0.5 * (1 + math.erf((share - 0.75) / math.sqrt(2 * 0.0475))) for share in (0.4, 0.8, 0.8, 1.0)]
    steps = [max((i + 1) / 4 - value, value - i / 4) for i, value in enumerate(normal)]
    assert row.ks_statistic == pytest.approx(max(steps))
    assert 0 < row.ks_p <= 1


def test_many_equal_shares_are_not_normal_and_people_who_agree_are_significant() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random((400, 2))
    chance = np.where(scores[:, 0] > scores[:, 1], 0.8, 0.2)
    left = generator.binomial(5, chance)
    rows = agreement_by_distance(scores, np.stack([left, 5 - left], 1))
    assert all(row.mean == pytest.approx(0.8, abs=0.05) for row in rows)
    assert rows[0].ks_p < 0.01
    assert all(row.u_p < 0.01 for row in rows)


def test_people_who_vote_at_random_are_not_significant() -> None:
    generator = np.random.default_rng(1)
    left = generator.binomial(5, 0.5, 300)
    rows = agreement_by_distance(generator.random((300, 2)), np.stack([left, 5 - left], 1), (0.1, 0.3))
    assert all(row.u_p > 0.01 for row in rows)
    assert all(row.mean == pytest.approx(0.5, abs=0.06) for row in rows)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 5), st.integers(1, 5)), min_size=1))
def test_which_side_a_picture_is_on_changes_no_agreement(pairs: list[tuple[float, float, int, int]]) -> None:
    scores, votes = np.array([pair[:2] for pair in pairs]), np.array([pair[2:] for pair in pairs])
    there, mirrored = agreement_by_distance(scores, votes), agreement_by_distance(scores[:, ::-1], votes[:, ::-1])
    for one, other in zip(there, mirrored, strict=True):
        assert (one.pairs, one.votes) == (other.pairs, other.votes)
        assert one.mean == pytest.approx(other.mean, nan_ok=True)
        assert one.variance == pytest.approx(other.variance, nan_ok=True)
    assert [row.pairs for row in there] == sorted((row.pairs for row in there), reverse=True)


def test_a_row_for_json_has_no_nan() -> None:
    (row,) = agreement_by_distance(SCORES, VOTES, (0.8,))
    assert row.to_dict()["mean"] is None
    assert row.to_dict()["pairs"] == 0


@pytest.mark.parametrize(
    ("scores", "votes", "message"),
    [
        ([(1, 2)], [(0, 0)], "at least one vote"),
        ([(1, math.nan)], [(1, 0)], "finite"),
        ([(1, 2)], [(2, -1)], "vote"),
        ([(1, 2), (1, 2)], [(2, 1)], "pairs"),
    ],
)
def test_what_is_no_study_is_refused(scores: list[object], votes: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        agreement_by_distance(scores, votes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 0"):
        agreement_by_distance(SCORES, VOTES, (-0.1,))


def test_votes_may_be_counted_or_given_by_person(tmp_path: Path) -> None:
    counted = write(
        tmp_path / "a.csv", "left,right,votes_left,votes_right,score_left,score_right", "a.jpg,b.jpg,1,2,0.5,0.25"
    )
    by_person = write(
        tmp_path / "b.csv",
        "vote_ann,left,right,vote_bob,vote_cleo,vote_dan,score_left,score_right",
        "right,a.jpg,b.jpg,left,Right,,0.5,0.25",
    )
    (one,), (other,) = read_preferences(counted), read_preferences(by_person)
    assert one == other
    assert (one.left, one.votes_left, one.votes_right, one.scores) == (tmp_path / "a.jpg", 1, 2, (0.5, 0.25))
    assert read_preferences(counted, tmp_path / "photos")[0].right == tmp_path / "photos" / "b.jpg"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("left,right", "a,b"), "line 1: the column votes_left and votes_right is missing"),
        (("left,vote_1", "a,left"), "line 1: the column right is missing"),
        (("left,right,vote_1,score_left", "a,b,left,1"), "line 1: the column score_right is missing"),
        (("left,right,vote_1", "a,b,left", "a,b,both"), "line 3: a vote is left, right or empty, not 'both'"),
        (("left,right,vote_1", "a,b,"), "line 2: nobody voted"),
        (("left,right,vote_1", "a,,left"), "line 2: left and right must not be empty"),
        (("left,right,votes_left,votes_right", "a,b,1,-1"), "line 2: votes are a whole number, not '-1'"),
        (("left,right,votes_left,votes_right", "a,b,1"), "line 2: votes are a whole number, not None"),
        (("left,right,vote_1,score_left,score_right", "a,b,left,1,nan"), "line 2: the score 'nan' is not a number"),
        (("left,right,vote_1",), "no pairs"),
    ],
)
def test_a_wrong_line_is_named(lines: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_preferences(write(tmp_path / "pairs.csv", *lines))


def test_scores_that_are_missing_are_the_models(brightness: Path, tmp_path: Path) -> None:
    for name, percent in (("a.jpg", 20), ("b.jpg", 70)):
        grey_photo(tmp_path / name, percent)
    listing = write(tmp_path / "pairs.csv", "left,right,votes_left,votes_right", "a.jpg,b.jpg,1,2", "b.jpg,a.jpg,3,0")
    with Scorer(str(brightness)) as scorer:
        scores = scores_of(read_preferences(listing), scorer)
        assert scores == pytest.approx(np.array([[0.2, 0.7], [0.7, 0.2]]), abs=0.01)
        write(listing, "left,right,vote_1", "a.jpg,none.jpg,left")
        with pytest.raises(CatalogueError, match=r"none\.jpg: cannot be scored: no such file"):
            scores_of(read_preferences(listing), scorer)


@pytest.mark.parametrize("distances", [(0.1, 0.2, 0.3), (5.0,), (0.9, 0.99)])
def test_the_plot_is_a_png(distances: tuple[float, ...], tmp_path: Path) -> None:
    plot_study(agreement_by_distance(SCORES, VOTES, distances), tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as image:
        assert image.format == "PNG"
        assert image.width > 500
