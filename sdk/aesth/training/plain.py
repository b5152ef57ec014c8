"""A backbone as it came, with no training of ours, as a model file: what our models are set beside (paper, Fig. 9)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from aesth.decode import load
from aesth.encoder import DIMENSIONS, ModelRecord
from aesth.errors import CatalogueError, ConfigError, DecodeError
from aesth.preprocess import Preprocess
from aesth.scale import Scale
from aesth.training.backbones import BACKBONES
from aesth.training.catalogue import unrated_photos
from aesth.training.evaluate import norms_of
from aesth.training.export import describe, export_graph, onnx_encode, prove
from aesth.training.half import store_as_half
from aesth.training.networks import Normalise, Pool
from aesth.training.progress import counted

PROOF_PICTURES, PROOF_TOLERANCE = 16, 1e-2

LICENCES: Mapping[str, str] = MappingProxyType(
    {"inception_v3": "Apache-2.0", "mobilenet_v2": "Apache-2.0", "resnet50": "BSD-3-Clause"}
)
"""Of the weights that the backbones come with."""

WHAT = "nothing of ours: the weights of a classifier of ImageNet, as they came"


class PlainEncoder(nn.Module):
    """The means over all places of a backbone's last stage, as a point whose norm is theirs.

    A model has 1000 numbers, and backbones have more: each of the numbers is the norm of some of the means, which
    leaves the norm of all as it is.

    Args:
        name: of `aesth.training.backbones.BACKBONES`.
        weights: folder of the backbones' weights; None leaves them random.
    """

    def __init__(self, name: str, weights: Path | None) -> None:
        super().__init__()
        backbone = BACKBONES[name]
        self.layers = backbone.layers
        self.size = backbone.size
        self.normalise = Normalise(backbone.mean, backbone.deviation)
        self.trunk = backbone.load(weights, backbone.layers)
        self.pool = Pool(deviation=False)

    def forward(self, image: Tensor) -> Tensor:
        """Points (n, 1000) of ``image``: uint8 (n, height, width, 3), sRGB."""
        means = self.pool(self.trunk(self.normalise(image), self.layers))
        groups = -(-means.shape[1] // DIMENSIONS)
        padded = functional.pad(means, (0, groups * DIMENSIONS - means.shape[1]))
        return padded.view(-1, groups, DIMENSIONS).square().sum(1).sqrt()


def export_plain(name: str, data: Path, out: Path) -> Path:
    """Write a backbone with the weights in ``data/backbones`` to ``out/NAME-imagenet-fp16.onnx``.

    Its scale is that of our models: a score is the percentile among the photos in ``data/photos``.

    Raises:
        ConfigError: there is no such backbone, its weights are not there, or the file cannot be written.
        CatalogueError: there are no photos, or none can be read.
        ModelError: ONNX Runtime does not say what torch says.
    """
    if name not in BACKBONES:
        raise ConfigError(f"unknown backbone '{name}'; known: {', '.join(BACKBONES)}")
    photos = unrated_photos(data / "photos")
    encoder = PlainEncoder(name, data / "backbones").eval()
    record = ModelRecord(
        f"{name}-imagenet",
        "1",
        LICENCES[name],
        Preprocess(encoder.size),
        Scale((0.0, 1.0)),
        {"backbone": name, "layers": list(encoder.layers), "learned": WHAT},
    )
    pixels = _pixels(photos, record.preprocess)

    @torch.no_grad()
    def exact(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        points: NDArray[np.float32] = encoder(torch.from_numpy(batch)).numpy()
        return points

    path = export_graph(encoder, out / f"{record.name}-fp16.onnx", encoder.size, "embedding")
    store_as_half(path, path)
    prove(path, exact, pixels[:PROOF_PICTURES], PROOF_TOLERANCE * float(norms_of(exact, pixels[:PROOF_PICTURES]).max()))
    norms = norms_of(onnx_encode(path), pixels)
    words = f"{len(pixels)} ordinary photos without ratings"
    describe(path, dataclasses.replace(record, scale=Scale.fit(norms, words)))
    return path


def _pixels(photos: Sequence[Path], preprocess: Preprocess) -> NDArray[np.uint8]:
    """What the encoder sees of each photo that can be read, (n, height, width, 3)."""
    found: list[NDArray[np.uint8]] = []
    with counted("photos", len(photos)) as advance:
        for photo in photos:
            try:
                found.append(preprocess(load(photo, at_least=preprocess.size)))
            except DecodeError as error:
                failure = error
            advance(1)
    if not found:
        raise CatalogueError(f"none of the {len(photos)} photos can be read; of the last: {failure.message}")
    return np.stack(found)
