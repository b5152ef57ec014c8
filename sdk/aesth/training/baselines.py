"""What simpler means make of the same plain backbones, by the same folds: what is left is what a training adds.

Each baseline is linear in pooled features of ImageNet's weights: ridge regression on the ratings, alone or with squared
hinges that rank photos above their damaged copies.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aesth.errors import CatalogueError
from aesth.training.catalogue import FOLDS
from aesth.training.checkpoint import fingerprint
from aesth.training.crowd import crowd_figures
from aesth.training.evaluate import DamageTest
from aesth.training.figures import fold_figures, mean_figures, require_fold, require_judgements
from aesth.training.files import replacing
from aesth.training.heads import Standardise
from aesth.training.metrics import srcc
from aesth.training.networks import Column
from aesth.training.progress import counted
from aesth.training.regression import Hinges, Squares, least
from aesth.training.run import Run
from aesth.training.study import Study

BASELINES = "baselines.json"

LABELS = "linear, labels"
PAIRS = "linear, labels and damage pairs"

RIDGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""What a ridge is chosen from, the greatest first; features are of length about 1, ratings of deviation 1."""

MARGIN = 0.5
"""How far a damaged copy should stand behind, in deviations of the ratings."""

NEAR = 1e-6
"""Change of the error at which the search for a w ends while a ridge is chosen: w is wrong by less than 1 %."""

BATCH = 1024


@dataclass(frozen=True)
class Material:
    """What baselines learn from and are measured on, as frozen backbones see it.

    Attributes:
        study: rated pictures, and photos beside damaged copies.
        features: of the views of the study, (n, f).
        test: photos that no training sees.
        test_features: of the views of the test, (m, f).
    """

    study: Study
    features: NDArray[np.float16]
    test: DamageTest
    test_features: NDArray[np.float16]


