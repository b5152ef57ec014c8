"""Which photos are takes of one moment: bursts, of which one is kept, and what belongs together as a whole.

Photos of one camera that follow one another quickly are a series. In it, shots that were exposed differently on purpose
are a bracket, and shots between which the camera was turned on and on are a panorama: a photo is made of all of them,
so none is the best. Of the others, those that look alike are a burst.
Alike is told by the distance between embeddings relative to their lengths, so that it means the same for every model.

Measured on 70 photos of BSDS500 and Corel-1k with `lite-int8`: crops, turns and zooms of one scene are at most 0.42
apart, exposures one stop apart 0.41, three stops apart 1.2; a slightly blurred frame is half of the time 0.7 and at
most 1.2 from a sharp one; and of two photos of different scenes 5 in 100 are nearer than 1.03.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from aesth.apps.moves import Small, move
from aesth.metadata import Capture, Exposure, ExposureMode

Embeddings = NDArray[np.float32]

GAP = 2.0
"""Seconds from the end of one exposure to the start of the next, at most, within a series."""
SAME_SCENE = 1.0
"""Distance of two photos of a burst at most, in units of the geometric mean of their lengths."""
SAME_SCENE_OTHERWISE_EXPOSED = 1.3
"""The same for two shots of a bracket that follow one another."""
STEP = 0.3
"""Stops between two shots of a bracket at least; cameras step by thirds at least."""
SAME_LEVEL = 1 / 6
"""Exposures that differ by fewer stops are the same step of a bracket."""

_TICK = 1e-3
"""Seconds by which computed times may be off."""


TURN, STRAY = 0.15, 0.15
"""Share of a photo by which the view moves on, at least, between two shots of a panorama, and strays aside at most."""
OVERLAP = 0.65
"""Correlation of what two shots of a panorama both show, at least.

