"""From space to scale (paper, section 5.4): embedding -> norm -> score 0-100 -> stars.

A raw norm means nothing to a photographer. The score is the percentile of the norm among a reference set of ordinary
photos: 70 says "more pleasing than 70 of 100 ordinary photos". Stars cut that scale at fixed points.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

CutPoints = tuple[float, float, float, float]

DEFAULT_CUT_POINTS: CutPoints = (10.0, 35.0, 70.0, 93.0)


def norm(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean length of each embedding: (n, d) -> (n,)."""
    lengths: NDArray[np.float32] = np.linalg.norm(embeddings, axis=-1).astype(np.float32)
    return lengths


@dataclass(frozen=True)
class Scale:
    """The mapping from norm to score, kept as the quantiles of a reference set.

    Attributes:
        norms: increasing norms at the percentiles 0 to 100, evenly spaced. Norms outside score 0 and 100.
        reference: which photos the quantiles were taken from, in words.
    """

    norms: tuple[float, ...]
    reference: str = ""

    @classmethod
    def fit(cls, norms: ArrayLike, reference: str, knots: int = 101) -> Scale:
        """The scale whose scores are percentiles among ``norms``, (n,)."""
        quantiles = np.quantile(np.asarray(norms, np.float64), np.linspace(0, 1, knots))
        return cls(tuple(round(float(value), 6) for value in quantiles), reference)

    def score(self, norms: ArrayLike) -> NDArray[np.float64]:
        """Scores 0-100 of ``norms``; monotone, linear between the stored quantiles."""
        percentiles = np.linspace(0, 100, len(self.norms))
        return np.interp(np.asarray(norms, np.float64), self.norms, percentiles)

    def to_json(self) -> str:
        """The mapping as the text stored under ``aesth.scale``."""
        return json.dumps({"norms": self.norms, "reference": self.reference})

    @classmethod
    def from_json(cls, text: str) -> Scale:
        """The mapping stored in an ONNX file.

        Raises:
            ValueError: the text is no such mapping, or its norms do not increase.
        """
        fields = json.loads(text)
        norms = tuple(float(value) for value in fields["norms"])
        if len(norms) < 2 or any(low > high for low, high in pairwise(norms)):
            raise ValueError("the norms of a scale must increase")
        return cls(norms, str(fields.get("reference", "")))


def stars(score: float, cut_points: CutPoints = DEFAULT_CUT_POINTS) -> int:
    """Stars 1-5 of a score or percentile: one more for every cut point that it reaches."""
    return 1 + bisect_right(cut_points, score)


def relative_percentiles(scores: Sequence[float]) -> NDArray[np.float64]:
    """Rank of each score within ``scores`` as a percentile: the share below plus half the share that ties.

    Equal scores get equal percentiles; a single photo gets 50.
    """
    values = np.asarray(scores, np.float64)
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    return 50.0 * (below + not_above) / max(len(values), 1)


def relative_stars(scores: Sequence[float | None], cut_points: CutPoints = DEFAULT_CUT_POINTS) -> Iterator[int | None]:
    """Stars of each score by its rank within ``scores``; None where there is no score."""
    percentiles = iter(relative_percentiles([score for score in scores if score is not None]))
    for score in scores:
        yield None if score is None else stars(float(next(percentiles)), cut_points)
