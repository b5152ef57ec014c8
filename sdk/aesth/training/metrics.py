"""How well scores agree with ratings, and whether the undamaged photo wins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def srcc(scores: ArrayLike, ratings: ArrayLike) -> float:
    """Spearman's rank correlation of two sequences of n numbers, -1 to 1; ties share their mean rank.

    NaN where one of them is constant.

    Raises:
        ValueError: fewer than two numbers, different lengths, or a number that is not finite.
    """
    first, second = _paired(scores, ratings)
    return plcc(_ranks(first), _ranks(second))


def plcc(scores: ArrayLike, ratings: ArrayLike) -> float:
    """Pearson's linear correlation of two sequences of n numbers, -1 to 1; NaN where one of them is constant.

    Raises:
        ValueError: fewer than two numbers, different lengths, or a number that is not finite.
    """
    first, second = _paired(scores, ratings)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    first, second = _unit(first), _unit(second)
    return float(np.clip(first @ second, -1, 1))


def pair_accuracy(scores: ArrayLike, ratings: ArrayLike, distance: float = 0.0) -> float:
    """Share of the pairs rated more than ``distance`` apart that the scores order as the ratings do (as in Table 2).

    Every pair counts once; equal scores count half, as a guess would. NaN where no pair is that far apart.

    Args:
        scores: what the model says, (n,).
        ratings: what people say, (n,).
        distance: in the unit of ``ratings``, at least 0.

    Raises:
        ValueError: fewer than two numbers, different lengths, a number that is not finite, or a negative distance.
    """
    if not distance >= 0:
        raise ValueError(f"the distance of a pair's ratings is at least 0, not {distance}")
    said, meant = _paired(scores, ratings)
    right, pairs = 0.0, 0
    for i in range(len(meant) - 1):
        gap = meant[i + 1 :] - meant[i]
        far = np.abs(gap) > distance
        agreement = np.sign(gap[far]) * np.sign(said[i + 1 :][far] - said[i])
        right += float(np.sum(agreement + 1)) / 2
        pairs += len(agreement)
    return right / pairs if pairs else float("nan")


def damage_preference(undamaged_scores: ArrayLike, damaged_scores: ArrayLike) -> float:
    """Share of n pairs in which the undamaged photo has the higher score; equal scores count half.

    Args:
        undamaged_scores: scores of the originals, (n,).
        damaged_scores: scores of their damaged copies, (n,), in the same order.

    Raises:
        ValueError: no pairs, different lengths, or a number that is not finite.
    """
    original, damaged = _paired(undamaged_scores, damaged_scores, at_least=1)
    return float(np.mean((np.sign(original - damaged) + 1) / 2))


def _paired(first: ArrayLike, second: ArrayLike, at_least: int = 2) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"two sequences of one length are compared, not shapes {one.shape} and {other.shape}")
    if len(one) < at_least:
        raise ValueError(f"at least {at_least} are needed to compare, not {len(one)}")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("a score or rating is not a finite number")
    return one, other


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return mean_rank


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The deviations from the mean as a vector of length 1; scaled first, so that no square under- or overflows."""
    scaled = values / np.abs(values).max()
    deviation = scaled - scaled.mean()
    deviation /= np.abs(deviation).max()
    unit: NDArray[np.float64] = deviation / np.linalg.norm(deviation)
    return unit
