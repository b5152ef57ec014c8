"""`aesth video`: score curves of videos, key frames at their peaks, and a reel of the best seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.options import DryRun, EngineFlags, OutputFlags, option, settle
from aesth.cli.output import Column, layouts
from aesth.extras import needs_extra

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.cli.progress import Meter
    from aesth.spotting import Spotted, Spotting

_SPOTS, _WRITING = "Spots", "Writing"


Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Videos, such as MP4, MOV, MKV, WebM.", show_default=False),
]


@dataclass(frozen=True)
class SpotFlags:
    """What the best spots of a video are."""

    every: Annotated[
        float | None,
        option("--every", panel=_SPOTS, metavar="SECONDS", min=0.01, help="A frame of so many is scored. Default: 1."),
    ] = None
    every_frame: Annotated[
        bool, option("--every-frame", panel=_SPOTS, help="Score every frame, which takes far longer.")
    ] = False
    apart: Annotated[
        float,
        option("--apart", panel=_SPOTS, metavar="SECONDS", min=0, help="Between two spots. Default: 2."),
    ] = 2.0
    prominence: Annotated[
        float,
        option(
            "--prominence",
            panel=_SPOTS,
            metavar="POINTS",
            min=0,
            help="By which the score falls at least on both sides of a spot. Default: 5.",
        ),
    ] = 5.0
    top: Annotated[
        int, option("--top", panel=_SPOTS, metavar="N", min=1, help="The best N of a video. Default: 12.")
    ] = 12


@dataclass(frozen=True)
class FileFlags:
    """What is written, and where."""

    out: Annotated[
        Path | None,
        option(
            "--out",
            panel=_WRITING,
            metavar="DIR",
            help="Where the folder NAME-spots of each video goes. Default: beside the video.",
        ),
    ] = None
    overwrite: Annotated[
        bool, option("--overwrite", panel=_WRITING, help="Renew the files that an earlier run wrote there.")
    ] = False
    reel: Annotated[bool, option("--reel", panel=_WRITING, help="Also cut the best seconds together, as reel.mp4.")] = (
        False
    )
    reel_seconds: Annotated[
        float, option("--reel-seconds", panel=_WRITING, metavar="SECONDS", min=1, help="Of it at most. Default: 30.")
    ] = 30.0
    dry_run: DryRun = False


COLUMNS = (
    Column("time", lambda spot: spot.time),
    Column("timecode", lambda spot: spot.timecode),
    Column("rank", lambda spot: spot.rank),
    Column("key_frame", lambda spot: None if spot.key_frame is None else str(spot.key_frame)),
)


class _Bar:
    """The progress bar, which follows one video after the other."""

    def __init__(self) -> None:
        self._meter: Meter | None = None

    def take(self, meter: Meter) -> None:
        self._meter = meter

    def move(self, path: Path, done: float, total: float | None) -> None:
        from aesth.cli.text import printable

        if self._meter is not None:
            self._meter.follow(printable(path.name), int(done), None if total is None else int(total))


def video(engine: EngineFlags, which: SpotFlags, writing: FileFlags, output: OutputFlags, files: Files = None) -> None:
    """Find the best spots of videos: the peaks of their smoothed score curve.

    Into the folder NAME-spots go the key frames as JPEG, the curve as curve.svg, curve.png and curve.csv, spots.json,
    and with --reel the best seconds. Fields for programs: those of `aesth score`, then time (seconds), timecode, rank
    and key_frame.

        aesth video holiday.mp4

        aesth video --reel --out ~/Best *.mov
    """
    settings = settle(output, engine, save=output.save_config)
    if not files:
        if output.save_config:
            raise typer.Exit
        raise typer.BadParameter("name the videos", param_hint="FILE...")
    from aesth.cli.running import KnownPhotos, Telling, make_scorer, report

    with needs_extra("video", "finding the best spots of videos"):
        from aesth.spotting import find_best

    how, bar = _how(which, writing), _Bar()
    telling = Telling(layouts(COLUMNS), row_of_spot, at_once=True, noun="spot", unit="s of video", steer=bar.take)
    with make_scorer(settings) as scorer:
        report(
            KnownPhotos(files),
            lambda watched: find_best(watched, scorer, how, bar.move),
            settings,
            writes=not writing.dry_run,
            telling=telling,
        )


def row_of_spot(spot: Spotted, *, ascii_only: bool) -> Text:
    """A spot, with its time, or a video that failed."""
    from aesth.cli import table

    row = table.row(spot, ascii_only=ascii_only)
    if spot.timecode is None:
        return row
    row.append(f"  {spot.timecode}", "bold")
    return row.append("  the best", "green") if spot.rank == 1 else row


def _how(which: SpotFlags, writing: FileFlags) -> Spotting:
    """What the options say."""
    from aesth.apps.video.curve import EVERY
    from aesth.spotting import Spotting

    if which.every_frame and which.every is not None:
        raise typer.BadParameter("--every and --every-frame contradict each other; give one of the two")
    return Spotting(
        every=None if which.every_frame else (which.every or EVERY),
        apart=which.apart,
        prominence=which.prominence,
        most=which.top,
        out=writing.out,
        overwrite=writing.overwrite,
        reel=writing.reel_seconds if writing.reel else None,
        dry_run=writing.dry_run,
    )
