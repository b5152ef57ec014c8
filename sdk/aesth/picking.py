"""Photos to groups, and the best of each, without writing: what `aesth best` does, for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.alike import score_alike
from aesth.apps.bursts import GAP, SAME_SCENE, Kind, find_groups, find_series
from aesth.apps.ranking import FRAME, Look, merits
from aesth.errors import AesthError
from aesth.metadata import Capture, MetadataSession
from aesth.scorer import Scored, Scorer
from aesth.shots import Shot, shots_of
from aesth.tagging import Action, Outcome


@dataclass(frozen=True, slots=True)
class Picked(Outcome):
    """What became of one photo; ``SKIPPED``, without a score, where no other was taken at about the same time.

    Attributes:
        group: the number of its group, from 1 on; None if it is in none.
        kind: what the group is.
        best: whether it is the best of its burst; None in groups of which all are kept, and without a group.
        rank: its place in its burst, 1 the best; None where ``best`` is.
        taken: when it was taken; without a time zone it is what the camera's clock said. None if it is unknown.
    """

    group: int | None = None
    kind: Kind | None = None
    best: bool | None = None
    rank: int | None = None
    taken: datetime | None = None


def pick_best(
    photos: Iterable[Path],
    scorer: Scorer,
    session: MetadataSession,
    *,
    gap: float = GAP,
    same_scene: float = SAME_SCENE,
) -> Iterator[Picked]:
    """Find bursts, and the best photo of each by `aesth.apps.ranking`: one outcome a photo, whatever happens to it.

    When they were taken is read of all photos first; then only those that others followed quickly are decoded. Outcomes
    come in the order of the photos, but for those of a series, which come group by group when all of it is scored.
    A RAW and its JPEG or HEIF are one shot: both are the best, or neither is.

    Args:
        photos: files.
        scorer: makes scores and embeddings; it may remember them.
        session: reads when photos were taken.
        gap: seconds between two photos of a group at most.
        same_scene: distance of two photos of a burst at most; see `aesth.apps.bursts`.
    """
    paths = list(photos)
    captures = dict(zip(paths, session.read_captures(paths), strict=True))
    takes = _takes(shots_of(paths), captures, gap)
    looks = (
        (file, file if len(shots) > 1 and isinstance(captures[file], Capture) else None)
        for shots in takes
        for shot in shots
        for file in shot.files
    )
    results = score_alike(looks, scorer, look=FRAME)
    numbers = count(1)
    for shots in takes:
        looked = islice(results, sum(len(shot.files) for shot in shots))
        scored = {file: result for file, result in looked if result is not None}
        yield from _outcomes(shots, captures, scored, numbers, gap, same_scene)


Captures = Mapping[Path, Capture | AesthError]
"""When each photo was taken, or why that cannot be told."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the model, and a look at the pixels, tell of a shot."""

    norm: float
    embedding: NDArray[np.float32]
    look: Look


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a shot belongs: its group, whose first member is the shot ``first``, and its rank in a burst."""

    first: int
    group: int
    kind: Kind
    rank: int | None


def _capture_of(shot: Shot, captures: Captures) -> Capture:
    """When a shot was taken, by the first of its files that tells."""

    def told(file: Path) -> Capture | None:
        capture = captures[file]
        return capture if isinstance(capture, Capture) and capture.taken is not None else None

    return shot.first(told) or Capture()


def _takes(shots: Sequence[Shot], captures: Captures, gap: float) -> list[list[Shot]]:
    """The series among shots, as taken, each where its first given shot is; every other shot alone."""
    # Shots of the same second follow one another by the number in their names.
    ordered = sorted(range(len(shots)), key=lambda number: _by_number(shots[number].files[0]))
    series: dict[int, list[int]] = {}
    for members in find_series([_capture_of(shots[number], captures) for number in ordered], gap):
        numbers = [ordered[member] for member in members]
        series[min(numbers)] = numbers
    grouped = {number for taken in series.values() for number in taken}
    alone = {number: [number] for number in range(len(shots)) if number not in grouped}
    return [[shots[number] for number in numbers] for _, numbers in sorted((series | alone).items())]


def _by_number(path: Path) -> list[str | int]:
    """What sorts ``IMG_9.JPG`` before ``IMG_10.JPG``."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"([0-9]+)", str(path)))]


def _outcomes(
    shots: Sequence[Shot],
    captures: Captures,
    scored: Mapping[Path, Scored],
    numbers: Iterator[int],
    gap: float,
    same_scene: float,
) -> Iterator[Picked]:
    """The outcomes of one series: groups in the order in which they begin, photos that belong to none between them."""
    looks = [shot.first(lambda file: _seen(scored.get(file))) for shot in shots]
    seen = {number: look for number, look in enumerate(looks) if look is not None}
    places: dict[int, _Place] = {}
    if len(seen) > 1:
        members = list(seen)
        embeddings = np.array([look.embedding for look in seen.values()], np.float32)
        views = [look.look.view for look in seen.values()]
        taken = [_capture_of(shots[number], captures) for number in seen]
        for group in find_groups(taken, embeddings, gap, same_scene, views):
            places |= _placed(group.kind, {members[member]: seen[members[member]] for member in group.members}, numbers)
    for number in sorted(range(len(shots)), key=lambda n: (places[n].first if n in places else n, n)):
        for file in shots[number].files:
            yield _outcome(file, captures[file], scored.get(file), places.get(number))


def _seen(found: Scored | None) -> _Seen | None:
    """What was seen of a photo, if it could be decoded."""
    if found is None or found.norm is None or found.embedding is None or not isinstance(found.seen, Look):
        return None
    return _Seen(found.norm, found.embedding, found.seen)


def _placed(kind: Kind, shots: Mapping[int, _Seen], numbers: Iterator[int]) -> dict[int, _Place]:
    """Where each of some shots, in the order in which they were taken, belongs."""
    number, first = next(numbers), next(iter(shots))
    if kind is not Kind.BURST:
        return {shot: _Place(first, number, kind, None) for shot in shots}
    worth = merits([seen.norm for seen in shots.values()], [seen.look for seen in shots.values()])
    # The earliest of equals comes first.
    order = np.argsort(-worth, kind="stable")
    return {list(shots)[place]: _Place(first, number, kind, rank) for rank, place in enumerate(order, 1)}


def _outcome(file: Path, capture: Capture | AesthError, scored: Scored | None, place: _Place | None) -> Picked:
    error = capture if isinstance(capture, AesthError) else scored.error if scored is not None else None
    if isinstance(capture, AesthError) or error is not None:
        return Picked(file, None, None, None, Action.FAILED, error)
    taken = capture.taken
    if scored is None:
        return Picked(file, None, None, None, Action.SKIPPED, taken=taken)
    if place is None:
        return Picked(file, scored.score, scored.rating, None, Action.SCORED, taken=taken)
    return Picked(
        file,
        scored.score,
        scored.rating,
        None,
        Action.SCORED,
        group=place.group,
        kind=place.kind,
        best=None if place.rank is None else place.rank == 1,
        rank=place.rank,
        taken=taken,
    )
