"""Photos to a person's taste: what `aesth learn` does, for programs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth import pairs
from aesth.ahead import WouldBlock, never
from aesth.alike import score_alike
from aesth.apps.bursts import Embeddings
from aesth.apps.personal.choices import Pairs, learn_from_choices
from aesth.apps.personal.groups import group
from aesth.apps.personal.learning import MOST_RATINGS, Learnt, learn_from_stars
from aesth.encoder import DIMENSIONS
from aesth.errors import AesthError
from aesth.metadata import Capture, MetadataSession, RatingState
from aesth.scorer import Scorer


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One photo that a taste may be learnt from.

    Attributes:
        path: the photo.
        stars: that a person gave, 1-5, 0 for a reject; None where no person did.
        embedding: of the photo, float32 (1000,); None where it is not learnt from.
        error: what went wrong, else None.
    """

    path: Path
    stars: int | None = None
    embedding: NDArray[np.float32] | None = None
    error: AesthError | None = None


def read_lessons(
    photos: Iterable[Path], scorer: Scorer, session: MetadataSession, would_block: WouldBlock = never
) -> Iterator[Lesson]:
    """What each photo may teach: lazily, in input order, whatever happens to it.

    Photos that no person rated are not decoded: those without a rating, and those whose rating is ours. A RAW and its
    JPEG or HEIF teach once.

    Args:
        photos: files.
        scorer: makes embeddings; it may remember them.
        session: reads ratings.
        would_block: whether taking the next photo would wait; then those taken are told first.
    """
    states = _rated(photos, session, would_block)
    looks = ((lesson, lesson.path if lesson.stars is not None else None) for lesson in states)
    for lesson, scored in score_alike(looks, scorer, would_block):
        if scored is None:
            yield lesson
        else:
            yield Lesson(lesson.path, lesson.stars, scored.embedding, scored.error)


def learn(lessons: Sequence[Lesson], session: MetadataSession, model: str) -> Learnt:
    """A taste by all that a person rated, or why the general score is kept.

    Args:
        lessons: of all photos.
        session: reads when photos were taken, since photos of one day must not foretell one another.
        model: what the embeddings are of, as photos remember it; see `Scorer.tag`.
    """
    used = [lesson for lesson in lessons if lesson.embedding is not None and lesson.stars is not None]
    if len(used) > MOST_RATINGS:
        used = [used[number] for number in np.random.default_rng(0).permutation(len(used))[:MOST_RATINGS]]
    stars = np.array([lesson.stars for lesson in used], np.float64)
    return learn_from_stars(stars, embeddings_of(used), _groups(used, session), model)


def learn_by_choices(choices: Pairs, lessons: Sequence[Lesson], session: MetadataSession, model: str) -> Learnt:
    """A taste by choices between two photos, or why the general score is kept.

    Args:
        choices: numbers of lessons, the photo that was preferred and the other, (n, 2).
        lessons: of photos that have an embedding.
        session: reads when photos were taken.
        model: what the embeddings are of, as photos remember it; see `Scorer.tag`.
    """
    return learn_from_choices(choices, embeddings_of(lessons), _groups(lessons, session), model)


def draw(photos: Iterable[Path], most: int, always: Iterable[Path] = (), seed: int | None = None) -> list[Path]:
    """Photos to choose from: up to ``most`` drawn at random, and those that are there of ``always``.

    Of a RAW and its JPEG or HEIF there is one.
    """
    kept = [photo for photo in always if photo.is_file()]
    pictures = {pairs.scored_by(photo): Path(os.path.abspath(photo)) for photo in photos}  # noqa: PTH100
    others = [photo for photo in pictures.values() if photo not in set(kept)]
    return [*kept, *(others[number] for number in np.random.default_rng(seed).permutation(len(others))[:most])]


def look_at(photos: Iterable[Path], scorer: Scorer) -> Iterator[Lesson]:
    """The embedding of each photo, without stars: lazily, in input order, whatever happens to it."""
    for photo, scored in score_alike(((photo, photo) for photo in photos), scorer):
        if scored is not None:
            yield Lesson(photo, None, scored.embedding, scored.error)


def embeddings_of(lessons: Sequence[Lesson]) -> Embeddings:
    """Of photos that all have one, (n, d)."""
    return np.array([lesson.embedding for lesson in lessons], np.float32).reshape(len(lessons), DIMENSIONS)


def _groups(lessons: Sequence[Lesson], session: MetadataSession) -> NDArray[np.intp]:
    found = session.read_captures([lesson.path for lesson in lessons])
    captures = [Capture() if isinstance(capture, AesthError) else capture for capture in found]
    return group(captures, embeddings_of(lessons))


def _rated(photos: Iterable[Path], session: MetadataSession, would_block: WouldBlock) -> Iterator[Lesson]:
    waiting: deque[Path] = deque()
    taught: set[Path] = set()

    def remembered() -> Iterator[Path]:
        for photo in photos:
            waiting.append(photo)
            yield photo

    for state in session.read(remembered(), would_block):
        photo = waiting.popleft()
        if isinstance(state, AesthError):
            yield Lesson(photo, error=state)
            continue
        stars = stars_of_a_person(state)
        picture = pairs.scored_by(photo)
        if stars is None or picture in taught:
            yield Lesson(photo)
            continue
        taught.add(picture)
        yield Lesson(photo, stars)


def stars_of_a_person(state: RatingState) -> int | None:
    """Stars 1-5 that a person gave, or 0 for a reject; None where nobody did, or where the rating is ours."""
    if state.rating is None or state.rating == state.our_rating:
        return None
    return max(state.rating, 0)
