"""Figures as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from aesth.training.files import replacing
from aesth.training.user_study import DISTANCES, PAPER, Row


def plot_study(rows: Sequence[Row], path: Path) -> None:
    """Agreement of people with the scores by score distance, beside the paper's Table 2, and the number of pairs.

    Raises:
        ConfigError: the file cannot be written.
    """
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    distances = [row.distance for row in rows]
    spreads = [row.variance**0.5 for row in rows]
    above.errorbar(distances, [row.mean for row in rows], spreads, marker="o", capsize=3, label="mean, deviation")
    if any(distance in DISTANCES for distance in distances):
        above.plot(DISTANCES, PAPER, color="grey", linestyle="--", label="Schwarz et al. 2018, Table 2")
    above.axhline(0.5, color="lightgrey", linewidth=1)
    above.set_ylim(0, 1.05)
    above.set_ylabel("share that prefers\nthe higher score")
    above.legend(loc="lower right", frameon=False)
    width = 0.5 * min((b - a for a, b in pairwise(distances) if b > a), default=0.1)
    below.bar(distances, [row.pairs for row in rows], width, color="lightsteelblue")
    below.set_ylabel("pairs")
    below.set_xlabel("score distance over")
    FigureCanvasAgg(figure)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=150)
