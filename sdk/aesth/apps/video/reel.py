"""The best seconds of a video, cut together: pictures as they are meant to be seen, and their sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from aesth.apps.video.cuts import Cut
from aesth.apps.video.key_frames import frame_at
from aesth.decode.video import Frame, Video
from aesth.decode.video.sound import RATE, Sound, sound_between
from aesth.preprocess import UInt8Image

LARGEST = 1920
"""Pixels of the longer side; larger videos are reduced."""
CLOCK = 90_000
"""Units of a second, in which pictures are timed."""
FADE = 0.02
"""Seconds in which the sound of a cut comes and goes, so that nothing clicks."""

_QUALITY = {"crf": "20", "preset": "veryfast"}
_USUAL_RATE = 30.0


def cut_reel(video: Video, cuts: Sequence[Cut], target: Path) -> None:
    """Write the stretches ``cuts`` of a video, one after the other, as MP4 (H.264 and AAC).

    Frames keep their distances in time, also where the rate varies. A cut is held in memory as sound alone.

    Raises:
        DecodeError: the video cannot be read on.
        OSError: it cannot be written.
    """
    size = _reduced(frame_at(video, cuts[0].start).image)
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        pictures = _add_pictures(container, size, video.rate or _USUAL_RATE)
        sounds = _add_sound(container) if sound_between(video.path, 0, 0) is not None else None
        offset = 0.0
        for cut in cuts:
            if sounds is not None:
                _append_sound(container, sounds, sound_between(video.path, cut.start, cut.end), offset)
            for frame in video.frames(size=size, start=cut.start, end=cut.end):
                container.mux(pictures.encode(_picture(frame, offset - cut.start)))
            offset += cut.end - cut.start
        container.mux(pictures.encode())
        if sounds is not None:
            container.mux(sounds.encode())


def _reduced(image: UInt8Image) -> tuple[int, int]:
    """Height and width, both even, as H.264 wants them, of which none is above `LARGEST`."""
    height, width = image.shape[:2]
    scale = min(1.0, LARGEST / max(height, width))
    return max(2, round(height * scale / 2) * 2), max(2, round(width * scale / 2) * 2)


def _add_pictures(container: OutputContainer, size: tuple[int, int], rate: float) -> VideoStream:
    stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001), options=_QUALITY)
    stream.height, stream.width = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, CLOCK)
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _add_sound(container: OutputContainer) -> AudioStream:
    return container.add_stream("aac", rate=RATE, layout="stereo")


def _picture(frame: Frame, shift: float) -> VideoFrame:
    """A frame as the encoder takes it, ``shift`` seconds later."""
    picture = VideoFrame.from_ndarray(frame.image, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    picture.time_base = Fraction(1, CLOCK)
    picture.pts = round((frame.time + shift) * CLOCK)
    return picture


def _append_sound(container: OutputContainer, stream: AudioStream, sound: Sound | None, offset: float) -> None:
    if sound is None or not sound.shape[1]:
        return
    frame = AudioFrame.from_ndarray(_faded(sound), format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), round(offset * RATE)
    container.mux(stream.encode(frame))


def _faded(sound: Sound) -> Sound:
    """``sound`` with its begin and its end softened."""
    ramp = np.minimum(np.arange(sound.shape[1]) / (FADE * RATE), 1).astype(np.float32)
    return sound * ramp * ramp[::-1]
