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


@dataclass(frozen=True, slots=True)
class Beside:
    """What another model makes of the same photo.

    Attributes:
        name: what stands above its map.
        saliency: see `aesth.apps.explain.occlusion`.
        score: 0-100, by that model's own scale.
        effect: what its strongest places do to that score.
    """

    name: str
    saliency: SaliencyMap
    score: float
    effect: Effect


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
    name: str = "",
    beside: Beside | None = None,
) -> UInt8Image:
    """A photo and its map side by side, with its score, the legend and the remarks: sRGB pixels (h, w, 3).

    With ``beside``, the map of another model stands beside the first, each under the name of its model.

    Args:
        image: upright sRGB pixels (h, w, 3).
        saliency: see `aesth.apps.explain.occlusion`.
        score: 0-100.
        rating: stars 1-5.
        effect: what the legend says of the strongest places.
        remarks: a line each.
        notes: lines below the legend.
        full: see `aesth.apps.explain.overlay`.
        name: of the model, where there is another one beside it.
        beside: what the other one makes of it.
    """
    shown = _fitted(image)
    maps = [_Map(f"{name}: {score:.2f}" if beside else "", saliency, effect, tuple(notes))]
    if beside is not None:
        maps.append(_Map(f"{beside.name}: {beside.score:.2f}", beside.saliency, beside.effect, ()))
    layout = _layout(*shown.shape[:2], lines=len(remarks), legends=[one.lines for one in maps], titled=bool(beside))
    page = Image.new("RGB", layout.size, _PAPER)
    pen = ImageDraw.Draw(page)
    _draw_head(pen, score, rating)
    panels = [shown, *(overlay(shown, one.saliency, full) for one in maps)]
    for place, panel in zip(layout.panels, panels, strict=True):
        page.paste(Image.fromarray(panel), place)
    _draw_remarks(pen, remarks, layout.remarks)
    for one, (left, top), legend in zip(maps, layout.panels[1:], layout.legends, strict=True):
        pen.text((left, top - _LINE), _cut(pen, one.title, shown.shape[1]), _INK, ImageFont.load_default(_TEXT))
        _draw_legend(pen, one.effect, one.notes, legend)
    return np.asarray(page)


@dataclass(frozen=True, slots=True)
class _Map:
    """A map, what stands above it, and what its legend says."""

    title: str
    saliency: SaliencyMap
    effect: Effect
    notes: tuple[str, ...]

    @property
    def lines(self) -> int:
        return _LEGEND + len(self.notes)


def _cut(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """As much of the end of a text as has room: names of models end in what tells them apart."""
    font, shown = ImageFont.load_default(_TEXT), text
    while shown and pen.textlength(shown, font) > width:
        shown = "..." + shown.removeprefix("...")[1:] if len(shown) > 4 else ""
    return shown


@dataclass(frozen=True, slots=True)
class _Layout:
    """Width and height of a page, where its pictures are, and where its texts begin, a legend for each map."""

    size: tuple[int, int]
    panels: list[tuple[int, int]]
    remarks: tuple[int, int]
    legends: list[tuple[int, int]]


def _layout(height: int, width: int, *, lines: int, legends: Sequence[int], titled: bool) -> _Layout:
    """Texts stand below the pictures, or beside them where these are narrow."""
    head = _HEAD + _LINE * titled
    panels = [(_MARGIN + number * (width + _GAP), head) for number in range(1 + len(legends))]
    right = panels[-1][0] + width
    if width >= _TEXT_WIDTH:
        below, rows = head + height + _GAP, max(lines, *legends)
        size = right + _MARGIN, below + rows * _LINE + _MARGIN
        return _Layout(size, panels, (_MARGIN, below), [(left, below) for left, _ in panels[1:]])
    left, tops = right + _MARGIN, [head]
    for rows in legends:
        tops.append(tops[-1] + (rows + 1) * _LINE)
    size = left + _TEXT_WIDTH + _MARGIN, max(head + height, tops[-1] + lines * _LINE) + _MARGIN
    return _Layout(size, panels, (left, tops[-1]), [(left, top) for top in tops[:-1]])


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
