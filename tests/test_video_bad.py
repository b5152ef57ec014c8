"""Files that are no videos, or damaged ones: said in one line, with the path and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

import av

from aesth.decode.video import Video
from aesth.errors import DecodeError
from support.clips import clip, grey, moving, sound_only, x264


def text(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("not a video, whatever its name says\n" * 50)
    return path


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def a_folder(folder: Path) -> Path:
    (folder / "folder.mp4").mkdir()
    return folder / "folder.mp4"


def a_name_that_cannot_be(folder: Path) -> Path:
    return folder / "null\0.mp4"


def without_its_index(folder: Path) -> Path:
    """As of a camera whose battery came out: the index of an MP4 is written last."""
    path = clip(folder / "whole.mp4", moving(30))
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"moov") - 4])
    return path


def sound(folder: Path) -> Path:
    return sound_only(folder / "song.m4a")


def an_album(folder: Path) -> Path:
    """A song whose cover is stored as a picture stream."""
    path = folder / "album.mp4"
    song = sound_only(folder / "song.mp4")
    with av.open(str(song)) as source, av.open(str(path), "w") as target:
        heard = target.add_stream_from_template(source.streams.audio[0])
        cover = target.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 48, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = heard
                target.mux(packet)
        target.mux(cover.encode(av.VideoFrame.from_ndarray(grey(50), format="rgb24")))
        target.mux(cover.encode())
    return path


def a_list(folder: Path) -> Path:
    """What FFmpeg would open, and with it the file that it names."""
    clip(folder / "other.mp4", [grey(50)])
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    return folder / "list.mp4"


def a_playlist(folder: Path) -> Path:
    clip(folder / "other.ts", [grey(50)])
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")
    return folder / "list.m3u8"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (text, "not a video that can be read; give a video file"),
        (empty, "is empty (0 bytes); restore it"),
        (missing, "no such file; it may have been moved"),
        (a_folder, "is a folder, not a video"),
        (a_name_that_cannot_be, "check its name"),
        (without_its_index, "cut short while it was recorded; restore it from another copy, or repair it"),
        (sound, "has sound but no pictures; give a video"),
        (an_album, "has sound but no pictures; give a video"),
        (a_list, "not a video that can be read"),
        (a_playlist, "not a video that can be read"),
    ],
)
def test_what_is_no_video_is_told(make: Callable[[Path], Path], told: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(DecodeError) as raised:
        Video(path)
    assert told in raised.value.message
    assert raised.value.path == path
    assert "\n" not in raised.value.message


def test_of_a_video_that_was_cut_short_what_is_there_is_read(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mkv", moving(60), encoding=x264(g=10))
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    with Video(film) as video:
        times = [frame.time for frame in video.frames()]
    assert 25 <= len(times) <= 45
    assert times == sorted(times)


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mkv", moving(60), encoding=x264(g=10))
    content = bytearray(film.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 700] = np.random.default_rng(0).bytes(700)
    film.write_bytes(content)
    with Video(film) as video:
        times = [frame.time for frame in video.frames()]
    assert times[0] == 0
    assert times[-1] > 2
    assert len(times) > 30


def test_a_video_of_which_nothing_can_be_decoded_is_told(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", moving(20))
    content = bytearray(film.read_bytes())
    begin = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[begin:end] = bytes(end - begin)
    film.write_bytes(content)
    with Video(film) as video, pytest.raises(DecodeError, match="none of its pictures can be decoded") as raised:
        list(video.frames(0.5))
    assert raised.value.path == film
