"""`aesth cache`, and runs that remember: what is known is told at once, and a broken memory stops nobody."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support.bursts import taken
from support.cli import aesth_in_process, grey_photo
from support.tastes import coloured


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for percent in (5, 95):
        settle(grey_photo(folder / f"{percent}.jpg", percent))
    return folder


@pytest.fixture
def file(own_places: Path) -> Path:
    return own_places / "cache" / "scores.sqlite"


def settle(path: Path) -> None:
    os.utime(path, (1e9, 1e9))


def empty(folder: Path) -> None:
    """Take the pixels away, so that nobody but who looks at them can tell."""
    for photo in folder.glob("*.jpg"):
        times = photo.stat().st_atime_ns, photo.stat().st_mtime_ns
        photo.write_bytes(bytes(photo.stat().st_size))
        os.utime(photo, ns=times)


def scores(brightness: Path, *arguments: str | Path, command: str = "score") -> tuple[int, list[float | None], str]:
    done = aesth_in_process(command, "--model", brightness, "--format", "ndjson", "-q", *arguments)
    return done.returncode, [json.loads(line)["score"] for line in done.stdout.splitlines()], done.stderr.decode()


@pytest.mark.parametrize("first", ["score", "tag"])
def test_what_was_scored_or_tagged_is_scored_again_without_a_look(photos: Path, brightness: Path, first: str) -> None:
    before = scores(brightness, photos, command=first)
    empty(photos)
    assert scores(brightness, photos) == before == (0, pytest.approx([5, 95], abs=1), "")


def test_a_dry_run_remembers_for_the_run_that_writes(photos: Path, brightness: Path, file: Path) -> None:
    scores(brightness, "--dry-run", photos, command="tag")
    assert file.is_file()


@pytest.mark.parametrize("how", ["flag", "config"])
def test_without_the_cache_every_photo_is_looked_at_and_nothing_is_kept(
    photos: Path, brightness: Path, file: Path, own_places: Path, how: str
) -> None:
    if how == "config":
        (own_places / "config").mkdir()
        (own_places / "config" / "config.toml").write_text("cache = false\n")
    flag = ["--no-cache"] if how == "flag" else []
    scores(brightness, *flag, photos)
    assert not file.exists()
    scores(brightness, "--cache", photos)
    empty(photos)
    assert scores(brightness, *flag, photos)[:2] == (1, [None, None])


@pytest.mark.parametrize("command", ["score", "tag"])
def test_a_broken_cache_is_one_line_of_warning(photos: Path, brightness: Path, file: Path, command: str) -> None:
    file.parent.mkdir()
    file.write_text("no database" * 1000)
    code, found, said = scores(brightness, photos, command=command)
    assert (code, found) == (0, pytest.approx([5, 95], abs=1))
    assert said.count("\n") == 1
    assert said.startswith(f"aesth: warning: {file}: ")
    assert "aesth cache --clear" in said


def test_it_tells_where_how_large_and_of_which_models(photos: Path, brightness: Path, file: Path) -> None:
    scores(brightness, photos)
    told = json.loads(aesth_in_process("cache", "--format", "json").stdout)
    assert list(told) == ["path", "size", "photos", "limit", "models", "size_limit", "views"]
    assert (told["path"], told["photos"]) == (str(file), 2)
    assert told["size"] >= file.stat().st_size > 0
    (model,) = told["models"]
    assert model["model"].startswith("brightness-fp32 ")
    assert (model["provider"], model["scores"]) == ("CPUExecutionProvider", 2)
    (view,) = told["views"]
    assert (view["what"], view["photos"]) == ("embeddings", 2)
    assert 0 < view["size"] < 100
    table = aesth_in_process("cache").stdout.decode()
    assert str(file) in table
    assert "2 of at most 500000 photos" in table
    assert model["model"] in table
    assert "embeddings" in table


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (["best"], {"embeddings", "frames of bursts"}),
        (["similar"], {"embeddings", "grey copies"}),
        (["report", "-o", "page.html"], {"embeddings", "frames of bursts", "thumbnails"}),
        (["learn"], {"embeddings"}),
        (["top"], {"embeddings"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_command_remembers_what_it_saw_unless_told_not_to(
    tmp_path: Path,
    brightness: Path,
    own_places: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    kept: set[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        settle(taken(tmp_path / f"{number}.jpg", number, 50))
        settle(coloured(tmp_path / f"rated-{number}.jpg", (number, 9, 9), stars=4))

    def views() -> set[str]:
        return {view["what"] for view in json.loads(aesth_in_process("cache", "--format", "json").stdout)["views"]}

    if command != ["learn"]:
        assert aesth_in_process(*command, "--model", brightness, "--no-cache", tmp_path).returncode == 0
        assert views() == set()
        command = [*command, *(["--overwrite"] if command[0] == "report" else [])]
    assert aesth_in_process(*command, "--model", brightness, tmp_path).returncode == 0
    assert views() == kept


def test_it_forgets_when_asked_and_leaves_the_photos_alone(photos: Path, brightness: Path, file: Path) -> None:
    scores(brightness, photos)
    before = {photo: photo.read_bytes() for photo in photos.iterdir()}
    assert aesth_in_process("cache", "--clear").returncode == 0
    assert json.loads(aesth_in_process("cache", "--format", "json").stdout)["photos"] == 0
    assert {photo: photo.read_bytes() for photo in photos.iterdir()} == before


def test_a_broken_cache_is_told_and_cleared(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("no database" * 1000)
    told = aesth_in_process("cache")
    assert (told.returncode, told.stdout, told.stderr.count(b"\n")) == (1, b"", 1)
    assert aesth_in_process("cache", "--clear").returncode == 0
    assert aesth_in_process("cache").returncode == 0


def test_where_nothing_is_remembered_nothing_is_made(file: Path) -> None:
    done = aesth_in_process("cache")
    assert done.returncode == 0
    assert b"0 of at most" in done.stdout
    assert aesth_in_process("cache", "--clear").returncode == 0
    assert not file.parent.exists()
