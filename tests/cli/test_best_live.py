"""`aesth best` over a video or a camera: the best frame is told, and saved where that is asked for."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from aesth import BestShot, DecodeError
from aesth.apps.live import follow
from aesth.decode.video import Frame, camera
from aesth.decode.video.camera import Camera
from aesth.encoder import OnnxEncoder
from aesth.registry import find
from support.cli import aesth_in_process
from support.clips import clip


def view(blur: float) -> np.ndarray:
    blocks = np.kron(np.random.default_rng(0).integers(40, 200, (12, 16, 1), np.uint8), np.ones((8, 8, 3), np.uint8))
    return np.asarray(Image.fromarray(blocks).filter(ImageFilter.GaussianBlur(blur)))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second in which the camera finds its focus at 0.6 s, and loses it."""
    frames = [view(abs(number - 15) / 4) for number in range(25)]
    return clip(tmp_path_factory.mktemp("film") / "focus.mp4", frames)


def test_the_sharpest_frame_of_a_steady_view_is_told_and_saved(film: Path, brightness: Path, tmp_path: Path) -> None:
    out = tmp_path / "best.jpg"
    command = ("best", "--model", brightness, "--every", "0", "--out", out, "--format", "json", film)
    done = aesth_in_process(*command)
    (told,) = json.loads(done.stdout)
    assert (told["path"], told["action"], told["error"], told["frames"]) == (str(out), "written", None, 25)
    assert told["time"] == pytest.approx(0.6, abs=0.05)
    assert np.abs(np.asarray(Image.open(out), float) - view(0)).mean() < 12
    assert [path.name for path in tmp_path.iterdir()] == ["best.jpg"]

    before = out.read_bytes()
    refused = aesth_in_process(*command)
    assert (refused.returncode, out.read_bytes()) == (2, before)
    assert b"--overwrite" in refused.stderr
    assert aesth_in_process(*command, "--overwrite", "--seconds", "0.3").returncode == 0
    assert out.read_bytes() != before


@pytest.fixture
def camera_showing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """The name of a camera that sees a film, once, as it plays: FFmpeg's device without a machine behind it."""

    def show(film: Path) -> str:
        monkeypatch.setitem(camera._DRIVERS, sys.platform, ("lavfi", "{}"))
        return f"movie={film},realtime"

    return show


def test_a_camera_is_looked_through_until_it_ends_and_its_sharpest_frame_saved(
    film: Path, camera_showing: Callable[[Path], str], brightness: Path, tmp_path: Path
) -> None:
    out, name, begun = tmp_path / "best.jpg", camera_showing(film), time.monotonic()
    done = aesth_in_process("best", "--model", brightness, "--camera", name, "--out", out, "--format", "json")
    (told,) = json.loads(done.stdout)
    assert (told["path"], told["action"], told["error"], told["frames"]) == (str(out), "written", None, 25)
    assert 0.5 < told["time"] < time.monotonic() - begun, "by the clock, not by what the film says"
    assert np.abs(np.asarray(Image.open(out), float) - view(0)).mean() < 12


def test_a_camera_is_looked_through_for_some_seconds(
    film: Path, camera_showing: Callable[[Path], str], brightness: Path
) -> None:
    done = aesth_in_process(
        "best", "--model", brightness, "--camera", camera_showing(film), "--seconds", "0.6", "--format", "json"
    )
    (told,) = json.loads(done.stdout)
    assert 1 <= told["frames"] < 22
    assert told["time"] <= 0.6


def test_people_see_the_best_and_when_it_was(film: Path, brightness: Path) -> None:
    done = aesth_in_process("best", "--model", brightness, film)
    _, row = done.stdout.decode().splitlines()
    assert "focus.mp4" in row
    assert "at 0." in row
    assert b"frames, the best at 0." in done.stderr


@pytest.mark.parametrize("options", [("--camera", "0", "a.jpg"), ("a.mp4", "b.jpg"), ("--out", "c.jpg", "a.jpg")])
def test_what_does_not_go_together_is_told_with_exit_code_2(options: tuple[str, ...]) -> None:
    assert aesth_in_process("best", *options).returncode == 2


def test_what_is_no_video_and_no_camera_is_told(brightness: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    done = aesth_in_process("best", "--model", brightness, broken)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"broken.mp4" in done.stderr
    with pytest.raises(DecodeError, match="cannot be opened"):
        Camera("99")


def test_an_endless_stream_is_followed_lazily_and_until_its_time(brightness: Path) -> None:
    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield Frame(number / 10, view(2))
            number += 1

    best_shot = BestShot(encoder=OnnxEncoder(find(str(brightness)), threads=1))
    next(follow(endless(), best_shot))
    assert taken == [0]
    assert len(list(follow(endless(), best_shot, seconds=0.45))) == 5
