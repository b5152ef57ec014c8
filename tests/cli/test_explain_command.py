"""`aesth explain`: pictures beside photos, for people and for programs; nobody's file is replaced."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from aesth.cli.explain import FACTS
from support.cli import NON_UTF8, aesth_in_process, grey_photo
from support.models import darkness_model

FIELDS = ["path", "score", "rating", "old_rating", "action", "error", "picture", *FACTS]


def test_people_see_the_score_and_plain_words_with_values(photos: Path, brightness: Path) -> None:
    done = aesth_in_process("explain", "--model", brightness, photos)
    assert done.returncode == 0
    out = done.stdout.decode()
    assert "Exposure    lightness 95 of 100     very bright" in out
    assert "Horizon                             none that is sure" in out
    assert b"2 written" in done.stderr
    assert sorted(path.name for path in photos.glob("*.png")) == ["dark-explained.png", "light-explained.png"]


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "tsv"])
def test_programs_get_the_common_fields_then_the_picture_and_the_facts(
    photos: Path, brightness: Path, tmp_path: Path, form: str
) -> None:
    command = ("explain", "--model", brightness, "--out", tmp_path, "--format", form, "--dry-run", photos / "light.jpg")
    out = aesth_in_process(*command).stdout.decode()
    if form in ("json", "ndjson"):
        (record,) = json.loads(out) if form == "json" else [json.loads(line) for line in out.splitlines()]
        assert record["exposure"] == pytest.approx(95.5, abs=1)
        assert record["area"] is None
    else:
        (record,) = csv.DictReader(io.StringIO(out, newline=""), dialect="excel" if form == "csv" else "excel-tab")
        assert float(record["exposure"]) == pytest.approx(95.5, abs=1)
        assert record["area"] == ""
    assert list(record) == FIELDS
    assert record["picture"] == str(tmp_path / "light-explained.png")


def test_a_second_run_replaces_nothing_and_explains_no_explanation(photos: Path, brightness: Path) -> None:
    assert aesth_in_process("explain", "--model", brightness, photos).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in photos.iterdir()}
    again = aesth_in_process("explain", "--model", brightness, "--format", "tsv", photos)
    assert again.returncode == 1
    assert b"2 skipped, 2 failed" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in photos.iterdir()} == before
    assert aesth_in_process("explain", "--model", brightness, "--overwrite", photos).returncode == 0
    assert {path.name for path in photos.iterdir()} == {path.name for path in before}


def test_curves_go_into_a_file_and_their_areas_to_programs(photos: Path, brightness: Path, tmp_path: Path) -> None:
    curves = tmp_path / "curves.json"
    command = ("explain", "--model", brightness, "--curves", curves, "--format", "json", photos)
    dry = aesth_in_process(*command, "--dry-run")
    assert not curves.exists()
    assert list(photos.glob("*.png")) == []
    done = aesth_in_process(*command)
    records = json.loads(done.stdout)
    assert [one["path"] for one in json.loads(curves.read_text())] == [one["path"] for one in records]
    for record, rehearsed in zip(records, json.loads(dry.stdout), strict=True):
        assert record["area"] is not None
        assert record | {"action": "scored"} == rehearsed
    refused = aesth_in_process(*command)
    assert refused.returncode == 2
    assert b"--overwrite" in refused.stderr


def test_names_command_no_terminal_and_get_pictures_of_their_own(tmp_path: Path, brightness: Path) -> None:
    names = ["new\nline.jpg", "escape\x1b[2Jscreen.jpg", NON_UTF8, "n" * 246 + ".jpg"]
    for name in names:
        grey_photo(tmp_path / name)
    done = aesth_in_process("explain", "--model", brightness, "--out", tmp_path / "out", tmp_path)
    assert b"\x1b" not in done.stdout
    assert b"\\x1b[2Jscreen.jpg" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{Path(name).stem}-explained.png" for name in names[:3]
    }
    assert (done.returncode, done.stdout.count(b"File name too long")) == (1, 1)


def test_another_model_can_stand_beside_by_its_file(photos: Path, brightness: Path, tmp_path: Path) -> None:
    other = darkness_model(tmp_path / "darkness.onnx")
    done = aesth_in_process(
        "explain", "--model", brightness, "--beside", other, "--out", tmp_path, photos / "light.jpg"
    )
    assert done.returncode == 0
    alone = aesth_in_process("explain", "--model", brightness, photos / "light.jpg")
    assert alone.returncode == 0
    with Image.open(tmp_path / "light-explained.png") as both, Image.open(photos / "light-explained.png") as one:
        assert both.width > one.width


def test_a_model_beside_that_is_unknown_is_wrong_usage(photos: Path, brightness: Path) -> None:
    done = aesth_in_process("explain", "--model", brightness, "--beside", "abacus", photos)
    assert done.returncode == 2
    assert b"unknown model 'abacus'" in done.stderr
    assert list(photos.glob("*.png")) == []
