"""How far a map can be believed: what the score does as the places that it calls important are hidden, or shown alone.

Deletion and insertion: Petsiuk, Das & Saenko, RISE, BMVC 2018. A map that is right makes the score fall fast when what
raises it is hidden first, and rise fast when that is shown first. What it is held against are the photo's edges, which
many maps turn out to be (Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018), and chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from aesth.apps.explain.maps import BATCH, SaliencyMap, blurred, resized, veiled
from aesth.encoder import Encoder
from aesth.preprocess import UInt8Image
from aesth.scorer import norms_of
from aesth.taste import Taste

STEPS = 10
"""Equal shares of the picture that are hidden, or shown, one after the other."""
DRAWS = 2
"""Maps of chance that are tried for each photo."""

_SMOOTH = 0.05
"""Sigma of the Gaussian that edges are smoothed with, as a share of the shorter side."""
_FEATHER = 0.02
"""The same of the rims of what is hidden, so that they add no edge."""
_BLOBS = 8
"""Blobs of chance along each side, about as wide as the windows of occlusion."""


@dataclass(frozen=True)
class Curves:
    """The score of one photo, 0-100, by how much of it is hidden or shown, in the order of a map.

    Attributes:
        shares: of the picture, 0 to 1, evenly spaced.
        deletion: the score with the most important ``shares`` of it hidden.
        insertion: the score with the most important ``shares`` of it shown and the rest hidden.
    """

    shares: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]

    @property
    def deletion_area(self) -> float:
        """The mean of the score along the deletion, 0-100: the lower, the better the map."""
        return float(np.trapezoid(self.deletion, self.shares))

    @property
    def insertion_area(self) -> float:
        """The mean of the score along the insertion, 0-100: the higher, the better the map."""
        return float(np.trapezoid(self.insertion, self.shares))

    @property
    def between(self) -> float:
        """The area between the two, in points of the score: about 0 by chance, the higher, the better the map."""
        return self.insertion_area - self.deletion_area

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "shares": [round(share, 4) for share in self.shares],
            "deletion": [round(score, 2) for score in self.deletion],
            "insertion": [round(score, 2) for score in self.insertion],
            "deletion_area": round(self.deletion_area, 2),
            "insertion_area": round(self.insertion_area, 2),
        }


@dataclass(frozen=True)
class Faithfulness:
    """The curves of a map of one photo beside those of maps that know nothing of its score.

    Attributes:
        ours: of the map.
        edges: of the photo's edges.
        chance: of maps of random blobs.
    """

    ours: Curves
    edges: Curves
    chance: tuple[Curves, ...]

    @property
    def between_by_chance(self) -> float:
        """The mean of `Curves.between` of the maps of chance."""
        return float(np.mean([curves.between for curves in self.chance]))

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "ours": self.ours.to_dict(),
            "edges": self.edges.to_dict(),
            "chance": [curves.to_dict() for curves in self.chance],
        }


def faithfulness(
    encoder: Encoder, image: UInt8Image, saliency: SaliencyMap, *, draws: int = DRAWS, taste: Taste | None = None
) -> Faithfulness:
    """Hold a map of ``image``, (h, w, 3), against the image's edges and ``draws`` maps of chance."""
    size = encoder.record.preprocess.size
    others = [edges(encoder.record.preprocess(image)), *(chance(size, seed) for seed in range(draws))]
    ours, by_edges, *by_chance = (curves(encoder, image, one, taste=taste) for one in (saliency, *others))
    return Faithfulness(ours, by_edges, tuple(by_chance))


def curves(
    encoder: Encoder,
    image: UInt8Image,
    saliency: SaliencyMap,
    *,
    hidden: UInt8Image | None = None,
    steps: int = STEPS,
    taste: Taste | None = None,
) -> Curves:
    """Hide ``image`` step by step in the order of ``saliency``, the highest first, and show it in the same order.

    Args:
        encoder: gives the scores.
        image: upright sRGB pixels (h, w, 3).
        saliency: of any size, (h', w'); only the order of its values counts.
        hidden: what shows in place of a hidden part, (h, w, 3); None is a heavy blur of the image.
        steps: see `STEPS`.
        taste: of whom the scores are, as `aesth.scorer.Scorer` has it.
    """
    small = encoder.record.preprocess(image)
    veil = encoder.record.preprocess(blurred(image) if hidden is None else hidden)
    shares = np.linspace(0, 1, steps + 1)
    masks = list(_hidden_masks(resized(saliency, small.shape[:2]), shares[1:-1]))
    pictures = [small, *(_mixed(small, veil, mask) for mask in masks), *(_mixed(veil, small, m) for m in masks), veil]
    whole, *scores, nothing = _scores(encoder, pictures, taste)
    return Curves(
        tuple(shares.tolist()),
        (whole, *scores[: len(masks)], nothing),
        (nothing, *scores[len(masks) :], whole),
    )


def edges(image: UInt8Image) -> SaliencyMap:
    """How much edge is at each place of ``image``, (h, w, 3): its smoothed gradients, (h, w)."""
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    strength = np.hypot(*np.gradient(grey))
    return _blur(strength / max(float(strength.max()), 1.0), _SMOOTH)


def chance(size: tuple[int, int], seed: int) -> SaliencyMap:
    """Random blobs, (height, width), about as wide as the windows of occlusion."""
    blobs = np.random.default_rng(seed).random((_BLOBS, _BLOBS), np.float32)
    height, width = size
    return np.asarray(Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _hidden_masks(saliency: SaliencyMap, shares: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    """Soft masks (h, w) of the highest ``shares`` of a map; equal values go in the order of their places."""
    ranks = np.empty(saliency.size, np.int64)
    ranks[np.argsort(-saliency, axis=None, kind="stable")] = np.arange(saliency.size)
    ranked = ranks.reshape(saliency.shape)
    return [_blur((ranked < share * saliency.size).astype(np.float32), _FEATHER) for share in shares]


def _mixed(image: UInt8Image, other: UInt8Image, mask: NDArray[np.float32]) -> UInt8Image:
    return veiled(image, other.astype(np.float32), mask)


def _scores(encoder: Encoder, pictures: Sequence[UInt8Image], taste: Taste | None) -> list[float]:
    batches = (np.stack(pictures[begin : begin + BATCH]) for begin in range(0, len(pictures), BATCH))
    norms = np.concatenate([norms_of(encoder.encode(batch), taste) for batch in batches])
    return [float(score) for score in encoder.record.scale.score(norms)]


def _blur(values: NDArray[np.float32], share: float) -> SaliencyMap:
    """``values`` (h, w), 0 to 1, after a Gaussian of sigma ``share`` x shorter side."""
    grey = Image.fromarray(np.rint(255 * values).astype(np.uint8))
    smooth = grey.filter(ImageFilter.GaussianBlur(share * min(values.shape)))
    return np.asarray(smooth, np.float32) / np.float32(255)
