"""Stars to a taste: learnt, measured on days that it was not learnt from, and kept only where it gains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from aesth.apps.bursts import Embeddings
from aesth.apps.personal.agreement import Gain, gain_of
from aesth.apps.personal.groups import LEAST_GROUPS
from aesth.apps.personal.ridge import RIDGE, Leaning, Numbers, fit_leaning
from aesth.taste import Taste, directions

LEAST_RATINGS = 30
"""With fewer ratings or choices the general score is kept."""

MOST_RATINGS = 10_000
"""Of more ratings so many should be drawn: a taste gains little by more, and pairs are counted."""

FOLDS, REPEATS = 10, 2
"""The groups are divided so often, in so many parts, to foretell each by the others."""

_DIGITS = 6


class Verdict(Enum):
    """What came of learning, in words."""

    LEARNT = "learnt"
    TOO_FEW = "too few ratings or choices"
    ALL_EQUAL = "all ratings are the same"
    TOO_FEW_GROUPS = "too few days or takes"
    NO_GAIN = "no sure gain"


@dataclass(frozen=True)
class Learnt:
    """What came of learning.

    Attributes:
        verdict: whether there is a taste, or why the general score is kept.
        answers: how many ratings or choices it was learnt from.
        groups: in how many groups of photos.
        gain: of the taste, measured on groups that it was not learnt from; None where nothing could be measured.
        taste: None where the general score is kept.
    """

    verdict: Verdict
    answers: int
    groups: int
    gain: Gain | None = None
    taste: Taste | None = None


def learn_from_stars(
    stars: Numbers, embeddings: Embeddings, groups: NDArray[np.intp], model: str, ridge: float = RIDGE
) -> Learnt:
    """A person's taste by the stars that they gave, if it orders photos of other days more as they did.

    Args:
        stars: 1-5, 0 for a reject, (n,).
        embeddings: of the photos, (n, d).
        groups: which photos must not be learnt from to foretell one another, (n,); see `aesth.apps.personal.groups`.
        model: what the embeddings are of, as photos remember it.
        ridge: see `aesth.apps.personal.ridge`.
    """
    nothing = Learnt(Verdict.TOO_FEW, len(stars), len(np.unique(groups)))
    if len(stars) < LEAST_RATINGS:
        return nothing
    if np.ptp(stars) == 0:
        return replace(nothing, verdict=Verdict.ALL_EQUAL)
    if nothing.groups < LEAST_GROUPS:
        return replace(nothing, verdict=Verdict.TOO_FEW_GROUPS)
    points = embeddings.astype(np.float64)
    norms, pointing = np.linalg.norm(points, axis=-1), directions(points)
    foretold = foretell(norms, pointing, stars, groups, ridge)
    gain = gain_of(norms, foretold, stars, groups)
    if not gain.is_sure:
        return replace(nothing, verdict=Verdict.NO_GAIN, gain=gain)
    taste = make_taste(fit_leaning(norms, pointing, stars, ridge), norms, foretold, model)
    return conclude(replace(nothing, gain=gain), taste, "stars")


def foretell(
    norms: Numbers, pointing: Numbers, stars: Numbers, groups: NDArray[np.intp], ridge: float = RIDGE
) -> Numbers:
    """The norm that this person would give to each photo, by what others groups than its own tell of them: (n,).

    Args:
        norms: (n,).
        pointing: directions of length 1, (n, d).
        stars: (n,).
        groups: (n,).
        ridge: see `aesth.apps.personal.ridge`.
    """
    foretold = np.zeros(len(norms))
    for left_out in _parts(groups):
        leaning = fit_leaning(norms[~left_out], pointing[~left_out], stars[~left_out], ridge)
        foretold[left_out] += leaning(pointing[left_out]) / REPEATS
    return norms + foretold


def make_taste(leaning: Leaning, norms: Numbers, foretold: Numbers, model: str) -> Taste:
    """A taste by which photos are spread over the scores as the general score spreads them.

    Args:
        leaning: what is added to norms.
        norms: of the photos that it was learnt from, (n,).
        foretold: the norms that the person would give them, by what was learnt from others, (n,).
        model: what the embeddings are of.
    """
    slope = min(float(norms.std() / max(foretold.std(), np.finfo(float).tiny)), 1.0)
    shift = float(norms.mean() - slope * foretold.mean()) - slope * float(leaning.middle @ leaning.weights)
    weights = [_rounded(slope * float(weight)) for weight in leaning.weights]
    return Taste(model, _rounded(slope), _rounded(shift), np.array(weights))


def conclude(learnt: Learnt, taste: Taste, source: str) -> Learnt:
    """What came of learning where a taste did, which tells of ``source``, ``stars`` or ``choices``, date and gain."""
    told = {"from": source, "answers": learnt.answers, "groups": learnt.groups}
    figures = {name: round(share, 4) for name, share in asdict(learnt.gain).items()} if learnt.gain else {}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(learnt, verdict=Verdict.LEARNT, taste=replace(taste, date=date, learnt=told | figures))


def _parts(groups: NDArray[np.intp]) -> Iterator[NDArray[np.bool_]]:
    """Which photos are left out, in turn: whole groups, and each photo ``REPEATS`` times."""
    random = np.random.default_rng(0)
    numbers = np.unique(groups, return_inverse=True)[1]
    number = int(numbers.max()) + 1
    for _ in range(REPEATS):
        parts = (random.permutation(number) % min(FOLDS, number))[numbers]
        for part in range(min(FOLDS, number)):
            yield parts == part


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
