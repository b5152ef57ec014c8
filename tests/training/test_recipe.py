"""Recipes: what a TOML file may say, and what it is told where it makes no sense."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import aesth.training
from aesth.errors import ConfigError
from aesth.training.recipe import LossRecipe, Recipe, StageRecipe, read_recipe, recipe_from

SHIPPED = sorted((Path(aesth.training.__file__).parent / "recipes").glob("*.toml"))


def test_an_empty_recipe_has_every_default() -> None:
    assert recipe_from({}) == Recipe()


def test_what_is_named_is_changed_and_nothing_else() -> None:
    made = recipe_from(
        {
            "seed": 7,
            "encoder": {"backbone": "mobilenet_v2", "layers": ["stem", "last"], "size": [96, 128]},
            "loss": {"margin": 2},
            "fine_tune": {"steps": 9, "precision": "bfloat16"},
        }
    )
    assert (made.seed, made.name) == (7, Recipe().name)
    assert made.encoder.layers == ("stem", "last")
    assert made.encoder.preprocess.size == (96, 128)
    assert made.loss == LossRecipe(margin=2.0)
    assert isinstance(made.loss.margin, float)
    assert made.fine_tune == StageRecipe(steps=9, precision="bfloat16")
    assert made.warm_up == StageRecipe()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.warm_up.steps + recipe.fine_tune.steps > 0
    assert recipe.fine_tune.steps, "every layer is trained"


def test_recipes_are_shipped() -> None:
    assert {path.stem for path in SHIPPED} >= {"base", "paper"}


def test_the_recipe_of_the_paper_is_that_of_the_paper() -> None:
    paper = read_recipe(next(path for path in SHIPPED if path.stem == "paper"))
    assert (paper.encoder.backbone, paper.encoder.layers, paper.encoder.pooling) == ("resnet50", ("layer4",), "mean")
    assert (paper.encoder.rank, paper.warm_up.steps, paper.fine_tune.rate) == (0, 0, 1e-3)
    assert (paper.sampling.alpha, paper.sampling.beta, paper.loss.direction_weight) == (0.3, 0.7, 1.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sede": 1}, "unknown key 'sede'; known here: compile, encoder, fine_tune,"),
        ({"encoder": {"depth": 50}}, "unknown key 'encoder.depth'; known here: backbone, layers"),
        ({"fine_tune": {"lr": 1.0}}, "unknown key 'fine_tune.lr'"),
        ({"seed": "1"}, "'seed' must be a whole number, not '1'"),
        ({"seed": 1.0}, "'seed' must be a whole number, not 1.0"),
        ({"seed": True}, "'seed' must be a whole number, not True"),
        ({"pretrained": 1}, "'pretrained' must be true or false, not 1"),
        ({"loss": {"margin": True}}, "'loss.margin' must be a number, not True"),
        ({"loss": {"margin": [1.0]}}, "'loss.margin' must be a number"),
        ({"name": 3}, "'name' must be text in quotes"),
        ({"encoder": "resnet50"}, "'encoder' must be a table"),
        ({"encoder": {"layers": "stem"}}, "'encoder.layers' must be a list"),
        ({"encoder": {"layers": [1]}}, "'encoder.layers' must be text in quotes, not 1"),
        ({"encoder": {"size": [299]}}, "'encoder.size' must be a list of 2"),
        ({"encoder": {"size": [299, 299.0]}}, "'encoder.size' must be a whole number"),
        ({"encoder": {"size": [299, 0]}}, "encoder.a side of the input has at least 32 pixels"),
        ({"encoder": {"pooling": "max"}}, "'encoder.pooling' must be one of mean, mean_deviation, not 'max'"),
        ({"encoder": {"backbone": "vgg"}}, "unknown backbone 'vgg'; known: inception_v3, mobilenet_v2, resnet50"),
        ({"encoder": {"rank": 1001}}, "rank is 0 to 1000"),
        ({"warm_up": {"precision": "float64"}}, "'warm_up.precision' must be one of float32, bfloat16, float16"),
        ({"warm_up": {"steps": -1}}, "warm_up.steps is a number of at least 0, not -1"),
        ({"warm_up": {"rate": float("nan")}}, "warm_up.rate is a number of at least 0, not nan"),
        ({"warm_up": {"rate": float("inf")}}, "warm_up.rate is a number"),
        ({"warm_up": {"rated": 0}}, "warm_up.rated is a number of at least 1"),
        ({"warm_up": {"patience": 0}}, "warm_up.patience is a number of at least 1"),
        ({"warm_up": {"among": 2}}, "among is 0 or at least 3"),
        ({"loss": {"damage_weight": -0.5}}, "loss.damage_weight is a number of at least 0"),
        ({"loader": {"views": "kept"}}, "'loader.views' must be one of auto, rendered, streamed, not 'kept'"),
        ({"loader": {"workers": -1}}, "loader.workers is a number of at least 0"),
        ({"loader": {"ahead": 0}}, "loader.ahead is a number of at least 1"),
        ({"sampling": {"damage_kinds": -1}}, "sampling.damage_kinds is a number"),
        ({"seed": -1}, "seed is a number of at least 0"),
        ({"name": "../base"}, "name becomes part of file names"),
        ({"name": ""}, "name becomes part of file names"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_told(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        recipe_from(table)
    assert message in raised.value.message


@pytest.mark.parametrize("content", [b"seed = ", b"\xff", b"name = 1\n"], ids=["no TOML", "no UTF-8", "wrong type"])
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        read_recipe(path)
    assert raised.value.path == path


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read this recipe") as raised:
        read_recipe(tmp_path / "none.toml")
    assert raised.value.path == tmp_path / "none.toml"


def test_every_field_of_a_recipe_is_explained() -> None:
    for kind in (Recipe, *(type(getattr(Recipe(), one.name)) for one in dataclasses.fields(Recipe))):
        if dataclasses.is_dataclass(kind):
            names = [one.name for one in dataclasses.fields(kind)]
            assert [name for name in names if f"        {name}: " not in (kind.__doc__ or "")] == []
