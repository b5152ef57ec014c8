"""What a run asks: is this photo known? By its state at once, by its fingerprint where that changed.

Beside scores, views are kept, such as embeddings and thumbnails: bytes whose form their makers know. So is what files
say of their ratings, for who reads that (`aesth.metadata.memory.Memory`).

Whatever is wrong with the file of scores, a run goes on without it: nothing here raises.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from aesth.cache.rows import Known, ModelKey, SaidOfRating, SeenFile, ViewKind
from aesth.cache.store import LIMIT, SIZE_LIMIT, NewerFileError, Store
from aesth.cache.upkeep import default_path, translated
from aesth.errors import AesthError
from aesth.fingerprint import fingerprint

_UNSETTLED = 2.0
"""Seconds in which a file may change without another time of modification; FAT's are the coarsest."""

_Result = TypeVar("_Result")

_ROWS, _SECONDS = 256, 3.0
"""So many photos, or what came in so many seconds, are written in one go."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A photo as it was when it was looked up.

    Attributes:
        path: absolute.
        state: size, time of modification and inode; empty where these could stay though the file changes.
        content: its fingerprint.
        known: its score, if it is known.
    """

    path: Path
    state: str
    content: bytes
    known: Known | None = None

    def is_current(self) -> bool:
        """Whether the file is surely still as it was."""
        return bool(self.state) and self.state == _settled_state(self.path)


