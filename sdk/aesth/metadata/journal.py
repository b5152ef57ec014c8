"""The journal: what every write found and what it left, on disk before a photo changes, so that it can be taken back.

One file of records (`aesth.records`) in the state folder (see `aesth.places`). A `Run` is what one session wrote; an
`Entry` is one file of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aesth import places
from aesth._version import __version__
from aesth.metadata.files import host, is_over
from aesth.metadata.ratings import Values
from aesth.records import Form, RecordFile

FILE_NAME = "journal.sqlite"
LONGEST_COMMAND = 1000

_SCHEMA = """
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
"""
_FORM = Form(_SCHEMA, version=1, name="journal", done="written")


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
        self._file = RecordFile(path or journal_file(), _FORM)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was recorded stays."""
        self._file.close()

    def check_writable(self) -> None:
        """Find out whether a run may be recorded.

        Raises:
            JournalError: the file is protected against writing, or another program does not let go of it.
        """
        with self._file.transaction():
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
        with self._file.transaction() as database:
            row = database.execute(
                "INSERT INTO runs (started, command, version, model, undoes, host, process)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            return int(row.lastrowid or 0)

    def plan(self, run: int, entries: Iterable[Entry]) -> list[int]:
        """Record what is about to be written, on disk when this returns, and tell the number of each entry."""
        with self._file.transaction() as database:
            return [_insert(database, run, entry) for entry in entries]

    def mark(self, entries: Sequence[int], state: State, by: int | None = None) -> None:
        """Record how far ``entries`` are; ``by`` is the run that takes them back.

        What announces a write is on disk when this returns; what tells that it was done need not be.
        """
        if not entries:
            return
        announces = state is State.UNDOING
        with self._file.transaction(durable=announces) as database:
            database.executemany(
                "UPDATE entries SET state = ?, undone_by = coalesce(?, undone_by) WHERE id = ?",
                [(state.value, by, entry) for entry in entries],
            )

    def drop(self, entries: Sequence[Entry]) -> None:
        """Forget entries that never happened, and their runs if nothing else is left of them."""
        with self._file.transaction(durable=False) as database:
            database.executemany("DELETE FROM entries WHERE id = ?", [(entry.id,) for entry in entries])
            database.executemany(
                "DELETE FROM runs WHERE id = ? AND id NOT IN (SELECT run FROM entries)",
                {(entry.run,) for entry in entries},
            )

    def runs(self) -> list[Run]:
        """All runs, the first first."""
        rows = self._file.rows(
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
        ((number,),) = self._file.rows("SELECT max(id) FROM runs WHERE undoes IS NULL")
        return None if number is None else int(number)

    def entries(self, run: int) -> list[Entry]:
        """What a run wrote, in its order."""
        return [_entry(row) for row in self._file.rows(f"{_SELECT} WHERE run = ? ORDER BY id", run)]

    def later(self, run: int) -> dict[Path, int]:
        """Files that later runs wrote and that were not taken back, each with the number of the last one."""
        query = "SELECT coalesce(file, photo), max(run) FROM entries WHERE run > ? AND state = 'done' GROUP BY 1"
        return {Path(os.fsdecode(file)): int(number) for file, number in self._file.rows(query, run)}

    def unsettled(self) -> list[Entry]:
        """Changes that were begun by programs that have ended since, so that nobody knows how far they came."""
        rows = self._file.rows(
            "SELECT entries.id, host, process, started FROM entries"
            " JOIN runs ON runs.id = CASE entries.state WHEN 'undoing' THEN undone_by ELSE run END"
            " WHERE state IN ('planned', 'undoing') ORDER BY entries.id"
        )
        over = [number for number, machine, process, started in rows if is_over(machine, process, started)]
        return [_entry(row) for number in over for row in self._file.rows(f"{_SELECT} WHERE id = ?", number)]

    def forget(self, before: datetime) -> int:
        """Forget the runs that started ``before`` and are over, make the file smaller, and tell how many these were.

        What they wrote stays in the photos, and can no longer be taken back.
        """
        rows = self._file.rows("SELECT id, host, process, started FROM runs WHERE started < ?", before.timestamp())
        old = [(number,) for number, *owner in rows if is_over(*owner)]
        with self._file.transaction() as database:
            database.executemany("DELETE FROM runs WHERE id = ?", old)
        self._file.shrink()
        return len(old)


_SELECT = "SELECT id, run, photo, coalesce(file, photo), created, digest, old, new, state FROM entries"


def _insert(database: sqlite3.Connection, run: int, entry: Entry) -> int:
    photo, file = os.fsencode(entry.photo), os.fsencode(entry.file)
    row = database.execute(
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
