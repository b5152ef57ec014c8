"""How much memory `aesth tag` takes, ExifTool included: under a limit, however many photos there are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from measuring import memory
from measuring.encoders import BY, is_offered
from support.models import brightness_model

LIMIT = 600e6
"""Bytes that a run may take, its ExifTools included."""

GROWTH = 1.5
"""A run over many photos takes at most so many times what a run over few takes, where its network takes nothing."""

FEW, SOME, MANY = 10, 200, 10_000

pytestmark = pytest.mark.skipif(not memory.is_told(), reason="this system does not tell what processes share")


def photos(folder: Path, number: int) -> Path:
    """A folder of small photos, all different: what is kept of each does not depend on its size."""
    folder.mkdir()
    colours = np.random.default_rng(0)
    for each in range(number):
        pixels = colours.integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((160, 120), Image.Resampling.BICUBIC).save(folder / f"{each:05}.jpg")
    return folder


def peak_of_tag(place: Path, number: int, model: str, provider: str) -> int:
    """The most bytes that tagging so many new photos took, with nothing remembered before it."""
    place.mkdir()
    own = {f"AESTH_{kind}_DIR": str(place / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE")}
    command = [sys.executable, "-m", "aesth.cli", "tag", "--format", "csv", "--model", model, "--provider", provider]
    return memory.peak([*command, str(photos(place / "photos", number))], {**os.environ, **own})


@pytest.mark.parametrize(
    ("model", "provider", "many"),
    [
        ("lite", "cpu", SOME),
        ("base", "cpu", SOME),
        ("lite", "openvino", SOME),
        ("base", "openvino", SOME),
        ("of no arithmetic", "cpu", MANY),
    ],
)
def test_memory(
    tmp_path: Path, quick: bool, capsys: pytest.CaptureFixture[str], model: str, provider: str, many: int
) -> None:
    """Networks take their memory with the first full batches; the rest is shown by one that takes next to no time."""
    if not is_offered(provider):
        pytest.skip(f"the provider '{provider}' is not installed")
    is_small = model == "of no arithmetic"
    network = str(brightness_model(tmp_path / "small.onnx")) if is_small else model
    many = min(many, 40) if quick else many
    few, most = (peak_of_tag(tmp_path / f"{number}", number, network, provider) for number in (FEW, many))
    with capsys.disabled():
        print(
            f"\ntag, network {model}{BY[provider]}: {few / 1e6:.0f} MB for {FEW} photos, {most / 1e6:.0f} for {many:,}"
        )
    assert max(few, most) < LIMIT
    if is_small:
        assert most < GROWTH * few
