"""What `aesth video` leaves in a folder: key frames, curve, and the reel."""

from __future__ import annotations

import csv
import html
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")
pytest.importorskip("matplotlib")

from aesth.apps.video.cuts import Cut
from aesth.apps.video.files import written
from aesth.apps.video.key_frames import frame_at, sharpest_near
from aesth.apps.video.reel import cut_reel
from aesth.decode.video import Video
from aesth.decode.video.sound import RATE as SAMPLES
from aesth.decode.video.sound import sound_between
from aesth.errors import AesthError, DecodeError
from aesth.scorer import Scorer
from aesth.spotting import Spotted, Spotting, find_best
from aesth.tagging import Action
from support.cli import NON_UTF8
from support.clips import clip, grey, moving, plainly_decoded, x264

PERCENTS = [*range(30, 60), *range(60, 30, -1), *range(30, 80), *range(80, 30, -1)]
"""Of white, ten frames a second: two rises and falls, the second of which is higher."""

FILES = {"curve.csv", "curve.png", "curve.svg", "spots.json"}


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness)) as scorer:
        yield scorer


def beep(seconds: float, begin: float, end: float) -> np.ndarray:
    """Silence, (2, n), with a tone from ``begin`` to ``end``."""
    time = np.arange(round(seconds * SAMPLES)) / SAMPLES
    tone = 0.5 * np.sin(2 * np.pi * 440 * time) * ((time >= begin) & (time < end))
    return np.stack([tone, tone]).astype(np.float32)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(
        tmp_path_factory.mktemp("films") / "a film.mp4",
        map(grey, PERCENTS),
        rate=10,
        encoding=x264(g=10),
        sound=beep(len(PERCENTS) / 10, 10.0, 12.0),
        metadata={"creation_time": "2026-05-31T10:00:00.000000Z"},
    )


@pytest.fixture(scope="module")
def spotted(film: Path, scorer: Scorer, tmp_path_factory: pytest.TempPathFactory) -> list[Spotted]:
    """Of a whole run, reel and all."""
    out = tmp_path_factory.mktemp("out")
    return list(find_best([film], scorer, Spotting(out=out, reel=30.0)))


@pytest.fixture(scope="module")
def folder(spotted: list[Spotted]) -> Path:
    assert spotted[0].key_frame is not None
    return spotted[0].key_frame.parent


def test_each_spot_is_told_with_its_rank_and_its_key_frame(spotted: list[Spotted], film: Path, folder: Path) -> None:
    assert [(spot.path, spot.action, spot.rank) for spot in spotted] == [
        (film, Action.WRITTEN, 2),
        (film, Action.WRITTEN, 1),
    ]
    assert [spot.time for spot in spotted] == pytest.approx([3.0, 11.0], abs=0.6)
    assert [spot.score for spot in spotted] == pytest.approx([58, 77], abs=5)
    assert folder.name == "a film-spots"
    assert {path.name for path in folder.iterdir()} == FILES | {"reel.mp4"} | {
        spot.key_frame.name for spot in spotted if spot.key_frame
    }


def test_a_key_frame_is_the_frame_of_that_time(spotted: list[Spotted], film: Path) -> None:
    frames = dict(plainly_decoded(film))
    for spot in spotted:
        assert spot.key_frame is not None
        assert spot.time is not None
        expected = next(image for time, image in frames.items() if abs(time - spot.time) < 1e-3)
        assert np.abs(np.asarray(Image.open(spot.key_frame)).astype(int) - expected).mean() < 3


def test_a_key_frame_tells_its_video_its_time_code_and_its_date(spotted: list[Spotted]) -> None:
    spot = spotted[1]
    assert spot.key_frame is not None
    assert spot.time is not None
    exif = Image.open(spot.key_frame).getexif()
    own = exif.get_ifd(0x8769)
    assert exif[0x010E] == f"a film.mp4 {spot.timecode}"
    assert spot.key_frame.name == f"00h00m{spot.time:06.3f}s.jpg"
    assert own[0x9003] == f"2026:05:31 10:00:{int(spot.time):02}"
    assert own[0x9291] == f"{round(spot.time * 1000) % 1000:03}"
    assert own[0x9011] == "+00:00"


