"""How popularity is spread over a catalogue (paper, Fig. 4): as numbers and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.errors import CatalogueError, ConfigError
from aesth.training.catalogue import read_faves_lines
from aesth.training.files import replacing
from aesth.training.popularity import popularity

BINS = 20


@dataclass(frozen=True)
class Bin:
    """Pictures whose S is at least ``begin`` and below ``end``; the last bin has those of S = 1, too."""

    begin: float
    end: float
    pictures: int


@dataclass(frozen=True)
class PopularityReport:
    """How popularity is spread over a catalogue. The triplets of Eq. 3 are best spread where it is near uniform.

    Attributes:
        pictures: how many have a popularity.
        unknown: how many have none: seen by at most one person, or liked by more than saw them.
        mean: of S; a uniform S has 0.5.
        deviation: standard deviation of S; a uniform S has 0.29.
        quartiles: of S; a uniform S has 0.25, 0.5, 0.75.
        distance_from_uniform: the largest difference of the distribution of S from a uniform one, 0-1, as the test of
            Kolmogorov and Smirnov has it.
        histogram: of S.
    """

    pictures: int
    unknown: int
    mean: float
    deviation: float
    quartiles: tuple[float, float, float]
    distance_from_uniform: float
    histogram: Sequence[Bin]

    def to_dict(self) -> dict[str, object]:
        """The figures, as JSON has them."""
        return asdict(self)


def popularity_report(listing: Path, bins: int = BINS) -> PopularityReport:
    """The report of a list of faves and views; the pictures need not be there.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong, or the popularity of none is known.
    """
    lines = read_faves_lines(listing)
    every = popularity([line.faves for line in lines], [line.views for line in lines])
    scores = np.sort(every[~np.isnan(every)])
    if not len(scores):
        raise CatalogueError(
            "no line has a popularity, which takes at least two views and no more faves than views", listing
        )
    counts, edges = np.histogram(scores, bins, (0, 1))
    first, median, third = (round(float(value), 4) for value in np.quantile(scores, (0.25, 0.5, 0.75)))
    return PopularityReport(
        len(scores),
        len(every) - len(scores),
        round(float(scores.mean()), 4),
        round(float(scores.std()), 4),
        (first, median, third),
        round(_distance_from_uniform(scores), 4),
        [
            Bin(round(float(begin), 4), round(float(end), 4), int(count))
            for begin, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
    )


def plot_popularity(report: PopularityReport, path: Path) -> None:
    """Draw the histogram into a file of the format that its name ends with, such as ``.png`` or ``.svg``.

    Raises:
        ConfigError: there is no such format, or the file cannot be written.
    """
    from matplotlib.figure import Figure  # only here: slow to import

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    begins, widths = [one.begin for one in report.histogram], [one.end - one.begin for one in report.histogram]
    axes.bar(begins, [one.pictures for one in report.histogram], widths, align="edge", color="#4477aa", edgecolor="w")
    uniform = report.pictures / len(report.histogram)
    axes.axhline(uniform, color="#cc6677", linestyle="--", label="uniform")
    axes.set(xlabel="popularity S = log F / log V", ylabel="pictures", xlim=(0, 1))
    axes.set_title(f"{report.pictures} pictures, mean {report.mean:.2f}")
    axes.legend()
    form = path.suffix.lower().removeprefix(".")
    known = figure.canvas.get_supported_filetypes()
    if form not in known:
        raise ConfigError(f"no plot can be drawn as '{path.suffix}'; one of {', '.join(sorted(known))}", path)
    with replacing(path) as partial:
        figure.savefig(partial, format=form, dpi=150)


def _distance_from_uniform(ordered: NDArray[np.float64]) -> float:
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))
