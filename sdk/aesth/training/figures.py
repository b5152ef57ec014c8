"""The figures of an evaluation, as they are published: numbers or, where there is nothing to measure, null."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesth.errors import CatalogueError, ConfigError
from aesth.training.catalogue import FOLDS
from aesth.training.evaluate import DamageTest, agreement, mean_preference
from aesth.training.recipe import Recipe
from aesth.training.study import Study

Figures = Mapping[str, object]


def fold_figures(
    norms: NDArray[np.floating],
    ratings: NDArray[np.float64],
    test: DamageTest,
    test_norms: NDArray[np.floating],
    *,
    sources: NDArray[np.int64] | None = None,
    pairs: NDArray[np.floating] | None = None,
) -> dict[str, object]:
    """What an encoder is worth that was trained without a fold.

    Args:
        norms: of the rated pictures of the fold, (n,).
        ratings: of the same, (n,).
        test: photos that no training sees.
        test_norms: of its views.
        sources: the catalogue of each rated picture, (n,); agreement is then measured within each, and the mean by
            their sizes is given.
        pairs: norms of the better and the worse picture of compared pairs of the fold, (p, 2); None where the study
            has none.
    """
    preferences = test.preferences(test_norms)
    figures: dict[str, object] = {
        **(_agreement(norms, ratings, sources) if len(ratings) or pairs is None else {}),
        **({} if pairs is None else {"pairs": len(pairs), "pairs_right": _right(pairs)}),
        "damage": preferences,
        "damage_strong": round(mean_preference(preferences, "strong"), 4),
        "damage_weak": round(mean_preference(preferences, "weak"), 4),
    }
    return {name: known(value) for name, value in figures.items()}


def mean_figures(by_fold: Mapping[str, Figures]) -> dict[str, float]:
    """Mean and spread (standard deviation) over the folds of each figure that is a fraction, where it is known."""
    means, spreads = {}, {}
    for name in {name: None for figures in by_fold.values() for name in figures}:
        values = [value for figures in by_fold.values() if isinstance(value := figures.get(name), float)]
        if values:
            means[name] = round(float(np.mean(values)), 4)
            spreads[f"{name}_spread"] = round(float(np.std(values)), 4)
    return {**means, **spreads}


def merged_figures(path: Path, recipe: Recipe, study: str, by_fold: Mapping[str, Figures]) -> dict[str, object]:
    """The figures of ``by_fold`` beside those of other folds in the file ``path``, and the mean of them all.

    Args:
        path: where figures are kept. What it has of another recipe or study is left out.
        recipe: what was measured.
        study: a digest of recipe and data.
        by_fold: new figures, which replace those of the same folds.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        before: dict[str, Figures] = dict(found["folds"]) if are_of(found, recipe, study) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        before = {}  # there are none yet, or not of this form; they are made new
    folds = dict(sorted({**before, **by_fold}.items()))
    return {"recipe": dataclasses.asdict(recipe), "study": study, "folds": folds, "mean": mean_figures(folds)}


def mean_kept(path: Path, recipe: Recipe, study: str) -> object:
    """The mean figures in the file ``path``; None where there are none, or they are of another recipe or study.

    Args:
        path: where figures are kept.
        recipe: what they are to be of; figures that do not say of what they are, are taken.
        study: a digest of recipe and data.
    """
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    return found["mean"] if "recipe" not in found or are_of(found, recipe, study) else None


def are_of(figures: Mapping[str, Any], recipe: Recipe, study: str) -> bool:
    """Whether figures that were kept are of a recipe, however fast it loads pictures, and of the data ``study``.

    Raises:
        KeyError: they do not say of which recipe they are.
    """
    kept, own = (json.loads(json.dumps(one)) for one in (figures["recipe"], dataclasses.asdict(recipe)))
    for one in (kept, own):
        one["loader"] = {"views": one.get("loader", {}).get("views")}
    return bool(kept == own and figures.get("study", study) == study)


def known(value: object) -> object:
    """``value``, or None for what is not a number: JSON has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _agreement(
    norms: NDArray[np.floating], ratings: NDArray[np.float64], sources: NDArray[np.int64] | None
) -> dict[str, float]:
    if sources is None:
        return agreement(norms, ratings).to_dict()
    each = [agreement(norms[here], ratings[here]).to_dict() for here in (sources == one for one in np.unique(sources))]
    sizes = np.array([one["pictures"] for one in each])
    figures = {name: np.array([one[name] for one in each]) for name in each[0] if name != "pictures"}
    means = {name: _weighted(values, sizes) for name, values in figures.items()}
    return {"pictures": int(sizes.sum()), **means}


def _weighted(values: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    there = ~np.isnan(values)
    return round(float(np.average(values[there], weights=sizes[there])), 4) if there.any() else math.nan


def _right(pairs: NDArray[np.floating]) -> float:
    """Share of the pairs whose better picture has the larger norm; NaN for none."""
    return round(float(np.mean((np.sign(pairs[:, 0] - pairs[:, 1]) + 1) / 2)), 4) if len(pairs) else math.nan


def require_fold(held_out: int) -> None:
    """Check that there is such a fold.

    Raises:
        ConfigError: there is none.
    """
    if held_out not in range(FOLDS):
        raise ConfigError(f"there is no fold {held_out}; the folds are 0 to {FOLDS - 1}")


def require_judgements(held_out: int, study: Study) -> None:
    """Check that something can be measured on a fold of a study.

    Raises:
        CatalogueError: the fold has fewer than two rated pictures of a catalogue, or no pair where there are but pairs.
    """
    pictures = study.held_out_pictures(held_out)
    if study.sources is not None:
        for source in np.unique(study.sources):
            require_pictures(held_out, pictures[study.sources[pictures] == source], " of a catalogue")
    elif len(study.ratings):
        require_pictures(held_out, pictures)
    elif not len(study.held_out_pairs(held_out)):
        raise CatalogueError(
            f"fold {held_out} has no pair of two pictures; compare more of them, give the pairs themes, or leave this"
            " fold out"
        )


def require_pictures(held_out: int, pictures: Sequence[int] | NDArray[np.int64], of_what: str = "") -> None:
    """Check that something can be measured on the rated pictures of a fold.

    Raises:
        CatalogueError: it has fewer than two pictures.
    """
    if len(pictures) < 2:
        raise CatalogueError(
            f"fold {held_out} has {len(pictures)} rated pictures{of_what}, and agreement takes two; rate pictures of"
            " more themes, or leave this fold out"
        )
