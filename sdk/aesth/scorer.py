"""The pipeline decode -> encode -> scale: lazy, in order, one error object for each bad photo."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth import registry
from aesth.ahead import WouldBlock, never, take
from aesth.cache import Glance, Known, ModelKey, ScoreCache
from aesth.cores import usable_cores
from aesth.decode import DEFAULT_MAX_PIXELS, from_array, from_pil, load
from aesth.encoder import DIMENSIONS, Encoder, OnnxEncoder, tag_of
from aesth.errors import AesthError, DecodeError
from aesth.preprocess import PIXELS, UInt8Image
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints, norm, stars
from aesth.taste import Taste, taste_for

Photo: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]

Look: TypeAlias = Callable[[UInt8Image], object]
"""What else is measured of decoded pixels, upright sRGB (h, w, 3), while they are there; called by several threads."""

BATCH_SIZE = 8
"""So many photos are encoded at a time at most; fewer, when the next is not decoded yet."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What became of one photo: a score, or an error.

    Attributes:
        path: the file; None for an image that was handed in as pixels.
        score: 0-100, the percentile of the norm among ordinary photos; None if it failed.
        norm: Euclidean length of the embedding, the paper's score (section 5.4), as the scorer's taste moves it; None
            if it failed.
        rating: stars 1-5; None if it failed.
        embedding: the point of the aesthetic space, float32 (1000,); None if it failed, or if the score was remembered.
        error: what went wrong, else None.
        seen: what the ``look`` that was asked for made of the pixels; None without one, if it failed, or if the score
            was remembered.
    """

    path: Path | None
    score: float | None = None
    norm: float | None = None
    rating: int | None = None
    embedding: NDArray[np.float32] | None = None
    error: AesthError | None = None
    seen: object = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A photo that waits for its turn: its pixels, what is known of it already, or an error."""

    path: Path | None
    image: UInt8Image | None = None
    glance: Glance | None = None
    known: Known | None = None
    error: AesthError | None = None
    seen: object = None


