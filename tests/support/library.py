"""A library of digiKam without digiKam: a database by its own schema, and photos on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cli import grey_photo

SCHEMA = Path(__file__).with_name("digikam.sql")


@dataclass(frozen=True)
class Library:
    """A database in ``folder``, and its collection ``photos`` beside it."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "digikam4.db"

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(self.open()) as database:
            return database.execute(question, values).fetchall()

    def do(self, statement: str, *values: object) -> int:
        """Change something, as digiKam would; the number of the new row."""
        with closing(self.open()) as database, database:
            return database.execute(statement, values).lastrowid or 0

    def open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.database)
        database.execute("PRAGMA synchronous = OFF")  # nobody needs it after the test
        return database

    def root(self, identifier: str, label: str = "Photos", specific: str = "/") -> int:
        return self.do(
            "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath) VALUES (?, 0, 1, ?, ?)",
            label,
            identifier,
            specific,
        )

    def album(self, relative: str = "/", root: int = 1) -> int:
        """The album, made if there is none."""
        found = self.ask("SELECT id FROM Albums WHERE albumRoot = ? AND relativePath = ?", root, relative)
        make = "INSERT INTO Albums (albumRoot, relativePath) VALUES (?, ?)"
        return found[0][0] if found else self.do(make, root, relative)

    def item(
        self, name: str, relative: str = "/", root: int = 1, rating: int = -1, status: int = 1, category: int = 1
    ) -> int:
        """A row of a photo, whether there is a file or not; its number."""
        image = self.do(
            "INSERT INTO Images (album, name, status, category) VALUES (?, ?, ?, ?)",
            self.album(relative, root),
            name,
            status,
            category,
        )
        self.do("INSERT INTO ImageInformation (imageid, rating) VALUES (?, ?)", image, rating)
        return image

    def photo(self, name: str, percent: float = 50, relative: str = "/", **more: int) -> int:
        """A photo that the brightness model scores ``percent``, known to digiKam; its number."""
        path = self.photos / relative.strip("/") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        grey_photo(path, percent)
        return self.item(name, relative, **more)

    def tag(self, name: str, parent: int = 0, images: Sequence[int] = ()) -> int:
        tag = self.do("INSERT INTO Tags (pid, name) VALUES (?, ?)", parent, name)
        for image in images:
            self.do("INSERT INTO ImageTags VALUES (?, ?)", image, tag)
        return tag

    def arrange(self, *images: int) -> None:
        """Sort photos by hand."""
        for place, image in enumerate(images):
            self.do("UPDATE Images SET manualOrder = ? WHERE id = ?", 100 * place, image)

    def group(self, leader: int, *members: int) -> None:
        """Group photos by hand."""
        for member in members:
            self.do("INSERT INTO ImageRelations VALUES (?, ?, 2)", member, leader)

    def orders(self) -> dict[str, int | None]:
        return dict(self.ask("SELECT name, manualOrder FROM Images"))

    def by_hand(self) -> list[str]:
        """Names of photos as digiKam sorts them by hand, in ascending order."""
        rows = self.ask("SELECT name FROM Images ORDER BY coalesce(manualOrder, 0), name")
        return [name for (name,) in rows]

    def groups(self) -> dict[str, str]:
        """Names of photos -> of those that they are grouped under."""
        rows = self.ask(
            "SELECT one.name, other.name FROM ImageRelations JOIN Images AS one ON one.id = subject "
            "JOIN Images AS other ON other.id = object WHERE type = 2"
        )
        return dict(rows)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        tables = [name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(self.ask(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def damage_a_name(self) -> None:
        """Make no text of what the file says of a table, which SQLite then tells."""
        content = self.database.read_bytes()
        assert b"CREATE TABLE Images" in content
        self.database.write_bytes(content.replace(b"CREATE TABLE Images", b"CREATE TABL\x80 Images"))


def make_library(folder: Path) -> Library:
    """An empty one, with a collection."""
    folder.mkdir(parents=True, exist_ok=True)
    library = Library(folder)
    library.photos.mkdir()
    with closing(library.open()) as database:
        database.executescript(SCHEMA.read_text())
    library.root(f"volumeid:?path={library.photos}")
    library.album()
    return library
