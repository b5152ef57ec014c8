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

SIZE = Preprocess((224, 224))
BATCH, BATCHES = 48, 6
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


def images_per_second(benchmark: BenchmarkFixture, pixels: Pixels) -> None:
    """Time a stretch of batches, the start of the workers included, and state pictures a second."""
    wanted = list(np.random.default_rng(1).integers(0, len(pixels), (BATCHES, BATCH)))

    def stretch() -> int:
        return sum(len(batch) for batch in load_batches(pixels, wanted))

    count = benchmark.pedantic(stretch, rounds=3, warmup_rounds=1)
    assert count == BATCH * BATCHES
    benchmark.extra_info["images_per_second"] = round(count / benchmark.stats.stats.min, 1)
    expected = np.array(pixels[wanted[0]])
    assert torch.equal(next(iter(load_batches(pixels, wanted[:1]))), torch.from_numpy(expected))


@pytest.mark.parametrize("workers", [1, 2, 0], ids=["1 worker", "2 workers", "a worker a core"])
@pytest.mark.benchmark(group="loader")
def test_streamed(benchmark: BenchmarkFixture, views: list[View], workers: int) -> None:
    images_per_second(benchmark, StreamedViews(views, SIZE, recipe=LoaderRecipe(workers=workers)))


@pytest.mark.benchmark(group="loader")
def test_rendered(benchmark: BenchmarkFixture, views: list[View], tmp_path: Path) -> None:
    images_per_second(benchmark, render_all(views, SIZE, tmp_path / "views.npy"))
