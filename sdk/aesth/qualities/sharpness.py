"""How sharp an image is: the width of its blur, whatever its size, its exposure and its noise.

The gradients of an image, smoothed a little and smoothed more, lose energy in a ratio that tells how wide edges were
blurred before (Hu & de Haan, Low cost robust blur estimator, ICIP 2006; Zhuo & Sim, Defocus map estimation from a
single image, Pattern Recognition 44, 2011). A ratio does not depend on how light or rich in contrast the image is. What
noise adds to the energies is known from its strength and taken off, and pixels that are black or white to the end,
whose edges are cut off, do not count. It is measured along four directions, and the blurriest one counts, so that shake
is seen.

The image is divided into tiles, which count by how much edge they have: a portrait before a blurred wall is sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth.preprocess import UInt8Image
from aesth.qualities.tones import BLACK, WHITE

Grey = NDArray[np.float32]

SIDE = 1024
"""Short side in pixels at which sharpness is looked at, if an image has so many: that of a large screen."""
FINE, COARSE = 0.9, 2.1
"""Sigmas of the two Gaussians that gradients are smoothed with."""
TILES = 8
"""The image is divided into so many tiles along each side, if it has enough pixels."""
WIDE = 2.0
"""A blur of more pixels is measured at half the size, where it has half as many."""
LEAST = 64
"""No image is reduced below this short side."""

_FIRST, _SECOND = (math.sqrt(sigma**2 - 1 / 3) for sigma in (FINE, COARSE))
"""What is smoothed before differences over two pixels are taken, which smooth by the rest."""
_SQRT_HALF = np.float32(math.sqrt(0.5))
_NARROWEST = 0.375
"""Sigma in pixels of a blur that leaves half of the contrast at the finest lines that pixels can show."""
_EDGES = 0.1
"""Energy of gradients, in squared steps of 255 a pixel, below which a tile has no edges that tell anything."""
_SIGNIFICANT = 0.5
"""A tile counts if noise made no more than this share of its energy,"""
_COUNTED = 0.1
"""and if so much of it is neither black nor white."""
_ROUNDING = 1 / 12
"""Variance of the noise that rounding to whole steps of 255 is at least."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What is left of the edges of an image when it is smoothed a little, and more, along each direction in each tile.

    Attributes:
        fine: energies of gradients smoothed by `FINE` pixels, (4, rows, columns). 0 where there are no edges, NaN where
            nothing is seen.
        coarse: the same, smoothed by `COARSE` pixels.
    """

    fine: Grey
    coarse: Grey


@dataclass(frozen=True, slots=True)
class Blur:
    """How wide an image is blurred along each direction in each of its tiles.

    Attributes:
        widths: sigma of the blur in pixels of the image, (4, rows, columns). NaN where there are no edges.
        energies: energy of the gradients there, which tells how much edge there is.
        side: short side of the image in pixels.
    """

    widths: Grey
    energies: Grey
    side: int

    def typical(self) -> float:
        """The width than which half of all edges are sharper, along the blurriest direction; NaN without edges."""
        amounts = self.energies.sum(axis=(1, 2))
        directions = zip(self.widths, self.energies, strict=True)
        told = [_median(*direction) for direction, amount in zip(directions, amounts, strict=True) if amount > 0]
        return max(told, default=math.nan)


def sharpness(image: UInt8Image) -> float:
    """Line widths that the short side of ``image``, sRGB (h, w, 3), resolves with half of their contrast, 0-1024.

    It is MTF50 in line widths a picture height, as lenses are tested (ISO 12233), if the blur is a Gaussian: 0 where
    there is no edge, at most the number of pixels of the short side.
    """
    blur = blur_of(image)
    width = blur.typical()
    return 0.0 if np.isnan(width) else resolved(width, blur.side)


def resolved(width: float, side: int) -> float:
    """Line widths that ``side`` pixels resolve when blurred by a Gaussian of sigma ``width`` pixels."""
    return _NARROWEST * side / max(width, _NARROWEST)


def blur_of(image: UInt8Image) -> Blur:
    """The blur of ``image``, sRGB (h, w, 3), measured at the size at which it is a few pixels wide."""
    small = at_most(image, SIDE)
    side = min(small.shape[:2])
    grey, factor = Image.fromarray(small).convert("L"), 1
    while True:
        edges = _edges(np.asarray(grey, np.float32))
        blur = Blur(_widths(edges) * factor, edges.fine, side)
        if not blur.typical() > WIDE * factor or min(grey.size) < 2 * LEAST:
            return blur
        grey, factor = grey.reduce(2), factor * 2


def edges_of(image: UInt8Image) -> Edges:
    """The edges of ``image``, sRGB (h, w, 3), as they are, without a reduction."""
    return _edges(np.asarray(Image.fromarray(image).convert("L"), np.float32))


def noise(image: UInt8Image) -> float:
    """Standard deviation of the grain of ``image``, sRGB (h, w, 3), of 255.

    Source: Immerkær, Fast noise variance estimation, CVIU 64, 1996, of the calmest tenth of the tiles, since texture
    passes for noise.
    """
    return _noise(np.asarray(Image.fromarray(image).convert("L"), np.float32))


def at_most(image: UInt8Image, side: int) -> UInt8Image:
    """``image`` (h, w, 3), reduced so that its short side has at most so many pixels."""
    shortest = min(image.shape[:2])
    if shortest <= side:
        return image
    height, width = (round(length * side / shortest) for length in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3))


def _median(values: Grey, weights: Grey) -> float:
    """The median of ``values``, those that are NaN left out, by ``weights``."""
    told = np.isfinite(values)
    order = np.argsort(values[told])
    below = np.cumsum(weights[told][order], dtype=np.float64)
    return float(values[told][order][np.searchsorted(below, below[-1] / 2)])


def _edges(grey: Grey) -> Edges:
    """The edges of ``grey`` (h, w), 0-255."""
    valid = _valid(grey)
    variance = max(_noise(grey) ** 2, _ROUNDING)
    once = _smoothed(grey, _FIRST)
    twice = _smoothed(once, math.sqrt(_SECOND**2 - _FIRST**2))
    fine, coarse = _energies(once, valid, _FIRST, variance), _energies(twice, valid, _SECOND, variance)
    known = (fine > 0) & (coarse > 0)
    return Edges(*(np.where(known, energy, np.float32(0)) for energy in (fine, coarse)))


def _widths(edges: Edges) -> Grey:
    """Sigmas of edges' blur by the energies of their gradients: these fall with 1 / sqrt(sigma² + smoothing²)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (edges.fine / edges.coarse) ** 2
        squared = (COARSE**2 - ratio * FINE**2) / (ratio - 1)
    widths: Grey = np.sqrt(np.clip(np.where(ratio > 1, squared, np.inf), 0, (4 * COARSE) ** 2)).astype(np.float32)
    return np.where(edges.fine > 0, widths, np.float32(np.nan))


