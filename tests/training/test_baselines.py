"""Baselines: closed forms as oracles, and nothing of a held-out fold in what is measured on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from aesth.errors import CatalogueError, ConfigError
from aesth.training.baselines import (
    LABELS,
    MARGIN,
    PAIRS,
    RIDGES,
    Linear,
    Material,
    chosen_ridge,
    evaluate_baselines,
    feature_sets,
    fitted,
    measured,
)
from aesth.training.evaluate import DamageTest
from aesth.training.figures import mean_figures
from aesth.training.networks import Branch, Column
from aesth.training.regression import Hinges, Squares, least
from aesth.training.run import Run
from aesth.training.train import fresh_encoder
from aesth.training.views import View
from support.catalogues import make_pairs
from support.training import RECIPE_FILE, make_study

FEATURES = 12
ADAPTED = (
    RECIPE_FILE.replace("rank = 8", 'rank = 8\nhead = "polar"').replace("steps = 3", "steps = 0")
    + "[adapt]\nsteps = 1\ndamaged = 2\n[fit]\n"
)


def normal_equations(rows: NDArray[np.float64], wanted: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """The w of least mean square of (x - mean) w - (y - mean), plus ridge |w|^2."""
    rows, wanted = rows - rows.mean(0), wanted - wanted.mean()
    normal = rows.T @ rows / len(rows) + ridge * np.eye(rows.shape[1])
    solved: NDArray[np.float64] = np.linalg.solve(normal, rows.T @ wanted / len(rows))
    return solved


def made_material(seed: int = 0) -> Material:
    """Features, the first of which is what people like and the second what damage does, and noise."""
    study, pixels = make_study(rated=60, photos=20)
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(len(pixels), FEATURES))
    features[: len(study.ratings), 0] += study.ratings
    features[study.damage[:, 1], 1] += 2
    features[study.damage[:, 2], 1] += 4
    test_features = generator.normal(size=(300, FEATURES))
    test_features[1::3, 1] += 2
    test_features[2::3, 1] += 4
    triples = np.arange(300).reshape(-1, 3)
    test = DamageTest([View(Path(f"{index}.png")) for index in range(300)], triples, ["noise"] * 100)
    return Material(study, features.astype(np.float16), test, test_features.astype(np.float16))


ALL = np.arange(FEATURES)


def learned(material: Material, held_out: int = 0) -> dict[str, Linear]:
    return dict(fitted(material, ALL, held_out))


def same(one: Mapping[str, Linear], other: Mapping[str, Linear]) -> bool:
    return all(
        one[name].ridge == other[name].ridge and torch.equal(one[name].weight, other[name].weight) for name in one
    )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([(30, 5), (9, 40)]), st.sampled_from(RIDGES))
def test_least_squares_are_those_of_the_normal_equations(seed: int, shape: tuple[int, int], ridge: float) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=shape) / shape[1] ** 0.5
    rows, wanted = rows - rows.mean(0), generator.normal(size=shape[0])
    wanted -= wanted.mean()
    part = Squares(torch.from_numpy(rows).float(), torch.from_numpy(wanted).float(), 1.0)
    expected = normal_equations(rows, wanted, ridge)

    def error(weight: NDArray[np.float64]) -> float:
        return float(np.mean((rows @ weight - wanted) ** 2) + ridge * weight @ weight)

    for start in (None, torch.ones(shape[1])):
        found = least([part], shape[1], ridge, start).double().numpy()
        assert error(found) == pytest.approx(
            error(expected), rel=1e-5
        )  # the least there is, as single precision sees it
        assert found == pytest.approx(expected, abs=1e-2 * np.abs(expected).max())


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000))
def test_with_hinges_the_slope_of_the_whole_error_is_zero(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows, apart = generator.normal(size=(20, 6)), generator.normal(size=(15, 6))
    wanted, weights, ridge = generator.normal(size=20), generator.uniform(size=15) / 15, 0.1
    x, d, y, k = (torch.from_numpy(one).float() for one in (rows, apart, wanted, weights))
    w = least([Squares(x, y, 1.0), Hinges(d, torch.full((15,), MARGIN), k)], 6, ridge).numpy().astype(float)

    def slope(w: NDArray[np.float64]) -> NDArray[np.float64]:
        lacking = np.maximum(MARGIN - apart @ w, 0)
        found: NDArray[np.float64] = rows.T @ (rows @ w - wanted) / 20 - apart.T @ (weights * lacking) + ridge * w
        return found

    assert np.abs(slope(w)).max() < 3e-3 * np.abs(slope(np.zeros(6))).max()


def test_labels_alone_give_the_ridge_regression_on_standardised_features() -> None:
    material = made_material()
    study, found = material.study, learned(material, 2)[LABELS]
    pictures = study.training_pictures(2)
    features = material.features[pictures].astype(float)
    rows = (features - features.mean(0)) / features.std(0, ddof=1) / FEATURES**0.5
    ratings = study.ratings[pictures]
    expected = normal_equations(rows, (ratings - ratings.mean()) / ratings.std(), found.ridge)
    assert found.weight.numpy() == pytest.approx(expected, abs=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("seed", range(6))
def test_the_ridge_is_the_best_between_folds_by_rank_correlation(seed: int) -> None:
    generator = np.random.default_rng(seed)
    folds = generator.integers(0, 4, 60)
    rows = generator.normal(size=(60, 40), loc=10) / 40**0.5
    wanted = 2 * rows[:, 0] + generator.normal(size=60) + folds
    agreement = {
        ridge: np.mean(
            [
                stats.spearmanr(
                    rows[folds == one] @ normal_equations(rows[folds != one], wanted[folds != one], ridge),
                    wanted[folds == one],
                ).statistic
                for one in range(4)
            ]
        )
        for ridge in RIDGES
    }
    chosen = chosen_ridge(torch.from_numpy(rows).float(), torch.from_numpy(wanted).float(), folds)
    assert agreement[chosen] == pytest.approx(max(agreement.values()), abs=0.02)


def test_pictures_of_one_fold_are_never_on_both_sides_when_a_ridge_is_chosen() -> None:
    """Each theme has a feature of its own, which tells all inside a theme and nothing of another."""
    folds = np.repeat(np.arange(4), 15)
    generator = np.random.default_rng(0)
    level = generator.normal(size=4)
    own = np.eye(4)[folds] * 3
    signal = generator.normal(size=60)
    rows = np.concatenate([own, signal[:, None] * 0.2], 1)
    wanted = level[folds] * 3 + signal * 0.2 + 0.1 * generator.normal(size=60)
    arguments = (torch.from_numpy(rows).float(), torch.from_numpy(wanted).float())
    mixed = chosen_ridge(*arguments, np.tile(np.arange(4), 15))
    assert chosen_ridge(*arguments, folds) != mixed


def test_ratings_and_pictures_of_the_held_out_fold_change_nothing() -> None:
    material = made_material()
    before = learned(material)
    held = material.study.held_out_pictures(0)
    assert len(held) > 1
    ratings, features = material.study.ratings.copy(), material.features.copy()
    ratings[held], features[held] = -1000, np.nan
    assert same(before, learned(replace(material, study=replace(material.study, ratings=ratings), features=features)))

    other = material.study.training_pictures(0)[0]
    ratings = material.study.ratings.copy()
    ratings[other] += 5
    assert not same(before, learned(replace(material, study=replace(material.study, ratings=ratings))))


def test_photos_that_are_kept_for_measuring_change_nothing() -> None:
    material = made_material()
    assert same(learned(material), learned(replace(material, test_features=material.test_features * 0)))


def test_pairs_teach_what_ratings_do_not() -> None:
    labels, pairs = measured(made_material(), {("made",): ALL}, [0, 1])
    assert (labels["means"], pairs["means"]) == (LABELS, PAIRS)
    strong = [one["mean"]["damage_strong"] for one in (labels, pairs)]  # type: ignore[index]
    assert strong[1] > strong[0] + 0.1
    assert strong[1] > 0.9
    assert pairs["mean"]["srcc"] > 0.5  # type: ignore[index]


def test_without_damage_there_are_but_labels() -> None:
    material = made_material()
    study = replace(material.study, damage=np.empty((0, 3), np.int64))
    assert list(learned(replace(material, study=study))) == [LABELS]


def test_a_fold_is_judged_by_a_function_that_has_not_seen_it() -> None:
    material = made_material()
    (labels, _) = measured(material, {("made",): ALL}, [3])
    linear, held = learned(material, 3)[LABELS], material.study.held_out_pictures(3)
    scores = linear.scores(material.features, held)
    expected = stats.spearmanr(scores, material.study.ratings[held]).statistic
    assert labels["folds"]["3"]["srcc"] == pytest.approx(expected, abs=1e-4)  # type: ignore[index]
    assert labels["ridges"] == {"3": linear.ridge}


def test_features_are_those_of_each_backbone_and_of_all() -> None:
    one, two = Branch("mobilenet_v2"), Branch("mobilenet_v2", shrink=2)
    other = Branch("inception_v3")
    columns = [Column(branch, "last", "mean", 2) for branch in (one, other, two)]
    sets = {names: found.tolist() for names, found in feature_sets(columns).items()}
    assert sets == {
        ("mobilenet_v2",): [0, 1, 4, 5],
        ("inception_v3",): [2, 3],
        ("mobilenet_v2", "inception_v3"): [0, 1, 2, 3, 4, 5],
    }
    assert list(feature_sets(columns[:1])) == [("mobilenet_v2",)]


def test_a_ridge_is_not_chosen_inside_one_fold() -> None:
    with pytest.raises(CatalogueError, match="rate pictures of more themes"):
        chosen_ridge(torch.ones(3, 2), torch.ones(3), np.zeros(3, np.int64))


def test_plain_backbones_are_measured_also_of_a_recipe_that_adapts_them(tiny_data: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "adapted.toml", tmp_path / "out"
    config.write_text(ADAPTED)
    path = evaluate_baselines(config=config, data=tiny_data, out=out, folds=[3, 0])
    assert path == out / "baselines.json"
    assert not (out / "adapted").exists()

    run = Run.of(config, tiny_data, out)
    plain = fresh_encoder(run.recipe, run.weights)
    with torch.no_grad():
        features = plain.features(torch.from_numpy(np.array(run.pixels[:4]))).numpy()
    assert np.load(out / "baselines" / "features.npy")[:4] == pytest.approx(features, rel=2e-3, abs=2e-3)

    figures = json.loads(path.read_text())
    assert [one["means"] for one in figures["baselines"]] == [LABELS, PAIRS]
    for one in figures["baselines"]:
        assert list(one["folds"]) == ["0", "3"]
        assert one["mean"] == mean_figures(one["folds"])
        assert (one["backbones"], one["features"]) == (["mobilenet_v2"], features.shape[1])
    # The ratings are even from 1 to 7, and people differ by 1.
    assert figures["one_person"]["correlation"] == pytest.approx(0.87, abs=0.01)


def test_there_must_be_such_a_fold_and_there_must_be_ratings(tiny_data: Path, tmp_path: Path) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(RECIPE_FILE)
    with pytest.raises(ConfigError, match="no fold 7"):
        evaluate_baselines(config=config, data=tiny_data, out=tmp_path, folds=[7])
    pairs = make_pairs(tmp_path / "pairs")
    with pytest.raises(CatalogueError, match="but compared pairs"):
        evaluate_baselines(config=config, data=tiny_data, out=tmp_path, catalogues=[pairs])
