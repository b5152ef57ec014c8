"""Which photos go into which part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Queue
from threading import Thread

from aesth.ray.locations import text_of
from aesth.ray.parts import Known, part_of

PART_SIZE = 512
"""So many photos are in a part at most: two megabytes, and the work that is lost with a worker."""

SMALLEST_PART = 8
PARTS_PER_WORKER = 4
"""A short list of photos is divided so that every worker has a few parts."""

PARTS_AT_A_TIME = 32
"""So many parts for each worker are planned at a time; their last ones keep some workers waiting for others."""


@dataclass(frozen=True)
class Plan:
    """Parts to be made.

    Attributes:
        parts: their names, each with the photos to score.
        found: number of photos that were looked at.
        there: number of those that have a score already.
        is_last: whether no other plan follows.
    """

    parts: Sequence[tuple[str, Sequence[str]]]
    found: int
    there: int
    is_last: bool


def first_left(locations: Iterator[str], known: Known) -> tuple[int, str | None]:
    """How many photos come before the first that has no score yet, and that one: without any, Ray need not start."""
    there = 0
    for location in locations:
        if text_of(location) not in known.done:
            return there, location
        there += 1
    return there, None


def plans(locations: Iterable[str], known: Known, workers: int) -> Iterator[Plan]:
    """Parts for the photos that have no score yet, so many at a time; a photo that comes twice is in one of them.

    Photos that failed stay in their part. These parts come last, when all that is to be done for them is known.
    """
    source = iter(locations)
    taken: set[str] = set()
    again: defaultdict[str, list[str]] = defaultdict(list)
    is_last = False
    while not is_last:
        new: list[str] = []
        found = there = 0
        while len(new) < workers * PARTS_AT_A_TIME * PART_SIZE:
            location = next(source, None)
            if location is None:
                is_last = True
                break
            text = text_of(location)
            if text in taken:
                continue
            found += 1
            if text in known.done:
                there += 1
                continue
            taken.add(text)
            part = known.failed.get(text)
            (new if part is None else again[part]).append(location)
        size = min(PART_SIZE, max(SMALLEST_PART, -(-len(new) // (workers * PARTS_PER_WORKER))))
        chunks = [new[begin : begin + size] for begin in range(0, len(new), size)]
        parts = [(part_of(chunk), chunk) for chunk in chunks]
        yield Plan([*parts, *again.items()] if is_last else parts, found, there, is_last)


def ahead(planned: Iterator[Plan]) -> Iterator[Plan]:
    """``planned``, each made while the one before is carried out; the first, which Ctrl-C may stop, in this thread."""
    plan = next(planned)
    while not plan.is_last:
        made: Queue[Plan | BaseException] = Queue()

        def make(made: Queue[Plan | BaseException] = made) -> None:
            try:
                made.put(next(planned))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                made.put(error)

        Thread(target=make, daemon=True).start()
        yield plan
        following = made.get()
        if isinstance(following, BaseException):
            raise following
        plan = following
    yield plan
