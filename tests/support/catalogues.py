"""Catalogues of scores and of pairs: the brighter a picture, the better."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from support.photos import picture
from support.training import THEMES


def make_pictures(folder: Path, count: int) -> NDArray[np.float64]:
    """Pictures ``0.png`` ... of which some are brighter than others; how bright."""
    folder.mkdir(parents=True)
    shares = np.random.default_rng(2).permutation(np.linspace(0, 1, count))
    for index, share in enumerate(shares):
        Image.fromarray(picture(0.2 + 0.6 * share, index)).save(folder / f"{index}.png")
    return shares


def make_pairs(folder: Path, count: int = 30, *, themes: bool = True) -> Path:
    shares = make_pictures(folder, count)
    by_theme = [[index for index in range(count) if index % len(THEMES) == place] for place in range(len(THEMES))]
    lines = ["better,worse,theme" if themes else "better,worse"]
    for theme, members in zip(THEMES, by_theme, strict=True):
        for one, other in pairwise(members):
            better, worse = (one, other) if shares[one] > shares[other] else (other, one)
            lines.append(f"{better}.png,{worse}.png" + (f",{theme}" if themes else ""))
    (folder / "catalogue.csv").write_text("\n".join(lines) + "\n")
    return folder / "catalogue.csv"


def make_scores(folder: Path, count: int = 24, factor: float = 1) -> Path:
    shares = make_pictures(folder, count)
    lines = [f"{index}.png,{factor * share:.4f}" for index, share in enumerate(shares)]
    (folder / "catalogue.csv").write_text("\n".join(["file,score", *lines]) + "\n")
    return folder / "catalogue.csv"
