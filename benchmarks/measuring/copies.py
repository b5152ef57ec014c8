"""Copies of photos, for what writes into them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class MakeCopies(Protocol):
    """Makes copies of photos."""

    def __call__(self, originals: list[Path], least: int = ...) -> Copies:
        """So many of each photo that there are at least so many."""


class Copies:
    """Photos to write into: copies, made anew before each time.

    Attributes:
        files: the copies, so many of each photo that there are at least as many as asked for.
    """

    def __init__(self, originals: Sequence[Path], folder: Path, least: int) -> None:
        folder.mkdir()
        times = -(-least // len(originals))
        self._sources = [photo for _ in range(times) for photo in originals]
        self.files = [folder / f"{number}-{photo.name}" for number, photo in enumerate(self._sources)]

    def renew(self) -> None:
        """Make all copies as the photos are, without what earlier writes left beside them."""
        for left in self.files[0].parent.iterdir():
            left.unlink()
        for source, copy in zip(self._sources, self.files, strict=True):
            shutil.copyfile(source, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())  # else whoever syncs next, and is timed, waits for this copy as well
