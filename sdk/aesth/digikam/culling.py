"""Pick labels for bursts: the best photo of each is accepted, the others pending, rejected or left as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from itertools import groupby
from pathlib import Path

from aesth import pairs
from aesth.apps.bursts import Kind
from aesth.digikam.known import Known
from aesth.errors import AesthError, JournalError, MetadataError
from aesth.metadata import (
    ChangedError,
    Decision,
    MetadataSession,
    NewPick,
    NewRating,
    Policy,
    RatingState,
    allows,
    decide,
)
from aesth.metadata.ratings import REJECTED
from aesth.picking import Picked, pick_best
from aesth.scorer import Scorer
from aesth.tagging import MOST_TRIES, OUTSIDE, Action


class Pick(IntEnum):
    """digiKam's pick labels."""

    REJECTED = 1
    PENDING = 2
    ACCEPTED = 3


@dataclass(frozen=True, slots=True)
class Culled(Picked):
    """What became of one photo.

    ``WRITTEN`` got its label, ``KEPT`` has one of a person's, or is in a burst of which a person accepted another;
    ``SCORED`` would have got it in a dry run, or is none of those that get one; ``SKIPPED`` are in no burst.

    Attributes:
        pick: the label that was written, or would be; None where none was.
    """

    pick: Pick | None = None


@dataclass(frozen=True, slots=True)
class Marking:
    """How the photos of a burst are marked.

    Attributes:
        best: the label of the best; None leaves it without.
        others: the label of those that are not the best; None leaves them without.
        policy: rejects are written as ratings as well, where this policy lets them replace the rating that is there;
            None leaves ratings as they are.
        sidecar: write sidecars only.
        dry_run: write nothing.
    """

    best: Pick | None = Pick.ACCEPTED
    others: Pick | None = Pick.PENDING
    policy: Policy | None = None
    sidecar: bool = False
    dry_run: bool = False


def cull(
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    *,
    others: Pick = Pick.PENDING,
    known: Mapping[Path, Known] | None = None,
    sidecar: bool = False,
) -> Iterator[Culled]:
    """Label the photos of each burst: one outcome a photo, bursts one by one. Stars stay as they are.

    A photo that has a pick label keeps it. A burst in which a photo was accepted already is decided; where the best was
    rejected, the best of the rest is accepted. A RAW and its JPEG have the same label.

    Args:
        photos: files.
        scorer: makes scores and embeddings; it may remember them.
        session: reads and writes metadata.
        others: the label of those that are not the best.
        known: what digiKam shows of photos, which may be more than the files say.
        sidecar: write sidecars only.

    Raises:
        JournalError: what is written could not be taken back; nothing is written from here on.
    """
    marking = Marking(others=others, sidecar=sidecar)
    return mark(pick_best(photos, scorer, session), session, scorer.tag, marking, known)


def mark(
    picked: Iterable[Picked],
    session: MetadataSession,
    model: str,
    marking: Marking,
    known: Mapping[Path, Known] | None = None,
    may_write: Callable[[Path], bool] = lambda _: True,
) -> Iterator[Culled]:
    """Label photos of which it is known which are the best; see `cull`.

    Args:
        picked: what `pick_best` says of them.
        session: reads and writes metadata.
        model: what judged them.
        marking: what is written.
        known: what digiKam shows of photos.
        may_write: whether a photo lies where something may be written; the others fail.

    Raises:
        JournalError: what is written could not be taken back; nothing is written from here on.
    """
    if not marking.dry_run:
        session.begin_run()
    for _, members in groupby(picked, key=lambda photo: photo.group):
        group = list(members)
        if group[0].kind is Kind.BURST:
            yield from _Burst(session, model, marking, may_write).mark(group, known or {})
        else:
            yield from (_left(photo, Action.SKIPPED) for photo in group)


_SILENT = RatingState()


@dataclass(frozen=True)
class Take:
    """A photo of a burst.

    Attributes:
        photo: the photo, with its score.
        label: the pick label that it has, 0 for none; a reject by any key is one.
        state: what its files say.
    """

    photo: Picked
    label: int
    state: RatingState = _SILENT


