"""Photos to a page that shows them by score: what `aesth report` does, for programs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from aesth import pairs
from aesth.alike import score_alike
from aesth.apps.bursts import GAP
from aesth.apps.report import Frame, PageFile, Picture, Sheet
from aesth.errors import DecodeError
from aesth.metadata import MetadataSession
from aesth.picking import Picked, pick_best
from aesth.scorer import Scored, Scorer
from aesth.shots import Shot, shots_of
from aesth.tagging import Action, rank

_AHEAD = 16
"""So many photos at most wait for their pictures."""


def report(
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    out: PageFile,
    *,
    title: str,
    gap: float = GAP,
    relative: bool = False,
    dry_run: bool = False,
) -> Iterator[Picked]:
    """Score photos, find bursts, and make a page of them: one outcome a photo, then the page is written.

    A RAW and its JPEG or HEIF are one frame of it. Photos that cannot be read are not on it; without any other, no page
    is made.

    Args:
        photos: files.
        scorer: scores them; it may remember scores.
        session: reads when they were taken.
        out: where the page goes.
        title: what it is called.
        gap: seconds between two photos of a burst at most.
        relative: stars by rank among these photos.
        dry_run: make no pictures, and no page.

    Raises:
        AesthError: the page cannot be written.
    """
    paths = list(photos)
    found: Iterable[Picked] = _scored(paths, scorer, session, gap)
    if relative:
        found = rank(list(found), scorer.cut_points)
    if dry_run:
        yield from found
        return
    making = _Making(out, {file: shot for shot in shots_of(paths) for file in shot.files})
    with out, ThreadPoolExecutor(scorer.jobs, thread_name_prefix="aesth-picture") as pool:
        yield from making.outcomes(found, pool)
        if frames := making.frames():
            out.finish(Sheet(title, frames, scorer.cut_points))


def _scored(photos: Sequence[Path], scorer: Scorer, session: MetadataSession, gap: float) -> Iterator[Picked]:
    """All photos with their scores, and the groups of those that are in one.

    Of photos taken in quick succession embeddings are needed as well, as bursts are told by them.
    """
    picked = pick_best(photos, scorer, session, gap=gap)
    needed = ((photo, photo.path if photo.action is Action.SKIPPED else None) for photo in picked)
    for photo, scored in score_alike(needed, scorer, embeddings=False):
        yield photo if scored is None else _with_score(photo, scored)


def _with_score(photo: Picked, scored: Scored) -> Picked:
    action = Action.SCORED if scored.error is None else Action.FAILED
    return replace(photo, score=scored.score, rating=scored.rating, action=action, error=scored.error)


@dataclass(frozen=True)
class _Making:
    """Frames on their way: the first photo of each shot that can be read is what is shown of it."""

    out: PageFile
    shots: Mapping[Path, Shot]
    made: dict[Shot, tuple[Picked, Picture]] = field(default_factory=dict)
    begun: set[Shot] = field(default_factory=set)

    def outcomes(self, photos: Iterable[Picked], pool: ThreadPoolExecutor) -> Iterator[Picked]:
        """Photos in order, each once its picture is made, by threads of ``pool``."""
        waiting: deque[tuple[Picked, Future[Picture] | None]] = deque()
        for photo in photos:
            waiting.append((photo, self._begin(photo, pool)))
            if len(waiting) > _AHEAD:
                yield self._finished(*waiting.popleft())
        while waiting:
            yield self._finished(*waiting.popleft())

    def frames(self) -> list[Frame]:
        """What was made, the best first."""
        frames = [_frame(shot, photo, picture) for shot, (photo, picture) in self.made.items()]
        return sorted(frames, key=lambda frame: -frame.score)

    def _begin(self, photo: Picked, pool: ThreadPoolExecutor) -> Future[Picture] | None:
        shot = self.shots[photo.path]
        if photo.error is not None or shot in self.begun:
            return None
        self.begun.add(shot)
        return pool.submit(self.out.picture, shot.files, pairs.scored_by(photo.path))

    def _finished(self, photo: Picked, making: Future[Picture] | None) -> Picked:
        if making is None:
            return photo
        try:
            picture = making.result()
        except DecodeError as error:
            return replace(photo, score=None, rating=None, action=Action.FAILED, error=error)
        self.made[self.shots[photo.path]] = photo, picture
        return photo


def _frame(shot: Shot, photo: Picked, picture: Picture) -> Frame:
    return Frame(
        tuple(Path(os.path.abspath(file)) for file in shot.files),  # noqa: PTH100
        photo.score or 0.0,
        photo.rating or 0,
        picture,
        photo.taken,
        photo.group,
        photo.kind.value if photo.kind else None,
        photo.best,
    )
