"""Photos sorted by their exact score where digiKam sorts by hand: what `aesth digikam rank` does, for programs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aesth.alike import score_alike
from aesth.digikam.changes import Now, Work, carry_out, read_now
from aesth.digikam.library import Item
from aesth.digikam.record import Change, Field, RunKind
from aesth.errors import AesthError
from aesth.metadata import MetadataSession
from aesth.scorer import Scorer
from aesth.tagging import Action, Outcome

STEPS = 1000
"""So many places are there to a point of the score."""


@dataclass(frozen=True, slots=True)
class Ranked(Outcome):
    """What became of one photo.

    Attributes:
        order: its place in the manual order after the run, the lowest first; None if it has none.
    """

    order: int | None = None


def order_of(score: float) -> int:
    """The place of a photo: the better, the earlier, and before all that have none, which digiKam sorts as 0.

    It depends on the score alone, so that photos of several albums that are shown together are in order, too, and a
    photo that is added changes no other.
    """
    return -1 - round(score * STEPS)


def rank(
    items: Sequence[Item],
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    work: Work,
    *,
    overwrite: bool = False,
) -> Iterator[Ranked]:
    """Give photos their place by score: one outcome a photo, the best of each album first, once everything is done.

    The score is the one that the same model wrote into the photo, or is remembered, or is made now. Albums that
    somebody sorted by hand are ``KEPT`` as they are. It can be stopped until the last photo is scored: then nothing was
    changed.

    Args:
        items: all photos of the library, so that it is seen which albums somebody sorted.
        photos: the files of those that are to be sorted.
        scorer: scores them.
        session: reads the scores that are in them.
        work: where it is written.
        overwrite: sort albums anew that somebody sorted.

    Raises:
        DigikamRunningError: digiKam is open; nothing was changed.
        DatabaseError: nothing was changed.
        JournalError: the same.
    """
    known = {item.path: item for item in items}
    ours = work.ours(Field.ORDER)

    def arranged(now: Now) -> set[int]:
        return set() if overwrite else albums_arranged(items, now, ours)

    before = arranged(read_now(work.database))
    scored: list[Ranked] = []
    sorted_by_hand: list[Ranked] = []

    def to_score() -> Iterator[Path]:
        for photo in photos:
            item = known[photo]
            if item.album.id in before:
                sorted_by_hand.append(Ranked(photo, None, None, None, Action.KEPT, order=item.order))
            else:
                yield photo

    scored.extend(_scored(to_score(), scorer, session))
    scored.sort(key=lambda photo: (known[photo.path].album.name, 1.0 if photo.score is None else -photo.score))

    def plan(now: Now) -> list[Change]:
        return plan_orders({known[photo.path]: photo.score for photo in scored}, now, arranged(now))

    planned = {change.image for change in plan(read_now(work.database))}
    carry_out(work, RunKind.RANK, plan)
    now = read_now(work.database)
    done = (_outcome(photo, known[photo.path].id, planned, now, dry_run=work.dry_run) for photo in scored)
    yield from _told(done, known)
    yield from _told(sorted_by_hand, known)


def albums_arranged(items: Iterable[Item], now: Now, ours: Mapping[int, frozenset[int | None]]) -> set[int]:
    """The numbers of the albums in which a photo has a place that is not ours: a person sorted them."""
    orders = ((item, now.orders.get(item.id)) for item in items)
    return {
        item.album.id for item, order in orders if order is not None and order not in ours.get(item.id, frozenset())
    }


def plan_orders(scores: Mapping[Item, float | None], now: Now, arranged: set[int]) -> list[Change]:
    """What sorts photos by their scores.

    Args:
        scores: of each photo; None where there is none, which leaves it where it is.
        now: what the database says.
        arranged: albums that stay as they are.
    """
    return [
        Change(item.id, Field.ORDER, now.orders[item.id], order_of(score))
        for item, score in scores.items()
        if score is not None
        and item.album.id not in arranged
        and item.id in now.orders
        and now.orders[item.id] != order_of(score)
    ]


def _scored(photos: Iterable[Path], scorer: Scorer, session: MetadataSession) -> Iterator[Ranked]:
    """Photos with the score that our model gave them, now or before."""
    model = scorer.tag
    waiting: deque[Path] = deque()

    def remembered() -> Iterator[Path]:
        for photo in photos:
            waiting.append(photo)
            yield photo

    def needed() -> Iterator[tuple[Ranked, Path | None]]:
        for state in session.read(remembered()):
            photo = waiting.popleft()
            told = None if isinstance(state, AesthError) or state.our_model != model else state.our_score
            yield Ranked(photo, told, None, None, Action.SCORED), (photo if told is None else None)

    for photo, result in score_alike(needed(), scorer, embeddings=False):
        if result is None:
            yield photo
        elif result.error is not None:
            yield replace(photo, action=Action.FAILED, error=result.error)
        else:
            yield replace(photo, score=result.score)


def _outcome(photo: Ranked, image: int, planned: set[int], now: Now, *, dry_run: bool) -> Ranked:
    """What became of a scored photo, by what the database says after the run."""
    order = now.orders.get(image)
    if photo.score is None:
        return replace(photo, order=order)
    wanted = order_of(photo.score)
    if dry_run:
        return replace(photo, action=Action.SCORED if image in planned else Action.SKIPPED, order=wanted)
    if order != wanted:
        return replace(photo, action=Action.KEPT, order=order)
    return replace(photo, action=Action.WRITTEN if image in planned else Action.SKIPPED, order=order)


def _told(outcomes: Iterable[Ranked], known: Mapping[Path, Item]) -> Iterator[Ranked]:
    """``outcomes``, the first of each album that was kept with a note of it."""
    told: set[int] = set()
    for outcome in outcomes:
        album = known[outcome.path].album
        if outcome.action is Action.KEPT and album.id not in told:
            told.add(album.id)
            yield replace(outcome, note=f"the album {album.name} was sorted by hand, and kept; --overwrite sorts it")
        else:
            yield outcome
