"""`aesth undo` and `aesth history`: what scripts read of them, and what stops a run that could not be undone."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.cli import aesth_in_process, grey_photo

OUTCOME = ["path", "score", "rating", "old_rating", "action", "error"]
RUN = ["run", "date", "photos", "undone", "undoes", "model", "version", "command"]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lines(*arguments: str | Path, code: int = 0, cwd: Path | None = None) -> list[dict[str, object]]:
    done = aesth_in_process(*arguments, "--format", "ndjson", cwd=cwd)
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(outcomes: Sequence[dict[str, object]]) -> list[tuple[object, ...]]:
    """By name: photos are undone in the turn in which they were written, and some are written at once."""
    return sorted((Path(str(one["path"])).name, one["action"], one["rating"], one["old_rating"]) for one in outcomes)


def test_a_run_is_listed_and_undone_and_undone_again(
    photos: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/aesth", "tag", "my photos"])
    before = bytes_of(photos)
    lines("tag", "--model", brightness, photos)
    tagged = bytes_of(photos)
    (run,) = lines("history")
    assert list(run) == RUN
    assert (run["run"], run["photos"], run["undone"], run["undoes"]) == (1, 2, 0, None)
    assert run["command"] == "aesth tag 'my photos'"
    assert str(run["model"]).startswith("brightness-fp32 ")
    would_be = lines("undo", "--dry-run")
    assert list(would_be[0]) == OUTCOME
    assert told(would_be) == [("dark.jpg", "scored", None, 1), ("light.jpg", "scored", None, 5)]
    assert bytes_of(photos) == tagged
    assert told(lines("undo")) == [("dark.jpg", "written", None, 1), ("light.jpg", "written", None, 5)]
    assert bytes_of(photos) == before
    assert told(lines("undo")) == [("dark.jpg", "skipped", None, None), ("light.jpg", "skipped", None, None)]
    assert [(run["run"], run["photos"], run["undone"], run["undoes"]) for run in lines("history")] == [
        (1, 2, 2, None),
        (2, 2, 0, 1),
    ]


def test_a_run_by_its_number_and_some_paths_of_it(photos: Path, brightness: Path) -> None:
    before = bytes_of(photos)
    lines("tag", "--model", brightness, photos)
    (photos / "7").mkdir()
    lines("tag", "--model", brightness, grey_photo(photos / "7" / "grey.jpg"))
    assert told(lines("undo", "1", "dark.jpg", cwd=photos)) == [("dark.jpg", "written", None, 1)]
    assert (photos / "dark.jpg").read_bytes() == before["dark.jpg"]
    assert told(lines("undo", "1", "7", cwd=photos, code=1)) == [("7", "failed", None, None)]
    assert told(lines("undo", "./7", cwd=photos)) == [("grey.jpg", "written", None, 3)]


def test_the_summary_counts_what_was_done(photos: Path, brightness: Path) -> None:
    lines("tag", "--model", brightness, photos)
    done = aesth_in_process("undo", photos / "dark.jpg")
    assert b"1 photo: 1 written, 0 kept, 0 skipped, 0 failed in " in done.stderr
    assert "written   " in done.stdout.decode()


def test_history_in_every_format_and_forgotten(photos: Path, brightness: Path, own_places: Path) -> None:
    empty = aesth_in_process("history")
    assert (empty.returncode, empty.stdout) == (0, b"")
    assert b"No runs in " in empty.stderr
    assert not (own_places / "state").exists()
    lines("tag", "--model", brightness, photos)
    (run,) = lines("history")
    texts = ["" if value is None else str(value) for value in run.values()]
    found = {form: aesth_in_process("history", "--format", form).stdout.decode() for form in ("json", "csv", "tsv")}
    assert json.loads(found["json"]) == [run]
    assert list(csv.reader(io.StringIO(found["csv"]))) == [RUN, texts]
    assert [line.split("\t") for line in found["tsv"].splitlines()] == [RUN, texts]
    table = aesth_in_process("history")
    assert table.stdout.decode().split()[:5] == ["Run", "Date", "Photos", "Undone", "Command"]
    assert str(own_places / "state" / "journal.sqlite").encode() in table.stderr
    assert lines("history", "--forget", "2020-01-01") == [run]
    assert aesth_in_process("history", "--forget", "soon").returncode == 2


@pytest.mark.parametrize("command", ["tag", "undo", "history"])
def test_a_damaged_journal_stops_them_before_anything_is_written(
    photos: Path, brightness: Path, own_places: Path, command: str
) -> None:
    journal = own_places / "state" / "journal.sqlite"
    journal.parent.mkdir()
    journal.write_bytes(b"no journal" * 1000)
    before = bytes_of(photos)
    done = aesth_in_process(
        command, *(["--model", brightness, "--format", "ndjson", photos] if command == "tag" else [])
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"aesth: {journal}: this journal is damaged")
    assert done.stderr.count(b"\n") == 1
    assert bytes_of(photos) == before
    assert journal.read_bytes() == b"no journal" * 1000


def test_a_dry_run_of_tag_needs_no_journal(photos: Path, brightness: Path, own_places: Path) -> None:
    lines("tag", "--dry-run", "--model", brightness, photos)
    assert not (own_places / "state").exists()


def test_what_is_no_run_is_told(photos: Path, brightness: Path) -> None:
    done = aesth_in_process("undo")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"there is no run to undo" in done.stderr
    lines("tag", "--model", brightness, photos)
    assert b"there is no run 12 in it; `aesth history` lists them" in aesth_in_process("undo", "12").stderr
