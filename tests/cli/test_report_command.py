"""`aesth report`: a page of photos, written whole and never over another."""

from __future__ import annotations

import json
from pathlib import Path

from aesth.cli.best import COLUMNS
from support.cli import EVIL_NAMES, aesth_in_process, evil_photos
from support.pages import read_page


def test_a_page_is_made_and_programs_are_told_of_all_photos(photos: Path, tmp_path: Path, brightness: Path) -> None:
    out = tmp_path / "new" / "page.html"
    done = aesth_in_process("report", "--model", brightness, "-o", out, "--format", "json", photos)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [Path(photo["path"]).name for photo in told] == ["dark.jpg", "light.jpg"]
    assert list(told[0])[6:] == [column.name for column in COLUMNS]
    page = read_page(out)
    assert page.texts["title"] == ["photos"]
    assert [photo["name"] for photo in page.data["photos"]] == ["light.jpg", "dark.jpg"]
    assert done.stderr.startswith(f"2 photos: 2 scored, 0 failed, {out} in ".encode())


def test_people_are_told_what_failed_alone(photos: Path, tmp_path: Path, brightness: Path) -> None:
    done = aesth_in_process(
        "report", "--model", brightness, "-o", tmp_path / "page.html", "--title", "<b>", photos, photos / "missing.jpg"
    )
    assert done.returncode == 1
    assert [row.rpartition("/")[2].split()[0] for row in done.stdout.decode().splitlines()[1:]] == ["missing.jpg"]
    assert read_page(tmp_path / "page.html").texts["title"] == ["<b>"]


def test_a_page_that_is_there_is_replaced_only_when_told(photos: Path, tmp_path: Path, brightness: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("mine")
    command = ["report", "--model", brightness, "-o", out, "--quiet", photos]
    done = aesth_in_process(*command)
    assert (done.returncode, out.read_text()) == (2, "mine")
    assert b"--overwrite" in done.stderr
    assert aesth_in_process(*command, "--overwrite", "--dry-run").returncode == 0
    assert out.read_text() == "mine"
    assert aesth_in_process(*command, "--overwrite", "--thumbnails").returncode == 0
    first = read_page(out).data["photos"][0]
    assert (tmp_path / first["thumbnail"]).is_file()


def test_every_name_comes_back_from_the_page(tmp_path: Path, brightness: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    evil_photos(folder)
    done = aesth_in_process("report", "--model", brightness, "-o", tmp_path / "page.html", folder)
    assert done.returncode == 0, done.stderr
    told = read_page(tmp_path / "page.html").data["photos"]
    assert {path for photo in told for path in photo["files"]} == {str(folder / name) for name in EVIL_NAMES}


def test_what_is_missing_is_told_with_exit_code_3(photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = aesth_in_process("report", "-o", tmp_path / "page.html", photos)
    assert done.returncode == 3
    assert done.stderr.startswith(b"aesth: ExifTool is needed")
    assert not (tmp_path / "page.html").exists()
