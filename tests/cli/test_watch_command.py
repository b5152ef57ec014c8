"""`aesth watch`: the real command on real folders; when photos come is told by the tests of `aesth.watching`."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from support.cli import aesth_in_process, grey_photo, grey_raw, start_aesth
from support.metadata import rate_by_exiv2

pytest.importorskip("watchdog")

QUICK = ("--settle", "0.05", "--until-idle", "0.1")


def watch(brightness: Path, *arguments: str | Path) -> dict[str, str]:
    """Names and what was done, of all that a watch tells."""
    done = aesth_in_process("watch", "--model", brightness, *QUICK, "--format", "ndjson", *arguments)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    told = {Path(line["path"]).name: line["action"] for line in lines}
    assert len(told) == len(lines), "each photo is told once"
    return told


def test_photos_are_tagged_as_they_arrive_until_ctrl_c(tmp_path: Path, brightness: Path) -> None:
    """Each step waits for the line of the one before; our own writes, which come between, bring no line."""
    process = start_aesth("watch", "--model", brightness, "--settle", "0.05", "--format", "ndjson", tmp_path / "card")
    assert process.stdout
    assert process.stderr
    assert b"Watching " in process.stderr.readline()
    assert b"is not there" in process.stderr.readline()
    (tmp_path / "card").mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        grey_photo(tmp_path / "card" / name)
        line = json.loads(process.stdout.readline())
        assert (Path(line["path"]).name, line["action"], line["rating"]) == (name, "written", 3)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"Stopped after 3 photos: 3 scored, 3 written" in told
    assert b"Traceback" not in told
    assert sorted(path.name for path in (tmp_path / "card").iterdir()) == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("way", [("--sidecar",), ("--poll", "0.1")], ids=["sidecars", "polled"])
def test_what_arrived_while_nobody_watched_is_tagged_at_the_start(
    tmp_path: Path, brightness: Path, way: tuple[str, ...]
) -> None:
    grey_photo(tmp_path / "a.jpg", 90)
    grey_raw(tmp_path / "a.dng", 10)
    assert watch(brightness, *way, tmp_path) == {"a.jpg": "written", "a.dng": "written"}
    rate_by_exiv2(grey_photo(tmp_path / "b.jpg"), 4)
    grey_photo(tmp_path / "c.jpg")
    assert watch(brightness, *way, tmp_path) == {
        "a.jpg": "skipped",
        "a.dng": "skipped",
        "b.jpg": "kept",
        "c.jpg": "written",
    }


def test_people_see_what_was_done_and_not_what_was_known(tmp_path: Path, brightness: Path) -> None:
    rate_by_exiv2(grey_photo(tmp_path / "rated.jpg"), 4)
    (tmp_path / "text.jpg").write_text("hello")
    grey_photo(tmp_path / "new.jpg")
    done = aesth_in_process("watch", "--model", brightness, *QUICK, tmp_path)
    told = done.stdout.decode()
    assert ("new.jpg" in told, "text.jpg" in told, "rated.jpg" in told) == (True, True, False)
    assert done.returncode == 1
    assert b"3 photos: 1 scored, 1 written, 1 kept, 0 skipped, 1 failed in " in done.stderr


def test_a_dry_run_writes_nothing_and_tells_each_photo_once(tmp_path: Path, brightness: Path) -> None:
    content = grey_photo(tmp_path / "a.jpg").read_bytes()
    assert watch(brightness, "--dry-run", tmp_path) == {"a.jpg": "scored"}
    assert (tmp_path / "a.jpg").read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--relative", "."), b"--no-relative"), (("photo.jpg",), b"name the folder"), ((), b"name folders")],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, ...], told: bytes) -> None:
    grey_photo(tmp_path / "photo.jpg")
    done = aesth_in_process("watch", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


def test_without_watchdog_the_line_that_installs_it_is_told_and_polling_works(
    tmp_path: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchdog", None)
    grey_photo(tmp_path / "a.jpg")
    done = aesth_in_process("watch", "--model", brightness, *QUICK, tmp_path)
    assert done.returncode == 3
    assert b"pip install 'aesth[watch]'" in done.stderr
    assert watch(brightness, "--poll", "0.1", tmp_path) == {"a.jpg": "written"}
