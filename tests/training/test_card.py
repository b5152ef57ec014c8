"""The tables of a model card, read back: every cell is what the figures say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aesth.errors import ConfigError
from aesth.training.card import card
from aesth.training.fairness import style_figures, tone_figures
from aesth.training.figures import merged_figures
from support.training import recipe

KINDS = ("blur", "noise")
NAMES = ("srcc", "plcc", "pairs_half", "pairs_one", "damage_strong", "damage_weak")
HEADINGS = ("SRCC", "PLCC", "pairs > 0.5", "pairs > 1.0", "undamaged preferred, strong", "weak")
GROUPS = {"0 to 3": ("0", "1", "2", "3"), "0 to 4": ("0", "1", "2", "3", "4")}

Table = list[dict[str, str]]


def made_folds(seed: int, folds: int = 5) -> dict[str, dict[str, Any]]:
    generator = np.random.default_rng(seed)

    def share() -> float:
        return round(float(generator.random()), 4)

    return {
        str(fold): {
            "pictures": 90 + fold,
            **{name: share() for name in NAMES},
            "damage": {strength: {kind: share() for kind in KINDS} for strength in ("weak", "strong")},
        }
        for fold in range(folds)
    }


def made_run(folder: Path, folds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    figures = merged_figures(folder / "figures.json", recipe(name="mine"), "study", folds)
    (folder / "figures.json").write_text(json.dumps(figures))
    return figures


def made_baselines(path: Path, seed: int = 7) -> dict[str, Any]:
    ways = [(["one"], "labels"), (["one", "two"], "labels and pairs")]
    baselines = [
        {"backbones": backbones, "means": means, "folds": made_folds(seed + index)}
        for index, (backbones, means) in enumerate(ways)
    ]
    person = {"correlation": 0.5936, "pictures": 655, "formula": "u / v"}
    figures = {"baselines": baselines, "one_person": person}
    path.write_text(json.dumps(figures))
    return figures


def tables(markdown: str) -> list[Table]:
    found: list[Table] = []
    for block in markdown.split("\n\n"):
        lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in block.strip().split("\n")]
        if block.startswith("|"):
            assert lines[1] == ["---"] * len(lines[0])
            found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def shown(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def near(cell: str, values: list[float]) -> bool:
    """Whether a cell is mean ± spread of ``values``, to the rounding of three decimals of four."""
    mean, spread = (float(part) for part in cell.split(" ± "))
    return abs(mean - np.mean(values)) <= 0.00056 and abs(spread - np.std(values)) <= 0.00056


def test_folds_are_shown_with_their_means_and_spreads(tmp_path: Path) -> None:
    folds = made_folds(0)
    made_run(tmp_path, folds)
    table = tables(card(tmp_path))[0]
    assert [row["left-out fold"] for row in table] == ["0", "1", "2", "3", "4", "mean of 0 to 3", "mean of 0 to 4"]
    for row in table[:5]:
        figures = folds[row["left-out fold"]]
        assert int(row["pictures"]) == figures["pictures"]
        assert [row[heading] for heading in HEADINGS] == [f"{figures[name]:.3f}" for name in NAMES]
    for row, group in zip(table[5:], GROUPS.values(), strict=True):
        for heading, name in zip(HEADINGS, NAMES, strict=True):
            assert near(row[heading], [folds[fold][name] for fold in group])


def test_damage_is_shown_by_kind(tmp_path: Path) -> None:
    folds = made_folds(0)
    made_run(tmp_path, folds)
    table = tables(card(tmp_path))[1]
    assert [row["damage"] for row in table] == list(KINDS)
    for row in table:
        for strength in ("strong", "weak"):
            for label, group in GROUPS.items():
                mean = np.mean([folds[fold]["damage"][strength][row["damage"]] for fold in group])
                assert float(row[f"{strength}, folds {label}"]) == pytest.approx(mean, abs=0.00056)


def test_baselines_stand_beside_the_trained_encoder(tmp_path: Path) -> None:
    folds = made_folds(0)
    made_run(tmp_path, folds)
    simple = made_baselines(tmp_path / "baselines.json")
    text = card(tmp_path)
    table = tables(text)[2]
    expected = {
        **{(" + ".join(one["backbones"]), one["means"]): one["folds"] for one in simple["baselines"]},
        ("mine", "trained"): folds,
    }
    assert [(row["features"], row["means"]) for row in table] == 2 * list(expected)
    for row in table:
        of = expected[row["features"], row["means"]]
        for heading, name in zip(HEADINGS, NAMES, strict=True):
            assert near(row[heading], [of[fold][name] for fold in GROUPS[row["left-out folds"]]])
    assert "at 0.594 (Pearson, over 655 pictures; u / v)" in text


def test_baselines_elsewhere_can_be_named_and_must_be_of_the_same_pictures(tmp_path: Path) -> None:
    made_run(tmp_path, made_folds(0))
    elsewhere = tmp_path / "elsewhere.json"
    simple = made_baselines(elsewhere)
    assert len(tables(card(tmp_path))) == 2
    assert len(tables(card(tmp_path, elsewhere))) == 3
    simple["baselines"][1]["folds"]["2"]["pictures"] = 3
    elsewhere.write_text(json.dumps(simple))
    with pytest.raises(ConfigError, match="other pictures in fold 2"):
        card(tmp_path, elsewhere)


def test_fairness_is_shown_where_it_is_given(tmp_path: Path) -> None:
    made_run(tmp_path, made_folds(0))
    generator = np.random.default_rng(0)
    judged = {
        "black_and_white": style_figures(generator.normal(size=20), generator.normal(size=20)),
        "skin_tone": tone_figures(generator.normal(size=30), generator.normal(size=30), np.linspace(-40, 60, 30)),
    }
    (tmp_path / "fairness.json").write_text(json.dumps(judged))
    text = card(tmp_path, fairness=tmp_path / "fairness.json")
    style, skin = tables(text)[2:]
    assert [{name: float(value) for name, value in row.items()} for row in style] == [
        {name.replace("_", " "): value for name, value in judged["black_and_white"].items()}
    ]
    tones: Any = judged["skin_tone"]["tones"]
    assert {row["skin"]: float(row["mean residual"]) for row in skin} == {
        tone: one["mean_residual"] for tone, one in tones.items()
    }
    assert f"rank correlation {judged['skin_tone']['residual_srcc']} with" in text


def test_what_is_not_known_is_left_out_or_a_dash(tmp_path: Path) -> None:
    folds = made_folds(0, folds=2)
    for figures in folds.values():
        figures.update(damage={"weak": {}, "strong": {}}, damage_strong=None, damage_weak=None)
    folds["0"]["pairs_one"] = None
    made_run(tmp_path, folds)
    (table,) = tables(card(tmp_path))
    assert list(table[0]) == ["left-out fold", "pictures", *HEADINGS[:4]]
    assert [row["left-out fold"] for row in table] == ["0", "1", "mean of 0, 1"]
    one = folds["1"]["pairs_one"]
    assert [row["pairs > 1.0"] for row in table] == ["-", f"{one:.3f}", shown([one])]


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_missing_or_other_figures_are_told_with_what_makes_them(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "figures.json").write_text(text)
    with pytest.raises(ConfigError, match="`aesth train evaluate CONFIG") as told:
        card(tmp_path)
    assert told.value.path == tmp_path / "figures.json"
