"""Photos to outcomes without reading or writing a rating: what `aesth score` does, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aesth.ahead import WouldBlock, never
from aesth.scorer import Scored, Scorer
from aesth.tagging import Action, Outcome, rank


def score_photos(
    photos: Iterable[Path], scorer: Scorer, *, relative: bool = False, would_block: WouldBlock = never
) -> Iterator[Outcome]:
    """Score photos: lazily, in input order, one outcome a photo, whatever happens to it.

    Args:
        photos: files.
        scorer: scores them.
        relative: stars by rank among the photos of this run; all are scored before the first outcome.
        would_block: whether taking the next photo would wait; then outcomes come first.
    """
    outcomes = (_outcome(scored) for scored in scorer.score(photos, would_block))
    return rank(list(outcomes), scorer.cut_points) if relative else outcomes


def _outcome(scored: Scored) -> Outcome:
    action = Action.SCORED if scored.error is None else Action.FAILED
    return Outcome(scored.path or Path(), scored.score, scored.rating, None, action, scored.error)
