"""Figures of folds that were measured before are kept, as long as they are of the same thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aesth.training.figures import merged_figures
from support.training import recipe

ONE, OTHER = {"srcc": 0.5, "pictures": 9}, {"srcc": 0.75, "pictures": 8}


def keep(path: Path, figures: dict[str, object]) -> None:
    path.write_text(json.dumps(figures))


def test_folds_of_several_evaluations_come_together(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    keep(path, merged_figures(path, recipe(), "study", {"3": ONE}))
    figures = merged_figures(path, recipe(), "study", {"1": OTHER})
    assert figures["folds"] == {"1": OTHER, "3": ONE}
    assert list(figures["folds"]) == ["1", "3"]  # type: ignore[call-overload]
    assert figures["mean"] == {"srcc": 0.625, "srcc_spread": 0.125}


def test_a_fold_measured_again_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    keep(path, merged_figures(path, recipe(), "study", {"1": ONE, "2": ONE}))
    assert merged_figures(path, recipe(), "study", {"1": OTHER})["folds"] == {"1": OTHER, "2": ONE}


@pytest.mark.parametrize(("seed", "study"), [(4, "study"), (3, "other pictures")])
def test_figures_of_another_recipe_or_data_are_left_out(seed: int, study: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    keep(path, merged_figures(path, recipe(), "study", {"1": ONE}))
    assert merged_figures(path, recipe(seed=seed), study, {"2": OTHER})["folds"] == {"2": OTHER}


def test_figures_that_say_nothing_of_their_data_are_taken_by_their_recipe(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    keep(path, {key: v for key, v in merged_figures(path, recipe(), "s", {"1": ONE}).items() if key != "study"})
    assert merged_figures(path, recipe(), "study", {"2": OTHER})["folds"] == {"1": ONE, "2": OTHER}


def test_figures_do_not_depend_on_how_fast_pictures_are_loaded(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    keep(path, merged_figures(path, recipe(), "study", {"1": ONE}))
    assert merged_figures(path, recipe(loader={"workers": 3}), "study", {"2": OTHER})["folds"] == {"1": ONE, "2": OTHER}
    other = merged_figures(path, recipe(loader={"views": "streamed"}), "study", {"2": OTHER})
    assert other["folds"] == {"2": OTHER}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"folds": {"1": {"srcc": 1.0}}}', '{"recipe": 1}', '{"recipe": {"loader": 1}}']
)
def test_a_file_of_another_form_is_made_new(text: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(text)
    assert merged_figures(path, recipe(), "study", {"2": OTHER})["folds"] == {"2": OTHER}
