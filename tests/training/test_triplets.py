"""Triplets of Eq. 3, against the definition written out over all triples."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.errors import CatalogueError, ConfigError
from aesth.training.triplets import TripletSampler

Triple = tuple[int, int, int]

scores_of_few = st.lists(st.integers(0, 40).map(lambda value: value / 10), min_size=3, max_size=9)


def is_in_d(triple: Triple, scores, groups=None, alpha: float = 0.3, beta: float = 0.7) -> bool:
    """Eq. 3, literally."""
    a, p, n = triple
    if groups is not None and len({groups[a], groups[p], groups[n]}) > 1:
        return False
    if not abs(scores[a] - scores[p]) < abs(scores[a] - scores[n]):
        return False
    for x in (a, p):
        if scores[x] == scores[n]:
            return False
        if not alpha < abs(scores[a] - scores[p]) / abs(scores[x] - scores[n]) < beta:
            return False
    return True


def all_of_d(scores, groups=None, alpha: float = 0.3, beta: float = 0.7) -> set[Triple]:
    triples = itertools.product(range(len(scores)), repeat=3)
    return {triple for triple in triples if is_in_d(triple, scores, groups, alpha, beta)}


def as_set(triplets) -> set[Triple]:
    return {tuple(row) for row in triplets.tolist()}


def two_good(triplets, scores) -> np.ndarray:
    scores = np.asarray(scores)
    return scores[triplets[:, 0]] > scores[triplets[:, 2]]


@settings(max_examples=30, deadline=None)
@given(
    scores_of_few,
    st.lists(st.integers(-1, 1), min_size=9, max_size=9),
    st.sampled_from([(0.3, 0.7), (0.0, 0.5), (0.1, 0.9), (0.2, 2.0), (0.45, 0.85)]),
    st.integers(0, 2**32),
)
def test_draws_all_of_d_and_nothing_else(scores, groups, bounds, seed) -> None:
    groups = groups[: len(scores)]
    expected = all_of_d(scores, groups, *bounds)
    if not expected:
        with pytest.raises(CatalogueError):
            TripletSampler(scores, groups, alpha=bounds[0], beta=bounds[1])
        return
    sampler = TripletSampler(scores, groups, alpha=bounds[0], beta=bounds[1])
    assert as_set(sampler.sample(10_000, np.random.default_rng(seed))) == expected


@given(scores_of_few, st.lists(st.integers(0, 1), min_size=9, max_size=9))
@settings(max_examples=30, deadline=None)
def test_knows_which_triplets_are_in_d(scores, groups) -> None:
    scores, groups = [*scores, 0.0, 1.0, 3.0], [*groups[: len(scores)], 7, 7, 7]
    triples = list(itertools.product(range(len(scores)), repeat=3))
    inside = TripletSampler(scores, groups).contains(np.array(triples))
    assert inside.tolist() == [is_in_d(triple, scores, groups) for triple in triples]


def test_every_triplet_of_many_pictures_is_in_d() -> None:
    rng = np.random.default_rng(1)
    scores, groups = rng.normal(size=3000), rng.integers(0, 4, 3000)
    triplets = TripletSampler(scores, groups).sample(2000, rng)
    assert triplets.shape == (2000, 3)
    assert triplets.dtype == np.int64
    assert all(is_in_d(triple, scores, groups) for triple in triplets.tolist())


@pytest.mark.parametrize("shape", [np.exp, np.sin, lambda x: -np.exp(x)], ids=["few good", "uneven", "few bad"])
def test_both_kinds_are_drawn_equally_often_however_the_scores_lie(shape) -> None:
    rng = np.random.default_rng(2)
    scores = shape(2 * rng.normal(size=500))
    sampler = TripletSampler(scores)
    assert two_good(sampler.sample(1000, rng), scores).sum() == 500
    odd = [two_good(sampler.sample(1, rng), scores)[0] for _ in range(200)]
    assert 70 < sum(odd) < 130


def test_the_kinds_are_mixed_within_the_draw() -> None:
    scores = np.linspace(0, 1, 200)
    kinds = two_good(TripletSampler(scores).sample(1000, np.random.default_rng(3)), scores)
    assert 200 < kinds[:500].sum() < 300


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_alone_can_be_asked_for(kind: bool) -> None:
    scores = np.linspace(0, 1, 200)
    triplets = TripletSampler(scores, two_good=kind).sample(300, np.random.default_rng(4))
    assert (two_good(triplets, scores) == kind).all()


def test_where_one_kind_does_not_exist_the_other_is_drawn() -> None:
    scores = [0.0, 1.0, 1.5]
    assert as_set(TripletSampler(scores).sample(50, np.random.default_rng(5))) == {(1, 2, 0), (2, 1, 0)}
    with pytest.raises(CatalogueError):
        TripletSampler(scores, two_good=False)


def test_triplets_of_a_group_and_kind_are_equally_likely() -> None:
    scores = np.random.default_rng(6).uniform(size=12)
    sampler = TripletSampler(scores, two_good=True)
    expected = [triple for triple in all_of_d(scores) if scores[triple[0]] > scores[triple[2]]]
    drawn = sampler.sample(400 * len(expected), np.random.default_rng(7))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == len(expected)
    assert counts.min() > 300
    assert counts.max() < 500


def test_the_seed_alone_decides() -> None:
    scores = np.random.default_rng(8).normal(size=400)
    sampler, other = TripletSampler(scores), TripletSampler(scores)
    first = sampler.sample(100, np.random.default_rng(9))
    sampler.sample(999, np.random.default_rng(10))
    np.testing.assert_array_equal(first, sampler.sample(100, np.random.default_rng(9)))
    np.testing.assert_array_equal(first, other.sample(100, np.random.default_rng(9)))
    assert (first != sampler.sample(100, np.random.default_rng(11))).any()


def test_the_global_generator_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    TripletSampler([0, 1, 1.5, 4]).sample(5, np.random.default_rng(0))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_the_accept_rate_is_the_share_of_d_among_all_triples() -> None:
    scores = np.random.default_rng(12).uniform(size=25)
    sampler = TripletSampler(scores)
    assert np.isnan(sampler.accept_rate)
    sampler.sample(20_000, np.random.default_rng(13))
    assert sampler.accept_rate == pytest.approx(len(all_of_d(scores)) / 25**3, rel=0.1)


@pytest.mark.parametrize("copies", [1, 60, 3_000], ids=["three pictures", "few", "many"])
def test_no_triplet_is_told_instead_of_looked_for_for_ever(copies: int) -> None:
    start = time.monotonic()
    with pytest.raises(CatalogueError, match="different scores"):
        TripletSampler([3.5] * 3 * copies)
    assert time.monotonic() - start < 30


def test_a_few_triplets_among_very_many_triples_are_found() -> None:
    scores = [5.0] * 200
    scores[17], scores[99] = 0.0, -2.5
    drawn = TripletSampler(scores).sample(20_000, np.random.default_rng(14))
    rest = set(range(200)) - {17, 99}
    assert as_set(drawn) == {(17, 99, n) for n in rest} | {(99, 17, n) for n in rest}


def test_groups_of_one_or_two_pictures_give_none() -> None:
    scores, groups = [0.0, 1.0, 1.5, 0.0, 1.0, 1.5], [0, 1, 2, 3, 3, 1]
    with pytest.raises(CatalogueError):
        TripletSampler(scores, groups)


def test_signs_say_whether_the_negative_is_the_more_pleasing_one() -> None:
    scores = np.random.default_rng(15).normal(size=50)
    sampler = TripletSampler(scores)
    triplets = sampler.sample(100, np.random.default_rng(16))
    assert sampler.signs(triplets).tolist() == [1.0 if scores[n] > scores[a] else -1.0 for a, _, n in triplets]


def test_none_asked_for_none_given() -> None:
    assert TripletSampler([0.0, 1.0, 1.5]).sample(0, np.random.default_rng(0)).shape == (0, 3)


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.7, 0.3), (-0.1, 0.7), (0.5, 0.7), (0.3, 0.3), (1.0, 3.0), (np.nan, 0.7), (0.3, np.inf)]
)
def test_bounds_that_nothing_can_satisfy_are_refused(alpha: float, beta: float) -> None:
    with pytest.raises(ConfigError, match="alpha"):
        TripletSampler(np.linspace(0, 1, 50), alpha=alpha, beta=beta)


@pytest.mark.parametrize(
    ("scores", "groups"),
    [([0.0, np.nan, 1.0], None), ([0, 1], None), ([], None), ([0, 1, 1.5], [0, 0]), ([[0, 1]], None)],
)
def test_scores_that_are_no_scores_are_refused(scores, groups) -> None:
    with pytest.raises(CatalogueError):
        TripletSampler(scores, groups)


def rejected(scores, groups) -> float:
    """Probability that a proposal is not in D: an anchor of all pictures, then two of its group."""
    sizes = [list(groups).count(group) for group in groups]
    return 1 - sum(1 / (len(scores) * sizes[a] ** 2) for a, _, _ in all_of_d(scores, groups))


@settings(max_examples=40, deadline=None)
@given(scores_of_few, st.lists(st.integers(0, 1), min_size=9, max_size=9))
def test_the_size_of_d_is_counted_where_all_triples_can_be_tried(scores, groups) -> None:
    scores, groups = [*scores, 0.0, 1.0, 1.5], [*groups[: len(scores)], 1, 1, 1]
    size = TripletSampler(scores, groups).size()
    assert (size.triplets, size.standard_error) == (len(all_of_d(scores, groups)), 0)
    assert size.reject_rate == pytest.approx(rejected(scores, groups))


@pytest.mark.parametrize("groups", [[0] * 24, [0] * 4 + [1] * 20], ids=["one group", "two groups"])
def test_estimates_of_the_size_of_d_are_off_by_what_their_standard_error_says(groups) -> None:
    scores = np.random.default_rng(17).normal(size=24)
    truth = len(all_of_d(scores, groups))
    sampler = TripletSampler(scores, groups)
    sizes = [sampler.size(proposals=2000, seed=seed) for seed in range(300)]
    off = np.array([(size.triplets - truth) / size.standard_error for size in sizes])
    assert abs(off.mean()) < 0.25
    assert 0.85 < off.std() < 1.15
    assert np.mean([size.reject_rate for size in sizes]) == pytest.approx(rejected(scores, groups), abs=0.005)


def test_a_d_that_hardly_any_proposal_is_in_is_estimated_from_more_of_them() -> None:
    scores = [5.0] * 300
    scores[17], scores[99] = 0.0, -2.5
    size = TripletSampler(scores).size(proposals=1 << 14)
    assert size.proposals > 1 << 20
    assert abs(size.triplets - 2 * 298) < 4 * size.standard_error


def test_estimating_the_size_changes_nothing_that_is_drawn() -> None:
    scores = np.random.default_rng(18).normal(size=300)
    sampler = TripletSampler(scores)
    rate = sampler.reject_rate
    sampler.size()
    assert np.isnan(rate)
    assert np.isnan(sampler.reject_rate)
    drawn = sampler.sample(100, np.random.default_rng(9))
    np.testing.assert_array_equal(drawn, TripletSampler(scores).sample(100, np.random.default_rng(9)))
    assert sampler.reject_rate == 1 - sampler.accepted / sampler.proposed


def negatives_of(anchor: float, positive: float, ordered, alpha: float = 0.3, beta: float = 0.7) -> int:
    """How many of the ascending scores make a triplet of Eq. 3 with two scores: an interval on each side."""
    near = abs(anchor - positive)
    low, high = min(anchor, positive), max(anchor, positive)
    # The nearer of the two gives the larger ratio, the farther one the smaller, and near < far from the anchor.
    least, most = near / beta, near / alpha - near
    if anchor == low:
        above, below = (low + max(least + near, near), high + most), (low - max(least, near), low - most)
    else:
        above, below = (high + max(least, near), high + most), (high - max(least + near, near), low - most)
    count = max(0, np.searchsorted(ordered, above[1], "left") - np.searchsorted(ordered, above[0], "right"))
    return int(count + max(0, np.searchsorted(ordered, below[0], "left") - np.searchsorted(ordered, below[1], "right")))


def test_counting_negatives_by_intervals_is_eq_3() -> None:
    scores = np.random.default_rng(19).normal(size=14)
    ordered = np.sort(scores)
    for a, p in itertools.permutations(range(14), 2):
        expected = sum(is_in_d((a, p, n), scores) for n in range(14))
        assert negatives_of(scores[a], scores[p], ordered) == expected


def test_380_000_pictures_take_seconds() -> None:
    """As many as AROD has, with popularities that lie as in its Fig. 4; counted by pairs and intervals as a check."""
    rng = np.random.default_rng(20)
    scores = np.clip(rng.normal(0.5, 0.12, 380_000), 0, 1)
    start = time.monotonic()
    sampler = TripletSampler(scores)
    size = sampler.size()
    triplets = sampler.sample(10_000, rng)
    assert time.monotonic() - start < 20
    assert sampler.contains(triplets).all()
    assert len(np.unique(triplets)) > 20_000
    assert size.standard_error < 0.01 * size.triplets
    assert size.reject_rate == pytest.approx(sampler.reject_rate, rel=0.02)

    ordered = np.sort(scores)
    counts = [negatives_of(anchor, positive, ordered) for anchor, positive in rng.choice(scores, (20_000, 2))]
    expected, error = len(scores) ** 2 * np.mean(counts), len(scores) ** 2 * np.std(counts) / np.sqrt(len(counts))
    assert abs(size.triplets - expected) < 4 * np.hypot(error, size.standard_error)
    assert f"|D| is about {size.triplets:.3g} (standard error" in str(size)


@pytest.mark.parametrize("pictures", [3, 12, 50])
def test_of_few_pictures_a_probe_counts_what_would_be_proposed(pictures: int) -> None:
    sampler = TripletSampler(np.arange(pictures) ** 1.5)
    proposals = sampler._propose(1 << 17, np.random.default_rng(0))
    expected, count = np.unique(proposals[sampler.contains(proposals)], axis=0, return_counts=True)
    probe, times = sampler._probe(np.random.default_rng(0))
    assert len(expected) > 1
    np.testing.assert_array_equal(probe, expected)
    np.testing.assert_array_equal(times, count)
