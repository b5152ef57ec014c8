"""What is recorded before a write is there after a crash, for two programs at once, and can be forgotten."""

import os
import signal
import sqlite3
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth import JournalError, __version__
from aesth.databases import size_of
from aesth.metadata.journal import Entry, Journal, State, journal_file
from aesth.metadata.ratings import READ_KEYS

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def entry(name: str | Path = "/photos/a.jpg", **more: object) -> Entry:
    given = {"photo": Path(name), "file": Path(name), "created": False, "digest": None, "old": {}, "new": {}}
    return Entry(**{**given, **more})  # type: ignore[arg-type]


def states(journal: Journal, run: int) -> list[State]:
    return [found.state for found in journal.entries(run)]


def in_child(work: Callable[[], None]) -> None:
    """Do ``work`` in a process that is killed right after."""
    child = os.fork()
    if not child:
        work()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


# Any name that a file can have, and any text that another program may have put into a photo.
names = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name).map(lambda name: b"/" + name)
values = st.dictionaries(st.sampled_from(READ_KEYS), st.text(max_size=20), max_size=4)


@settings(max_examples=25)
@given(st.lists(st.tuples(names, names, st.booleans(), values, values), min_size=1, max_size=4))
def test_what_was_recorded_comes_back(
    tmp_path_factory: pytest.TempPathFactory, given_entries: list[tuple[bytes, bytes, bool, dict, dict]]
) -> None:
    entries = [
        entry(os.fsdecode(photo), file=Path(os.fsdecode(file)), created=created, digest="0f" * 32, old=old, new=new)
        for photo, file, created, old, new in given_entries
    ]
    path = tmp_path_factory.mktemp("journals") / "journal.sqlite"
    with Journal(path) as journal:
        run = journal.begin("aesth tag", "lite-int8 0123abcd")
        numbers = journal.plan(run, entries)
    with Journal(path) as journal:
        found = journal.entries(run)
    assert [(one.photo, one.file, one.created, one.digest, one.old, one.new) for one in found] == [
        (one.photo, one.file, one.created, one.digest, one.old, one.new) for one in entries
    ]
    assert [(one.id, one.run, one.state) for one in found] == [(number, run, State.PLANNED) for number in numbers]


def test_a_run_tells_when_how_and_how_much(journal: Journal) -> None:
    first = journal.begin("aesth tag 'caf\udce9.jpg'", "lite-int8 0123abcd")
    numbers = journal.plan(first, [entry("/a"), entry("/a", file=Path("/a.xmp")), entry("/b")])
    journal.mark(numbers, State.DONE)
    second = journal.begin("aesth undo", "", undoes=first)
    journal.mark(numbers[:2], State.UNDONE, by=second)
    tagged, undone = journal.runs()
    assert (tagged.command, tagged.model, tagged.version) == (
        "aesth tag 'caf\udce9.jpg'",
        "lite-int8 0123abcd",
        __version__,
    )
    assert (tagged.photos, tagged.undone, tagged.undoes) == (2, 1, None)
    assert (undone.photos, undone.undoes) == (1, first)
    assert abs(datetime.now(UTC) - tagged.started) < timedelta(minutes=1)
    assert journal.last() == first


def test_a_later_run_that_rated_a_file_is_known_until_it_is_undone(journal: Journal) -> None:
    first, second = journal.begin("", ""), journal.begin("", "")
    journal.plan(first, [entry("/a"), entry("/b")])
    numbers = journal.plan(second, [entry("/a"), entry("/c", file=Path("/c.xmp"))])
    journal.mark(numbers, State.DONE)
    assert journal.later(first) == {Path("/a"): second, Path("/c.xmp"): second}
    assert journal.later(second) == {}
    journal.mark(numbers, State.UNDONE)
    assert journal.later(first) == {}


@needs_fork
def test_what_a_killed_program_planned_is_there_and_is_nobody_elses(journal: Journal) -> None:
    mine = journal.plan(journal.begin("", ""), [entry("/mine")])

    def plan() -> None:
        with Journal(journal.path) as own:
            run = own.begin("", "")
            own.mark(own.plan(run, [entry("/planned"), entry("/done")])[1:], State.DONE)
            own.mark(own.plan(run, [entry("/undoing")]), State.UNDOING, own.begin("", "", undoes=run))

    in_child(plan)
    assert [str(one.photo) for one in journal.unsettled()] == ["/planned", "/undoing"]
    journal.drop(journal.unsettled())
    assert journal.unsettled() == []
    assert [str(one.photo) for run in (1, 2) for one in journal.entries(run)] == ["/mine", "/done"]
    assert states(journal, 1) == [State.PLANNED]
    assert mine


