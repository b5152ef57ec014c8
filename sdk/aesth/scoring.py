"""Photos to outcomes without reading or writing a rating: what `aesth score` does, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aesth.ahead import WouldBlock, never
from aesth.alike import score_alike
from aesth.scorer import Scored, Scorer
from aesth.tagging import Action, Outcome, rank


def score_photos(
    photos: Iterable[Path], scorer: Scorer, *, relative: bool = False, would_block: WouldBlock = never
) -> Iterator[Outcome]:
    """Score photos: lazily, in input order, one outcome a photo, whatever happens to it.

    A RAW with a JPEG or HEIF of the camera beside it is scored by that.

    Args:
        photos: files.
        scorer: scores them.
        relative: stars by rank among the photos of this run; all are scored before the first outcome.
        would_block: whether taking the next photo would wait; then outcomes come first.
    """
    pictures = ((photo, photo) for photo in photos)
    outcomes = (
        _outcome(photo, scored)
        for photo, scored in score_alike(pictures, scorer, would_block, embeddings=False)
        if scored
    )
    return rank(list(outcomes), scorer.cut_points) if relative else outcomes


def _outcome(photo: Path, scored: Scored) -> Outcome:
    action = Action.SCORED if scored.error is None else Action.FAILED
    return Outcome(photo, scored.score, scored.rating, None, action, scored.error)
