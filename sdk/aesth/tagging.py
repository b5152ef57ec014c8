"""Score photos and write their stars: what `aesth tag` does, for programs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aesth import pairs
from aesth.ahead import WouldBlock, never
from aesth.alike import PATIENCE as PATIENCE
from aesth.alike import score_alike
from aesth.cache import ScoreCache
from aesth.errors import AesthError, JournalError, MetadataError
from aesth.metadata import (
    ChangedError,
    Decision,
    Extras,
    MetadataSession,
    NewRating,
    Policy,
    RatingState,
    allows,
    decide,
)
from aesth.metadata.ratings import NO_EXTRAS, REJECTED
from aesth.scale import CutPoints, relative_stars
from aesth.scorer import Scored, Scorer

MOST_TRIES = 5
"""So often is a photo tried that other programs change between our read and our write."""

OUTSIDE = "this is a link to a place outside of what was given; nothing was written: give that place, too"
"""What is told of a photo that may not be written."""

AHEAD_OF_WRITES = 16
"""So many photos at most are scored and wait for their write, or for the outcome of one before them."""

_Rated = TypeVar("_Rated", bound="Outcome | _Seen")


class Action(Enum):
    """What was done with a photo: ``KEPT`` a person's rating, ``SKIPPED`` ours, already there."""

    SCORED = "scored"
    WRITTEN = "written"
    KEPT = "kept"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of a run; the fields that other programs read, in their order.

    Attributes:
        path: the photo.
        score: 0-100, or None where it was not scored.
        rating: stars after the run (a person's where it was kept), or None.
        old_rating: stars before the run, -1 rejected, or None.
        action: what was done.
        error: what went wrong, else None.
        note: what a person may want to know besides, such as ratings that disagree; else None.
    """

    path: Path
    score: float | None
    rating: int | None
    old_rating: int | None
    action: Action
    error: AesthError | None = None
    note: str | None = None


def tag(
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    *,
    policy: Policy = Policy.OURS,
    relative: bool = False,
    rescore: bool = False,
    sidecar: bool = False,
    dry_run: bool = False,
    reject_below: float | None = None,
    extras: Extras = NO_EXTRAS,
    may_write: Callable[[Path], bool] = lambda _: True,
    would_block: WouldBlock = never,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Score photos and write their stars: lazily, in input order, one outcome a photo, whatever happens to it.

    Photos are read and scored while those before them are written, by as many threads as the session has ExifTools.
    So a few more may be written than those whose outcomes were taken when a program leaves off; each of them is whole,
    and in the journal.

    A RAW with a JPEG or HEIF of the camera beside it is scored by that, so that the two are rated alike. Photos whose
    rating stands are not decoded, except with ``relative``. Right before the write a photo is looked at again, and read
    where anything there may have changed, so that a rating given during the run stands too; and a photo that another
    program changes this moment is tried again. It can be stopped at any time: every file is whole.

    Args:
        photos: files.
        scorer: scores them.
        session: reads and writes their ratings.
        policy: whose rating wins.
        relative: stars by rank among the photos of this run; all are scored before the first is written.
        rescore: renew the stars that another model of ours gave.
        sidecar: write sidecars only.
        dry_run: write nothing; a photo that would be written is ``SCORED``.
        reject_below: photos of a lower score, 0-100, are rejected instead of given stars, with ``relative`` as well.
        extras: what is written besides stars.
        may_write: whether a photo lies where something may be written; the others fail.
        would_block: whether taking the next photo would wait; then outcomes come first.
        stopping: asked between photos. Once it is true, no other is begun to be written, and the run ends with the
            outcomes of those that are.

    Raises:
        JournalError: what is written could not be taken back; nothing is written from here on.
    """
    if not dry_run:
        session.begin_run()
    run = _Run(session, scorer.tag, policy, rescore, sidecar, dry_run, reject_below, extras, scorer.cache, may_write)
    soon = not (dry_run or relative or sidecar)
    seen = _read(photos, run, would_block, to_write=soon)
    if relative:
        scored = _score_needed((replace(photo, ranked=True) for photo in seen), scorer, would_block)
        all_of_them = list(takewhile(lambda _: not stopping(), scored))
        yield from _finish(rank(all_of_them, scorer.cut_points), run, never, stopping)
    else:
        yield from _finish(_score_needed(seen, scorer, would_block), run, would_block, stopping)


@dataclass(frozen=True)
class _Seen:
    """A photo on its way: what it said of its rating, what is to be done, and its score once it has one."""

    path: Path
    state: RatingState
    decision: Decision | None = None
    score: float | None = None
    rating: int | None = None
    error: AesthError | None = None
    ranked: bool = False
    stored: bool = False
    tries: int = 0
    notes: tuple[str, ...] = ()

    @property
    def needs_score(self) -> bool:
        return self.error is None and (self.decision is Decision.WRITE or (self.ranked and not self.stored))

    def with_score(self, scored: Scored) -> _Seen:
        if scored.error is not None and self.decision is not Decision.WRITE:
            return replace(self, ranked=False)
        return replace(self, score=scored.score, rating=scored.rating, error=scored.error)


@dataclass(frozen=True, slots=True)
class _Write:
    """A photo, and what is to be written into it."""

    photo: _Seen
    new: NewRating


@dataclass(frozen=True)
class _Run:
    session: MetadataSession
    model: str
    policy: Policy
    rescore: bool
    sidecar: bool
    dry_run: bool
    reject_below: float | None
    extras: Extras
    cache: ScoreCache | None
    may_write: Callable[[Path], bool]
    tidied: set[Path] = field(default_factory=set)

    def see(self, path: Path, state: RatingState | AesthError) -> _Seen:
        self._tidy(path)
        if isinstance(state, AesthError):
            return _Seen(path, RatingState(), error=state)
        decision = decide(self.policy, state, self.model, rescore=self.rescore)
        if decision is Decision.WRITE and not self.may_write(path):
            return _Seen(path, state, error=MetadataError(OUTSIDE, path))
        if decision is not Decision.SKIP:
            return _Seen(path, state, decision)
        return _Seen(path, state, decision, state.our_score, state.rating, stored=self._is_ours(state))

    def _tidy(self, photo: Path) -> None:
        """See to what killed runs left beside a photo, also where nothing will be written."""
        if not self.dry_run and photo.parent not in self.tidied:
            self.tidied.add(photo.parent)
            if self.may_write(photo):
                self.session.tidy(photo.parent)

    def finish(self, photo: _Seen) -> Outcome | _Write:
        """What becomes of a photo: its outcome, or what is to be written first."""
        if photo.error is not None:
            return _unchanged(photo, Action.FAILED)
        if photo.decision is not Decision.WRITE or photo.rating is None or photo.score is None:
            return _unchanged(photo, Action.SKIPPED if photo.decision is Decision.SKIP else Action.KEPT)
        rejected = self.reject_below is not None and photo.score < self.reject_below
        rating = REJECTED if rejected else photo.rating
        if not allows(self.policy, photo.state, rating):
            return _unchanged(photo, Action.KEPT)
        if self.dry_run:
            return _changed(photo, rating, Action.SCORED)
        return _Write(photo, NewRating(rating, photo.score, self.model, datetime.now(UTC), self.extras))

    def write(self, job: _Write) -> Outcome:
        """Write a photo, by any thread."""
        photo = job.photo
        notes: list[str] = []
        rewritten: list[tuple[os.stat_result, os.stat_result]] = []
        try:
            self.session.write(
                photo.path,
                job.new,
                sidecar=self.sidecar,
                expected=photo.state,
                tell=notes.append,
                rewritten=lambda *states: rewritten.append(states),
            )
        except JournalError:
            raise
        except ChangedError as error:
            if photo.tries + 1 < MOST_TRIES:
                (state,) = self.session.read([photo.path], fresh=True)
                return self._write_changed(replace(photo, tries=photo.tries + 1), state)
            return _unchanged(replace(photo, error=error), Action.FAILED)
        except AesthError as error:
            return _unchanged(replace(photo, error=error), Action.FAILED)
        if self.cache is not None:
            for before, now in rewritten:
                self.cache.follow(photo.path, before, now)
        return _changed(replace(photo, notes=tuple(notes)), job.new.rating, Action.WRITTEN)

    def _write_changed(self, photo: _Seen, state: RatingState | AesthError) -> Outcome:
        """Decide anew on a photo that somebody rated, or that vanished, since it was read."""
        if isinstance(state, AesthError):
            return _unchanged(replace(photo, error=state), Action.FAILED)
        decision = decide(self.policy, state, self.model, rescore=self.rescore)
        finished = self.finish(replace(photo, state=state, decision=decision))
        return self.write(finished) if isinstance(finished, _Write) else finished

    def _is_ours(self, state: RatingState) -> bool:
        return state.our_score is not None and decide(Policy.OURS, state, self.model, rescore=True) is Decision.SKIP


def _unchanged(photo: _Seen, action: Action) -> Outcome:
    return _changed(photo, photo.state.rating, action)


def _changed(photo: _Seen, rating: int | None, action: Action) -> Outcome:
    note = "; ".join([*_note_of_conflicts(photo.state), *photo.notes]) or None
    return Outcome(photo.path, photo.score, rating, photo.state.rating, action, photo.error, note)


def _note_of_conflicts(state: RatingState) -> Iterator[str]:
    if state.conflicts:
        yield f"ratings disagree: {', '.join(state.conflicts)}; taken as {state.rating or 'unrated'}"


def _read(photos: Iterable[Path], run: _Run, would_block: WouldBlock, *, to_write: bool) -> Iterator[_Seen]:
    waiting: deque[Path] = deque()

    def remembered() -> Iterator[Path]:
        for photo in photos:
            waiting.append(photo)
            yield photo

    for state in run.session.read(remembered(), would_block, to_write=to_write):
        yield run.see(waiting.popleft(), state)


def _score_needed(photos: Iterable[_Seen], scorer: Scorer, would_block: WouldBlock) -> Iterator[_Seen]:
    """All photos in order, those with a score that need one."""
    needed = ((photo, photo.path if photo.needs_score else None) for photo in photos)
    for photo, scored in score_alike(needed, scorer, would_block, embeddings=False):
        yield photo if scored is None else photo.with_score(scored)


def _finish(
    photos: Iterator[_Seen], run: _Run, would_block: WouldBlock, stopping: Callable[[], bool]
) -> Iterator[Outcome]:
    """The outcome of each photo, in order; the next are taken while the last are written."""
    with _Writers(run) as writers:
        while not stopping():
            if would_block():
                yield from writers.outcomes(most=0)
            photo = next(photos, None)
            if photo is None:
                break
            writers.begin(photo)
            yield from writers.outcomes(most=AHEAD_OF_WRITES)
        if stopping():
            writers.call_off()
        yield from writers.outcomes(most=0)


class _Writers:
    """Photos on their way into files. Those that share files are written one after the other."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(run.session.processes, thread_name_prefix="aesth-write")
        self._waiting: deque[Outcome | Future[Outcome]] = deque()
        self._last: dict[str, Future[Outcome]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.call_off()
        at_once = kind is not None and issubclass(kind, KeyboardInterrupt)
        with self._run.session.stopped() if at_once else nullcontext():
            self._pool.shutdown()

    def begin(self, photo: _Seen) -> None:
        """Finish a photo; what is written is written by another thread."""
        finished = self._run.finish(photo)
        self._waiting.append(self._submit(finished) if isinstance(finished, _Write) else finished)

    def outcomes(self, most: int) -> Iterator[Outcome]:
        """Those that are there, in order; waits for some where more than ``most`` photos would be left."""
        while self._waiting and (len(self._waiting) > most or _is_done(self._waiting[0])):
            first = self._waiting.popleft()
            yield first.result() if isinstance(first, Future) else first
        self._last = {family: future for family, future in self._last.items() if not future.done()}

    def call_off(self) -> None:
        """Forget the photos from the first on that is not begun to be written; the last first, as they are in a row."""
        for place in reversed(range(len(self._waiting))):
            future = self._waiting[place]
            if isinstance(future, Future) and future.cancel():
                while len(self._waiting) > place:
                    self._waiting.pop()

    def _submit(self, job: _Write) -> Future[Outcome]:
        shared = pairs.families(job.photo.path)
        before = [self._last[family] for family in shared if family in self._last]
        writing = self._pool.submit(self._write, job, before)
        self._last |= dict.fromkeys(shared, writing)
        return writing

    def _write(self, job: _Write, before: Sequence[Future[Outcome]]) -> Outcome:
        wait(before)
        return self._run.write(job)


def _is_done(waiting: Outcome | Future[Outcome]) -> bool:
    return not isinstance(waiting, Future) or waiting.done()


def rank(photos: Sequence[_Rated], cut_points: CutPoints) -> Iterator[_Rated]:
    """``photos`` with the stars of those that have a score given by its rank among all scores."""
    ratings = relative_stars([photo.score for photo in photos], cut_points)
    for photo, rating in zip(photos, ratings, strict=True):
        yield photo if rating is None else replace(photo, rating=rating)