class ScoreCache:
    """The scores remembered in a file. A context manager; safe to share between threads, and by processes at once.

    Args:
        path: the file, made if there is none; None takes the one in the cache folder.
        patience: seconds to wait for another process that writes.
        limit: how many photos are remembered.
        size_limit: bytes of the file, beyond which views are forgotten.

    Attributes:
        failure: why nothing is remembered any more, or None.
    """

    def __init__(
        self, path: Path | None = None, *, patience: float = 5.0, limit: int = LIMIT, size_limit: int = SIZE_LIMIT
    ) -> None:
        self.path = path or default_path()
        self.failure: AesthError | None = None
        self._limit = limit
        self._size_limit = size_limit
        self._lock = Lock()
        self._store: Store | None = None
        self._files: dict[bytes, SeenFile] = {}
        self._scores: dict[tuple[bytes, ModelKey], Known] = {}
        self._views: dict[tuple[bytes, ViewKind], bytes] = {}
        self._said: dict[bytes, SaidOfRating] = {}
        self._models: set[ModelKey] = set()
        self._kinds: set[ViewKind] = set()
        self._met: set[ModelKey | ViewKind] = set()
        self._written = time.monotonic()
        self._wrote = False
        try:
            self._store = Store(self.path, patience)
        except (sqlite3.Error, OSError, NewerFileError) as error:
            self.failure = translated(error, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def look(self, photo: Path, model: ModelKey | None = None) -> Glance | None:
        """What is known of a photo; None where nothing can be, as of a missing file.

        Without a ``model``, no score is looked for. A photo that is not as it was when it was last seen is read, but
        not decoded.
        """
        path = _absolute(photo)
        state = _state(path)
        if not state:
            return None
        glance = self._try(lambda store: self._look_at_once(store, path, state, model))
        return glance or self._look_closely(path, model)

    def remember(self, glance: Glance, model: ModelKey, known: Known) -> None:
        """Keep the score of a photo that is still as it was when it was looked up."""

        def keep(store: Store) -> None:
            self._scores[glance.content, model] = known
            self._keep(store, glance)

        self._try(keep)

    def view(self, glance: Glance, kind: ViewKind) -> bytes | None:
        """What is kept of a photo besides its score; None if nothing is."""

        def find(store: Store) -> bytes | None:
            self._note_kind(store, kind)
            return self._views.get((glance.content, kind)) or store.view(glance.content, kind)

        return self._try(find)

    def keep_view(self, glance: Glance, kind: ViewKind, data: bytes) -> None:
        """Keep something else of a photo that is still as it was when it was looked up."""

        def keep(store: Store) -> None:
            self._note_kind(store, kind)
            self._views[glance.content, kind] = data
            self._keep(store, glance)

        self._try(keep)

    def axes(self, kind: ViewKind) -> list[bytes]:
        """The axes that views of a kind are told by, in order; see `add_axis`."""
        return self._try(lambda store: store.axes(kind)) or []

    def add_axis(self, kind: ViewKind, number: int, axis: bytes) -> None:
        """Keep one more axis for all views of a kind, at once, unless another process kept one of this number."""
        self._try(lambda store: store.add_axis(kind, number, axis))

    def follow(self, photo: Path, before: os.stat_result, now: os.stat_result) -> None:
        """Keep a photo known whose metadata alone we wrote: nobody need read it again to tell that it is the same."""
        path = _absolute(photo)

        def keep(store: Store) -> bool:
            seen = self._seen(store, path)
            if seen is None or seen.state != _text(before):
                return False
            self._keep(store, Glance(path, _text(now), seen.content))
            return True

        if _settled_state(path) != _text(now) or not self._try(keep):
            self.renew(photo)

    def renew(self, photo: Path) -> None:
        """Look anew at a photo whose metadata was written, so that it stays known."""
        path = _absolute(photo)
        state = _settled_state(path)
        seen = self._try(lambda store: self._seen(store, path))
        if not state or (seen and seen.state == state):
            return
        content = fingerprint(path) if self._store else None
        if content is not None and (glance := Glance(path, state, content)).is_current():
            self._try(lambda store: self._keep(store, glance))

    def recall(self, file: Path, state: str) -> str | None:
        """What was noted of a file in this state; None if nothing was."""

        def look(store: Store) -> str | None:
            key = _key(file)
            found = self._said.get(key) or store.rating(key)
            if found is None or found.state != state:
                return None
            if not found.is_noted:
                self._note_said(store, key, state, found.said)
            return found.said

        return self._try(look)

    def note(self, file: Path, state: str, said: str) -> None:
        """Keep what a file says in this state, in place of what it said in any other."""
        self._try(lambda store: self._note_said(store, _key(file), state, said))

    def close(self) -> None:
        """Write what is not written yet, forget what is too much, and close the file."""

        def finish(store: Store) -> None:
            self._write(store)
            if self._wrote:
                store.tidy(self._limit, self._size_limit)

        self._try(finish)
        with self._lock:
            self._close()

    def _look_at_once(self, store: Store, path: Path, state: str, model: ModelKey | None) -> Glance | None:
        seen = self._seen(store, path)
        if seen is None or seen.state != state:
            return None
        glance = Glance(path, state, seen.content, self._known(store, seen.content, model))
        if not seen.is_noted:
            self._keep(store, glance)
        return glance

    def _look_closely(self, path: Path, model: ModelKey | None) -> Glance | None:
        state = _settled_state(path)
        content = fingerprint(path) if self._store else None
        if content is None:
            return None
        known = self._try(lambda store: self._known(store, content, model))
        glance = Glance(path, state, content, known)
        if known and glance.is_current():
            self._try(lambda store: self._keep(store, glance))
        return glance

    def _note_said(self, store: Store, file: bytes, state: str, said: str) -> None:
        self._said[file] = SaidOfRating(state, said, is_noted=True)
        self._write_if_due(store)

    def _note(self, store: Store, model: ModelKey) -> None:
        if model not in self._met:
            self._met.add(model)
            if store.needs_note(model):
                self._models.add(model)

    def _note_kind(self, store: Store, kind: ViewKind) -> None:
        if kind not in self._met:
            self._met.add(kind)
            if store.needs_note_of(kind):
                self._kinds.add(kind)

    def _seen(self, store: Store, path: Path) -> SeenFile | None:
        key = os.fsencode(path)
        return self._files.get(key) or store.file(key)

    def _known(self, store: Store, content: bytes, model: ModelKey | None) -> Known | None:
        if model is None:
            return None
        self._note(store, model)
        return self._scores.get((content, model)) or store.known(content, model)

    def _keep(self, store: Store, glance: Glance) -> None:
        self._files[os.fsencode(glance.path)] = SeenFile(glance.state, glance.content, is_noted=True)
        self._write_if_due(store)

    def _write_if_due(self, store: Store) -> None:
        if max(len(self._files), len(self._said)) >= _ROWS or time.monotonic() - self._written > _SECONDS:
            self._write(store)

    def _write(self, store: Store) -> None:
        if self._files:
            store.write(self._files, self._scores, self._models, self._views, self._kinds)
            self._wrote = True
            for kept in (self._files, self._scores, self._models, self._views, self._kinds):
                kept.clear()
        if self._said:
            store.write_ratings(self._said)
            self._wrote = True
            self._said.clear()
        self._written = time.monotonic()

    def _try(self, step: Callable[[Store], _Result]) -> _Result | None:
        """What ``step`` makes of the file, for one thread at a time; None without a file, whose use any error ends."""
        with self._lock:
            if self._store is None:
                return None
            try:
                return step(self._store)
            except (sqlite3.Error, OSError) as error:
                self.failure = translated(error, self.path)
                self._close()
                return None

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(sqlite3.Error):
                store.close()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would ask the disk for every folder


def _key(file: Path) -> bytes:
    return os.fsencode(os.path.abspath(file))  # noqa: PTH100


def _state(path: Path) -> str:
    """Size, time of modification and inode of a regular file, links followed; empty for anything else."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return ""
    return _text(state) if stat.S_ISREG(state.st_mode) else ""


def _text(state: os.stat_result) -> str:
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"


def _settled_state(path: Path) -> str:
    """The same; empty as well for a file so new that it may change once more without a trace."""
    state = _state(path)
    return state if state and abs(time.time() - int(state.split()[1]) / 1e9) > _UNSETTLED else ""
