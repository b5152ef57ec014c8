"""A tiny AVA, in its own files: the brighter a picture, the higher its ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from support.photos import picture

TRAIN, TEST = 30, 12


def ava_line(index: int, number: int, counts: list[int]) -> str:
    """A line of ``AVA.txt``: index, picture, counts of 1 to 10, two tags, challenge."""
    return " ".join(map(str, [index, number, *counts, 1, 22, 1396]))


def counts_around(mean: float) -> list[int]:
    """A hundred people or so, whose ratings lie around ``mean``."""
    return [round(40 * np.exp(-0.5 * ((rating - mean) / 1.2) ** 2)) for rating in range(1, 11)]


def make_ava(folder: Path, *, train: int = TRAIN, test: int = TEST) -> Path:
    """``AVA.txt``, ``images/`` and the official test list where AVA's archive has it."""
    (folder / "images").mkdir(parents=True)
    lines, tests = [], []
    for index in range(train + test):
        share = (index * 11 % (train + test)) / (train + test - 1)
        number = 950_000 - 7 * index
        Image.fromarray(picture(0.15 + 0.7 * share, index)).save(folder / "images" / f"{number}.jpg", quality=95)
        lines.append(ava_line(index + 1, number, counts_around(2.5 + 5.5 * share)))
        if index >= train:
            tests.append(number)
    (folder / "AVA.txt").write_text("\n".join(lines) + "\n")
    lists = folder / "aesthetics_image_lists"
    lists.mkdir()
    (lists / "generic_test.jpgl").write_text("".join(f"{number}\n" for number in tests))
    return folder
