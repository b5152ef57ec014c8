"""One person against the crowd: how well the ratings of one agree with the mean ratings of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from aesth.training.catalogue.lines import number, read_text, table, wrong_line

FORMULA = "u / sqrt(v (u + mean of s^2)), with v the variance of the mean ratings, u = v - mean of s^2 / n"
"""Of `one_person`, for people; s is the deviation of the n ratings of a picture."""

_COLUMNS = ("beauty_mean", "beauty_sd")


def one_person(means: ArrayLike, deviations: ArrayLike, raters: ArrayLike = math.inf) -> float:
    """Pearson's correlation, over pictures, of one rating more of each with the mean of those that there are.

    A rating is what all people would say on average, and what is this person's own. The first has the variance u of the
    means, less what the chance of their raters adds to it; the second has that of the ratings of a picture. Some people
    are milder than others in everything. That counts as disagreement here, as if another person rated each picture; one
    person who rates them all agrees rather better.

    Args:
        means: mean rating of each picture, (n,), n at least 2.
        deviations: standard deviation of the ratings of each picture, (n,).
        raters: how many there were of each picture, (n,); without end by default.

    Returns:
        0 to 1; NaN where the means differ no more than by chance.
    """
    mean, square, count = np.asarray(means, float), np.square(np.asarray(deviations, float)), np.asarray(raters, float)
    spread = float(mean.var(ddof=1))
    shared = spread - float((square / count).mean())
    return shared / math.sqrt(spread * (shared + float(square.mean()))) if shared > 0 else math.nan


def crowd_figures(listings: Sequence[Path]) -> dict[str, object] | None:
    """`one_person` of the first list that has the columns ``beauty_mean`` and ``beauty_sd``, and perhaps ``raters``.

    Returns:
        ``correlation``, the number of ``pictures``, and the ``formula``; None where no list has them.

    Raises:
        CatalogueError: a list cannot be read, or has there what is no such number.
    """
    for listing in listings:
        columns = {name.strip() for name in read_text(listing).partition("\n")[0].split(",")}
        if columns.issuperset(_COLUMNS):
            return _figures_of(listing, counted="raters" in columns)
    return None


def _figures_of(listing: Path, *, counted: bool) -> dict[str, object] | None:
    means, deviations, raters = [], [], []
    for line, row in table(listing, _COLUMNS):
        means.append(number(listing, line, row["beauty_mean"], "rating"))
        deviations.append(number(listing, line, row["beauty_sd"], "deviation"))
        raters.append(number(listing, line, row["raters"], "number of raters") if counted else math.inf)
        if deviations[-1] < 0 or raters[-1] < 1:
            raise wrong_line(listing, line, "a deviation is at least 0, and there is at least one rater")
    found = one_person(means, deviations, raters) if len(means) > 1 else math.nan
    correlation = None if math.isnan(found) else round(found, 4)
    return {"correlation": correlation, "pictures": len(means), "formula": FORMULA}
