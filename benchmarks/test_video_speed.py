"""Videos: decoding them, scoring every frame, and scoring as many as `aesth video` does unless told otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.encoder import OnnxEncoder
from aesth.scorer import Scorer
from measuring.camera import scene
from measuring.encoders import BY, FindEncoder
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
    return written(tmp_path_factory.mktemp("film") / "film.mp4", frames, RATE, (WIDTH, HEIGHT), {"preset": "ultrafast"})


@pytest.fixture(scope="module")
def small_film(
    frames: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory, quick: bool
) -> tuple[Path, int]:
    """There and back several times, squashed to 256 pixels, and how many frames that are."""
    shown = [*frames, *frames[::-1]] * (1 if quick else 2)
    path = tmp_path_factory.mktemp("film") / "small.mp4"
    return written(path, shown, RATE, (256, 256), {"preset": "ultrafast"}), len(shown)


@pytest.fixture(scope="module", params=["key frames seldom", "key frames each second"])
def long_film(
    request: pytest.FixtureRequest,
    frames: list[NDArray[np.uint8]],
    tmp_path_factory: pytest.TempPathFactory,
    quick: bool,
) -> tuple[str, Path, int]:
    """What is told of a film of 30 frames a second, as a program or as a telephone compresses it, and its seconds."""
    seldom = {"preset": "veryfast", "crf": "20", "g": "250"}
    options = seldom if request.param == "key frames seldom" else {"preset": "ultrafast", "crf": "20", "g": "30"}
    seconds = 2 if quick else 20
    there_and_back = [*frames, *frames[-2:0:-1]]
    shown = [there_and_back[number % len(there_and_back)] for number in range(30 * seconds)]
    path = tmp_path_factory.mktemp("film") / "long.mp4"
    return request.param, written(path, shown, 30, (WIDTH, HEIGHT), options), seconds


def written(
    path: Path, frames: Sequence[NDArray[np.uint8]], rate: int, size: tuple[int, int], options: dict[str, str]
) -> Path:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "20"} | options)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(picture.reformat(*size, format="yuv420p")))
        container.mux(stream.encode())
    return path


def count_frames(film: Path) -> int:
    from aesth.decode.video import Video

    with Video(film) as video:
        return sum(1 for _ in video.frames())


def scores_of(film: Path, scorer: Scorer, every: float | None) -> NDArray[np.float64]:
    from aesth.apps.video.curve import score_curve
    from aesth.decode.video import Video

    with Video(film) as video:
        return score_curve(video, scorer, every).scores


def measure_every_frame(
    benchmark: BenchmarkFixture, film: Path, frames: int, encoder: OnnxEncoder, seconds: float, label: str
) -> NDArray[np.float64]:
    with Scorer(encoder=encoder) as scorer:
        return measure(
            benchmark,
            Task(lambda: scores_of(film, scorer, None), frames),
            label=label,
            unit="frame",
            seconds=seconds,
            load=float_product(),
            rounds=(2, 10),
            playing=RATE,
        )


@pytest.mark.benchmark(group="video")
def test_decode_film(benchmark: BenchmarkFixture, film: Path, frames: list[NDArray[np.uint8]], seconds: float) -> None:
    count = measure(
        benchmark,
        Task(lambda: count_frames(film), len(frames)),
        label="decode a film of 1920 x 1080",
        unit="frame",
        seconds=seconds / 2,
        load=compression(),
        playing=RATE,
    )
    assert count == len(frames)


@pytest.mark.parametrize("provider", BY)
@pytest.mark.benchmark(group="video")
def test_score_film(
    benchmark: BenchmarkFixture,
    film: Path,
    frames: list[NDArray[np.uint8]],
    sharing_encoder: FindEncoder,
    seconds: float,
    provider: str,
) -> None:
    label = f"decode and score every frame with lite{BY[provider]}"
    encoder = sharing_encoder("lite", provider)
    scores = measure_every_frame(benchmark, film, len(frames), encoder, seconds, label)
    assert len(scores) == len(frames)
    assert max(scores) - min(scores) < 100


@pytest.mark.parametrize("provider", BY)
@pytest.mark.benchmark(group="video")
def test_score_small_film(
    benchmark: BenchmarkFixture,
    small_film: tuple[Path, int],
    sharing_encoder: FindEncoder,
    seconds: float,
    provider: str,
) -> None:
    """What the paper does 140 of in a second on a GTX 960 (section 7)."""
    label = f"decode and score every frame of 256 x 256 with lite{BY[provider]}"
    encoder = sharing_encoder("lite", provider)
    film, length = small_film
    scores = measure_every_frame(benchmark, film, length, encoder, seconds, label)
    assert len(scores) == length


@pytest.mark.benchmark(group="video")
def test_score_film_at_the_default_sampling(
    benchmark: BenchmarkFixture,
    long_film: tuple[str, Path, int],
    sharing_encoder: FindEncoder,
    seconds: float,
) -> None:
    from aesth.apps.video.curve import EVERY

    keys, path, length = long_film
    with Scorer(encoder=sharing_encoder("lite")) as scorer:
        scores = measure(
            benchmark,
            Task(lambda: scores_of(path, scorer, EVERY), length),
            label=f"score a film of 1920 x 1080 as aesth video does, {keys}",
            unit="second of film",
            seconds=seconds,
            load=float_product(),
            rounds=(2, 10),
            playing=1,
        )
    assert len(scores) == length / EVERY


@pytest.mark.parametrize("provider", BY)
@pytest.mark.parametrize("small", [True, False], ids=["256 x 256", "1920 x 1080"])
@pytest.mark.benchmark(group="video")
def test_score_decoded_frames(
    benchmark: BenchmarkFixture,
    frames: list[NDArray[np.uint8]],
    encoder: FindEncoder,
    sharing_encoder: FindEncoder,
    seconds: float,
    small: bool,
    provider: str,
) -> None:
    some = [frame[:256, :256] if small else frame for frame in frames]
    size = "256 x 256" if small else "1920 x 1080"
    ours, alone = sharing_encoder("lite", provider), encoder("lite", provider)
    with Scorer(encoder=ours) as scorer, Scorer(encoder=alone) as other:
        embeddings = measure(
            benchmark,
            Task(lambda: scorer.embed(some), len(some)),
            label=f"score decoded frames of {size} with lite{BY[provider]}, end to end",
            unit="frame",
            seconds=seconds,
            load=float_product(),
            beside={"by one call on all cores": Task(lambda: other.embed(some), len(some))},
            rounds=(3, 10),
            playing=RATE,
        )
        one = scorer.embed(some[:1])
    assert embeddings.shape == (len(some), 1000)
    assert np.linalg.norm(one[0] - embeddings[0]) < 1e-3 * np.linalg.norm(one[0])
