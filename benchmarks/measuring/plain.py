"""What is measured beside ours: tagging the plain way, and reading and writing with nothing in between."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import numpy as np
from PIL import Image

from aesth.decode import load
from aesth.metadata import NewRating
from aesth.metadata.exiftool import ExifTool, find_program
from aesth.metadata.ratings import arguments, embedded_values

RATING = NewRating(4, 80.0, "benchmark 00000000", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


class PlainWay:
    """Decode the whole photo with Pillow, ask a float ResNet-50 of torch, start ExifTool; one photo after the other.

    The weights are random: what they say does not change the time that it takes to say it.
    """

    def __init__(self) -> None:
        import torch
        from torchvision.models import resnet50

        torch.manual_seed(0)
        self._network = resnet50(weights=None).eval()
        self._program = find_program()

    def score(self, photo: Path) -> float:
        """The length of the network's output for a photo, resized to 224 x 224."""
        import torch

        with Image.open(photo) as image:
            pixels = np.array(image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))
        batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            return float(self._network(batch).norm())

    def tag(self, photos: Sequence[Path]) -> list[float]:
        """Score each photo and write four stars into it."""
        return [self._tag(photo) for photo in photos]

    def _tag(self, photo: Path) -> float:
        score = self.score(photo)
        write_alone(self._program, photo)
        return score


def write_alone(program: str, photo: Path) -> None:
    """Write four stars with an ExifTool started for this photo."""
    stars = ["-XMP-xmp:Rating=4", "-IFD0:Rating=4", "-IFD0:RatingPercent=75"]
    subprocess.run([program, "-q", "-overwrite_original", *stars, str(photo)], check=True)


class ReadAndWrite:
    """Decode photos and write the same tags as ours into them, on all cores, with nothing in between.

    As many ExifTools as cores are kept open; each photo is decoded no larger than the encoder asks for, written to a
    temporary file, synced, renamed, and its folder synced, after a line in a log, synced as well, that tells of it. No
    rating is read first, no write is verified, and no photo is scored.

    Args:
        folder: where the ExifTools run and the log lies.
        size: height and width that the encoder asks for.
        jobs: how many photos at a time.
    """

    def __init__(self, folder: Path, size: tuple[int, int], jobs: int) -> None:
        program = find_program()
        self._size = size
        self._tools = [ExifTool(program, folder) for _ in range(jobs)]
        self._pool = ThreadPoolExecutor(jobs)
        self._log = (folder / "log").open("ab")
        self._arguments = list(arguments(embedded_values(RATING, {})))

    def run(self, photos: Sequence[Path]) -> int:
        """How many photos were decoded and written."""
        shares = [photos[number :: len(self._tools)] for number in range(len(self._tools))]
        return sum(self._pool.map(self._run_share, self._tools, shares))

    def close(self) -> None:
        """End the ExifTools."""
        self._pool.shutdown()
        for tool in self._tools:
            tool.close()
        self._log.close()

    def _run_share(self, tool: ExifTool, photos: Sequence[Path]) -> int:
        for photo in photos:
            load(photo, at_least=self._size)
            self._write(tool, photo)
        return len(photos)

    def _write(self, tool: ExifTool, photo: Path) -> None:
        temporary = photo.with_name(f"written-{photo.name}")
        reply = tool.run(["-n", "-E", *self._arguments, "-o", str(temporary), str(photo)])
        assert not reply.errors, reply.errors
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        self._log.write(f"{photo}\n".encode())
        self._log.flush()
        os.fsync(self._log.fileno())
        temporary.replace(photo)
        folder = os.open(photo.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def decode_all(photos: Sequence[Path], size: tuple[int, int], jobs: int) -> int:
    """How many photos were decoded, so many at a time, none larger than the encoder asks for."""
    with ThreadPoolExecutor(jobs) as pool:
        return sum(1 for _ in pool.map(_decode, photos, repeat(size)))


def _decode(photo: Path, size: tuple[int, int]) -> None:
    load(photo, at_least=size)
