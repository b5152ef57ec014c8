"""Bursts with a known best, made from single photos: what tells how well the best of a burst is found.

Every frame shows the photo anew, as hands and a camera would: moved, turned and zoomed a little, through a lens that
is not quite sharp, with the grain of a sensor of its own, saved as JPEG. So none is the untouched photo. One fault
varies, and the best frame is the one that has least of it, though not none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth.preprocess import UInt8Image
from aesth.training import damage

FRAMES = 5
"""Photos in a burst; by chance, the best of it is found in a fifth of all."""
REDUCED = 0.72
"""Size of a frame by that of the photo, so that a frame that shows a part of it has all its pixels too."""
BEST, OTHERS = (0.0, 0.15), (0.3, 1.0)
"""How much of the fault the best frame and the others have, of the most."""

SHAKE, FOCUS, STOPS, CUT, TILT = 1 / 25, 1 / 100, 1.5, 0.35, 8.0
"""The most of each fault: length and sigma by the short side, as of the strong damage in `damage`; stops of exposure
too much or too little; the share of each side that is cut off; degrees."""

LENS, GRAIN, SHOT = 0.6, 0.004, 0.0006
"""Sigma in pixels of what no lens shows sharply; noise of a sensor, by full scale, and its growth with light."""


class Fault(Enum):
    """What is wrong with the frames that are not the best."""

    SHAKE = "shake"
    FOCUS = "focus"
    EXPOSURE = "exposure"
    FRAMING = "framing"
    MIXED = "mixed"


@dataclass(frozen=True)
class MadeBurst:
    """Takes of one photo.

    Attributes:
        frames: images (h, w, 3) of one size.
        best: the number of the best.
    """

    frames: tuple[UInt8Image, ...]
    best: int


def make_burst(photo: UInt8Image, fault: Fault, rng: np.random.Generator, frames: int = FRAMES) -> MadeBurst:
    """A burst of ``photo``, (h, w, 3), in which one frame has clearly less of ``fault`` than the others.

    With `Fault.MIXED` every other frame has a fault of its own, and the best one the least of one that is drawn.
    """
    best = int(rng.integers(frames))
    amounts = [rng.uniform(*(BEST if number == best else OTHERS)) for number in range(frames)]
    single = [kind for kind in Fault if kind is not Fault.MIXED]
    kinds = [single[rng.integers(len(single))] if fault is Fault.MIXED else fault for _ in amounts]
    takes = [_take(photo, kind, amount, rng) for kind, amount in zip(kinds, amounts, strict=True)]
    return MadeBurst(tuple(takes), best)


def _take(photo: UInt8Image, fault: Fault, amount: float, rng: np.random.Generator) -> UInt8Image:
    cut, stops = 0.04, rng.uniform(-0.05, 0.05)
    if fault is Fault.FRAMING and rng.random() < 0.5:
        photo = damage.tilt(photo, amount * TILT, rng)
    elif fault is Fault.FRAMING:
        cut = max(cut, amount * CUT)
    elif fault is Fault.EXPOSURE:
        stops += amount * STOPS * rng.choice((-1, 1))
    image = _framed(photo, cut, rng)
    if fault is Fault.SHAKE:
        image = damage.motion_blur(image, amount * SHAKE, rng)
    elif fault is Fault.FOCUS:
        image = damage.gaussian_blur(image, amount * FOCUS, rng)
    return damage.recompress(_developed(image, 2.0**stops, rng), int(rng.integers(90, 97)))


def _framed(photo: UInt8Image, cut: float, rng: np.random.Generator) -> UInt8Image:
    """A window of ``photo`` without the share ``cut`` of each side, at a random place, turned a little."""
    height, width = photo.shape[:2]
    size = round(width * REDUCED), round(height * REDUCED)
    left, top = (length * cut * rng.random() for length in (width, height))
    turned = Image.fromarray(photo).rotate(rng.uniform(-0.3, 0.3), Image.Resampling.BICUBIC)
    box = (left, top, left + width * (1 - cut), top + height * (1 - cut))
    seen = np.asarray(turned.resize(size, Image.Resampling.BICUBIC, box=box))
    return damage.gaussian_blur(seen, LENS / min(size), rng)


def _developed(image: UInt8Image, gain: float, rng: np.random.Generator) -> UInt8Image:
    """``image`` as a sensor sees ``gain`` times its light, with grain of a random strength."""
    light = gain * _light(image)
    deviation = rng.uniform(0.5, 2) * np.sqrt(GRAIN**2 + SHOT * np.clip(light, 0, 1))
    return _srgb(light + deviation * rng.normal(size=light.shape).astype(np.float32))


def _light(image: UInt8Image) -> NDArray[np.float32]:
    """Linear light, 0-1, of sRGB pixels (IEC 61966-2-1)."""
    values = image.astype(np.float32) / 255
    light: NDArray[np.float32] = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return light


def _srgb(light: NDArray[np.float32]) -> UInt8Image:
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    pixels: UInt8Image = np.rint(255 * values).astype(np.uint8)
    return pixels