Of windows of 90 photos of OASIS, each moved by 40 to 62 % of its width, exposed a little differently and noisy, 95 in
100 pairs had 0.81 or more, and every move was found; of 200 pairs of different photos none had more than 0.53.
"""
UNHURRIED = 0.4
"""Seconds from one shot of a panorama to the next at least: a camera that follows what moves takes them faster."""


class Kind(Enum):
    """What a group of photos is."""

    BURST = "burst"
    BRACKET = "bracket"
    PANORAMA = "panorama"


@dataclass(frozen=True, slots=True)
class Group:
    """Two photos or more that belong together.

    Attributes:
        kind: whether one of them is to be kept, or all.
        members: their numbers, in the order in which they were taken.
    """

    kind: Kind
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """A photo with the start and the end of its exposure, in seconds."""

    number: int
    start: float
    end: float


def find_series(captures: Sequence[Capture], gap: float = GAP) -> list[list[int]]:
    """Photos that one camera took in quick succession: lists of two or more numbers, as taken, the earliest list first.

    Photos of one moment stay in the order given, since many cameras tell whole seconds alone.

    Args:
        captures: of each photo; those without a time are in no series.
        gap: seconds between the end of one exposure and the start of the next.
    """
    return [[span.number for span in spans] for spans in _series(captures, gap)]


def find_groups(
    captures: Sequence[Capture],
    embeddings: Embeddings,
    gap: float = GAP,
    same_scene: float = SAME_SCENE,
    views: Sequence[Small] | None = None,
) -> list[Group]:
    """The bursts, brackets and panoramas among photos, in the order in which they begin.

    Args:
        captures: of each photo.
        embeddings: the point of each photo in the aesthetic space, (n, d).
        gap: seconds between two photos of a group, as in `find_series`.
        same_scene: distance between two photos of a burst; relative, 1.41 if they have nothing in common.
        views: a small copy of each photo, as `moves.small_copy` makes it; None finds no panoramas.
    """
    found: list[tuple[float, Group]] = []
    for series in _series(captures, gap):
        brackets = list(_brackets(series, captures, embeddings))
        rest = _without(series, brackets)
        panoramas = list(_panoramas(rest, views)) if views is not None else []
        bursts = _bursts(_without(rest, panoramas), embeddings, gap, same_scene)
        for kind, groups in ((Kind.BRACKET, brackets), (Kind.PANORAMA, panoramas), (Kind.BURST, bursts)):
            found += [(spans[0].start, _group(kind, spans)) for spans in groups]
    return [group for _, group in sorted(found, key=lambda item: item[0])]


def distances(one: Embeddings, others: Embeddings) -> NDArray[np.float64]:
    """How far a point, (d,), is from others, (n, d), in units of the geometric mean of the two lengths: (n,)."""
    point, points = one.astype(np.float64), others.astype(np.float64)
    lengths = np.sqrt(np.linalg.norm(point) * np.linalg.norm(points, axis=-1))
    apart: NDArray[np.float64] = np.linalg.norm(points - point, axis=-1) / np.maximum(lengths, np.finfo(float).tiny)
    return apart


def _without(series: Sequence[_Span], groups: Sequence[Sequence[_Span]]) -> list[_Span]:
    taken = {span.number for group in groups for span in group}
    return [span for span in series if span.number not in taken]


def _group(kind: Kind, spans: Sequence[_Span]) -> Group:
    return Group(kind, tuple(span.number for span in spans))


def _series(captures: Sequence[Capture], gap: float) -> list[list[_Span]]:
    cameras: dict[tuple[str, str, str], list[int]] = {}
    for number, capture in enumerate(captures):
        if capture.taken is not None:
            cameras.setdefault(capture.camera, []).append(number)
    found = [series for numbers in cameras.values() for series in _chains(_spans(captures, numbers), gap)]
    return sorted((series for series in found if len(series) > 1), key=lambda series: series[0].start)


def _spans(captures: Sequence[Capture], numbers: Sequence[int]) -> list[_Span]:
    """Photos of one camera in the order in which they were taken.

    By universal time where all tell their time zone, else all by the camera's clock, so that one clock is read.
    """
    moments = [(number, captures[number].taken) for number in numbers]
    zoned = all(moment is not None and moment.tzinfo is not None for _, moment in moments)
    starts = [(number, _seconds(moment, zoned=zoned)) for number, moment in moments if moment is not None]
    spans = [_Span(number, start, start + (captures[number].exposure.seconds or 0)) for number, start in starts]
    return sorted(spans, key=lambda span: span.start)


def _seconds(moment: datetime, *, zoned: bool) -> float:
    return (moment if zoned else moment.replace(tzinfo=UTC)).timestamp()


def _chains(spans: Sequence[_Span], gap: float) -> Iterator[list[_Span]]:
    """``spans``, in order, cut where more than ``gap`` seconds passed in which nothing was exposed."""
    chain: list[_Span] = []
    end = -math.inf
    for span in spans:
        if chain and span.start - end > gap + _TICK:
            yield chain
            chain = []
        chain.append(span)
        end = max(end, span.end) if len(chain) > 1 else span.end
    if chain:
        yield chain


def _brackets(series: Sequence[_Span], captures: Sequence[Capture], embeddings: Embeddings) -> Iterator[list[_Span]]:
    """Shots of a series, one after the other, of which each was exposed differently on purpose.

    Two alone may be a photo and its correction: they are a bracket if the camera says so, or nothing else was taken.
    """
    for stretch in _stretches(series, captures, embeddings):
        exposures = [captures[span.number].exposure for span in stretch]
        for shots in _cut_at_repetition(stretch, _levels(exposures)):
            told = all(captures[span.number].exposure.mode is ExposureMode.BRACKET for span in shots)
            if len(shots) > 2 or (len(shots) == 2 and (told or len(series) == 2)):
                yield shots


def _stretches(series: Sequence[_Span], captures: Sequence[Capture], embeddings: Embeddings) -> Iterator[list[_Span]]:
    stretch = [series[0]]
    for before, after in pairwise(series):
        if _is_step(captures[before.number].exposure, captures[after.number].exposure) and (
            distances(embeddings[before.number], embeddings[[after.number]])[0] <= SAME_SCENE_OTHERWISE_EXPOSED
        ):
            stretch.append(after)
            continue
        yield stretch
        stretch = [after]
    yield stretch


def _is_step(one: Exposure, other: Exposure) -> bool:
    """Whether somebody wanted two exposures to differ; what a camera adapts to the light is no such step."""
    if one.bias is not None and other.bias is not None and abs(one.bias - other.bias) >= STEP:
        return True
    if ExposureMode.AUTO in (one.mode, other.mode):
        return False
    before, after = _stops(one), _stops(other)
    return before is not None and after is not None and abs(before - after) >= STEP


def _stops(exposure: Exposure) -> float | None:
    """How much light falls on the sensor, in stops; sensitivity is left out, as cameras adapt it in manual mode too."""
    if exposure.seconds is None:
        return None
    return math.log2(exposure.seconds) - 2 * math.log2(exposure.aperture or 1)


def _levels(exposures: Sequence[Exposure]) -> list[float]:
    """The steps of a bracket in stops: by the bias, or by time and aperture where the bias stays the same."""
    biases = [exposure.bias or 0.0 for exposure in exposures]
    if max(biases) - min(biases) >= STEP:
        return biases
    return [_stops(exposure) or 0.0 for exposure in exposures]


def _cut_at_repetition(stretch: Sequence[_Span], levels: Sequence[float]) -> Iterator[list[_Span]]:
    """Brackets that follow one another: the next one begins where a step comes again."""
    bracket: list[_Span] = []
    seen: list[float] = []
    for span, level in zip(stretch, levels, strict=True):
        if any(abs(level - other) < SAME_LEVEL for other in seen):
            yield bracket
            bracket, seen = [], []
        bracket.append(span)
        seen.append(level)
    yield bracket


def _panoramas(series: Sequence[_Span], views: Sequence[Small]) -> Iterator[list[_Span]]:
    """Three shots of a series or more, one after the other, between which the view moved on the same way."""
    stretch: list[_Span] = []
    before: tuple[int, int] | None = None
    for span in series:
        way = _way(stretch[-1], span, views) if stretch else None
        if way is None or (before is not None and way != before):
            # Where the way changes, the last shot may be the first of the next panorama, if it is in none yet.
            rest = [] if way is None or len(stretch) > 2 else stretch[-1:]
            if len(stretch) > 2:
                yield stretch
            stretch, way = rest, way if rest else None
        stretch.append(span)
        before = way
    if len(stretch) > 2:
        yield stretch


def _way(one: _Span, other: _Span, views: Sequence[Small]) -> tuple[int, int] | None:
    """Which way the view moved from one shot of a panorama to the next, down and right; None if they are of none."""
    if other.start - one.start < UNHURRIED:
        return None
    moved = move(views[one.number], views[other.number])
    far, aside = sorted((moved.down, moved.right), key=abs, reverse=True)
    if moved.likeness < OVERLAP or abs(far) < TURN or abs(aside) > STRAY:
        return None
    sign = 1 if far > 0 else -1
    return (sign, 0) if far == moved.down else (0, sign)


def _bursts(spans: Sequence[_Span], embeddings: Embeddings, gap: float, same_scene: float) -> list[list[_Span]]:
    """What hangs together by pairs that are near in time and alike; one frame that failed does not cut a burst."""
    starts = np.array([span.start for span in spans])
    points = embeddings[[span.number for span in spans]]
    parents = list(range(len(spans)))
    for first, span in enumerate(spans):
        until = int(np.searchsorted(starts, span.end + gap + _TICK, side="right"))
        near = distances(points[first], points[first + 1 : until]) <= same_scene
        for second in np.flatnonzero(near):
            parents[_root(parents, first + 1 + int(second))] = _root(parents, first)
    members: dict[int, list[_Span]] = {}
    for number, span in enumerate(spans):
        members.setdefault(_root(parents, number), []).append(span)
    return [shots for shots in members.values() if len(shots) > 1]


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number
