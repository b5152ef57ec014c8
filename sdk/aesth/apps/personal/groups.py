"""Which photos belong together, so that what is learnt from one says too much of the others: days, takes, copies."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from aesth.apps.bursts import Embeddings, find_series
from aesth.metadata import Capture

LEAST_GROUPS = 5
"""So few groups tell nothing of days that were not seen."""

ENOUGH_DAYS = 10
"""With fewer days, photos are grouped by takes instead."""

TAKE_GAP = 600.0
"""Seconds between two takes at least."""

SAME_PICTURE = 0.5
"""Distance, in units of the geometric mean of their lengths, up to which two photos are copies or nearly so."""

_BLOCK = 256


def group(captures: Sequence[Capture], embeddings: Embeddings) -> NDArray[np.intp]:
    """The group of each photo, 0 to g - 1: (n,).

    Photos of one day belong together, of all cameras; where there are few days, photos of one camera that follow one
    another within ten minutes. So do bursts over midnight, and a photo without a time and all that look the same.

    Args:
        captures: of each photo.
        embeddings: of each photo, (n, d).
    """
    undated = np.array([capture.taken is None for capture in captures], np.bool_)
    alike = [*_look_alikes(embeddings, undated), *find_series(captures)]
    days = _joined(len(captures), [*alike, *_by(captures, lambda capture: capture.taken and capture.taken.date())])
    if _number(days) >= ENOUGH_DAYS:
        return days
    return _joined(len(captures), [*alike, *find_series(captures, gap=TAKE_GAP)])


def _by(captures: Sequence[Capture], key: Callable[[Capture], Hashable | None]) -> list[list[int]]:
    """Numbers of photos that have the same key, which is not None."""
    found: dict[Hashable, list[int]] = {}
    for number, capture in enumerate(captures):
        if (name := key(capture)) is not None:
            found.setdefault(name, []).append(number)
    return list(found.values())


def _look_alikes(embeddings: Embeddings, undated: NDArray[np.bool_]) -> list[list[int]]:
    """Pairs of photos that are near, as in `aesth.apps.bursts.distances`, the first of which is undated."""
    squares = np.sum(embeddings**2, axis=-1)
    found: list[list[int]] = []
    numbers = np.flatnonzero(undated)
    for begin in range(0, len(numbers), _BLOCK):
        some = numbers[begin : begin + _BLOCK]
        apart = squares[some, None] + squares - 2 * embeddings[some] @ embeddings.T
        near = apart <= SAME_PICTURE**2 * np.sqrt(squares[some, None] * squares)
        found += [[int(some[one]), int(other)] for one, other in np.argwhere(near) if some[one] != other]
    return found


def _joined(photos: int, together: Sequence[Sequence[int]]) -> NDArray[np.intp]:
    """Groups of photos of which those in one list of ``together`` are in one group."""
    parents = list(range(photos))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for first, *others in together:
        for other in others:
            parents[root(other)] = root(first)
    numbers: NDArray[np.intp] = np.unique([root(number) for number in range(photos)], return_inverse=True)[1]
    return numbers


def _number(groups: NDArray[np.intp]) -> int:
    return len(np.unique(groups))
