"""How often the best of a made burst is found, by kind of fault, and the weights that find it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth import decode
from aesth.apps import ranking
from aesth.encoder import Encoder, OnnxEncoder
from aesth.preprocess import UInt8Image
from aesth.registry import find
from aesth.scale import norm
from aesth.training.bursts import FRAMES, Fault, make_burst
from aesth.training.catalogue import fold, kept_for_damage, read_oasis, unrated_photos
from aesth.training.logit import fit_choices
from aesth.training.progress import counted

HELD_OUT = 4
"""The fold of rated pictures that no weight is chosen on."""
RIDGE = 0.01
"""How much the logit's weights, of features of deviation 1, are held back, so that no kind of fault is won by all."""
CONFIDENCE = 1.96
"""Deviations of the normal distribution that 95 % lie within."""


MEANS = ("score", "laplacian", "sharpness", "together")
"""What the best is told by: each alone, and all features together."""


class Part(Enum):
    """Which photos bursts are made of: those that weights are chosen on, or those that are kept out."""

    CHOICE = "choice"
    TEST = "test"


@dataclass(frozen=True)
class Seen:
    """What is known of a made burst.

    Attributes:
        fault: what varies in it.
        rated: whether it was made of a rated picture.
        best: the number of the best frame.
        features: of each frame, by the names of `ranking.WEIGHTS`, (n,).
        laplacian: variance of the Laplacian of each frame, (n,): what other programs call sharpness.
    """

    fault: Fault
    rated: bool
    best: int
    features: Mapping[str, NDArray[np.float64]]
    laplacian: NDArray[np.float64]

    def finds(self, means: str) -> bool:
        """Whether one of `MEANS` tells the best."""
        return int(np.argmax(self._merits(means))) == self.best

    def _merits(self, means: str) -> NDArray[np.float64]:
        if means == "laplacian":
            return self.laplacian
        return self.features[means] if means in self.features else ranking.combine(self.features)


def measure_bursts(
    data: Path, part: Part, model: str = "default", faults: Sequence[Fault] = tuple(Fault), most: int = 60
) -> dict[str, object]:
    """How often the best frame is found, by kind of fault, against what simpler means find.

    Args:
        data: folder with ``oasis/`` and ``photos/``.
        part: of which photos.
        model: a name of the registry or an ONNX file.
        faults: kinds of fault.
        most: photos of each of both folders at most; which ones follows from their names.

    Raises:
        CatalogueError: the data is incomplete.
        ConfigError: there is no such model.
        ModelError: it is damaged.
    """
    encoder = OnnxEncoder(find(model))
    seen = list(_look_at_all(sources(data, part, most), faults, encoder))
    found: dict[str, object] = {
        "model": encoder.model.name,
        "part": part.value,
        "frames": FRAMES,
        "rated": found_by_fault([burst for burst in seen if burst.rated]),
        "unrated": found_by_fault([burst for burst in seen if not burst.rated]),
        "all": found_by_fault(seen),
    }
    return found if part is Part.TEST else {**found, "weights": fitted_weights(seen)}


def sources(data: Path, part: Part, most: int) -> list[tuple[Path, bool]]:
    """The photos that bursts are made of, and whether they are rated.

    Rated pictures are kept out by their theme's fold, others as for the preference for undamaged photos.
    """
    rated = [p.path for p in read_oasis(data / "oasis") if (fold(p.theme) == HELD_OUT) is (part is Part.TEST)]
    unrated = [p for p in unrated_photos(data / "photos") if kept_for_damage(p.name) is (part is Part.TEST)]
    return [(path, paths is rated) for paths in (rated, unrated) for path in sorted(paths, key=_hash)[:most]]


def found_by_fault(bursts: Sequence[Seen]) -> dict[str, dict[str, dict[str, object]]]:
    """The share of bursts whose best is found, with its interval of 95 %, by fault and by what it is told by."""
    by_fault = {fault: [burst for burst in bursts if burst.fault is fault] for fault in Fault}
    return {
        fault.value: {means: _share([burst.finds(means) for burst in some]) for means in MEANS}
        for fault, some in by_fault.items()
        if some
    }


def fitted_weights(bursts: Sequence[Seen]) -> dict[str, float]:
    """The weights of the features that make the best frames likeliest: a conditional logit with a small ridge."""
    names = list(ranking.WEIGHTS)
    given = np.stack([np.stack([burst.features[name] for name in names], axis=-1) for burst in bursts])
    given = given - given.mean(axis=1, keepdims=True)
    scale = np.maximum(given.std(axis=(0, 1)), 1e-6)
    weights = fit_choices(given / scale, np.array([burst.best for burst in bursts]), RIDGE) / scale
    return {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)}


def interval(hits: int, of: int) -> tuple[float, float]:
    """Where a share of ``hits`` in so many lies with 95 % (Wilson, JASA 22, 1927)."""
    share, square = hits / of, CONFIDENCE**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = CONFIDENCE * math.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _share(hits: Sequence[bool]) -> dict[str, object]:
    low, high = interval(sum(hits), len(hits))
    return {"found": round(sum(hits) / len(hits), 3), "from": round(low, 3), "to": round(high, 3), "bursts": len(hits)}


def _look_at_all(photos: Sequence[tuple[Path, bool]], faults: Sequence[Fault], encoder: Encoder) -> Iterator[Seen]:
    with counted("measuring", len(photos) * len(faults)) as advance:
        for path, rated in photos:
            photo = decode.load(path)
            for fault in faults:
                burst = make_burst(photo, fault, _generator(path, fault))
                norms = norm(encoder.encode(np.stack([encoder.record.preprocess(frame) for frame in burst.frames])))
                features = ranking.features(norms, [ranking.look_at(frame) for frame in burst.frames])
                yield Seen(fault, rated, burst.best, features, np.array([_laplacian(frame) for frame in burst.frames]))
                advance(1)


def _laplacian(frame: UInt8Image) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), by four neighbours."""
    grey = frame.mean(axis=-1)
    middle = grey[1:-1, 1:-1]
    return float((4 * middle - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]).var())


def _generator(path: Path, fault: Fault) -> np.random.Generator:
    return np.random.default_rng(np.frombuffer(_hash(path, fault.value), np.uint32))


def _hash(path: Path, more: str = "") -> bytes:
    return sha256(f"{path.name}/{more}".encode("utf-8", "surrogateescape")).digest()
