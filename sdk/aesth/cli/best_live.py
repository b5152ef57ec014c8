"""`aesth best` over a camera or a video: the best frame so far, live in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aesth.cli.options import option
from aesth.cli.output import Column, layouts
from aesth.config import Format, Settings
from aesth.errors import ConfigError, DecodeError
from aesth.extras import needs_extra
from aesth.tagging import Action, Outcome

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.apps.best_shot import BestShot, Shot
    from aesth.decode.video import Frame

VIDEO_NAMES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".3gp"})
"""How names of videos end, in lower case."""

EVERY = 0.2
"""Seconds of a video of which one frame is looked at."""


_option = partial(option, panel="Camera or video")


@dataclass(frozen=True)
class LiveFlags:
    """Which frames are looked at, and where the best goes."""

    camera: Annotated[
        str | None,
        _option("--camera", metavar="NUMBER|NAME", help="Look through this camera until Ctrl-C, in place of photos."),
    ] = None
    seconds: Annotated[
        float | None, _option("--seconds", metavar="N", min=0, help="Look for so long. Default: to the end.")
    ] = None
    every: Annotated[
        float | None,
        _option("--every", metavar="SECONDS", min=0, help="Of a video, a frame of so many; 0: all. Default: 0.2."),
    ] = None
    out: Annotated[Path | None, _option("--out", metavar="FILE.jpg", help="Save the best frame.")] = None
    overwrite: Annotated[bool, _option("--overwrite", help="Replace the file of --out.")] = False

    def are_meant(self, paths: list[Path] | None) -> bool:
        """Whether frames of a camera or a video are to be looked at, rather than photos.

        Raises:
            ConfigError: both, or several videos.
        """
        videos = [path for path in paths or () if path.suffix.lower() in VIDEO_NAMES]
        if (len(paths or ()) > 1 and videos) or (self.camera is not None and paths):
            raise ConfigError("a video or a camera is looked at alone; leave out the other paths")
        if not videos and self.camera is None:
            if self.out is not None or self.seconds is not None or self.every is not None or self.overwrite:
                raise ConfigError("--seconds, --every, --out and --overwrite go with --camera or a video")
            return False
        return True


@dataclass(frozen=True, slots=True)
class Watched(Outcome):
    """What was found in a video, or through a camera.

    Attributes:
        time: of the best frame, in seconds.
        frames: how many were looked at.
    """

    time: float | None = None
    frames: int = 0


COLUMNS = (
    Column("time", lambda watched: None if watched.time is None else round(watched.time, 3)),
    Column("frames", lambda watched: watched.frames),
)


def show_live(path: Path | None, flags: LiveFlags, settings: Settings) -> None:
    """Look at the frames of a camera or a video, show the best so far, and tell of it at the end."""
    from aesth.apps.best_shot import BestShot
    from aesth.apps.live import follow, save
    from aesth.occupied import refuse_occupied_file

    if flags.out is not None:
        refuse_occupied_file(flags.out, overwrite=flags.overwrite)
    best_shot = BestShot(settings.model, settings.provider or None, settings.threads, taste=settings.taste or None)
    with _source(path, flags) as frames, _shown(best_shot, quiet=settings.quiet) as show:
        try:
            for shot in follow(frames, best_shot, flags.seconds):
                show(shot)
        except KeyboardInterrupt:  # the way to say of a camera that it is enough
            pass
    if best_shot.best is None:
        raise DecodeError("no frame was seen; look for longer", path)
    if flags.out is not None:
        save(best_shot.best, flags.out)
    _tell(_outcome(best_shot, best_shot.best, path, flags, settings), settings)


@contextmanager
def _source(path: Path | None, flags: LiveFlags) -> Iterator[Iterable[Frame]]:
    with needs_extra("video", "looking through a camera or at a video"):
        from aesth.decode.video import Video
        from aesth.decode.video.camera import Camera
    if flags.camera is not None:
        with Camera(flags.camera) as camera:
            yield camera.frames()
    elif path is not None:
        with Video(path) as video:
            yield video.frames((EVERY if flags.every is None else flags.every) or None)


@contextmanager
def _shown(best_shot: BestShot, *, quiet: bool) -> Iterator[Any]:
    """What draws the frame now, and the best so far, on a terminal; nothing elsewhere."""
    from rich.live import Live

    from aesth.cli.running import console_of

    console = console_of(sys.stderr)
    live = None if quiet or not console.is_terminal else Live(console=console, transient=True, refresh_per_second=8)
    with live or nullcontext():
        yield lambda shot: live.update(view(shot, best_shot)) if live else None


def view(shot: Shot, best_shot: BestShot) -> Text:
    """Two lines: the frame now, and the best so far, each with a bar as long as its score."""
    from rich.text import Text

    text = Text()
    for name, one, style in (("now", shot, "default"), ("best", best_shot.best, "green")):
        if one is not None:
            bar = "#" * round(one.score / 2.5)
            text.append(f"{name:<5}{one.time or 0:9.2f} s {one.score:6.2f}  {bar}\n", style)
    return text


def _outcome(best_shot: BestShot, best: Shot, path: Path | None, flags: LiveFlags, settings: Settings) -> Watched:
    from aesth.scale import DEFAULT_CUT_POINTS, stars

    return Watched(
        flags.out or path or Path(f"camera {flags.camera}"),
        best.score,
        stars(best.score, settings.cut_points or DEFAULT_CUT_POINTS),
        None,
        Action.SCORED if flags.out is None else Action.WRITTEN,
        time=best.time,
        frames=best_shot.seen,
    )


def _tell(watched: Watched, settings: Settings) -> None:
    """Print what was found, as `aesth best` prints photos."""
    from aesth.cli.output import encode
    from aesth.cli.running import console_of
    from aesth.cli.table import header, row

    if settings.format is Format.TABLE:
        console = console_of(sys.stdout)
        console.print(header(), soft_wrap=True)
        ascii_only = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")
        console.print(row(watched, ascii_only=ascii_only).append(f"  at {watched.time or 0:.2f} s"), soft_wrap=True)
    else:
        layout = layouts(COLUMNS)[settings.format]
        sys.stdout.buffer.write(encode(layout.head + layout.line(watched) + layout.tail))
        sys.stdout.buffer.flush()
    if not settings.quiet:
        typer.echo(f"{watched.frames} frames, the best at {watched.time or 0:.2f} s", err=True)
