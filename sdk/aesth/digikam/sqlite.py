"""digiKam's database in a file, ``digikam4.db``."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from aesth.databases import is_locked, legible_errors
from aesth.digikam.database import DatabaseError, Row
from aesth.digikam.running import DigikamRunningError
from aesth.errors import ConfigError

PATIENCE = 5.0
"""Seconds to wait for a program that reads or writes this moment, before it is told to be in the way."""


class SqliteFile:
    """A file of SQLite; see `aesth.digikam.database.Database`.

    Args:
        file: where it is.
        patience: seconds to wait for other programs.

    Raises:
        ConfigError: there is no such file.
        DatabaseError: it cannot be read.
    """

    def __init__(self, file: Path, patience: float = PATIENCE) -> None:
        if not file.is_file():
            raise ConfigError("there is no database of digiKam here; name it with --database", file)
        self._file = file.absolute()
        self._patience = patience
        self._connection: sqlite3.Connection | None = None

    @property
    def file(self) -> Path:
        """Where it is."""
        return self._file

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, question: str, *values: object) -> list[Row]:
        """What it answers."""
        with self._translated():
            return self._open().execute(question, values).fetchall()

    def change(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Carry a statement out for each of ``rows``."""
        with self._translated():
            self._open().executemany(statement, rows)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else out.

        In the exclusive mode SQLite keeps its lock between transactions; of a database in WAL mode it is had only if
        nobody else has the file open.
        """
        self.close()
        self._connection = self._connect("rw")
        try:
            with self._translated():
                self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("BEGIN EXCLUSIVE")
                self._connection.execute("COMMIT")
            yield
        finally:
            self.close()

    def back_up(self, target: Path) -> None:
        """A copy of the file, whole."""
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # names of photos are nobody's business
        with self._translated():
            copy = sqlite3.connect(target)
            try:
                self._open().backup(copy)
            finally:
                copy.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block changes, or nothing."""
        connection = self._open()
        with self._translated():
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._translated():
                connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect("ro")
        return self._connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        with self._translated():
            address = f"{self._file.as_uri()}?mode={mode}"
            connection = sqlite3.connect(address, uri=True, timeout=self._patience, isolation_level=None)
            # Names that are no UTF-8 are names of files all the same.
            connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with legible_errors():
                yield
        except sqlite3.Error as error:
            if is_locked(error):
                raise DigikamRunningError(
                    "another program holds digiKam's database. Nothing was changed: close it, then try again", self.file
                ) from error
            raise DatabaseError(_explain(error), self.file) from error


def _explain(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        return f"digiKam's database must not be written ({error}); nothing was changed: see to its permissions"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"digiKam's database is damaged ({error}); nothing was changed: put a backup of it in its place"
    if "no such table" in str(error):
        return f"this is no database of digiKam 7 or 8 ({error}); nothing was changed"
    return f"digiKam's database cannot be used ({error}); nothing was changed"
