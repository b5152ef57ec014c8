"""Popularity S (paper, Eq. 1): how well a published photo is liked, from its faves F and views V."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def popularity(faves: ArrayLike, views: ArrayLike) -> NDArray[np.float64]:
    """S = log F / log V (Eq. 1), in [0, 1]; it does not change while F and V grow exponentially.

    Where Eq. 1 says nothing, this is what holds:

    - No fave counts like one: S = 0, the least that any photo can have.
    - Counts that are no evidence give NaN, so that one bad line does not stop a catalogue: at most one view
      (log V is zero or undefined), negative, infinite or missing counts, and more faves than views.

    Args:
        faves: F, numbers of any shape.
        views: V, of a shape that broadcasts with ``faves``.

    Returns:
        S of the broadcast shape, float64; 0-d for two scalars.
    """
    fave_counts, view_counts = np.broadcast_arrays(np.asarray(faves, np.float64), np.asarray(views, np.float64))
    known = (fave_counts >= 0) & (fave_counts <= view_counts) & (view_counts > 1) & np.isfinite(view_counts)
    score = np.full(known.shape, np.nan)
    np.divide(
        np.log(np.where(known, np.maximum(fave_counts, 1), 1)),
        np.log(np.where(known, view_counts, 2)),
        out=score,
        where=known,
    )
    return score
