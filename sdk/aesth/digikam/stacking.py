"""Bursts stacked under their best photo, as groups of digiKam: what `aesth digikam group` does, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from aesth import pairs
from aesth.apps.bursts import GAP, Kind
from aesth.digikam.changes import Now, Work, carry_out, read_now, unsound
from aesth.digikam.library import Item
from aesth.digikam.record import Change, Field, RunKind
from aesth.metadata import MetadataSession
from aesth.picking import Picked, pick_best
from aesth.scorer import Scorer
from aesth.tagging import Action


@dataclass(frozen=True, slots=True)
class Burst:
    """Takes of one moment, by their numbers in the database.

    Attributes:
        leader: the best, which the others go under.
        members: the others.
    """

    leader: int
    members: tuple[int, ...]

    @property
    def images(self) -> tuple[int, ...]:
        """All of them."""
        return (self.leader, *self.members)


def stack(
    items: Sequence[Item],
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    work: Work,
    *,
    gap: float = GAP,
) -> Iterator[Picked]:
    """Stack the bursts of each album: one outcome a photo, all of them once everything is done.

    A burst in which a person grouped anything, or that digiKam could not show as one group, is ``KEPT`` as it is. What
    was stacked by us is stacked anew. It can be stopped until the last photo is looked at: then nothing was changed.

    Args:
        items: the photos that are meant.
        photos: their files, those of an album one after the other.
        scorer: makes scores and embeddings; it may remember them.
        session: reads when photos were taken.
        work: where it is written.
        gap: seconds between two photos of a burst at most.

    Raises:
        DigikamRunningError: digiKam is open; nothing was changed.
        DatabaseError: nothing was changed.
        JournalError: the same.
    """
    known = {item.path: item for item in items}
    picked = list(_picked(photos, known, scorer, session, gap))
    bursts = _bursts(picked, known)
    looked_at = frozenset(known[photo.path].id for photo in picked if photo.error is None)
    ours = work.ours(Field.LEADER)

    def plan(now: Now) -> list[Change]:
        return plan_stacks(bursts, looked_at, now, ours)

    planned = {change.image: change.new for change in plan(read_now(work.database))}
    carry_out(work, RunKind.GROUP, plan)
    now = read_now(work.database)
    after = {**now.leaders, **planned} if work.dry_run else now.leaders
    actions = dict(_actions(bursts, planned, after, Action.SCORED if work.dry_run else Action.WRITTEN))
    for photo in picked:
        action = actions.get(known[photo.path].id)
        if action is Action.KEPT:
            yield replace(photo, action=action, note=_KEPT if photo.best else None)
        else:
            yield photo if photo.error else replace(photo, action=action or Action.SKIPPED)


_KEPT = "this burst was kept as it is, as somebody grouped photos of it"


def plan_stacks(
    bursts: Iterable[Burst], looked_at: frozenset[int], now: Now, ours: Mapping[int, frozenset[int | None]]
) -> list[Change]:
    """What stacks ``bursts``, and takes apart what we stacked and is no burst any more.

    Args:
        bursts: what belongs together; no photo is in two of them.
        looked_at: all photos of which it is known whether they are in a burst.
        now: what the database says.
        ours: what we grouped photos under.
    """
    bursts = list(bursts)
    theirs = _grouped_by_a_person(now, ours)
    left = [burst for burst in bursts if theirs.isdisjoint(burst.images) and now.orders.keys() >= set(burst.images)]
    while True:
        alone = looked_at.difference(*(burst.images for burst in left))
        changes = [*_changes(left, now), *_apart(alone, looked_at, now, theirs)]
        wrong = {change.image for change in unsound(changes, now)}
        if not wrong:
            return changes
        left = [burst for burst in left if wrong.isdisjoint(burst.images)]


def _grouped_by_a_person(now: Now, ours: Mapping[int, frozenset[int | None]]) -> set[int]:
    """The photos that lead groups, or are in groups, that are not ours."""
    theirs = {image: leader for image, leader in now.leaders.items() if leader not in ours.get(image, frozenset())}
    return theirs.keys() | {leader for leader in theirs.values() if leader is not None}


def _changes(bursts: Iterable[Burst], now: Now) -> Iterator[Change]:
    for burst in bursts:
        for image in burst.images:
            old, new = now.leaders.get(image), None if image == burst.leader else burst.leader
            if old != new:
                yield Change(image, Field.LEADER, old, new)


def _apart(alone: frozenset[int], looked_at: frozenset[int], now: Now, theirs: set[int]) -> Iterator[Change]:
    """What frees photos that are in no burst any more, and that we put under another one that was looked at, too."""
    for image, leader in now.leaders.items():
        if image in alone and leader in looked_at and image not in theirs:
            yield Change(image, Field.LEADER, leader, None)


def _picked(
    photos: Iterable[Path], known: Mapping[Path, Item], scorer: Scorer, session: MetadataSession, gap: float
) -> Iterator[Picked]:
    """The bursts of each album, numbered throughout."""
    highest = 0
    for _, album in groupby(photos, key=lambda photo: known[photo].album.id):
        before = highest
        for photo in pick_best(album, scorer, session, gap=gap):
            number = None if photo.group is None else photo.group + before
            highest = max(highest, number or 0)
            yield replace(photo, group=number)


def _bursts(picked: Iterable[Picked], known: Mapping[Path, Item]) -> list[Burst]:
    """The bursts among photos; of a RAW and its picture that are best, the picture is on top."""
    members: dict[int, list[Picked]] = {}
    for photo in picked:
        if photo.group is not None and photo.kind is Kind.BURST:
            members.setdefault(photo.group, []).append(photo)
    found: list[Burst] = []
    for takes in members.values():
        top = min(takes, key=lambda take: (not take.best, pairs.is_raw(take.path)))
        found.append(Burst(known[top.path].id, tuple(known[take.path].id for take in takes if take is not top)))
    return found


def _actions(
    bursts: Iterable[Burst], planned: Mapping[int, int | None], after: Mapping[int, int | None], done: Action
) -> Iterator[tuple[int, Action]]:
    """What was done with each photo of a burst, by what it is grouped under after the run."""
    for burst in bursts:
        stacked = all(after.get(image) == burst.leader for image in burst.members) and after.get(burst.leader) is None
        action = Action.SKIPPED if planned.keys().isdisjoint(burst.images) else done
        yield from ((image, action if stacked else Action.KEPT) for image in burst.images)
