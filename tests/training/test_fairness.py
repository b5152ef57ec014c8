"""Whom a model marks down: figures by hand, and models that are known to do it or not."""

from __future__ import annotations

import csv
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth.errors import CatalogueError, ConfigError
from aesth.training.evaluate import norms_of, torch_encode
from aesth.training.fairness import skin_angle, style_figures, tone, tone_figures
from aesth.training.fairness_run import Part, fairness, fairness_of_model, fairness_of_recipe
from aesth.training.run import Run, run
from support.catalogues import make_pairs
from support.training import FITTED_FILE, RECIPE_FILE, make_data

SKINS = {"very light": (244, 223, 212), "light": (222, 177, 145), "tan": (178, 126, 92), "dark": (74, 48, 36)}


def test_the_cost_of_a_style_by_hand() -> None:
    """Of norms 0, 1, 2, 3, 4 (percentiles 0, 25, ... 100), the copies fall by 50, rise by 25, and stay: thrice."""
    figures = style_figures([0, 1, 2, 3, 4], [0, 2, 0, 3, 4])
    assert figures == {"photos": 5, "marked_down": 0.5, "mean_change": -5, "median_change": 0, "p": 1}


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30), st.integers(1, 50))
def test_copies_that_are_all_worse_are_all_marked_down(norms: list[int], fall: int) -> None:
    worse = style_figures(norms, np.array(norms) - fall)
    assert worse["marked_down"] == 1
    assert worse["p"] == pytest.approx(min(1, 2 * 0.5 ** len(norms)), rel=1e-2)
    same = style_figures(norms, norms)
    assert (same["marked_down"], same["mean_change"], same["p"]) == (0.5, 0, None)


@pytest.mark.parametrize(("name", "colour"), SKINS.items())
def test_the_tone_of_skin_follows_from_lightness_and_yellow(name: str, colour: tuple[int, int, int]) -> None:
    image = np.full((20, 20, 3), colour, np.uint8)
    assert tone(skin_angle(image)) == name


def test_the_angle_by_hand() -> None:
    """CIE Lab of (178, 126, 92) is (57.0, 15.7, 26.5): arctan(7.0 / 26.5) is 14.8 degrees."""
    assert skin_angle(np.full((4, 4, 3), (178, 126, 92), np.uint8)) == pytest.approx(14.8, abs=0.5)


@pytest.mark.parametrize("colour", [(0, 120, 255), (40, 200, 40), (128, 128, 128), (0, 0, 0)])
def test_what_has_no_colour_of_skin_has_no_tone(colour: tuple[int, int, int]) -> None:
    image = np.full((20, 20, 3), colour, np.uint8)
    assert math.isnan(skin_angle(image))
    image[:10] = SKINS["tan"]
    assert tone(skin_angle(image)) == "tan"


@pytest.mark.parametrize(
    ("angle", "name"), [(90, "very light"), (55, "light"), (10.1, "tan"), (10, "brown"), (-90, "dark")]
)
def test_tones_by_their_bounds(angle: float, name: str) -> None:
    assert tone(angle) == name


def test_a_model_that_says_what_people_say_has_no_residual() -> None:
    ratings = np.random.default_rng(0).normal(size=30)
    figures = tone_figures(3 * ratings + 1, ratings, np.linspace(-50, 60, 30))
    assert figures["residual_srcc"] is None
    assert all(group["mean_residual"] == 0 for group in figures["tones"].values())  # type: ignore[attr-defined]


def test_a_model_that_marks_dark_skin_down_is_found() -> None:
    generator = np.random.default_rng(0)
    ratings, angles = generator.normal(size=200), generator.uniform(-60, 70, 200)
    figures = tone_figures(ratings + 0.01 * angles, ratings, angles)
    assert figures["residual_srcc"] > 0.5  # type: ignore[operator]
    assert figures["p"] < 1e-6  # type: ignore[operator]
    tones = figures["tones"]
    assert tones["dark"]["mean_residual"] < -5 < 5 < tones["very light"]["mean_residual"]  # type: ignore[index]


