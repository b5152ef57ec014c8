"""The sound of a video, as samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from aesth.decode.video.opening import foreign_errors, open_container

RATE = 48_000
"""Samples of a second."""

Sound = NDArray[np.float32]
"""(2, n): left and right, -1 to 1, at `RATE`."""


def sound_between(path: Path, start: float, end: float) -> Sound | None:
    """The sound from ``start`` to ``end``, in seconds from the start of the video; None if the video has none.

    Where it is missing or damaged, there is silence.

    Raises:
        DecodeError: the file cannot be read.
    """
    with open_container(path) as container, foreign_errors(path):
        stream = next((stream for stream in container.streams.audio if stream.codec_context is not None), None)
        if stream is None:
            return None
        sound = np.zeros((2, round((end - start) * RATE)), np.float32)
        origin = (container.start_time or 0) / av.time_base
        container.seek(int((max(start - 1, 0) + origin) * av.time_base), backward=True)
        for begin, samples in _resampled(container, stream, end + origin):
            _put(sound, samples, round((begin - origin - start) * RATE))
        return sound


def _resampled(container: InputContainer, stream: AudioStream, end: float) -> Iterator[tuple[float, Sound]]:
    """Pieces of sound with the second at which the file says that they begin."""
    resampler = AudioResampler("fltp", "stereo", RATE)
    for frame in _frames(container, stream):
        if frame.time is not None and frame.time >= end:
            break
        for piece in resampler.resample(frame):
            if piece.time is not None:
                yield piece.time, piece.to_ndarray().astype(np.float32, copy=False)


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except av.error.InvalidDataError:  # silence in its place
            continue


def _put(sound: Sound, samples: Sound, at: int) -> None:
    """Copy ``samples`` to place ``at`` of ``sound``, what is outside of it left out."""
    begin, end = max(at, 0), min(at + samples.shape[1], sound.shape[1])
    if begin < end:
        sound[:, begin:end] = samples[:, begin - at : end - at]
