"""Embeddings in few numbers: what comes back is what was kept, on as few axes as there are dimensions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from aesth.axes import TOLERANCE, Axes
from aesth.cache import ScoreCache, ViewKind

KIND = ViewKind("embeddings", "of a model")
DIMENSIONS = 12


def axes_of(cache: ScoreCache) -> Axes:
    return Axes(cache, KIND, DIMENSIONS)


def points(rank: int, number: int, seed: int) -> NDArray[np.float32]:
    """Points of a space of so many dimensions within that of all, with the noise of single precision."""
    chance = np.random.default_rng(seed)
    layer = chance.normal(size=(rank, DIMENSIONS)) * np.geomspace(1, 0.05, rank)[:, None] if rank else np.zeros((0, 12))
    return (chance.normal(size=(number, rank)) @ layer).astype(np.float32)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, DIMENSIONS), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_what_was_kept_comes_back_whoever_laid_the_axes(
    tmp_path_factory: pytest.TempPathFactory, rank: int, processes: int, seed: int
) -> None:
    file = tmp_path_factory.mktemp("cache") / "scores.sqlite"
    given_points = points(rank, 30, seed)
    caches = [ScoreCache(file) for _ in range(processes)]
    writers = cycle([axes_of(cache) for cache in caches])
    packed = [next(writers).packed(point) for point in given_points]
    for cache in caches:
        cache.close()
    with ScoreCache(file) as cache:
        reader = axes_of(cache)
        for point, kept in zip(given_points, packed, strict=True):
            assert kept is not None
            back = reader.unpacked(kept)
            assert np.linalg.norm(back - point) <= 2 * TOLERANCE * np.linalg.norm(point)
        assert rank <= len(cache.axes(KIND)) <= rank + 1


def test_what_is_no_point_is_not_kept(tmp_path: Path) -> None:
    with ScoreCache(tmp_path / "scores.sqlite") as cache:
        axes = axes_of(cache)
        assert axes.packed(np.full(DIMENSIONS, np.nan, np.float32)) is None
        assert cache.axes(KIND) == []
        assert axes.unpacked(axes.packed(np.zeros(DIMENSIONS, np.float32))).tolist() == [0] * DIMENSIONS


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM axes",
        "DELETE FROM axes WHERE number = 0",
        "DELETE FROM axes WHERE number = 3",
        "UPDATE axes SET axis = zeroblob(48) WHERE number = 1",
        f"UPDATE axes SET axis = x'{np.full(DIMENSIONS, 1e20, '<f4').tobytes().hex()}' WHERE number = 2",
        "UPDATE axes SET number = 9 - number",
    ],
)
def test_points_on_axes_that_are_not_what_they_were_are_unknown_and_new_ones_are_laid(
    tmp_path: Path, damage: str
) -> None:
    file, given_points = tmp_path / "scores.sqlite", points(4, 8, 1)
    with ScoreCache(file) as cache:
        packed = [axes_of(cache).packed(point) for point in given_points]
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(damage)
    with ScoreCache(file) as cache:
        axes = axes_of(cache)
        assert axes.unpacked(packed[-1]) is None
        again = axes.packed(given_points[-1])
        assert again is not None
        assert axes_of(cache).unpacked(again) == pytest.approx(given_points[-1], abs=1e-4)


def test_a_run_goes_on_though_all_is_forgotten_meanwhile(tmp_path: Path) -> None:
    file, given_points = tmp_path / "scores.sqlite", points(4, 8, 1)
    with ScoreCache(file) as cache:
        axes = axes_of(cache)
        for point in given_points[:4]:
            axes.packed(point)
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("DELETE FROM axes")
        known_by_none = axes.packed(given_points[4])
        assert axes_of(cache).unpacked(known_by_none) is None
        other = axes_of(cache)
        kept = other.packed(given_points[5])
        assert axes.unpacked(kept) == pytest.approx(given_points[5], abs=1e-4)
