"""How far scores by previews are from the scores of the photos themselves, and what previews save.

    python benchmarks/measuring/previews.py FOLDER [MODEL ...]

Photos without a preview that may stand in for them are counted and left out of the figures. For comparison, what is
decoded of each photo is saved as a JPEG of quality 90: that much scores move without any preview.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from aesth import registry
from aesth.decode import load
from aesth.discover import find_photos
from aesth.encoder import Encoder, OnnxEncoder
from aesth.errors import DecodeError
from aesth.preprocess import UInt8Image
from aesth.scale import norm

AVERAGE, MOST = 1.0, 3.0
"""Points that scores by previews should differ by: less than the one on average, the other at most."""

RESAVED = 90
"""Quality at which a photo is saved once more."""

_ROUNDS = 2


@dataclass(frozen=True)
class Comparison:
    """One photo, scored by itself and by its preview.

    Attributes:
        photo: the file.
        scores: 0-100, by the photo and by the preview; a photo without a preview has its score twice.
        seconds: of one core, to decode it in each way.
        by_preview: whether a preview stood in.
        resaved: score of the photo's pixels, saved once more.
    """

    photo: Path
    scores: tuple[float, float]
    seconds: tuple[float, float]
    by_preview: bool
    resaved: float

    @property
    def difference(self) -> float:
        """Points that the preview adds."""
        return self.scores[1] - self.scores[0]

    @property
    def difference_resaved(self) -> float:
        """Points that being saved once more adds."""
        return self.resaved - self.scores[0]


@dataclass(frozen=True)
class Agreement:
    """What many comparisons come to.

    Attributes:
        photos: how many were compared.
        by_preview: of how many a preview stood in; the figures are of these.
        average: mean of the differences without their sign, in points.
        of_95: what 95 of 100 differences are within.
        most: the largest.
        bias: mean of the differences with their sign.
        time: of decoding with previews, as a share of the time without.
        average_resaved: mean of the differences that come of being saved once more.
        most_resaved: the largest of them.
    """

    photos: int
    by_preview: int
    average: float
    of_95: float
    most: float
    bias: float
    time: float
    average_resaved: float
    most_resaved: float

    def __str__(self) -> str:
        if not self.by_preview:
            return f"{self.photos} photos, none with a preview that may stand in"
        return (
            f"{self.by_preview} of {self.photos} photos by previews: {self.average:.2f} points apart on average,"
            f" {self.of_95:.2f} in 95 of 100, {self.most:.2f} at most, {self.bias:+.2f} with sign;"
            f" {self.time:.2f} of the time of decoding."
            f" Saved once more: {self.average_resaved:.2f} on average, {self.most_resaved:.2f} at most"
        )


def compare(photos: Iterable[Path], encoder: Encoder) -> Iterator[Comparison]:
    """Each photo that can be read, scored in both ways."""
    preprocess, scale = encoder.record.preprocess, encoder.record.scale
    for photo in photos:
        try:
            whole, preview, seconds = _decode(photo, preprocess.size)
        except DecodeError:
            continue
        inputs = np.stack([preprocess(pixels) for pixels in (whole, preview, _resaved(whole))])
        by_whole, by_preview, resaved = scale.score(norm(encoder.encode(inputs))).tolist()
        yield Comparison(photo, (by_whole, by_preview), seconds, not np.array_equal(whole, preview), resaved)


def agreement(comparisons: Sequence[Comparison]) -> Agreement:
    """The figures of many comparisons."""
    chosen = [comparison for comparison in comparisons if comparison.by_preview]
    if not chosen:
        return Agreement(len(comparisons), 0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    differences = np.array([comparison.difference for comparison in chosen])
    apart, resaved = np.abs(differences), np.abs([comparison.difference_resaved for comparison in chosen])
    whole, preview = (sum(comparison.seconds[way] for comparison in chosen) for way in (0, 1))
    return Agreement(
        photos=len(comparisons),
        by_preview=len(chosen),
        average=float(apart.mean()),
        of_95=float(np.percentile(apart, 95)),
        most=float(apart.max()),
        bias=float(differences.mean()),
        time=preview / whole,
        average_resaved=float(resaved.mean()),
        most_resaved=float(resaved.max()),
    )


def _resaved(pixels: UInt8Image) -> UInt8Image:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=RESAVED)
    return np.asarray(Image.open(file))


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
