"""Files that tell what is about to be changed: all of it or nothing, by many at a time, for this person alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Timer

import pytest

from aesth.errors import JournalError
from aesth.records import Form, RecordFile

LIST = Form("CREATE TABLE IF NOT EXISTS names (name TEXT NOT NULL);", version=3, name="list", done="changed")
ADD = "INSERT INTO names VALUES (?)"
MANY = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "list.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[RecordFile]:
    with closing(RecordFile(path, LIST)) as opened:
        yield opened


def names(file: RecordFile) -> list[str]:
    return [name for (name,) in file.rows("SELECT name FROM names ORDER BY name")]


def add(file: RecordFile, *names: str | None) -> None:
    with file.transaction() as database:
        for name in names:
            database.execute(ADD, (name,))


def test_what_fails_leaves_nothing_and_what_follows_is_kept(file: RecordFile) -> None:
    with pytest.raises(JournalError, match="NOT NULL"):
        add(file, "half", None)
    add(file, "whole")
    assert names(file) == ["whole"]


def test_what_announces_something_waits_for_the_disk_and_what_tells_of_it_after_does_not(file: RecordFile) -> None:
    found = []
    for durable in (False, True, False):
        with file.transaction(durable=durable) as database:
            found += database.execute("PRAGMA synchronous").fetchone()
    normal, full = 1, 2
    assert found == [normal, full, normal]


def test_threads_take_turns(file: RecordFile) -> None:
    start = Barrier(MANY)

    def add_some(number: int) -> None:
        start.wait()
        for step in range(20):
            with file.transaction(durable=False) as database:
                database.execute(ADD, (f"{number}-{step:02}",))
                assert f"{number}-{step:02}" in names(file)

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(add_some, range(MANY)))
    assert len(names(file)) == 20 * MANY


def test_many_open_a_new_one_at_one_time(path: Path) -> None:
    start = Barrier(MANY)

    def add_one(number: int) -> None:
        start.wait()
        with closing(RecordFile(path, LIST)) as file:
            add(file, f"{number}")

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(add_one, range(MANY)))
    with closing(RecordFile(path, LIST)) as file:
        assert names(file) == [f"{number}" for number in range(MANY)]


def test_one_that_is_held_while_it_is_opened_is_waited_for(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        release = Timer(0.2, holder.execute, ("COMMIT",))
        release.start()
        with closing(RecordFile(path, LIST)) as file:
            assert names(file) == []
        release.join()


def test_nobody_else_may_read_it(path: Path, file: RecordFile) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_newer_one_stays_as_it_is_and_the_message_names_it(path: Path) -> None:
    with closing(RecordFile(path, LIST)), closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 4")
    content = path.read_bytes()
    with pytest.raises(JournalError, match=r"this list was written by a newer aesth; nothing was changed: update") as e:
        RecordFile(path, LIST)
    assert (e.value.path, path.read_bytes()) == (path, content)