class Scorer:
    """Scores photos. A context manager; safe to share between threads, not across a fork.

    Args:
        model: ``"default"``, a name of the registry, or the path of an ONNX file.
        providers: execution providers, best first (``"cpu"``, ``"cuda"``, ...); None takes the CPU.
        threads: threads of ONNX Runtime; None takes every core.
        jobs: photos decoded at a time; None takes every core.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars.
        max_pixels: photos of more pixels are refused (decompression bombs).
        previews: score JPEG and HEIF files by a preview that the camera stored in them, where it is large enough and
            shows the same. RAW files are scored by theirs in any case: by the smallest such one, or by the largest.
        encoder: an encoder to use in place of ``model``, ``providers`` and ``threads``.
        cache: scores to remember between runs; the caller closes it after this. None, the default, remembers nothing:
            a program that did not ask finds no file of ours in the person's folders, and gets every embedding.
        taste: of the person to score for, or the file of it, see `aesth.taste`; None scores by what people like in
            common.

    Raises:
        ConfigError: the name of the model or of a provider is unknown, or the taste is for another model, or none.
        ModelError: the model is missing or damaged; of a network that is damaged where its file looks whole, the first
            photo that needs it tells.
        ProviderError: a provider is missing here.
    """

    def __init__(
        self,
        model: str = "default",
        providers: Sequence[str] | None = None,
        threads: int | None = None,
        jobs: int | None = None,
        *,
        cut_points: CutPoints = DEFAULT_CUT_POINTS,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        previews: bool = True,
        encoder: Encoder | None = None,
        cache: ScoreCache | None = None,
        taste: Taste | str | os.PathLike[str] | None = None,
    ) -> None:
        self.encoder = encoder or OnnxEncoder(registry.find(model), providers, threads)
        self.taste = taste_for(tag_of(self.encoder), DIMENSIONS, taste)
        self.cut_points = cut_points
        self.max_pixels = max_pixels
        self.previews = previews
        self.cache = cache
        self._key = _key_of(self.encoder, previews, self.taste) if cache else None
        self.jobs = jobs or usable_cores()
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="aesth-decode")
        self._process = os.getpid()
        self._closed = False

    @property
    def tag(self) -> str:
        """What is remembered of who scored: the model's name and the start of its checksum, and so of the taste."""
        model = tag_of(self.encoder)
        return model if self.taste is None else f"{model} {self.taste.tag}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the decoding threads. Photos not yet begun are dropped."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def score(
        self, paths: Iterable[Photo], would_block: WouldBlock = never, look: Look | None = None
    ) -> Iterator[Scored]:
        """Score photos one after the other: lazily, in input order, never raising for one bad photo.

        Files whose score is remembered are not decoded.

        Args:
            paths: files, PIL images or arrays (h, w, 3); may be endless. At most a few more photos than
                those already yielded are taken from it.
            would_block: whether taking the next photo would wait; then the results of those taken come first.
                Without it, a source that waits for the result of one photo before it gives the next waits for ever.
            look: what else is measured of each photo that is decoded; see `Scored.seen`.
        """
        return self._score(paths, would_block, self._key, look)

    def score_one(self, image: Photo) -> Scored:
        """Score one photo. What went wrong, if anything, is in ``.error``."""
        return next(self.score([image]))

    def embed(self, images: Iterable[Photo]) -> NDArray[np.float32]:
        """Points of the aesthetic space, float32 (n, 1000), in input order.

        Raises:
            DecodeError: an image cannot be read.
        """
        embeddings = []
        for scored in self._score(images, never, None):
            if scored.error is not None:
                raise scored.error
            embeddings.append(scored.embedding)
        return np.array(embeddings, np.float32).reshape(len(embeddings), DIMENSIONS)

    def _score(
        self, photos: Iterable[Photo], would_block: WouldBlock, key: ModelKey | None, look: Look | None = None
    ) -> Iterator[Scored]:
        self._refuse_misuse()
        prepare = partial(self._prepare, key=key, look=look)
        for batch in _batches(self._pool, prepare, photos, self.jobs + BATCH_SIZE, would_block):
            yield from self._score_batch(batch, key)

    def _prepare(self, photo: Photo, key: ModelKey | None, look: Look | None) -> _Prepared:
        path = Path(photo) if isinstance(photo, (str, os.PathLike)) else None
        glance = self.cache.look(path, key) if self.cache and path and key else None
        if glance and glance.known:
            return _Prepared(path, known=glance.known)
        if isinstance(self.encoder, OnnxEncoder):
            self.encoder.prepare()  # while the first photo is decoded
        try:
            pixels = self._load(photo)
            image = self.encoder.record.preprocess(pixels)
        except AesthError as error:
            return _Prepared(path, error=error)
        current = glance if glance and glance.is_current() else None
        return _Prepared(path, image, current, seen=look(pixels) if look else None)

    def _load(self, photo: Photo) -> UInt8Image:
        if isinstance(photo, np.ndarray):
            return from_array(photo)
        if isinstance(photo, Image.Image):
            return from_pil(photo)
        if not isinstance(photo, (str, os.PathLike)):
            raise DecodeError(f"{type(photo).__name__} is no photo; give a path, a PIL image or an array")
        size = self.encoder.record.preprocess.size
        return load(Path(photo), at_least=size, max_pixels=self.max_pixels, previews=self.previews)

    def _score_batch(self, batch: Sequence[_Prepared], key: ModelKey | None) -> Iterator[Scored]:
        images = [photo.image for photo in batch if photo.image is not None]
        embeddings = self.encoder.encode(np.stack(images)) if images else np.empty((0, DIMENSIONS), np.float32)
        norms = norms_of(embeddings, self.taste)
        scores = self.encoder.record.scale.score(norms)
        results = zip(embeddings, norms, scores, strict=True)
        for photo in batch:
            if photo.error is not None:
                yield Scored(photo.path, error=photo.error)
                continue
            known, embedding = photo.known, None
            if known is None:
                embedding, length, score = next(results)
                known = Known(float(score), float(length))
                if self.cache and key and photo.glance:
                    self.cache.remember(photo.glance, key, known)
            rating = stars(known.score, self.cut_points)
            yield Scored(photo.path, known.score, known.norm, rating, embedding, seen=photo.seen)

    def _refuse_misuse(self) -> None:
        if self._closed:
            raise AesthError("this Scorer is closed; make a new one")
        if os.getpid() != self._process:
            raise AesthError("a Scorer does not survive a fork; make a new one in each process")


def score(photo: Photo, model: str = "default") -> Scored:
    """Score one photo with a scorer made for it; for many, share a `Scorer`."""
    with Scorer(model, jobs=1) as scorer:
        return scorer.score_one(photo)


def norms_of(embeddings: NDArray[np.float32], taste: Taste | None) -> NDArray[np.float32]:
    """The norms of embeddings, (n, d) -> (n,), as ``taste`` moves them, if there is one."""
    return norm(embeddings) if taste is None else taste.norms(embeddings)


def _key_of(encoder: Encoder, previews: bool, taste: Taste | None) -> ModelKey | None:
    """By what scores of ``encoder`` are remembered; None where no file tells whether it is the same next time."""
    if not isinstance(encoder, OnnxEncoder):
        return None
    name = encoder.model.name.encode("utf-8", "replace").decode()
    if taste is not None:
        name = f"{name} with taste {taste.checksum[:16]}"
    return ModelKey(name, encoder.model.checksum, ", ".join(encoder.providers), PIXELS if previews else -PIXELS)


def _batches(
    pool: ThreadPoolExecutor,
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    ahead: int,
    would_block: WouldBlock,
) -> Iterator[list[_Result]]:
    """``map(function, items)`` in order, in batches of what is done; at most ``ahead`` items are begun early."""
    source = iter(items)
    running: deque[Future[_Result]] = deque()
    try:
        while True:
            for item in take(source, ahead - len(running), would_block, least=0 if running else 1):
                running.append(pool.submit(function, item))
            if not running:
                return
            batch = [running.popleft().result()]
            while running and len(batch) < BATCH_SIZE and running[0].done():
                batch.append(running.popleft().result())
            yield batch
    finally:
        for future in running:
            future.cancel()
