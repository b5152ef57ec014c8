"""How sharp frames of one scene are, the one against the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aesth.qualities.sharpness import TILES, Edges, Grey


def relative_sharpness(frames: Sequence[Edges]) -> NDArray[np.float64]:
    """How much sharper each of some frames of one scene is than they are on average, (n,); 0 if nothing can be told.

    It is the logarithm of how much of the energy of edges is lost when the frame is smoothed on, in the same places of
    all frames, so that what the scene has there does not count; places count by how much edge they have. A blur of a
    pixel costs about half a unit.

    Args:
        frames: of images of one size.
    """
    if len({edges.fine.shape for edges in frames}) > 1:
        return np.zeros(len(frames))
    fine, coarse = (np.stack([getattr(edges, which) for edges in frames]) for which in ("fine", "coarse"))
    shown, told = np.isfinite(fine), fine > 0
    showing = np.maximum(shown.sum(axis=0), 1)
    counts = (showing > 1) & (2 * told.sum(axis=0) >= showing)
    weights = shown * np.where(counts, np.nansum(coarse, axis=0, dtype=np.float64) / showing, 0)
    # A frame that has no edges where others have some is blurred as far as can be: smoothing takes no more of it.
    lost = np.log(np.where(told, fine, 1), dtype=np.float64) - np.log(np.where(told, coarse, 1), dtype=np.float64)
    away = (lost - lost.sum(axis=0) / showing) * weights
    total = weights.sum(axis=(1, 2, 3))
    relative: NDArray[np.float64] = away.sum(axis=(1, 2, 3)) / np.where(total > 0, total, 1)
    return relative


def moved(edges: Edges, down: float, right: float) -> Edges:
    """The edges of an image in the tiles of another one, which its view lies beside; NaN where it shows nothing.

    Args:
        edges: of the image.
        down: by which share of the height its view lies lower than the other one.
        right: by which share of the width it lies further right.
    """
    rows, columns = round(down * TILES), round(right * TILES)
    return Edges(*(_shifted(energies, rows, columns) for energies in (edges.fine, edges.coarse)))


def _shifted(values: Grey, rows: int, columns: int) -> Grey:
    """``values`` (4, rows, columns), moved by whole tiles."""
    shifted = np.full_like(values, np.nan)
    height, width = values.shape[1:]
    to = slice(max(rows, 0), max(height + rows, 0)), slice(max(columns, 0), max(width + columns, 0))
    of = slice(max(-rows, 0), max(height - rows, 0)), slice(max(-columns, 0), max(width - columns, 0))
    shifted[:, to[0], to[1]] = values[:, of[0], of[1]]
    return shifted
