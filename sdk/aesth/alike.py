"""Scoring photos that belong together alike: a RAW by the picture that the camera made of it, each picture once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from aesth import pairs
from aesth.ahead import WouldBlock, never
from aesth.remembering import LookAt
from aesth.scorer import Scored, Scorer

PATIENCE = 64
"""So many photos in a row that need no score are told at once, rather than when the next score is there."""

REMEMBERED = 256
"""So many of the last pictures are known, should another photo be scored by them."""

_Item = TypeVar("_Item")


def score_alike(
    photos: Iterable[tuple[_Item, Path | None]],
    scorer: Scorer,
    would_block: WouldBlock = never,
    look: LookAt[Any] | None = None,
    *,
    embeddings: bool = True,
) -> Iterator[tuple[_Item, Scored | None]]:
    """All items in order, those that have a photo with its score; the scorer looks ahead past the others.

    Args:
        photos: anything, with the photo to score or None.
        scorer: scores them.
        would_block: whether taking the next photo would wait; then the results of those taken come first.
        look: what else is measured of each picture; see `Scored.seen`.
        embeddings: whether they are asked for; see `Scorer.score`.
    """
    score = partial(scorer.score, look=look, embeddings=embeddings)
    source = iter(photos)
    waiting: deque[_Waiting[_Item]] = deque()
    recent: dict[Path, _Picture] = {}
    while True:
        started = False

        def stretch() -> Iterator[Path]:
            nonlocal started
            idle = 0
            for item, photo in source:
                started = True
                picture = None if photo is None else pairs.scored_by(photo)
                known = None if picture is None else recent.get(picture)
                is_new = picture is not None and known is None
                waiting.append(_Waiting(item, photo, _remember(recent, picture) if is_new else known, is_new))
                idle = 0 if is_new else idle + 1
                if is_new and picture is not None:
                    yield picture
                elif idle >= PATIENCE or would_block():
                    return

        for scored in score(stretch(), would_block):
            while not waiting[0].is_new:
                yield waiting.popleft().finished(score)
            if (picture := waiting[0].picture) is not None:
                picture.scored = scored
            yield waiting.popleft().finished(score)
        yield from (item.finished(score) for item in waiting)
        waiting.clear()
        if not started:
            return


@dataclass
class _Picture:
    """A file that is decoded for one or several photos, and what came of it once it is there."""

    path: Path
    scored: Scored | None = None


@dataclass(frozen=True)
class _Waiting(Generic[_Item]):
    """An item on its way; ``is_new`` if it was the first to ask for its picture."""

    item: _Item
    photo: Path | None
    picture: _Picture | None
    is_new: bool

    def finished(self, score: Callable[[Iterable[Path]], Iterator[Scored]]) -> tuple[_Item, Scored | None]:
        """The item, and the score of its picture; of a RAW itself where the picture beside it cannot be decoded."""
        if self.picture is None or self.photo is None:
            return self.item, None
        scored = self.picture.scored
        if scored is not None and scored.error is not None and self.picture.path != self.photo:
            scored = next(score([self.photo]))
        return self.item, scored


def _remember(recent: dict[Path, _Picture], path: Path | None) -> _Picture | None:
    if path is None:
        return None
    if len(recent) >= REMEMBERED:
        del recent[next(iter(recent))]
    return recent.setdefault(path, _Picture(path))
