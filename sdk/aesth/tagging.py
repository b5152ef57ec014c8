"""Score photos and write their stars: what `aesth tag` does, for programs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TypeVar

from aesth.ahead import WouldBlock, never
from aesth.cache import ScoreCache
from aesth.encoder import OnnxEncoder
from aesth.errors import AesthError
from aesth.metadata import Decision, MetadataSession, NewRating, Policy, RatingState, allows, decide
from aesth.scale import CutPoints, relative_stars
from aesth.scorer import Scored, Scorer

_Rated = TypeVar("_Rated", "Outcome", "_Seen")

PATIENCE = 64
"""So many photos in a row that need no score are told at once, rather than when the next score is there."""


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
    """

    path: Path
    score: float | None
    rating: int | None
    old_rating: int | None
    action: Action
    error: AesthError | None = None


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
    would_block: WouldBlock = never,
) -> Iterator[Outcome]:
    """Score photos and write their stars: lazily, in input order, one outcome a photo, whatever happens to it.

    Photos whose rating stands are not decoded, except with ``relative``. Right before the write a photo's rating is
    read again, so that one given during the run stands too. It can be stopped at any time: every file is whole.

    Args:
        photos: files.
        scorer: scores them.
        session: reads and writes their ratings.
        policy: whose rating wins.
        relative: stars by rank among the photos of this run; all are scored before the first is written.
        rescore: renew the stars that another model of ours gave.
        sidecar: write sidecars only.
        dry_run: write nothing; a photo that would be written is ``SCORED``.
        would_block: whether taking the next photo would wait; then outcomes come first.
    """
    run = _Run(session, model_of(scorer), policy, rescore, sidecar, dry_run, scorer.cache)
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
    cache: ScoreCache | None

    def see(self, path: Path, state: RatingState | AesthError) -> _Seen:
        if isinstance(state, AesthError):
            return _Seen(path, RatingState(), error=state)
        decision = decide(self.policy, state, self.model, rescore=self.rescore)
        if decision is not Decision.SKIP:
            return _Seen(path, state, decision)
        return _Seen(path, state, decision, state.our_score, state.rating, stored=self._is_ours(state))

    def finish(self, photo: _Seen) -> Outcome:
        if photo.error is not None:
            return _unchanged(photo, Action.FAILED)
        if photo.decision is not Decision.WRITE or photo.rating is None or photo.score is None:
            return _unchanged(photo, Action.SKIPPED if photo.decision is Decision.SKIP else Action.KEPT)
        if not allows(self.policy, photo.state, photo.rating):
            return _unchanged(photo, Action.KEPT)
        if self.dry_run:
            return Outcome(photo.path, photo.score, photo.rating, photo.state.rating, Action.SCORED)
        return self._write(photo, photo.score, photo.rating)

    def _write(self, photo: _Seen, score: float, rating: int) -> Outcome:
        now = next(self.session.read([photo.path]))
        if now != photo.state:
            return self._write_changed(photo, now)
        try:
            self.session.write(
                photo.path, NewRating(rating, score, self.model, datetime.now(UTC)), sidecar=self.sidecar
            )
        except AesthError as error:
            return _unchanged(replace(photo, error=error), Action.FAILED)
        if self.cache is not None:
            self.cache.renew(photo.path)
        return Outcome(photo.path, score, rating, photo.state.rating, Action.WRITTEN)

    def _write_changed(self, photo: _Seen, state: RatingState | AesthError) -> Outcome:
        """Decide anew on a photo that somebody rated, or that vanished, since it was read."""
        if isinstance(state, AesthError):
            return _unchanged(replace(photo, error=state), Action.FAILED)
        decision = decide(self.policy, state, self.model, rescore=self.rescore)
        return self.finish(replace(photo, state=state, decision=decision))

    def _is_ours(self, state: RatingState) -> bool:
        return state.our_score is not None and decide(Policy.OURS, state, self.model, rescore=True) is Decision.SKIP


def _unchanged(photo: _Seen, action: Action) -> Outcome:
    rating = photo.state.rating
    return Outcome(photo.path, photo.score, rating, rating, action, photo.error)


def _read(photos: Iterable[Path], run: _Run, would_block: WouldBlock) -> Iterator[_Seen]:
    waiting: deque[Path] = deque()

    def remembered() -> Iterator[Path]:
        for photo in photos:
            waiting.append(photo)
            yield photo

    for state in run.session.read(remembered(), would_block):
        yield run.see(waiting.popleft(), state)


def _score_needed(photos: Iterable[_Seen], scorer: Scorer, would_block: WouldBlock) -> Iterator[_Seen]:
    """All photos in order, those with a score that need one; the scorer looks ahead past those that need none."""
    source = iter(photos)
    waiting: deque[_Seen] = deque()
    while True:
        started = False

        def stretch() -> Iterator[Path]:
            nonlocal started
            idle = 0
            for photo in source:
                started = True
                waiting.append(photo)
                idle = 0 if photo.needs_score else idle + 1
                if photo.needs_score:
                    yield photo.path
                elif idle >= PATIENCE or would_block():
                    return

        for scored in scorer.score(stretch(), would_block):
            while not waiting[0].needs_score:
                yield waiting.popleft()
            yield waiting.popleft().with_score(scored)
        yield from waiting
        waiting.clear()
        if not started:
            return


def rank(photos: Sequence[_Rated], cut_points: CutPoints) -> Iterator[_Rated]:
    """``photos`` with the stars of those that have a score given by its rank among all scores."""
    ratings = relative_stars([photo.score for photo in photos], cut_points)
    for photo, rating in zip(photos, ratings, strict=True):
        yield photo if rating is None else replace(photo, rating=rating)
