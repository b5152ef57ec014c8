"""What a catalogue holds: rated pictures, or pairs of a better and a worse one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RatedPicture:
    """A picture and how pleasing it is.

    Attributes:
        path: the picture file.
        score: S, on the scale of its source; scores of different sources cannot be compared.
        theme: pictures of one theme look alike, so they stay on the same side of every split.
    """

    path: Path
    score: float
    theme: str


@dataclass(frozen=True)
class PicturePair:
    """Two pictures of which somebody found one the more pleasing.

    Attributes:
        better: that one.
        worse: the other one.
        themes: of the two, in this order.
    """

    better: Path
    worse: Path
    themes: tuple[str, str]


@dataclass(frozen=True)
class Catalogue:
    """One source of judgements of people.

    Attributes:
        name: of the source, for people.
        pictures: rated pictures.
        pairs: compared ones.
    """

    name: str
    pictures: Sequence[RatedPicture] = ()
    pairs: Sequence[PicturePair] = ()
