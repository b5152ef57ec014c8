"""A tiny data folder, recipe and study, on which a training takes seconds: the brighter a picture, the better rated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from aesth.training.catalogue import fold, kept_for_damage
from aesth.training.recipe import Recipe, recipe_from
from aesth.training.study import Study
from aesth.training.views import View
from support.photos import picture

SIDE = 64
THEMES = ("Acorns", "Beach", "Train", "Boat", "Rose", "Snow", "Lake", "Apple", "Cat", "River", "Dog", "Tree")

TABLE: Mapping[str, Any] = {
    "name": "tiny",
    "seed": 3,
    "pretrained": False,
    "encoder": {"backbone": "mobilenet_v2", "layers": ["bottleneck_1"], "size": [SIDE, SIDE], "rank": 8},
    "sampling": {"damage_kinds": 2},
    "warm_up": {"steps": 6, "rated": 8, "damaged": 4, "rate": 0.1, "patience": 2},
    "fine_tune": {"steps": 4, "rated": 6, "damaged": 2, "rate": 1e-3, "patience": 2},
}

RECIPE_FILE = f"""
name = "tiny"
seed = 3
pretrained = false
[encoder]
backbone = "mobilenet_v2"
layers = ["bottleneck_1"]
size = [{SIDE}, {SIDE}]
rank = 8
[sampling]
damage_kinds = 1
[warm_up]
steps = 3
rated = 8
damaged = 4
rate = 0.1
[fine_tune]
steps = 2
rated = 6
damaged = 2
"""

FITTED_FILE = f"""
name = "tiny"
seed = 3
pretrained = false
[encoder]
backbone = "mobilenet_v2"
layers = ["stem", "bottleneck_1"]
pooling = "mean_deviation"
head = "polar"
landmarks = 12
landmark_layers = ["bottleneck_1"]
size = [{SIDE}, {SIDE}]
rank = 8
[[encoder.beside]]
backbone = "mobilenet_v2"
layers = ["bottleneck_1"]
shrink = 2
[sampling]
damage_kinds = 1
[adapt]
steps = 2
damaged = 4
[fit]
grey_photos = 2
"""
"""Of an adaptation and a head that is solved for."""


def recipe(**changes: Mapping[str, Any] | Any) -> Recipe:
    """The tiny recipe; tables among ``changes`` are merged into those of the same name."""
    merged = {
        key: {**TABLE.get(key, {}), **value} if isinstance(value, dict) else value for key, value in changes.items()
    }
    return recipe_from({**TABLE, **merged})


def make_data(folder: Path, *, rated: int = 36, photos: int = 4, kept: int = 2) -> Path:
    """A data folder: rated pictures of a dozen themes, photos to learn from, and photos kept for measuring."""
    (folder / "oasis" / "images").mkdir(parents=True)
    lines = ["file,theme,category,source,beauty_mean,beauty_sd,raters"]
    for index in range(rated):
        share = (index * 7 % rated) / (rated - 1)
        Image.fromarray(picture(0.2 + 0.6 * share, index)).save(folder / "oasis" / "images" / f"{index:03}.png")
        lines.append(f"{index:03}.png,{THEMES[index % len(THEMES)]},Object,Made,{1 + 6 * share:.3f},1,100")
    (folder / "oasis" / "ratings.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "photos" / "some").mkdir(parents=True)
    for index, name in enumerate(_names(photos, kept=False) + _names(kept, kept=True)):
        Image.fromarray(picture(0.5, 100 + index)).save(folder / "photos" / "some" / name)
    return folder


def make_study(rated: int = 40, photos: int = 5) -> tuple[Study, NDArray[np.uint8]]:
    """A study without files, and its pixels (n, SIDE, SIDE, 3): damaged copies are darker."""
    share = np.random.default_rng(0).permutation(np.linspace(0, 1, rated))
    folds = np.array([fold(THEMES[index % len(THEMES)]) for index in range(rated)], np.int64)
    greys = [*(0.2 + 0.6 * share), *(grey for _ in range(photos) for grey in (0.6, 0.4, 0.2))]
    pixels = np.stack([picture(grey, index, SIDE, SIDE) for index, grey in enumerate(greys)])
    damage = rated + np.arange(3 * photos, dtype=np.int64).reshape(-1, 3)
    views = [View(Path(f"{index}.png")) for index in range(len(pixels))]
    return Study(views, 1 + 6 * share, folds, damage), pixels


def without(stage: str, of: Recipe) -> Recipe:
    """The recipe with no steps of ``stage``."""
    return replace(of, **{stage: replace(getattr(of, stage), steps=0)})  # type: ignore[arg-type]


def same_weights(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Whether two state dicts are equal, bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    """A program in a process of its own that knows this package and these helpers."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "sdk")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


def _names(count: int, *, kept: bool) -> list[str]:
    names = (f"{index:04}.png" for index in range(10_000))
    return list(islice((name for name in names if kept_for_damage(name) == kept), count))
