"""Do people agree with the scores? Pairwise preferences against score distance (paper, section 4, Table 2)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from aesth.errors import CatalogueError
from aesth.scorer import Scorer
from aesth.training.figures import known
from aesth.training.progress import counted

DISTANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)

PAPER = (0.78, 0.85, 0.88, 0.89, 0.89, 0.89)
"""Table 2's mean agreement at `DISTANCES`."""

_PERSON = "vote_"


@dataclass(frozen=True)
class Preference:
    """Two pictures and whom people preferred.

    Attributes:
        left: a picture.
        right: the other one.
        votes_left: people who preferred ``left``.
        votes_right: people who preferred ``right``.
        scores: of ``left`` and ``right``; None where the list has none.
    """

    left: Path
    right: Path
    votes_left: int
    votes_right: int
    scores: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """Of the pairs whose scores are further apart than a distance: a column of Table 2.

    Attributes:
        distance: the scores differ by more than this.
        pairs: so many.
        votes: of people on them.
        mean: over the pairs, of the share of people who prefer the picture with the higher score.
        variance: of that share over the pairs (not of a sample: divided by the number of pairs).
        ks_statistic: of the Kolmogorov-Smirnov test of the shares against the normal distribution of their own mean and
            variance.
        ks_p: a small one says that the shares are not normal. Since mean and variance are taken from the same shares,
            it is larger than it should be: what it rejects is rejected for good.
        u_statistic: of the Mann-Whitney test that ``left`` gets more votes in the pairs in which it has the higher
            score than in those in which it has the lower one. These are different pairs, so that the samples are
            independent; it needs both kinds, as a list has whose sides are random.
        u_p: one-sided; a small one says that people and scores agree.
    """

    distance: float
    pairs: int
    votes: int
    mean: float
    variance: float
    ks_statistic: float
    ks_p: float
    u_statistic: float
    u_p: float

    def to_dict(self) -> dict[str, object]:
        """The figures, rounded for JSON; what cannot be measured is None."""
        return {name: known(_rounded(value)) for name, value in asdict(self).items()}


def read_preferences(listing: Path, folder: Path | None = None) -> list[Preference]:
    """The pairs of a CSV file with a header.

    It has the columns ``left`` and ``right`` (picture files), and either ``votes_left`` and ``votes_right`` (how many
    people preferred each), or a column for every person whose name begins with ``vote_``, in which stands ``left``,
    ``right``, or nothing. ``score_left`` and ``score_right`` may be there, in all lines or none.

    Args:
        listing: the file, in UTF-8.
        folder: what picture names are relative to; the list's own folder if not given.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong; the message names the line.
    """
    rows = csv.DictReader(io.StringIO(_text(listing), newline=""))
    columns = tuple(rows.fieldnames or ())
    people = [name for name in columns if name.startswith(_PERSON)]
    _require(listing, columns, ("left", "right") if people else ("left", "right", "votes_left", "votes_right"))
    scored = {"score_left", "score_right"} & set(columns)
    if scored:
        _require(listing, columns, ("score_left", "score_right"))
    home = listing.parent if folder is None else folder
    found = []
    for row in rows:
        try:
            found.append(_preference(row, people, home, scored=bool(scored)))
        except ValueError as error:
            raise CatalogueError(f"line {rows.line_num}: {error}; correct or remove the line", listing) from error
    if not found:
        raise CatalogueError("there are no pairs in this list", listing)
    return found


def scores_of(preferences: Sequence[Preference], scorer: Scorer | None = None) -> NDArray[np.float64]:
    """Scores of the left and the right picture of each pair, (n, 2).

    Those of the list, or else the model's, from 0 to 1: its percentile divided by 100.

    Args:
        preferences: the pairs.
        scorer: the model; None where all pairs have scores.

    Raises:
        CatalogueError: a picture cannot be scored.
    """
    missing = [picture for pair in preferences if pair.scores is None for picture in (pair.left, pair.right)]
    said: dict[Path, float] = {}
    if missing and scorer is None:
        raise ValueError("these pairs have no scores; give a scorer")
    with counted("pictures", len(set(missing))) if missing else nullcontext(lambda _: None) as advance:
        for scored in scorer.score(dict.fromkeys(missing)) if missing and scorer else ():
            if scored.score is None or scored.path is None:
                reason = scored.error.message if scored.error else "no score"
                raise CatalogueError(f"cannot be scored: {reason}", scored.path) from scored.error
            said[scored.path] = scored.score / 100
            advance(1)
    return np.array([pair.scores or (said[pair.left], said[pair.right]) for pair in preferences], np.float64)


