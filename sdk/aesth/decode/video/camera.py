"""Frames of a camera of this machine, as they come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import av

from aesth.decode.video.pixels import Converter
from aesth.decode.video.reader import Frame
from aesth.errors import DecodeError

_DRIVERS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
"""FFmpeg's name of the system's cameras, and how one of them is called there."""


class Camera:
    """A camera, open for reading; a context manager.

    Args:
        name: its number, or the name by which the system knows it; on Windows the name.

    Raises:
        DecodeError: there is no such camera, or another program has it.
    """

    def __init__(self, name: str) -> None:
        driver, place = _DRIVERS.get(sys.platform, _DRIVERS["linux"])
        device = place.format(name) if name.isdecimal() or sys.platform == "win32" else name
        try:
            self._container = av.open(device, format=driver)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise DecodeError(
                f"camera '{name}' cannot be opened ({error}); see that it is plugged in, and used by no other program"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the camera back."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Frames without end, with the seconds since the first was asked for; those that nobody takes are dropped.

        Raises:
            DecodeError: the camera was unplugged.
        """
        convert, begun = Converter(None), time.monotonic()
        try:
            for frame in self._container.decode(video=0):
                yield Frame(time.monotonic() - begun, convert(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise DecodeError(f"the camera gives no more frames ({error}); see that it is plugged in") from error