def test_the_curve_and_the_spots_are_there_for_programs(spotted: list[Spotted], folder: Path, film: Path) -> None:
    with (folder / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time", "timecode", "score", "smoothed", "deviation", "scene"]
    assert [float(row["time"]) for row in rows] == list(range(16))
    np.testing.assert_allclose([float(row["score"]) for row in rows], PERCENTS[::10], atol=1)
    record = json.loads((folder / "spots.json").read_text())
    assert record["video"] == str(film)
    assert record["duration"] == pytest.approx(16, abs=0.1)
    assert [entry["key_frame"] for entry in record["spots"]] == [s.key_frame.name for s in spotted if s.key_frame]


def test_the_curve_is_drawn_with_the_key_frames(folder: Path) -> None:
    with Image.open(folder / "curve.png") as picture:
        assert picture.size == (1800, 780)
    svg = (folder / "curve.svg").read_text()
    assert svg.count("<image") == 2
    assert "a film.mp4" in svg


def test_the_reel_shows_the_best_seconds_in_order_with_their_sound(
    spotted: list[Spotted], folder: Path, film: Path
) -> None:
    source = [image.mean() for _, image in plainly_decoded(film)]
    reel = plainly_decoded(folder / "reel.mp4")
    brightness = np.array([image.mean() for _, image in reel])
    assert len(reel) == pytest.approx(60, abs=25)
    assert brightness.max() == pytest.approx(max(source), abs=3)
    assert brightness.min() >= 2.55 * (spotted[0].score or 0) - 2.55 * 16
    sound = sound_between(folder / "reel.mp4", 0, len(reel) / 10)
    assert sound is not None
    loud = np.abs(sound[0]).reshape(-1, SAMPLES // 10).max(axis=1) > 0.2
    best = brightness >= 2.55 * 69
    assert (loud[: len(best)] == best).mean() > 0.85, "the beep goes with the brightest two seconds"


def test_a_reel_keeps_a_rate_that_varies(tmp_path: Path) -> None:
    times = [0, 0.1, 0.15, 0.5, 1.0, 1.02, 1.5, 2.0]
    film = clip(tmp_path / "film.mp4", moving(len(times)), times=times)
    with Video(film) as video:
        cut_reel(video, [Cut(0.1, 0.6), Cut(1.0, 1.6)], tmp_path / "reel.mp4")
    assert [time for time, _ in plainly_decoded(tmp_path / "reel.mp4")] == pytest.approx(
        [0, 0.05, 0.4, 0.5, 0.52, 1.0], abs=2e-3
    )


@pytest.mark.parametrize("length", [0.3, 0.04])
def test_a_video_of_one_scene_shorter_than_a_shot_has_a_reel(tmp_path: Path, scorer: Scorer, length: float) -> None:
    film = clip(tmp_path / "short.mp4", map(grey, [50] * max(1, round(length * 25))))
    (spot,) = find_best([film], scorer, Spotting(reel=10.0))
    assert spot.action is Action.WRITTEN
    assert len(plainly_decoded(tmp_path / "short-spots" / "reel.mp4")) == max(1, round(length * 25))


def test_of_frames_that_show_the_same_the_sharpest_is_taken(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sharp = np.kron(rng.integers(0, 255, (12, 16, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    blurred = np.asarray(Image.fromarray(sharp).resize((8, 6)).resize((64, 48), Image.Resampling.BICUBIC))
    film = clip(tmp_path / "film.mp4", [blurred, blurred, sharp, blurred, blurred], rate=5)
    with Video(film) as video:
        found = sharpest_near(video, 0.8, 0.0, 1.0)
        assert found.time == pytest.approx(0.4)
        assert np.array_equal(found.image, frame_at(video, 0.4).image)
        assert sharpest_near(video, 0.2, 0.5, 0.5).time == pytest.approx(0.2)
        with pytest.raises(DecodeError, match="no picture"):
            sharpest_near(video, 5.5, 5.0, 6.0)


def test_what_is_around_a_spot_is_decoded_once(tmp_path: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[float] = []
    begin = Video._begin

    def noted(video: Video, start: float) -> None:
        passes.append(start)
        begin(video, start)

    monkeypatch.setattr(Video, "_begin", noted)
    film = clip(tmp_path / "film.mp4", map(grey, PERCENTS), rate=10)
    spots = list(find_best([film], scorer, Spotting(every=0.2)))
    assert [spot.action for spot in spots] == [Action.WRITTEN] * len(spots)
    assert len(passes) == 1 + len(spots) > 1


def test_the_key_frame_is_the_sharpest_around_the_peak(tmp_path: Path, scorer: Scorer) -> None:
    """Of five frames a second one is scored, which is out of focus here."""
    rng = np.random.default_rng(0)
    sharp = np.kron(rng.integers(0, 255, (12, 16, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    blurred = np.asarray(Image.fromarray(sharp).resize((8, 6)).resize((64, 48), Image.Resampling.BICUBIC))
    dim = (blurred * 0.8).astype(np.uint8)
    frames = [*[dim] * 4, *[blurred] * 3, sharp, *[blurred] * 2, *[dim] * 5]
    film = clip(tmp_path / "film.mp4", frames, rate=5, encoding=x264(g=5))
    (spot,) = find_best([film], scorer, Spotting(dry_run=True, every=1.0, apart=9))
    assert spot.time == pytest.approx(1.4)


def test_a_dry_run_writes_nothing(film: Path, scorer: Scorer, tmp_path: Path) -> None:
    spots = list(find_best([film], scorer, Spotting(out=tmp_path, dry_run=True)))
    assert [spot.action for spot in spots] == [Action.SCORED] * 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unless_told_and_then_only_what_is_ours(
    film: Path, scorer: Scorer, tmp_path: Path
) -> None:
    folder = tmp_path / "a film-spots"
    folder.mkdir()
    for name in ("mine.jpg", "00h00m01.000s.jpg", "curve.csv"):
        (folder / name).write_bytes(b"before")
    (refused,) = find_best([film], scorer, Spotting(out=tmp_path))
    assert refused.action is Action.FAILED
    assert "--overwrite" in str(refused.error)
    assert all(path.read_bytes() == b"before" for path in folder.iterdir())
    spots = list(find_best([film], scorer, Spotting(out=tmp_path, overwrite=True)))
    assert (folder / "mine.jpg").read_bytes() == b"before"
    assert {path.name for path in folder.iterdir()} == FILES | {"mine.jpg"} | {
        spot.key_frame.name for spot in spots if spot.key_frame
    }


def test_a_video_that_fails_does_not_stop_the_others(film: Path, scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 99)
    spots = list(find_best([tmp_path / "broken.mp4", film], scorer, Spotting(dry_run=True)))
    assert [spot.action for spot in spots] == [Action.FAILED, Action.SCORED, Action.SCORED]
    assert isinstance(spots[0].error, DecodeError)


@pytest.mark.skipif(os.name == "nt", reason="no such names here")
@pytest.mark.parametrize(
    "name", ["$x^2$ & <b>.mp4", "new\nline\x1b[2J.mp4", NON_UTF8.replace("jpg", "mp4"), "写真.mp4"]
)
def test_names_are_drawn_and_written_as_what_they_are(name: str, scorer: Scorer, tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", map(grey, [50] * 3)).rename(tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (spot,) = find_best([film], scorer, Spotting(out=tmp_path / "out"))
    assert spot.error is None
    folder = tmp_path / "out" / f"{film.stem}-spots"
    title = f">{html.escape(name, quote=False)}</text>"
    assert name.isprintable() == (title in (folder / "curve.svg").read_text())
    assert json.loads((folder / "spots.json").read_text())["video"] == str(film)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "curve.csv"

    def fail(partial: Path) -> None:
        partial.write_text("half of it")
        raise OSError(28, "No space left on device")

    with pytest.raises(AesthError, match=r"No space left on device\); give another folder"), written(target) as partial:
        fail(partial)
    assert list(tmp_path.iterdir()) == []
    with written(target) as partial:
        partial.write_text("all of it")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["all of it"]


def test_where_a_file_is_no_folder_can_be_made(film: Path, scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    (spot,) = find_best([film], scorer, Spotting(out=tmp_path / "out"))
    assert "give another folder with --out" in str(spot.error)
