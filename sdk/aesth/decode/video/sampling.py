"""Which frames of a video are looked at, and which packets must be decoded for them. Knows nothing of a decoder.

Frames between two key frames need those before them. So packets are taken in pieces, from one key frame to the next,
and decoded up to the last frame that is looked at; the rest of the piece is passed over. A key frame, which needs
nothing else, is preferred where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

LONGEST_PIECE = 600
"""Packets held at a time at most; a longer stretch without a key frame is cut, and then decoded whole."""

TICK = 1e-4
"""Seconds by which computed times may be off."""


class Timed(Protocol):
    """What is known of a packet before it is decoded."""

    @property
    def seconds(self) -> float:
        """When its frame is shown."""

    @property
    def is_keyframe(self) -> bool:
        """Whether its frame needs no other."""


_Packet = TypeVar("_Packet", bound=Timed)


@dataclass(frozen=True, slots=True)
class Piece(Generic[_Packet]):
    """Packets that follow one another in the order of decoding.

    Attributes:
        packets: those from one key frame to the next, or a part of them.
        until: when the key frame behind them is shown, infinity at the end of the video; None if what follows needs
            all of them decoded.
    """

    packets: Sequence[_Packet]
    until: float | None


@dataclass(frozen=True, slots=True)
class Wanted(Generic[_Packet]):
    """What is to be done with a piece: decode ``packets``, and look at the frames of these ``times``.

    Attributes:
        packets: the first of the piece, as many as those frames need.
        times: of the frames, in the order in which they are shown.
        ends: whether what follows does not go on from them: the decoder then gives all that it holds.
    """

    packets: Sequence[_Packet]
    times: Sequence[float]
    ends: bool


def pieces(packets: Iterable[_Packet], longest: int = LONGEST_PIECE) -> Iterator[Piece[_Packet]]:
    """``packets``, in the order of decoding, cut before every key frame, and where a piece gets too long."""
    held: list[_Packet] = []
    for packet in packets:
        if held and packet.is_keyframe:
            yield Piece(held, packet.seconds)
            held = []
        elif len(held) == longest:
            yield Piece(held, None)
            held = []
        held.append(packet)
    if held:
        yield Piece(held, math.inf)


class Sampler:
    """Chooses one frame of every ``every`` seconds: a key frame where there is one, else the first.

    Args:
        every: seconds.
    """

    def __init__(self, every: float) -> None:
        if not every > 0:
            raise ValueError(f"frames are taken every so many seconds, more than 0, not {every}")
        self._every = every
        self._last = -math.inf

    def choose(self, piece: Piece[_Packet]) -> Wanted[_Packet]:
        """What to do with the next piece of the video."""
        begin = piece.packets[0].seconds
        shown = sorted(packet.seconds for packet in piece.packets if packet.seconds >= begin)
        # Where the next key frame is in the same span of time as frames before it, that one is taken.
        end = self._span(piece.until) if piece.until is not None else math.inf
        times = []
        for seconds in shown:
            span = self._span(seconds)
            if span > self._last and (span < end or seconds == begin):
                times.append(seconds)
                self._last = span
        if piece.until is None:
            return Wanted(piece.packets, times, ends=False)
        packets = _needed(piece.packets, set(times))
        return Wanted(packets, times, ends=len(packets) < len(piece.packets) or piece.until == math.inf)

    def _span(self, seconds: float) -> float:
        return math.inf if seconds == math.inf else (seconds + TICK) // self._every


def _needed(packets: Sequence[_Packet], times: set[float]) -> Sequence[_Packet]:
    """``packets`` up to the last, in the order of decoding, whose frame is among ``times``."""
    numbers = [number for number, packet in enumerate(packets) if packet.seconds in times]
    return packets[: numbers[-1] + 1] if numbers else packets[:0]
