"""How far the camera was turned between two photos, told by small copies of them: what a panorama is known by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from aesth.preprocess import UInt8Image

Small = NDArray[np.float32]
"""A small grey copy of a photo, (48, 64), without what changes slowly in it."""

_HEIGHT, _WIDTH = 48, 64
_SLOW = 4.0
"""Sigma in pixels of what counts as slow: sky above and ground below are alike in all photos."""
_LEAST = 0.2
"""Share of a photo that two must have in common, for a move to be told."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where the second of two photos shows what the first one shows.

    Attributes:
        down: by which share of the height its view lies lower; negative if higher.
        right: by which share of the width it lies further right.
        likeness: correlation of what both show, 1 if it is the same.
    """

    down: float
    right: float
    likeness: float


def small_copy(image: UInt8Image) -> Small:
    """The copy of ``image``, upright sRGB pixels (h, w, 3), that moves are told by."""
    grey = Image.fromarray(image).convert("L").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
    slow = np.asarray(grey.filter(ImageFilter.GaussianBlur(_SLOW)), np.float32)
    return np.asarray(grey, np.float32) - slow


def move(one: Small, other: Small) -> Move:
    """How the view moved from ``one`` to ``other``: where the two correlate best, over what both show.

    Source: Padfield, Masked object registration in the Fourier domain, IEEE TIP 21, 2012.
    """
    ones = np.ones_like(one)
    shared = _correlated(ones, ones)
    sums = _correlated(one, ones), _correlated(ones, other)
    squares = _correlated(one**2, ones), _correlated(ones, other**2)
    spreads = [np.maximum(shared * square - total**2, 0) for square, total in zip(squares, sums, strict=True)]
    size = np.sqrt(spreads[0] * spreads[1])
    told = (shared >= _LEAST * one.size) & (size > 1e-3 * size.max())
    likeness = np.where(told, (shared * _correlated(one, other) - sums[0] * sums[1]) / np.where(told, size, 1), -1)
    down, right = (
        _signed(int(at), length) for at, length in zip(_place_of_greatest(likeness), likeness.shape, strict=True)
    )
    return Move(down / _HEIGHT, right / _WIDTH, float(likeness.max()))


def most_typical(views: Sequence[Small]) -> int:
    """The number of the view that most others are like, the first of equals."""
    rows = np.stack([view.ravel() for view in views])
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return int(np.argmax(np.median(rows @ rows.T, axis=1)))


def _correlated(one: Small, other: Small) -> NDArray[np.float64]:
    """Sums of one(place + shift) x other(place) over what both show, of all shifts, (2 h, 2 w); negative ones wrap."""
    size = (2 * _HEIGHT, 2 * _WIDTH)
    spectrum = np.fft.rfft2(one, size) * np.conj(np.fft.rfft2(other, size))
    sums: NDArray[np.float64] = np.fft.irfft2(spectrum, size)
    return sums


def _place_of_greatest(values: NDArray[np.float64]) -> tuple[np.intp, ...]:
    return np.unravel_index(np.argmax(values), values.shape)


def _signed(at: int, length: int) -> int:
    return at - length if at > length // 2 else at
