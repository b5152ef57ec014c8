"""The best of the frames of a camera, as they come (paper, section 7, Fig. 12 and 13).

A frame that shows another view than the best so far competes by its score; one that shows the same view by what ranks
the photos of a burst, sharpness and light included.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aesth import registry
from aesth.apps.bursts import SAME_SCENE, distances
from aesth.apps.ranking import Look, look_at, merits
from aesth.decode import from_array
from aesth.encoder import DIMENSIONS, Encoder, OnnxEncoder, tag_of
from aesth.preprocess import UInt8Image
from aesth.scorer import norms_of
from aesth.taste import Taste, taste_for


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame that was looked at.

    Attributes:
        number: of the frames so far, from 0 on.
        time: when it was taken, in seconds on any clock; None if that was not told.
        image: its pixels, (h, w, 3).
        score: 0-100.
        norm: length of the embedding, as the taste moves it.
    """

    number: int
    time: float | None
    image: UInt8Image
    score: float
    norm: float


class BestShot:
    """Takes frames one by one, from any camera, and always knows the best so far; it keeps that one alone.

    For one thread at a time.

    >>> best_shot = BestShot()
    >>> for frame in camera:
    ...     best_shot.add(frame)
    >>> best_shot.best.image

    Args:
        model: ``"default"``, a name of the registry, or the path of an ONNX file.
        providers: execution providers, as of `aesth.Scorer`.
        threads: of the network; None takes every core.
        encoder: makes embeddings, in place of ``model``, ``providers`` and ``threads``.
        same_scene: distance of two frames of one view at most; see `aesth.apps.bursts`.
        taste: of the person to score for, or the file of it; None scores by what people like in common.

    Raises:
        ConfigError: the name of the model or of a provider is unknown, or the taste is for another model, or none.

    Attributes:
        best: the best frame so far; None before the first.
        seen: how many frames were looked at.
    """

    def __init__(
        self,
        model: str = "default",
        providers: Sequence[str] | None = None,
        threads: int | None = None,
        *,
        encoder: Encoder | None = None,
        same_scene: float = SAME_SCENE,
        taste: Taste | str | os.PathLike[str] | None = None,
    ) -> None:
        self.best: Shot | None = None
        self.seen = 0
        self._encoder = encoder or OnnxEncoder(registry.find(model), providers, threads)
        if isinstance(self._encoder, OnnxEncoder):
            self._encoder.prepare()  # a camera's first frame should not wait for it
        self._same_scene = same_scene
        self._taste = taste_for(tag_of(self._encoder), DIMENSIONS, taste)
        self._champion: _Known | None = None

    def add(self, frame: NDArray[np.uint8], time: float | None = None) -> Shot:
        """Look at a frame.

        Args:
            frame: upright sRGB pixels, uint8 (h, w, 3). They are copied, so that a camera may use its buffer again.
            time: when it was taken, in seconds.

        Returns:
            What was found of this frame, whether it is the best or not.

        Raises:
            DecodeError: this is no picture.
        """
        image = np.array(from_array(frame))  # a camera may use its buffer again
        record = self._encoder.record
        embeddings = self._encoder.encode(record.preprocess(image)[None])
        embedding, length = embeddings[0], float(norms_of(embeddings, self._taste)[0])
        shot = Shot(self.seen, time, image, float(record.scale.score(length)), length)
        self.seen += 1
        known = _Known(embedding, length, look_at(image))
        if self._champion is None or self._is_better(known, self._champion):
            self.best, self._champion = shot, known
        return shot

    def _is_better(self, challenger: _Known, champion: _Known) -> bool:
        if distances(champion.embedding, challenger.embedding[None])[0] > self._same_scene:
            return challenger.norm > champion.norm
        before, now = merits([champion.norm, challenger.norm], [champion.look, challenger.look])
        return bool(now > before)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What the best frame is compared by."""

    embedding: NDArray[np.float32]
    norm: float
    look: Look
