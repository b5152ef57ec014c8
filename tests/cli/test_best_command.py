"""`aesth best`: groups and the best of each, for people and for programs; nothing is written."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from pathlib import Path

import pytest

from support.bursts import taken
from support.cli import aesth_in_process, listed, start_aesth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A burst of two, a bracket of three, and a photo alone."""
    folder = tmp_path / "photos"
    folder.mkdir()
    taken(folder / "a1.jpg", 0, 50)
    taken(folder / "a2.jpg", 0.5, 55)
    for step, bias in enumerate((0, -1, 1)):
        taken(folder / f"b{step}.jpg", 60 + step / 2, 50, bias)
    taken(folder / "c.jpg", 900, 50)
    return folder


def test_the_fields_of_all_commands_come_first_and_then_group_kind_and_best(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, "--format", "tsv", folder)
    assert done.returncode == 0
    header, *lines = (line.split("\t") for line in done.stdout.decode().splitlines())
    assert header == ["path", "score", "rating", "old_rating", "action", "error", "group", "kind", "best"]
    assert [(Path(line[0]).name, *line[2:]) for line in lines] == [
        ("a1.jpg", "3", "", "scored", "", "1", "burst", "false"),
        ("a2.jpg", "3", "", "scored", "", "1", "burst", "true"),
        *((f"b{step}.jpg", "3", "", "scored", "", "2", "bracket", "") for step in range(3)),
        ("c.jpg", "", "", "skipped", "", "", "", ""),
    ]
    assert done.stderr.startswith(b"6 photos: 5 scored, 0 failed, 2 groups in ")


def test_every_format_says_the_same(folder: Path, brightness: Path) -> None:
    def printed(form: str) -> str:
        return aesth_in_process("best", "--model", brightness, "--format", form, folder).stdout.decode()

    whole = json.loads(printed("json"))
    assert [json.loads(line) for line in printed("ndjson").splitlines()] == whole
    assert [(photo["group"], photo["kind"], photo["best"]) for photo in whole[:3]] == [
        (1, "burst", False),
        (1, "burst", True),
        (2, "bracket", None),
    ]
    rows = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    assert list(rows[0]) == list(whole[0])
    assert [row["best"] for row in rows] == ["false", "true", "", "", "", ""]


def test_people_see_groups_alone_with_the_best_marked(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, folder)
    _, *rows = done.stdout.decode().splitlines()
    assert len(rows) == 5
    assert [row.rpartition(".jpg  ")[2] for row in rows] == ["burst 1", "burst 1  the best", *["bracket 2"] * 3]


def test_a_bad_photo_is_shown_and_the_exit_code_is_1(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, "--quiet", folder, folder / "missing.jpg")
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"no such file" in done.stdout


def test_photos_stay_as_they_are_and_no_score_is_remembered(folder: Path, brightness: Path, own_places: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    aesth_in_process("best", "--model", brightness, folder)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert list(own_places.rglob("*.sqlite")) == []


def test_the_gap_is_an_option(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, "--format", "ndjson", "--gap", "0.1", folder)
    assert {json.loads(line)["group"] for line in done.stdout.splitlines()} == {None}
    assert b"0 groups" in done.stderr


def test_what_is_missing_is_told_with_exit_code_3(
    folder: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = aesth_in_process("best", "--model", brightness, folder)
    assert done.returncode == 3
    assert done.stderr.startswith(b"aesth: ExifTool is needed")


@pytest.mark.timeout(120)
def test_ctrl_c_ends_it_in_the_middle_of_a_series_and_what_was_found_stays(tmp_path: Path, brightness: Path) -> None:
    burst = [taken(tmp_path / f"a{n}.jpg", n / 10) for n in range(2)]
    slow = [taken(tmp_path / "b.png", 60, size=(5000, 5000))]
    for n in range(30):
        slow.append(tmp_path / f"b{n}.png")
        slow[-1].hardlink_to(slow[0])
    process = start_aesth("best", "--model", brightness, "--format", "json", "--jobs", "1", "--files-from", "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(listed([*burst, *slow]))
    process.stdin.close()
    process.stdin = None
    first = b"".join(process.stdout.readline() for _ in range(2))
    os.killpg(process.pid, signal.SIGINT)
    rest, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [photo["best"] for photo in json.loads(first + rest)] == [True, False]
    assert stderr.startswith(b"Stopped after 2 photos")
