"""What was read of photos a moment ago, for the writes that follow: a photo that nobody touched is not read twice."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from aesth.metadata import formats
from aesth.metadata.files import identity
from aesth.metadata.workplace import Content, Tags, Workplace

MOST = 256
"""So many photos are kept, which is more than are on their way from their first read to their write."""

_SECOND = 10**9
_COARSE, _FINE = 4 * _SECOND, _SECOND // 10
"""Nanoseconds that may pass before the time of a file moves on, where that is kept in seconds, and where in parts."""


class LatelyRead:
    """The contents of the last photos that were read for a write, each as long as its file is as it was before that.

    What may take much memory is not: only JPEGs are whose metadata are small. Threads may share it.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, ...] | None, Content] = {}
        self._turn = Lock()

    def read_tags(self, workplace: Workplace, files: Sequence[Path]) -> list[Tags | None]:
        """The tags of each file, as `Workplace.read_tags` has them; what else a write compares is kept."""
        before = {file: state for file in files if (state := _state_to_keep(file)) is not None}
        contents = dict(zip(before, workplace.read_contents([*before], simple=True), strict=True))
        others = [file for file in files if contents.get(file) is None]
        tags: Mapping[Path, Tags | None] = dict(zip(others, workplace.read_tags(others), strict=True))
        for file, content in contents.items():
            if content is not None:
                self._keep(before[file], content)
        return [content.tags if (content := contents.get(file)) else tags[file] for file in files]

    def take(self, state: os.stat_result) -> Content | None:
        """What was read of the file that is in this ``state``, once; None if it was not, or changed since."""
        with self._turn:
            return self._kept.pop(identity(state), None)

    def _keep(self, state: os.stat_result, content: Content) -> None:
        with self._turn:
            self._kept[identity(state)] = content
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]


def _state_to_keep(file: Path) -> os.stat_result | None:
    """How a file is whose content is to be kept; None for others."""
    try:
        state = file.stat()
        return state if is_settled(state, time.time_ns()) and formats.is_simple_jpeg(file) else None
    except OSError:
        return None


def is_settled(state: os.stat_result, now: int) -> bool:
    """Whether any change after ``now`` (nanoseconds of `time.time_ns`) gives a file in this ``state`` other times.

    One that was changed this very moment may be changed once more with the same times. Where systems do not tell when
    a file itself was changed, programs can hide it, so that this is never sure.
    """
    is_fine = state.st_ctime_ns % _SECOND and state.st_mtime_ns % _SECOND
    return os.name == "posix" and now - state.st_ctime_ns > (_FINE if is_fine else _COARSE)
