"""The picture that explains a photo: itself, where its score comes from, and what can be measured of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aesth.apps.explain.heat import LOWERS, RAISES, overlay
from aesth.apps.explain.maps import SaliencyMap
from aesth.apps.explain.words import Remark
from aesth.preprocess import UInt8Image

PANEL = (900, 680)
"""Width and height that each of the two pictures is fitted into."""

_PAPER, _INK, _FAINT, _STAR, _NO_STAR = (255, 255, 255), (28, 28, 30), (110, 110, 115), (230, 160, 0), (215, 215, 220)
_MARGIN, _GAP, _HEAD, _LINE = 32, 16, 72, 30
_TEXT_WIDTH, _COLUMN, _LEGEND = 680, 22, 2
_TITLE, _TEXT = 40, 20
_NOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Effect:
    """What the strongest places do to a score, in points of it.

    Attributes:
        raises: so many points the score falls when the place that raises it most is hidden; at least 0.
        lowers: so many points it rises when the place that lowers it most is hidden; at least 0.
    """

    raises: float
    lowers: float


def draw(
    image: UInt8Image,
    saliency: SaliencyMap,
    *,
    score: float,
    rating: int,
    effect: Effect,
    remarks: Sequence[Remark],
    notes: Sequence[str] = (),
    full: float = 0.0,
) -> UInt8Image:
    """A photo and its map side by side, with its score, the legend and the remarks: sRGB pixels (h, w, 3).

    Args:
        image: upright sRGB pixels (h, w, 3).
        saliency: see `aesth.apps.explain.occlusion`.
        score: 0-100.
        rating: stars 1-5.
        effect: what the legend says of the strongest places.
        remarks: a line each.
        notes: lines below the legend.
        full: see `aesth.apps.explain.overlay`.
    """
    shown = _fitted(image)
    layout = _layout(*shown.shape[:2], lines=len(remarks), notes=len(notes))
    page = Image.new("RGB", layout.size, _PAPER)
    pen = ImageDraw.Draw(page)
    _draw_head(pen, score, rating)
    for number, panel in enumerate((shown, overlay(shown, saliency, full))):
        page.paste(Image.fromarray(panel), (_MARGIN + number * (shown.shape[1] + _GAP), _HEAD))
    _draw_remarks(pen, remarks, layout.remarks)
    _draw_legend(pen, effect, notes, layout.legend)
    return np.asarray(page)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Width and height of a page, and where its texts begin."""

    size: tuple[int, int]
    remarks: tuple[int, int]
    legend: tuple[int, int]


def _layout(height: int, width: int, *, lines: int, notes: int) -> _Layout:
    """Texts stand below the two pictures, or beside them where these are narrow."""
    right = _MARGIN + 2 * width + _GAP
    if width >= _TEXT_WIDTH:
        below, rows = _HEAD + height + _GAP, max(lines, _LEGEND + notes)
        size = right + _MARGIN, below + rows * _LINE + _MARGIN
        return _Layout(size, remarks=(_MARGIN, below), legend=(_MARGIN + width + _GAP, below))
    left, legend = right + _MARGIN, _LEGEND + notes + 1
    size = left + _TEXT_WIDTH + _MARGIN, _HEAD + max(height, (legend + lines) * _LINE) + _MARGIN
    return _Layout(size, remarks=(left, _HEAD + legend * _LINE), legend=(left, _HEAD))


def _fitted(image: UInt8Image) -> UInt8Image:
    height, width = image.shape[:2]
    scale = min(PANEL[0] / width, PANEL[1] / height)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _draw_head(pen: ImageDraw.ImageDraw, score: float, rating: int) -> None:
    text, font = f"{score:.2f}", ImageFont.load_default(_TITLE)
    middle = _HEAD // 2
    pen.text((_MARGIN, middle), text, _INK, font, anchor="lm")
    after = _MARGIN + pen.textlength(text, font) + _GAP
    of, small = "of 100", ImageFont.load_default(_TEXT)
    pen.text((after, middle + _TITLE // 2 - 4), of, _FAINT, small, anchor="lb")
    after += pen.textlength(of, small) + 3 * _GAP
    for star in range(5):
        _draw_star(pen, (after + star * 34, middle), 15, _STAR if star < rating else _NO_STAR)


def _draw_star(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: tuple[int, int, int]
) -> None:
    reaches = (radius * (1 if corner % 2 == 0 else 0.42) for corner in range(10))
    turns = (math.pi * (corner / 5 - 0.5) for corner in range(10))
    pen.polygon(
        [
            (centre[0] + reach * math.cos(turn), centre[1] + reach * math.sin(turn))
            for reach, turn in zip(reaches, turns, strict=True)
        ],
        fill=colour,
    )


def _draw_remarks(pen: ImageDraw.ImageDraw, remarks: Sequence[Remark], place: tuple[int, int]) -> None:
    font = ImageFont.load_default(_TEXT)
    left, top = place
    names = max(pen.textlength(remark.name, font) for remark in remarks) + _COLUMN
    values = max(pen.textlength(remark.value, font) for remark in remarks) + _COLUMN
    for number, remark in enumerate(remarks):
        y = top + number * _LINE
        pen.text((left, y), remark.name, _FAINT, font)
        pen.text((left + names, y), remark.value, _INK, font)
        pen.text((left + names + values, y), remark.words, _INK, font)


def _draw_legend(pen: ImageDraw.ImageDraw, effect: Effect, notes: Sequence[str], place: tuple[int, int]) -> None:
    font, (left, top) = ImageFont.load_default(_TEXT), place
    lines = (
        (RAISES, _legend("raises", effect.raises, "less")),
        (LOWERS, _legend("lowers", effect.lowers, "more")),
    )
    for number, (colour, words) in enumerate(lines):
        y = top + number * _LINE
        pen.rounded_rectangle((left, y + 2, left + 30, y + 20), 4, fill=colour)
        pen.text((left + 44, y), words, _INK, font)
    for number, note in enumerate(notes, len(lines)):
        pen.text((left, top + number * _LINE), note, _FAINT, font)


def _legend(does: str, points: float, then: str) -> str:
    if points < _NOTHING:
        return f"hardly anything {does} this score"
    return f"{does} this score: hidden, up to {points:.1f} points {then}"
