"""`aesth top`: the best photos, for people and for programs; nothing is written."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from support.cli import aesth_in_process, evil_photos, grey_photo


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for percent in range(1, 31):
        grey_photo(tmp_path / f"{percent}.jpg", 3 * percent)
    return tmp_path


def test_twenty_are_shown_or_as_many_as_are_asked_for(many: Path, brightness: Path) -> None:
    done = aesth_in_process("top", "--model", brightness, "--format", "tsv", many)
    header, *lines = (line.split("\t") for line in done.stdout.decode().splitlines())
    assert header == ["path", "score", "rating", "old_rating", "action", "error", "rank"]
    assert [(Path(line[0]).stem, line[-1]) for line in lines] == [(str(31 - rank), str(rank)) for rank in range(1, 21)]
    assert done.stderr.startswith(b"20 photos: 20 scored, 0 failed, the best of 30 in ")
    done = aesth_in_process("top", "-n", "2", "--quiet", "--model", brightness, many)
    assert [line.split()[-1] for line in done.stdout.decode().splitlines()[1:]] == [
        str(many / "30.jpg"),
        str(many / "29.jpg"),
    ]
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_speed_is_that_of_all_photos(many: Path, brightness: Path) -> None:
    done = aesth_in_process("top", "-n", "1", "--model", brightness, many)
    told = re.search(r"1 photo: .* in ([0-9.]+) s \(([0-9.]+) photos/s\)", done.stderr.decode())
    assert told is not None
    seconds, speed = map(float, told.groups())
    assert speed >= 30 / (seconds + 0.05) - 0.05


def test_of_a_scene_the_best_stands_for_all(many: Path, brightness: Path) -> None:
    """To this model, what is twice as bright is another scene."""
    done = aesth_in_process("top", "--diverse", "--model", brightness, "--format", "json", many)
    scores = [photo["score"] for photo in json.loads(done.stdout)]
    assert len(scores) == 4
    for better, worse in pairwise(scores):
        assert (better - worse) / (better * worse) ** 0.5 > 1


def test_a_failure_is_told_and_is_the_exit_code(many: Path, brightness: Path) -> None:
    done = aesth_in_process("top", "-n", "1", "--model", brightness, many, many / "missing.jpg")
    assert [line.rsplit("/", 1)[1].split()[0] for line in done.stdout.decode().splitlines()[1:]] == [
        "30.jpg",
        "missing.jpg",
    ]
    assert done.returncode == 1


def test_no_name_commands_the_terminal(tmp_path: Path, brightness: Path) -> None:
    evil_photos(tmp_path)
    done = aesth_in_process("top", "-n", "100", "--model", brightness, tmp_path)
    assert b"\x1b" not in done.stdout
    assert done.returncode == 0