def agreement_by_distance(scores: ArrayLike, votes: ArrayLike, distances: Sequence[float] = DISTANCES) -> list[Row]:
    """Table 2: how many people prefer the picture with the higher score, the further the scores are apart.

    Args:
        scores: of the left and the right picture of each pair, (n, 2).
        votes: people who preferred the left and the right one, (n, 2); at least one for each pair.
        distances: lower bounds of the distances, each at least 0, in the unit of the scores.

    Raises:
        ValueError: shapes differ, a pair has no vote, a number is not finite, or a distance is negative.
    """
    score, vote = np.asarray(scores, np.float64), np.asarray(votes, np.float64)
    if score.shape != vote.shape or score.ndim != 2 or score.shape[1] != 2:
        raise ValueError(f"scores and votes are of pairs, (n, 2), not {score.shape} and {vote.shape}")
    if not np.isfinite(score).all() or not (vote >= 0).all() or not (vote.sum(1) > 0).all():
        raise ValueError("every pair has two finite scores and at least one vote")
    if not all(distance >= 0 for distance in distances):
        raise ValueError("a distance is at least 0")
    return [_row(score[:, 0] - score[:, 1], vote, distance) for distance in distances]


def _row(gap: NDArray[np.float64], votes: NDArray[np.float64], distance: float) -> Row:
    far = np.abs(gap) > distance
    gap, votes = gap[far], votes[far]
    left = votes[:, 0] / votes.sum(1)
    shares = np.where(gap > 0, left, 1 - left)
    mean, variance = (float(shares.mean()), float(shares.var())) if len(shares) else (math.nan, math.nan)
    return Row(
        distance,
        len(gap),
        int(votes.sum()),
        mean,
        variance,
        *_normality(shares),
        *_dependence(left[gap > 0], left[gap < 0]),
    )


def _normality(shares: NDArray[np.float64]) -> tuple[float, float]:
    if len(shares) < 2 or np.ptp(shares) == 0:
        return math.nan, math.nan
    result = stats.kstest((shares - shares.mean()) / shares.std(), "norm")
    return float(result.statistic), float(result.pvalue)


def _dependence(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> tuple[float, float]:
    if not len(higher) or not len(lower):
        return math.nan, math.nan
    result = stats.mannwhitneyu(higher, lower, alternative="greater")
    return float(result.statistic), float(result.pvalue)


def _preference(row: Mapping[str, str | None], people: Sequence[str], home: Path, *, scored: bool) -> Preference:
    left, right = row["left"] or "", row["right"] or ""
    if not left or not right:
        raise ValueError("left and right must not be empty")
    if people:
        said = [(row[person] or "").strip().lower() for person in people]
        wrong = [vote for vote in said if vote not in ("left", "right", "")]
        if wrong:
            raise ValueError(f"a vote is left, right or empty, not {wrong[0]!r}")
        votes = said.count("left"), said.count("right")
    else:
        votes = _count(row["votes_left"]), _count(row["votes_right"])
    if not sum(votes):
        raise ValueError("nobody voted on this pair")
    scores = (_number(row["score_left"]), _number(row["score_right"])) if scored else None
    return Preference(home / left, home / right, *votes, scores)


def _count(text: str | None) -> int:
    stripped = (text or "").strip()
    if not (stripped.isascii() and stripped.isdigit() and len(stripped) < 10):
        raise ValueError(f"votes are a whole number, not {text!r}")
    return int(stripped)


def _number(text: str | None) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the score {text!r} is not a number")
    return number


def _text(listing: Path) -> str:
    try:
        return listing.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise CatalogueError(f"the list of pairs cannot be read ({error.strerror})", listing) from error


def _require(listing: Path, columns: Sequence[str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise CatalogueError(f"line 1: the column {' and '.join(missing)} is missing; add it", listing)


def _rounded(value: float) -> float:
    """To five significant digits, so that small p-values stay what they are."""
    return value if isinstance(value, int) or not math.isfinite(value) else float(f"{value:.5g}")
