"""Pixels of any mode and colour profile -> sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from aesth.decode.arrays import WHITE

_SHADES = 18
"""Of each colour, by whose mixtures a profile is tried: 0, 15, 30, ... 255."""

_COLOUR_SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}


def flatten(image: Image.Image) -> Image.Image:
    """The image in mode L, RGB, CMYK or LAB, 8 bits a channel, without transparency; its colours as they are stored."""
    if image.mode in ("L", "RGB", "CMYK", "LAB") and "transparency" not in image.info:
        return image
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        return Image.fromarray(_to_8_bits(np.asarray(image)))
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA", "P", "L", "RGB"):
        return _on_white(image)
    return image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A flattened image as RGB in sRGB.

    A profile that is broken, or made for another colour space than the image's, is ignored: the image is then taken
    as sRGB, or as CMYK without a profile. One of sRGB itself changes nothing, so that its time is spared.
    """
    transform = _transform_from(profile, image.mode) if profile else None
    if transform is None and image.mode == "LAB":
        transform = _transform_from(_lab_profile(), "LAB")
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return transform.apply(image)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "P" and "transparency" not in image.info and image.palette and image.palette.mode == "RGB":
        return image.convert("RGB")
    with_alpha = {"RGBa": "RGBA", "La": "LA", "LA": "LA"}.get(image.mode, "RGBA")
    layered = image.convert(with_alpha)
    alpha = layered.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return layered.convert("L" if with_alpha == "LA" else "RGB")
    paper = Image.new(with_alpha, layered.size, (WHITE, 255) if with_alpha == "LA" else (WHITE, WHITE, WHITE, 255))
    return Image.composite(layered, paper, alpha).convert("L" if with_alpha == "LA" else "RGB")


def _to_8_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Greys of 16 bits, 32 bits or floating point as 8 bits; where white is not agreed on, the brightest grey tells."""
    greys = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if values.dtype == np.uint16:
        whites = [65535.0]
    else:
        whites = [1.0, 255.0, 65535.0] if values.dtype.kind == "f" else [255.0, 65535.0]
    brightest = float(greys.max(initial=0.0))
    white = next((white for white in whites if brightest <= white), brightest)
    return np.rint(np.clip(greys / white, 0, 1) * 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _transform_from(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of ``mode`` in ``profile`` to sRGB; None if there is nothing to do. Safe to share by threads."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if _COLOUR_SPACES.get(source.profile.xcolor_space.strip()) != mode:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether colours stay as they are, but for what is lost where they are rounded to 8 bits once more."""
    shades = np.linspace(0, 255, _SHADES).astype(np.int16)
    colours = np.stack(np.meshgrid(shades, shades, shades), -1).reshape(_SHADES, -1, 3)
    changed = np.asarray(transform.apply(Image.fromarray(colours.astype(np.uint8))))
    return int(np.abs(changed - colours).max()) <= 1


def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
