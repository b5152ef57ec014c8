"""What a scorer remembers of photos between runs: scores, embeddings, and what else was measured of their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from aesth.axes import Axes
from aesth.cache import Glance, Known, ModelKey, ScoreCache, ViewKind
from aesth.encoder import DIMENSIONS, Encoder, OnnxEncoder
from aesth.preprocess import PIXELS, UInt8Image
from aesth.taste import Taste

_Seen = TypeVar("_Seen")


@dataclass(frozen=True)
class LookAt(Generic[_Seen]):
    """Something that is measured of a photo while its pixels are there, and can be remembered.

    Attributes:
        what: its name, for people, in the plural.
        version: raised by whoever changes what comes out of the same pixels, or its form as bytes.
        measure: what it makes of decoded pixels, upright sRGB (h, w, 3); called by several threads.
        packed: what was measured as bytes.
        unpacked: the same from those bytes.
    """

    what: str
    version: int
    measure: Callable[[UInt8Image], _Seen]
    packed: Callable[[_Seen], bytes]
    unpacked: Callable[[bytes], _Seen]

    def __call__(self, image: UInt8Image) -> _Seen:
        """What is measured of decoded pixels."""
        return self.measure(image)


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """What is remembered of a photo of what was asked for; None for what is not.

    Attributes:
        glance: the photo as it was when it was looked up; None where nothing can be remembered of it.
        known: its score.
        embedding: its point of the aesthetic space, float32 (1000,).
        seen: what a look made of its pixels.
    """

    glance: Glance | None = None
    known: Known | None = None
    embedding: NDArray[np.float32] | None = None
    seen: object = None


class Memory:
    """What is remembered of photos by one encoder and taste. Safe to share between threads.

    Embeddings, and what is seen in pixels, know nothing of taste: with another one, scores come of those remembered.

    Args:
        cache: where it is kept.
        encoder: of a file, which tells whether it is the same next time.
        previews: whether photos are decoded by their previews.
        taste: of the person to score for.
    """

    def __init__(self, cache: ScoreCache, encoder: OnnxEncoder, previews: bool, taste: Taste | None) -> None:
        pixels = PIXELS if previews else -PIXELS
        name = encoder.model.name.encode("utf-8", "replace").decode()
        self._cache = cache
        self._model = ModelKey(name, encoder.model.checksum, ", ".join(encoder.providers), pixels)
        self._points = ViewKind("embeddings", repr(self._model))
        self._pixels = f"pixels {pixels} for {encoder.record.preprocess.size}"
        if taste is not None:
            self._model = replace(self._model, name=f"{name} with taste {taste.checksum[:16]}")
        self._axes = Axes(cache, self._points, DIMENSIONS)

    def recall(self, photo: Path, *, embedding: bool, look: LookAt[Any] | None) -> Recalled:
        """What is remembered of a photo.

        Args:
            photo: the file.
            embedding: whether its embedding is asked for; it is in any case where no score is remembered.
            look: what else is asked for.
        """
        glance = self._cache.look(photo, self._model)
        if glance is None:
            return Recalled()
        point = self._cache.view(glance, self._points) if embedding or glance.known is None else None
        seen = self._cache.view(glance, self._kind_of(look)) if look else None
        return Recalled(
            glance,
            glance.known,
            None if point is None else self._axes.unpacked(point),
            None if look is None or seen is None else look.unpacked(seen),
        )

    def keep(self, glance: Glance, known: Known) -> None:
        """Remember the score of a photo that is still as it was when it was looked up."""
        self._cache.remember(glance, self._model, known)

    def keep_embedding(self, glance: Glance, embedding: NDArray[np.float32]) -> None:
        """Remember the embedding of a photo that is still as it was."""
        if (point := self._axes.packed(embedding)) is not None:
            self._cache.keep_view(glance, self._points, point)

    def keep_seen(self, glance: Glance, look: LookAt[Any], seen: object) -> None:
        """Remember what a look made of the pixels of a photo that is still as it was."""
        self._cache.keep_view(glance, self._kind_of(look), look.packed(seen))

    def _kind_of(self, look: LookAt[Any]) -> ViewKind:
        return ViewKind(look.what, f"version {look.version} of {self._pixels}")


def memory_of(cache: ScoreCache | None, encoder: Encoder, previews: bool, taste: Taste | None) -> Memory | None:
    """What remembers photos for an encoder; None where no file tells whether it is the same next time."""
    if cache is None or not isinstance(encoder, OnnxEncoder):
        return None
    return Memory(cache, encoder, previews, taste)
