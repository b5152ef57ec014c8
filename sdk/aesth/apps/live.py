"""Following a stream of frames, and keeping its best one as a photo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from PIL import Image

from aesth.apps.best_shot import BestShot, Shot
from aesth.errors import AesthError
from aesth.preprocess import UInt8Image
from aesth.replacing import replacing

QUALITY = 95


class TimedFrame(Protocol):
    """A frame of a camera or of a video."""

    @property
    def time(self) -> float:
        """Seconds from the first one."""

    @property
    def image(self) -> UInt8Image:
        """Upright sRGB pixels (h, w, 3)."""


def follow(frames: Iterable[TimedFrame], best_shot: BestShot, seconds: float | None = None) -> Iterator[Shot]:
    """Look at one frame after the other, lazily: what was found of each.

    Args:
        frames: may be endless.
        best_shot: knows the best of them.
        seconds: frames from then on are not looked at; None looks at all.
    """
    for frame in frames:
        if seconds is not None and frame.time >= seconds:
            return
        yield best_shot.add(frame.image, frame.time)


def save(shot: Shot, target: Path) -> None:
    """Save a frame as JPEG, whole or not at all.

    Raises:
        AesthError: it cannot be written.
    """
    try:
        with replacing(target) as partial:
            Image.fromarray(shot.image).save(partial, "JPEG", quality=QUALITY, subsampling=0)
    except OSError as error:
        raise AesthError(
            f"cannot be written ({error.strerror or error}); give another name to --out", target
        ) from error
