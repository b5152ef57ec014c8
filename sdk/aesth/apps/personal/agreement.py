"""How well scores order photos as a person did, and whether one score does so better than another.

The measure is the share of pairs: of two photos to which the person gave different stars, the one with more should have
the higher score. Photos of one day resemble one another, so an interval comes from days drawn anew (the bootstrap,
Efron 1979), not from photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aesth.apps.personal.ridge import Numbers

DRAWS = 1000
"""So often is what was measured drawn anew for an interval."""

CONFIDENCE = 0.95

MOST_BUNDLES = 400
"""More groups than these are thrown together at random, which keeps what they share together."""

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Gain:
    """How well two scores agree with one person.

    Attributes:
        general: share of pairs that the general score orders as the person did, 0-1.
        personal: share that the score of the taste does, on photos that it was not learnt from.
        low: lower end of the interval of ``personal - general`` that is right in 95 of 100 cases.
        high: its upper end.
    """

    general: float
    personal: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the taste agrees better, and not by chance."""
        return self.low > 0


def gain_of(general: Numbers, personal: Numbers, stars: Numbers, groups: NDArray[np.intp], seed: int = 0) -> Gain:
    """How much better ``personal`` scores agree with ``stars`` than ``general`` ones do.

    Args:
        general: scores by what people like in common, (n,).
        personal: scores by a taste that was learnt without the photo's group, (n,).
        stars: that the person gave, (n,).
        groups: the number of each photo's group, (n,).
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    bundles = _bundled(groups, random)
    right, pairs = pairs_by_group(general, stars, bundles)
    right_by_taste, _ = pairs_by_group(personal, stars, bundles)
    all_pairs = max(float(pairs.sum()), 1.0)
    drawn = random.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=DRAWS).astype(np.float64)
    more = np.einsum("bi,bi->b", drawn @ (right_by_taste - right), drawn)
    of = np.einsum("bi,bi->b", drawn @ pairs, drawn)
    low, high = interval(more[of > 0] / of[of > 0])
    return Gain(float(right.sum()) / all_pairs, float(right_by_taste.sum()) / all_pairs, low, high)


def gain_of_choices(general: Numbers, personal: Numbers, seed: int = 0) -> Gain:
    """The same of choices between two photos.

    Args:
        general: by how much the photo that was chosen has the higher general score, (n,).
        personal: the same by a taste that was learnt without this choice and those like it, (n,).
        seed: of the draws.
    """
    right, right_by_taste = (np.sign(general) + 1) / 2, (np.sign(personal) + 1) / 2
    random = np.random.default_rng(seed)
    drawn = random.integers(len(right), size=(DRAWS, len(right)))
    low, high = interval((right_by_taste - right)[drawn].mean(axis=1))
    return Gain(float(right.mean()), float(right_by_taste.mean()), low, high)


def interval(drawn: Numbers) -> tuple[float, float]:
    """Between what values all but 5 of 100 draws lie; of no draws, everything is possible."""
    if not len(drawn):
        return -1.0, 1.0
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def pairs_by_group(scores: Numbers, stars: Numbers, groups: NDArray[np.intp]) -> tuple[Numbers, Numbers]:
    """Pairs of photos with different stars, by the groups of the better one and of the other.

    Args:
        scores: of each photo, (n,).
        stars: of each photo, (n,).
        groups: 0 to g - 1, each of which has a photo, (n,).

    Returns:
        How many of the pairs ``scores`` order as ``stars`` do, (g, g), where equal scores count half; and how many
        pairs there are, (g, g).
    """
    order = np.argsort(groups, kind="stable")
    scores, stars, groups = scores[order], stars[order], groups[order]
    starts = np.searchsorted(groups, np.arange(groups[-1] + 1))
    right, pairs = np.zeros((2, len(starts), len(starts)))
    for begin in range(0, len(scores), _BLOCK):
        some = slice(begin, begin + _BLOCK)
        better = stars[some, None] > stars
        halves = better * (1 + np.sign(scores[some, None] - scores)) / 2
        np.add.at(right, groups[some], np.add.reduceat(halves, starts, axis=1))
        np.add.at(pairs, groups[some], np.add.reduceat(better, starts, axis=1, dtype=np.float64))
    return right, pairs


def _bundled(groups: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
    """Groups by numbers from 0 on without a gap, so many at most that their pairs can be counted."""
    numbers: NDArray[np.intp] = np.unique(groups, return_inverse=True)[1]
    number = int(numbers.max()) + 1
    if number <= MOST_BUNDLES:
        return numbers
    return (random.permutation(number) % MOST_BUNDLES)[numbers]
