"""Frames of a video: decoded by PyAV, resized, encoded. Every frame; a program that samples them needs fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.encoder import OnnxEncoder
from aesth.scorer import Scorer
from measuring.camera import scene
from measuring.measure import Task, compression, float_product, measure

RATE = 25
HEIGHT, WIDTH = 1080, 1920


@pytest.fixture(scope="module")
def frames(quick: bool) -> list[NDArray[np.uint8]]:
    """Four seconds of a slow pan, (1080, 1920, 3) each."""
    count = 8 if quick else 4 * RATE
    wide = np.asarray(scene(WIDTH + 4 * count, HEIGHT, 0))
    return [np.ascontiguousarray(wide[:, 4 * number : 4 * number + WIDTH]) for number in range(count)]


@pytest.fixture(scope="module")
def film(frames: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as H.264, by PyAV."""
    av = pytest.importorskip("av")
    path: Path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def decoded(film: Path) -> Iterator[NDArray[np.uint8]]:
    import av

    with av.open(str(film)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


@pytest.mark.benchmark(group="video")
def test_decode_film(benchmark: BenchmarkFixture, film: Path, frames: list[NDArray[np.uint8]], seconds: float) -> None:
    count = measure(
        benchmark,
        Task(lambda: sum(1 for _ in decoded(film)), len(frames)),
        label="decode a film of 1920 x 1080",
        unit="frame",
        seconds=seconds / 2,
        load=compression(),
        playing=RATE,
    )
    assert count == len(frames)


@pytest.mark.benchmark(group="video")
def test_score_film(
    benchmark: BenchmarkFixture,
    film: Path,
    frames: list[NDArray[np.uint8]],
    encoder: Callable[[str], OnnxEncoder],
    seconds: float,
) -> None:
    with Scorer(encoder=encoder("lite")) as scorer:
        scores = measure(
            benchmark,
            Task(lambda: [scored.score for scored in scorer.score(decoded(film))], len(frames)),
            label="decode and score every frame with lite",
            unit="frame",
            seconds=seconds,
            load=float_product(),
            rounds=(2, 10),
            playing=RATE,
        )
    assert len(scores) == len(frames)
    assert None not in scores
    assert max(scores) - min(scores) < 100


@pytest.mark.benchmark(group="video")
def test_score_decoded_frames(
    benchmark: BenchmarkFixture,
    frames: list[NDArray[np.uint8]],
    encoder: Callable[[str], OnnxEncoder],
    seconds: float,
) -> None:
    some = frames[:32]
    with Scorer(encoder=encoder("lite")) as scorer:
        embeddings = measure(
            benchmark,
            Task(lambda: scorer.embed(some), len(some)),
            label="score decoded frames of 1920 x 1080 with lite",
            unit="frame",
            seconds=seconds,
            load=float_product(),
            rounds=(2, 10),
            playing=RATE,
        )
        one = scorer.embed(some[:1])
    assert embeddings.shape == (len(some), 1000)
    assert np.linalg.norm(one[0] - embeddings[0]) < 1e-3 * np.linalg.norm(one[0])
