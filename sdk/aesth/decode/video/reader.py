"""Frames of a video, upright and with their times: every one, or one every so often."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from aesth.cores import usable_cores
from aesth.decode.video.opening import foreign_errors, open_container, picture_of
from aesth.decode.video.pixels import Converter
from aesth.decode.video.sampling import TICK, Sampler, pieces
from aesth.decode.video.times import Shown, Times, duration_of, moment_of, thinned
from aesth.errors import DecodeError
from aesth.preprocess import UInt8Image


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A video still.

    Attributes:
        time: seconds from the start of the video, as players count.
        image: upright sRGB pixels, (h, w, 3).
    """

    time: float
    image: UInt8Image


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A video still that is decoded and whose pixels are not made yet.

    Attributes:
        time: seconds from the start of the video, as players count.
    """

    time: float
    _frame: VideoFrame
    _whole: Converter
    _squashed: Converter

    @property
    def luma(self) -> NDArray[np.float32]:
        """Its luma, 0-255, (h, w), squashed to the size that was asked for; how it lies is not told."""
        return self._squashed.luma(self._frame)

    def whole(self) -> Frame:
        """All of its pixels."""
        return Frame(self.time, self._whole(self._frame))


class Video:
    """A video file, open for reading. A context manager; its frames are read in one thread, one pass at a time.

    Args:
        path: the file.
        threads: of the decoder; None takes every core.

    Attributes:
        path: the file.
        duration: seconds; None if the file does not tell.
        rate: frames a second on average; None if the file does not tell.
        taken: when it was recorded, if the camera told.
        damaged: packets of the passes so far that could not be decoded and were passed over.

    Raises:
        DecodeError: the file is no video, is damaged, or has no pictures.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        self.damaged = 0
        self._threads = threads or usable_cores()
        self._open()
        self.duration = duration_of(self._container, self._stream)
        self.rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self.taken = moment_of(self._container.metadata)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def frames(
        self,
        every: float | None = None,
        *,
        size: tuple[int, int] | None = None,
        start: float = 0.0,
        end: float = math.inf,
    ) -> Iterator[Frame]:
        """Frames in the order in which they are shown, lazily; a few are held at a time, however long the video is.

        Args:
            every: seconds; one frame of every so many is taken, at any place in that time, so that little needs to be
                decoded: a frame that the video can be entered at, where there is one, else the first that others
                need. None takes every frame.
            size: height and width that frames are squashed to, while they are turned to RGB, which is the cheapest
                way to what an encoder takes; None keeps every pixel.
            start: seconds from the start of the video; frames before it are passed over.
            end: seconds; frames from there on are not read.

        Raises:
            DecodeError: the file cannot be read on, or nothing in it can be decoded.
        """
        convert = self._converter(size)
        for time, frame in self._shown(every, start, end):
            yield Frame(time, convert(frame))

    def stills(self, size: tuple[int, int], start: float = 0.0, end: float = math.inf) -> Iterator[Still]:
        """Every frame from ``start`` to ``end``, as of `frames`, to be looked at in ``size`` before pixels are made.

        Raises:
            DecodeError: as of `frames`.
        """
        whole, squashed = self._converter(None), self._converter(size)
        for time, frame in self._shown(None, start, end):
            yield Still(time, frame, whole, squashed)

    def _converter(self, size: tuple[int, int] | None) -> Converter:
        return Converter(size, self._stream.sample_aspect_ratio or Fraction(1), self._threads)

    def _shown(self, every: float | None, start: float, end: float) -> Iterator[Shown]:
        any_at_all = False
        with foreign_errors(self.path):
            self._begin(start)
            shown = self._every_frame() if every is None or self._times.are_unknown else self._sampled(every)
            if every is not None and self._times.are_unknown:
                shown = thinned(shown, every)
            for time, frame in shown:
                any_at_all = True
                if time >= end - TICK:
                    break
                if time >= start - TICK:
                    yield time, frame
        if not any_at_all and not start:
            raise DecodeError(
                "none of its pictures can be decoded; it is damaged, restore it from another copy", self.path
            )

    def _open(self) -> None:
        self._container = open_container(self.path)
        try:
            self._stream = picture_of(self._container, self.path)
        except DecodeError:
            self._container.close()
            raise
        self._decoder = self._stream.codec_context
        self._decoder.thread_type = "AUTO"
        self._decoder.thread_count = self._threads
        self._times = Times.of(self._container, self._stream)
        self._begun = False

    def _begin(self, start: float) -> None:
        """Have the next packet be one from which on the frame that is shown at ``start`` can be decoded."""
        if self._begun:
            self._container.close()
            self._open()
        self._begun = True
        back = 0.0
        while start > back and not self._times.are_unknown:
            self._seek(start - back)
            if self._next_entry() <= start + TICK:
                self._seek(start - back)
                return
            back = 4 * back or 1.0  # some containers can only guess where a time is
        if back:
            self._container.close()
            self._open()

    def _seek(self, seconds: float) -> None:
        self._container.seek(self._times.stored(seconds, av.time_base), backward=True)

    def _next_entry(self) -> float:
        """When the next frame is shown that needs no other; infinity if there is none."""
        packets = self._container.demux(self._stream)
        stamped = (self._times.stamp(packet) for packet in packets if packet.size and packet.is_keyframe)
        return next((packet.seconds for packet in stamped), math.inf)

    def _every_frame(self) -> Iterator[Shown]:
        self._decoder.skip_frame = "DEFAULT"
        return self._times.tell(self._decode(self._container.demux(self._stream)))

    def _sampled(self, every: float) -> Iterator[Shown]:
        """Frames that are looked at, decoding what they need; frames that no other needs are left to the others."""
        self._decoder.skip_frame = "NONREF"
        sampler = Sampler(every)
        stamped = (self._times.stamp(packet) for packet in self._container.demux(self._stream) if packet.size)
        wanted: deque[float] = deque()
        for piece in pieces(stamped):
            choice = sampler.choose(piece)
            wanted.extend(choice.times)
            packets: Iterable[Packet[VideoStream] | None] = [stamped.packet for stamped in choice.packets]
            for time, frame in self._times.tell(self._decode([*packets, None] if choice.ends else packets)):
                if wanted and time >= wanted[0] - TICK:
                    while wanted and time >= wanted[0] - TICK:
                        wanted.popleft()
                    yield time, frame
            if choice.ends:
                self._decoder.flush_buffers()
                wanted.clear()

    def _decode(self, packets: Iterable[Packet[VideoStream] | None]) -> Iterator[VideoFrame]:
        """What ``packets`` hold, but for those that are damaged; None asks for what the decoder still holds."""
        for packet in packets:
            try:
                yield from self._decoder.decode(packet)
            except av.error.InvalidDataError:
                self.damaged += 1
