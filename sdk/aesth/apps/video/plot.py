"""The curve as a picture: PNG or SVG, with the key frames above their peaks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from aesth.apps.video.curve import Curve
from aesth.apps.video.spots import Spot
from aesth.apps.video.timecode import timecode
from aesth.preprocess import UInt8Image
from aesth.scale import CutPoints

WIDTH, HEIGHT = 12.0, 5.2
"""Of the picture, in inches of `DPI` dots."""
DPI = 150
MOST_ABREAST = 8
"""Thumbnails in the row above the curve at most; those of the best spots."""

_INK, _FAINT, _ACCENT, _STARS = "#26323d", "#8d99a5", "#e07a1f", "#d9a514"
_THUMBNAIL = 360
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "aesth",
    "axes.edgecolor": _FAINT,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
}


def thumbnail(image: UInt8Image) -> UInt8Image:
    """A frame (h, w, 3), small enough to keep many of them."""
    small = Image.fromarray(image)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return np.asarray(small)


def draw(
    curve: Curve, spots: Sequence[tuple[Spot, UInt8Image]], title: str, cut_points: CutPoints, target: Path
) -> None:
    """Draw the curve into a file, whose name ends with .png or .svg.

    Args:
        curve: of the video.
        spots: in the order in which they are shown, each with its thumbnail.
        title: what stands above.
        cut_points: scores at which a frame gets 2, 3, 4 and 5 stars, drawn as lines.
        target: the file.

    Raises:
        OSError: it cannot be written.
    """
    shown = sorted(sorted(spots, key=lambda spot: spot[0].rank)[:MOST_ABREAST], key=lambda spot: spot[0].time)
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of a name in PNG; in SVG, the viewer's fonts are used
        figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.045, 0.085, 0.89, 0.555))
        _draw_curve(axes, curve, cut_points)
        figure.text(0.045, 0.965, _drawable(title), fontsize=12, fontweight="bold", va="center")
        places = spread_out([_share(axes, spot.time) for spot, _ in shown], 1 / MOST_ABREAST)
        for (spot, image), place in zip(shown, places, strict=True):
            _draw_spot(figure, axes, curve, spot, image, place)
        figure.savefig(target, dpi=DPI, metadata={"Date": None} if target.suffix == ".svg" else None)


def spread_out(places: Sequence[float], width: float) -> list[float]:
    """Centres of things of the same ``width`` in a row from 0 to 1: near ``places``, in their order, not overlapping.

    Those that would overlap stand together, their middle where the middle of their places is (pool adjacent violators).
    """
    groups: list[tuple[float, int]] = []
    for number, place in enumerate(places):
        total, count = place - number * width, 1
        while groups and groups[-1][0] / groups[-1][1] > total / count:
            before, more = groups.pop()
            total, count = total + before, count + more
        groups.append((total, count))
    starts = [total / count for total, count in groups for _ in range(count)]
    last = 1 - width / 2 - (len(places) - 1) * width
    return [min(max(start, width / 2), last) + number * width for number, start in enumerate(starts)]


def _draw_curve(axes: Axes, curve: Curve, cut_points: CutPoints) -> None:
    for number, score in enumerate(cut_points, start=2):
        axes.axhline(score, color="#e4e8ec", linewidth=0.8, zorder=0)
        place = (1.004, score)
        axes.annotate("★" * number, place, xycoords=("axes fraction", "data"), va="center", color=_STARS, size=8)
    for begin in curve.times[curve.begins][1:]:
        axes.axvline(begin, color="#eef1f4", linewidth=0.8, zorder=0)
    axes.scatter(curve.times, curve.scores, s=7, color="#b9c3cc", linewidths=0, zorder=1)
    for scene in np.split(np.arange(len(curve.times)), np.flatnonzero(curve.begins)[1:]):
        mean, spread = curve.smoothed[scene], 2 * curve.deviation[scene]
        axes.fill_between(curve.times[scene], mean - spread, mean + spread, color="#dbe6f1", linewidth=0, zorder=0.5)
    axes.plot(curve.times, curve.smoothed, color="#2b6cb0", linewidth=1.8, zorder=2)
    axes.set_xlim(curve.times[0], max(curve.times[-1], curve.times[0] + 1))
    axes.set_ylim(0, 100)
    axes.set_ylabel("score")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _clock(seconds)))
    axes.spines[["top", "right"]].set_visible(False)


def _draw_spot(figure: Figure, axes: Axes, curve: Curve, spot: Spot, image: UInt8Image, place: float) -> None:
    """A thumbnail with the time and the score below it, and a line from there to the peak."""
    left, width = axes.get_position().x0, axes.get_position().width
    height, side = 0.19, 0.94 * width / MOST_ABREAST
    inset = figure.add_axes((left + width * place - side / 2, 0.74, side, height), anchor="S")
    inset.imshow(image)
    inset.set_axis_off()
    centre = left + width * place
    figure.text(centre, 0.712, f"{_clock(spot.time)}  ·  {spot.score:.0f}", ha="center", va="center", fontsize=8.5)
    peak = (spot.time, float(np.interp(spot.time, curve.times, curve.smoothed)))
    axes.plot(*peak, "o", color=_ACCENT, markersize=6, zorder=4, clip_on=False)
    axes.annotate(
        "",
        peak,
        (centre, 0.695),
        textcoords="figure fraction",
        arrowprops={"arrowstyle": "-", "color": _ACCENT, "linewidth": 0.9, "alpha": 0.7},
        annotation_clip=False,
    )


def _drawable(text: str) -> str:
    """``text`` with what cannot be drawn, such as control characters, as a question mark in a rhombus."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _share(axes: Axes, time: float) -> float:
    begin, end = axes.get_xlim()
    return (time - begin) / (end - begin)


def _clock(seconds: float) -> str:
    """``1:23``, with hours where there are some."""
    hours, minutes, rest = timecode(max(seconds, 0)).partition(".")[0].split(":")
    return f"{int(hours)}:{minutes}:{rest}" if int(hours) else f"{int(minutes)}:{rest}"
