"""How sharp frames of one scene are, the one against the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aesth.qualities.sharpness import Edges


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
    fine, coarse = (
        np.stack([getattr(edges, which) for edges in frames]).astype(np.float64) for which in ("fine", "coarse")
    )
    told = np.isfinite(fine)
    weights = np.where(told.sum(axis=0) * 2 >= len(frames), np.nansum(coarse, axis=0), 0)
    if not weights.any():
        return np.zeros(len(frames))
    # A frame that has no edges where others have some is blurred as far as can be: smoothing takes no more of it.
    lost = np.where(told, np.log(fine) - np.log(coarse), 0)
    away: NDArray[np.float64] = ((lost - lost.mean(axis=0)) * weights).sum(axis=(1, 2, 3)) / weights.sum()
    return away
