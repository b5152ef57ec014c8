"""`aesth sort`: photos in a folder by rank, and where each went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import EVIL_NAMES, aesth_in_process, evil_photos


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("by", "kept"), [(None, True), *((how, True) for how in ("copy", "hardlink", "symlink")), ("move", False)]
)
def test_photos_are_put_there_by_rank_and_moved_only_when_told(
    photos: Path, tmp_path: Path, brightness: Path, by: str | None, kept: bool
) -> None:
    how = ["--by", by] if by else []
    done = aesth_in_process(
        "sort", "--model", brightness, "--out", tmp_path / "out", *how, "--format", "ndjson", photos
    )
    assert done.returncode == 0
    assert names(tmp_path / "out") == ["1-light.jpg", "2-dark.jpg"]
    assert (names(photos) == ["dark.jpg", "light.jpg"]) == kept
    light, dark = (json.loads(line) for line in done.stdout.splitlines())
    assert list(light) == ["path", "score", "rating", "old_rating", "action", "error", "rank", "target"]
    assert (light["path"], light["rank"], light["action"]) == (str(photos / "light.jpg"), 1, "written")
    assert dark["target"] == str(tmp_path / "out" / "2-dark.jpg")
    assert done.stderr.startswith(b"2 photos: 2 scored, 2 written, 0 kept, 0 skipped, 0 failed, the best of 2 in ")


def test_a_dry_run_shows_the_names_and_makes_nothing(photos: Path, tmp_path: Path, brightness: Path) -> None:
    done = aesth_in_process(
        "sort", "--model", brightness, "--out", tmp_path / "out", "-n", "--by", "move", "--top", "1", photos
    )
    assert done.stdout.decode().splitlines()[1].endswith("light.jpg  as 1-light.jpg")
    assert len(done.stdout.splitlines()) == 2
    assert not (tmp_path / "out").exists()
    assert names(photos) == ["dark.jpg", "light.jpg"]


def test_a_folder_that_holds_something_is_a_usage_error(photos: Path, brightness: Path) -> None:
    done = aesth_in_process("sort", "--model", brightness, "--out", photos, photos)
    assert done.returncode == 2
    assert b"is not empty" in done.stderr
    assert names(photos) == ["dark.jpg", "light.jpg"]
    assert aesth_in_process("sort", "--model", brightness, photos).returncode == 2


def test_no_name_leads_out_of_the_folder_or_commands_the_terminal(tmp_path: Path, brightness: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    evil_photos(folder)
    done = aesth_in_process("sort", "--model", brightness, "--out", tmp_path / "out", folder)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout
    assert {name.partition("-")[2] for name in names(tmp_path / "out")} == set(EVIL_NAMES)
    assert names(tmp_path) == ["out", "photos"]
