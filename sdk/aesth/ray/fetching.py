"""Photos of object storage, as files for as long as they are scored, fetched a few ahead."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import TracebackType
from typing import Self

from aesth.errors import AesthError, DecodeError
from aesth.ray.locations import local_path, one_line, storage_of, suffix_of

_PREFIX = "aesth-fetched-"

FETCHED_AHEAD = 16
"""So many photos are on their way or wait to be scored at a time."""


@dataclass(frozen=True)
class Copy:
    """A photo where it can be decoded, or why it could not be had.

    Attributes:
        location: the path or URL that it came from.
        path: the file; None if it could not be fetched.
        error: what went wrong, else None.
        ours: whether the file is a copy, which `discard` removes.
    """

    location: str
    path: Path | None
    error: AesthError | None = None
    ours: bool = False

    def discard(self) -> None:
        """Remove the copy, if it is one."""
        if self.ours and self.path is not None:
            self.path.unlink(missing_ok=True)


class Fetcher:
    """Fetches photos into a folder of its own. A context manager, at whose end the folder is gone.

    What a fetcher that was killed left on this machine is removed by the next one.
    """

    def __init__(self) -> None:
        _remove_left()
        self._folder = TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-")
        self._pool = ThreadPoolExecutor(FETCHED_AHEAD, thread_name_prefix="aesth-fetch")
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop fetching, and remove what was fetched."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()

    def copies(self, locations: Iterable[str]) -> Iterator[Copy]:
        """A copy of each photo, in order; the photos that are files already are themselves."""
        source = iter(locations)
        running: deque[Future[Copy]] = deque()
        try:
            while True:
                while len(running) < FETCHED_AHEAD and (location := next(source, None)) is not None:
                    running.append(self._pool.submit(self._copy, location))
                if not running:
                    return
                yield running.popleft().result()
        finally:
            for future in running:
                if not future.cancel():
                    future.result().discard()

    def _copy(self, location: str) -> Copy:
        try:
            path = local_path(location)
            if path is not None:
                return Copy(location, path)
            storage, name = storage_of(location)
            path = Path(self._folder.name, f"{next(self._numbers)}{suffix_of(location)}")
            storage.get_file(name, str(path))
        except FileNotFoundError:
            return Copy(location, None, DecodeError("no such file; it may have been moved or renamed"))
        except Exception as error:  # noqa: BLE001 - every kind of storage raises classes of its own
            reason = f"cannot be fetched ({one_line(error)}); the next run into the same folder tries again"
            return Copy(location, None, DecodeError(reason))
        return Copy(location, path, ours=True)


def _remove_left() -> None:
    """Remove the folders of processes that are no more."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*-*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdecimal() and not _lives(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name == "nt":  # where signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
