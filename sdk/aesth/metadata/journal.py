"""The journal: what every write found and what it left, on disk before a photo entries, so that it can be taken back.

One SQLite file in the state folder (see `aesth.places`), in WAL mode: several programs may use it at once, and whatever
kills one of them, what was recorded stays. A `Run` is what one session wrote; a `Entry` is one file of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

from aesth import places
from aesth._version import __version__
from aesth.databases import is_locked, legible_errors
from aesth.errors import JournalError
from aesth.metadata.files import host, is_over
from aesth.metadata.ratings import Values

FILE_NAME = "journal.sqlite"
LONGEST_COMMAND = 1000
PATIENCE = 30.0
"""So many seconds does a program wait for another that writes into the journal."""

_FORMAT = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started REAL NOT NULL,
    command BLOB NOT NULL,
    version TEXT NOT NULL,
    model TEXT NOT NULL,
    undoes INTEGER,
    host TEXT NOT NULL,
    process INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    photo BLOB NOT NULL,
    file BLOB,
    created INTEGER NOT NULL,
    digest TEXT,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    state TEXT NOT NULL,
    undone_by INTEGER
);
CREATE INDEX IF NOT EXISTS entries_of_run ON entries (run);
PRAGMA user_version = {_FORMAT};
COMMIT;
"""


class State(Enum):
    """How far a change is: about to be made, made, about to be taken back, taken back."""

    PLANNED = "planned"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that a run wrote.

    Attributes:
        photo: the photo that got a rating, by an absolute path.
        file: the file that changed: the photo itself (links followed), or a sidecar.
        created: the file is a sidecar that was not there before.
        digest: SHA-256 of the content that was written, in hex; of sidecars alone.
        old: what the file said before; of a created sidecar, what the photo said.
        new: what it said after.
        state: how far the change is.
        id: its number in the journal, 0 before it has one.
        run: the number of its run.
    """

    photo: Path
    file: Path
    created: bool
    digest: str | None
    old: Values
    new: Values
    state: State = State.PLANNED
    id: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What one session wrote.

    Attributes:
        id: its number; later ones are higher, and none is used twice.
        started: when its first write was about to happen.
        command: the command line, or the name of what wrote.
        version: the version of aesth.
        model: the model whose scores were written first.
        undoes: the run that this one took back, or None.
        photos: so many photos it changed, or tried to.
        undone: so many of them have been taken back since.
    """

    id: int
    started: datetime
    command: str
    version: str
    model: str
    undoes: int | None
    photos: int
    undone: int


def journal_file() -> Path:
    """Where the journal of this person lies, whether there is one or not."""
    return places.state_folder() / FILE_NAME


