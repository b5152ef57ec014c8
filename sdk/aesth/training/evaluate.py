"""How good an encoder is: agreement with the ratings of people, and preference for undamaged photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aesth.scale import norm
from aesth.training.catalogue import kept_for_damage, unrated_photos
from aesth.training.damage import DAMAGES, Strength
from aesth.training.loader import Pixels
from aesth.training.metrics import damage_preference, pair_accuracy, plcc, srcc
from aesth.training.networks import AestheticEncoder, Precision, autocast
from aesth.training.stopping import stop_if_asked
from aesth.training.study import damaged_views, kinds_of
from aesth.training.views import View

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

BATCH = 32
STRENGTHS: tuple[Strength, ...] = ("weak", "strong")


@dataclass(frozen=True)
class Agreement:
    """Of scores with the ratings of people.

    Attributes:
        pictures: how many.
        srcc: Spearman's rank correlation.
        plcc: Pearson's correlation of norm and rating.
        pairs_half: share of pairs in the right order, of those whose ratings differ by more than 0.5.
        pairs_one: the same for more than 1.0.
    """

    pictures: int
    srcc: float
    plcc: float
    pairs_half: float
    pairs_one: float

    def to_dict(self) -> dict[str, float]:
        """The figures, rounded to four decimals."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def agreement(norms: NDArray[np.floating], ratings: NDArray[np.floating]) -> Agreement:
    """Agreement of ``norms`` with ``ratings``, both (n,)."""
    return Agreement(
        len(ratings),
        srcc(norms, ratings),
        plcc(norms, ratings),
        pair_accuracy(norms, ratings, 0.5),
        pair_accuracy(norms, ratings, 1.0),
    )


@dataclass(frozen=True)
class DamageTest:
    """Photos that no training sees, each with copies in every kind and strength of damage.

    Attributes:
        views: the photos and their copies.
        triples: index into ``views`` of photo, weak and strong copy, (t, 3).
        kinds: the kind of each triple.
    """

    views: Sequence[View]
    triples: NDArray[np.int64]
    kinds: Sequence[str]

    @classmethod
    def of(cls, data: Path, *, needed: bool = True) -> DamageTest:
        """The test that the kept photos of a data folder make; one of nothing if it has none and none are needed."""
        if not needed and not (data / "photos").is_dir():
            return cls([], np.empty((0, 3), np.int64), [])
        photos = [photo for photo in unrated_photos(data / "photos") if kept_for_damage(photo.name)]
        views, triples = damaged_views(photos, len(DAMAGES))
        return cls(views, triples, kinds_of(views, triples))

    def preferences(self, norms: NDArray[np.floating]) -> dict[str, dict[str, float]]:
        """Strength -> kind -> share of pairs whose undamaged photo has the larger norm; ``norms`` are of the views."""
        return {
            strength: {kind: round(self._preference(norms, kind, column), 4) for kind in sorted(set(self.kinds))}
            for column, strength in enumerate(STRENGTHS, 1)
        }

    def _preference(self, norms: NDArray[np.floating], kind: str, column: int) -> float:
        triples = self.triples[np.array(self.kinds) == kind]
        return float(damage_preference(norms[triples[:, 0]], norms[triples[:, column]]))


def mean_preference(preferences: Mapping[str, Mapping[str, float]], strength: Strength) -> float:
    """Mean over the kinds of damage; NaN where there are none."""
    shares = list(preferences[strength].values())
    return float(np.mean(shares)) if shares else float("nan")


def norms_of(encode: Encode, pixels: Pixels, on_progress: Callable[[int], None] = stop_if_asked) -> NDArray[np.float32]:
    """Norms (n,) of the embeddings of ``pixels`` (n, height, width, 3), batch by batch."""
    norms = []
    for begin in range(0, len(pixels), BATCH):
        batch = np.array(pixels[begin : begin + BATCH])
        norms.append(norm(encode(batch)))
        on_progress(len(batch))
    return np.concatenate(norms) if norms else np.empty(0, np.float32)


@torch.no_grad()
def projected_norms(
    encoder: AestheticEncoder,
    features: NDArray[np.float16],
    on_progress: Callable[[int], None] = stop_if_asked,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Norms (n,) of the embeddings of pooled features (n, f), or of the ``rows`` (n,) of them, batch by batch."""
    rows = np.arange(len(features)) if rows is None else rows
    norms = []
    for begin in range(0, len(rows), BATCH):
        batch = torch.from_numpy(features[rows[begin : begin + BATCH]].astype(np.float32))
        norms.append(norm(encoder.project(batch.to(encoder.device)).cpu().numpy()))
        on_progress(len(batch))
    return np.concatenate(norms) if norms else np.empty(0, np.float32)


def torch_encode(encoder: AestheticEncoder, device: str = "cpu", precision: Precision = "float32") -> Encode:
    """An encoder of torch as a function of arrays."""

    @torch.no_grad()
    def encode(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        with autocast(device, precision):
            embeddings: NDArray[np.float32] = encoder(torch.from_numpy(batch).to(device)).float().cpu().numpy()
            return embeddings

    return encode
