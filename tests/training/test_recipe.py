"""Recipes: what a TOML file may say, and what it is told where it makes no sense."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import aesth.training
from aesth.errors import ConfigError
from aesth.training.networks import Branch
from aesth.training.recipe import AdaptRecipe, FitRecipe, LossRecipe, Recipe, StageRecipe, read_recipe, recipe_from

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
    assert made.fit is None


def test_tables_in_a_list_are_branches_and_tables_of_numbers_keep_their_names() -> None:
    made = recipe_from(
        {
            "encoder": {
                "backbone": "mobilenet_v2",
                "head": "polar",
                "size": [96, 128],
                "beside": [{"backbone": "mobilenet_v2", "shrink": 2}, {"backbone": "resnet50", "layers": ["layer3"]}],
            },
            "fit": {"ridge": 1, "kinds": {"noise": 2}},
        }
    )
    assert made.encoder.beside == (Branch("mobilenet_v2", shrink=2), Branch("resnet50", ("layer3",)))
    assert made.fit == FitRecipe(ridge=1.0, kinds={"noise": 2.0})


def test_an_empty_table_fit_is_a_fit_by_default() -> None:
    assert recipe_from({"encoder": {"head": "polar"}, "fit": {}}).fit == FitRecipe()


POLAR = {"encoder": {"backbone": "mobilenet_v2", "head": "polar", "landmarks": 9, "rank": 4}, "adapt": {"steps": 2}}


@pytest.mark.parametrize(
    "later",
    [
        {"fit": {"ridge": 2.0}},
        {"fit": {}, "teacher": "big"},
        {"warm_up": {"steps": 3}},
        {"fine_tune": {"steps": 3}},
        {"name": "other", "version": "9", "licence": "CC0-1.0", "compile": True},
        {"encoder": {**POLAR["encoder"], "rank": 5, "landmarks": 7, "landmark_layers": ["last"], "faults": True}},
    ],
    ids=str,
)
def test_what_comes_after_an_adaptation_does_not_decide_about_it(later: dict[str, Any]) -> None:
    assert recipe_from({**POLAR, **later}).adaptation == recipe_from(POLAR).adaptation


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"pretrained": False},
        {"offset": 2.0},
        {"loss": {"margin": 2.0}},
        {"sampling": {"damage_kinds": 3}},
        {"adapt": {"steps": 3}},
        {"encoder": {**POLAR["encoder"], "layers": ["stem"]}},
        {"encoder": {**POLAR["encoder"], "pooling": "mean_deviation"}},
        {"encoder": {**POLAR["encoder"], "size": [96, 128]}},
        {"encoder": {**POLAR["encoder"], "beside": [{"backbone": "resnet50"}]}},
    ],
    ids=str,
)
def test_what_an_adaptation_is_made_of_decides_about_it(change: dict[str, Any]) -> None:
    assert recipe_from({**POLAR, **change}).adaptation != recipe_from(POLAR).adaptation


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.fit or recipe.warm_up.steps + recipe.fine_tune.steps > 0
    while recipe.backbones == "teacher":
        recipe = read_recipe(path.with_name(f"{recipe.teacher}.toml"))
    assert recipe.adapt.steps or recipe.fine_tune.steps or recipe.distil.steps, "every layer is trained"


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
        ({"sede": 1}, "unknown key 'sede'; known here: adapt, backbones, compile, distil, encoder, fine_tune,"),
        (
            {"encoder": {"depth": 50}},
            "unknown key 'encoder.depth'; known here: backbone, beside, faults, head, landmark_layers",
        ),
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
        ({"warm_up": {"rated": -1}}, "warm_up.rated is a number of at least 0"),
        ({"warm_up": {"steps": 1, "rated": 0, "damaged": 0}}, "warm_up.a step takes triplets; set rated or damaged"),
        (
            {"sampling": {"damage_kinds": 0}, "fine_tune": {"steps": 1, "rated": 0}},
            "a step of damaged copies alone takes damage_kinds in [sampling]; or set rated",
        ),
        ({"adapt": {"rated": 1}}, "adapt.rated is 0 here, since what all folds share must see no ratings, not 1"),
        ({"adapt": {"damaged": 0}}, "adapt.damaged is a number of at least 1"),
        ({"adapt": {"examples": 0}}, "adapt.examples is a number of at least 1"),
        ({"adapt": {"steps": 1}}, 'a head that is fitted is of the polar kind; set head = "polar" in [encoder]'),
        ({"fit": {}}, 'a head that is fitted is of the polar kind; set head = "polar" in [encoder]'),
        (
            {"encoder": {"head": "polar"}, "sampling": {"damage_kinds": 0}, "adapt": {"steps": 1}},
            "to adapt takes damaged photos; set damage_kinds in [sampling], or leave out [adapt]",
        ),
        (
            {"encoder": {"head": "polar"}, "fit": {}, "warm_up": {"steps": 1}},
            "a head is fitted or warmed up, not both; leave out [fit] or the steps of [warm_up]",
        ),
        ({"teacher": "big"}, "a teacher takes somebody who learns; add [fit], [warm_up] or [fine_tune]"),
        ({"backbones": "teacher"}, "backbones of the teacher take a teacher"),
        ({"backbones": "mine"}, "'backbones' must be one of own, teacher, not 'mine'"),
        (
            {**POLAR, "backbones": "teacher", "teacher": "big", "fit": {}},
            "backbones of the teacher take a teacher, and are adapted by it; leave out [adapt]",
        ),
        ({"distil": {"steps": 1}}, "to distil takes a teacher, and backbones of one's own that do not [adapt] too"),
        (
            {**POLAR, "teacher": "big", "fit": {}, "distil": {"steps": 1}},
            "to distil takes a teacher, and backbones of one's own that do not [adapt] too",
        ),
        (
            {"encoder": {"head": "polar"}, "backbones": "teacher", "teacher": "big", "fit": {}, "distil": {"steps": 1}},
            "to distil takes a teacher, and backbones of one's own that do not [adapt] too",
        ),
        ({"distil": {"views": 1}}, "distil.views is at least 2, so that a step has a spread, not 1"),
        ({"distil": {"sides": [64, 16]}}, "distil.sides are of at least 32 pixels, not 16"),
        ({"distil": {"sides": 64}}, "'distil.sides' must be a list"),
        ({"distil": {"rate": 0}}, "distil.rate is a number above 0, not 0"),
        ({"distil": {"components": 0}}, "distil.components is a number of at least 1"),
        ({"fit": {"ridge": 0}}, "fit.ridge is a number above 0, not 0"),
        ({"fit": {"smoothing": float("nan")}}, "fit.smoothing is a number above 0, not nan"),
        ({"fit": {"photos": -1}}, "fit.photos is a number of at least 0"),
        ({"fit": {"kinds": {"dust": 1}}}, "fit.unknown kind of damage 'dust'; known: "),
        ({"fit": {"kinds": {"noise": -1}}}, "fit.kinds.noise is a number of at least 0, not -1"),
        ({"fit": {"kinds": {"noise": "2"}}}, "'fit.kinds.noise' must be a number, not '2'"),
        ({"fit": {"kinds": 2}}, "'fit.kinds' must be a table"),
        ({"fit": 1}, "'fit' must be a table"),
        ({"encoder": {"head": "linear"}}, "'encoder.head' must be one of projection, polar, not 'linear'"),
        ({"encoder": {"landmarks": 9}}, 'encoder.landmarks is at least 0, and takes head = "polar"'),
        ({"encoder": {"beside": [{"shrink": 2}]}}, "'encoder.beside.backbone' is missing"),
        ({"encoder": {"beside": [{"backbone": "vgg"}]}}, "encoder.beside.unknown backbone 'vgg'"),
        ({"encoder": {"beside": [{"backbone": "resnet50", "size": 2}]}}, "unknown key 'encoder.beside.size'"),
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


def records(kind: Any) -> list[Any]:
    """The record ``kind``, and those that its fields hold, alone, in tuples or instead of None."""
    if not dataclasses.is_dataclass(kind):
        return [found for inner in get_args(kind) for found in records(inner)]
    return [kind, *(found for hint in get_type_hints(kind).values() for found in records(hint))]


def test_every_field_of_a_recipe_is_explained() -> None:
    kinds = records(Recipe)
    assert {FitRecipe, AdaptRecipe, Branch, LossRecipe} <= set(kinds)
    for kind in kinds:
        names = [one.name for one in dataclasses.fields(kind)]
        explained = "".join(one.__doc__ or "" for one in kind.__mro__)
        assert [
            name for name in names if not re.search(rf"^ {{8}}([a-z_]+, )*{name}(, [a-z_]+)*: ", explained, re.M)
        ] == []


def test_every_field_of_a_recipe_is_in_the_documentation() -> None:
    table = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
    keys = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.M))))
    keys |= set(re.findall(r"\[([a-z_.]+)\]", "".join(re.findall(r"^\| \*\*(.*?)\|", table, re.M))))
    fields = {one.name for kind in records(Recipe) for one in dataclasses.fields(kind)}
    assert fields - {"beside"} - keys == set()
    assert "encoder.beside" in keys
