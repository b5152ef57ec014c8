"""What a screenshot shows: plain photos, told by their colours, and pictures for the documentation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

_TOLERANCE, _LEAST, _ROW = 5, 3000, 100


def seen_at(picture: Path, colours: Mapping[str, tuple[int, int, int]]) -> dict[str, tuple[int, int]]:
    """The middles, right and down, of the plain photos that are to be seen.

    Args:
        picture: a screenshot; thumbnails are more than `_LEAST` pixels.
        colours: of each photo, red, green and blue.
    """
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    places: dict[str, tuple[int, int]] = {}
    for name, colour in colours.items():
        rows, columns = np.nonzero((np.abs(pixels - colour) <= _TOLERANCE).all(axis=-1))
        if len(rows) > _LEAST:
            places[name] = (int(np.median(columns)), int(np.median(rows)))
    return places


def seen_in_order(picture: Path, colours: Mapping[str, tuple[int, int, int]]) -> list[str]:
    """The names of plain photos that are to be seen, row by row from the left; see `seen_at`."""
    places = seen_at(picture, colours)
    return sorted(places, key=lambda name: (places[name][1] // _ROW, places[name][0]))


def takes_pictures() -> bool:
    """Whether pictures for the documentation are asked for, in the folder that AESTH_PICTURES names."""
    return bool(os.environ.get("AESTH_PICTURES"))


def keep(picture: Image.Image, name: str, colours: int = 96) -> None:
    """Save a small one, if pictures are asked for."""
    if takes_pictures():
        picture.quantize(colours).save(Path(os.environ["AESTH_PICTURES"]) / name, optimize=True)