def test_a_run_of_which_nothing_happened_is_dropped(journal: Journal) -> None:
    journal.plan(journal.begin("", ""), [entry()])
    journal.drop(journal.entries(1))
    assert journal.runs() == []


@needs_fork
def test_two_programs_that_make_and_fill_it_at_once_lose_nothing(tmp_path: Path) -> None:
    path, start = tmp_path / "new" / "journal.sqlite", time.monotonic() + 0.2
    children = []
    for number in range(3):
        children.append(child := os.fork())
        if not child:
            time.sleep(max(0, start - time.monotonic()))
            with Journal(path) as journal:
                run = journal.begin(str(number), "")
                for photo in range(20):
                    journal.mark(journal.plan(run, [entry(f"/{number}/{photo}")]), State.DONE)
            os._exit(0)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    with Journal(path) as journal:
        runs = journal.runs()
        assert sorted(run.command for run in runs) == ["0", "1", "2"]
        for run in runs:
            assert [str(one.photo) for one in journal.entries(run.id)] == [f"/{run.command}/{n}" for n in range(20)]
            assert set(states(journal, run.id)) == {State.DONE}


@needs_fork
def test_old_runs_are_forgotten_and_their_numbers_not_used_again(journal: Journal) -> None:
    long = dict.fromkeys(READ_KEYS, "x" * 100)

    def write() -> None:
        with Journal(journal.path) as own:
            own.plan(own.begin("old", ""), [entry(f"/{number}", new=long) for number in range(200)])

    in_child(write)
    living = journal.begin("living", "")
    size = size_of(journal.path)
    assert journal.forget(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert journal.forget(datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert [run.command for run in journal.runs()] == ["living"]
    assert journal.entries(1) == []
    assert size_of(journal.path) < size / 2
    assert journal.begin("new", "") == living + 1


def test_its_size_is_what_the_documentation_says(journal: Journal) -> None:
    said = ["4", "75", "4", "75", "87.12", "4", "lite-int8 0123456789abcdef", "2026:01:02 03:04:05+00:00"]
    keys = [
        "XMP-xmp:Rating",
        "XMP-microsoft:RatingPercent",
        "IFD0:Rating",
        "IFD0:RatingPercent",
        *(f"XMP-aesth:{name}" for name in ("Score", "Rating", "Model", "Date")),
    ]
    new = dict(zip(keys, said, strict=True))
    folder = "/home/somebody/Pictures/2026/2026-01-02 a day at the sea"
    journal.plan(journal.begin("aesth tag", ""), [entry(f"{folder}/IMG_{n:04}.JPG", new=new) for n in range(1000)])
    journal.close()
    assert 300_000 < journal.path.stat().st_size < 600_000


def test_it_can_be_read_while_another_program_writes(journal: Journal) -> None:
    run = journal.begin("", "")
    writer = sqlite3.connect(journal.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert [found.id for found in journal.runs()] == [run]
    writer.close()


def test_nobody_else_may_read_it(journal: Journal) -> None:
    if os.name != "posix":
        pytest.skip("permissions are told by other means here")
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_it_lies_in_the_state_folder(own_places: Path) -> None:
    assert journal_file() == own_places / "state" / "journal.sqlite"
    assert not journal_file().exists()
    with Journal() as journal:
        assert journal.path == journal_file()


class TestRefused:
    @pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
    def test_a_damaged_one(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "journal.sqlite"
        path.write_bytes(content)
        with pytest.raises(JournalError, match=r"damaged .* move it away") as caught:
            Journal(path)
        assert caught.value.path == path
        assert path.read_bytes() == content

    def test_one_in_which_the_name_of_a_table_is_damaged(self, tmp_path: Path) -> None:
        """SQLite tells the name, which is no text any more."""
        path = tmp_path / "journal.sqlite"
        Journal(path).close()
        path.write_bytes(path.read_bytes().replace(b"CREATE TABLE entries", b"CREATE TABL\x80 entries"))
        with pytest.raises(JournalError, match=r"damaged .* move it away"):
            Journal(path)

    def test_one_that_cannot_be_opened(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for path in (tmp_path, tmp_path / "file" / "journal.sqlite"):
            with pytest.raises(JournalError, match=r"nothing was written without it: .*AESTH_STATE_DIR"):
                Journal(path)

    def test_one_of_a_newer_version(self, journal: Journal) -> None:
        journal.close()
        sqlite3.connect(journal.path).executescript("PRAGMA user_version = 99")
        with pytest.raises(JournalError, match="newer"):
            Journal(journal.path)

    def test_one_that_another_program_holds(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("aesth.records.PATIENCE", 0.01)
        holder = sqlite3.connect(journal.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with Journal(journal.path) as other, pytest.raises(JournalError, match=r"another program .* try again"):
            other.begin("", "")
        holder.close()
        assert journal.begin("", "") == 1
