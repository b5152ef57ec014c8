"""From space to scale: norm -> percentile among ordinary photos -> stars."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aesth.scale import DEFAULT_CUT_POINTS, Scale, norm, relative_percentiles, stars

finite = st.floats(0, 100, allow_nan=False)
samples = st.lists(finite, min_size=2, max_size=60)


def percentileofscore(among: Any, score: float, **how: Any) -> float:
    """SciPy's, which is slow to load: not by who runs other tests."""
    from scipy import stats

    return float(stats.percentileofscore(among, score, **how))


@given(arrays(np.float32, (4, 10), elements=st.floats(-10, 10, width=32)))
def test_the_norm_is_euclidean(embeddings: np.ndarray) -> None:
    assert norm(embeddings) == pytest.approx(np.sqrt((embeddings.astype(float) ** 2).sum(1)), abs=1e-4)
    assert norm(embeddings).dtype == np.float32


@given(samples, st.lists(finite, min_size=1))
def test_scores_lie_between_0_and_100_and_follow_the_norm(reference: list[float], norms: list[float]) -> None:
    scores = Scale.fit(reference, "test").score(sorted(norms))
    assert ((scores >= 0) & (scores <= 100)).all()
    assert (np.diff(scores) >= 0).all()


def test_a_score_is_the_percentile_among_the_reference() -> None:
    reference = np.random.default_rng(0).gamma(9.0, size=5000)
    scale = Scale.fit(reference, "test")
    for value in (4.0, 8.0, 12.0):
        assert scale.score(value) == pytest.approx(percentileofscore(reference, value), abs=0.5)


def test_norms_outside_the_reference_score_0_and_100() -> None:
    assert Scale((1.0, 2.0, 4.0)).score([-5, 1, 2, 3, 4, 99]).tolist() == [0, 0, 50, 75, 100, 100]


@given(samples)
def test_stored_and_read_back(reference: list[float]) -> None:
    scale = Scale.fit(reference, "ordinary photos")
    assert Scale.from_json(scale.to_json()) == scale


@pytest.mark.parametrize("norms", [[1.0], [], [2.0, 1.0]])
def test_norms_that_do_not_increase_are_refused(norms: list[float]) -> None:
    with pytest.raises(ValueError, match="increase"):
        Scale.from_json(json.dumps({"norms": norms, "reference": ""}))


def test_the_cut_points_of_the_contract() -> None:
    assert DEFAULT_CUT_POINTS == (10, 35, 70, 93)
    scores = [0, 9.99, 10, 34.99, 35, 69.99, 70, 92.99, 93, 100]
    assert [stars(score) for score in scores] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_cut_points_can_be_set() -> None:
    assert [stars(score, (1, 2, 3, 4)) for score in (0, 1, 2, 3, 4)] == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(0, 20).map(float), min_size=1, max_size=40))
def test_relative_percentiles_are_mean_ranks(scores: list[float]) -> None:
    expected = [percentileofscore(scores, score, kind="mean") for score in scores]
    assert relative_percentiles(scores) == pytest.approx(expected)


def test_relative_percentiles_of_one_of_ties_and_of_none() -> None:
    assert relative_percentiles([7.0]).tolist() == [50]
    assert relative_percentiles([3.0, 3.0, 3.0]).tolist() == [50, 50, 50]
    assert relative_percentiles([]).tolist() == []
