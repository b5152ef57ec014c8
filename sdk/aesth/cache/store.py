"""The file of remembered scores: SQLite, for one thread; its errors are SQLite's."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import astuple
from hashlib import blake2b
from pathlib import Path

from aesth.cache.rows import Known, ModelKey, ModelScores, SaidOfRating, SeenFile, ViewKind, Views
from aesth.databases import all_or_nothing, opening

LIMIT = 500_000
"""So many photos are remembered at most; beyond, those that were not seen for the longest are forgotten."""

FORGET_AFTER = 365
"""Photos, and models, that were not seen for so many days are forgotten."""

_NOTE_AFTER = 7
"""That a photo was seen is noted when the last note is so many days old."""

_LOOK_AFTER, _LOOKS, _LOOK_SECONDS = 30, 1000, 1.0
"""Of the photos not seen for so many days, so many are looked for in one go, to forget those that are gone."""

SIZE_LIMIT = 1_000_000_000
"""So many bytes are used at most; beyond, what was seen of photos that were not met for the longest is forgotten."""

_SCHEMA = 3
_TABLES = """
CREATE TABLE files (path BLOB PRIMARY KEY, state TEXT, content BLOB, seen INTEGER) WITHOUT ROWID;
CREATE INDEX files_by_content ON files (content);
CREATE TABLE scores (content BLOB, model BLOB, score REAL, norm REAL, seal BLOB, PRIMARY KEY (content, model))
    WITHOUT ROWID;
