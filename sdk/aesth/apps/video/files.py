"""Where the files of a video's spots go, and writing them whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aesth.apps.video.timecode import timecode_for_name
from aesth.errors import AesthError
from aesth.replacing import replacing

CURVE_PLOTS = ("curve.svg", "curve.png")
CURVE_TABLE, SPOTS_RECORD, REEL = "curve.csv", "spots.json", "reel.mp4"

_KEY_FRAME = re.compile(r"\d{2,}h\d\dm\d\d\.\d{3}s\.jpg")


def folder_of(video: Path, out: Path | None) -> Path:
    """The folder for the files of ``video``: NAME-spots beside it, or in the folder ``out``."""
    return (out or video.parent) / f"{video.stem}-spots"


def key_frame_name(time: float) -> str:
    """The name of the key frame that is shown at ``time``, in seconds."""
    return f"{timecode_for_name(time)}.jpg"


def make_folder(folder: Path) -> None:
    """Have a folder in which nothing is that an earlier run wrote, as its name tells; other files stay.

    Raises:
        AesthError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if _is_ours(path.name):
                path.unlink()
    except OSError as error:
        raise cannot_write(folder, error) from error


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """A file to write in place of ``target``, which gets that name when it is whole and on disk.

    Raises:
        AesthError: it cannot be written; then nothing is left of it.
    """
    try:
        with replacing(target) as partial:
            yield partial
    except OSError as error:
        raise cannot_write(target, error) from error


def cannot_write(path: Path, error: OSError) -> AesthError:
    """What to say of ``path``, and to do."""
    return AesthError(f"{path} cannot be written ({error.strerror or error}); give another folder with --out")


def _is_ours(name: str) -> bool:
    return name in (*CURVE_PLOTS, CURVE_TABLE, SPOTS_RECORD, REEL) or _KEY_FRAME.fullmatch(name) is not None
