"""Frames of videos: the right ones, at the right times, whatever the file is."""

from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")

import av

from aesth.decode.picture import SIDEWAYS
from aesth.decode.video import Video
from support.clips import H264, RATE, Encoding, clip, grey, moving, plainly_decoded, x264

FRAMES = moving(60)

ENCODINGS = {
    "key frames far apart, B-frames": ("mp4", x264(g=250, bf=3, **{"b-pyramid": "normal"}, preset="veryfast")),
    "key frames often": ("mp4", x264(g=5, bf=0)),
    "open groups": ("mkv", x264(g=12, bf=2, preset="veryfast", **{"x264-params": "open-gop=1:scenecut=0"})),
    "HEVC, open groups": (
        "mp4",
        Encoding("libx265", {"preset": "ultrafast", "x265-params": "keyint=15:bframes=3:open-gop=1:log-level=none"}),
    ),
    "MPEG-4 in AVI": ("avi", Encoding("mpeg4", {"g": "20", "qscale": "3"})),
    "VP9": ("webm", Encoding("libvpx-vp9", {"g": "30", "cpu-used": "8", "deadline": "realtime"})),
    "a transport stream": ("ts", x264(g=20, bf=2, preset="veryfast")),
    "a stream without times": ("h264", x264(g=20, bf=0)),
}


@pytest.fixture(scope="module", params=ENCODINGS, ids=lambda name: name.replace(" ", "-"))
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    suffix, encoding = ENCODINGS[request.param]
    return clip(tmp_path_factory.mktemp("films") / f"film.{suffix}", FRAMES, encoding=encoding)


