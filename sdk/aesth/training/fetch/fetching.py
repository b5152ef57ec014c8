"""What `aesth train fetch` does: a list of URLs becomes a folder of pictures and a catalogue of them.

The folder holds `images/`, ``catalogue.csv`` of what is there, ``failures.csv`` of what could not be had, and
``partial/`` while something is only partly there. Whenever the program is stopped, a picture is whole or not there.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread

from aesth.cores import usable_cores
from aesth.errors import ConfigError, DecodeError
from aesth.training.fetch.download import Downloader, FetchError, Partial
from aesth.training.fetch.listing import Entry
from aesth.training.fetch.options import FetchOptions
from aesth.training.fetch.storing import reduced
from aesth.training.files import replacing

CATALOGUE, FAILURES, PARTIAL = "catalogue.csv", "failures.csv", "partial"

_AWAKE = 0.5
"""Seconds after which a wait looks for Ctrl-C, where the system does not interrupt it."""

_GRACE = 2.0
"""Seconds that downloads have to end in when all is to end."""


@dataclass(frozen=True)
class Fetched:
    """What became of an entry.

    Attributes:
        entry: it.
        new: whether its picture was fetched now, rather than there before.
        failure: why there is no picture, or None.
    """

    entry: Entry
    new: bool
    failure: str | None = None


def fetch_list(
    entries: Iterable[Entry], out: Path, options: FetchOptions | None = None
) -> Generator[Fetched, None, None]:
    """Fetch what is not there yet; tell of each entry, in about the order of the list.

    The catalogue is written at the end, also if the generator is closed or interrupted before.

    Args:
        entries: of the list.
        out: the folder; it is made.
        options: how.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    wanted = list(entries)
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
    try:
        with _report(out / FAILURES) as report:
            for fetched in _fetch_all(wanted, out, options or FetchOptions()):
                if fetched.failure is not None:
                    report(fetched)
                yield fetched
    finally:
        _write_catalogue(wanted, out)


def _fetch_all(entries: Iterable[Entry], out: Path, options: FetchOptions) -> Iterator[Fetched]:
    """A few more than the workers can do are under way at any time, so that memory does not grow with the list."""
    stop, rest, under_way = Event(), iter(entries), 0
    with Downloader(options, stop) as downloader:
        workers = _Workers(_Keeper(downloader, out, options), options.jobs)
        try:
            while True:
                for entry in islice(rest, 2 * options.jobs - under_way):
                    workers.begin(entry)
                    under_way += 1
                if not under_way:
                    return
                yield workers.next_done()
                under_way -= 1
        finally:
            stop.set()
            workers.end()
            _remove_empty(out / PARTIAL)


class _Workers:
    """Threads that do not keep the program from ending: one that waits for a silent server would do so for long."""

    def __init__(self, work: Callable[[Entry], Fetched], count: int) -> None:
        self._work = work
        self._waiting: SimpleQueue[Entry | None] = SimpleQueue()
        self._done: SimpleQueue[Fetched | BaseException] = SimpleQueue()
        self._threads = [Thread(target=self._serve, name=f"fetch {index}", daemon=True) for index in range(count)]
        for thread in self._threads:
            thread.start()

    def begin(self, entry: Entry) -> None:
        """Have an entry worked on."""
        self._waiting.put(entry)

    def next_done(self) -> Fetched:
        """What became of the entry that is done first; it raises what the work on it raised."""
        while True:
            with suppress(Empty):
                outcome = self._done.get(timeout=_AWAKE)
                if isinstance(outcome, BaseException):
                    raise outcome
                return outcome

    def end(self) -> None:
        """Begin nothing more, and give what is under way a moment."""
        for _ in self._threads:
            self._waiting.put(None)
        latest = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, latest - time.monotonic()))

    def _serve(self) -> None:
        while (entry := self._waiting.get()) is not None:
            try:
                self._done.put(self._work(entry))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                self._done.put(error)


class _Keeper:
    """Fetches an entry's picture and keeps a reduced copy; called by several threads."""

    def __init__(self, downloader: Downloader, out: Path, options: FetchOptions) -> None:
        self._downloader = downloader
        self._out = out
        self._options = options
        # A decoded picture takes much more memory than a file.
        self._decoding = Semaphore(min(options.jobs, usable_cores()))

    def __call__(self, entry: Entry) -> Fetched:
        target = self._out / entry.file
        if target.is_file():
            return Fetched(entry, new=False)
        partial = Partial(self._out / PARTIAL / f"{entry.key}.part", self._out / PARTIAL / f"{entry.key}.mark")
        try:
            with _writing(partial.body):
                partial.body.parent.mkdir(exist_ok=True)
                self._downloader.fetch(entry.url, partial)
            self._keep(partial, target)
        except FetchError as error:
            return Fetched(entry, new=False, failure=str(error))
        except DecodeError as error:
            partial.remove()
            return Fetched(entry, new=False, failure=error.message)
        return Fetched(entry, new=True)

    def _keep(self, partial: Partial, target: Path) -> None:
        options = self._options
        with self._decoding:
            content = reduced(partial.body, options.side, options.quality, options.max_pixels)
        with replacing(target) as file:
            file.write_bytes(content)
        partial.remove()


@contextmanager
def _report(path: Path) -> Iterator[Callable[[Fetched], None]]:
    """A function that adds a line for a failure, at once, so that the report is there whenever the program ends."""
    with _writing(path), path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("line", "url", "reason"))

        def add(fetched: Fetched) -> None:
            lines.writerow((fetched.entry.line, fetched.entry.url, fetched.failure))
            file.flush()

        yield add


def _write_catalogue(entries: Iterable[Entry], out: Path) -> None:
    with (
        replacing(out / CATALOGUE) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("file", "faves", "views", "url"))
        lines.writerows(
            (entry.file, entry.faves, entry.views, entry.url) for entry in entries if (out / entry.file).is_file()
        )


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror or error}); make room or give another --out", path
        ) from error
