"""Deletion and insertion, by hand with a model whose score is the mean brightness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.apps.explain import Curves, curves, faithfulness, occlusion
from aesth.apps.explain.curves import chance, edges
from aesth.encoder import DIMENSIONS, OnnxEncoder, tag_of
from aesth.registry import ModelFile
from aesth.taste import Taste
from support.models import SIDE


@pytest.fixture(scope="module")
def encoder(brightness: Path) -> OnnxEncoder:
    return OnnxEncoder(ModelFile(brightness.stem, brightness), threads=1)


HALF = np.zeros((SIDE, SIDE, 3), np.uint8)
HALF[:, : SIDE // 2] = 255
WHERE = HALF[..., 0].astype(np.float32)


def test_the_score_falls_until_all_that_raises_it_is_hidden_and_rises_until_it_is_shown(encoder: OnnxEncoder) -> None:
    found = curves(encoder, HALF, WHERE, hidden=np.zeros_like(HALF))
    shares = np.array(found.shares)
    assert shares == pytest.approx(np.linspace(0, 1, 11))
    assert found.deletion == pytest.approx(np.maximum(50 - 100 * shares, 0), abs=2.5)
    assert found.insertion == pytest.approx(np.minimum(100 * shares, 50), abs=2.5)
    assert (found.deletion_area, found.insertion_area) == pytest.approx((12.5, 37.5), abs=1)
    assert found.between == pytest.approx(25, abs=1)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_opposite_map_hides_what_this_one_shows(encoder: OnnxEncoder, seed: int) -> None:
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    saliency = generator.permutation(SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float32)
    found, opposite = curves(encoder, image, saliency), curves(encoder, image, -saliency)
    assert found.insertion == pytest.approx(opposite.deletion[::-1], abs=0.6)
    assert (found.deletion[0], found.deletion[-1]) == pytest.approx((found.insertion[-1], found.insertion[0]))
    assert found.between == pytest.approx(-opposite.between, abs=0.6)


def test_only_the_order_of_a_map_counts(encoder: OnnxEncoder) -> None:
    saliency = np.random.default_rng(1).random((SIDE, SIDE), np.float32)
    assert curves(encoder, HALF, saliency) == curves(encoder, HALF, np.exp(3 * saliency) - 7)


def test_of_a_taste_the_scores_are_those_of_the_person(encoder: OnnxEncoder) -> None:
    taste = Taste(tag_of(encoder), slope=0.5, shift=0.0, weights=np.zeros(DIMENSIONS))
    found, common = curves(encoder, HALF, WHERE, taste=taste), curves(encoder, HALF, WHERE)
    assert found.deletion == pytest.approx(np.array(common.deletion) / 2, abs=1e-3)
    assert faithfulness(encoder, HALF, WHERE, draws=1, taste=taste).ours == found


def test_a_map_that_is_right_beats_edges_and_chance(encoder: OnnxEncoder) -> None:
    """The veil is a blur, which leaves brightness where it was: it takes the light from small things alone."""
    generator = np.random.default_rng(2)
    image = np.full((SIDE, SIDE, 3), 60, np.uint8)
    image[:, SIDE // 2 :: 2] = 0  # many edges, and dark
    image[4:10, 4:10] = 255
    found = faithfulness(encoder, image, occlusion(encoder, image), draws=3)
    assert len(found.chance) == 3
    assert found.ours.between > max(found.edges.between, found.between_by_chance) + 0.5
    assert found.between_by_chance == pytest.approx(np.mean([one.between for one in found.chance]))
    assert curves(encoder, image, generator.random((SIDE, SIDE), np.float32)).between == pytest.approx(0, abs=1)


def test_edges_are_where_the_picture_changes() -> None:
    found = edges(HALF)
    assert found.shape == (SIDE, SIDE)
    assert abs(found[SIDE // 2].argmax() - SIDE // 2 + 0.5) <= 1
    assert found[:, 0].max() == 0


def test_chance_knows_nothing_and_is_the_same_each_time() -> None:
    assert (chance((40, 60), 7) == chance((40, 60), 7)).all()
    maps = np.stack([chance((40, 60), seed).ravel() for seed in range(20)])
    correlations = np.corrcoef(maps)[np.triu_indices(20, 1)]
    assert abs(correlations.mean()) < 0.05
    assert np.abs(correlations).max() < 0.6


def test_curves_are_told_as_json() -> None:
    told = Curves((0.0, 0.5, 1.0), (80.0, 20.0, 10.123), (10.123, 70.0, 80.0)).to_dict()
    assert told == {
        "shares": [0, 0.5, 1],
        "deletion": [80, 20, 10.12],
        "insertion": [10.12, 70, 80],
        "deletion_area": 32.53,
        "insertion_area": 57.53,
    }
