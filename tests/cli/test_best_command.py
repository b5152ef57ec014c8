"""`aesth best`: groups and the best of each, for people and for programs; nothing is written."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from support.bursts import taken
from support.cli import aesth_in_process
from support.metadata import rate_by_exiv2, tags_below


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A burst of two, a bracket of three, and a photo alone."""
    folder = tmp_path_factory.mktemp("photos")
    taken(folder / "a1.jpg", 0, 50)
    taken(folder / "a2.jpg", 0.5, 55)
    for step, bias in enumerate((0, -1, 1)):
        taken(folder / f"b{step}.jpg", 60 + step / 2, 50, bias)
    taken(folder / "c.jpg", 900, 50)
    return folder


def test_programs_get_all_photos_with_group_kind_and_best_after_the_common_fields(
    folder: Path, brightness: Path, own_places: Path
) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    done = aesth_in_process("best", "--model", brightness, "--format", "tsv", folder)
    assert done.returncode == 0
    header, *lines = (line.split("\t") for line in done.stdout.decode().splitlines())
    assert header == ["path", "score", "rating", "old_rating", "action", "error", "group", "kind", "best", "rank"]
    assert [(Path(line[0]).name, *line[2:]) for line in lines] == [
        ("a1.jpg", "3", "", "scored", "", "1", "burst", "false", "2"),
        ("a2.jpg", "3", "", "scored", "", "1", "burst", "true", "1"),
        *((f"b{step}.jpg", "3", "", "scored", "", "2", "bracket", "", "") for step in range(3)),
        ("c.jpg", "", "", "skipped", "", "", "", "", ""),
    ]
    assert done.stderr.startswith(b"6 photos: 5 scored, 0 failed, 2 groups in ")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert [path.name for path in own_places.rglob("*.sqlite")] == ["scores.sqlite"]


def test_people_see_groups_with_the_best_marked_and_what_failed(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, "--quiet", folder, folder / "missing.jpg")
    _, *rows = done.stdout.decode().splitlines()
    told = ["burst 1", "burst 1  the best", *["bracket 2"] * 3, "no such file"]
    assert [row.rpartition(".jpg  ")[2] for row in rows] == told
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_gap_is_an_option(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, "--gap", "0.1", folder)
    assert done.stdout == b""
    assert b"6 photos: 0 scored, 0 failed, 0 groups" in done.stderr


def test_what_is_missing_is_told_with_exit_code_3(
    folder: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = aesth_in_process("best", "--model", brightness, folder)
    assert done.returncode == 3
    assert done.stderr.startswith(b"aesth: ExifTool is needed")


def test_ctrl_c_does_not_wait_until_a_series_is_scored(tmp_path: Path, brightness: Path) -> None:
    """A series may be hundreds of photos, and its first outcome is known when all of it is scored."""
    slow = taken(tmp_path / "0.png", 0, size=(3000, 3000))
    for number in range(1, 12):
        (tmp_path / f"{number}.png").hardlink_to(slow)

    others, handler, over = {*threading.enumerate()}, signal.getsignal(signal.SIGINT), threading.Event()

    def is_decoding() -> bool:
        begun = any(thread.name.startswith("aesth-decode") for thread in {*threading.enumerate()} - others)
        return begun and signal.getsignal(signal.SIGINT) is not handler

    def interrupt_the_decoding() -> None:
        while not over.wait(0.001):
            if is_decoding():
                os.kill(os.getpid(), signal.SIGINT)
                return

    watcher = threading.Thread(target=interrupt_the_decoding)
    watcher.start()
    try:
        done = aesth_in_process("best", "--model", brightness, "--jobs", "1", "--format", "json", tmp_path)
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 130
    assert done.stderr.startswith(b"Stopped after 0 photos")
    assert done.stdout == b"[\n]\n"


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """A burst of three whose brightest, 3, is the best, and in which a person gave 2 four stars; and a photo alone."""
    for number, percent in enumerate((44, 46, 50), 1):
        taken(tmp_path / f"{number}.jpg", number / 5, percent)
    taken(tmp_path / "alone.jpg", 900, 50)
    rate_by_exiv2(tmp_path / "2.jpg", 4)
    return tmp_path


def marks(folder: Path) -> dict[str, tuple[int | None, int | None]]:
    """The stars and the pick label of each photo."""
    return {path.name: (tags.get("XMP-xmp:Rating"), tags.get("XMP-digiKam:PickLabel")) for path, tags in found(folder)}


def found(folder: Path) -> list[tuple[Path, dict[str, int]]]:
    return sorted((path, tags) for path, tags in tags_below(folder).items() if path.suffix == ".jpg")


def test_the_best_is_picked_and_the_rest_rejected_but_for_what_a_person_rated_and_it_can_be_undone(
    takes: Path, brightness: Path
) -> None:
    before = marks(takes)
    command = ("best", "--model", brightness, "--pick", "--reject-rest", "--format", "csv", takes)
    dry = aesth_in_process(*command, "--dry-run")
    assert marks(takes) == before
    done = aesth_in_process(*command)
    assert marks(takes) == {"1.jpg": (-1, 1), "2.jpg": (4, None), "3.jpg": (None, 3), "alone.jpg": (None, None)}
    _, *rows = (line.split(",") for line in done.stdout.decode().splitlines())
    told = {Path(row[0]).name: (row[2], row[4], row[9]) for row in rows}
    assert told == {
        "1.jpg": ("-1", "written", "3"),
        "2.jpg": ("", "kept", "2"),
        "3.jpg": ("", "written", "1"),
        "alone.jpg": ("", "skipped", ""),
    }
    assert dry.stdout == done.stdout.replace(b"written", b"scored")
    assert b"2 written, 1 kept, 1 skipped" in done.stderr

    again = aesth_in_process(*command)
    assert again.stdout.count(b"written") == 0
    assert aesth_in_process("undo").returncode == 0
    assert marks(takes) == before


def test_each_of_the_two_marks_can_be_asked_for_alone(takes: Path, brightness: Path) -> None:
    assert (
        aesth_in_process("best", "--model", brightness, "--reject-rest", "--policy", "overwrite", takes).returncode == 0
    )
    assert marks(takes) == {"1.jpg": (-1, 1), "2.jpg": (-1, 1), "3.jpg": (None, None), "alone.jpg": (None, None)}
    assert aesth_in_process("best", "--model", brightness, "--pick", takes).returncode == 0
    assert marks(takes)["3.jpg"] == (None, 3)
