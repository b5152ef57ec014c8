"""What we changed in digiKam's databases, on disk before it happens, so that it can be told from a person's and undone.

One file of records (`aesth.records`) in the state folder. A `Run` is what one command changed, with each value before
and after it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from aesth import places
from aesth._version import __version__
from aesth.records import Form, RecordFile

FILE_NAME = "digikam.sqlite"
LONGEST_COMMAND = 1000

_SCHEMA = """
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
"""
_FORM = Form(_SCHEMA, version=1, name="record", done="changed")


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
    """The record, open. A context manager; safe to share between threads, which take turns.

    Args:
        path: the file; None takes `record_file`. It is made, with its folder, where it is not there.

    Raises:
        JournalError: it cannot be opened, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = RecordFile(path or record_file(), _FORM)

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
        with self._file.transaction() as database:
            row = database.execute(
                "INSERT INTO runs (started, library, name, kind, command, version, undoes, backup)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            run = int(row.lastrowid or 0)
            database.executemany(
                "INSERT INTO changes (run, image, field, old, new) VALUES (?, ?, ?, ?, ?)",
                [(run, change.image, change.field.value, change.old, change.new) for change in changes],
            )
            return run

    def mark_undone(self, changes: Sequence[Recorded], by: int) -> None:
        """Record that the run ``by`` took changes back."""
        with self._file.transaction() as database:
            database.executemany(
                "UPDATE changes SET undone_by = ? WHERE id = ?", [(by, recorded.id) for recorded in changes]
            )

    def runs(self) -> list[Run]:
        """All runs, the first first."""
        rows = self._file.rows(
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
        question = "SELECT id, image, field, old, new, undone_by FROM changes WHERE run = ? ORDER BY id"
        rows = self._file.rows(question, run)
        return [
            Recorded(number, Change(image, Field(field), old, new), undone is not None)
            for number, image, field, old, new, undone in rows
        ]

    def ours(self, library: str, field: Field) -> dict[int, frozenset[int | None]]:
        """The values that we gave the photos of a library and that were not taken back.

        All of them, as it may be that the last was recorded and never written.
        """
        rows = self._file.rows(
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
        rows = self._file.rows(
            "SELECT image, max(run) FROM changes JOIN runs ON runs.id = run WHERE library = ? AND run > ?"
            " AND undone_by IS NULL AND undoes IS NULL AND kind = ? GROUP BY image",
            run.library,
            run.id,
            run.kind.value,
        )
        return dict(rows)
