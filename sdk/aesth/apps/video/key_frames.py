"""Key frames as photos: JPEG files that tell of which video and moment they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth.apps.video.timecode import timecode
from aesth.decode.video import Frame, Video
from aesth.errors import DecodeError

QUALITY = 93

_LOOKED_AT = (720, 960)
"""Height and width to which frames are squashed to compare their sharpness."""

_DESCRIPTION, _SOFTWARE, _DATE = 0x010E, 0x0131, 0x0132
_EXIF, _ORIGINAL, _OFFSET_ORIGINAL, _FRACTION_ORIGINAL = 0x8769, 0x9003, 0x9011, 0x9291


def frame_at(video: Video, time: float) -> Frame:
    """The frame that is shown at ``time``, in seconds, in full size.

    Raises:
        DecodeError: there is none, or it cannot be decoded.
    """
    for frame in video.frames(start=time):
        return frame
    raise DecodeError(f"has no picture at {timecode(time)}; it may be damaged there", video.path)


def sharpest_near(video: Video, time: float, start: float, end: float) -> Frame:
    """The sharpest frame from ``start`` to ``end``, in full size; of equal ones the nearest to ``time``.

    Frames that show the same differ by how the camera and what it sees moved, and by how the video was compressed.

    Raises:
        DecodeError: there is none there, nor at ``time``, or it cannot be decoded.
    """
    stills = video.stills(_LOOKED_AT, start, end)
    looks = ((sharpness(still.luma), -abs(still.time - time), still) for still in stills)
    best = max(looks, key=lambda look: look[:2], default=None)
    return frame_at(video, time) if best is None else best[2].whole()


def sharpness(luma: NDArray[np.float32]) -> float:
    """The mean square of the gradient of ``luma``, (h, w).

    It orders frames of one moment, which show the same, and is quick enough for each of them. It says nothing of
    pictures of different things, as it grows with contrast and detail: for those there is `aesth.qualities.sharpness`,
    which measures how wide edges are, and is 0 where a frame has none that it trusts.
    """
    across, down = np.diff(luma, axis=1), np.diff(luma, axis=0)
    return float(np.vdot(across, across) / across.size + np.vdot(down, down) / down.size)


def save_key_frame(frame: Frame, video: Video, target: Path) -> None:
    """Write a frame as JPEG.

    Its EXIF data tell the video's name and the time code, and when the frame was recorded, where the camera told when
    the recording began.

    Raises:
        OSError: it cannot be written.
    """
    exif = exif_of(video.path.name, frame.time, video.taken)
    Image.fromarray(frame.image).save(target, "JPEG", quality=QUALITY, subsampling=0, exif=exif)


def exif_of(name: str, time: float, begun: datetime | None) -> Image.Exif:
    """EXIF data of the frame that is shown at ``time`` of the video called ``name``, recorded from ``begun`` on."""
    exif = Image.Exif()
    exif[_DESCRIPTION] = f"{name.encode('utf-8', 'replace').decode()} {timecode(time)}"
    exif[_SOFTWARE] = "aesth"
    if begun is not None:
        moment = begun + timedelta(seconds=time)
        date = moment.strftime("%Y:%m:%d %H:%M:%S")
        exif[_DATE] = date
        inside = exif.get_ifd(_EXIF)
        inside[_ORIGINAL] = date
        inside[_FRACTION_ORIGINAL] = f"{moment.microsecond // 1000:03}"
        if moment.tzinfo is not None:
            inside[_OFFSET_ORIGINAL] = moment.isoformat()[-6:]
    return exif