def test_the_residual_is_percentile_less_percentile() -> None:
    figures = tone_figures([1, 3, 2, 9], [1, 2, 3, 9], [0, 0, 50, math.nan])
    assert figures["pictures"] == 3
    assert figures["tones"] == {
        "light": {"pictures": 1, "mean_residual": -33.33, "standard_error": None},
        "brown": {"pictures": 2, "mean_residual": 16.67, "standard_error": 16.67},
    }


def test_too_few_people_tell_nothing() -> None:
    assert tone_figures([1, 2], [1, 2], [0, math.nan]) == {
        "pictures": 1,
        "residual_srcc": None,
        "p": None,
        "tones": {},
    }


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose rated pictures are half of people, all of one tone and the brighter the better."""
    folder = make_data(tmp_path_factory.mktemp("people"), photos=12, kept=5)
    listing = folder / "oasis" / "ratings.csv"
    rows = list(csv.DictReader(listing.open()))
    for index, row in enumerate(rows[::2]):
        row["category"] = "Person"
        colour = np.clip(np.array((150, 105, 78)) * (0.8 + 0.02 * index), 0, 255).astype(np.uint8)
        Image.fromarray(np.broadcast_to(colour, (60, 80, 3))).save(folder / "oasis" / "images" / row["file"])
        row["beauty_mean"] = str(index / 3)
    with listing.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_of_a_model_that_sees_brightness_alone(people: Path, brightness: Path) -> None:
    figures = fairness_of_model(str(brightness), people)
    assert figures["model"] == "brightness-fp32"
    assert figures["black_and_white"]["photos"] == 5  # type: ignore[index]
    assert figures["skin_tone"]["pictures"] == 18  # type: ignore[index]
    assert {abs(group["mean_residual"]) < 1 for group in figures["skin_tone"]["tones"].values()} == {True}  # type: ignore[index]


def test_of_a_recipe_every_picture_is_measured_by_who_never_saw_it(people: Path, tmp_path: Path) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(RECIPE_FILE)
    figures = fairness_of_recipe(config, people, tmp_path / "out")
    assert figures["rated_pictures"] == "never learned from"
    assert figures["skin_tone"]["pictures"] == 18  # type: ignore[index]
    assert sorted(path.name for path in (tmp_path / "out").glob("fold-*")) == [f"fold-{fold}" for fold in range(5)]


def test_frozen_backbones_look_once_and_say_what_each_encoder_would(people: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "fitted.toml", tmp_path / "out"
    config.write_text(FITTED_FILE)
    figures = fairness_of_recipe(config, people, out)
    this = Run.of(config, people, out, "cpu")

    def alone(held_out: int) -> Part:
        return lambda: partial(norms_of, torch_encode(this.train(held_out, resume=True))), [held_out]

    slowly = fairness([alone(held_out) for held_out in range(5)], this.recipe.encoder.preprocess, people)
    tones, expected = (one["skin_tone"]["tones"] for one in (figures, slowly))  # type: ignore[index]
    assert {name: group["mean_residual"] for name, group in tones.items()} == pytest.approx(
        {name: group["mean_residual"] for name, group in expected.items()}, abs=0.5
    )
    assert figures["black_and_white"] == pytest.approx(slowly["black_and_white"], abs=1)


def test_a_recipe_may_have_learned_from_other_catalogues(people: Path, tmp_path: Path) -> None:
    config, places = tmp_path / "tiny.toml", (people, tmp_path / "out")
    config.write_text(RECIPE_FILE)
    catalogues = [people / "oasis" / "ratings.csv", make_pairs(tmp_path / "pairs", 24)]
    for held_out in range(5):
        run(config=config, data=people, out=tmp_path / "out", held_out=held_out, catalogues=catalogues)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("log.csv")}
    figures = fairness_of_recipe(config, *places, catalogues=catalogues)
    assert figures["skin_tone"]["pictures"] == 18  # type: ignore[index]
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(ConfigError, match="another"):
        fairness_of_recipe(config, *places)


def test_without_kept_photos_there_is_nothing_to_measure(brightness: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="fewer than two are kept"):
        fairness_of_model(str(brightness), make_data(tmp_path / "data", kept=1))