def labels(takes: Sequence[Take], others: Pick | None, of_best: Pick | None = Pick.ACCEPTED) -> list[Pick | None]:
    """The label that each photo of a burst gets, in order; None for those that are left as they are.

    Args:
        takes: the burst.
        others: the label of those that are not the best.
        of_best: the label of the best.
    """
    labelled = {pairs.scored_by(take.photo.path) for take in takes if take.label}
    unlabelled = [take.photo for take in takes if pairs.scored_by(take.photo.path) not in labelled]
    if not unlabelled or any(take.label == Pick.ACCEPTED for take in takes):
        return [None] * len(takes)
    best = max(unlabelled, key=lambda photo: (photo.best or False, -(photo.rank or 0), photo.score or 0.0))
    shot = pairs.scored_by(best.path)
    given = (of_best if pairs.scored_by(take.photo.path) == shot else others for take in takes)
    return [None if take.label else label for take, label in zip(takes, given, strict=True)]


@dataclass(frozen=True)
class _Burst:
    """Marks the photos of one burst."""

    session: MetadataSession
    model: str
    marking: Marking
    may_write: Callable[[Path], bool]

    def mark(self, burst: Sequence[Picked], known: Mapping[Path, Known]) -> Iterator[Culled]:
        states = self.session.read([photo.path for photo in burst], fresh=True)
        takes: list[Take] = []
        for photo, state in zip(burst, states, strict=True):
            if photo.error is not None or isinstance(state, AesthError):
                yield _left(photo, Action.FAILED, state)
            else:
                takes.append(Take(photo, _label(state, known.get(photo.path)), state))
        given = labels(takes, self.marking.others, self.marking.best)
        labelled = any(take.label for take in takes)
        for take, label in zip(takes, given, strict=True):
            if label is None:
                yield _left(take.photo, Action.KEPT if labelled else Action.SCORED)
            else:
                yield self._marked(take, label)

    def _marked(self, take: Take, label: Pick, tries: int = MOST_TRIES) -> Culled:
        photo, state = take.photo, take.state
        new = self._new(take, label)
        if new is None:
            return _left(photo, Action.KEPT)
        rating = new.rating if isinstance(new, NewRating) else state.rating
        done = _culled(photo, Action.WRITTEN, rating=rating, old_rating=state.rating, pick=label)
        if not self.may_write(photo.path):
            return _left(photo, Action.FAILED, MetadataError(OUTSIDE, photo.path))
        if self.marking.dry_run:
            return replace(done, action=Action.SCORED)
        try:
            self.session.write(photo.path, new, sidecar=self.marking.sidecar, expected=state)
        except JournalError:
            raise
        except ChangedError as error:
            return self._marked_anew(take, label, error, tries)
        except AesthError as error:
            return _left(photo, Action.FAILED, error)
        return done

    def _new(self, take: Take, label: Pick) -> NewPick | NewRating | None:
        """What is written; None where a person's rating stands."""
        if self.marking.policy is None or label is not Pick.REJECTED:
            return NewPick(label, self.model)
        may = decide(self.marking.policy, take.state, self.model, rescore=True) is not Decision.KEEP
        if not may or not allows(self.marking.policy, take.state, REJECTED):
            return None
        return NewRating(REJECTED, take.photo.score or 0.0, self.model, datetime.now(UTC))

    def _marked_anew(self, take: Take, label: Pick, error: ChangedError, tries: int) -> Culled:
        """Decide anew on a photo that another program changed since it was read."""
        (now,) = self.session.read([take.photo.path], fresh=True)
        if isinstance(now, AesthError) or tries == 1:
            return _left(take.photo, Action.FAILED, now if isinstance(now, AesthError) else error)
        if _label(now, None):  # somebody labelled it meanwhile
            return _left(take.photo, Action.KEPT)
        return self._marked(replace(take, state=now), label, tries - 1)


def _label(state: RatingState, shown: Known | None) -> int:
    """The label that a person sees: of the file, or of digiKam's database; a reject by any key is one."""
    if state.rating == -1 or (shown is not None and shown.pick == Pick.REJECTED):
        return Pick.REJECTED
    return max(state.pick or 0, shown.pick if shown else 0)


def _left(photo: Picked, action: Action, state: AesthError | RatingState | None = None) -> Culled:
    error = photo.error or (state if isinstance(state, AesthError) else None)
    return _culled(photo, Action.FAILED if error else action, error)


def _culled(
    photo: Picked,
    action: Action,
    error: AesthError | None = None,
    *,
    rating: int | None = None,
    old_rating: int | None = None,
    pick: Pick | None = None,
) -> Culled:
    return Culled(
        photo.path,
        photo.score,
        rating,
        old_rating,
        action,
        error,
        group=photo.group,
        kind=photo.kind,
        best=photo.best,
        rank=photo.rank,
        pick=pick,
    )
