"""Photos to groups, and the best of each, without writing: what `aesth best` does, for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth import pairs
from aesth.alike import score_alike
from aesth.apps.bursts import GAP, SAME_SCENE, Kind, find_groups, find_series
from aesth.apps.ranking import Look, look_at, merits
from aesth.errors import AesthError, ConfigError
from aesth.metadata import Capture, MetadataSession
from aesth.scorer import Scored, Scorer
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
        scorer: makes scores and embeddings; it must remember none, since of remembered photos there is no embedding.
        session: reads when photos were taken.
        gap: seconds between two photos of a group at most.
        same_scene: distance of two photos of a burst at most; see `aesth.apps.bursts`.

    Raises:
        ConfigError: the scorer has a cache.
    """
    if scorer.cache is not None:
        raise ConfigError("bursts are told by embeddings, which a cache of scores does not keep; give a Scorer without")
    takes = _takes(_shots(photos, session), gap)
    looks = (
        (file, file.path if len(shots) > 1 and file.error is None else None)
        for shots in takes
        for shot in shots
        for file in shot.files
    )
    results = score_alike(looks, scorer, look=look_at)
    numbers = count(1)
    for shots in takes:
        looked = islice(results, sum(len(shot.files) for shot in shots))
        scored = {file.path: result for file, result in looked if result is not None}
        yield from _outcomes(shots, scored, numbers, gap, same_scene)


@dataclass(frozen=True, slots=True)
class _File:
    """A photo, and when it was taken or why that cannot be told."""

    path: Path
    capture: Capture
    error: AesthError | None = None


@dataclass(frozen=True, slots=True)
class _Shot:
    """What the camera took at once: one file, or a RAW and a picture of it."""

    files: list[_File] = field(default_factory=list)

    @property
    def capture(self) -> Capture:
        return next((file.capture for file in self.files if file.capture.taken is not None), Capture())


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


def _shots(photos: Iterable[Path], session: MetadataSession) -> list[_Shot]:
    paths = list(photos)
    shots: dict[Path, _Shot] = {}
    for path, capture in zip(paths, session.read_captures(paths), strict=True):
        file = _File(path, Capture(), capture) if isinstance(capture, AesthError) else _File(path, capture)
        shots.setdefault(pairs.scored_by(path), _Shot()).files.append(file)
    return list(shots.values())


def _takes(shots: Sequence[_Shot], gap: float) -> list[list[_Shot]]:
    """The series among shots, as taken, each where its first given shot is; every other shot alone."""
    # Shots of the same second follow one another by the number in their names.
    ordered = sorted(range(len(shots)), key=lambda number: _by_number(shots[number].files[0].path))
    series: dict[int, list[_Shot]] = {}
    for members in find_series([shots[number].capture for number in ordered], gap):
        numbers = [ordered[member] for member in members]
        series[min(numbers)] = [shots[number] for number in numbers]
    grouped = {id(shot) for taken in series.values() for shot in taken}
    alone = {number: [shot] for number, shot in enumerate(shots) if id(shot) not in grouped}
    return [takes for _, takes in sorted((series | alone).items())]


def _by_number(path: Path) -> list[str | int]:
    """What sorts ``IMG_9.JPG`` before ``IMG_10.JPG``."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"([0-9]+)", str(path)))]


def _outcomes(
    shots: Sequence[_Shot], scored: Mapping[Path, Scored], numbers: Iterator[int], gap: float, same_scene: float
) -> Iterator[Picked]:
    """The outcomes of one series: groups in the order in which they begin, photos that belong to none between them."""
    seen = {number: look for number, shot in enumerate(shots) if (look := _seen(shot, scored)) is not None}
    places: dict[int, _Place] = {}
    if len(seen) > 1:
        members = list(seen)
        embeddings = np.array([look.embedding for look in seen.values()], np.float32)
        views = [look.look.view for look in seen.values()]
        for group in find_groups([shots[number].capture for number in seen], embeddings, gap, same_scene, views):
            places |= _placed(group.kind, {members[member]: seen[members[member]] for member in group.members}, numbers)
    for number in sorted(range(len(shots)), key=lambda n: (places[n].first if n in places else n, n)):
        for file in shots[number].files:
            yield _outcome(file, scored.get(file.path), places.get(number))


def _seen(shot: _Shot, scored: Mapping[Path, Scored]) -> _Seen | None:
    """What was seen of a shot: of the first of its files that could be decoded."""
    for file in shot.files:
        found = scored.get(file.path)
        if (
            found is not None
            and found.norm is not None
            and found.embedding is not None
            and isinstance(found.seen, Look)
        ):
            return _Seen(found.norm, found.embedding, found.seen)
    return None


def _placed(kind: Kind, shots: Mapping[int, _Seen], numbers: Iterator[int]) -> dict[int, _Place]:
    """Where each of some shots, in the order in which they were taken, belongs."""
    number, first = next(numbers), next(iter(shots))
    if kind is not Kind.BURST:
        return {shot: _Place(first, number, kind, None) for shot in shots}
    worth = merits([seen.norm for seen in shots.values()], [seen.look for seen in shots.values()])
    # The earliest of equals comes first.
    order = np.argsort(-worth, kind="stable")
    return {list(shots)[place]: _Place(first, number, kind, rank) for rank, place in enumerate(order, 1)}


def _outcome(file: _File, scored: Scored | None, place: _Place | None) -> Picked:
    error = file.error or (scored.error if scored is not None else None)
    if error is not None:
        return Picked(file.path, None, None, None, Action.FAILED, error)
    taken = file.capture.taken
    if scored is None:
        return Picked(file.path, None, None, None, Action.SKIPPED, taken=taken)
    if place is None:
        return Picked(file.path, scored.score, scored.rating, None, Action.SCORED, taken=taken)
    return Picked(
        file.path,
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