CREATE TABLE models (id BLOB PRIMARY KEY, name TEXT, checksum TEXT, provider TEXT, pixels INTEGER, seen INTEGER);
CREATE TABLE ratings (path BLOB PRIMARY KEY, state TEXT, said TEXT, seal BLOB, seen INTEGER) WITHOUT ROWID;
CREATE TABLE tidied (day INTEGER);
"""
_TABLES_OF_VIEWS = """
CREATE TABLE views (content BLOB, kind BLOB, data BLOB, seal BLOB, PRIMARY KEY (content, kind));
CREATE TABLE kinds (id BLOB PRIMARY KEY, what TEXT, of TEXT, seen INTEGER);
CREATE TABLE axes (kind BLOB, number INTEGER, axis BLOB, seal BLOB, PRIMARY KEY (kind, number));
"""
"""What schema 3 has and schema 2 had not."""

_BY_PATH = ("files", "ratings")
"""Tables of one row a file, which are forgotten as the files go."""


class NewerFileError(Exception):
    """The file was made by a newer version of this program."""


class Store:
    """Rows in, rows out.

    Args:
        path: the file; it and its folder are made where they are missing.
        patience: seconds to wait for another process that writes.

    Raises:
        NewerFileError: a newer version made it; it stays as it is.
    """

    def __init__(self, path: Path, patience: float) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opening(path, patience) as self._database:
            self._prepare()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def file(self, path: bytes) -> SeenFile | None:
        """How a file was when it was last seen."""
        row = self._database.execute("SELECT state, content, seen FROM files WHERE path = ?", (path,)).fetchone()
        return None if row is None else SeenFile(row[0], row[1], row[2] >= _today() - _NOTE_AFTER)

    def known(self, content: bytes, model: ModelKey) -> Known | None:
        """The score of a fingerprint, unless the file is damaged where it stands."""
        question = "SELECT score, norm, seal FROM scores WHERE content = ? AND model = ?"
        row = self._database.execute(question, (content, model.id)).fetchone()
        if row is None or not all(isinstance(value, float) for value in row[:2]):
            return None
        known = Known(*row[:2])
        return known if row[2] == _seal(content, model, known) else None

    def view(self, content: bytes, kind: ViewKind) -> bytes | None:
        """What is kept of a fingerprint, unless the file is damaged where it stands."""
        question = "SELECT data, seal FROM views WHERE content = ? AND kind = ?"
        row = self._database.execute(question, (content, kind.id)).fetchone()
        if row is None or not isinstance(row[0], bytes) or row[1] != _seal_of_view(content, kind, row[0]):
            return None
        return row[0]

    def axes(self, kind: ViewKind) -> list[bytes]:
        """The axes that views of a kind are told by, in order; from the first on that is damaged they are forgotten."""
        question = "SELECT number, axis, seal FROM axes WHERE kind = ? ORDER BY number"
        rows = self._database.execute(question, (kind.id,)).fetchall()
        sound: list[bytes] = []
        for number, axis, seal in rows:
            if number != len(sound) or not isinstance(axis, bytes) or seal != _seal_of_axis(kind, number, axis):
                self._database.execute("DELETE FROM axes WHERE kind = ? AND number >= ?", (kind.id, len(sound)))
                break
            sound.append(axis)
        return sound

    def add_axis(self, kind: ViewKind, number: int, axis: bytes) -> None:
        """Add an axis, unless another process added one of this number."""
        row = (kind.id, number, axis, _seal_of_axis(kind, number, axis))
        self._database.execute("INSERT OR IGNORE INTO axes VALUES (?, ?, ?, ?)", row)

    def rating(self, path: bytes) -> SaidOfRating | None:
        """What a file said of its rating when it was last read, unless the row is damaged."""
        row = self._database.execute("SELECT state, said, seal, seen FROM ratings WHERE path = ?", (path,)).fetchone()
        if row is None or row[2] != _seal_of_text(path, *row[:2]):
            return None
        return SaidOfRating(row[0], row[1], row[3] >= _today() - _NOTE_AFTER)

    def write_ratings(self, ratings: Mapping[bytes, SaidOfRating]) -> None:
        """Add rows, in place of those of the same files; all or none."""
        today = _today()
        with self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO ratings VALUES (?, ?, ?, ?, ?)",
                [
                    (path, one.state, one.said, _seal_of_text(path, one.state, one.said), today)
                    for path, one in ratings.items()
                ],
            )

    def write(
        self,
        files: Mapping[bytes, SeenFile],
        scores: Mapping[tuple[bytes, ModelKey], Known],
        models: Set[ModelKey],
        views: Mapping[tuple[bytes, ViewKind], bytes],
        kinds: Set[ViewKind],
    ) -> None:
        """Add rows, in place of those of the same keys; all or none."""
        today = _today()
        with self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                [(path, seen.state, seen.content, today) for path, seen in files.items()],
            )
            database.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)",
                [
                    (content, model.id, known.score, known.norm, _seal(content, model, known))
                    for (content, model), known in scores.items()
                ],
            )
            database.executemany(
                "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, ?)",
                [(model.id, *astuple(model), today) for model in models],
            )
            database.executemany(
                "INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?)",
                [
                    (content, kind.id, data, _seal_of_view(content, kind, data))
                    for (content, kind), data in views.items()
                ],
            )
            database.executemany(
                "INSERT OR REPLACE INTO kinds VALUES (?, ?, ?, ?)",
                [(kind.id, *astuple(kind), today) for kind in kinds],
            )

    def tidy(self, limit: int, size_limit: int) -> None:
        """Forget what is old, gone or beyond ``limit`` photos; once a day, or when there are too many.

        Beyond ``size_limit`` bytes, what was seen of photos beside their scores is forgotten.
        """
        today = _today()
        (last,) = self._database.execute("SELECT max(day) FROM tidied").fetchone()
        if last == today and self._most_rows() <= limit and self._used() <= size_limit:
            return
        gone = [(path,) for path in self._not_seen_lately(today) if _is_gone(path)]
        with self._transaction() as database:
            for table in _BY_PATH:
                database.executemany(f"DELETE FROM {table} WHERE path = ?", gone)  # noqa: S608 - names of our own
            for table in (*_BY_PATH, "models", "kinds"):
                database.execute(f"DELETE FROM {table} WHERE seen < ?", (today - FORGET_AFTER,))  # noqa: S608
            for table in _BY_PATH:
                if (rows := self._rows(table)) > limit:
                    oldest = f"SELECT path FROM {table} ORDER BY seen LIMIT ?"  # noqa: S608
                    database.execute(f"DELETE FROM {table} WHERE path IN ({oldest})", (rows - limit * 9 // 10,))  # noqa: S608
            database.execute("DELETE FROM scores WHERE content NOT IN (SELECT content FROM files)")
            database.execute("DELETE FROM scores WHERE model NOT IN (SELECT id FROM models)")
            database.execute("DELETE FROM views WHERE content NOT IN (SELECT content FROM files)")
            database.execute("DELETE FROM views WHERE kind NOT IN (SELECT id FROM kinds)")
            database.execute("DELETE FROM axes WHERE kind NOT IN (SELECT id FROM kinds)")
            if (excess := self._used() - size_limit * 9 // 10) > size_limit // 10:
                database.execute(_FORGET_VIEWS, (excess,))
            database.execute("DELETE FROM tidied")
            database.execute("INSERT INTO tidied VALUES (?)", (today,))

    def empty(self) -> None:
        """Forget everything, and give the room back."""
        with self._transaction() as database:
            for table in ("files", "scores", "models", "ratings", "views", "kinds", "axes", "tidied"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self._database.execute("VACUUM")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def photos(self) -> int:
        """How many photos are known at once."""
        return self._rows("files")

    def models(self) -> list[ModelScores]:
        """How many scores there are, by model."""
        rows = self._database.execute(
            "SELECT name, checksum, provider, count(content) FROM models LEFT JOIN scores ON model = id"
            " GROUP BY id ORDER BY name, checksum, provider, pixels"
        )
        return [ModelScores(f"{name} {checksum[:8]}", provider, scores) for name, checksum, provider, scores in rows]

    def views(self) -> list[Views]:
        """How much there is besides scores, by kind."""
        rows = self._database.execute(
            "SELECT what, count(DISTINCT content), sum(length(data)) FROM kinds JOIN views ON kind = id"
            " GROUP BY what ORDER BY what"
        )
        return [Views(*row) for row in rows]

    def _used(self) -> int:
        """Bytes of the file that hold something."""
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _most_rows(self) -> int:
        return max(self._rows(table) for table in _BY_PATH)

    def _rows(self, table: str) -> int:
        (rows,) = self._database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names of our own
        return int(rows)

    def needs_note(self, model: ModelKey) -> bool:
        """Whether that a model is in use was not noted lately."""
        return self._needs_note("models", model.id)

    def needs_note_of(self, kind: ViewKind) -> bool:
        """Whether that a kind of views is in use was not noted lately."""
        return self._needs_note("kinds", kind.id)

    def _needs_note(self, table: str, key: bytes) -> bool:
        row = self._database.execute(f"SELECT seen FROM {table} WHERE id = ?", (key,)).fetchone()  # noqa: S608
        return row is None or row[0] < _today() - _NOTE_AFTER

    def _prepare(self) -> None:
        if self._version() != _SCHEMA:
            with self._transaction() as database:
                # Asked here, since another process may have come first.
                match self._version():
                    case newer if newer > _SCHEMA:
                        raise NewerFileError
                    case 2:
                        _execute(database, _TABLES_OF_VIEWS)
                    case older if older < _SCHEMA:
                        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                        for (table,) in tables:
                            database.execute(f'DROP TABLE "{table}"')
                        _execute(database, _TABLES + _TABLES_OF_VIEWS)
                database.execute(f"PRAGMA user_version = {_SCHEMA}")
        # Another process that does the same at this moment is no reason to go without.
        with suppress(sqlite3.OperationalError):
            self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")

    def _version(self) -> int:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _not_seen_lately(self, today: int) -> Iterator[bytes]:
        """Some of the files that no run saw lately, for as long as looking for them does not take too much time."""
        old = " UNION ".join(f"SELECT path FROM {table} WHERE seen < ?1" for table in _BY_PATH)  # noqa: S608
        question = f"SELECT path FROM ({old}) ORDER BY random() LIMIT ?2"  # noqa: S608
        paths = self._database.execute(question, (today - _LOOK_AFTER, _LOOKS)).fetchall()
        end = time.monotonic() + _LOOK_SECONDS
        for (path,) in paths:
            if time.monotonic() > end:
                return
            yield path

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with all_or_nothing(self._database):
            yield self._database


_FORGET_VIEWS = """
DELETE FROM views WHERE content IN (
    SELECT content FROM (
        SELECT content, sum(size) OVER (ORDER BY seen, content) - size AS before FROM (
            SELECT views.content, sum(length(data)) AS size, max(seen) AS seen
            FROM views JOIN (SELECT content, max(seen) AS seen FROM files GROUP BY content) AS met
            ON met.content = views.content GROUP BY views.content
        )
    ) WHERE before < ?
)
"""
"""Forgets the views of so many bytes, and no more than it must: of the photos that were not met for the longest."""


def _execute(database: sqlite3.Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        database.execute(statement)


def _seal(content: bytes, model: ModelKey, known: Known) -> bytes:
    """By which a damaged row is told, since SQLite has no checksums."""
    return blake2b(content + model.id + repr(astuple(known)).encode(), digest_size=8).digest()


def _seal_of_view(content: bytes, kind: ViewKind, data: bytes) -> bytes:
    return blake2b(content + kind.id + data, digest_size=8).digest()


def _seal_of_axis(kind: ViewKind, number: int, axis: bytes) -> bytes:
    return blake2b(kind.id + b"%d " % number + axis, digest_size=8).digest()


def _seal_of_text(path: bytes, state: str, said: str) -> bytes:
    return blake2b(repr((path, state, said)).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _is_gone(path: bytes) -> bool:
    """Whether a file is missing from a folder that is there; a folder that is not may be on a disk that comes back."""
    place = Path(os.fsdecode(path))
    return not os.path.lexists(place) and place.parent.is_dir()


def _today() -> int:
    return int(time.time() // 86400)
