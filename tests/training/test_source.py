"""A few pictures to draw triplets from: what is drawn, and that there always is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from aesth.errors import CatalogueError
from aesth.training.recipe import SamplingRecipe
from aesth.training.source import Triplets, TripletSource
from aesth.training.study import Study
from aesth.training.triplets import TripletSampler
from aesth.training.views import View

SAMPLING = SamplingRecipe()
SEEDS = st.integers(0, 2**32 - 1)


def study_of(ratings: NDArray[np.float64], sources: NDArray[np.int64] | None = None) -> Study:
    views = [View(Path(f"{index}.png")) for index in range(len(ratings))]
    return Study(views, ratings, np.zeros(len(ratings), np.int64), np.empty((0, 3), np.int64), sources)


def drawn(study: Study, pictures: NDArray[np.int64], among: int, seed: int) -> Triplets:
    return TripletSource(study, pictures, SAMPLING).rated(20, np.random.default_rng(seed), among)


def of_the_first_pool(study: Study, pictures: NDArray[np.int64], among: int, seed: int) -> NDArray[np.int64] | None:
    """Triplets of pictures that are drawn once, literally; None where those hold no triplet."""
    generator = np.random.default_rng(seed)
    if study.sources is not None:
        sources = study.sources[pictures]
        pictures = pictures[sources == generator.choice(sources)]
    pool = generator.choice(pictures, min(among, len(pictures)), replace=False)
    try:
        return pool[TripletSampler(study.ratings[pool]).sample(20, generator)]
    except CatalogueError:
        return None


UNEVEN = np.random.default_rng(1).normal(size=60)
TWO_SOURCES = np.repeat(np.arange(2), [35, 25])
RARE = np.array([5.0] * 57 + [0.0, -2.5, 5.0])
"""A triplet takes the only two pictures that are not rated 5."""


@pytest.mark.parametrize("sources", [None, TWO_SOURCES], ids=["one source", "two sources"])
@pytest.mark.parametrize("ratings", [UNEVEN, RARE], ids=["uneven", "rare"])
@settings(max_examples=5)
@given(seed=SEEDS, among=st.integers(3, 6))
def test_few_pictures_always_hold_a_triplet(
    sources: NDArray[np.int64] | None, ratings: NDArray[np.float64], seed: int, among: int
) -> None:
    if sources is not None and ratings is RARE:
        ratings = np.concatenate([RARE[25:], RARE[35:]])
    study, pictures = study_of(ratings, sources), np.arange(len(ratings))
    found = drawn(study, pictures, among, seed)
    assert found.index.shape == (20, 3)
    assert len(np.unique(found.index)) <= among
    assert TripletSampler(ratings, sources).contains(found.index).all()
    assert found.sign.tolist() == np.sign(ratings[found.index[:, 2]] - ratings[found.index[:, 0]]).tolist()


@pytest.mark.parametrize("sources", [None, TWO_SOURCES], ids=["one source", "two sources"])
def test_what_is_drawn_of_a_first_pool_that_holds_a_triplet_stays(sources: NDArray[np.int64] | None) -> None:
    study, pictures = study_of(UNEVEN, sources), np.arange(60)
    source = TripletSource(study, pictures, SAMPLING)
    expected = {seed: of_the_first_pool(study, pictures, 4, seed) for seed in range(40)}
    held = {seed: triplets for seed, triplets in expected.items() if triplets is not None}
    assert 5 < len(held) < 40, "both cases are met"
    for seed, triplets in held.items():
        np.testing.assert_array_equal(source.rated(20, np.random.default_rng(seed), 4).index, triplets)


@given(SEEDS)
@settings(max_examples=3)
def test_the_same_seed_draws_the_same_where_pools_are_drawn_again(seed: int) -> None:
    study = study_of(RARE)
    one, other = (drawn(study, np.arange(60), 3, seed) for _ in range(2))
    np.testing.assert_array_equal(one.index, other.index)


@given(SEEDS)
@settings(max_examples=5)
def test_only_pictures_that_may_be_shown_are_drawn(seed: int) -> None:
    pictures = np.arange(1, 60, 2)
    ratings = RARE.copy()
    ratings[[1, 3]] = 0.0, -2.5
    assert set(np.unique(drawn(study_of(ratings), pictures, 3, seed).index)) <= set(pictures.tolist())
