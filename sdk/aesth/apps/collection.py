"""A collection by rank (paper, section 7, Fig. 10): the best first, the best of different scenes, and names that tell.

`unlike` is greedy non-maximum suppression (Neubeck & Van Gool, ICPR 2006): from the best photo down, each is taken
unless it is near one that was taken. So no two that are taken are near each other, and for each that is left out there
is a better one like it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.apps.bursts import distances

LONGEST_NAME = 255
"""Bytes that file systems allow a name."""


def by_norm(norms: Sequence[float | None]) -> list[int]:
    """The numbers of those that have a norm, the longest first; equals in the order given.

    Norms rather than scores, as scores end at 0 and 100.
    """
    known = [number for number, norm in enumerate(norms) if norm is not None]
    return sorted(known, key=lambda number: -(norms[number] or 0.0))


def unlike(embeddings: Iterable[NDArray[np.float32]], apart: float) -> Iterator[int]:
    """The numbers of points that are more than ``apart`` from all that were taken before them, lazily.

    Args:
        embeddings: points, (d,) each, the best first; only as many are taken as are needed for the next number.
        apart: distance as `aesth.apps.bursts.distances` has it: relative to the lengths.
    """
    taken: list[NDArray[np.float32]] = []
    for number, embedding in enumerate(embeddings):
        if not taken or distances(embedding, np.stack(taken)).min() > apart:
            taken.append(embedding)
            yield number


def ranked_names(files: Sequence[Path], rank: int, of: int) -> list[str]:
    """Names that sort by rank, as ``007-IMG_1.JPG``; the stem of one that is too long loses its end.

    Args:
        files: the files of one shot, the photo first: all names begin with its stem.
        rank: its place, from 1 on.
        of: the last place; its digits are those of all.
    """
    prefix = f"{rank:0{len(str(of))}d}-"
    too_long = max(len(os.fsencode(prefix + file.name)) for file in files) - LONGEST_NAME
    stem = files[0].stem
    short = _without_last(stem, too_long)
    return [prefix + short + file.name[len(stem) :] for file in files]


def _without_last(stem: str, too_many: int) -> str:
    """``stem`` without as many characters at its end as take ``too_many`` bytes."""
    while too_many > 0 and stem:
        too_many -= len(os.fsencode(stem[-1]))
        stem = stem[:-1]
    return stem
