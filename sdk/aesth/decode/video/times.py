"""When frames are shown, in seconds from the start of the video, as players count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

Shown: TypeAlias = tuple[float, VideoFrame]
"""Seconds from the start, and the frame that is shown then."""

_USUAL_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A packet with the time at which its frame is shown."""

    packet: Packet[VideoStream]
    seconds: float
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class Times:
    """How the numbers in a file mean seconds.

    Attributes:
        base: seconds of one unit.
        origin: seconds that the file gives to the start of the video.
        rate: frames a second, for files whose frames have no times.
        are_unknown: whether frames have no times, as in streams without a container.
    """

    base: Fraction
    origin: float
    rate: Fraction
    are_unknown: bool

    @classmethod
    def of(cls, container: InputContainer, stream: VideoStream) -> Times:
        """The times of a stream."""
        base = stream.time_base or Fraction(1, av.time_base)
        start = container.start_time
        origin = start / av.time_base if start is not None else float((stream.start_time or 0) * base)
        unknown = stream.start_time is None and start is None
        return cls(base, origin, stream.average_rate or _USUAL_RATE, unknown)

    def stamp(self, packet: Packet[VideoStream]) -> Stamped:
        """``packet`` with its time."""
        number = packet.pts if packet.pts is not None else packet.dts
        return Stamped(packet, self._seconds(number or 0), packet.is_keyframe)

    def tell(self, frames: Iterable[VideoFrame]) -> Iterator[Shown]:
        """``frames`` with their times, which never go back."""
        latest = 0.0
        for number, frame in enumerate(frames):
            told = self._seconds(frame.pts) if frame.pts is not None else float(number / self.rate)
            latest = max(latest, told)
            yield latest, frame

    def stored(self, seconds: float, units: int) -> int:
        """The number, in ``units`` a second, that the file gives to a time."""
        return math.floor((seconds + self.origin) * units)

    def _seconds(self, number: int) -> float:
        return float(number * self.base) - self.origin


def thinned(shown: Iterable[Shown], every: float) -> Iterator[Shown]:
    """The first frame of every ``every`` seconds."""
    last = -1
    for time, frame in shown:
        if (span := math.floor(time / every)) > last:
            last = span
            yield time, frame


def duration_of(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds that the pictures last; None if the file does not tell."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else None


def moment_of(metadata: Mapping[str, str]) -> datetime | None:
    """When the video was recorded: by the camera's clock where it tells its time zone, else by universal time."""
    for key in ("com.apple.quicktime.creationdate", "creation_time", "date"):
        try:
            return datetime.fromisoformat(metadata[key])
        except (KeyError, ValueError):
            continue
    return None