@dataclass(frozen=True)
class Linear:
    """A linear function of some features.

    Attributes:
        columns: indices of the features, (c,).
        standardise: of those.
        weight: of each, (c,).
        ridge: that was chosen.
    """

    columns: NDArray[np.int64]
    standardise: Standardise
    weight: Tensor
    ridge: float

    def scores(self, features: NDArray[np.float16], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """What it says, (r,), of the ``rows`` (r,) of features (n, f); only differences have a meaning."""
        parts = [self.standardise(part) @ self.weight for part in _parts(features, rows, self.columns)]
        return torch.cat(parts).numpy() if parts else np.empty(0, np.float32)


def evaluate_baselines(
    *,
    config: Path,
    data: Path,
    out: Path,
    device: str = "auto",
    folds: Sequence[int] = tuple(range(FOLDS)),
    catalogues: Sequence[Path] = (),
) -> Path:
    """Measure the baselines of a recipe by folds; the figures are written to ``out`` and their file is returned.

    Features are kept in ``out/baselines``, or are the run's own where its recipe adapts nothing.

    Args:
        config: TOML file of a `Recipe`; its backbones, views and folds count, nothing else.
        data: folder with ``oasis/``, ``photos/`` and ``backbones/``.
        out: folder of the run.
        device: where features are computed: ``auto``, ``cpu`` or ``cuda``.
        folds: which folds.
        catalogues: lists of rated pictures; by default those of ``data``.

    Raises:
        ConfigError: the recipe makes no sense, there is no such fold, or weights to start from are missing.
        CatalogueError: the data is incomplete, or its ratings are in too few folds.
        ProviderError: there is no such device.
    """
    this = Run.of(config, data, out, device, catalogues)
    folds = sorted(set(folds))
    _require_ratings(this.study, folds)
    plain = plain_run(this)
    sets = feature_sets(plain.fresh_encoder().columns)
    test = DamageTest.of(data, needed=this.recipe.sampling.damage_kinds > 0)
    # Pictures are rendered once, for the run and for this.
    features = plain.features_of("features", this.study.views, this.pixels)
    test_pixels = this.render("damage-test", test.views) if test.views else this.pixels[:0]
    test_features = plain.features_of("features-damage-test", test.views, test_pixels)
    figures = {
        "recipe": dataclasses.asdict(this.recipe),
        "study": fingerprint(this.recipe, this.study, None),
        "one_person": crowd_figures(
            catalogues or [path for path in [data / "oasis" / "ratings.csv"] if path.is_file()]
        ),
        "baselines": measured(Material(this.study, features, test, test_features), sets, folds),
    }
    with replacing(out / BASELINES) as partial:
        partial.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", "utf-8")
    return out / BASELINES


def plain_run(of: Run) -> Run:
    """The run with the backbones as they were before they learned from photos, in a folder of its own."""
    adapt, distil = of.recipe.adapt, of.recipe.distil
    if not adapt.steps + distil.steps:
        return of
    recipe = dataclasses.replace(
        of.recipe, adapt=dataclasses.replace(adapt, steps=0), distil=dataclasses.replace(distil, steps=0)
    )
    return dataclasses.replace(of, recipe=recipe, out=of.out / "baselines")


def feature_sets(columns: Sequence[Column]) -> dict[tuple[str, ...], NDArray[np.int64]]:
    """Backbones -> indices of their features: of each backbone alone, and of all together where there are several."""
    owners = np.repeat([column.branch.backbone for column in columns], [column.width for column in columns])
    names = tuple(dict.fromkeys(owners.tolist()))
    return {**{(name,): np.flatnonzero(owners == name) for name in names}, names: np.arange(len(owners))}


def measured(
    material: Material, sets: Mapping[tuple[str, ...], NDArray[np.int64]], folds: Sequence[int] = tuple(range(FOLDS))
) -> list[dict[str, object]]:
    """Figures of each baseline on each set of features, by fold, with their mean and spread, and the chosen ridges."""
    found: list[dict[str, object]] = []
    with counted("baselines", len(sets) * len(folds)) as advance:
        for backbones, columns in sets.items():
            ridges: dict[str, dict[str, float]] = {}
            figures: dict[str, dict[str, dict[str, object]]] = {}
            for held_out in folds:
                for means, linear in fitted(material, columns, held_out):
                    ridges.setdefault(means, {})[str(held_out)] = linear.ridge
                    figures.setdefault(means, {})[str(held_out)] = _figures(material, linear, held_out)
                advance(1)
            for means, by_fold in figures.items():
                what = {"backbones": list(backbones), "features": len(columns), "means": means}
                found.append({**what, "ridges": ridges[means], "folds": by_fold, "mean": mean_figures(by_fold)})
    return found


@torch.no_grad()
def fitted(material: Material, columns: NDArray[np.int64], held_out: int) -> Iterator[tuple[str, Linear]]:
    """The name and the function of each baseline, of the features ``columns`` (c,), without the fold ``held_out``.

    Neither ratings nor pictures of that fold have a part in it. There is one baseline where the study has no damage.

    Raises:
        CatalogueError: the other folds leave no way to choose a ridge.
    """
    study = material.study
    pictures = study.training_pictures(held_out)
    standardise = Standardise(len(columns))
    raw = torch.cat(list(_parts(material.features, pictures, columns)))
    standardise.fit(raw)
    rows, wanted = standardise(raw), torch.from_numpy(study.deviations(pictures)).float()
    ways: dict[str, list[Hinges]] = {LABELS: []}
    if len(study.damage):
        ways[PAIRS] = [_hinges(material, columns, standardise)]
    for name, hinges in ways.items():
        ridge = chosen_ridge(rows, wanted, study.folds[pictures], hinges)
        weight = least([_squares(rows, wanted), *hinges], len(columns), ridge)
        yield name, Linear(columns, standardise, weight, ridge)


def chosen_ridge(rows: Tensor, wanted: Tensor, folds: NDArray[np.int64], hinges: Sequence[Hinges] = ()) -> float:
    """The one of `RIDGES` by which pictures of each fold agree best, by rank, with what is learned from the others.

    Args:
        rows: standardised features, (n, c).
        wanted: ratings in deviations, (n,).
        folds: of the pictures, (n,), by their themes.
        hinges: what is learned beside.

    Raises:
        CatalogueError: there are not two pictures in one fold and two outside it.
    """
    agreement = []
    for inner in np.unique(folds):
        left, kept = np.flatnonzero(folds == inner), np.flatnonzero(folds != inner)
        if min(len(left), len(kept)) > 1:
            squares, weight = _squares(rows[kept], wanted[kept]), None
            agreement.append(list[float]())
            for ridge in RIDGES:
                weight = least([squares, *hinges], rows.shape[1], ridge, start=weight, tolerance=NEAR)
                agreement[-1].append(srcc((rows[left] @ weight).numpy(), wanted[left].numpy()))
    if not agreement:
        raise CatalogueError(
            "without one fold the rated pictures are all of another, or nearly so, and a ridge is chosen between folds;"
            " rate pictures of more themes"
        )
    # Where all are said to be alike, there is no correlation: nothing agrees.
    return RIDGES[int(np.nan_to_num(agreement).mean(axis=0).argmax())]


def _squares(rows: Tensor, wanted: Tensor) -> Squares:
    """Both about their means, which is what a constant would do."""
    return Squares(rows - rows.mean(0), wanted - wanted.mean(), 1.0)


def _hinges(material: Material, columns: NDArray[np.int64], standardise: Standardise) -> Hinges:
    damage = material.study.damage
    pairs = np.concatenate([damage[:, [0, 1]], damage[:, [0, 2]]])
    rows, begin = torch.empty(len(pairs), len(columns)), 0
    sides = (_parts(material.features, pairs[:, side], columns) for side in (0, 1))
    for better, worse in zip(*sides, strict=True):
        rows[begin : begin + len(better)] = (better - worse) * standardise.scale
        begin += len(better)
    return Hinges(rows, torch.full((len(pairs),), MARGIN), torch.full((len(pairs),), 1 / len(pairs)))


def _parts(features: NDArray[np.float16], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Iterator[Tensor]:
    for begin in range(0, len(rows), BATCH):
        yield torch.from_numpy(features[rows[begin : begin + BATCH]][:, columns].astype(np.float32))


@torch.no_grad()
def _figures(material: Material, linear: Linear, held_out: int) -> dict[str, object]:
    study = material.study
    pictures, pairs = study.held_out_pictures(held_out), study.held_out_pairs(held_out)
    return fold_figures(
        linear.scores(material.features, pictures),
        study.ratings[pictures],
        material.test,
        linear.scores(material.test_features, np.arange(len(material.test.views))),
        sources=None if study.sources is None else study.sources[pictures],
        pairs=linear.scores(material.features, pairs.ravel()).reshape(pairs.shape) if len(study.pairs) else None,
    )


def _require_ratings(study: Study, folds: Sequence[int]) -> None:
    """Check that there are ratings to learn from, and that each of ``folds`` can be measured.

    Raises:
        ConfigError: there is no such fold.
        CatalogueError: there are no ratings, or too few in a fold.
    """
    if not len(study.ratings):
        raise CatalogueError("baselines learn from ratings, and here are but compared pairs; name a list of scores")
    for held_out in folds:
        require_fold(held_out)
        require_judgements(held_out, study)
