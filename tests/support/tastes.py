"""People with a taste of their own: points of a small space and the stars that they give, and photos of one colour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_EXIF, _DATE = 0x8769, 0x9003
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{stars}"{ours}/>'
    "</rdf:RDF></x:xmpmeta>"
)
_OURS = ' xmlns:aesth="urn:aesth:xmp/1.0/" aesth:Rating="{stars}" aesth:Score="50"'


@dataclass(frozen=True)
class Person:
    """What a person gave to photos.

    Attributes:
        embeddings: of the photos, (n, d).
        stars: 1-5, (n,).
        groups: the day of each, (n,).
        liked: how much the person likes each in truth, (n,).
    """

    embeddings: NDArray[np.float32]
    stars: NDArray[np.float64]
    groups: NDArray[np.intp]
    liked: NDArray[np.float64]


def person(
    *,
    ratings: int = 200,
    dimensions: int = 8,
    shared: float = 0.6,
    own: float = 0.6,
    noise: float = 0.5,
    per_day: int = 4,
    seed: int = 0,
) -> Person:
    """Somebody whose stars are made of what all like (the norm), of one direction, and of chance, in these shares."""
    random = np.random.default_rng(seed)
    pointing = random.standard_normal((ratings, dimensions))
    pointing /= np.linalg.norm(pointing, axis=1, keepdims=True)
    norms = random.uniform(2, 6, ratings)
    liked = shared * standard(norms) + own * standard(pointing[:, 0])
    felt = liked + noise * random.standard_normal(ratings)
    stars = 1.0 + np.searchsorted(np.quantile(felt, [0.1, 0.35, 0.7, 0.93]), felt)
    return Person((pointing * norms[:, None]).astype(np.float32), stars, np.arange(ratings) // per_day, liked)


def standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


def coloured(
    path: Path, colour: tuple[int, int, int], *, stars: int | None = None, ours: bool = False, day: int | None = 0
) -> Path:
    """A photo of one colour.

    Args:
        path: where it is written.
        colour: red, green and blue.
        stars: that are in it, -1 for a reject.
        ours: whether we wrote them.
        day: days after the first on which it was taken; None tells no time.
    """
    exif = Image.Exif()
    if day is not None:
        exif.get_ifd(_EXIF)[_DATE] = f"{datetime(2026, 1, 1, 12) + timedelta(days=day):%Y:%m:%d %H:%M:%S}"
    xmp = b"" if stars is None else _XMP.format(stars=stars, ours=_OURS.format(stars=stars) if ours else "").encode()
    Image.new("RGB", (64, 48), colour).save(path, quality=95, exif=exif, **({"xmp": xmp} if xmp else {}))
    return path


def red_lover(folder: Path, photos: int = 60, seed: int = 0, *, stars: bool = True) -> list[Path]:
    """Photos of all colours and days, with the stars of somebody who likes red in them, whatever is bright."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    colours = random.integers(20, 236, (photos, 3))
    redness = colours[:, 0] / np.linalg.norm(colours, axis=1)
    given = 1 + np.searchsorted(np.quantile(redness, [0.2, 0.4, 0.6, 0.8]), redness)
    return [
        coloured(folder / f"{n:03}.jpg", tuple(map(int, colours[n])), stars=int(given[n]) if stars else None, day=n)
        for n in range(photos)
    ]
