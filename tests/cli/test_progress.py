"""The progress bar is on the terminal alone, rows above it; elsewhere there is none."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from support.cli import COMMAND, environment, grey_photos


def on_terminal(*arguments: str | Path, stdout: int | None = None) -> bytes:
    """What a terminal receives from the command; with ``stdout``, only standard error is the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=environment({"TERM": "xterm-256color", "COLUMNS": "120"}),
    )
    os.close(theirs)
    received = bytearray()
    try:
        while chunk := os.read(ours, 1 << 16):
            received += chunk
    except OSError:  # Linux's word for the end
        pass
    process.wait(60)
    os.close(ours)
    return bytes(received)


def test_a_terminal_shows_rows_rate_and_time_left_and_ends_with_the_summary(tmp_path: Path, brightness: Path) -> None:
    grey_photos(tmp_path, 300)
    shown = on_terminal("score", "--model", brightness, "--jobs", "1", tmp_path).decode()
    assert shown.count("scored") == 301
    assert "photos/s" in shown.split("photo-00299.jpg")[0]
    assert "0:00:0" in shown
    assert "\x1b[33m★★★" in shown
    assert shown.splitlines()[-1].endswith("photos/s)")


def test_the_bar_of_a_run_that_ranks_all_photos_first_never_goes_back(tmp_path: Path, brightness: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    grey_photos(folder, 300)
    shown = on_terminal("sort", "--model", brightness, "--out", tmp_path / "out", folder).decode()
    done = [int(number) for number in re.findall(r"([0-9]+)/300", shown)]
    assert done[-1] > 200
    assert done == sorted(done)


def test_results_that_go_elsewhere_leave_the_terminal_to_the_progress(tmp_path: Path, brightness: Path) -> None:
    grey_photos(tmp_path, 40)
    with (tmp_path / "out.ndjson").open("wb") as file:
        shown = on_terminal("score", "--model", brightness, "--format", "ndjson", tmp_path, stdout=file.fileno())
    assert (tmp_path / "out.ndjson").read_bytes().count(b"\n") == 40
    assert b"photo-000" not in shown
    assert b"/40" in shown


def test_data_on_a_terminal_is_not_mixed_with_progress(tmp_path: Path, brightness: Path) -> None:
    grey_photos(tmp_path, 5)
    shown = on_terminal("score", "--model", brightness, "--format", "tsv", tmp_path)
    assert b"\x1b" not in shown
    assert shown.count(b"\n") == 1 + 5 + 1


def test_quiet_shows_no_progress_and_no_summary(tmp_path: Path, brightness: Path) -> None:
    grey_photos(tmp_path, 5)
    shown = on_terminal("score", "--quiet", "--model", brightness, tmp_path)
    assert b"photos/s" not in shown
