"""Which two photos to show next: those whose answer is least foreseen, and tells most of a taste."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from aesth.apps.personal.choices import (
    CHOICE_RIDGE,
    SHARE_RIDGE,
    Differences,
    Looks,
    Pairs,
    Preference,
    covariance,
    fit_preference,
    logistic,
)
from aesth.apps.personal.ridge import Numbers

CANDIDATES = 300
"""So many pairs, drawn among the photos that were shown least, are looked at for the next question."""


def next_pair(
    looks: Looks, choices: Pairs, shown: Sequence[tuple[int, int]], random: np.random.Generator
) -> tuple[int, int]:
    """The numbers of two photos to choose from.

    Of pairs drawn at random among the photos that were shown least often, the one of which the answer narrows down the
    person's taste most: the uncertainty of its difference times how open its answer is.

    Args:
        looks: of all photos, two at least.
        choices: so far.
        shown: the pairs that were shown so far.
        random: draws.
    """
    candidates = _draw(len(looks.norms), shown, random)
    found = fit_preference(looks, choices)
    norms, pointing = looks.differences(candidates)
    uncertain = _uncertainty((norms, pointing), looks.differences(choices), found)
    expected = found.share * norms + pointing @ found.weights
    chance = logistic(expected / np.sqrt(1 + np.pi * uncertain / 8))
    first, second = candidates[int(np.argmax(uncertain * chance * (1 - chance)))]
    return int(first), int(second)


def _uncertainty(asked: Differences, known: Differences, found: Preference) -> Numbers:
    """The variance of what pairs differ by that is left after the choices that are known, (n,)."""
    before = asked[0] ** 2 / SHARE_RIDGE + (asked[1] ** 2).sum(axis=1) / CHOICE_RIDGE
    root = np.sqrt(found.told)
    told = covariance(asked, known) * root
    inner = np.eye(len(root)) + root[:, None] * covariance(known, known) * root
    left: Numbers = np.maximum(before - np.sum(told * np.linalg.solve(inner, told.T).T, axis=1), 0)
    return left


def _draw(photos: int, shown: Sequence[tuple[int, int]], random: np.random.Generator) -> Pairs:
    """Pairs of different photos, both among those that were shown least, that were not shown before if possible."""
    often = Counter(number for pair in shown for number in pair)
    by_turn = sorted(range(photos), key=lambda number: (often[number], random.random()))
    least = np.array(by_turn[: max(2, photos // 2)])
    drawn = np.array([random.choice(least, 2, replace=False) for _ in range(CANDIDATES)])
    seen = {frozenset(pair) for pair in shown}
    new = np.array([frozenset(map(int, pair)) not in seen for pair in drawn])
    return drawn[new] if new.any() else drawn
