"""Pictures a second that reach a training: streamed from JPEG files, and from the rendered array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.preprocess import Preprocess
from aesth.training.loader import Pixels, StreamedViews, load_batches
from aesth.training.recipe import LoaderRecipe
from aesth.training.views import View, render_all
from measuring.measure import Task, compression, measure

SIZE = Preprocess((224, 224))
BATCH, BATCHES = 48, 3
SIDES = {"500": (333, 500), "1024": (683, 1024)}
"""Height and width of pictures of photo communities, by their longer side."""


@pytest.fixture(scope="module", params=list(SIDES))
def views(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[View]:
    """Photos with structure and grain, about as large on disk as real ones."""
    folder, rng = tmp_path_factory.mktemp(request.param), np.random.default_rng(0)
    height, width = SIDES[request.param]
    views = []
    for index in range(32):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 18, 3), np.uint8)).resize((width, height), 3)
        grain = rng.normal(0, 6, (height, width, 1))
        Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(
            folder / f"{index}.jpg", quality=88
        )
        views.append(View(folder / f"{index}.jpg"))
    return views


def load_pictures(benchmark: BenchmarkFixture, pixels: Pixels, label: str, seconds: float) -> None:
    """Time a stretch of batches, the start of the workers included."""
    wanted = list(np.random.default_rng(1).integers(0, len(pixels), (BATCHES, BATCH)))

    def stretch() -> int:
        return sum(len(batch) for batch in load_batches(pixels, wanted))

    count = measure(
        benchmark,
        Task(stretch, BATCH * BATCHES),
        label=label,
        unit="picture",
        seconds=seconds / 2,
        load=compression(),
        rounds=(2, 10),
    )
    assert count == BATCH * BATCHES
    expected = np.array(pixels[wanted[0]])
    assert torch.equal(next(iter(load_batches(pixels, wanted[:1]))), torch.from_numpy(expected))


@pytest.mark.parametrize("workers", [1, 0], ids=["1 worker", "a worker a core"])
@pytest.mark.benchmark(group="loader")
def test_streamed(
    benchmark: BenchmarkFixture, request: pytest.FixtureRequest, views: list[View], seconds: float, workers: int
) -> None:
    side, who = request.node.callspec.id.split("-")
    label = f"stream JPEGs of {side} pixels, {who}"
    load_pictures(benchmark, StreamedViews(views, SIZE, recipe=LoaderRecipe(workers=workers)), label, seconds)


@pytest.mark.benchmark(group="loader")
def test_rendered(
    benchmark: BenchmarkFixture, request: pytest.FixtureRequest, views: list[View], tmp_path: Path, seconds: float
) -> None:
    label = f"read what was rendered before, from JPEGs of {request.node.callspec.id} pixels"
    load_pictures(benchmark, render_all(views, SIZE, tmp_path / "views.npy"), label, seconds)
