"""From the file to the encoder's pixels: decoding, and resizing to the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.decode import load
from aesth.encoder import OnnxEncoder
from aesth.errors import DecodeError
from aesth.preprocess import Preprocess
from measuring.measure import Task, compression, measure
from measuring.previews import AVERAGE, MOST, agreement, compare

PhotosOf = Callable[[str], list[Path]]

SIZE = (448, 448)


def next_of(photos: list[Path]) -> Callable[[], Path]:
    """The photos one after the other, again and again."""
    turn: Iterator[Path] = cycle(photos)
    return lambda: next(turn)


def whole(photo: Path) -> Any:
    """Every pixel, as Pillow decodes it."""
    with Image.open(photo) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", ["24 MP", "45 MP"])
@pytest.mark.benchmark(group="decode")
def test_decode(benchmark: BenchmarkFixture, photos_of: PhotosOf, seconds: float, kind: str) -> None:
    photos = photos_of(kind)
    photo, other = next_of(photos), next_of(photos)
    pixels = measure(
        benchmark,
        Task(lambda: load(photo(), at_least=SIZE)),
        label=f"decode, JPEG of {kind}",
        unit="photo",
        seconds=seconds,
        load=compression(),
        beside={"all pixels by Pillow": Task(lambda: whole(other()))},
    )
    assert pixels.shape[0] >= SIZE[0]
    assert pixels.shape[1] >= SIZE[1]
    assert np.abs(small(load(photos[0], at_least=SIZE)) - small(whole(photos[0]))).mean() < 1.5


@pytest.mark.parametrize("kind", ["24 MP", "45 MP"])
@pytest.mark.benchmark(group="decode")
def test_decode_by_preview(
    benchmark: BenchmarkFixture, photos_of: PhotosOf, seconds: float, quick: bool, kind: str
) -> None:
    if quick:
        pytest.skip("the previews of small photos save nothing")
    photos = photos_of(kind)
    photo, other = next_of(photos), next_of(photos)
    pixels = measure(
        benchmark,
        Task(lambda: load(photo(), at_least=SIZE, previews=True)),
        label=f"decode, JPEG of {kind} by its preview",
        unit="photo",
        seconds=seconds,
        load=compression(),
        beside={"without its preview": Task(lambda: load(other(), at_least=SIZE))},
    )
    assert min(pixels.shape[:2]) >= min(SIZE)
    by_preview, by_itself = (load(photos[0], at_least=SIZE, previews=way) for way in (True, False))
    assert not np.array_equal(by_preview, by_itself), "a preview stood in"
    assert np.abs(small(by_preview) - small(by_itself)).mean() < 3


@pytest.mark.parametrize("model", ["lite", "base"])
@pytest.mark.benchmark(group="previews")
def test_scores_by_previews(
    benchmark: BenchmarkFixture, photos_of: PhotosOf, encoder: Callable[[str], OnnxEncoder], model: str
) -> None:
    """How far a person's photos are from their previews; those made up here would say nothing of that."""
    photos = photos_of("yours")[::2]
    found = measure(
        benchmark,
        Task(lambda: agreement(list(compare(photos, encoder(model)))), len(photos)),
        label=f"score with {model} by the photo and by its preview",
        unit="photo",
        seconds=0,
        rounds=(1, 1),
    )
    aims = "" if found.average < AVERAGE and found.most < MOST else f"; aimed at {AVERAGE:g} and {MOST:g}"
    benchmark.extra_info["told"] = f"{found}{aims}"
    assert found.photos, "none of your photos can be read"


@pytest.mark.benchmark(group="decode")
def test_decode_yours(benchmark: BenchmarkFixture, photos_of: PhotosOf, seconds: float) -> None:
    photos = [photo for photo in photos_of("yours") if is_readable(photo)]
    assert photos, "none of your photos can be read"
    pixels = measure(
        benchmark,
        Task(lambda: [load(photo, at_least=SIZE) for photo in photos], len(photos)),
        label="decode, your photos",
        unit="photo",
        seconds=seconds,
        load=compression(),
    )
    assert all(one.ndim == 3 for one in pixels)


def is_readable(photo: Path) -> bool:
    try:
        load(photo, at_least=SIZE)
    except DecodeError:
        return False
    return True


@pytest.mark.benchmark(group="decode")
def test_decode_heic(benchmark: BenchmarkFixture, photos_of: PhotosOf, seconds: float, quick: bool) -> None:
    if quick:
        pytest.skip("a HEIC takes long to make")
    (photo,) = photos_of("12 MP HEIC")
    pixels = measure(
        benchmark,
        Task(lambda: load(photo, at_least=SIZE)),
        label="decode, HEIC of 12 MP",
        unit="photo",
        seconds=seconds,
        load=compression(),
    )
    assert min(pixels.shape[:2]) >= min(SIZE)


def small(pixels: Any) -> Any:
    """A picture at 32 x 32, for comparing."""
    return np.asarray(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX), np.float32)


def by_filter_alone(pixels: Any, side: int) -> Any:
    """``pixels`` resized with nothing averaged first."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("side", [448, 320])
@pytest.mark.parametrize("source", [(1080, 1920), (500, 750)], ids=["1920 x 1080", "750 x 500"])
@pytest.mark.benchmark(group="preprocess")
def test_preprocess(benchmark: BenchmarkFixture, seconds: float, source: tuple[int, int], side: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*source, 3), np.uint8)
    resized = measure(
        benchmark,
        Task(lambda: Preprocess((side, side))(pixels)),
        label=f"resize {source[1]} x {source[0]} to {side} x {side}",
        unit="frame",
        seconds=seconds / 2,
        load=compression(),
        beside={"by the filter alone": Task(lambda: by_filter_alone(pixels, side))},
    )
    assert resized.shape == (side, side, 3)
    assert abs(resized.mean() - pixels.mean()) < 1
