"""The models that ship are made again: measured, trained, exported, each in a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aesth.encoder import OnnxEncoder
from aesth.errors import ConfigError
from aesth.registry import DEFAULT_MODEL, ModelFile
from aesth.training.catalogue import FOLDS
from aesth.training.reproduce import SHIPPED, bundled_recipes, reproduce
from support.training import RECIPE_FILE


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    for name in ("tiny", "small"):
        (folder / f"{name}.toml").write_text(RECIPE_FILE.replace('"tiny"', f'"{name}"'))
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs' folders."""
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def made(recipes: Path, tiny_data: Path, out: Path) -> list[Path]:
    """The files of one model that was measured."""
    return list(reproduce(["tiny"], data=tiny_data, out=out, models=out / "models", recipes=recipes))


def figures_in(model: Path) -> object:
    return OnnxEncoder(ModelFile(model.stem, model)).record.training["figures"]


def test_what_ships_has_a_recipe() -> None:
    assert set(SHIPPED) <= bundled_recipes().keys()
    assert DEFAULT_MODEL.rsplit("-", 1)[0] in SHIPPED
    assert all(path.stem == name for name, path in bundled_recipes().items())


def test_a_model_is_measured_and_exported(made: list[Path], out: Path) -> None:
    models = out / "models"
    assert made == [out / "tiny" / "tiny-fp32.onnx", models / "tiny-fp16.onnx", models / "tiny-int8.onnx"]
    figures = json.loads((out / "tiny" / "figures.json").read_text())
    assert list(figures["folds"]) == [str(fold) for fold in range(FOLDS)]
    assert [figures_in(path) for path in made] == [figures["mean"]] * 3


def test_a_model_is_not_trained_again(made: list[Path], recipes: Path, tiny_data: Path, out: Path) -> None:
    trained = {path: path.stat().st_mtime_ns for path in (out / "tiny").rglob("checkpoint.pt")}
    assert len(trained) == FOLDS + 1
    assert list(reproduce(["tiny"], data=tiny_data, out=out, models=out / "models", recipes=recipes)) == made
    assert {path: path.stat().st_mtime_ns for path in (out / "tiny").rglob("checkpoint.pt")} == trained


def test_each_model_has_a_folder_of_its_own_and_can_go_without_figures(
    made: list[Path], recipes: Path, tiny_data: Path, out: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (out / "tiny").rglob("*")}
    other = list(reproduce(["small", "small"], data=tiny_data, out=out, measured=False, recipes=recipes))
    assert other == [out / "small" / f"small-{kind}.onnx" for kind in ("fp32", "fp16", "int8")]
    assert [figures_in(path) for path in other] == [None] * 3
    assert not list((out / "small").rglob("figures.json"))
    assert {path: path.stat().st_mtime_ns for path in (out / "tiny").rglob("*")} == before


@pytest.mark.parametrize("name", ["huge", "../recipes/tiny", ""])
def test_a_name_without_a_recipe_is_told_before_anything_is_trained(
    recipes: Path, tiny_data: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigError, match=f"no recipe {name!r} comes with aesth; there are: small, tiny"):
        list(reproduce(["tiny", name], data=tiny_data, out=tmp_path / "out", recipes=recipes))
    assert not (tmp_path / "out").exists()


def test_by_default_the_models_that_ship_are_made(recipes: Path, tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no recipe {SHIPPED[0]!r}"):
        list(reproduce(data=tiny_data, out=tmp_path / "out", recipes=recipes))