def _energies(smooth: Grey, valid: Grey, sigma: float, variance: float) -> Grey:
    """Mean squared gradient along four directions in each tile of an image, without that of noise.

    0 in tiles that have no edges, or where noise is most of it.

    Args:
        smooth: the image, smoothed by ``sigma``, (h, w).
        valid: 1 where it counts, else 0.
        sigma: of the smoothing.
        variance: of the noise before it was smoothed.
    """
    down, right = _slope(smooth, 0), _slope(smooth, 1)
    slopes: tuple[Grey, ...] = (down, right, _SQRT_HALF * (down + right), _SQRT_HALF * (down - right))
    counted = _tile_means(valid)
    weight = np.maximum(counted, np.finfo(np.float32).tiny)
    total = np.stack([_tile_means(slope**2 * valid) for slope in slopes]) / weight
    grain = variance * _grain(sigma)
    known = (counted > _COUNTED) & (total - grain > _EDGES / sigma) & (grain < _SIGNIFICANT * total)
    energy: Grey = np.where(known, total - grain, np.float32(0))
    return energy


def _slope(values: Grey, axis: int) -> Grey:
    """Central differences along an axis; 0 at the edge."""
    slope = np.zeros_like(values)
    if axis == 0:
        slope[1:-1] = values[2:] - values[:-2]
    else:
        slope[:, 1:-1] = values[:, 2:] - values[:, :-2]
    slope /= 2
    return slope


def _grain(sigma: float) -> float:
    """Variance of the slope of noise of variance 1 that was smoothed by ``sigma``."""
    kernel = _gaussian(sigma)
    slope = np.convolve(kernel, [0.5, 0, -0.5])
    return float((kernel**2).sum() * (slope**2).sum())


def _valid(grey: Grey) -> Grey:
    """1 where no pixel near is black or white to the end, else 0."""
    near = np.pad((grey <= BLACK) | (grey >= WHITE), 2, mode="edge")
    height, width = grey.shape
    rows = np.logical_or.reduce([near[:, at : at + width] for at in range(5)])
    clipped = np.logical_or.reduce([rows[at : at + height] for at in range(5)])
    valid: Grey = (~clipped).astype(np.float32)
    return valid


def _noise(grey: Grey) -> float:
    if min(grey.shape) < 3:
        return 0.0
    second = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    laplacian = np.abs(second[:-2] - 2 * second[1:-1] + second[2:])
    return float(np.quantile(_tile_means(laplacian), 0.1) * np.sqrt(np.pi / 2) / 6)


def _tile_means(values: Grey) -> Grey:
    """Means over tiles of ``values``, (h, w): (rows, columns), at most `TILES` each."""
    rows, columns = (np.linspace(0, length, min(TILES, length), endpoint=False).astype(int) for length in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0, dtype=np.float64), columns, axis=1)
    heights, widths = np.diff([*rows, values.shape[0]]), np.diff([*columns, values.shape[1]])
    means: Grey = (sums / np.outer(heights, widths)).astype(np.float32)
    return means


def _smoothed(values: Grey, sigma: float) -> Grey:
    """``values`` (h, w) smoothed by a Gaussian, the edge repeated."""
    kernel = _gaussian(sigma)
    reach = len(kernel) // 2
    height, width = values.shape
    padded = np.pad(values, reach, mode="edge")
    rows = np.zeros((padded.shape[0], width), np.float32)
    for at, weight in enumerate(kernel):
        rows += weight * padded[:, at : at + width]
    smooth = np.zeros_like(values)
    for at, weight in enumerate(kernel):
        smooth += weight * rows[at : at + height]
    return smooth


def _gaussian(sigma: float) -> Grey:
    reach = np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1, dtype=np.float32)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    kernel: Grey = weights / weights.sum()
    return kernel
