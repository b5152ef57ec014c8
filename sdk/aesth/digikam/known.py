"""What digiKam's database says of photos: read only, also while digiKam runs, and of files of SQLite alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from aesth.databases import legible_errors
from aesth.digikam.roots import Volumes, find_root
from aesth.digikam.settings import MysqlDatabase, SqliteDatabase
from aesth.errors import AesthError
from aesth.metadata.ratings import REJECTED

_AT_ONCE = 500
_PATIENCE = 10.0
"""Seconds that digiKam may hold a lock."""

_PICKS = {"Pick Label Rejected": 1, "Pick Label Pending": 2, "Pick Label Accepted": 3}

_QUESTION = """
SELECT Albums.albumRoot, Albums.relativePath, Images.name, ImageInformation.rating,
       (SELECT group_concat(Tags.name, '/') FROM ImageTags JOIN Tags ON Tags.id = ImageTags.tagid
        WHERE ImageTags.imageid = Images.id AND Tags.name LIKE 'Pick Label %')
FROM Images
JOIN Albums ON Albums.id = Images.album
LEFT JOIN ImageInformation ON ImageInformation.imageid = Images.id
WHERE Images.status = 1 AND Images.name IN ({})
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What digiKam shows of a photo.

    Attributes:
        rating: stars 1-5; 0 for none.
        pick: the pick label, 1 rejected, 2 pending, 3 accepted; 0 for none.
    """

    rating: int = 0
    pick: int = 0

    @property
    def stars(self) -> int | None:
        """The rating as `aesth.metadata.RatingState` has it: -1 rejected, 1-5, or None."""
        return REJECTED if self.pick == 1 else self.rating or None


def known_photos(database: SqliteDatabase | MysqlDatabase | None, photos: Iterable[Path]) -> dict[Path, Known]:
    """What digiKam shows of those of ``photos`` that it knows.

    Raises:
        AesthError: the database cannot be asked.
    """
    with _opened(database) as connection:
        roots = dict(_roots(connection))
        found: dict[Path, Known] = {}
        source = iter(photos)
        while batch := list(islice(source, _AT_ONCE)):
            wanted = {_storable(photo): photo for photo in batch}
            names = list(dict.fromkeys(_storable(photo.name) for photo in batch))
            rows = connection.execute(_QUESTION.format(", ".join("?" * len(names))), names)
            for root, relative, name, rating, picks in rows:
                photo = wanted.get(_storable(roots[root] / relative.strip("/") / name)) if root in roots else None
                if photo is not None:
                    labels = [_PICKS.get(label, 0) for label in (picks or "").split("/")]
                    found[photo] = Known(max(0, rating or 0), max(labels))
        return found


def count_rated(database: SqliteDatabase | MysqlDatabase | None) -> int:
    """How many photos have stars in the database.

    Raises:
        AesthError: the database cannot be asked.
    """
    with _opened(database) as connection:
        question = "SELECT count(*) FROM ImageInformation JOIN Images ON id = imageid WHERE rating > 0 AND status = 1"
        return sum(int(count) for (count,) in connection.execute(question))


def _roots(connection: sqlite3.Connection) -> Iterator[tuple[int, Path]]:
    """The collections that are there now, by their numbers."""
    rows = connection.execute("SELECT id, label, identifier, specificPath FROM AlbumRoots").fetchall()
    for number, label, identifier, specific in rows:
        root = find_root(number, label or "", identifier or "", specific or "", Volumes())
        if root.path is not None:
            yield number, root.path


@contextmanager
def _opened(database: SqliteDatabase | MysqlDatabase | None) -> Iterator[sqlite3.Connection]:
    if not isinstance(database, SqliteDatabase):
        raise AesthError("digiKam's database is no file of SQLite, and was not asked")
    address = f"file:{quote(os.fspath(database.file))}?mode=ro"
    try:
        with legible_errors(), closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as connection:
            # What is no UTF-8 is no text to SQLite.
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            yield connection
    except sqlite3.Error as error:
        raise AesthError(f"digiKam's database cannot be read ({error})", database.file) from error


def _storable(text: str | Path) -> str:
    return os.fspath(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
