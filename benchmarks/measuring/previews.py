"""How far scores by previews are from the scores of the photos themselves, and what previews save.

    python benchmarks/measuring/previews.py FOLDER [MODEL ...]

Photos without a preview that may stand in for them are counted and left out of the figures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aesth import registry
from aesth.decode import load
from aesth.discover import find_photos
from aesth.encoder import Encoder, OnnxEncoder
from aesth.errors import DecodeError
from aesth.preprocess import UInt8Image
from aesth.scale import norm

AVERAGE, MOST = 1.0, 3.0
"""Points that scores by previews should differ by: less than the one on average, the other at most."""

_ROUNDS = 2


@dataclass(frozen=True)
class Comparison:
    """One photo, scored by itself and by its preview.

    Attributes:
        photo: the file.
        scores: 0-100, by the photo and by the preview; a photo without a preview has its score twice.
        seconds: of one core, to decode it in each way.
        by_preview: whether a preview stood in.
    """

    photo: Path
    scores: tuple[float, float]
    seconds: tuple[float, float]
    by_preview: bool

    @property
    def difference(self) -> float:
        """Points that the preview adds."""
        return self.scores[1] - self.scores[0]


@dataclass(frozen=True)
class Agreement:
    """What many comparisons come to.

    Attributes:
        photos: how many were compared.
        by_preview: of how many a preview stood in; the figures are of these.
        average: mean of the differences without their sign, in points.
        most: the largest.
        bias: mean of the differences with their sign.
        time: of decoding with previews, as a share of the time without.
    """

    photos: int
    by_preview: int
    average: float
    most: float
    bias: float
    time: float

    def __str__(self) -> str:
        if not self.by_preview:
            return f"{self.photos} photos, none with a preview that may stand in"
        return (
            f"{self.by_preview} of {self.photos} photos by previews: {self.average:.2f} points apart on average,"
            f" {self.most:.2f} at most, {self.bias:+.2f} with sign; {self.time:.2f} of the time of decoding"
        )


def compare(photos: Iterable[Path], encoder: Encoder) -> Iterator[Comparison]:
    """Each photo that can be read, scored in both ways."""
    preprocess, scale = encoder.record.preprocess, encoder.record.scale
    for photo in photos:
        try:
            whole, preview, seconds = _decode(photo, preprocess.size)
        except DecodeError:
            continue
        scores = scale.score(norm(encoder.encode(np.stack([preprocess(whole), preprocess(preview)]))))
        yield Comparison(photo, (float(scores[0]), float(scores[1])), seconds, not np.array_equal(whole, preview))


def agreement(comparisons: Sequence[Comparison]) -> Agreement:
    """The figures of many comparisons."""
    chosen = [comparison for comparison in comparisons if comparison.by_preview]
    if not chosen:
        return Agreement(len(comparisons), 0, 0.0, 0.0, 0.0, 1.0)
    differences = np.array([comparison.difference for comparison in chosen])
    whole, preview = (sum(comparison.seconds[way] for comparison in chosen) for way in (0, 1))
    average, most = np.abs(differences).mean(), np.abs(differences).max()
    return Agreement(
        len(comparisons), len(chosen), float(average), float(most), float(differences.mean()), preview / whole
    )


def _decode(photo: Path, size: tuple[int, int]) -> tuple[UInt8Image, UInt8Image, tuple[float, float]]:
    """The pixels of a photo and of its preview, and the least seconds that each took of several turns."""
    seconds = [float("inf")] * 2
    for _ in range(_ROUNDS):
        pixels = []
        for way in (False, True):
            start = time.thread_time()
            pixels.append(load(photo, at_least=size, previews=way))
            seconds[way] = min(seconds[way], time.thread_time() - start)
    return pixels[0], pixels[1], (seconds[0], seconds[1])


def main() -> None:
    """Compare the photos in the folder that the command line names, by the models that it names or by both."""
    folder, *models = sys.argv[1:]
    for model in models or ("lite", "base"):
        found = agreement(list(compare(find_photos([Path(folder)]), OnnxEncoder(registry.find(model)))))
        sys.stdout.write(f"{model}: {found}\n")


if __name__ == "__main__":
    main()
