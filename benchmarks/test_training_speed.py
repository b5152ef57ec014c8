"""Pictures a second that a training takes: the paper's ResNet-50, by its loss, on a GPU where torch finds one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.training.logs import Step, read_log
from aesth.training.recipe import Recipe, recipe_from
from aesth.training.study import Study
from aesth.training.train import train
from aesth.training.views import View
from measuring.measure import compression, seconds_of, spread

GPU = torch.cuda.is_available()
SIDE = 224
PICTURES, SHOWN = (1024, 192) if GPU else (96, 16)
"""Pictures of the training, and at most so many in a step."""
STEPS, WARM = (60, 20) if GPU else (4, 1)
"""Of the optimiser, and those that are not counted: the first find out what is fastest, or are compiled."""


def paper(precision: str, *, compiled: bool) -> Recipe:
    """The paper's network and loss, on triplets of rated pictures."""
    return recipe_from(
        {
            "name": "speed",
            "pretrained": False,
            "compile": compiled,
            "encoder": {"backbone": "resnet50", "size": [SIDE, SIDE]},
            "fine_tune": {
                "steps": STEPS,
                "rated": 2 * SHOWN,
                "among": SHOWN,
                "damaged": 0,
                "rate": 1e-4,
                "precision": precision,
            },
        }
    )


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    """Noise, which costs as much as pictures."""
    return np.random.default_rng(0).integers(0, 256, (PICTURES, SIDE, SIDE, 3), np.uint8)


def study() -> Study:
    """Rated pictures without files."""
    views = [View(Path(f"{index}.png")) for index in range(PICTURES)]
    return Study(views, np.linspace(1, 7, PICTURES), np.arange(PICTURES) % 5, np.empty((0, 3), np.int64))


@pytest.mark.parametrize("compiled", [False, True], ids=["as it is", "compiled"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.benchmark(group="training")
def test_train(
    benchmark: BenchmarkFixture,
    pixels: NDArray[np.uint8],
    tmp_path: Path,
    quick: bool,
    precision: str,
    compiled: bool,
) -> None:
    if not GPU and (compiled or precision != "float32" or quick):
        pytest.skip("takes long on a CPU, which nobody trains this on")
    load, device = compression(), "cuda" if GPU else "cpu"

    def run() -> list[Step]:
        train(paper(precision, compiled=compiled), study(), pixels, tmp_path, device=device, resume=False)
        return read_log(tmp_path / "log.csv")

    steps = benchmark.pedantic(run, rounds=1)
    assert len(steps) == STEPS
    assert all(np.isfinite(step.error) for step in steps)
    own = [1 / step.images_per_second for step in steps[WARM:]]
    benchmark.extra_info.update(
        label=f"train ResNet-50, {precision}{', compiled' * compiled}, {device}",
        unit="picture",
        count=SHOWN,
        **spread(own),
        load=load.name,
        load_seconds=seconds_of(load.run),
        beside={},
    )
