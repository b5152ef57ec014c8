"""A backbone as it came, as a model file that our models can be set beside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aesth import Scorer
from aesth.encoder import DIMENSIONS
from aesth.errors import CatalogueError, ConfigError
from aesth.training.backbones import BACKBONES
from aesth.training.plain import PlainEncoder, export_plain
from support.backbones import ARCHIVES, archive_of
from support.cli import aesth_in_process
from support.photos import picture

NAME, PHOTOS = "mobilenet_v2", 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with photos, and random weights that are large enough for photos to differ in what they give."""
    folder = tmp_path_factory.mktemp("data")
    torch.manual_seed(2)
    trunk = BACKBONES[NAME].load(None, None)
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            parameter *= 2.5 if name.endswith("weight") else 1
    for part in ("backbones", "photos"):
        (folder / part).mkdir()
    np.savez(folder / "backbones" / ARCHIVES[NAME], **archive_of(NAME, trunk))
    for number in range(PHOTOS):
        grey = 0.1 + 0.8 * number / PHOTOS
        Image.fromarray(picture(grey, number, 240, 320)).save(folder / "photos" / f"{number:02}.png")
    (folder / "photos" / "damaged.jpg").write_bytes(b"\xff\xd8 no photo")
    return folder


@pytest.fixture(scope="module")
def exported(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = aesth_in_process("train", "backbone", NAME, "--data", data, "--out", tmp_path_factory.mktemp("out"))
    assert done.returncode == 0
    return Path(done.stdout.decode().strip())


@pytest.fixture
def scorer(exported: Path) -> Iterator[Scorer]:
    with Scorer(str(exported), jobs=1) as opened:
        yield opened


def test_the_norm_is_that_of_the_pooled_features(data: Path, scorer: Scorer) -> None:
    plain = PlainEncoder(NAME, data / "backbones").eval()
    image = picture(0.4, 7, *plain.size)
    with torch.no_grad():
        (maps,) = plain.trunk(plain.normalise(torch.from_numpy(image[None])), ["last"])
    norm = float(maps.mean((2, 3)).norm())
    assert maps.shape[1] > DIMENSIONS
    assert scorer.encoder.encode(image[None]).shape == (1, DIMENSIONS)
    assert scorer.score_one(image).norm == pytest.approx(norm, rel=0.01)


def test_scores_are_percentiles_among_the_photos_that_can_be_read(data: Path, scorer: Scorer) -> None:
    scores = sorted(scored.score for scored in scorer.score(sorted((data / "photos").glob("*.png"))) if scored.path)
    assert scores == pytest.approx(np.linspace(0, 100, PHOTOS), abs=1)
    assert scorer.encoder.record.scale.reference == f"{PHOTOS} ordinary photos without ratings"


def test_the_file_says_what_it_is(exported: Path, scorer: Scorer) -> None:
    record = scorer.encoder.record
    assert exported.name == "mobilenet_v2-imagenet-fp16.onnx"
    assert (record.name, record.licence) == ("mobilenet_v2-imagenet", "Apache-2.0")
    assert record.training["layers"] == ["last"]
    assert "nothing of ours" in str(record.training["learned"])


def test_what_is_missing_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown backbone 'vgg'; known: inception_v3, mobilenet_v2, resnet50"):
        export_plain("vgg", data, tmp_path)
    with pytest.raises(ConfigError, match="the weights to start from are not here"):
        export_plain("inception_v3", data, tmp_path)
    with pytest.raises(CatalogueError):
        export_plain(NAME, tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []
