"""Folders to photos as they arrive: an endless source for whoever tags them."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aesth.discover import find_photos
from aesth.errors import AesthError
from aesth.tagging import Outcome
from aesth.watching.alarm import Alarm, FolderAlarm, NoAlarm, Places
from aesth.watching.families import find_families
from aesth.watching.opened import is_open_for_writing
from aesth.watching.settling import Settling

SETTLE = 2.0
"""Seconds in which nothing of a photo changes before it is taken; FAT tells times of modification that apart."""
POLL = 60.0
"""Seconds after which folders are looked at though nobody told of a change."""

_TICK = 1.0
"""Seconds after which is asked whether a folder came, went, or was replaced."""
_SHARE = 10
"""Of the time, looks at folders take a tenth at most, however many photos there are and however much they change."""
_PAUSE = 0.1
"""Seconds between two looks at least."""

_Result = TypeVar("_Result", bound=Outcome)


class Arrivals:
    """Photos in folders, each as soon as it has settled: those that are there already, then those that arrive.

    A RAW and its JPEG come together, when both and their sidecars have settled. A photo comes again when it, or a file
    that belongs to it, changes after `finishing` told that it is done, and so not for what was written by then. What
    came while no program watched is among the first. A context manager, for one thread.

    Args:
        folders: those that are missing may come later; those that vanish may come back.
        include: as of `aesth.discover.find_photos`, like the next three.
        exclude: globs of photos and folders that are passed over.
        recursive: go into the folders of folders.
        since: only photos modified at or after this moment.
        settle: seconds in which no file of a photo changes before it comes.
        poll: look at the folders after so many seconds, rather than being told of changes by the system, which network
            drives do not do.
        until_idle: end when nothing arrived, and nothing was in work, for so many seconds; None for never.
        tell: told of folders that come and go, and of those that the system cannot follow.
        on_error: told of folders that cannot be read, of each once.

    Raises:
        MissingDependencyError: watchdog is missing, and ``poll`` is not given.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        recursive: bool = True,
        since: datetime | None = None,
        settle: float = SETTLE,
        poll: float | None = None,
        until_idle: float | None = None,
        tell: Callable[[AesthError], None] = lambda _: None,
        on_error: Callable[[AesthError], None] = lambda _: None,
    ) -> None:
        self._folders = folders
        self._include, self._exclude = tuple(include), tuple(exclude)
        self._recursive, self._since = recursive, since
        self._tell, self._on_error = tell, on_error
        self._told: set[str] = set()
        self._missing: set[Path] = set()
        self._settling = Settling(settle, is_open_for_writing)
        self._ready: deque[Path] = deque()
        self._until_idle = until_idle
        self._poll = POLL if poll is None else poll
        self._last_look, self._look_took = -float("inf"), 0.0
        self._last_sign = time.monotonic()
        self._alarm: Alarm = NoAlarm() if poll is not None else FolderAlarm(recursive=recursive, tell=tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._alarm.close()

    def __iter__(self) -> Iterator[Path]:
        self._last_sign = time.monotonic()
        while True:
            while self._ready:
                yield self._ready.popleft()
            if self._is_over():
                return
            self._look_when_due()

    def would_block(self) -> bool:
        """Whether taking the next photo would wait for one to arrive."""
        return not self._ready

    def finishing(self, outcomes: Iterable[_Result]) -> Iterator[_Result]:
        """``outcomes`` as they come; the photo of each is as it should be from then on, unless others change it."""
        for outcome in outcomes:
            self._settling.finish(outcome.path)
            self._last_sign = time.monotonic()
            yield outcome

    def _is_over(self) -> bool:
        idle = time.monotonic() - self._last_sign
        return (
            self._until_idle is not None
            and idle >= self._until_idle
            and self._last_look >= self._last_sign
            and self._settling.is_idle
        )

    def _look_when_due(self) -> None:
        """Sleep until a look may find something, or for a while, and look if so."""
        places = self._places()
        self._alarm.follow(places)
        now = time.monotonic()
        due = self._due(now)
        if due > now:
            self._alarm.wait(min(due - now, _TICK) if not self._alarm.is_set() else min(due - now, _PAUSE))
            return
        self._alarm.clear()
        found = find_families(self._photos(list(places)))
        if settled := self._settling.look(found, now):
            self._last_sign = now
        self._ready += settled
        self._last_look = time.monotonic()
        self._look_took = self._last_look - now

    def _due(self, now: float) -> float:
        wanted = [self._last_look + self._poll]
        if self._alarm.is_set():
            wanted.append(now)
        if self._settling.due is not None:
            wanted.append(self._settling.due)
        if self._until_idle is not None and self._settling.is_idle:
            wanted.append(self._last_sign + self._until_idle)
        return max(self._last_look + max(_PAUSE, _SHARE * self._look_took), min(wanted))

    def _photos(self, folders: list[Path]) -> Iterator[Path]:
        return find_photos(
            folders,
            include=self._include,
            exclude=self._exclude,
            recursive=self._recursive,
            since=self._since,
            on_error=self._note_once,
        )

    def _places(self) -> Places:
        """The folders that are there; who comes and goes is told."""
        found = {folder: place for folder in self._folders if (place := _place_of(folder)) is not None}
        for folder in self._folders:
            if folder not in found and folder not in self._missing:
                self._missing.add(folder)
                self._tell(AesthError("is not there; it is watched as soon as it comes", folder))
            elif folder in found and folder in self._missing:
                self._missing.discard(folder)
                self._tell(AesthError("is there now, and watched", folder))
                self._last_look = -float("inf")
        return found

    def _note_once(self, error: AesthError) -> None:
        if str(error) not in self._told:
            self._told.add(str(error))
            self._on_error(error)


def _place_of(folder: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)  # noqa: PTH116
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
