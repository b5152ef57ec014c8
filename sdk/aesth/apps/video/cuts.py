"""Which seconds of a video come into its reel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aesth.apps.video.curve import Curve
from aesth.apps.video.spots import Spot, stretch_of

LENGTH = 30.0
"""Seconds of a reel at most."""
SHOT = 4.0
"""Seconds around a spot that are shown, where its scene is as long."""
SHORTEST = 1.0
"""Seconds below which a shot is not worth a cut."""
FALL = 12.0
"""Points that a shot may fall below its spot."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a video, in seconds from its start."""

    start: float
    end: float


def choose_cuts(curve: Curve, spots: Sequence[Spot], length: float = LENGTH, shot: float = SHOT) -> list[Cut]:
    """The stretches around the best spots that fit into ``length`` seconds, in the order in which they are shown.

    None leaves the scene of its spot, or goes where it is much less good; those that meet are one. Where no scene is
    long enough, what is around the best spot is all.
    """
    chosen: list[Cut] = []
    left = length
    for spot in sorted(spots, key=lambda spot: spot.rank):
        cut = _around(spot.time, *stretch_of(curve, spot.time, FALL), min(shot, left))
        if cut.end - cut.start >= min(SHORTEST, length):
            chosen.append(cut)
            left -= cut.end - cut.start
    if not chosen:
        best = min(spots, key=lambda spot: spot.rank).time
        return [Cut(max(0.0, best - min(shot, length) / 2), best + min(shot, length) / 2)]
    return list(_joined(sorted(chosen, key=lambda cut: cut.start)))


def _around(time: float, begin: float, end: float, shot: float) -> Cut:
    """``shot`` seconds around ``time``, moved to lie between ``begin`` and ``end``; all of these if they are fewer."""
    start = max(begin, min(time - shot / 2, end - shot))
    return Cut(start, min(start + shot, end))


def _joined(cuts: Sequence[Cut]) -> Iterator[Cut]:
    """``cuts``, in order, with those that overlap made one."""
    held: Cut | None = None
    for cut in cuts:
        if held is not None and cut.start <= held.end:
            held = Cut(held.start, max(held.end, cut.end))
            continue
        if held is not None:
            yield held
        held = cut
    if held is not None:
        yield held
