"""Score photos and write their stars: what `aesth tag` does, for programs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TypeVar

from aesth.ahead import WouldBlock, never
from aesth.alike import PATIENCE as PATIENCE
from aesth.alike import score_alike
from aesth.cache import ScoreCache
from aesth.encoder import OnnxEncoder
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

_Rated = TypeVar("_Rated", "Outcome", "_Seen")


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
) -> Iterator[Outcome]:
    """Score photos and write their stars: lazily, in input order, one outcome a photo, whatever happens to it.

    A RAW with a JPEG or HEIF of the camera beside it is scored by that, so that the two are rated alike. Photos whose
    rating stands are not decoded, except with ``relative``. Right before the write a photo's rating is read again, so
    that one given during the run stands too, and a photo that another program changes this moment is tried again. It
    can be stopped at any time: every file is whole.

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

    Raises:
        JournalError: what is written could not be taken back; nothing is written from here on.
    """
    if not dry_run:
        session.begin_run()
    run = _Run(
        session, model_of(scorer), policy, rescore, sidecar, dry_run, reject_below, extras, scorer.cache, may_write
    )
    seen = _read(photos, run, would_block)
    if not relative:
        yield from map(run.finish, _score_needed(seen, scorer, would_block))
        return
    scored = list(_score_needed((replace(photo, ranked=True) for photo in seen), scorer, would_block))
    yield from map(run.finish, rank(scored, scorer.cut_points))


def model_of(scorer: Scorer) -> str:
    """What photos remember of the model of ``scorer``: its name and the start of its checksum."""
    encoder = scorer.encoder
    return encoder.model.tag if isinstance(encoder, OnnxEncoder) else f"{encoder.record.name} {encoder.record.version}"


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
            message = "this is a link to a place outside of what was given; nothing was written: give that place, too"
            return _Seen(path, state, error=MetadataError(message, path))
        if decision is not Decision.SKIP:
            return _Seen(path, state, decision)
        return _Seen(path, state, decision, state.our_score, state.rating, stored=self._is_ours(state))

    def _tidy(self, photo: Path) -> None:
        """See to what killed runs left beside a photo, also where nothing will be written."""
        if not self.dry_run and photo.parent not in self.tidied:
            self.tidied.add(photo.parent)
            if self.may_write(photo):
                self.session.tidy(photo.parent)

    def finish(self, photo: _Seen) -> Outcome:
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
        return self._write(photo, photo.score, rating)

    def _write(self, photo: _Seen, score: float, rating: int) -> Outcome:
        notes: list[str] = []
        new = NewRating(rating, score, self.model, datetime.now(UTC), self.extras)
        try:
            self.session.write(photo.path, new, sidecar=self.sidecar, expected=photo.state, tell=notes.append)
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
            self.cache.renew(photo.path)
        return _changed(replace(photo, notes=tuple(notes)), rating, Action.WRITTEN)

    def _write_changed(self, photo: _Seen, state: RatingState | AesthError) -> Outcome:
        """Decide anew on a photo that somebody rated, or that vanished, since it was read."""
        if isinstance(state, AesthError):
            return _unchanged(replace(photo, error=state), Action.FAILED)
        decision = decide(self.policy, state, self.model, rescore=self.rescore)
        return self.finish(replace(photo, state=state, decision=decision))

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


def _read(photos: Iterable[Path], run: _Run, would_block: WouldBlock) -> Iterator[_Seen]:
    waiting: deque[Path] = deque()

    def remembered() -> Iterator[Path]:
        for photo in photos:
            waiting.append(photo)
            yield photo

    for state in run.session.read(remembered(), would_block):
        yield run.see(waiting.popleft(), state)


def _score_needed(photos: Iterable[_Seen], scorer: Scorer, would_block: WouldBlock) -> Iterator[_Seen]:
    """All photos in order, those with a score that need one."""
    needed = ((photo, photo.path if photo.needs_score else None) for photo in photos)
    for photo, scored in score_alike(needed, scorer, would_block):
        yield photo if scored is None else photo.with_score(scored)


def rank(photos: Sequence[_Rated], cut_points: CutPoints) -> Iterator[_Rated]:
    """``photos`` with the stars of those that have a score given by its rank among all scores."""
    ratings = relative_stars([photo.score for photo in photos], cut_points)
    for photo, rating in zip(photos, ratings, strict=True):
        yield photo if rating is None else replace(photo, rating=rating)