def by_time(path: Path) -> dict[int, np.ndarray]:
    """Frames by their time in milliseconds, decoded plainly; where there are no times, by the rate."""
    if path.suffix != ".h264":
        return {round(1000 * time): image for time, image in plainly_decoded(path)}
    with av.open(str(path)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return {round(1000 * number / RATE): image for number, image in enumerate(images)}


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_every_frame_comes_once_with_its_time(film: Path) -> None:
    expected = by_time(film)
    with Video(film) as video:
        frames = list(video.frames())
    assert len(frames) == len(FRAMES)
    assert [round(1000 * frame.time) for frame in frames] == sorted(expected)
    assert all(apart(frame.image, expected[round(1000 * frame.time)]) < 4 for frame in frames)
    assert video.damaged == 0


@pytest.mark.parametrize("every", [0.2, 0.5, 1.0])
def test_frames_that_are_looked_at_are_those_of_the_video(film: Path, every: float) -> None:
    expected = by_time(film)
    with Video(film) as video:
        frames = list(video.frames(every))
    spans = [int((frame.time + 1e-4) / every) for frame in frames]
    assert len(set(spans)) >= 0.75 * len(FRAMES) / RATE / every
    assert spans == sorted(spans)
    assert all(apart(frame.image, expected[round(1000 * frame.time)]) < 4 for frame in frames)


def test_reading_begins_where_it_is_told(film: Path) -> None:
    expected = {time: image for time, image in by_time(film).items() if 1200 <= time < 1800}
    with Video(film) as video:
        frames = list(video.frames(start=1.2, end=1.8))
    assert [round(1000 * frame.time) for frame in frames] == sorted(expected)
    assert all(apart(frame.image, expected[round(1000 * frame.time)]) < 4 for frame in frames)


def test_key_frames_are_enough_where_they_are_dense(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", FRAMES, encoding=x264(g=5, bf=0, **{"x264-params": "scenecut=0"}))
    with av.open(str(film)) as container:
        keys = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.is_keyframe]
    with Video(film) as video:
        frames = list(video.frames(0.2))
    assert [frame.time for frame in frames] == [pytest.approx(float(key)) for key in keys]


def test_a_rate_that_varies_is_kept(tmp_path: Path) -> None:
    times = [0, 0.04, 0.05, 0.3, 2.0, 2.01, 4.5]
    film = clip(tmp_path / "film.mp4", moving(len(times)), times=times)
    with Video(film) as video:
        assert [frame.time for frame in video.frames()] == pytest.approx(times, abs=1e-3)
        assert [frame.time for frame in video.frames(1.0)] == pytest.approx([0, 2.0, 4.5], abs=1e-3)
        assert video.duration == pytest.approx(4.54, abs=0.1)


TURNS = {1: (0, False), 2: (0, True), 3: (180, False), 4: (180, True), 6: (-90, False), 8: (90, False)}
TURNS |= {5: (-90, True), 7: (90, True)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_frames_are_upright(tmp_path: Path, orientation: int) -> None:
    """The display matrix of a video and the orientation of a photo mean the same."""
    picture = np.full((48, 64, 3), 90, np.uint8)
    picture[:24, :32] = (200, 40, 40)
    picture[:24, 32:] = (40, 180, 60)
    film = clip(tmp_path / "film.mp4", [picture] * 2, rotation=TURNS[orientation])
    photo = Image.fromarray(picture)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo.save(tmp_path / "photo.png", exif=exif)
    from aesth.decode import load

    with Video(film) as video:
        upright = next(video.frames()).image
        small = next(video.frames(size=(30, 20))).image
    expected = load(tmp_path / "photo.png")
    assert upright.shape == expected.shape == ((64, 48, 3) if orientation in SIDEWAYS else (48, 64, 3))
    assert apart(upright, expected) < 8
    assert small.shape == (30, 20, 3)
    assert apart(small, np.asarray(Image.fromarray(expected).resize((20, 30), Image.Resampling.BICUBIC))) < 8


def test_pixels_that_are_no_squares_are_made_such(tmp_path: Path) -> None:
    wide = clip(tmp_path / "wide.mp4", moving(2), aspect=Fraction(3, 2))
    high = clip(tmp_path / "high.mp4", moving(2), aspect=Fraction(1, 2))
    with Video(wide) as video:
        assert next(video.frames()).image.shape == (48, 96, 3)
    with Video(high) as video:
        assert next(video.frames()).image.shape == (96, 64, 3)


@pytest.mark.parametrize("size", [(48, 64), (720, 64)], ids=["small", "HD"])
def test_colours_are_those_that_were_recorded(tmp_path: Path, size: tuple[int, int]) -> None:
    """Videos that do not tell their colours mean those of HD from 720 lines on, and those of television below."""
    colour = np.array([200, 60, 40])
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=H264.options)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        matrix = "ITU709" if size[0] >= 720 else "ITU601"
        frame = av.VideoFrame.from_ndarray(np.full((*size, 3), colour, np.uint8), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with Video(film) as video:
        shown = next(video.frames()).image.mean(axis=(0, 1))
    assert np.abs(shown - colour).max() < 4


def test_frames_are_taken_one_by_one(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", FRAMES)
    with Video(film) as video:
        frames = video.frames()
        assert next(frames).time == 0
        frames.close()
        assert next(video.frames(start=1.0)).time == pytest.approx(1.0)


def test_when_it_was_recorded(tmp_path: Path) -> None:
    told = clip(tmp_path / "told.mp4", [grey(50)], metadata={"creation_time": "2026-05-31T10:00:00.000000Z"})
    with Video(told) as video:
        assert video.taken is not None
        assert video.taken.isoformat() == "2026-05-31T10:00:00+00:00"
        assert video.rate == RATE
    with Video(clip(tmp_path / "not.mp4", [grey(50)])) as video:
        assert video.taken is None


@pytest.mark.parametrize("every", [None, 0.1])
def test_frames_do_not_stay_in_memory(tmp_path: Path, every: float | None) -> None:
    """Not even until Python looks for circles of references, which is hundreds of frames later."""

    def kept() -> int:
        return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())

    film = clip(tmp_path / "film.mp4", FRAMES)
    gc.collect()
    before = kept()
    gc.disable()
    try:
        with Video(film) as video:
            for _ in video.frames(every, size=(16, 16)):
                pass
            left = kept()
    finally:
        gc.enable()
    assert left - before <= 5


def test_a_still_has_the_luma_of_its_pixels_and_all_of_them_when_asked(film: Path) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    with Video(film) as video:
        stills = list(video.stills(size=FRAMES[0].shape[:2]))
        frames = list(video.frames())
    assert [still.time for still in stills] == [frame.time for frame in frames]
    for still, frame in zip(stills[::9], frames[::9], strict=True):
        assert np.array_equal(still.whole().image, frame.image)
        assert np.abs(still.luma - frame.image @ weights).mean() < 2
