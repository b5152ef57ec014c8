"""Opening what may be a video, and telling why it is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from aesth.errors import DecodeError

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,obu,ivf,flv,asf,ogg,mxf,dv,mjpeg,gif,"
    "mp3,wav,flac,aac"
)
"""What is opened, by FFmpeg's names; no list of other files or addresses, and sound only to say that it is no video."""

_UNKNOWN = "not a video that can be read; give a video file such as MP4, MOV, MKV or WebM"
_DAMAGED = "damaged, or cut short while it was recorded; restore it from another copy, or repair it first"


def open_container(path: Path) -> InputContainer:
    """The file, opened for reading.

    Raises:
        DecodeError: it is not there, may not be read, or is no video.
    """
    _refuse_what_is_no_file(path)
    with foreign_errors(path):
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        return av.open(os.fspath(path), options=options, metadata_errors="replace")


def picture_of(container: InputContainer, path: Path) -> VideoStream:
    """The stream of moving pictures.

    Raises:
        DecodeError: there is none, or none that can be decoded.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        sound = "has sound but no pictures" if container.streams.audio else "has no pictures"
        raise DecodeError(f"{sound}; give a video", path)
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None or not stream.codec_context.width:
        raise DecodeError("its pictures are stored in a way that is not known here; convert it to H.264 first", path)
    return stream


@contextmanager
def foreign_errors(path: Path) -> Iterator[None]:
    """Turn what FFmpeg raises into a `DecodeError` about the file."""
    try:
        yield
    except (av.error.InvalidDataError, av.error.ArgumentError) as error:
        raise DecodeError(_DAMAGED if _is_known(path) else _UNKNOWN, path) from error
    except (av.error.FFmpegError, OSError) as error:
        raise DecodeError(f"cannot be read ({error.strerror or error}); check the file and the disk", path) from error


def _refuse_what_is_no_file(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise DecodeError("no such file; it may have been moved or renamed", path) from error
    except PermissionError as error:
        raise DecodeError("no permission to read it; change its permissions, or run as its owner", path) from error
    except (OSError, ValueError) as error:
        raise DecodeError(f"cannot be read ({error}); check its name", path) from error
    if not stat.S_ISREG(found.st_mode):
        raise DecodeError("is a folder, not a video" if stat.S_ISDIR(found.st_mode) else "is no regular file", path)
    if not found.st_size:
        raise DecodeError("is empty (0 bytes); restore it from another copy", path)


def _is_cover(stream: VideoStream) -> bool:
    """Whether it is a still picture that belongs to the sound, such as the cover of an album."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_known(path: Path) -> bool:
    """Whether the file begins as a video does: MP4 and its kin, Matroska, AVI, MPEG."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or head.startswith(
        (b"\x1aE\xdf\xa3", b"RIFF", b"\x00\x00\x01\xba", b"G@")
    )
