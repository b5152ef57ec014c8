"""Choices between two photos: logistic ridge regression over the general score (Bradley and Terry, 1952).

The chance that a person prefers one photo to another is the logistic function of a difference: ``share`` times that of
the norms, in deviations, plus ``weights`` times that of the directions. The weights are drawn to 0 and the share to
what is usual, the more the fewer choices there are. The mode is found by Newton's method among choices, not dimensions
(Rasmussen and Williams 2006, algorithm 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aesth.apps.bursts import Embeddings
from aesth.apps.personal.agreement import gain_of_choices
from aesth.apps.personal.groups import LEAST_GROUPS
from aesth.apps.personal.learning import LEAST_RATINGS, Learnt, Verdict, conclude, make_taste
from aesth.apps.personal.ridge import Leaning, Numbers
from aesth.taste import directions

CHOICE_RIDGE = 2.0
"""Penalty of the squared weights of directions."""

USUAL_SHARE, SHARE_RIDGE = 1.0, 4.0
"""Weight of a norm that is one deviation higher, for most people, and how much it is held there."""

LEAST_SHARE = 0.25

MOST_CHOICES = 500
"""Of more choices the last are used."""

_STEPS, _CLOSE, _EXACT = 30, 1e-6, 1e-9

Pairs: TypeAlias = NDArray[np.intp]
"""(n, 2): the number of the photo that was preferred, and of the other."""

Differences: TypeAlias = tuple[Numbers, Numbers]
"""Of the norms, (n,), and of the directions, (n, d), of n pairs."""


@dataclass(frozen=True, eq=False)
class Preference:
    """What choices tell of a person.

    Attributes:
        share: of the norm, in deviations of the photos to choose from.
        weights: of directions, (d,).
        told: how much each choice told, the slope of its chance, up to 1/4 for one that nobody could foretell, (n,).
    """

    share: float
    weights: Numbers
    told: Numbers


@dataclass(frozen=True, eq=False)
class Looks:
    """Photos to choose from, as regression sees them.

    Attributes:
        norms: in deviations from their mean, (n,).
        directions: of length 1, (n, d).
    """

    norms: Numbers
    directions: Numbers

    @classmethod
    def of(cls, embeddings: Embeddings) -> Looks:
        """How photos of these embeddings, (n, d), look."""
        points = embeddings.astype(np.float64)
        norms = np.linalg.norm(points, axis=-1)
        spread = float(norms.std()) if len(norms) else 0.0
        return cls((norms - norms.mean()) / (spread or 1.0) if len(norms) else norms, directions(points))

    def differences(self, pairs: Pairs) -> Differences:
        """How the photos of pairs differ."""
        first, second = pairs[:, 0], pairs[:, 1]
        return self.norms[first] - self.norms[second], self.directions[first] - self.directions[second]


def covariance(one: Differences, other: Differences, ridge: float = CHOICE_RIDGE) -> Numbers:
    """How much the differences of some pairs, (n,), tell beforehand of those of others, (m,): (n, m)."""
    told: Numbers = np.outer(one[0], other[0]) / SHARE_RIDGE + one[1] @ other[1].T / ridge
    return told


def fit_preference(looks: Looks, pairs: Pairs, ridge: float = CHOICE_RIDGE) -> Preference:
    """The likeliest preference of a person who made these choices."""
    differences = looks.differences(pairs)
    known = covariance(differences, differences, ridge)
    usual = USUAL_SHARE * differences[0]
    slopes, told = _mode(known, usual)
    share = USUAL_SHARE + float(differences[0] @ slopes) / SHARE_RIDGE
    return Preference(max(share, LEAST_SHARE), differences[1].T @ slopes / ridge, told)


def _mode(known: Numbers, usual: Numbers) -> tuple[Numbers, Numbers]:
    """Where the likelihood, as the prior weighs it, is highest.

    Args:
        known: covariance of the differences of the choices beforehand, (n, n).
        usual: what is expected of them beforehand, (n,).

    Returns:
        The slopes of the log likelihood there, of which the mode is ``known @ slopes``; and those of the chances, (n,).
    """
    moved, slopes, told = np.zeros_like(usual), np.zeros_like(usual), np.full_like(usual, 0.25)
    for _ in range(_STEPS if len(usual) else 0):
        chance = logistic(usual + moved)
        told = np.maximum(chance * (1 - chance), 1e-12)
        root = np.sqrt(told)
        aim = told * moved + 1 - chance
        slopes = aim - root * _solved(np.eye(len(usual)) + root[:, None] * known * root, root * (known @ aim))
        before, moved = moved, known @ slopes
        if np.abs(moved - before).max() < _CLOSE:
            break
    return slopes, told


def _solved(matrix: Numbers, target: Numbers) -> Numbers:
    """The solution of ``matrix @ x = target``, for a matrix that is positive definite, by conjugate gradients.

    The matrices are small and near to the identity, and there are many: LAPACK's threads take a hundred times as long
    on a busy machine.
    """
    found, left = np.zeros_like(target), target.copy()
    step, length = left.copy(), float(left @ left)
    enough = _EXACT**2 * length
    for _ in range(2 * len(target)):
        if length <= enough:
            break
        along = matrix @ step
        far = length / float(step @ along)
        found += far * step
        left -= far * along
        before, length = length, float(left @ left)
        step = left + length / before * step
    return found


def logistic(difference: Numbers) -> Numbers:
    """The chance that a difference makes of it, 0-1."""
    chance: Numbers = 1 / (1 + np.exp(-np.clip(difference, -500, 500)))
    return chance


def learn_from_choices(
    pairs: Pairs, embeddings: Embeddings, groups: NDArray[np.intp], model: str, ridge: float = CHOICE_RIDGE
) -> Learnt:
    """A person's taste by the choices that they made, if it foretells others of them better than the general score.

    Each choice is foretold by those that share no group of photos with it. Pairs that were asked for since they are
    hard to foretell are harder than others, for both scores.

    Args:
        pairs: choices.
        embeddings: of the photos, (n, d).
        groups: of the photos, (n,); see `aesth.apps.personal.groups`.
        model: what the embeddings are of, as photos remember it.
        ridge: penalty of the squared weights.
    """
    pairs = pairs[-MOST_CHOICES:]
    used = np.unique(pairs)
    nothing = Learnt(Verdict.TOO_FEW, len(pairs), len(np.unique(groups[used])))
    if len(pairs) < LEAST_RATINGS:
        return nothing
    if nothing.groups < LEAST_GROUPS:
        return replace(nothing, verdict=Verdict.TOO_FEW_GROUPS)
    looks = Looks.of(embeddings)
    gain = gain_of_choices(looks.differences(pairs)[0], foretell_choices(looks, pairs, groups, ridge))
    if not gain.is_sure:
        return replace(nothing, verdict=Verdict.NO_GAIN, gain=gain)
    norms = np.linalg.norm(embeddings.astype(np.float64), axis=-1)
    found = fit_preference(looks, pairs, ridge)
    leaning = Leaning(found.weights * float(norms.std()) / found.share, looks.directions[used].mean(axis=0))
    foretold = norms[used] + leaning(looks.directions[used])
    return conclude(replace(nothing, gain=gain), make_taste(leaning, norms[used], foretold, model), "choices")


def foretell_choices(looks: Looks, pairs: Pairs, groups: NDArray[np.intp], ridge: float = CHOICE_RIDGE) -> Numbers:
    """By how much the photo that was chosen should win, as the choices that share no group with it tell: (n,)."""
    of = groups[pairs]
    norms, pointing = looks.differences(pairs)
    foretold = np.empty(len(pairs))
    for number, both in enumerate(of):
        apart = ~np.isin(of, both).any(axis=1)
        found = fit_preference(looks, pairs[apart], ridge)
        foretold[number] = found.share * norms[number] + pointing[number] @ found.weights
    return foretold
