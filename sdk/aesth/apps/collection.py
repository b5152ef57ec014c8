"""A collection by rank (paper, section 7, Fig. 10): the best first, the best of different scenes, and names that tell.

`unlike` is greedy non-maximum suppression (Neubeck & Van Gool, ICPR 2006): from the best photo down, each is taken
unless it is near one that was taken. So no two that are taken are near each other, and for each that is left out there
is a better one like it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth import pairs
from aesth.apps.bursts import distances

SIDECAR_SUFFIXES = (".xmp", ".pp3", ".arp", ".dop", ".aae")
"""What programs put beside photos, as ``IMG_1.CR2.xmp`` or ``IMG_1.xmp``: ratings, keywords and edits."""

LONGEST_NAME = 255
"""Bytes that file systems allow a name."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What a camera took at once: one file, or a RAW and the picture of it.

    Attributes:
        files: the photos that were given, in their order.
    """

    files: tuple[Path, ...]

    def companions(self) -> list[Path]:
        """The files that belong to it and were not given: the other of a RAW and its JPEG, and sidecars."""
        partners = [partner for photo in self.files for partner in pairs.partners(photo)]
        photos = list(dict.fromkeys([*self.files, *partners]))
        found = [*photos, *(sidecar for photo in photos for sidecar in _sidecars(photo))]
        return [path for path in dict.fromkeys(found) if path not in self.files]


def shots_of(photos: Iterable[Path]) -> list[Shot]:
    """Photos as the camera took them, in the order of the first of each shot."""
    files: dict[Path, list[Path]] = {}
    for photo in photos:
        files.setdefault(pairs.scored_by(photo), []).append(photo)
    return [Shot(tuple(given)) for given in files.values()]


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


def _sidecars(photo: Path) -> list[Path]:
    found: list[Path] = []
    for suffix in SIDECAR_SUFFIXES:
        for name in (
            photo.name + suffix,
            photo.stem + suffix,
            photo.name + suffix.upper(),
            photo.stem + suffix.upper(),
        ):
            path = photo.with_name(name)
            if path.is_file() and not any(path.samefile(other) for other in found):
                found.append(path)
    return found
