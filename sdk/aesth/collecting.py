"""Photos by rank: the best of them, and folders sorted by score; what `aesth top` and `aesth sort` do, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.ahead import WouldBlock, never
from aesth.alike import score_alike
from aesth.apps.collection import by_norm, ranked_names, unlike
from aesth.apps.placing import How, place
from aesth.encoder import DIMENSIONS
from aesth.errors import AesthError, ConfigError, DecodeError
from aesth.occupied import refuse_occupied_folder
from aesth.scorer import Scored, Scorer
from aesth.shots import Shot, Versions, shots_of
from aesth.tagging import Action, Outcome, rank


@dataclass(frozen=True, slots=True)
class Ranked(Outcome):
    """What became of one photo.

    Attributes:
        rank: its place among the shots that were chosen, from 1 on; a RAW and its JPEG share one. None if it failed.
        target: where it was put, or would be; None if it was not.
    """

    rank: int | None = None
    target: Path | None = None


def top(
    photos: Iterable[Path],
    scorer: Scorer,
    *,
    number: int | None = None,
    apart: float | None = None,
    relative: bool = False,
    would_block: WouldBlock = never,
) -> Iterator[Ranked]:
    """The best photos, the best first, then those that failed; all are scored before the first outcome.

    A RAW and its JPEG or HEIF are one shot, which counts once. Those not chosen have no outcome.

    Args:
        photos: files.
        scorer: scores them; it may remember scores.
        number: so many shots at most; None takes all.
        apart: only shots whose embeddings are further apart than this, of those that are nearer the best alone; None
            takes them all. See `aesth.apps.collection.unlike`.
        relative: stars by rank among all photos.
        would_block: whether taking the next photo would wait.
    """
    pictures = ((photo, photo) for photo in photos)
    found = score_alike(pictures, scorer, would_block, embeddings=False)
    scored = [(photo, one) for photo, one in found if one]
    outcomes = [_outcome(photo, one) for photo, one in scored]
    by_path = {outcome.path: outcome for outcome in (rank(outcomes, scorer.cut_points) if relative else outcomes)}
    looks = dict(scored)
    for place_, shot in enumerate(islice(_chosen(shots_of(looks), looks, scorer, apart), number), 1):
        yield from (replace(by_path[file], rank=place_) for file in shot.files if by_path[file].error is None)
    yield from (outcome for outcome in outcomes if outcome.error is not None)


def sort(
    photos: Iterable[Path],
    scorer: Scorer,
    folder: Path,
    *,
    how: How = How.COPY,
    number: int | None = None,
    apart: float | None = None,
    relative: bool = False,
    dry_run: bool = False,
    would_block: WouldBlock = never,
) -> Iterator[Ranked]:
    """Put the best photos into a folder, under names that begin with their rank; outcomes as those of `top`.

    What belongs to a photo goes along under the same rank: the RAW of a JPEG or the other way round, the film of a Live
    Photo, and sidecars, also those of other versions. A photo is moved last, when all that belongs to it has been.

    Args:
        photos: files.
        scorer: scores them; it may remember scores.
        folder: made, or empty.
        how: copies, links, or the photos themselves.
        number: see `top`.
        apart: see `top`.
        relative: see `top`.
        dry_run: make nothing; a photo that would be put there is ``SCORED``.
        would_block: see `top`.

    Raises:
        ConfigError: there is something in the folder, or it cannot be made.
    """
    refuse_occupied_folder(folder)
    chosen = list(top(photos, scorer, number=number, apart=apart, relative=relative, would_block=would_block))
    last = max((outcome.rank or 0 for outcome in chosen), default=0)
    if last and not dry_run:
        _make(folder)
    versions = Versions()
    for place_, group in groupby(chosen, key=lambda outcome: outcome.rank):
        if place_ is None:
            yield from group
        else:
            yield from _placed(list(group), folder, how, last, versions, dry_run=dry_run)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot be made ({error.strerror}); name another folder", folder) from error


def _placed(
    shot: Sequence[Ranked], folder: Path, how: How, last: int, versions: Versions, *, dry_run: bool
) -> Iterator[Ranked]:
    """The outcomes of the files of a shot once they, and what belongs to them, are in the folder."""
    given = [outcome.path for outcome in shot]
    along = Shot(tuple(given)).companions(versions)
    names = ranked_names([*given, *along], shot[0].rank or 0, last)
    targets = {path: folder / name for path, name in zip([*given, *along], names, strict=True)}
    error: AesthError | None = None
    if not dry_run:
        error = next((failed for path in along if (failed := _try_to_place(path, targets[path], how))), None)
    for outcome in shot:
        if not dry_run:
            error = error or _try_to_place(outcome.path, targets[outcome.path], how)
        if error is not None:
            yield replace(outcome, action=Action.FAILED, error=error)
        else:
            action = Action.SCORED if dry_run else Action.WRITTEN
            yield replace(outcome, action=action, target=targets[outcome.path])


def _try_to_place(source: Path, target: Path, how: How) -> AesthError | None:
    try:
        place(source, target, how)
    except AesthError as error:
        return error
    return None


def _chosen(shots: Sequence[Shot], looks: Mapping[Path, Scored], scorer: Scorer, apart: float | None) -> Iterator[Shot]:
    best_looks = [shot.first(lambda file: looks[file] if looks[file].error is None else None) for shot in shots]
    order = by_norm([look.norm if look else None for look in best_looks])
    if apart is None:
        return (shots[number] for number in order)
    points = (_embedding(look, scorer) for number in order if (look := best_looks[number]))
    return (shots[order[number]] for number in unlike(points, apart))


def _embedding(look: Scored, scorer: Scorer) -> NDArray[np.float32]:
    """The point of a photo; it is looked at once more where its score alone was remembered.

    One that vanished since then is at the origin, which is near nothing.
    """
    if look.embedding is not None:
        return look.embedding
    try:
        embedding: NDArray[np.float32] = scorer.embed([look.path] if look.path else [])[0]
    except DecodeError:
        return np.zeros(DIMENSIONS, np.float32)
    return embedding


def _outcome(photo: Path, scored: Scored) -> Ranked:
    action = Action.SCORED if scored.error is None else Action.FAILED
    return Ranked(photo, scored.score, scored.rating, None, action, scored.error)
