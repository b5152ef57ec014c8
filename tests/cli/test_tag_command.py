"""`aesth tag`: stars in the photos, as a second program reads them, and every file whole.

In a process of its own where that is the point, and where all its names and a second run are seen; else in this one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from support.cli import EVIL_NAMES, aesth, aesth_in_process, evil_photos, grey_photo, grey_photos, start_aesth
from support.metadata import rate_by_exiv2

Command = Callable[..., subprocess.CompletedProcess[bytes]]


def objects(stdout: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


def rating(path: Path) -> str:
    """What exiv2, the library of digiKam and darktable, reads."""
    command = [b"exiv2", b"-K", b"Xmp.xmp.Rating", b"-Pv", b"print", os.fsencode(path)]
    return subprocess.run(command, capture_output=True, check=False).stdout.decode().strip()


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def tag(brightness: Path, *arguments: str | Path, command: Command = aesth_in_process) -> dict[str, dict[str, object]]:
    done = command("tag", "--model", brightness, "--format", "ndjson", *arguments)
    assert done.returncode == 0, done.stderr
    return {Path(str(result["path"])).name: result for result in objects(done.stdout)}


@pytest.mark.timeout(60)
def test_who_lists_a_photo_may_wait_for_its_stars_before_the_next(tmp_path: Path, brightness: Path) -> None:
    photos = grey_photos(tmp_path, 6)
    rate_by_exiv2(photos[3], 4)
    process = start_aesth("tag", "--model", brightness, "--format", "ndjson", "--files-from", "-")
    assert process.stdin
    assert process.stdout
    for photo in photos:
        process.stdin.write(os.fsencode(photo) + b"\n")
        assert json.loads(process.stdout.readline())["path"] == str(photo)
        assert rating(photo) == ("4" if photo == photos[3] else "3")
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_stars_are_in_the_photos_and_a_second_run_skips_them(photos: Path, brightness: Path) -> None:
    first = tag(brightness, photos, command=aesth)
    assert {name: (one["action"], one["rating"]) for name, one in first.items()} == {
        "dark.jpg": ("written", 1),
        "light.jpg": ("written", 5),
    }
    assert (rating(photos / "dark.jpg"), rating(photos / "light.jpg")) == ("1", "5")
    second = tag(brightness, photos)
    assert {name: (one["action"], one["rating"]) for name, one in second.items()} == {
        "dark.jpg": ("skipped", 1),
        "light.jpg": ("skipped", 5),
    }


def test_the_summary_counts_what_was_done(photos: Path, brightness: Path) -> None:
    rate_by_exiv2(photos / "dark.jpg", 4)
    (photos / "text.jpg").write_text("hello")
    done = aesth_in_process("tag", "--model", brightness, photos)
    assert done.returncode == 1
    assert b"3 photos: 1 scored, 1 written, 1 kept, 0 skipped, 1 failed in " in done.stderr


def test_a_persons_rating_is_kept_and_overwritten_only_when_asked(photos: Path, brightness: Path) -> None:
    rate_by_exiv2(photos / "dark.jpg", 4)
    kept = tag(brightness, photos)["dark.jpg"]
    assert (kept["action"], kept["rating"], kept["old_rating"]) == ("kept", 4, 4)
    assert rating(photos / "dark.jpg") == "4"
    written = tag(brightness, "--overwrite", photos)["dark.jpg"]
    assert (written["action"], written["rating"], written["old_rating"]) == ("written", 1, 4)
    assert rating(photos / "dark.jpg") == "1"


def test_policy_overwrite_is_the_same_as_overwrite(photos: Path, brightness: Path) -> None:
    rate_by_exiv2(photos / "dark.jpg", 4)
    assert tag(brightness, "--policy", "overwrite", photos)["dark.jpg"]["action"] == "written"


def test_a_dry_run_shows_what_would_be_and_changes_no_byte(photos: Path, brightness: Path) -> None:
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    results = tag(brightness, "--dry-run", photos)
    assert {one["action"] for one in results.values()} == {"scored"}
    assert [results["dark.jpg"]["rating"], results["light.jpg"]["rating"]] == [1, 5]
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before


def test_with_sidecar_no_photo_is_touched(photos: Path, brightness: Path) -> None:
    before = (photos / "dark.jpg").read_bytes()
    tag(brightness, "--sidecar", photos / "dark.jpg")
    assert (photos / "dark.jpg").read_bytes() == before
    assert rating(photos / "dark.jpg.xmp") == "1"


def test_times_tell_of_writes_with_touch_and_of_undos_too(photos: Path, brightness: Path) -> None:
    long_ago = 10**18 + 7
    before = [(path, path.read_bytes()) for path in photos.iterdir()]
    for command in (("tag", "--touch", "--save-config", "--model", brightness, photos), ("undo",)):
        for path, _ in before:
            os.utime(path, ns=(long_ago, long_ago))
        assert aesth_in_process(*command).returncode == 0
        assert all(path.stat().st_mtime_ns > long_ago for path, _ in before)
    assert [(path, path.read_bytes()) for path in photos.iterdir()] == before


def test_links_are_followed_to_what_was_given_and_nowhere_else(tmp_path: Path, brightness: Path) -> None:
    album, disk = tmp_path / "album", tmp_path / "disk"
    album.mkdir()
    disk.mkdir()
    photos = [grey_photo(disk / f"{name}.jpg", 95) for name in ("found", "named")]
    inside = grey_photo(album / "inside.jpg", 95)
    (album / "found.jpg").symlink_to("../disk/found.jpg")
    (album / "named.jpg").symlink_to(photos[1])
    (album / "folder").symlink_to(disk)
    (album / "a.jpg").symlink_to(inside)
    before = photos[0].read_bytes()
    done = aesth_in_process("tag", "--model", brightness, "--format", "ndjson", album / "named.jpg", album)
    assert done.returncode == 1
    told = {Path(str(one["path"])).name: (one["action"], str(one["error"])) for one in objects(done.stdout)}
    assert told.keys() == {"named.jpg", "found.jpg", "a.jpg"}
    assert (told["named.jpg"], told["a.jpg"]) == (("written", "None"), ("written", "None"))
    assert told["found.jpg"][0] == "failed"
    assert "outside of what was given" in told["found.jpg"][1]
    assert photos[0].read_bytes() == before
    assert [rating(photo) for photo in (photos[1], inside)] == ["5", "5"]
    assert sorted(path.name for path in disk.iterdir()) == ["found.jpg", "named.jpg"]
    assert [path.name for path in sorted(album.iterdir()) if path.is_symlink()] == [
        *("a.jpg", "folder", "found.jpg", "named.jpg"),
    ]


def test_marks_besides_stars_and_sidecars_in_adobes_style(photos: Path, brightness: Path) -> None:
    options = ("--sidecar", "--sidecar-style", "adobe", "--reject-below", "10", "--keyword", "--label", "red", "--pick")
    results = tag(brightness, *options, photos)
    assert [results[name]["rating"] for name in ("dark.jpg", "light.jpg")] == [-1, 5]
    assert [rating(photos / name) for name in ("dark.xmp", "light.xmp")] == ["-1", "5"]
    text = (photos / "light.xmp").read_text()
    for mark in ("aesth|5 stars", "xmp:Label='Red'", "digiKam:PickLabel='3'"):
        assert mark in text


def test_ratings_that_disagree_are_told_on_stderr(photos: Path, brightness: Path) -> None:
    rate_by_exiv2(photos / "dark.jpg", 3)
    subprocess.run(["exiv2", "-M", "set Exif.Image.Rating 5", str(photos / "dark.jpg")], check=True)
    done = aesth_in_process("tag", "--model", brightness, "--format", "ndjson", "--quiet", photos / "dark.jpg")
    assert done.returncode == 0
    assert b"dark.jpg: ratings disagree: IFD0:Rating is 5 in dark.jpg; taken as 3" in done.stderr
    assert [one["action"] for one in objects(done.stdout)] == ["kept"]


def test_another_model_renews_our_stars_only_with_rescore(photos: Path, brightness: Path, tmp_path: Path) -> None:
    from support.models import brightness_model

    other = brightness_model(tmp_path / "other-fp32.onnx", side=16)
    tag(brightness, photos)
    assert {one["action"] for one in tag(other, photos).values()} == {"skipped"}
    assert {one["action"] for one in tag(other, "--rescore", photos).values()} == {"written"}


def test_relative_ranks_the_photos_of_the_run(tmp_path: Path, brightness: Path) -> None:
    for percent in (20, 21, 22, 23, 24):
        grey_photo(tmp_path / f"{percent}.jpg", percent)
    tag(brightness, "--relative", tmp_path)
    assert [rating(tmp_path / f"{percent}.jpg") for percent in (20, 21, 22, 23, 24)] == ["2", "2", "3", "4", "4"]


def test_every_name_is_tagged_and_no_other_file_appears(tmp_path: Path, brightness: Path) -> None:
    evil_photos(tmp_path)
    results = tag(brightness, tmp_path, command=aesth)
    assert {str(one["path"]) for one in results.values()} == {str(tmp_path / name) for name in EVIL_NAMES}
    assert {one["action"] for one in results.values()} == {"written"}
    assert {path.name for path in tmp_path.iterdir()} == set(EVIL_NAMES)
    assert {name for name in EVIL_NAMES if rating(tmp_path / name) != "3"} == set()


def test_a_missing_exiftool_exits_with_3_and_the_line_that_installs_it(photos: Path, brightness: Path) -> None:
    done = aesth("tag", "--model", brightness, photos, env={"PATH": str(photos)})
    assert done.returncode == 3
    assert done.stdout == b""
    assert b"ExifTool" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_saved_settings_hold_for_tagging_too(photos: Path, brightness: Path) -> None:
    saved = aesth_in_process("tag", "--save-config", "--model", brightness, "--sidecar", "--quiet")
    assert saved.returncode == 0
    assert aesth_in_process("tag", photos / "dark.jpg").returncode == 0
    assert rating(photos / "dark.jpg.xmp") == "1"
    assert aesth_in_process("tag", "--no-sidecar", photos / "light.jpg").returncode == 0
    assert rating(photos / "light.jpg") == "5"


@pytest.mark.parametrize(("after", "how"), [(0.0, "--no-relative"), (0.1, "--no-relative"), (0.1, "--relative")])
def test_ctrl_c_leaves_every_photo_whole_and_nothing_behind(
    tmp_path: Path, brightness: Path, after: float, how: str
) -> None:
    photos = grey_photos(tmp_path, 80)
    before = photos[0].read_bytes()
    process = start_aesth("tag", how, "--model", brightness, "--format", "ndjson", "--jobs", "1", tmp_path)
    assert process.stdout
    first = process.stdout.readline()
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.startswith(b"Stopped after ")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in photos}
    told = {str(result["path"]) for result in objects(first + stdout) if result["action"] == "written"}
    unchanged = {str(path) for path in photos if path.read_bytes() == before}
    assert 0 < len(told) < len(photos)
    assert told | unchanged == {str(path) for path in photos}
    assert all(rating(Path(path)) == "3" and pixels(Path(path)) == pixels(photos[-1]) for path in told)


def test_a_second_ctrl_c_does_not_wait_and_harms_no_photo_either(tmp_path: Path, brightness: Path) -> None:
    photos = grey_photos(tmp_path, 80)
    expected = pixels(photos[0])
    process = start_aesth("tag", "--model", brightness, "--format", "ndjson", "--jobs", "1", tmp_path)
    assert process.stdout
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in photos}
    assert all(pixels(path) == expected for path in photos)


@pytest.mark.parametrize("form", ["ndjson", "table"])
def test_a_reader_that_goes_away_harms_no_photo(tmp_path: Path, brightness: Path, form: str) -> None:
    photos = grey_photos(tmp_path, 40)
    expected = pixels(photos[0])
    process = start_aesth("tag", "--model", brightness, "--format", form, "--jobs", "1", tmp_path)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in photos}
    assert all(pixels(path) == expected for path in photos)
