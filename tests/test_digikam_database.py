"""digiKam's database: who may change it, what is kept of it before, and that it is changed as a whole."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aesth.digikam.database import BACKUPS, Database, DatabaseError, backup_folder, changing, identity, open_database
from aesth.digikam.mysql import PASSWORD
from aesth.digikam.running import DigikamRunningError
from aesth.digikam.settings import MysqlDatabase, SqliteDatabase
from aesth.digikam.sqlite import SqliteFile
from aesth.errors import ConfigError, MissingDependencyError
from support.library import Library, make_library

SORT = "UPDATE Images SET manualOrder = ? WHERE id = ?"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = make_library(tmp_path / "100 % of 'my' photos?")
    for name in ("a.jpg", "b.jpg"):
        library.item(name)
    return library


@pytest.fixture
def database(library: Library) -> Iterator[Database]:
    with open_database(SqliteDatabase(library.database)) as database:
        yield database


def in_wal_mode(library: Library) -> sqlite3.Connection:
    """The database as digiKam 8 keeps it, and open."""
    other = library.open()
    assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    other.execute("UPDATE Settings SET value = '16' WHERE keyword = 'DBVersion'")
    other.commit()
    return other


@pytest.mark.parametrize("version", ["14", "17", "", "15a", None])
def test_what_we_do_not_know_is_refused(library: Library, version: str | None) -> None:
    library.do("UPDATE Settings SET value = ? WHERE keyword = 'DBVersion'", version)
    with pytest.raises(DatabaseError, match=f"is of version {version}; known are 15 .digiKam 7. and 16"):
        open_database(SqliteDatabase(library.database))


def test_what_is_no_database_of_digikam_is_told(tmp_path: Path, library: Library) -> None:
    with pytest.raises(ConfigError, match="there is no database of digiKam here"):
        open_database(SqliteDatabase(tmp_path / "digikam4.db"))
    (tmp_path / "digikam4.db").write_bytes(b"something else" * 100)
    with pytest.raises(DatabaseError, match="is damaged"):
        open_database(SqliteDatabase(tmp_path / "digikam4.db"))
    library.do("DROP TABLE Settings")
    with pytest.raises(DatabaseError, match="this is no database of digiKam"):
        open_database(SqliteDatabase(library.database))


def test_one_in_which_the_name_of_a_table_is_damaged_is_refused(library: Library) -> None:
    library.damage_a_name()
    with pytest.raises(DatabaseError, match="is damaged"), open_database(SqliteDatabase(library.database)):
        pass


def test_it_is_backed_up_and_changed(library: Library, database: Database, own_places: Path) -> None:
    before = library.content()
    with changing(database) as backup:
        database.change(SORT, [(100, 1), (-5, 2)])
    assert library.orders() == {"a.jpg": 100, "b.jpg": -5}
    assert backup.is_relative_to(own_places / "state")
    shutil.copy(backup, library.database)
    assert library.content() == before


def test_the_last_backups_are_kept(library: Library, database: Database) -> None:
    made = []
    for order in range(BACKUPS + 2):
        with changing(database) as backup:
            database.change(SORT, [(order, 1)])
        made.append(backup)
    assert sorted(backup_folder(database).iterdir()) == made[-BACKUPS:]


def test_all_is_changed_or_nothing(library: Library, database: Database) -> None:
    before = library.content()

    def half(then: Callable[[], object]) -> None:
        with changing(database):
            database.change(SORT, [(100, 1)])
            then()

    with pytest.raises(ZeroDivisionError):
        half(lambda: 1 / 0)
    with pytest.raises(DatabaseError):
        half(lambda: database.change("UPDATE Nothing SET manualOrder = ?", [(1,)]))
    assert library.content() == before


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_nothing_is_changed_while_somebody_else_is_at_it(library: Library, own_places: Path, lock: str) -> None:
    with SqliteFile(library.database, patience=0.05) as database, closing(library.open()) as other:
        other.execute(f"BEGIN {lock}")
        with pytest.raises(DigikamRunningError, match="another program holds digiKam's database"), changing(database):
            pytest.fail("it was changed")
        other.rollback()
        with changing(database), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("PRAGMA busy_timeout = 10").connection.execute("SELECT * FROM Images")
    assert len(list((own_places / "state").rglob("*.db"))) == 1


def test_in_wal_mode_nobody_else_may_have_it_open(library: Library) -> None:
    other = in_wal_mode(library)
    with SqliteFile(library.database, patience=0.05) as database:
        assert database.rows("SELECT name FROM Images ORDER BY id") == [("a.jpg",), ("b.jpg",)]
        with pytest.raises(DigikamRunningError), changing(database):
            pytest.fail("it was changed")
        other.close()
        with changing(database) as backup:
            database.change(SORT, [(7, 1)])
        assert identity(SqliteFile(backup)) == identity(database)
    assert library.orders() == {"a.jpg": 7, "b.jpg": None}
    assert library.ask("PRAGMA journal_mode") == [("wal",)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells open files as Linux does")
def test_nothing_is_changed_while_digikam_runs(library: Library, database: Database, tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("sleep") or "", tmp_path / "digikam")
    with library.database.open("rb") as file, subprocess.Popen([program, "600"], stdin=file) as digikam:
        try:
            with pytest.raises(DigikamRunningError, match=f"process {digikam.pid}"), changing(database):
                pytest.fail("it was changed")
        finally:
            digikam.kill()
    with changing(database):
        database.change(SORT, [(7, 1)])
    assert library.orders() == {"a.jpg": 7, "b.jpg": None}


def test_without_a_backup_nothing_is_changed(library: Library, database: Database, own_places: Path) -> None:
    folder = backup_folder(database)
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    with pytest.raises(DatabaseError, match="no backup of digiKam's database can be made"), changing(database):
        pytest.fail("it was changed")
    assert library.orders() == {"a.jpg": None, "b.jpg": None}


def test_names_that_are_no_utf_8_are_read(library: Library, database: Database) -> None:
    library.do("UPDATE Images SET name = CAST(x'636166e92e6a7067' AS TEXT) WHERE id = 1")
    assert database.rows("SELECT name FROM Images WHERE id = ?", 1) == [("caf\udce9.jpg",)]


def test_it_is_known_again_where_it_was_moved_to(library: Library, database: Database, tmp_path: Path) -> None:
    copy = shutil.copy(library.database, tmp_path / "copy.db")
    assert identity(database) == identity(SqliteFile(copy))
    library.do("DELETE FROM Settings WHERE keyword = 'databaseUUID'")
    assert identity(database) == str(library.database)


def test_a_server_that_nobody_may_ask_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatabaseError, match="Database Migration"):
        open_database(MysqlDatabase("digikam", "root", "", internal=True))
    with pytest.raises(ConfigError, match=f"give it in {PASSWORD}"):
        open_database(MysqlDatabase("digikam", "me", None, "nas"))
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'aesth\[mysql\]'"):
        open_database(MysqlDatabase("digikam", "me", "secret", "nas"))
