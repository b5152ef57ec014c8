"""Ways to make a photo worse, each at two strengths.

A rated picture teaches subject matter; a pair (photo, damaged copy) teaches technique: the original is the more
pleasing one. The kinds and strengths are fixed, so that figures of different models can be compared.

All functions take and return an image as uint8 array (h, w, 3). Lengths are given as a share of the short side.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from aesth.preprocess import UInt8Image

Strength = Literal["weak", "strong"]
Gains = tuple[float, float, float]
Apply = Callable[[UInt8Image, np.random.Generator], UInt8Image]


def gaussian_blur(image: UInt8Image, share: float, _rng: np.random.Generator) -> UInt8Image:
    """Out of focus: a Gaussian of sigma ``share`` x short side."""
    return _from_pil(Image.fromarray(image).filter(ImageFilter.GaussianBlur(share * _short_side(image))))


def motion_blur(image: UInt8Image, share: float, rng: np.random.Generator) -> UInt8Image:
    """Shaken: the mean along a line of ``share`` x short side, in a random direction."""
    length = share * _short_side(image)
    steps = max(2, math.ceil(length) + 1)
    angle = rng.uniform(0, math.pi)
    offsets = np.linspace(-length / 2, length / 2, steps)
    pad = math.ceil(length / 2) + 1
    height, width = image.shape[:2]
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge").astype(np.float32)
    total = np.zeros(image.shape, np.float32)
    for offset in offsets:
        y, x = pad + round(offset * math.sin(angle)), pad + round(offset * math.cos(angle))
        total += padded[y : y + height, x : x + width]
    return _to_uint8(total / steps)


def noise(image: UInt8Image, sigma: float, rng: np.random.Generator) -> UInt8Image:
    """Sensor noise: independent Gaussian noise of ``sigma`` (of 255) on every channel."""
    return _to_uint8(image + rng.normal(0, sigma, image.shape))


def brightness(image: UInt8Image, factor: float, _rng: np.random.Generator) -> UInt8Image:
    """Wrongly exposed: every value times ``factor``, clipped."""
    return _to_uint8(image * np.float32(factor))


def contrast(image: UInt8Image, factor: float, _rng: np.random.Generator) -> UInt8Image:
    """Flat: every value's distance to the mean grey times ``factor``."""
    grey = np.float32(image.mean())
    return _to_uint8(grey + (image - grey) * np.float32(factor))


def colour_cast(image: UInt8Image, gains: Gains, _rng: np.random.Generator) -> UInt8Image:
    """Wrong white balance: red, green and blue times their ``gains``, clipped."""
    return _to_uint8(image * np.array(gains, np.float32))


def jpeg(image: UInt8Image, quality: float, _rng: np.random.Generator) -> UInt8Image:
    """Compressed too far: JPEG at ``quality``."""
    return recompress(image, int(quality))


def tilt(image: UInt8Image, degrees: float, rng: np.random.Generator) -> UInt8Image:
    """Crooked horizon: turned by ``degrees`` to a random side, cropped without corners, resized back."""
    height, width = image.shape[:2]
    turned = Image.fromarray(image).rotate(degrees * rng.choice((-1, 1)), Image.Resampling.BICUBIC)
    inner_width, inner_height = _largest_upright_rectangle(width, height, math.radians(degrees))
    left, top = (width - inner_width) / 2, (height - inner_height) / 2
    box = (left, top, left + inner_width, top + inner_height)
    return _from_pil(turned.resize((width, height), Image.Resampling.BICUBIC, box=box))


def crop(image: UInt8Image, share: float, rng: np.random.Generator) -> UInt8Image:
    """Badly framed: a random window of ``share`` of each side."""
    height, width = image.shape[:2]
    window_height, window_width = round(height * share), round(width * share)
    top = int(rng.integers(0, height - window_height + 1))
    left = int(rng.integers(0, width - window_width + 1))
    return image[top : top + window_height, left : left + window_width].copy()


def recompress(image: UInt8Image, quality: int = 95) -> UInt8Image:
    """The image after a round trip through JPEG; both pictures of a pair take the same one."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return _from_pil(Image.open(buffer))


def _damage(apply: Callable[..., UInt8Image], weak: float | Gains, strong: float | Gains) -> Mapping[Strength, Apply]:
    def fix(amount: float | Gains) -> Apply:
        return lambda image, rng: apply(image, amount, rng)

    return MappingProxyType({"weak": fix(weak), "strong": fix(strong)})


DAMAGES: Mapping[str, Mapping[Strength, Apply]] = MappingProxyType(
    {
        "gaussian_blur": _damage(gaussian_blur, 1 / 150, 1 / 100),
        "motion_blur": _damage(motion_blur, 1 / 50, 1 / 25),
        "noise": _damage(noise, 14, 28),
        "darker": _damage(brightness, 0.55, 0.35),
        "brighter": _damage(brightness, 1.5, 1.9),
        "contrast": _damage(contrast, 0.6, 0.4),
        "cool_cast": _damage(colour_cast, (0.85, 1.0, 1.18), (0.75, 1.0, 1.35)),
        "warm_cast": _damage(colour_cast, (1.18, 1.0, 0.85), (1.35, 1.0, 0.75)),
        "jpeg": _damage(jpeg, 15, 6),
        "tilt": _damage(tilt, 6, 12),
        "crop": _damage(crop, 0.7, 0.5),
    }
)


def _short_side(image: UInt8Image) -> int:
    return int(min(image.shape[:2]))


def _to_uint8(values: NDArray[Any]) -> UInt8Image:
    rounded: UInt8Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def _from_pil(image: Image.Image) -> UInt8Image:
    return np.asarray(image.convert("RGB"), np.uint8)


def _largest_upright_rectangle(width: int, height: int, angle: float) -> tuple[float, float]:
    """Width and height of the largest upright rectangle inside a (width, height) one turned by ``angle`` radians."""
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sine * cosine * long:
        half = short / 2
        return (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
    double = cosine * cosine - sine * sine
    return (width * cosine - height * sine) / double, (height * cosine - width * sine) / double
