"""Which parts of a photo its score depends on: occlusion (Zeiler & Fergus, ECCV 2014), with no need of gradients.

A soft window is hidden behind the photo's own heavy blur, so that neither an edge nor a strange colour is added, and
the norm of the embedding is measured again: the fall of the norm is what the window is worth. The map is the mean over
windows of several sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from aesth.encoder import Encoder
from aesth.preprocess import UInt8Image
from aesth.scorer import norms_of
from aesth.taste import Taste

SaliencyMap = NDArray[np.float32]
"""(h, w): how much the norm depends on each place."""

WINDOWS = (0.4, 0.25)
"""Sides of the windows, as shares of the sides of the picture."""
BLUR = 0.1
"""Sigma of the blur that hides, as a share of the shorter side."""
BATCH = 16


def occlusion(
    encoder: Encoder,
    image: UInt8Image,
    *,
    windows: Sequence[float] = WINDOWS,
    hidden: UInt8Image | None = None,
    batch: int = BATCH,
    taste: Taste | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> SaliencyMap:
    """What every place of ``image`` is worth to its norm.

    Args:
        encoder: any encoder, such as `aesth.encoder.OnnxEncoder`.
        image: upright sRGB pixels (h, w, 3), of any size.
        windows: sides of the windows, 0 to 1, as shares of the sides of the picture.
        hidden: what shows in place of a hidden part, (h, w, 3); None is a heavy blur of the image.
        batch: pictures in one call of the encoder.
        taste: of whom the norm is, as `aesth.scorer.Scorer` has it.
        on_progress: told how many of how many windows were tried.

    Returns:
        float32 (h, w), in units of the norm: above 0 the norm falls when the place is hidden, so that it pleases;
        below 0 it rises.

    Raises:
        ValueError: there is no window, or one that is not a share of the picture.
    """
    if not windows or not all(0 < side <= 1 for side in windows):
        raise ValueError(f"windows are shares of the picture, above 0 and at most 1, not {tuple(windows)}")
    small = encoder.record.preprocess(image)
    veil = encoder.record.preprocess(blurred(image) if hidden is None else hidden).astype(np.float32)
    scales = [list(_windows(small.shape[:2], side)) for side in windows]
    whole = float(norms_of(encoder.encode(small[None]), taste)[0])
    total, done = np.zeros(small.shape[:2], np.float64), 0
    for masks in scales:
        worth, weight = np.zeros_like(total), np.zeros_like(total)
        for begin in range(0, len(masks), batch):
            some = masks[begin : begin + batch]
            hiding = np.stack([veiled(small, veil, mask) for mask in some])
            falls = whole - norms_of(encoder.encode(hiding), taste)
            for mask, fall in zip(some, falls, strict=True):
                worth += mask * fall
                weight += mask
            done += len(some)
            on_progress(done, sum(map(len, scales)))
        total += worth / np.maximum(weight, np.finfo(np.float32).tiny)
    return resized((total / len(scales)).astype(np.float32), image.shape[:2])


def blurred(image: UInt8Image) -> UInt8Image:
    """What hides ``image``, (h, w, 3), where nothing else is asked for: itself under a heavy blur."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR * min(image.shape[:2]))))


def veiled(image: UInt8Image, veil: NDArray[np.float32], mask: NDArray[np.float32]) -> UInt8Image:
    """``image`` with ``veil`` over it where ``mask``, (h, w), is 1."""
    pixels: UInt8Image = np.rint(image + (veil - image) * mask[..., None]).astype(np.uint8)
    return pixels


def _windows(shape: tuple[int, ...], side: float) -> Iterator[NDArray[np.float32]]:
    """Soft masks (h, w) of windows that cover the picture evenly, row by row."""
    rows, columns = (_bumps(length, side) for length in shape)
    for row in rows:
        for column in columns:
            yield row[:, None] * column[None]


def _bumps(length: int, side: float) -> NDArray[np.float32]:
    """Raised cosines of width ``side`` x ``length``, at most half of it apart, edge to edge: (windows, length)."""
    centres = np.linspace(0, length, 1 + math.ceil(2 / side))
    away = np.abs(np.arange(length) + 0.5 - centres[:, None]) / (side * length / 2)
    bumps: NDArray[np.float32] = (0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1))).astype(np.float32)
    return bumps


def resized(values: SaliencyMap, size: tuple[int, ...]) -> SaliencyMap:
    """A map, (h, w), at another size, (height, width)."""
    if values.shape == size:
        return values
    height, width = size
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR), np.float32)
