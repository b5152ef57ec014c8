"""Triplets (anchor, positive, negative) of pictures, drawn on the fly by rejection (paper, section 5.1, Eq. 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesth.errors import CatalogueError, ConfigError

Triplets = NDArray[np.int64]

# Below this share of accepted proposals, rejection is too slow: the triplets of the kind are then listed beforehand.
_PROBE = 1 << 17
_ENOUGH = 32
_MOST_LISTED = 1 << 24
_CHUNK = 1 << 17


@dataclass(frozen=True)
class SizeOfD:
    """How many triplets satisfy Eq. 3, as random proposals tell (the paper's estimate for AROD is 7e12).

    Attributes:
        triplets: the number of triplets, of both kinds.
        standard_error: of that number; 0 where all triplets were tried. Where no proposal was in D, what one would
            have counted for.
        reject_rate: share of proposals that are not in D.
        proposals: how many were made.
    """

    triplets: float
    standard_error: float
    reject_rate: float
    proposals: int

    def __str__(self) -> str:
        rejected = f"{self.reject_rate:.2%} of proposals are rejected"
        if not self.standard_error:
            return f"|D| = {self.triplets:.0f}; {rejected}"
        return f"|D| is about {self.triplets:.3g} (standard error {self.standard_error:.1g}); {rejected}"


class TripletSampler:
    """Draws triplets (a, p, n) of the set D of Eq. 3.

    Their scores S satisfy, for x = a and for x = p:

        alpha < abs(S(a) - S(p)) / abs(S(x) - S(n)) < beta

    Anchor and positive are alike, the negative is further off: the closer the pair, the harder the negative. D holds
    two kinds of triplet, which are drawn equally often: two good pictures and a bad one (S(n) below S(a) and S(p)),
    and one good picture and two bad ones (S(n) above them).

    A proposal is an anchor, uniform over all pictures, and two more pictures, uniform over the anchor's group; so the
    triplets of one group and kind are equally likely, and a group is met about as often as its size says. What is
    drawn depends on the given generator alone, not on what was drawn before.

    Attributes:
        proposed: proposals so far.
        accepted: proposals so far that are in D.
    """

    def __init__(
        self,
        scores: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        alpha: float = 0.3,
        beta: float = 0.7,
        two_good: bool | None = None,
    ) -> None:
        """Check that there are triplets.

        Args:
            scores: S of each picture, (pictures,), on any scale.
            groups: integers (pictures,); all three pictures of a triplet are of one group, because scores of different
                sources cannot be compared. Without it all pictures are of one.
            alpha: lower bound of the ratio, at least 0; the greater, the nearer the negative.
            beta: upper bound of the ratio; the smaller, the farther the negative. The anchor is nearer in score to
                the positive than to the negative, also where ``beta`` is above 1.
            two_good: draw only two good and one bad (True) or one good and two bad (False) instead of both.

        Raises:
            ConfigError: ``alpha`` and ``beta`` are such that no three scores fit.
            CatalogueError: a score is not finite, scores and groups do not match, or no triplet of these pictures fits.
        """
        _check_bounds(alpha, beta)
        self._scores, self._groups = _check_pictures(scores, groups)
        self._alpha, self._beta = alpha, beta
        self._order = np.argsort(self._groups, kind="stable")
        _, inverse, sizes = np.unique(self._groups, return_inverse=True, return_counts=True)
        self._sizes: Triplets = sizes.astype(np.int64)
        self._size = self._sizes[inverse]
        self._start = (np.cumsum(self._sizes) - self._sizes)[inverse]
        self._listed = self._list_rare_kinds((True, False) if two_good is None else (two_good,))
        self.proposed = self.accepted = 0

    @property
    def accept_rate(self) -> float:
        """Share of the proposals so far that are in D; NaN before the first."""
        return self.accepted / self.proposed if self.proposed else float("nan")

    @property
    def reject_rate(self) -> float:
        """Share of the proposals so far that are not in D; NaN before the first."""
        return 1 - self.accept_rate

    def size(self, proposals: int = 1 << 20, seed: int = 0) -> SizeOfD:
        """Count the triplets of D, or estimate their number where there are more triples than ``proposals``.

        A proposal is a given triple of a group of g among N pictures with probability 1 / (N g²), so each that is in D
        stands for N g² triplets (Horvitz and Thompson). Where D is so small that hardly any proposal is in it, many
        more are made. What `sample` draws does not depend on it.

        Args:
            proposals: how many are made.
            seed: of the proposals.
        """
        if self._triples() <= proposals:
            return self._counted()
        rng = np.random.default_rng(seed)
        found, made = np.empty(0), 0
        while made < proposals or (len(found) < _ENOUGH and made < _MOST_LISTED):
            chunk = self._propose(min(_CHUNK, proposals), rng)
            found = np.concatenate([found, self._stands_for(chunk[self.contains(chunk)])])
            made += len(chunk)
        if not len(found):
            return SizeOfD(0.0, float(self._stands_for(np.arange(len(self._scores))[:, None]).max() / made), 1.0, made)
        mean, square = found.sum() / made, np.square(found).sum() / made
        return SizeOfD(float(mean), float(np.sqrt((square - mean**2) / made)), 1 - len(found) / made, made)

    def sample(self, n: int, rng: np.random.Generator) -> Triplets:
        """Draw ``n`` triplets with replacement, both kinds equally often, in random order.

        Where all triplets of D are of one kind, all drawn ones are.

        Returns:
            Indices of anchor, positive and negative, int64 (n, 3).
        """
        kinds = list(self._listed)
        counts = [n // len(kinds)] * len(kinds)
        if n % len(kinds):
            counts[rng.integers(len(kinds))] += 1
        drawn = [self._draw(kind, count, rng) for kind, count in zip(kinds, counts, strict=True)]
        return rng.permutation(np.concatenate(drawn))

    def signs(self, triplets: Triplets) -> NDArray[np.float32]:
        """sgn[S(n) - S(a)] of Eq. 4 of each triplet: (n, 3) -> (n,), +1 where the negative is the more pleasing one."""
        signs: NDArray[np.float32] = np.sign(self._scores[triplets[:, 2]] - self._scores[triplets[:, 0]])
        return signs.astype(np.float32)

    def contains(self, triplets: Triplets) -> NDArray[np.bool_]:
        """Whether each triplet is in D: (n, 3) -> (n,)."""
        groups = self._groups[triplets]
        anchor, positive, negative = self._scores[triplets].T
        near, far_a, far_p = np.abs(anchor - positive), np.abs(anchor - negative), np.abs(positive - negative)
        inside: NDArray[np.bool_] = (groups == groups[:, :1]).all(axis=1) & (far_a > 0) & (far_p > 0) & (near < far_a)
        for far in (far_a, far_p):
            ratio = np.divide(near, far, out=np.zeros_like(near), where=inside)
            inside &= (self._alpha < ratio) & (ratio < self._beta)
        return inside

    def _draw(self, two_good: bool, count: int, rng: np.random.Generator) -> Triplets:
        listed = self._listed[two_good]
        if listed is not None:
            return listed[rng.integers(len(listed), size=count)]
        found = [np.empty((0, 3), np.int64)]
        missing = count
        while missing > 0:
            proposals = self._propose(min(max(1024, 16 * count), _CHUNK), rng)
            inside = proposals[self.contains(proposals)]
            self.proposed += len(proposals)
            self.accepted += len(inside)
            found.append(inside[self._is_two_good(inside) == two_good][:missing])
            missing -= len(found[-1])
        return np.concatenate(found)

    def _propose(self, count: int, rng: np.random.Generator) -> Triplets:
        anchors, others = _places(self._size, count, rng)
        return np.column_stack((anchors, self._order[others + self._start[anchors, None]]))

    def _is_two_good(self, triplets: Triplets) -> NDArray[np.bool_]:
        return self._scores[triplets[:, 0]] > self._scores[triplets[:, 2]]

    def _list_rare_kinds(self, kinds: Iterable[bool]) -> dict[bool, Triplets | None]:
        """For each kind that exists None, or its triplets where rejection would hardly find any.

        Where the pictures are too many to try all triplets, the listed ones are those that many proposals find.
        """
        rng = np.random.default_rng(0)
        probe, times = self._probe(rng)
        listed: dict[bool, Triplets | None] = {}
        everything: Triplets | None = None
        for kind in kinds:
            if times[self._is_two_good(probe) == kind].sum() >= _ENOUGH:
                listed[kind] = None
                continue
            if everything is None:
                everything = self._members(self._candidates(rng))
            of_kind = everything[self._is_two_good(everything) == kind]
            if len(of_kind):
                listed[kind] = of_kind
        if not listed:
            raise CatalogueError(self._why_none())
        return listed

    def _probe(self, rng: np.random.Generator) -> tuple[Triplets, NDArray[np.int64]]:
        """The triplets of D among `_PROBE` proposals, and how often each was proposed."""
        if len(self._sizes) == 1 and self._triples() <= _PROBE:
            triples, times = _proposals_of_few(len(self._scores))
        else:
            triples, times = self._propose(_PROBE, rng), np.ones(_PROBE, np.int64)
        inside = self.contains(triples)
        return triples[inside], times[inside]

    def _members(self, chunks: Iterable[Triplets]) -> Triplets:
        return np.concatenate([np.empty((0, 3), np.int64), *(chunk[self.contains(chunk)] for chunk in chunks)])

    def _candidates(self, rng: np.random.Generator) -> Iterator[Triplets]:
        """All triplets of one group, in chunks; random ones where they are too many."""
        if self._triples() > _MOST_LISTED:
            yield from (self._propose(_CHUNK, rng) for _ in range(_MOST_LISTED // _CHUNK))
            return
        yield from self._all_triples()

    def _all_triples(self) -> Iterator[Triplets]:
        for start, size in zip(np.cumsum(self._sizes) - self._sizes, self._sizes, strict=True):
            members = self._order[start : start + size]
            pairs = np.stack(np.meshgrid(members, members, indexing="ij"), axis=-1).reshape(-1, 2)
            yield from (np.column_stack((np.full(len(pairs), anchor), pairs)) for anchor in members)

    def _triples(self) -> float:
        """How many triples of pictures of one group there are."""
        return float(np.sum(self._sizes.astype(np.float64) ** 3))

    def _stands_for(self, triplets: Triplets) -> NDArray[np.float64]:
        """1 / the probability of each proposal, (n,)."""
        return len(self._scores) * np.square(self._size[triplets[:, 0]].astype(np.float64))

    def _counted(self) -> SizeOfD:
        found = self._members(self._all_triples())
        return SizeOfD(len(found), 0.0, float(1 - (1 / self._stands_for(found)).sum()), int(self._triples()))

    def _why_none(self) -> str:
        return (
            f"no three of the {len(self._scores)} pictures of one source have scores with {self._alpha:g} < "
            f"abs(S(a) - S(p)) / abs(S(x) - S(n)) < {self._beta:g}; "
            "give more pictures of more different scores, or move alpha and beta apart"
        )


def _places(size: NDArray[np.int64], count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Triplets]:
    """``count`` anchors, (count,), and the places of two more pictures in the group of each, (count, 2).

    Args:
        size: of the group of each picture, (pictures,).
        count: how many.
        rng: what decides.
    """
    anchors = rng.integers(len(size), size=count)
    return anchors, rng.integers(size[anchors, None], size=(count, 2))


@lru_cache(maxsize=4)
def _proposals_of_few(pictures: int) -> tuple[Triplets, NDArray[np.int64]]:
    """The different triples among `_PROBE` proposals of so many pictures of one group, and how often each is proposed.

    They are the same whatever the scores are, and training draws among a few pictures at every step.
    """
    anchors, others = _places(np.full(pictures, pictures), _PROBE, np.random.default_rng(0))
    shape = (pictures, pictures, pictures)
    times = np.bincount(np.ravel_multi_index((anchors, *others.T), shape))
    proposed = np.flatnonzero(times)
    return np.stack(np.unravel_index(proposed, shape), axis=1), times[proposed]


def _check_bounds(alpha: float, beta: float) -> None:
    """With r the ratio of the picture next to the negative, the other's is r / (1 + r): both fit only in this case."""
    if not (0 <= alpha < 1 and alpha / (1 - alpha) < beta < float("inf")):
        raise ConfigError(
            f"alpha {alpha:g} and beta {beta:g} let no triplet pass: alpha is at least 0 and below beta / (1 + beta), "
            "as in the usual 0.3 and 0.7"
        )


def _check_pictures(scores: ArrayLike, groups: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values = np.asarray(scores, np.float64)
    sources = np.zeros(values.shape, np.int64) if groups is None else np.asarray(groups, np.int64)
    if values.ndim != 1 or values.shape != sources.shape:
        raise CatalogueError(f"one score and one group a picture, not shapes {values.shape} and {sources.shape}")
    if len(values) < 3:
        raise CatalogueError(f"a triplet takes three rated pictures, there are {len(values)}; give more")
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise CatalogueError(f"the score of picture {first} (counted from 0) is not a finite number; leave it out")
    return values, sources
