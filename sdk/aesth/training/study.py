"""The data of one training, put together: rated pictures, and unrated photos beside damaged copies of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.errors import CatalogueError
from aesth.training.catalogue import FORMS, Catalogue, fold, kept_for_damage, read_catalogue, unrated_photos
from aesth.training.damage import DAMAGES
from aesth.training.views import View


@dataclass(frozen=True)
class Study:
    """What there is to learn from.

    Attributes:
        views: all that is shown to the network: the rated pictures first, in the order of ``ratings``, then those of
            ``pairs``, then photos and their damaged copies.
        ratings: popularity or mean rating of each rated picture, (r,).
        folds: the fold of each rated picture, by its theme, (r,).
        damage: index into ``views`` of a photo, its weakly and its strongly damaged copy, (d, 3).
        sources: the catalogue of each rated picture, (r,), since scores of different ones cannot be compared; None
            where all are of one.
        pairs: index into ``views`` of the better and the worse picture of each compared pair, (p, 2).
        pair_folds: the folds of the two, (p, 2).
        names: of the catalogues, for people.
    """

    views: Sequence[View]
    ratings: NDArray[np.float64]
    folds: NDArray[np.int64]
    damage: NDArray[np.int64]
    sources: NDArray[np.int64] | None = None
    pairs: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    pair_folds: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    names: Sequence[str] = ()

    @property
    def judged(self) -> int:
        """How many of the first ``views`` people have judged: rated and compared pictures."""
        return len(self.ratings) + len(np.unique(self.pairs))

    @property
    def photos(self) -> NDArray[np.int64]:
        """Indices of the photos that are shown beside damaged copies, (o,)."""
        return np.unique(self.damage[:, 0])

    def training_pictures(self, held_out: int | None) -> NDArray[np.int64]:
        """Indices of the rated pictures outside the fold ``held_out``; of all for None."""
        return np.flatnonzero(self.folds != held_out) if held_out is not None else np.arange(len(self.ratings))

    def deviations(self, pictures: NDArray[np.int64]) -> NDArray[np.float64]:
        """Ratings of ``pictures`` (n,) in standard deviations from the mean of their catalogue, (n,)."""
        found = np.zeros(len(pictures))
        sources = np.zeros(len(self.ratings), np.int64) if self.sources is None else self.sources
        for source in np.unique(sources[pictures]):
            here = sources[pictures] == source
            ratings = self.ratings[pictures[here]]
            found[here] = (ratings - ratings.mean()) / (ratings.std() or 1.0)
        return found

    def held_out_pictures(self, held_out: int) -> NDArray[np.int64]:
        """Indices of the rated pictures of the fold ``held_out``."""
        return np.flatnonzero(self.folds == held_out)

    def training_pairs(self, held_out: int | None) -> NDArray[np.int64]:
        """The pairs with no picture of the fold ``held_out``, (q, 2); all for None."""
        apart: NDArray[np.bool_] = (self.pair_folds != held_out).all(axis=1)
        return self.pairs if held_out is None else self.pairs[apart]

    def held_out_pairs(self, held_out: int) -> NDArray[np.int64]:
        """The pairs with both pictures of the fold ``held_out``, (q, 2)."""
        inside: NDArray[np.bool_] = (self.pair_folds == held_out).all(axis=1)
        return self.pairs[inside]


def assemble(data: Path, *, damage_kinds: int, seed: int = 0, catalogues: Sequence[Path] = ()) -> Study:
    """The study of some catalogues, and of the photos without ratings in a data folder.

    Photos that are kept for measuring damage preference are left out.

    Args:
        data: the folder; ``photos/`` in it is not needed for no kinds of damage.
        damage_kinds: kinds of damage for each photo, drawn from all of `damage.DAMAGES`.
        seed: of that draw.
        catalogues: each a source of its own; by default those of the data folder, which are ``oasis/ratings.csv`` and
            ``catalogue.csv``, or one of them.

    Raises:
        CatalogueError: there are no rated pictures, a listed one is missing, or a list is wrong.
    """
    sources = [read_catalogue(listing) for listing in catalogues or _catalogues_of(data)]
    _require_one_theme(sources)
    rated = [picture for source in sources for picture in source.pictures]
    compared, pairs = _index_pairs(sources, first=len(rated))
    paths = [*(picture.path for picture in rated), *compared]
    photos = (
        [photo for photo in unrated_photos(data / "photos") if not kept_for_damage(photo.name)] if damage_kinds else []
    )
    views, damage = damaged_views(photos, damage_kinds, seed, first=len(paths))
    return Study(
        [View(path) for path in paths] + views,
        np.array([picture.score for picture in rated], np.float64),
        np.array([fold(picture.theme) for picture in rated], np.int64),
        damage,
        _source_of_each(sources),
        pairs,
        np.array(
            [[fold(theme) for theme in pair.themes] for source in sources for pair in source.pairs], np.int64
        ).reshape(-1, 2),
        [source.name for source in sources],
    )


def damaged_views(
    photos: Sequence[Path], kinds: int, seed: int = 0, first: int = 0
) -> tuple[list[View], NDArray[np.int64]]:
    """Views of ``photos`` and of damaged copies of each, and their indices (photo, weak, strong), from ``first`` on."""
    generator = np.random.default_rng(seed)
    names = list(DAMAGES)
    views: list[View] = []
    triples: list[tuple[int, int, int]] = []
    for photo in photos:
        original = first + len(views)
        views.append(View(photo, recompressed=True))
        for kind in generator.permutation(len(names))[:kinds]:
            weak = first + len(views)
            views += [View(photo, names[kind], "weak", True), View(photo, names[kind], "strong", True)]
            triples.append((original, weak, weak + 1))
    return views, np.array(triples, np.int64).reshape(-1, 3)


def kinds_of(views: Sequence[View], triples: NDArray[np.int64]) -> list[str]:
    """The kind of damage of ``triples``, indices in ``views`` of a photo, its weak and its strong copy, (t, 3)."""
    return [views[weak].kind or "" for _, weak, _ in triples]


def _catalogues_of(data: Path) -> list[Path]:
    found = [path for path in (data / "oasis" / "ratings.csv", data / "catalogue.csv") if path.is_file()]
    if not found:
        raise CatalogueError(
            "there are no rated pictures here: neither oasis/ratings.csv nor catalogue.csv; name a list of them with"
            f" --catalogue ({FORMS})",
            data,
        )
    return found


def _source_of_each(sources: Sequence[Catalogue]) -> NDArray[np.int64] | None:
    sizes = [len(source.pictures) for source in sources if source.pictures]
    return np.repeat(np.arange(len(sizes), dtype=np.int64), sizes) if len(sizes) > 1 else None


def _index_pairs(sources: Sequence[Catalogue], first: int) -> tuple[list[Path], NDArray[np.int64]]:
    """The pictures that pairs compare, and the pairs as their indices, which begin at ``first``."""
    index: dict[Path, int] = {}
    pairs = [
        [index.setdefault(path, first + len(index)) for path in (pair.better, pair.worse)]
        for source in sources
        for pair in source.pairs
    ]
    return list(index), np.array(pairs, np.int64).reshape(-1, 2)


def _require_one_theme(sources: Sequence[Catalogue]) -> None:
    """A picture of two themes would be learned from and measured on."""
    themes: dict[str, str] = {}
    for source in sources:
        rated = [(picture.path, picture.theme) for picture in source.pictures]
        compared = [both for pair in source.pairs for both in zip((pair.better, pair.worse), pair.themes, strict=True)]
        for path, theme in rated + compared:
            known = themes.setdefault(os.path.normpath(path.absolute()), theme)
            if known != theme:
                raise CatalogueError(
                    f"this picture has the theme {known!r} in one catalogue and {theme!r} in {source.name}, so no fold"
                    " can hold it out; give it one theme (without a column theme, it is the name of the file)",
                    path,
                )
