"""`aesth similar`: groups and the one to keep of each, for people and for programs; nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import aesth_in_process
from support.photos import landscape


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, a small copy of it, and another."""
    folder = tmp_path_factory.mktemp("photos")
    landscape(1).save(folder / "b.jpg")
    landscape(1).resize((100, 75)).save(folder / "a.jpg")
    landscape(2).save(folder / "c.jpg")
    return folder


def test_programs_get_all_photos_with_group_and_keep_after_the_common_fields(
    folder: Path, brightness: Path, own_places: Path
) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    done = aesth_in_process("similar", "--model", brightness, "--format", "tsv", folder)
    assert done.returncode == 0
    header, *lines = (line.split("\t") for line in done.stdout.decode().splitlines())
    assert header == ["path", "score", "rating", "old_rating", "action", "error", "group", "keep"]
    assert [(Path(line[0]).name, *line[4:]) for line in lines] == [
        ("b.jpg", "scored", "", "1", "true"),
        ("a.jpg", "scored", "", "1", "false"),
        ("c.jpg", "scored", "", "", ""),
    ]
    assert done.stderr.startswith(b"3 photos: 3 scored, 0 failed, 1 group in ")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert [path.name for path in own_places.rglob("*.sqlite")] == ["scores.sqlite"]


def test_people_see_groups_and_what_failed(folder: Path, brightness: Path) -> None:
    done = aesth_in_process("similar", "--model", brightness, "--quiet", folder, folder / "missing.jpg")
    _, *rows = done.stdout.decode().splitlines()
    told = ["picture 1  keep", "picture 1", "no such file; it may have been moved or renamed"]
    assert [row.rpartition(".jpg  ")[2] for row in rows] == told
    assert (done.returncode, done.stderr) == (1, b"")
