"""Photos to groups of which each is one picture, without writing: what `aesth similar` does, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aesth.alike import score_alike
from aesth.apps.similar import GREY_COPY, SIDE, Pair, groups_of, same_pictures
from aesth.decode import count_pixels
from aesth.encoder import DIMENSIONS
from aesth.errors import AesthError
from aesth.metadata import Capture, MetadataSession
from aesth.scorer import Scored, Scorer
from aesth.shots import Shot, shots_of
from aesth.tagging import Action, Outcome

AS_LARGE = 0.5
"""Of the most pixels in a group, what a photo has at least that may be kept; among those the score decides."""


@dataclass(frozen=True, slots=True)
class Matched(Outcome):
    """What became of one photo.

    Attributes:
        group: the number of the group of photos that are one picture, from 1 on; None if there is no other.
        keep: whether it is the one of its group to keep; None without a group.
    """

    group: int | None = None
    keep: bool | None = None


def find_similar(photos: Iterable[Path], scorer: Scorer, session: MetadataSession) -> Iterator[Matched]:
    """Find photos that are one picture: one outcome a photo, whatever happens to it; all are scored before the first.

    Copies of other size, quality, crop or turn, and edited ones, are one picture. Shots that tell different moments of
    capture are not, however alike they are. A RAW and its JPEG or HEIF are one shot: both are to be kept, or neither.
    Outcomes come in the order of the photos, but for those of a group, which come together, the one to keep first.

    Args:
        photos: files.
        scorer: makes scores and embeddings; it may remember them.
        session: reads when photos were taken, of those alone that look like another.
    """
    seen = _Seen()
    looks = {photo: seen.note(scored) for photo, scored in _scored(photos, scorer)}
    shots = shots_of(looks)
    numbers = [shot.first(lambda file: seen.number_of(looks[file])) for shot in shots]
    shown = [shot for shot, number in zip(shots, numbers, strict=True) if number is not None]
    chosen = [number for number in numbers if number is not None]
    pairs = list(same_pictures(np.stack(seen.thumbnails)[chosen], np.stack(seen.embeddings)[chosen])) if chosen else []
    groups = groups_of(_of_one_moment(pairs, shown, session))
    yield from _outcomes(shots, [[shown[number] for number in group] for group in groups], looks)


class _Seen:
    """What is kept of each picture for comparing: 3 kB."""

    def __init__(self) -> None:
        self.thumbnails: list[np.ndarray] = []
        self.embeddings: list[np.ndarray] = []
        self._numbers: dict[Path, int] = {}

    def note(self, scored: Scored) -> Scored:
        """``scored`` without what is large."""
        if scored.embedding is not None and scored.path is not None and scored.path not in self._numbers:
            self._numbers[scored.path] = len(self.thumbnails)
            self.thumbnails.append(np.asarray(scored.seen, np.uint8).reshape(SIDE, SIDE))
            self.embeddings.append(scored.embedding.astype(np.float16).reshape(DIMENSIONS))
        return replace(scored, embedding=None, seen=None)

    def number_of(self, scored: Scored) -> int | None:
        """Which picture a photo shows; None if it could not be decoded."""
        return None if scored.path is None else self._numbers.get(scored.path)


def _scored(photos: Iterable[Path], scorer: Scorer) -> Iterator[tuple[Path, Scored]]:
    for photo, scored in score_alike(((photo, photo) for photo in photos), scorer, look=GREY_COPY):
        if scored is not None:
            yield photo, scored


def _of_one_moment(pairs: Sequence[Pair], shots: Sequence[Shot], session: MetadataSession) -> list[Pair]:
    """``pairs`` without shots that tell different moments of capture."""
    numbers = sorted({number for pair in pairs for number in pair})
    files = [shots[number].files[0] for number in numbers]
    captures = dict(zip(numbers, session.read_captures(files), strict=True))
    return [(one, other) for one, other in pairs if not _differ(captures[one], captures[other])]


def _differ(one: Capture | AesthError, other: Capture | AesthError) -> bool:
    """Whether two photos were taken at different moments, by the clock that the camera showed; unknown if one is mute.

    A program that edits may drop fractions of seconds, so those count only where both have some.
    """
    if isinstance(one, AesthError) or isinstance(other, AesthError) or one.taken is None or other.taken is None:
        return False
    first, second = (moment.replace(tzinfo=None) for moment in (one.taken, other.taken))
    if not (first.microsecond and second.microsecond):
        first, second = first.replace(microsecond=0), second.replace(microsecond=0)
    return first != second


def _outcomes(
    shots: Sequence[Shot], groups: Sequence[Sequence[Shot]], looks: Mapping[Path, Scored]
) -> Iterator[Matched]:
    """The outcomes of all shots: each group where its first shot is, all others in their places."""
    first_of = {group[0]: (number, group) for number, group in enumerate(groups, 1)}
    grouped = {shot for group in groups for shot in group}
    for shot in shots:
        if shot in first_of:
            number, group = first_of[shot]
            for place, member in enumerate(_ordered(group, looks)):
                yield from (replace(_outcome(f, looks[f]), group=number, keep=not place) for f in member.files)
        elif shot not in grouped:
            yield from (_outcome(file, looks[file]) for file in shot.files)


def _ordered(group: Sequence[Shot], looks: Mapping[Path, Scored]) -> list[Shot]:
    """The one to keep first: of those that are about as large as the largest, that of the highest score."""
    pixels = {shot: max(map(_pixels_of, shot.files)) for shot in group}
    largest = max(pixels.values())

    def worth(shot: Shot) -> tuple[bool, float, int]:
        norm = max(looks[file].norm or 0.0 for file in shot.files)
        return pixels[shot] >= AS_LARGE * largest, norm, pixels[shot]

    return sorted(group, key=worth, reverse=True)


def _pixels_of(photo: Path) -> int:
    try:
        return count_pixels(photo)
    except AesthError:
        return 0


def _outcome(photo: Path, scored: Scored) -> Matched:
    action = Action.SCORED if scored.error is None else Action.FAILED
    return Matched(photo, scored.score, scored.rating, None, action, scored.error)
