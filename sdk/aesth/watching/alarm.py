"""Being woken when something changes in folders, by watchdog; what changed is not told, since folders are looked at."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aesth.errors import AesthError
from aesth.extras import needs_extra

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import ObservedWatch

Places: TypeAlias = Mapping[Path, tuple[int, int]]
"""Folders that are there, with device and inode: another disk mounted there, or a folder made anew, is another one."""


class Alarm(Protocol):
    """Wakes who waits when something may have changed."""

    def follow(self, folders: Places) -> None:
        """Be woken by changes in these folders, and no others."""

    def wait(self, seconds: float) -> None:
        """Sleep for so long at most; less where something changed since `clear`."""

    def clear(self) -> None:
        """From here on, only changes that are yet to come count."""

    def is_set(self) -> bool:
        """Whether something changed since `clear`."""

    def close(self) -> None:
        """Be woken no more."""


class NoAlarm:
    """For folders that tell nobody of changes, such as those of network drives, and are looked at now and then."""

    def __init__(self) -> None:
        self._never = Event()

    def follow(self, folders: Places) -> None:
        """Nothing is to be done."""

    def wait(self, seconds: float) -> None:
        """Sleep for so long."""
        self._never.wait(seconds)

    def clear(self) -> None:
        """Nothing is to be done."""

    def is_set(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is to be done."""


class FolderAlarm:
    """Is woken by the system, from threads of watchdog's.

    Args:
        recursive: changes in the folders of folders count too.
        tell: told of folders that cannot be followed, which are looked at now and then.

    Raises:
        MissingDependencyError: watchdog is missing.
    """

    def __init__(self, *, recursive: bool, tell: Callable[[AesthError], None]) -> None:
        with needs_extra("watch", "being told of changes in folders (instead of --poll SECONDS)"):
            from watchdog import events
            from watchdog.observers import Observer
        # Not that files are read, which we do ourselves.
        self._kinds: list[type[Any]] = [
            *(events.FileCreatedEvent, events.FileModifiedEvent, events.FileClosedEvent, events.FileMovedEvent),
            *(events.FileDeletedEvent, events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
        ]
        self._recursive = recursive
        self._tell = tell
        self._changed = Event()
        self._handler = events.FileSystemEventHandler()
        self._handler.on_any_event = self._ring  # type: ignore[method-assign]
        self._watches: dict[Path, tuple[tuple[int, int], ObservedWatch | None]] = {}
        self._observer = Observer()
        self._observer.start()

    def follow(self, folders: Places) -> None:
        """Be woken by changes in these folders, and no others."""
        for folder, (place, watch) in list(self._watches.items()):
            if folders.get(folder) != place:
                del self._watches[folder]
                if watch is not None:
                    self._observer.unschedule(watch)
        for folder in folders.keys() - self._watches.keys():
            self._watches[folder] = (folders[folder], self._schedule(folder))
            self._changed.set()

    def wait(self, seconds: float) -> None:
        """Sleep for so long at most; less where something changed since `clear`."""
        self._changed.wait(seconds)

    def clear(self) -> None:
        """From here on, only changes that are yet to come count."""
        self._changed.clear()

    def is_set(self) -> bool:
        """Whether something changed since `clear`."""
        return self._changed.is_set()

    def close(self) -> None:
        """End the threads."""
        self._observer.stop()
        self._observer.join()

    def _ring(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - watchdog gives it by name
        self._changed.set()

    def _schedule(self, folder: Path) -> ObservedWatch | None:
        try:
            return self._observer.schedule(
                self._handler, str(folder), recursive=self._recursive, event_filter=self._kinds
            )
        except OSError as error:
            self._tell(AesthError(_advice(error), folder))
            return None


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EMFILE):
        return (
            "has more folders than the system follows for one person, and is looked at once a minute; raise"
            " fs.inotify.max_user_watches and max_user_instances, or give --poll SECONDS"
        )
    return f"cannot be followed ({error.strerror or error}), and is looked at once a minute; or give --poll SECONDS"
