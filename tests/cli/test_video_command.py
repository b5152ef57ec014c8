"""`aesth video`: spots for people and for programs, and the exit code."""

from __future__ import annotations

import csv
import inspect
import io
import json
import sys
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("matplotlib")

from aesth.apps.video import cuts, spots
from aesth.cli.video import FileFlags, SpotFlags
from support.cli import aesth_in_process
from support.clips import clip, grey, sound_only, x264


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds that get better, worse, and a bit better again."""
    percents = [30, 50, 70, 50, 30, 45, 60, 40]
    frames = (grey(percent) for percent in percents for _ in range(5))
    return clip(tmp_path_factory.mktemp("films") / "film.mp4", frames, rate=5, encoding=x264(g=5))


def test_programs_get_the_spots_after_the_common_fields(film: Path, brightness: Path, tmp_path: Path) -> None:
    done = aesth_in_process("video", "--model", brightness, "--format", "csv", "--out", tmp_path, film)
    assert (done.returncode, done.stderr.split(b" in ")[0]) == (
        0,
        b"2 spots: 2 scored, 2 written, 0 kept, 0 skipped, 0 failed",
    )
    header, *rows = csv.reader(io.StringIO(done.stdout.decode()))
    common = ["path", "score", "rating", "old_rating", "action", "error"]
    assert header == [*common, "time", "timecode", "rank", "key_frame"]
    for (path, score, rating, *rest), expected, rank in zip(rows, (70, 60), "12", strict=True):
        assert (path, rating, *rest[:3]) == (str(film), "3", "", "written", "")
        assert float(score) == pytest.approx(expected, abs=6)
        time, timecode, told_rank, key_frame = rest[3:]
        assert (told_rank, timecode) == (rank, f"00:00:{float(time):06.3f}")
        assert Path(key_frame).is_file()
        assert Path(key_frame).parent == tmp_path / "film-spots"


def test_people_see_stars_and_time_codes_and_what_failed(film: Path, brightness: Path, tmp_path: Path) -> None:
    song = sound_only(tmp_path / "song.m4a")
    done = aesth_in_process("video", "--model", brightness, "--dry-run", "--quiet", film, song)
    _, *rows = done.stdout.decode().splitlines()
    assert [row.split("film.mp4  ")[-1] for row in rows[:2]] == ["00:00:02.000  the best", "00:00:06.000"]
    assert "scored" in rows[0]
    assert rows[2].endswith("song.m4a  has sound but no pictures; give a video")
    assert (done.returncode, done.stderr) == (1, b"")
    assert not (film.parent / "film-spots").exists()


def test_options_say_what_a_spot_is(film: Path, brightness: Path) -> None:
    def times(*options: str) -> list[float]:
        done = aesth_in_process(
            "video", "--model", brightness, "--dry-run", "--quiet", "--format", "json", *options, film
        )
        assert done.returncode == 0
        return [spot["time"] for spot in json.loads(done.stdout)]

    assert times() == [2.0, 6.0]
    assert times("--top", "1") == [2.0]
    assert times("--apart", "5") == [2.0]
    assert times("--prominence", "25") == [2.0]
    assert times("--every", "4") == [0.0]
    assert times("--every-frame")[0] == pytest.approx(2.4, abs=0.4)


def test_defaults_are_those_of_the_sdk() -> None:
    from aesth.spotting import Spotting

    given = {field.name: field.default for field in (*fields(SpotFlags), *fields(FileFlags))}
    assert (given["apart"], given["prominence"], given["top"]) == (spots.APART, spots.PROMINENCE, spots.MOST)
    assert given["reel_seconds"] == cuts.LENGTH
    assert inspect.signature(Spotting).parameters["every"].default == 1.0


def test_a_reel_is_cut_when_asked_for(film: Path, brightness: Path, tmp_path: Path) -> None:
    options = ("--reel", "--reel-seconds", "2", "--out", tmp_path)
    assert aesth_in_process("video", "--model", brightness, *options, film).returncode == 0
    assert (tmp_path / "film-spots" / "reel.mp4").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], b"name the videos"), (["--every", "2", "--every-frame", "film.mp4"], b"contradict each other")],
)
def test_wrong_usage_is_told(arguments: list[str], told: bytes) -> None:
    done = aesth_in_process("video", *arguments)
    assert done.returncode == 2
    assert told in b" ".join(done.stderr.replace(b"\xe2\x94\x82", b"").split())


def test_without_its_packages_it_says_how_to_install_them(
    film: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aesth.apps.video as package

    monkeypatch.delattr(package, "plot", raising=False)
    for name in ("aesth.spotting", "aesth.apps.video.plot"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = aesth_in_process("video", "--model", brightness, film)
    assert done.returncode == 3
    assert b"pip install 'aesth[video]'" in done.stderr
