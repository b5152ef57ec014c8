"""What files of SQLite have in common, ours and digiKam's; how durable each of ours is, is its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of files that SQLite keeps beside its own."""


def files_beside(path: Path) -> tuple[Path, ...]:
    """Where SQLite may keep files of its own for the database ``path``."""
    return tuple(path.with_name(path.name + end) for end in _BESIDE)


def size_of(path: Path) -> int:
    """Bytes that a database takes, with what SQLite keeps beside it; 0 where there is none."""
    return sum(place.stat().st_size for place in (path, *files_beside(path)) if place.exists())


@contextmanager
def legible_errors() -> Iterator[None]:
    """Let it be an error of SQLite's where it tells of a damaged name, which Python cannot read."""
    try:
        yield
    except UnicodeDecodeError as error:
        damaged = sqlite3.DatabaseError("database disk image is malformed")
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged from error


@contextmanager
def opening(path: Path, patience: float) -> Iterator[sqlite3.Connection]:
    """A database of ours, which the block prepares: open after it, or closed where that fails. Threads may share it.

    Args:
        path: the file, in a folder that is there.
        patience: seconds to wait for another process that writes.
    """
    database = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        with legible_errors():
            yield database
    except BaseException:
        database.close()
        raise


@contextmanager
def all_or_nothing(database: sqlite3.Connection) -> Iterator[None]:
    """A transaction that may write from its start: what fails in the block, or at its end, leaves nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have taken it back itself
            database.execute("ROLLBACK")
        raise


def is_locked(error: sqlite3.Error | OSError) -> bool:
    """Whether another process was in the way."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
