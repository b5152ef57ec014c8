"""The figures of a run as the Markdown tables of a model card, so that none of them is copied by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from aesth.errors import ConfigError
from aesth.training.baselines import BASELINES
from aesth.training.catalogue import FOLDS
from aesth.training.figures import Figures, mean_figures
from aesth.training.run import FIGURES

COLUMNS: Mapping[str, str] = {
    "srcc": "SRCC",
    "plcc": "PLCC",
    "pairs_half": "pairs > 0.5",
    "pairs_one": "pairs > 1.0",
    "pairs_right": "compared pairs",
    "damage_strong": "undamaged preferred, strong",
    "damage_weak": "weak",
}
"""Name of a figure -> the heading of its column."""

CHOSEN_BY = tuple(str(fold) for fold in range(FOLDS - 1))
"""The folds on which recipes are chosen; the last one is looked at once."""

STRENGTHS = ("strong", "weak")
UNKNOWN = "-"

ByFold = Mapping[str, Figures]


def card(folder: Path, baselines: Path | None = None, fairness: Path | None = None) -> str:
    """The tables of the run in ``folder``, in Markdown.

    Args:
        folder: where `run.evaluate` left its figures.
        baselines: what `baselines.evaluate_baselines` wrote; by default the file in ``folder``, if there is one.
        fairness: what `aesth train evaluate fairness` printed, as a file; without it, nothing is said of fairness.

    Raises:
        ConfigError: a file cannot be read or has other figures, or the baselines are of other pictures.
    """
    if baselines is None and (folder / BASELINES).is_file():
        baselines = folder / BASELINES
    figures = _read(folder / FIGURES, "folds", "recipe", made_by="aesth train evaluate CONFIG.toml")
    tables = [*run_tables(figures)]
    if baselines is not None:
        simple = _read(baselines, "baselines", made_by="aesth train evaluate baselines CONFIG.toml")
        _require_same_pictures(figures, simple, baselines)
        tables += baseline_tables(simple, figures)
    if fairness is not None:
        judged = _read(fairness, "black_and_white", "skin_tone", made_by="aesth train evaluate fairness")
        tables += fairness_tables(judged)
    return "\n\n".join(tables) + "\n"


def run_tables(figures: Mapping[str, Any]) -> Iterator[str]:
    """Agreement and damage preference by fold, with mean ± spread, and damage preference by kind."""
    folds: ByFold = figures["folds"]
    yield "Trained once without each fold of themes, and measured on it; means ± standard deviation over the folds:"
    yield markdown(
        _headings("left-out fold", "pictures", columns := _known(folds.values())), _fold_rows(folds, columns)
    )
    if any(_damage(one, strength) for one in folds.values() for strength in STRENGTHS):
        yield "Share of photos that are preferred to their damaged copies, by kind of damage:"
        yield _damage_table(folds)


def baseline_tables(simple: Mapping[str, Any], figures: Mapping[str, Any]) -> Iterator[str]:
    """What simpler means make of the same backbones, beside the trained encoder; and one person against the crowd."""
    rows: list[tuple[str, str, ByFold]] = [
        (" + ".join(one["backbones"]), one["means"], one["folds"]) for one in simple["baselines"]
    ]
    rows.append((figures["recipe"]["name"], "trained", figures["folds"]))
    columns = _known(one for _, _, folds in rows for one in folds.values())
    groups = dict.fromkeys(group for _, _, folds in rows for group in _groups(folds))
    yield "Beside what simpler means make of the same backbones as ImageNet left them, by the same folds:"
    yield markdown(
        _headings("left-out folds", "features", "means", columns),
        [
            [_label(group), features, means, *_mean_cells(folds, group, columns)]
            for group in groups
            for features, means, folds in rows
            if folds.keys() >= set(group)
        ],
    )
    if person := simple.get("one_person"):
        yield (
            f"One person's rating goes with the mean of the others' at {_cell(person['correlation'])} (Pearson, over"
            f" {person['pictures']} pictures; {person['formula']})."
        )


def fairness_tables(judged: Mapping[str, Any]) -> Iterator[str]:
    """What black and white costs, and what a darker skin does."""
    style, skin = judged["black_and_white"], judged["skin_tone"]
    yield "Black-and-white copies of photos that no training sees, in percentiles among those:"
    names = ("photos", "marked_down", "mean_change", "median_change", "p")
    yield markdown([name.replace("_", " ") for name in names], [[_exact(style[name]) for name in names]])
    yield (
        f"Percentile by score less percentile by rating, of {skin['pictures']} pictures of people: rank correlation"
        f" {_exact(skin['residual_srcc'])} with the lightness of skin (p = {_exact(skin['p'])})."
    )
    if skin["tones"]:
        of_tone = ("pictures", "mean_residual", "standard_error")
        yield markdown(
            ["skin", *(name.replace("_", " ") for name in of_tone)],
            [[tone, *(_exact(one[name]) for name in of_tone)] for tone, one in skin["tones"].items()],
        )


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fold_rows(folds: ByFold, columns: Sequence[str]) -> Iterator[list[str]]:
    for name, figures in folds.items():
        yield [name, _exact(figures.get("pictures")), *(_cell(figures.get(column)) for column in columns)]
    for group in _groups(folds):
        yield [f"mean of {_label(group)}", "", *_mean_cells(folds, group, columns)]


def _damage_table(folds: ByFold) -> str:
    groups = _groups(folds)
    kinds = sorted({kind for one in folds.values() for strength in STRENGTHS for kind in _damage(one, strength)})
    headings = [f"{strength}, folds {_label(group)}" for strength in STRENGTHS for group in groups]
    means = {
        (strength, group): mean_figures({name: _damage(folds[name], strength) for name in group})
        for strength in STRENGTHS
        for group in groups
    }
    rows = [[kind, *(_cell(mean.get(kind)) for mean in means.values())] for kind in kinds]
    return markdown(["damage", *headings], rows)


def _damage(figures: Figures, strength: str) -> Mapping[str, Any]:
    damage: Any = figures.get("damage") or {}
    found: Mapping[str, Any] = damage.get(strength, {})
    return found


def _groups(folds: ByFold) -> list[tuple[str, ...]]:
    """Folds whose means are shown: those that recipes are chosen by, if all are there, and all."""
    found = tuple(sorted(folds))
    return list(dict.fromkeys(group for group in (CHOSEN_BY, found) if folds.keys() >= set(group)))


def _label(group: Sequence[str]) -> str:
    if len(group) > 2 and all(int(after) == int(before) + 1 for before, after in pairwise(group)):
        return f"{group[0]} to {group[-1]}"
    return ", ".join(group)


def _known(figures: Iterable[Figures]) -> list[str]:
    """The columns of which something is known."""
    there = {name for one in figures for name, value in one.items() if value is not None}
    return [name for name in COLUMNS if name in there]


def _headings(*parts: str | Sequence[str]) -> list[str]:
    """Headings as they are, and of the columns in a list."""
    listed = [[part] if isinstance(part, str) else [COLUMNS[name] for name in part] for part in parts]
    return [heading for part in listed for heading in part]


def _mean_cells(folds: ByFold, group: Sequence[str], columns: Sequence[str]) -> list[str]:
    mean = mean_figures({name: folds[name] for name in group})
    return [f"{_cell(mean[name])} ± {_cell(mean[f'{name}_spread'])}" if name in mean else UNKNOWN for name in columns]


def _cell(value: object) -> str:
    """A share or a correlation."""
    return UNKNOWN if value is None else f"{value:.3f}"


def _exact(value: object) -> str:
    return UNKNOWN if value is None else f"{value}"


def _require_same_pictures(figures: Mapping[str, Any], simple: Mapping[str, Any], path: Path) -> None:
    """Check that baselines were measured on the pictures that a run was measured on.

    Raises:
        ConfigError: they were not.
    """
    for one in simple["baselines"]:
        for name in one["folds"].keys() & figures["folds"].keys():
            if one["folds"][name].get("pictures") != figures["folds"][name].get("pictures"):
                raise ConfigError(
                    f"these baselines are of other pictures in fold {name} than the run's figures; measure both again",
                    path,
                )


def _read(path: Path, *needed: str, made_by: str) -> dict[str, Any]:
    """What a JSON file says.

    Raises:
        ConfigError: it is not there, or of another form.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"these figures cannot be read ({error.strerror}); `{made_by}` makes them", path) from error
    except ValueError as error:
        raise ConfigError(f"not a JSON file ({error}); `{made_by}` makes it", path) from error
    if not isinstance(found, dict) or not found.keys() >= set(needed):
        raise ConfigError(f"this file has no {' and '.join(needed)}; `{made_by}` makes such a one", path)
    return found
