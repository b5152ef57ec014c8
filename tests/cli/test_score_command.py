"""`aesth score`, as a process or in this one: data on stdout, the rest on stderr, exit codes that scripts rely on."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from aesth.cli.running import make_scorer
from aesth.config import Settings
from aesth.encoder import OnnxEncoder
from support.cli import (
    EVIL_NAMES,
    NON_UTF8,
    aesth,
    aesth_in_process,
    evil_photos,
    grey_photo,
    grey_photos,
    listed,
    start_aesth,
)


def objects(stdout: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evil")
    evil_photos(folder)
    return folder


def test_scores_are_on_stdout_and_the_summary_on_stderr(tmp_path: Path, brightness: Path) -> None:
    grey_photo(tmp_path / "dark.jpg", 5)
    grey_photo(tmp_path / "light.jpg", 95)
    done = aesth_in_process("score", "--model", brightness, "--format", "tsv", tmp_path)
    assert done.returncode == 0
    header, dark, light = (line.split(b"\t") for line in done.stdout.splitlines())
    assert header == [b"path", b"score", b"rating", b"old_rating", b"action", b"error"]
    assert dark[0] == os.fsencode(tmp_path / "dark.jpg")
    assert float(dark[1]) == pytest.approx(5, abs=1)
    assert dark[2:] == [b"1", b"", b"scored", b""]
    assert light[2:] == [b"5", b"", b"scored", b""]
    assert done.stderr.startswith(b"2 photos: 2 scored, 0 failed in ")
    assert done.stderr.endswith(b" photos/s)\n")


def test_the_table_is_for_people(tmp_path: Path, brightness: Path) -> None:
    grey_photo(tmp_path / "light.jpg", 95)
    done = aesth_in_process("score", "--model", brightness, "light.jpg", cwd=tmp_path)
    header, row = done.stdout.decode().splitlines()
    assert header.split() == ["Stars", "Score", "Action", "Photo"]
    stars, _, action, name = row.split()
    assert (stars, action, name) == ("★★★★★", "scored", "light.jpg")


def test_the_table_does_without_stars_where_they_cannot_be_printed(tmp_path: Path, brightness: Path) -> None:
    grey_photo(tmp_path / "写真.jpg", 95)
    done = aesth("score", "--model", brightness, tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert b"*****" in done.stdout
    assert rb"\u5199\u771f.jpg" in done.stdout


def test_quiet_leaves_stderr_empty(tmp_path: Path, brightness: Path) -> None:
    grey_photo(tmp_path / "a.jpg")
    done = aesth_in_process("score", "--quiet", "--model", brightness, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_bad_photo_is_one_line_the_run_goes_on_and_the_exit_code_is_1(tmp_path: Path, brightness: Path) -> None:
    (tmp_path / "a-text.jpg").write_text("hello")
    (tmp_path / "b-empty.jpg").write_bytes(b"")
    grey_photo(tmp_path / "c-good.jpg")
    done = aesth_in_process("score", "--model", brightness, "--format", "ndjson", tmp_path, tmp_path / "d-missing.jpg")
    assert done.returncode == 1
    results = objects(done.stdout)
    assert [result["action"] for result in results] == ["failed", "failed", "scored", "failed"]
    assert all(result["error"] and result["score"] is None for result in results if result["action"] == "failed")
    assert b"4 photos: 1 scored, 3 failed" in done.stderr


@pytest.mark.parametrize("form", ["ndjson", "json"])
def test_every_name_comes_back_from_json(evil: Path, brightness: Path, form: str) -> None:
    done = aesth_in_process("score", "--model", brightness, "--format", form, evil)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout) if form == "json" else objects(done.stdout)
    assert {str(result["path"]) for result in results} == {str(evil / name) for name in EVIL_NAMES}


def test_every_name_can_be_named_on_the_command_line(evil: Path, brightness: Path) -> None:
    done = aesth("score", "--model", brightness, "--format", "ndjson", "--", *EVIL_NAMES, cwd=evil)
    assert done.returncode == 0, done.stderr
    assert [result["path"] for result in objects(done.stdout)] == list(EVIL_NAMES)


def test_every_name_can_be_listed_on_stdin_with_nul(evil: Path, brightness: Path) -> None:
    stdin = listed([Path(name) for name in EVIL_NAMES], b"\0")
    done = aesth("score", "--model", brightness, "--format", "ndjson", "--files-from", "-", "-0", cwd=evil, stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert [result["path"] for result in objects(done.stdout)] == list(EVIL_NAMES)


def test_a_list_in_a_file_has_one_path_a_line(tmp_path: Path, brightness: Path) -> None:
    first, second = grey_photo(tmp_path / "b.jpg"), grey_photo(tmp_path / "a.jpg")
    (tmp_path / "list.txt").write_bytes(listed([first, second]))
    done = aesth_in_process("score", "--model", brightness, "--format", "ndjson", "--files-from", tmp_path / "list.txt")
    assert [result["path"] for result in objects(done.stdout)] == [str(first), str(second)]


def test_no_name_commands_the_terminal(evil: Path, brightness: Path) -> None:
    done = aesth_in_process("score", "--model", brightness, evil)
    assert len(done.stdout.splitlines()) == 1 + len(EVIL_NAMES)
    assert b"\x1b" not in done.stdout
    assert b"[red]markup" in done.stdout
    assert b":smile:" in done.stdout


def test_no_name_in_an_error_commands_the_terminal(tmp_path: Path) -> None:
    done = aesth_in_process("score", "--model", "\x1b[2Jnone\n.onnx", tmp_path)
    assert done.returncode == 3
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr


def test_names_that_are_no_utf8_do_not_break_usage_errors(tmp_path: Path) -> None:
    done = aesth("score", "--format", NON_UTF8, tmp_path)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.timeout(60)
def test_results_come_before_the_list_ends(tmp_path: Path, brightness: Path) -> None:
    photos = grey_photos(tmp_path, 30)
    process = start_aesth("score", "--model", brightness, "--format", "ndjson", "--jobs", "1", "--files-from", "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(listed(photos[:-1]))
    process.stdin.flush()
    first = process.stdout.readline()
    assert process.poll() is None
    process.stdin.write(listed(photos[-1:]))
    stdout, _ = process.communicate(timeout=60)
    assert [result["path"] for result in objects(first + stdout)] == [str(photo) for photo in photos]
    assert process.returncode == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_who_lists_a_photo_may_wait_for_its_result_before_the_next(
    tmp_path: Path, brightness: Path, end: bytes
) -> None:
    null = ["-0"] if end == b"\0" else []
    process = start_aesth("score", "--model", brightness, "--format", "ndjson", "--files-from", "-", *null)
    assert process.stdin
    assert process.stdout
    for photo in [*grey_photos(tmp_path, 3), tmp_path / "missing.jpg"]:
        process.stdin.write(listed([photo], end))
        assert json.loads(process.stdout.readline())["path"] == str(photo)
    process.communicate(timeout=60)
    assert process.returncode == 1


def test_a_reader_that_goes_away_ends_the_run_without_a_word(tmp_path: Path, brightness: Path) -> None:
    photos = grey_photos(tmp_path, 100)
    for form in ("ndjson", "json"):
        process = start_aesth("score", "--model", brightness, "--format", form, "--jobs", "1", "--files-from", "-")
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(listed(photos[:50]))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(listed(photos[50:]))
        process.stdin.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_run_with_a_summary_and_a_whole_array(
    tmp_path: Path, brightness: Path, number: signal.Signals
) -> None:
    photos = grey_photos(tmp_path, 60) * 5
    process = start_aesth("score", "--model", brightness, "--format", "json", "--jobs", "1", "--files-from", "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(listed(photos))
    process.stdin.flush()
    first = process.stdout.readline() + process.stdout.readline()
    os.killpg(process.pid, number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    results = json.loads(first + stdout)
    assert 0 < len(results) < len(photos)
    assert stderr.startswith(b"Stopped after ")
    assert stderr.count(b"\n") == 1


def test_relative_stars_go_by_rank_and_the_score_stays_absolute(tmp_path: Path, brightness: Path) -> None:
    for percent in (20, 21, 22, 23, 24):
        grey_photo(tmp_path / f"{percent}.jpg", percent)
    done = aesth_in_process("score", "--model", brightness, "--format", "ndjson", "--relative", tmp_path)
    results = objects(done.stdout)
    assert [result["rating"] for result in results] == [2, 2, 3, 4, 4]
    assert [round(float(str(result["score"]))) for result in results] == [20, 21, 22, 23, 24]


def test_the_config_file_is_used_and_flags_override_it(tmp_path: Path, brightness: Path, own_places: Path) -> None:
    grey_photo(tmp_path / "a.jpg", 50)
    (own_places / "config").mkdir()
    config = own_places / "config" / "config.toml"
    config.write_text(f'model = "{brightness}"\nformat = "ndjson"\nquiet = true\ncut_points = [60, 70, 80, 90]\n')
    configured = aesth_in_process("score", tmp_path)
    assert configured.stderr == b""
    assert objects(configured.stdout)[0]["rating"] == 1
    overridden = aesth_in_process("score", "--format", "csv", "--no-quiet", tmp_path)
    assert overridden.stdout.startswith(b"path,score,rating,old_rating,action,error\r\n")
    assert overridden.stderr.startswith(b"1 photo: 1 scored")


def test_settings_are_saved_and_used_by_the_next_run(tmp_path: Path, brightness: Path, own_places: Path) -> None:
    grey_photo(tmp_path / "a.jpg")
    saved = aesth_in_process("score", "--save-config", "--model", brightness, "--format", "ndjson", "--exclude", "b*")
    assert (saved.returncode, saved.stdout) == (0, b"")
    assert os.fsencode(own_places / "config" / "config.toml") in saved.stderr
    grey_photo(tmp_path / "b.jpg")
    done = aesth_in_process("score", tmp_path)
    assert [result["path"] for result in objects(done.stdout)] == [str(tmp_path / "a.jpg")]


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", "--format", "xml", "."],
        ["score", "--threads", "0", "."],
        ["score", "--since", "yesterday", "."],
        ["score", "--files-from", "no-such-list"],
        ["score", "--no-such-option", "."],
        ["tag", "--overwrite", "--policy", "unrated", "."],
        ["no-such-command"],
        ["score", "--model", "no-such-model", "."],
        ["tag", "--model", "no-such-model", "."],
    ],
)
def test_wrong_usage_exits_with_2_and_says_why_on_stderr(arguments: list[str], tmp_path: Path) -> None:
    done = aesth_in_process(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr
    assert b"Traceback" not in done.stderr


def test_a_wrong_config_file_exits_with_2_and_a_hint(tmp_path: Path, own_places: Path) -> None:
    (own_places / "config").mkdir()
    (own_places / "config" / "config.toml").write_text('modell = "base"\n')
    done = aesth_in_process("score", tmp_path)
    assert done.returncode == 2
    assert b"config.toml: unknown key 'modell'; did you mean 'model'?" in done.stderr


def test_an_unknown_provider_is_wrong_usage_that_tells_the_known(tmp_path: Path, brightness: Path) -> None:
    done = aesth_in_process("score", "--model", brightness, "--provider", "abacus", grey_photo(tmp_path / "a.jpg"))
    assert done.returncode == 2
    assert b"unknown provider 'abacus'; known: cpu" in done.stderr


def test_a_missing_model_file_exits_with_3_in_one_line(tmp_path: Path) -> None:
    done = aesth_in_process("score", "--model", tmp_path / "none.onnx", grey_photo(tmp_path / "a.jpg"))
    assert done.returncode == 3
    assert done.stderr.startswith(b"aesth: ")
    assert done.stderr.count(b"\n") == 1


def test_a_provider_that_is_missing_is_an_error_that_tells_how_to_install_it(tmp_path: Path, brightness: Path) -> None:
    done = aesth("score", "--model", brightness, "--provider", "tensorrt", grey_photo(tmp_path / "a.jpg"))
    assert done.returncode == 3
    assert b"onnxruntime-gpu" in done.stderr


def test_photos_are_chosen_by_include_exclude_recursion_and_date(tmp_path: Path, brightness: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.png"):
        grey_photo(tmp_path / name)
    (tmp_path / "inner").mkdir()
    old = grey_photo(tmp_path / "inner" / "a-old.jpg")
    os.utime(old, (0, 0))

    def found(*arguments: str) -> list[str]:
        done = aesth_in_process("score", "--model", brightness, "--format", "ndjson", *arguments, tmp_path)
        return [Path(str(result["path"])).name for result in objects(done.stdout)]

    assert sorted(found()) == ["a-old.jpg", "a.jpg", "b.jpg", "c.png"]
    assert sorted(found("--include", "a*")) == ["a-old.jpg", "a.jpg"]
    assert sorted(found("--exclude", "a*", "--exclude", "b*")) == ["c.png"]
    assert sorted(found("--no-recursive")) == ["a.jpg", "b.jpg", "c.png"]
    assert sorted(found("--since", "2020-01-01")) == ["a.jpg", "b.jpg", "c.png"]


def test_what_decoders_print_of_damaged_photos_is_not_shown(tmp_path: Path, brightness: Path) -> None:
    path = tmp_path / "cut.tif"
    Image.effect_noise((300, 200), 40).save(path, compression="jpeg")
    path.write_bytes(path.read_bytes().replace(b"\xff\xdb", b"\xff\x01", 1))
    done = aesth("score", "--model", brightness, "--format", "ndjson", path)
    (result,) = objects(done.stdout)
    assert result["action"] == "failed"
    assert done.stderr.startswith(b"1 photo: 0 scored, 1 failed in ")


def test_an_empty_folder_is_no_failure(tmp_path: Path, brightness: Path) -> None:
    done = aesth_in_process("score", "--model", brightness, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"No photos found.\n")


def test_too_large_photos_are_refused_at_the_limit_that_is_set(
    tmp_path: Path, brightness: Path, own_places: Path
) -> None:
    (own_places / "config").mkdir()
    (own_places / "config" / "config.toml").write_text("max_pixels = 1000\n")
    done = aesth_in_process("score", "--model", brightness, "--format", "ndjson", grey_photo(tmp_path / "a.jpg"))
    assert done.returncode == 1
    assert objects(done.stdout)[0]["action"] == "failed"


@pytest.mark.parametrize(("photos", "jobs"), [(None, 3), (1, 1), (2, 3)])
def test_one_photo_is_encoded_by_all_threads_together(brightness: Path, photos: int | None, jobs: int) -> None:
    with make_scorer(Settings(model=str(brightness), jobs=3, threads=3), photos=photos) as scorer:
        assert isinstance(scorer.encoder, OnnxEncoder)
        assert (scorer.jobs, scorer.encoder.calls) == (jobs, jobs)
