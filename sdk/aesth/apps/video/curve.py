"""The score curve of a video: how pleasing its frames are, one after the other, and smoothed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesth.ahead import in_background
from aesth.apps.bursts import SAME_SCENE, distances
from aesth.apps.video.smoothing import Series, smooth
from aesth.decode.video import Frame, Video
from aesth.scorer import Scorer

EVERY = 1.0
"""Seconds for each of which one frame is scored."""
NOISE = 3.0
"""Deviation, in points, of the score of a frame from what its neighbours let expect."""
DRIFT = 8.0
"""Deviation, in points, by which the score of a scene wanders within a second."""
JUMP = 50.0
"""The same where another scene begins: nothing before tells of it."""

_AHEAD = 4
"""Frames that are decoded while others are scored."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The scores of a video's frames, in the order in which they are shown; each array is (n,).

    Attributes:
        times: seconds from the start.
        scores: 0-100, of each frame alone.
        smoothed: 0-100, by all frames of the scene.
        deviation: of the smoothed score, in points.
        begins: whether the frame is the first that was seen of its scene.
    """

    times: Series
    scores: Series
    smoothed: Series
    deviation: Series
    begins: NDArray[np.bool_]


def score_curve(
    video: Video,
    scorer: Scorer,
    every: float | None = EVERY,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Curve:
    """Score the frames of a video.

    Args:
        video: open for reading.
        scorer: makes scores and embeddings.
        every: seconds for each of which one frame is scored; None scores every frame.
        on_progress: told how many seconds of the video are done.

    Raises:
        DecodeError: nothing in the video can be decoded.
    """
    times, scores, begins = [], [], []
    before: NDArray[np.float32] | None = None
    size = scorer.encoder.record.preprocess.size
    with closing(in_background(video.frames(every, size=size), _AHEAD)) as frames:
        shown: deque[float] = deque()
        for scored in scorer.score(_images(frames, shown)):
            if scored.error is not None or scored.score is None or scored.embedding is None:
                raise scored.error or ValueError("the scorer remembers scores; give one without a cache")
            times.append(shown.popleft())
            scores.append(scored.score)
            begins.append(before is None or distances(before, scored.embedding[None])[0] > SAME_SCENE)
            before = scored.embedding
            on_progress(times[-1])
    return curve_of(times, scores, begins)


def curve_of(times: ArrayLike, scores: ArrayLike, begins: ArrayLike) -> Curve:
    """The curve of scores, (n,), of frames shown at ``times``, (n,), of which ``begins`` tells where scenes begin."""
    moments, values, cuts = np.asarray(times, np.float64), np.asarray(scores, np.float64), np.asarray(begins, bool)
    drift = DRIFT**2 * np.diff(moments) + np.where(cuts[1:], JUMP**2, 0)
    known = smooth(values, drift, NOISE**2)
    return Curve(moments, values, np.clip(known.mean, 0, 100), np.sqrt(known.variance), cuts)


def _images(frames: Iterable[Frame], shown: deque[float]) -> Iterator[NDArray[np.uint8]]:
    """The pixels of ``frames``, whose times are put into ``shown``."""
    for frame in frames:
        shown.append(frame.time)
        yield frame.image
