"""Files of ours that tell what is about to be changed, on disk before it happens, so that it can be taken back.

SQLite files in WAL mode: several programs may use one at once, and whatever kills one of them, what was recorded stays.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from aesth.databases import all_or_nothing, is_locked, legible_errors, opening
from aesth.errors import JournalError

PATIENCE = 30.0
"""So many seconds does a program wait for another that writes into the same file."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a file holds, and what it is called where something is wrong with it.

    Attributes:
        schema: statements that make its tables where they are missing.
        version: of the tables; later ones are not touched.
        name: what it is, such as a journal.
        done: what is not done without it, such as written.
    """

    schema: str
    version: int
    name: str
    done: str


class RecordFile:
    """A file of records, open; safe to share between threads, which take turns.

    Args:
        path: the file. It is made, with its folder, where it is not there; nobody else may read it.
        form: what it holds.

    Raises:
        JournalError: it cannot be opened, is damaged, or is of a newer version; so do all methods.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self.path = path
        self._form = form
        self._turn = RLock()
        with self._translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # names of photos are nobody else's business
            with opening(path, PATIENCE) as self._database:
                self._prepare()

    def close(self) -> None:
        """Close the file. What was recorded stays."""
        self._database.close()

    def rows(self, question: str, *values: object) -> list[Any]:
        """What it answers."""
        with self._turn, self._translated():
            return self._database.execute(question, values).fetchall()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """All that the block does, or nothing; ``durable`` waits until it is on disk."""
        with self._turn, self._translated():
            self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with all_or_nothing(self._database):
                yield self._database

    def shrink(self) -> None:
        """Give the room back that nothing is in any more."""
        # Where another program is at it, the room will be used again anyway.
        with self._turn, self._translated(), suppress(sqlite3.OperationalError):
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prepare(self) -> None:
        self._use_wal()
        self._database.execute("PRAGMA fullfsync = ON")  # without it, macOS leaves it to the disk when to write
        self._database.execute("PRAGMA foreign_keys = ON")
        ((found,),) = self._database.execute("PRAGMA user_version")
        if found < self._form.version:
            version = f"PRAGMA user_version = {self._form.version};"
            self._database.executescript(f"BEGIN IMMEDIATE;{self._form.schema}{version}COMMIT;")
        if found > self._form.version:
            told = f"this {self._form.name} was written by a newer aesth"
            raise JournalError(f"{told}; nothing was {self._form.done}: update aesth", self.path)

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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with legible_errors():
                yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(_explain(error, self._form), self.path) from error


def _explain(error: sqlite3.Error | OSError, form: Form) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    undone = f"nothing was {form.done} without it"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        advice = "move it away to begin a new one; what its runs did can then not be undone"
        return f"this {form.name} is damaged ({reason}); {undone}: {advice}"
    if is_locked(error):
        return f"another program holds this {form.name} ({reason}); {undone}: try again"
    advice = "free some space, see to its permissions, or name another folder in AESTH_STATE_DIR"
    return f"this {form.name} cannot be kept ({reason}); {undone}: {advice}"
