"""Small videos, made by PyAV: what they show, and when, is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 25
SIZE = (48, 64)
CLOCK = 1000


@dataclass(frozen=True)
class Encoding:
    """How a clip is compressed.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: of the encoder.
        pixels: how it stores them.
    """

    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "10", "preset": "ultrafast"})
    pixels: str = "yuv420p"


H264 = Encoding()


def x264(**options: int | str) -> Encoding:
    """H.264 with these options of x264, such as the frames between key frames, ``g``."""
    return Encoding(options=H264.options | {name: str(value) for name, value in options.items()})


def grey(percent: float, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A frame that the brightness model scores ``percent``, to within a point or two."""
    return np.full((*size, 3), round(2.55 * percent), np.uint8)


def moving(frames: int, size: tuple[int, int] = SIZE) -> list[NDArray[np.uint8]]:
    """Frames each of which differs from all others: a bright square on its way over changing greys."""
    height, width = size
    shown = []
    for number in range(frames):
        frame = np.full((*size, 3), 40 + (number * 37) % 120, np.uint8)
        left = (number * 5) % (width - 12)
        frame[height // 4 : height // 4 + 12, left : left + 12] = (250, 240 - number % 100, 60)
        shown.append(frame)
    return shown


def clip(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    times: Sequence[float] | None = None,
    rate: int = RATE,
    encoding: Encoding = H264,
    sound: NDArray[np.float32] | None = None,
    rotation: tuple[int, bool] | None = None,
    aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a video; its container is told by the name.

    Args:
        path: where.
        frames: (h, w, 3) each, of one size.
        times: seconds at which each frame is shown; None shows ``rate`` a second.
        rate: told to the encoder.
        encoding: how frames are compressed.
        sound: samples (2, n) at 48,000 a second.
        rotation: degrees counter-clockwise, and whether it is mirrored after that.
        aspect: width of a pixel by its height.
        metadata: of the container.
    """
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        pictures = container.add_stream(encoding.codec, rate=rate, options=encoding.options)
        pictures.pix_fmt = encoding.pixels
        if times is not None:
            pictures.codec_context.time_base = Fraction(1, CLOCK)
        if rotation is not None:
            pictures.set_display_rotation(rotation[0], hflip=rotation[1])
        if aspect is not None:
            pictures.codec_context.sample_aspect_ratio = aspect
        heard = container.add_stream("aac", rate=48000, layout="stereo") if sound is not None else None
        for number, pixels in enumerate(frames):
            if number == 0:
                pictures.height, pictures.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=encoding.pixels)
            if times is not None:
                frame.pts, frame.time_base = round(times[number] * CLOCK), Fraction(1, CLOCK)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode())
        if heard is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48000, 0
            container.mux(heard.encode(frame))
            container.mux(heard.encode())
    return path


def sound_only(path: Path, seconds: float = 0.2) -> Path:
    """A file with sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, round(seconds * 48000)), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def plainly_decoded(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    """Every frame with its time, as PyAV gives them: the slow and literal way."""
    with av.open(str(path)) as container:
        start = (container.start_time or 0) / av.time_base
        return [(frame.time - start, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
