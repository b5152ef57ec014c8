"""What we changed in digiKam's databases, on disk before it happens, so that it can be told from a person's and undone.

One SQLite file in the state folder. A `Run` is what one command changed, with each value before and after it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aesth import places
from aesth._version import __version__
from aesth.databases import is_locked, legible_errors
from aesth.errors import JournalError

FILE_NAME = "digikam.sqlite"
LONGEST_COMMAND = 1000
PATIENCE = 30.0

_FORMAT = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started REAL NOT NULL,
    library TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    command BLOB NOT NULL,
    version TEXT NOT NULL,
    undoes INTEGER,
    backup BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    image INTEGER NOT NULL,
    field TEXT NOT NULL,
    old INTEGER,
    new INTEGER,
    undone_by INTEGER
);
CREATE INDEX IF NOT EXISTS changes_of_run ON changes (run);
PRAGMA user_version = {_FORMAT};
COMMIT;
"""


class Field(Enum):
    """What of a photo is changed: its manual order, or the photo that leads its group."""

    ORDER = "order"
    LEADER = "leader"


class RunKind(Enum):
    """What a run did."""

    RANK = "rank"
    GROUP = "group"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one photo.

    Attributes:
        image: the number of the photo in digiKam's database.
        field: what changes.
        old: what it was; None where there was nothing.
        new: what it becomes.
    """

    image: int
    field: Field
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """What one command changed in one database.

    Attributes:
        id: its number; later ones are higher.
        started: when it was about to be done.
        library: what tells the database from others.
        name: what people call the database by.
        kind: what was done.
        command: the command line.
        undoes: the run that this one took back, or None.
        backup: the database as it was before.
        photos: so many photos it changed, or was about to.
        undone: so many of them have been taken back since.
    """

    id: int
    started: datetime
    library: str
    name: str
    kind: RunKind
    command: str
    undoes: int | None
    backup: Path
    photos: int
    undone: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change of a run.

    Attributes:
        id: its number.
        change: what was done.
        undone: whether it has been taken back.
    """

    id: int
    change: Change
    undone: bool


def record_file() -> Path:
    """Where the record of this person lies, whether there is one or not."""
    return places.state_folder() / FILE_NAME


class LibraryRecord:
    """The record, open. A context manager; one thread.

    Args:
        path: the file; None takes `record_file`. It is made, with its folder, where it is not there.

    Raises:
        JournalError: it cannot be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or record_file()
        with self._translated():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
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

    def plan(
        self,
        library: str,
        name: str,
        kind: RunKind,
        changes: Sequence[Change],
        *,
        command: str,
        backup: Path,
        undoes: int | None = None,
    ) -> int:
        """Record what is about to be changed, on disk when this returns, and tell the number of the run."""
        started = datetime.now(UTC).timestamp()
        words = os.fsencode(command[:LONGEST_COMMAND])
        values = (started, library, name, kind.value, words, __version__, undoes, os.fsencode(backup))
        with self._transaction():
            row = self._database.execute(
                "INSERT INTO runs (started, library, name, kind, command, version, undoes, backup)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            run = int(row.lastrowid or 0)
            self._database.executemany(
                "INSERT INTO changes (run, image, field, old, new) VALUES (?, ?, ?, ?, ?)",
                [(run, change.image, change.field.value, change.old, change.new) for change in changes],
            )
            return run

    def mark_undone(self, changes: Sequence[Recorded], by: int) -> None:
        """Record that the run ``by`` took changes back."""
        with self._transaction():
            self._database.executemany(
                "UPDATE changes SET undone_by = ? WHERE id = ?", [(by, recorded.id) for recorded in changes]
            )

    def runs(self) -> list[Run]:
        """All runs, the first first."""
        rows = self._query(
            "SELECT id, started, library, name, kind, command, undoes, backup,"
            " (SELECT count(DISTINCT image) FROM changes WHERE run = runs.id),"
            " (SELECT count(DISTINCT image) FROM changes WHERE run = runs.id AND undone_by IS NOT NULL)"
            " FROM runs ORDER BY id"
        )
        return [
            Run(
                number,
                datetime.fromtimestamp(started, UTC),
                library,
                name,
                RunKind(kind),
                os.fsdecode(command),
                undoes,
                Path(os.fsdecode(backup)),
                photos,
                undone,
            )
            for number, started, library, name, kind, command, undoes, backup, photos, undone in rows
        ]

    def changes(self, run: int) -> list[Recorded]:
        """What a run changed, in its order."""
        rows = self._query("SELECT id, image, field, old, new, undone_by FROM changes WHERE run = ? ORDER BY id", run)
        return [
            Recorded(number, Change(image, Field(field), old, new), undone is not None)
            for number, image, field, old, new, undone in rows
        ]

    def ours(self, library: str, field: Field) -> dict[int, frozenset[int | None]]:
        """The values that we gave the photos of a library and that were not taken back.

        All of them, as it may be that the last was recorded and never written.
        """
        rows = self._query(
            "SELECT image, new FROM changes JOIN runs ON runs.id = run WHERE library = ? AND field = ?"
            " AND undone_by IS NULL AND undoes IS NULL",
            library,
            field.value,
        )
        found: dict[int, set[int | None]] = {}
        for image, value in rows:
            found.setdefault(image, set()).add(value)
        return {image: frozenset(values) for image, values in found.items()}

    def later(self, run: Run) -> dict[int, int]:
        """Photos that later runs changed in the same field, not taken back, each with the number of the last one."""
        rows = self._query(
            "SELECT image, max(run) FROM changes JOIN runs ON runs.id = run WHERE library = ? AND run > ?"
            " AND undone_by IS NULL AND undoes IS NULL AND kind = ? GROUP BY image",
            run.library,
            run.id,
            run.kind.value,
        )
        return dict(rows)

    def _prepare(self) -> None:
        with self._translated():
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA fullfsync = ON")  # without it, macOS leaves it to the disk when to write
            self._database.execute("PRAGMA foreign_keys = ON")
            ((found,),) = self._database.execute("PRAGMA user_version")
            if found < _FORMAT:
                self._database.executescript(_SCHEMA)
        if found > _FORMAT:
            raise JournalError("this record was written by a newer aesth; nothing was changed: update aesth", self.path)

    def _query(self, query: str, *values: object) -> list[Any]:
        with self._translated():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
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


def _explain(error: sqlite3.Error | OSError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        advice = "move it away to begin a new one; what the runs in it changed can then not be undone"
        return f"this record is damaged ({reason}); nothing was changed without it: {advice}"
    if is_locked(error):
        return f"another program holds this record ({reason}); nothing was changed without it: try again"
    advice = "free some space, see to its permissions, or name another folder in AESTH_STATE_DIR"
    return f"this record cannot be kept ({reason}); nothing was changed without it: {advice}"
