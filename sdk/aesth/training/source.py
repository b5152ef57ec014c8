"""What a step of training is made of: triplets of rated pictures, and of photos with damaged copies."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aesth.errors import CatalogueError
from aesth.training.recipe import SamplingRecipe, StageRecipe
from aesth.training.study import Study
from aesth.training.triplets import SizeOfD, TripletSampler

_TRIES = 8
"""Times that a few pictures are drawn in the hope of a triplet."""


@dataclass(frozen=True)
class Triplets:
    """Triplets of views.

    Attributes:
        index: anchor, positive, negative, as indices of views, (n, 3).
        sign: sgn[S(n) - S(a)], (n,).
    """

    index: NDArray[np.int64]
    sign: NDArray[np.float32]


@dataclass(frozen=True)
class Draw:
    """What a step is made of.

    Attributes:
        rated: triplets of rated or compared pictures.
        damaged: triplets of damaged copies.
        views: indices of the views that they take, each once, (v,).
        places: of all triplets, the rated ones first, as places in ``views``, (t, 3).
    """

    rated: Triplets
    damaged: Triplets
    views: NDArray[np.int64]
    places: NDArray[np.int64]


@dataclass(frozen=True)
class _Pool:
    """Rated pictures, as indices of views, and what draws places in them."""

    pictures: NDArray[np.int64]
    sampler: TripletSampler


class TripletSource:
    """Triplets of rated pictures, drawn by Eq. 3, and of photos with damaged copies.

    A photo, its weakly and its strongly damaged copy are a triplet of two good and one bad; read backwards, of one
    good and two bad. With popularities such as 1, 0.6 and 0 they satisfy Eq. 3 both ways.

    All three pictures of a triplet are of one catalogue, and a catalogue is met as often as its size says.

    Of a compared pair it is known which picture pleases more, not by how much, so Eq. 3 cannot choose a third one. The
    pair is a triplet whose anchor is its own positive, a picture being most like itself: Eq. 2 then keeps the two
    pictures apart, and Eq. 4 puts the better one further from the origin. Anchor is the better or the worse one,
    equally often.

    Args:
        study: all there is to learn from.
        pictures: indices of the rated pictures that may be shown, (r,).
        recipe: which triplets are shown.
        pairs: the compared pairs that may be shown, as indices of the better and the worse view, (p, 2).

    Raises:
        ConfigError: ``alpha`` and ``beta`` let no triplet pass.
        CatalogueError: no three of the pictures of a catalogue are a triplet, or there is nothing to learn from.
    """

    def __init__(
        self,
        study: Study,
        pictures: NDArray[np.int64],
        recipe: SamplingRecipe,
        pairs: NDArray[np.int64] | None = None,
    ) -> None:
        self._ratings = study.ratings
        self._sources = study.sources
        self._pictures = pictures
        self._pairs = np.empty((0, 2), np.int64) if pairs is None else pairs
        self._damage = study.damage
        self._recipe = recipe
        compared = len(np.unique(self._pairs))
        self._share_of_pairs = compared / max(1, compared + len(pictures))
        self._of_all = self._sampler(pictures) if len(pictures) or not compared else None
        self._of_source: dict[int, _Pool] = {}
        if study.sources is not None:
            for source in np.unique(study.sources).tolist():
                own = pictures[study.sources[pictures] == source]
                self._of_source[source] = _Pool(own, self._sampler(own))

    def draw(self, plan: StageRecipe, generator: np.random.Generator) -> Draw:
        """The triplets of one step, as many as ``plan`` says."""
        rated, damaged = self.rated(plan.rated, generator, plan.among), self.damaged(plan.damaged, generator)
        index = np.concatenate([rated.index, damaged.index])
        views, places = np.unique(index, return_inverse=True)
        return Draw(rated, damaged, views, places.reshape(index.shape))

    def size(self) -> SizeOfD | None:
        """How many triplets of rated pictures there are to draw from; None where there are pairs alone."""
        return None if self._of_all is None else self._of_all.size()

    def summary(self) -> str:
        """How much there is to draw from, in words."""
        triplets, pairs = self.size(), len(self._pairs)
        return "; ".join([*([str(triplets)] if triplets else []), *([f"{pairs} compared pairs"] if pairs else [])])

    def rated(self, count: int, generator: np.random.Generator, among: int = 0) -> Triplets:
        """``count`` triplets of rated or compared pictures, of as few as ``among`` of them (0 is no limit).

        With a limit, the rated ones are of one catalogue.
        """
        if not len(self._pairs):
            return self._scored(count, generator, among)
        if self._of_all is None:
            return self._compared(count, generator, among)
        if among:
            of_pairs = count if generator.random() < self._share_of_pairs else 0
        else:
            of_pairs = int(generator.binomial(count, self._share_of_pairs))
        scored, compared = self._scored(count - of_pairs, generator, among), self._compared(of_pairs, generator, among)
        return Triplets(np.concatenate([scored.index, compared.index]), np.concatenate([scored.sign, compared.sign]))

    def damaged(self, count: int, generator: np.random.Generator) -> Triplets:
        """``count`` triplets of a photo and its damaged copies; none where the study has no photos."""
        if not len(self._damage):
            return Triplets(np.empty((0, 3), np.int64), np.empty(0, np.float32))
        index = self._damage[generator.integers(0, len(self._damage), count)]
        two_good = generator.random(count) < 0.5
        index = np.where(two_good[:, None], index, index[:, ::-1])
        return Triplets(index, np.where(two_good, -1, 1).astype(np.float32))

    def _scored(self, count: int, generator: np.random.Generator, among: int) -> Triplets:
        if not count or self._of_all is None:
            return Triplets(np.empty((0, 3), np.int64), np.empty(0, np.float32))
        if not among:
            return self._draw(self._of_all, self._pictures, count, generator)
        whole = _Pool(self._pictures, self._of_all)
        if self._sources is not None:
            whole = self._of_source[int(generator.choice(self._sources[self._pictures]))]
        pool = self._some(whole, among, generator)
        return self._draw(pool.sampler, pool.pictures, count, generator)

    def _some(self, whole: _Pool, among: int, generator: np.random.Generator) -> _Pool:
        """At most ``among`` pictures of ``whole`` that hold a triplet.

        Few pictures may hold none. Others are drawn then; where triplets are rare, those of one are joined by others.
        """
        size = min(among, len(whole.pictures))
        for _ in range(_TRIES):
            pictures = generator.choice(whole.pictures, size, replace=False)
            with suppress(CatalogueError):
                return _Pool(pictures, self._sampler(pictures))
        triplet = whole.pictures[whole.sampler.sample(1, generator)[0]]
        others = generator.choice(np.setdiff1d(whole.pictures, triplet), size - len(triplet), replace=False)
        pictures = np.concatenate([triplet, others])
        return _Pool(pictures, self._sampler(pictures))

    def _compared(self, count: int, generator: np.random.Generator, among: int) -> Triplets:
        pairs = self._pairs
        if among and count:
            pairs = generator.choice(pairs, min(among // 2, len(pairs)), replace=False)
        chosen = pairs[generator.integers(0, len(pairs), count)]
        two_good = generator.random(count) < 0.5
        anchor, negative = np.where(two_good[:, None], chosen, chosen[:, ::-1]).T
        return Triplets(np.stack([anchor, anchor, negative], axis=1), np.where(two_good, -1, 1).astype(np.float32))

    def _sampler(self, pictures: NDArray[np.int64]) -> TripletSampler:
        groups = None if self._sources is None else self._sources[pictures]
        return TripletSampler(self._ratings[pictures], groups, alpha=self._recipe.alpha, beta=self._recipe.beta)

    @staticmethod
    def _draw(
        sampler: TripletSampler, pictures: NDArray[np.int64], count: int, generator: np.random.Generator
    ) -> Triplets:
        places = sampler.sample(count, generator)
        return Triplets(pictures[places], sampler.signs(places))
