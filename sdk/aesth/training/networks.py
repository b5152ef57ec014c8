"""The encoder: a backbone, pooled, and a projection into the 1000-d aesthetic space (paper, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from aesth.encoder import DIMENSIONS
from aesth.errors import ConfigError
from aesth.preprocess import Preprocess
from aesth.training.backbones import BACKBONES, Colour

Pooling = Literal["mean", "mean_deviation"]
Precision = Literal["float32", "bfloat16", "float16"]

EPSILON = 1e-5
SMALLEST = 32


@dataclass(frozen=True)
class Architecture:
    """What an encoder is made of.

    Attributes:
        backbone: a name in `backbones.BACKBONES`.
        layers: the stages that are pooled; empty takes the backbone's last, as the paper does.
        pooling: ``mean`` over all places, as the paper's pool5, or the mean and the standard deviation: how much a
            feature varies over the picture tells blur, noise and flat light from their opposites.
        rank: dimensions of the subspace that the projection fills; 0 for all 1000. A small rank keeps the file small.
        size: height and width of the input; None takes the size that the backbone was trained at.
    """

    backbone: str = "resnet50"
    layers: tuple[str, ...] = ()
    pooling: Pooling = "mean"
    rank: int = 0
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ConfigError(f"unknown backbone '{self.backbone}'; known: {', '.join(BACKBONES)}")
        if self.pooling not in ("mean", "mean_deviation"):
            raise ConfigError(f"unknown pooling '{self.pooling}'; known: mean, mean_deviation")
        if not 0 <= self.rank <= DIMENSIONS:
            raise ConfigError(f"rank is 0 to {DIMENSIONS}, not {self.rank}")
        if self.size is not None and min(self.size) < SMALLEST:
            raise ConfigError(f"a side of the input has at least {SMALLEST} pixels, not {min(self.size)}")

    @property
    def preprocess(self) -> Preprocess:
        """How a picture becomes the input: plain resizing, since composition counts (section 5.3)."""
        return Preprocess(self.size or BACKBONES[self.backbone].size)


class AestheticEncoder(nn.Module):
    """Pixels to points of the aesthetic space.

    Args:
        architecture: what it is made of.
        weights: folder of the backbone's weights; None leaves it random, to be filled from a checkpoint.
    """

    def __init__(self, architecture: Architecture, weights: Path | None = None) -> None:
        super().__init__()
        backbone = BACKBONES[architecture.backbone]
        self.architecture = architecture
        self.trunk = backbone.load(weights)
        self.layers = architecture.layers or backbone.layers
        unknown = [layer for layer in self.layers if layer not in self.trunk.channels]
        if unknown:
            known = ", ".join(self.trunk.channels)
            raise ConfigError(f"{architecture.backbone} has no layer '{unknown[0]}'; it has: {known}")
        self.normalise = Normalise(backbone.mean, backbone.deviation)
        self.pool = Pool(deviation=architecture.pooling == "mean_deviation")
        width = sum(self.trunk.channels[layer] for layer in self.layers) * self.pool.statistics
        self.standardise = Standardise(width)
        self.projection = Projection(width, architecture.rank)

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings (n, 1000) of ``image``: uint8 (n, height, width, 3), sRGB."""
        return self.project(self.features(image))

    def features(self, image: Tensor) -> Tensor:
        """Pooled features (n, f) of ``image``: uint8 (n, height, width, 3)."""
        return self.pool(self.trunk(self.normalise(image), self.layers))  # type: ignore[no-any-return]

    def project(self, features: Tensor) -> Tensor:
        """Embeddings (n, 1000) of pooled features (n, f)."""
        return self.projection(self.standardise(features))  # type: ignore[no-any-return]


class Normalise(nn.Module):
    """Pixels 0-255, (n, h, w, 3), to what a backbone was trained on, (n, 3, h, w)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Colour, deviation: Colour) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Pixels (n, h, w, 3) -> (n, 3, h, w), in memory as they came."""
        pixels = image.permute(0, 3, 1, 2).float()
        return ((pixels - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)


class Pool(nn.Module):
    """Statistics over all places of several feature maps (n, c, h, w), side by side: (n, sum of c x statistics)."""

    def __init__(self, *, deviation: bool) -> None:
        super().__init__()
        self.statistics = 2 if deviation else 1

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Feature maps (n, c, h, w), of any sizes, -> statistics (n, f): of each map means, then deviations."""
        return torch.cat([statistic for one in maps for statistic in self._statistics(one.float())], 1)

    def _statistics(self, one: Tensor) -> list[Tensor]:
        mean = one.mean((2, 3), keepdim=True)
        if self.statistics == 1:
            return [mean.flatten(1)]
        variance = (one - mean).square().mean((2, 3))
        return [mean.flatten(1), (variance + EPSILON).sqrt()]


class Standardise(nn.Module):
    """Features at mean 0 and equal deviations, their vector of length about 1, by statistics of training pictures."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) -> (n, f)."""
        return (features - self.mean) * self.scale

    def fit(self, features: Tensor) -> None:
        """Take the statistics of ``features``, (n, f)."""
        self.mean.copy_(features.mean(0))
        self.scale.copy_(features.shape[1] ** -0.5 / features.std(0).clamp_min(1e-3))


class Projection(nn.Module):
    """Features (n, f) to points of the aesthetic space (n, 1000), an affine map.

    Args:
        width: f.
        rank: dimensions of the subspace that the points fill; 0 for all.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, rank or DIMENSIONS)
        self.turn = nn.Linear(rank, DIMENSIONS, bias=False) if rank else nn.Identity()
        if rank:
            nn.init.orthogonal_(self.turn.weight)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) -> points (n, 1000)."""
        return self.turn(self.inner(features))  # type: ignore[no-any-return]

    @torch.no_grad()
    def start_at(self, distance: float) -> None:
        """Move the point of average features to ``distance`` from the origin, in a random direction."""
        direction = torch.randn_like(self.inner.bias)
        self.inner.bias.copy_(distance * direction / direction.norm())


def autocast(device: str, precision: Precision) -> torch.autocast:
    """Arithmetic of the backbone in ``precision``."""
    kind = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.split(":")[0], kind, enabled=precision != "float32")
