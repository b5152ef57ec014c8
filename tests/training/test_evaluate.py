"""Figures: agreement with people, and preference for what is not damaged, against brute force."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aesth.errors import CatalogueError
from aesth.training.evaluate import DamageTest, agreement, mean_preference, norms_of, torch_encode
from aesth.training.figures import fold_figures, mean_figures, require_pictures
from aesth.training.networks import AestheticEncoder
from aesth.training.views import View
from support.training import make_study, recipe

RATINGS = st.lists(st.tuples(st.integers(0, 20), st.integers(4, 28)), min_size=4, max_size=12)


def made_test(photos: int = 3, kinds: tuple[str, ...] = ("noise", "tilt")) -> DamageTest:
    views: list[View] = []
    triples, names = [], []
    for photo in range(photos):
        path, original = Path(f"{photo}.jpg"), len(views)
        views.append(View(path))
        for kind in kinds:
            triples.append((original, len(views), len(views) + 1))
            names.append(kind)
            views += [View(path, kind, "weak"), View(path, kind, "strong")]
    return DamageTest(views, np.array(triples, np.int64).reshape(-1, 3), names)


@given(RATINGS)
def test_agreement_is_what_counting_all_pairs_gives(pictures: list[tuple[int, int]]) -> None:
    norms, ratings = np.array([one[0] for one in pictures], float), np.array([one[1] for one in pictures]) / 4
    found = agreement(norms, ratings)
    for distance, share in ((0.5, found.pairs_half), (1.0, found.pairs_one)):
        right = [
            0.5 if norms[i] == norms[j] else float((norms[i] < norms[j]) == (ratings[i] < ratings[j]))
            for i, j in itertools.combinations(range(len(norms)), 2)
            if abs(ratings[i] - ratings[j]) > distance
        ]
        assert share == pytest.approx(np.mean(right) if right else math.nan, nan_ok=True)
    if np.ptp(norms) and np.ptp(ratings):
        assert found.plcc == pytest.approx(np.corrcoef(norms, ratings)[0, 1])
    assert found.pictures == len(pictures)


def test_agreement_of_the_ratings_with_themselves_is_perfect() -> None:
    ratings = np.random.default_rng(0).uniform(1, 7, 50)
    assert agreement(ratings, ratings).to_dict() == {
        "pictures": 50,
        "srcc": 1,
        "plcc": 1,
        "pairs_half": 1,
        "pairs_one": 1,
    }
    assert agreement(-ratings, ratings).srcc == -1


@given(st.integers(0, 1000))
def test_a_preference_is_the_share_of_pairs_that_the_original_wins(seed: int) -> None:
    test = made_test(photos=4, kinds=("noise", "tilt", "crop"))
    norms = np.random.default_rng(seed).integers(0, 4, len(test.views)).astype(float)
    preferences = test.preferences(norms)
    for strength, kind in itertools.product(("weak", "strong"), ("noise", "tilt", "crop")):
        wins = []
        original = None
        for view, value in zip(test.views, norms, strict=True):
            original = value if view.kind is None else original
            if (view.kind, view.strength) == (kind, strength):
                wins.append(0.5 if original == value else float(original > value))
        assert preferences[strength][kind] == round(sum(wins) / len(wins), 4)
        assert mean_preference(preferences, "weak") == pytest.approx(np.mean(list(preferences["weak"].values())))


def test_norms_are_those_of_the_embeddings_however_many_there_are() -> None:
    _, pixels = make_study(rated=40, photos=0)
    told: list[int] = []
    encode = torch_encode(AestheticEncoder(recipe().encoder).eval())
    norms = norms_of(encode, pixels, told.append)
    assert norms == pytest.approx(np.linalg.norm(np.concatenate([encode(one[None]) for one in pixels]), axis=1), 1e-5)
    assert sum(told) == len(pixels) == 40
    assert norms_of(encode, pixels[:0]).shape == (0,)


def test_an_encoder_of_torch_keeps_no_gradients_and_gives_single_precision() -> None:
    _, pixels = make_study(rated=3, photos=0)
    for precision in ("float32", "bfloat16"):
        points = torch_encode(AestheticEncoder(recipe().encoder).eval(), precision=precision)(pixels)  # type: ignore[arg-type]
        assert (points.dtype, points.shape) == (np.float32, (3, 1000))
    assert torch.is_grad_enabled()


def test_the_figures_of_a_fold_say_all() -> None:
    test = made_test()
    norms = np.array([3.0 if view.kind is None else 2.0 if view.strength == "weak" else 1.0 for view in test.views])
    ratings = np.array([1.0, 2.0, 3.0])
    assert fold_figures(ratings, ratings, test, norms) == {
        "pictures": 3,
        "srcc": 1.0,
        "plcc": 1.0,
        "pairs_half": 1.0,
        "pairs_one": 1.0,
        "damage": {"weak": {"noise": 1.0, "tilt": 1.0}, "strong": {"noise": 1.0, "tilt": 1.0}},
        "damage_strong": 1.0,
        "damage_weak": 1.0,
    }


def test_what_cannot_be_measured_is_null_rather_than_no_json() -> None:
    figures = fold_figures(np.array([1.0, 1.0]), np.array([2.0, 2.2]), made_test(photos=0), np.empty(0))
    assert json.loads(json.dumps(figures, allow_nan=False))["srcc"] is None
    assert figures["damage_strong"] is None
    assert figures["pairs_half"] is None


def test_means_are_over_the_folds_where_a_figure_is_known() -> None:
    folds = {"0": {"pictures": 9, "srcc": 0.5, "damage": {}}, "1": {"pictures": 8, "srcc": 0.75, "damage": {}}}
    assert mean_figures(folds) == {"srcc": 0.625, "srcc_spread": 0.125}
    assert mean_figures({**folds, "2": {"pictures": 2, "srcc": None, "damage": {}}})["srcc"] == 0.625


def test_a_fold_of_one_picture_is_told() -> None:
    require_pictures(0, [1, 2])
    with pytest.raises(CatalogueError, match="fold 3 has 1 rated pictures, and agreement takes two"):
        require_pictures(3, [1])
