"""The pipeline decode -> encode -> scale: lazy, in order, one error object for each bad photo."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth import registry
from aesth.ahead import WouldBlock, never, take
from aesth.cache import Known, ScoreCache
from aesth.cores import usable_cores
from aesth.decode import DEFAULT_MAX_PIXELS, from_array, from_pil, load
from aesth.encoder import DIMENSIONS, Encoder, OnnxEncoder, tag_of
from aesth.errors import AesthError, DecodeError
from aesth.preprocess import UInt8Image
from aesth.remembering import LookAt, Recalled, memory_of
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints, norm, stars
from aesth.taste import Taste, taste_for

Photo: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]

BATCH_SIZE = 8
"""So many photos are encoded at a time at most, by all calls together, or one by each call where there are more; fewer,
when the next is not decoded yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What became of one photo: a score, or an error.

    Attributes:
        path: the file; None for an image that was handed in as pixels.
        score: 0-100, the percentile of the norm among ordinary photos; None if it failed.
        norm: Euclidean length of the embedding, the paper's score (section 5.4), as the scorer's taste moves it; None
            if it failed.
        rating: stars 1-5; None if it failed.
        embedding: the point of the aesthetic space, float32 (1000,); None if it failed, and it may be if it was not
            asked for.
        error: what went wrong, else None.
        seen: what the ``look`` that was asked for made of the pixels; None without one, or if it failed.
    """

    path: Path | None
    score: float | None = None
    norm: float | None = None
    rating: int | None = None
    embedding: NDArray[np.float32] | None = None
    error: AesthError | None = None
    seen: object = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a photo is looked at for, beside its score."""

    embedding: bool
    look: LookAt[Any] | None = None

    def lacks_pixels(self, found: Recalled) -> bool:
        """Whether the photo must be decoded, after what is remembered of it."""
        return self.lacks_embedding(found) or (self.look is not None and found.seen is None)

    def lacks_embedding(self, found: Recalled) -> bool:
        """Whether the photo must be encoded."""
        return found.embedding is None and (self.embedding or found.known is None)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A photo that waits for its turn: what is known of it, its pixels if it is to be encoded, or an error."""

    path: Path | None
    found: Recalled
    image: UInt8Image | None = None
    error: AesthError | None = None

    @property
    def needs_score(self) -> bool:
        return self.error is None and self.found.known is None


class Scorer:
    """Scores photos. A context manager; safe to share between threads, not across a fork.

    Args:
        model: ``"default"``, a name of the registry, or the path of an ONNX file.
        providers: execution providers, best first (``"cpu"``, ``"cuda"``, ...); None takes the CPU.
        threads: of the network; None takes every core.
        jobs: photos decoded at a time; None takes every core.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars.
        max_pixels: photos of more pixels are refused (decompression bombs).
        previews: score JPEG, HEIF and AVIF files by a preview that is stored in them, where it is large enough and
            shows the same. RAW files are scored by theirs in any case: by the smallest such one, or by the largest.
        encoder: an encoder to use in place of ``model``, ``providers`` and ``threads``.
        cache: scores and embeddings to remember between runs; the caller closes it after this. None, the default,
            remembers nothing: a program that did not ask finds no file of ours in the person's folders.
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
        self.jobs = jobs or usable_cores()
        calls = min(threads or usable_cores(), self.jobs)
        self.encoder = encoder or OnnxEncoder(registry.find(model), providers, threads, calls)
        self._calls = self.encoder.calls if isinstance(self.encoder, OnnxEncoder) else 1
        self._encoding = ThreadPoolExecutor(self._calls, thread_name_prefix="aesth-encode")
        self.taste = taste_for(tag_of(self.encoder), DIMENSIONS, taste)
        self.cut_points = cut_points
        self.max_pixels = max_pixels
        self.previews = previews
        self.cache = cache
        self._memory = memory_of(cache, self.encoder, previews, self.taste)
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
        """Stop the threads. Photos not yet begun are dropped."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._encoding.shutdown(wait=True, cancel_futures=True)

    def score(
        self,
        paths: Iterable[Photo],
        would_block: WouldBlock = never,
        look: LookAt[Any] | None = None,
        *,
        embeddings: bool = True,
    ) -> Iterator[Scored]:
        """Score photos one after the other: lazily, in input order, never raising for one bad photo.

        Files of which all that is asked for is remembered are not decoded.

        Args:
            paths: files, PIL images or arrays (h, w, 3); may be endless. At most a few more photos than
                those already yielded are taken from it.
            would_block: whether taking the next photo would wait; then the results of those taken come first.
                Without it, a source that waits for the result of one photo before it gives the next waits for ever.
            look: what else is measured of each photo; see `Scored.seen`.
            embeddings: whether they are asked for; a photo of which the score alone is remembered is decoded for them.
        """
        self._refuse_misuse()
        prepare = partial(self._prepare, asked=_Asked(embeddings, look))
        for batch, encoded in self._encoded(paths, prepare, would_block):
            yield from self._told(batch, encoded)

    def score_one(self, image: Photo) -> Scored:
        """Score one photo. What went wrong, if anything, is in ``.error``."""
        return next(self.score([image]))

    def embed(self, images: Iterable[Photo]) -> NDArray[np.float32]:
        """Points of the aesthetic space, float32 (n, 1000), in input order.

        Raises:
            DecodeError: an image cannot be read.
        """
        embeddings = []
        for scored in self.score(images):
            if scored.error is not None:
                raise scored.error
            embeddings.append(scored.embedding)
        return np.array(embeddings, np.float32).reshape(len(embeddings), DIMENSIONS)

    def _encoded(
        self, photos: Iterable[Photo], prepare: Callable[[Photo], _Prepared], would_block: WouldBlock
    ) -> Iterator[tuple[Sequence[_Prepared], NDArray[np.float32]]]:
        """Photos in order, with embeddings of those that have pixels, in batches of what is decoded.

        The next are decoded and encoded meanwhile; no more are on their way than each thread has to do at one time.
        """
        source = iter(photos)
        decoding: deque[Future[_Prepared]] = deque()
        encoding: deque[tuple[Sequence[_Prepared], Future[NDArray[np.float32]]]] = deque()
        ahead, most = self.jobs + 2 * max(BATCH_SIZE, self._calls), max(1, BATCH_SIZE // self._calls)
        try:
            while True:
                free = ahead - len(decoding) - sum(len(batch) for batch, _ in encoding)
                for photo in take(source, free, would_block, least=0 if decoding or encoding else 1):
                    decoding.append(self._pool.submit(prepare, photo))
                if not encoding and not decoding:
                    return
                under_way = [embeddings for _, embeddings in encoding if not embeddings.done()]
                next_to_encode = [decoding[0]] if decoding and len(under_way) < self._calls else []
                if encoding and encoding[0][1].done():
                    encoded, embeddings = encoding.popleft()
                    yield encoded, embeddings.result()
                elif next_to_encode and decoding[0].done():
                    batch = _take_done(decoding, most)
                    encoding.append((batch, self._encoding.submit(self._encode, batch)))
                else:
                    awaited: list[Future[Any]] = [*under_way, *next_to_encode]
                    wait(awaited, return_when=FIRST_COMPLETED)
        finally:
            for photo_to_come in decoding:
                photo_to_come.cancel()
            for _, embeddings in encoding:
                embeddings.cancel()

    def _prepare(self, photo: Photo, asked: _Asked) -> _Prepared:
        path = Path(photo) if isinstance(photo, (str, os.PathLike)) else None
        memory = self._memory if path else None
        found = memory.recall(path, embedding=asked.embedding, look=asked.look) if memory and path else Recalled()
        if not asked.lacks_pixels(found):
            return _Prepared(path, found if found.known else _if_current(found))
        if asked.lacks_embedding(found) and isinstance(self.encoder, OnnxEncoder):
            self.encoder.prepare()  # while the first photo is decoded
        try:
            pixels = self._load(photo)
            image = self.encoder.record.preprocess(pixels) if asked.lacks_embedding(found) else None
        except AesthError as error:
            return _Prepared(path, found, error=error)
        found = _if_current(found)
        if asked.look and found.seen is None:
            found = replace(found, seen=asked.look(pixels))
            if memory and found.glance:
                memory.keep_seen(found.glance, asked.look, found.seen)
        return _Prepared(path, found, image)

    def _load(self, photo: Photo) -> UInt8Image:
        if isinstance(photo, np.ndarray):
            return from_array(photo)
        if isinstance(photo, Image.Image):
            return from_pil(photo)
        if not isinstance(photo, (str, os.PathLike)):
            raise DecodeError(f"{type(photo).__name__} is no photo; give a path, a PIL image or an array")
        size = self.encoder.record.preprocess.size
        return load(Path(photo), at_least=size, max_pixels=self.max_pixels, previews=self.previews)

    def _encode(self, batch: Sequence[_Prepared]) -> NDArray[np.float32]:
        images = [photo.image for photo in batch if photo.image is not None]
        return self.encoder.encode(np.stack(images)) if images else np.empty((0, DIMENSIONS), np.float32)

    def _told(self, batch: Sequence[_Prepared], encoded: NDArray[np.float32]) -> Iterator[Scored]:
        rows = iter(encoded)
        embeddings = [photo.found.embedding if photo.image is None else next(rows) for photo in batch]
        told = zip(batch, embeddings, strict=True)
        measured = iter(self._measured([one for photo, one in told if photo.needs_score and one is not None]))
        for photo, embedding in zip(batch, embeddings, strict=True):
            if photo.error is not None:
                yield Scored(photo.path, error=photo.error)
                continue
            known = photo.found.known or next(measured)
            self._remember(photo, known, embedding)
            rating = stars(known.score, self.cut_points)
            yield Scored(photo.path, known.score, known.norm, rating, embedding, seen=photo.found.seen)

    def _measured(self, embeddings: Sequence[NDArray[np.float32]]) -> Iterator[Known]:
        if embeddings:
            norms = norms_of(np.stack(embeddings), self.taste)
            for score, length in zip(self.encoder.record.scale.score(norms), norms, strict=True):
                yield Known(float(score), float(length))

    def _remember(self, photo: _Prepared, known: Known, embedding: NDArray[np.float32] | None) -> None:
        """Keep what is new of a photo."""
        if self._memory is None or photo.found.glance is None:
            return
        if photo.found.known is None:
            self._memory.keep(photo.found.glance, known)
        if photo.image is not None and embedding is not None:
            self._memory.keep_embedding(photo.found.glance, embedding)

    def _refuse_misuse(self) -> None:
        if self._closed:
            raise AesthError("this Scorer is closed; make a new one")
        if os.getpid() != self._process:
            raise AesthError("a Scorer does not survive a fork; make a new one in each process")


def _if_current(found: Recalled) -> Recalled:
    """``found``, without the way to remember more of a photo that may have changed meanwhile."""
    return found if found.glance is None or found.glance.is_current() else replace(found, glance=None)


def score(photo: Photo, model: str = "default") -> Scored:
    """Score one photo with a scorer made for it; for many, share a `Scorer`."""
    with Scorer(model, jobs=1) as scorer:
        return scorer.score_one(photo)


def norms_of(embeddings: NDArray[np.float32], taste: Taste | None) -> NDArray[np.float32]:
    """The norms of embeddings, (n, d) -> (n,), as ``taste`` moves them, if there is one."""
    return norm(embeddings) if taste is None else taste.norms(embeddings)


def _take_done(running: deque[Future[_Prepared]], most: int) -> list[_Prepared]:
    """The first of what is ``running``, for which it waits, and those after it that are done, ``most`` at most."""
    batch = [running.popleft().result()]
    while running and len(batch) < most and running[0].done():
        batch.append(running.popleft().result())
    return batch