class Journal:
    """The journal, open. A context manager; safe to share between threads, which take turns.

    Args:
        path: the file; None takes `journal_file`. It is made, with its folder, where it is not there.

    Raises:
        JournalError: it cannot be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or journal_file()
        self._turn = RLock()
        with self._translated():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # names of photos are nobody else's business
            self._database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was recorded stays."""
        self._database.close()

    def check_writable(self) -> None:
        """Find out whether a run may be recorded.

        Raises:
            JournalError: the file is protected against writing, or another program does not let go of it.
        """
        with self._transaction():
            pass

    def begin(self, command: str, model: str, undoes: int | None = None) -> int:
        """Record a run that is about to write for the first time, and tell its number."""
        values = (
            datetime.now(UTC).timestamp(),
            os.fsencode(command[:LONGEST_COMMAND]),
            __version__,
            model,
            undoes,
            host(),
            os.getpid(),
        )
        with self._transaction():
            row = self._database.execute(
                "INSERT INTO runs (started, command, version, model, undoes, host, process)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            return int(row.lastrowid or 0)

    def plan(self, run: int, entries: Iterable[Entry]) -> list[int]:
        """Record what is about to be written, on disk when this returns, and tell the number of each entry."""
        with self._transaction():
            return [self._insert(run, entry) for entry in entries]

    def mark(self, entries: Sequence[int], state: State, by: int | None = None) -> None:
        """Record how far ``entries`` are; ``by`` is the run that takes them back.

        What announces a write is on disk when this returns; what tells that it was done need not be.
        """
        if not entries:
            return
        announces = state is State.UNDOING
        with self._transaction(durable=announces):
            self._database.executemany(
                "UPDATE entries SET state = ?, undone_by = coalesce(?, undone_by) WHERE id = ?",
                [(state.value, by, entry) for entry in entries],
            )

    def drop(self, entries: Sequence[Entry]) -> None:
        """Forget entries that never happened, and their runs if nothing else is left of them."""
        with self._transaction(durable=False):
            self._database.executemany("DELETE FROM entries WHERE id = ?", [(entry.id,) for entry in entries])
            self._database.executemany(
                "DELETE FROM runs WHERE id = ? AND id NOT IN (SELECT run FROM entries)",
                {(entry.run,) for entry in entries},
            )

    def runs(self) -> list[Run]:
        """All runs, the first first."""
        rows = self._query(
            "SELECT id, started, command, version, model, undoes,"
            " (SELECT count(DISTINCT photo) FROM entries WHERE run = coalesce(undoes, runs.id)"
            " AND (undoes IS NULL OR (undone_by = runs.id AND state = 'undone'))),"
            " (SELECT count(DISTINCT photo) FROM entries WHERE run = runs.id AND state = 'undone')"
            " FROM runs ORDER BY id"
        )
        return [
            Run(number, datetime.fromtimestamp(started, UTC), os.fsdecode(command), *rest)
            for number, started, command, *rest in rows
        ]

    def last(self) -> int | None:
        """The number of the last run that gave ratings, or None."""
        ((number,),) = self._query("SELECT max(id) FROM runs WHERE undoes IS NULL")
        return None if number is None else int(number)

    def entries(self, run: int) -> list[Entry]:
        """What a run wrote, in its order."""
        return [_entry(row) for row in self._query(f"{_SELECT} WHERE run = ? ORDER BY id", run)]

    def later(self, run: int) -> dict[Path, int]:
        """Files that later runs wrote and that were not taken back, each with the number of the last one."""
        query = "SELECT coalesce(file, photo), max(run) FROM entries WHERE run > ? AND state = 'done' GROUP BY 1"
        return {Path(os.fsdecode(file)): int(number) for file, number in self._query(query, run)}

    def unsettled(self) -> list[Entry]:
        """Changes that were begun by programs that have ended since, so that nobody knows how far they came."""
        rows = self._query(
            "SELECT entries.id, host, process, started FROM entries"
            " JOIN runs ON runs.id = CASE entries.state WHEN 'undoing' THEN undone_by ELSE run END"
            " WHERE state IN ('planned', 'undoing') ORDER BY entries.id"
        )
        over = [number for number, machine, process, started in rows if is_over(machine, process, started)]
        return [_entry(row) for number in over for row in self._query(f"{_SELECT} WHERE id = ?", number)]

    def forget(self, before: datetime) -> int:
        """Forget the runs that started ``before`` and are over, make the file smaller, and tell how many these were.

        What they wrote stays in the photos, and can no longer be taken back.
        """
        rows = self._query("SELECT id, host, process, started FROM runs WHERE started < ?", before.timestamp())
        old = [(number,) for number, *owner in rows if is_over(*owner)]
        with self._transaction():
            self._database.executemany("DELETE FROM runs WHERE id = ?", old)
        with suppress(sqlite3.OperationalError):  # another program is at it: the room will be used again anyway
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(old)

    def _prepare(self) -> None:
        with self._translated():
            self._use_wal()
            self._database.execute("PRAGMA fullfsync = ON")  # without it, macOS leaves it to the disk when to write
            self._database.execute("PRAGMA foreign_keys = ON")
            ((found,),) = self._database.execute("PRAGMA user_version")
            if found < _FORMAT:
                self._database.executescript(_SCHEMA)
        if found > _FORMAT:
            raise JournalError(
                "this journal was written by a newer aesth; nothing was written: update aesth", self.path
            )

    def _use_wal(self) -> None:
        """Switch to WAL. Where that is impossible, as on some network folders, SQLite keeps its older, as safe way."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:  # SQLite itself does not wait for the lock that this takes
                if not is_locked(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _insert(self, run: int, entry: Entry) -> int:
        photo, file = os.fsencode(entry.photo), os.fsencode(entry.file)
        row = self._database.execute(
            "INSERT INTO entries (run, photo, file, created, digest, old, new, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run,
                photo,
                None if file == photo else file,
                entry.created,
                entry.digest,
                json.dumps(dict(entry.old), separators=(",", ":")),
                json.dumps(dict(entry.new), separators=(",", ":")),
                entry.state.value,
            ),
        )
        return int(row.lastrowid or 0)

    def _query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._turn, self._translated():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All of it or nothing; ``durable`` waits until it is on disk."""
        with self._turn, self._translated():
            self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with legible_errors():
                yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(_explain(error), self.path) from error


_SELECT = "SELECT id, run, photo, coalesce(file, photo), created, digest, old, new, state FROM entries"


def _entry(row: Sequence[Any]) -> Entry:
    number, run, photo, file, created, digest, old, new, state = row
    return Entry(
        Path(os.fsdecode(photo)),
        Path(os.fsdecode(file)),
        bool(created),
        digest,
        json.loads(old),
        json.loads(new),
        State(state),
        number,
        run,
    )


def _explain(error: sqlite3.Error | OSError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        advice = "move it away to begin a new one; what the runs in it wrote can then not be undone"
        return f"this journal is damaged ({reason}); nothing was written without it: {advice}"
    if is_locked(error):
        return f"another program holds this journal ({reason}); nothing was written without it: try again"
    advice = "free some space, see to its permissions, or name another folder in AESTH_STATE_DIR"
    return f"this journal cannot be kept ({reason}); nothing was written without it: {advice}"
