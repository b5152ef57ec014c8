"""Make bursts with a known best, and a panorama, of free photographs, to see what `aesth best` makes of them.

python scripts/demo_photos.py demo-photos
python scripts/demo_bursts.py demo-photos demo-bursts
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from aesth.preprocess import UInt8Image
from aesth.training.bursts import Fault, make_burst

BURSTS = (("chelsea.png", Fault.SHAKE), ("coffee.png", Fault.MIXED))
PANORAMA = "china.jpg"
NOON = datetime(2026, 5, 31, 12)
_EXIF, _MAKE, _DATE, _FRACTION = 0x8769, 0x010F, 0x9003, 0x9291


def main() -> None:
    """Read the photographs in one folder, write the takes into another."""
    photos, folder = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, fault) in enumerate(BURSTS):
        burst = make_burst(pixels(photos / name), fault, np.random.default_rng(5))
        for take, frame in enumerate(burst.frames):
            save(frame, folder / f"IMG_{number}{take}.jpg", 60 * number + take / 4)
    wide = pixels(photos / PANORAMA)
    half = wide.shape[1] // 2
    for take in range(3):
        left = 2 * half * take // 5
        save(wide[:, left : left + half], folder / f"IMG_{len(BURSTS)}{take}.jpg", 60 * len(BURSTS) + 1.5 * take)


def pixels(photo: Path) -> UInt8Image:
    """All pixels, sRGB."""
    return np.asarray(Image.open(photo).convert("RGB"))


def save(frame: UInt8Image, path: Path, seconds: float) -> None:
    """Save a take as a camera does, taken so long after noon."""
    moment = NOON + timedelta(seconds=seconds)
    exif = Image.Exif()
    exif[_MAKE] = "Demo"
    exif.get_ifd(_EXIF).update({_DATE: f"{moment:%Y:%m:%d %H:%M:%S}", _FRACTION: f"{moment.microsecond // 1000:03}"})
    Image.fromarray(frame).save(path, quality=95, exif=exif)


if __name__ == "__main__":
    main()
