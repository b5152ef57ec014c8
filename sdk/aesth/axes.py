"""Embeddings in few numbers: coordinates on axes that are common to all photos of a model.

A network fills no more dimensions of the aesthetic space than its narrowest layer has: those that are shipped 64 of
1000. So axes are laid through the embeddings as they come, each square to all before it (Gram-Schmidt
orthogonalisation), until they tell every photo; a model that fills all dimensions gets an axis for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from aesth.cache import ScoreCache, ViewKind

TOLERANCE = 1e-5
"""Of its length, what of an embedding may be lost. A model loses a tenth of it by how photos are batched."""

_MARK = 8
_TRIES = 4
"""Other processes may lay axes at the same time."""


class Axes:
    """The axes of one model as a cache keeps them, and embeddings told by them. Safe to share between threads.

    Args:
        cache: where the axes are.
        kind: of the embeddings.
        dimensions: of the embeddings.
    """

    def __init__(self, cache: ScoreCache, kind: ViewKind, dimensions: int) -> None:
        self._cache = cache
        self._kind = kind
        self._lock = Lock()
        self._axes = np.empty((0, dimensions))
        self._marks = _marks(())

    def packed(self, embedding: NDArray[np.float32]) -> bytes | None:
        """An embedding (d,) as it is kept, which may take a new axis; None where it cannot be."""
        point = embedding.astype(np.float64)
        if not np.isfinite(point).all():
            return None
        with self._lock:
            for _ in range(_TRIES):
                coordinates = self._axes @ point
                rest = point - coordinates @ self._axes
                if np.linalg.norm(rest) <= TOLERANCE * np.linalg.norm(point):
                    return self._marks[-1] + coordinates.astype("<f4").tobytes()
                rest -= self._axes.T @ (self._axes @ rest)  # rounding left some of it
                self._cache.add_axis(self._kind, len(self._axes), (rest / np.linalg.norm(rest)).astype("<f4").tobytes())
                self._read()
        return None

    def unpacked(self, packed: bytes) -> NDArray[np.float32] | None:
        """The embedding that was kept, within `TOLERANCE`; None where its axes are not what they were."""
        mark, coordinates = packed[:_MARK], np.frombuffer(packed[_MARK:], "<f4")
        with self._lock:
            if not self._has(mark, len(coordinates)):
                self._read()
            if not self._has(mark, len(coordinates)):
                return None
            axes = self._axes[: len(coordinates)]
        embedding: NDArray[np.float32] = (coordinates.astype(np.float64) @ axes).astype(np.float32)
        return embedding

    def _has(self, mark: bytes, number: int) -> bool:
        return number < len(self._marks) and self._marks[number] == mark

    def _read(self) -> None:
        kept = self._cache.axes(self._kind)
        size = self._axes.shape[1]
        self._axes = np.array([np.frombuffer(axis, "<f4") for axis in kept], np.float64).reshape(len(kept), size)
        self._marks = _marks(kept)


def _marks(axes: Iterable[bytes]) -> list[bytes]:
    """What tells the first n axes from any others, for each n from 0 on."""
    marks = [bytes(_MARK)]
    for axis in axes:
        marks.append(blake2b(marks[-1] + axis, digest_size=_MARK).digest())
    return marks
