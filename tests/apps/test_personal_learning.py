"""Stars to a taste: ridge against a literal oracle, groups that never leak, gains that are told honestly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.apps.personal.agreement import gain_of, pairs_by_group
from aesth.apps.personal.groups import group
from aesth.apps.personal.learning import Learnt, Verdict, foretell, learn_from_stars
from aesth.apps.personal.ridge import LEAST_SHARE, fit_leaning, ridge_weights
from aesth.metadata import Capture
from aesth.taste import directions
from support.tastes import Person, person

NOON = datetime(2026, 5, 31, 12)
seeds = st.integers(0, 2**32 - 1)


def learnt(of: Person, stars: np.ndarray | None = None) -> Learnt:
    return learn_from_stars(of.stars if stars is None else stars, of.embeddings, of.groups, "m")


def parted(of: Person) -> tuple[np.ndarray, np.ndarray]:
    """Norms and directions."""
    points = of.embeddings.astype(np.float64)
    return np.linalg.norm(points, axis=1), directions(points)


@given(seeds, st.integers(2, 12), st.integers(1, 12), st.floats(0.01, 100))
def test_ridge_is_least_squares_with_a_row_for_each_weight_that_should_be_nothing(
    seed: int, photos: int, dimensions: int, ridge: float
) -> None:
    random = np.random.default_rng(seed)
    features, targets = random.standard_normal((photos, dimensions)), random.standard_normal(photos)
    rows = np.vstack([features, np.sqrt(ridge) * np.eye(dimensions)])
    expected, *_ = np.linalg.lstsq(rows, np.concatenate([targets, np.zeros(dimensions)]), rcond=None)
    assert ridge_weights(features, targets, ridge) == pytest.approx(expected, abs=1e-8)


@given(seeds, st.floats(0.5, 50))
def test_a_leaning_is_ridge_on_what_the_norm_leaves_in_units_of_the_norm(seed: int, ridge: float) -> None:
    random = np.random.default_rng(seed)
    norms, pointing, stars = random.uniform(1, 5, 9), random.standard_normal((9, 3)), random.integers(1, 6, 9) + 0.5
    stars[0] = 7
    said = [(star - stars.mean()) / stars.std() for star in stars]
    liked = [(norm - norms.mean()) / norms.std() for norm in norms]
    share = max(sum(a * b for a, b in zip(said, liked, strict=True)) / 9, LEAST_SHARE)
    residuals = np.array([a - share * b for a, b in zip(said, liked, strict=True)])
    middle = pointing.mean(axis=0)
    weights = np.linalg.inv((pointing - middle).T @ (pointing - middle) + ridge * np.eye(3)) @ (
        (pointing - middle).T @ residuals
    )
    expected = (pointing - middle) @ weights * norms.std() / share
    assert fit_leaning(norms, pointing, stars, ridge)(pointing) == pytest.approx(expected, abs=1e-8)


@given(seeds)
def test_a_taste_is_shrunk_the_more_the_fewer_ratings_there_are(seed: int) -> None:
    """The same photos and stars several times over are as many ratings more."""
    of = person(ratings=20, seed=seed)
    norms, pointing = parted(of)
    sizes = [
        np.linalg.norm(fit_leaning(np.tile(norms, n), np.tile(pointing, (n, 1)), np.tile(of.stars, n)).weights)
        for n in (1, 2, 4, 16)
    ]
    assert sizes == sorted(sizes)


@given(seeds, st.integers(5, 25))
def test_what_a_group_says_never_changes_what_is_foretold_of_it(seed: int, days: int) -> None:
    random = np.random.default_rng(seed)
    of = person(ratings=4 * days, seed=seed)
    norms, pointing = parted(of)
    mine = of.groups == random.integers(days)
    changed = np.where(mine, random.integers(1, 6, len(of.stars)), of.stars)
    before = foretell(norms, pointing, of.stars, of.groups)
    after = foretell(norms, pointing, changed, of.groups)
    assert after[mine] == pytest.approx(before[mine], abs=1e-12)


@given(seeds, st.integers(3, 25), st.integers(1, 6))
def test_pairs_are_counted_as_by_hand(seed: int, photos: int, days: int) -> None:
    random = np.random.default_rng(seed)
    scores, stars = random.integers(0, 5, photos).astype(float), random.integers(1, 6, photos).astype(float)
    groups = np.unique(random.integers(0, days, photos), return_inverse=True)[1]
    right, pairs = pairs_by_group(scores, stars, groups)
    expected_right, expected_pairs = np.zeros_like(right), np.zeros_like(pairs)
    for one, other in combinations(range(photos), 2):
        if stars[one] == stars[other]:
            continue
        better, worse = (one, other) if stars[one] > stars[other] else (other, one)
        expected_pairs[groups[better], groups[worse]] += 1
        won = (scores[better] > scores[worse]) + (scores[better] == scores[worse]) / 2
        expected_right[groups[better], groups[worse]] += won
    assert (pairs == expected_pairs).all()
    assert (right == expected_right).all()


@given(seeds)
def test_a_score_gains_nothing_over_itself_and_an_interval_holds_what_was_measured(seed: int) -> None:
    of = person(ratings=60, seed=seed)
    norms, _ = parted(of)
    same = gain_of(norms, norms, of.stars, of.groups)
    assert same.general == same.personal
    assert (same.low, same.high) == (0, 0)
    assert not same.is_sure
    other = gain_of(norms, of.liked, of.stars, of.groups)
    assert other.low <= other.personal - other.general <= other.high
    assert (other.low > 0) == other.is_sure


def test_more_groups_than_are_counted_apart_give_the_same_shares() -> None:
    of = person(ratings=900, per_day=1)
    norms, _ = parted(of)
    apart, together = (gain_of(norms, of.liked, of.stars, groups) for groups in (of.groups, of.groups // 9))
    assert (apart.general, apart.personal) == pytest.approx((together.general, together.personal))


def test_who_differs_gets_a_taste_that_orders_new_photos_as_they_would() -> None:
    of, new = person(seed=1), person(seed=2)
    found = learnt(of)
    assert found.verdict is Verdict.LEARNT
    assert found.taste is not None
    assert found.gain is not None
    assert found.gain.low > 0
    norms, _ = parted(new)
    gain = gain_of(norms, found.taste.norms(new.embeddings).astype(float), new.liked, new.groups)
    assert gain.personal - gain.general > 0.1
    assert gain.low > 0
    assert 0 < found.taste.slope <= 1
    assert found.taste.learnt["from"] == "stars"
    assert found.taste.learnt["answers"] == 200


def test_a_taste_spreads_photos_over_the_scores_as_before() -> None:
    of = person(seed=3)
    found = learnt(of)
    norms, _ = parted(of)
    assert found.taste is not None
    moved = found.taste.norms(of.embeddings)
    assert moved.mean() == pytest.approx(norms.mean(), rel=0.02)
    assert moved.std() == pytest.approx(norms.std(), rel=0.1)


def test_who_agrees_with_all_and_who_rates_at_random_keep_the_general_score() -> None:
    kept = [learnt(person(ratings=80, own=0, seed=seed)).verdict for seed in range(20)]
    random = [np.random.default_rng(seed).permutation(person(ratings=80, seed=seed).stars) for seed in range(20)]
    permuted = [learnt(person(ratings=80, seed=seed), stars).verdict for seed, stars in enumerate(random)]
    for verdicts in (kept, permuted):
        assert sum(verdict is Verdict.NO_GAIN for verdict in verdicts) >= 17


def test_whose_taste_is_the_contrary_is_learnt_as_far_as_photos_of_one_direction_keep_their_order() -> None:
    of = person(shared=-0.6)
    found = learnt(of)
    assert found.taste is not None
    assert found.taste.slope > 0


@pytest.mark.parametrize(
    ("ratings", "stars", "per_day", "verdict"),
    [
        (29, None, 1, Verdict.TOO_FEW),
        (0, None, 1, Verdict.TOO_FEW),
        (200, 3.0, 4, Verdict.ALL_EQUAL),
        (200, None, 50, Verdict.TOO_FEW_GROUPS),
        (200, None, 200, Verdict.TOO_FEW_GROUPS),
    ],
)
def test_without_enough_to_learn_from_the_general_score_is_kept_and_why_is_told(
    ratings: int, stars: float | None, per_day: int, verdict: Verdict
) -> None:
    of = person(ratings=200, per_day=per_day)
    given = of.stars if stars is None else np.full(200, stars)
    found = learn_from_stars(given[:ratings], of.embeddings[:ratings], of.groups[:ratings], "m")
    assert (found.verdict, found.taste, found.gain) == (verdict, None, None)
    assert found.answers == ratings


def test_equal_stars_change_nothing() -> None:
    of = person()
    norms, pointing = parted(of)
    assert (foretell(norms, pointing, np.full(200, 4.0), of.groups) == norms).all()


def at(*seconds: float | None) -> list[Capture]:
    return [Capture() if s is None else Capture(NOON + timedelta(seconds=s), ("M", "", "")) for s in seconds]


def together(groups: Sequence[int]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(np.array(groups) == one).tolist()) for one in set(groups)}


def apart(photos: int) -> np.ndarray:
    """Embeddings that have nothing in common."""
    return np.eye(photos, dtype=np.float32)


def test_photos_of_one_day_belong_together_and_so_do_bursts_over_midnight() -> None:
    days = [86400.0 * day for day in range(12)]
    captures = at(*days, 3600.0, 43199.0, 43200.5)
    groups = group(captures, apart(15))
    assert together(groups) == {frozenset({0, 1, 12, 13, 14}), *(frozenset({day}) for day in range(2, 12))}


def test_with_few_days_photos_belong_together_by_takes() -> None:
    captures = at(0, 599, 1200, 1801, 86400.0, None)
    assert together(group(captures, apart(6))) == {frozenset({0, 1}), *(frozenset({n}) for n in (2, 3, 4, 5))}


def test_photos_without_a_time_belong_to_those_that_look_the_same() -> None:
    captures = at(*(86400.0 * day for day in range(300)), *[None] * 300)
    embeddings = apart(600)
    embeddings[599] = embeddings[3] * 1.1
    embeddings[598] = embeddings[400] * 0.9
    embeddings[7] = embeddings[8]
    expected = {frozenset({3, 599}), frozenset({400, 598})}
    assert {found for found in together(group(captures, embeddings)) if len(found) > 1} == expected


def test_no_photos_have_no_groups() -> None:
    assert group([], np.empty((0, 4), np.float32)).shape == (0,)
