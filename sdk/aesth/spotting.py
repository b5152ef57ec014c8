"""Videos to key frames and curves in a folder: what `aesth video` does, for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aesth.apps.video import files, plot, tables
from aesth.apps.video.curve import EVERY, Curve, score_curve
from aesth.apps.video.cuts import choose_cuts
from aesth.apps.video.key_frames import frame_at, save_key_frame, sharpest_near
from aesth.apps.video.reel import cut_reel
from aesth.apps.video.spots import APART, MOST, PROMINENCE, Spot, find_spots, neighbourhood_of
from aesth.apps.video.timecode import timecode
from aesth.decode.video import Video
from aesth.errors import AesthError
from aesth.occupied import refuse_occupied_folder
from aesth.preprocess import UInt8Image
from aesth.scale import stars
from aesth.scorer import Scorer
from aesth.tagging import Action, Outcome


@dataclass(frozen=True, slots=True)
class Spotting:
    """How spots are looked for, and what is written.

    Attributes:
        every: seconds for each of which one frame is scored; None scores every frame.
        apart: seconds between two spots at least.
        prominence: points that the smoothed score falls on both sides of a spot.
        most: spots of a video at most, the best.
        out: where the folder NAME-spots of each video is made; None makes it beside the video.
        overwrite: renew what an earlier run wrote into that folder.
        reel: seconds of the best that are cut together; None makes no reel.
        dry_run: write nothing.
    """

    every: float | None = EVERY
    apart: float = APART
    prominence: float = PROMINENCE
    most: int = MOST
    out: Path | None = None
    overwrite: bool = False
    reel: float | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Spotted(Outcome):
    """A spot of a video, or the video that failed.

    Attributes:
        time: seconds from its start.
        timecode: the same as people write it.
        rank: 1 for the best of the video.
        key_frame: the photo of it, which is there unless it was a dry run.
    """

    time: float | None = None
    timecode: str | None = None
    rank: int | None = None
    key_frame: Path | None = None


OnProgress = Callable[[Path, float, float | None], None]
"""Told of which video how many seconds are done, and how many it has, if that is known."""


def find_best(
    videos: Iterable[Path],
    scorer: Scorer,
    how: Spotting = Spotting(),
    on_progress: OnProgress = lambda _path, _done, _all: None,
) -> Iterator[Spotted]:
    """Find the best spots of videos: lazily, in input order, one outcome a spot, and one for a video that fails.

    The key frames, the curve as picture and table, and the reel are there when the first outcome of a video comes.

    Args:
        videos: files.
        scorer: makes scores and embeddings of frames, which are not remembered.
        how: what is looked for, and what is written.
        on_progress: see `OnProgress`.
    """
    for path in videos:
        try:
            yield from _spots_of(path, scorer, how, on_progress)
        except AesthError as error:
            yield Spotted(path, None, None, None, Action.FAILED, error)


def _spots_of(path: Path, scorer: Scorer, how: Spotting, on_progress: OnProgress) -> list[Spotted]:
    folder = files.folder_of(path, how.out)
    with Video(path) as video:
        if not (how.dry_run or how.overwrite):
            refuse_occupied_folder(folder, "renew it with --overwrite, or give another folder with --out")
        curve = score_curve(video, scorer, how.every, lambda done: on_progress(path, done, video.duration))
        found = find_spots(curve, apart=how.apart, prominence=how.prominence, most=how.most)
        if not how.dry_run:
            files.make_folder(folder)
        pictured = [_picture(folder, video, curve, spot, how) for spot in found]
        spots = [spot for spot, _ in pictured]
        if not how.dry_run:
            _write(folder, video, curve, pictured, scorer, how)
        note = f"{video.damaged} damaged parts of it were passed over" if video.damaged else None
    action = Action.SCORED if how.dry_run else Action.WRITTEN
    return [
        Spotted(
            path,
            spot.score,
            stars(spot.score, scorer.cut_points),
            None,
            action,
            note=note if number == 0 else None,
            time=round(spot.time, 3),
            timecode=timecode(spot.time),
            rank=spot.rank,
            key_frame=folder / files.key_frame_name(spot.time),
        )
        for number, spot in enumerate(spots)
    ]


def _picture(folder: Path, video: Video, curve: Curve, spot: Spot, how: Spotting) -> tuple[Spot, UInt8Image]:
    """The spot at the sharpest frame around the one that was scored, its key frame saved, and its thumbnail.

    Two spots stay apart, each in its own half of the time between them.
    """
    start, end = neighbourhood_of(curve, spot)
    if start < end:
        frame = sharpest_near(video, spot.time, start, end)
        spot = replace(spot, time=frame.time)
    else:
        frame = frame_at(video, spot.time)
    if not how.dry_run:
        with files.written(folder / files.key_frame_name(spot.time)) as target:
            save_key_frame(frame, video, target)
    return spot, plot.thumbnail(frame.image)


def _write(
    folder: Path,
    video: Video,
    curve: Curve,
    pictured: Sequence[tuple[Spot, UInt8Image]],
    scorer: Scorer,
    how: Spotting,
) -> None:
    """Write all but the key frames."""
    spots = [spot for spot, _ in pictured]
    with files.written(folder / files.CURVE_TABLE) as target:
        tables.write_curve(curve, target)
    with files.written(folder / files.SPOTS_RECORD) as target:
        tables.write_spots(video.path, video.duration, scorer.encoder.record.name, spots, target)
    for name in files.CURVE_PLOTS:
        with files.written(folder / name) as target:
            plot.draw(curve, pictured, video.path.name, scorer.cut_points, target)
    if how.reel is not None:
        with files.written(folder / files.REEL) as target:
            cut_reel(video, choose_cuts(curve, spots, how.reel), target)
