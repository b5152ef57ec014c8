"""The encoder: backbones, pooled, and a head that leads into the 1000-d aesthetic space (paper, section 5.3)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from aesth.encoder import DIMENSIONS
from aesth.errors import ConfigError
from aesth.preprocess import Preprocess
from aesth.training.backbones import BACKBONES, Colour
from aesth.training.backbones.trunk import Trunk
from aesth.training.damage import DAMAGES
from aesth.training.heads import Polar, Projection, Standardise

Pooling = Literal["mean", "mean_deviation"]
Head = Literal["projection", "polar"]
Precision = Literal["float32", "bfloat16", "float16"]

EPSILON = 1e-5
SMALLEST = 32


@dataclass(frozen=True)
class Branch:
    """A backbone that looks at the picture, whole or made smaller.

    Attributes:
        backbone: a name in `backbones.BACKBONES`; branches of one name share its weights.
        layers: the stages that are pooled; empty takes the backbone's last, as the paper does.
        shrink: the picture's sides are divided by this, each pixel the mean of those that it stands for.
    """

    backbone: str
    layers: tuple[str, ...] = ()
    shrink: int = 1

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ConfigError(f"unknown backbone '{self.backbone}'; known: {', '.join(BACKBONES)}")
        if self.shrink < 1:
            raise ConfigError(f"shrink is at least 1, not {self.shrink}")

    @property
    def pooled(self) -> tuple[str, ...]:
        """The stages that are pooled, by name."""
        return self.layers or BACKBONES[self.backbone].layers


@dataclass(frozen=True)
class Architecture:
    """What an encoder is made of.

    Attributes:
        backbone: a name in `backbones.BACKBONES`.
        layers: the stages that are pooled; empty takes the backbone's last, as the paper does.
        beside: more branches, which look at the same picture: a smaller copy shows what is far apart, another backbone
            what this one does not know.
        pooling: ``mean`` over all places, as the paper's pool5, or the mean and the standard deviation: how much a
            feature varies over the picture tells blur, noise and flat light from their opposites.
        head: ``projection``, an affine map as in the paper, or ``polar``, see `heads.Polar`.
        rank: dimensions of the subspace that the projection fills; 0 for all 1000. A small rank keeps the file small.
        landmarks: of a polar head; each is a picture whose rating is known.
        landmark_layers: stages whose means the landmarks see, of all branches that pool them; empty for all stages.
        faults: whether a polar head has a detector for each kind of damage, see `heads.Faults`.
        members: of a polar head, each the numbers, from 0, of the branches that it sees; empty for one that sees all.
        size: height and width of the input; None takes the size that the backbone was trained at.
    """

    backbone: str = "resnet50"
    layers: tuple[str, ...] = ()
    beside: tuple[Branch, ...] = ()
    pooling: Pooling = "mean"
    head: Head = "projection"
    rank: int = 0
    landmarks: int = 0
    landmark_layers: tuple[str, ...] = ()
    faults: bool = False
    members: tuple[tuple[int, ...], ...] = ()
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        first = self.branches[0]
        if self.pooling not in get_args(Pooling):
            raise ConfigError(f"unknown pooling '{self.pooling}'; known: {', '.join(get_args(Pooling))}")
        if self.head not in get_args(Head):
            raise ConfigError(f"unknown head '{self.head}'; known: {', '.join(get_args(Head))}")
        if not 0 <= self.rank <= DIMENSIONS:
            raise ConfigError(f"rank is 0 to {DIMENSIONS}, not {self.rank}")
        if self.landmarks < 0 or (self.landmarks and self.head != "polar"):
            raise ConfigError('landmarks is at least 0, and takes head = "polar"')
        if self.faults and self.head != "polar":
            raise ConfigError('faults takes head = "polar"')
        if self.members and self.head != "polar":
            raise ConfigError('members takes head = "polar"')
        for member in self.members:
            if not member or len(set(member)) < len(member) or not set(member) <= set(range(len(self.branches))):
                raise ConfigError(
                    f"a member sees some of the branches 0 to {len(self.branches) - 1}, each once, not {list(member)}"
                )
        pooled = {layer for branch in self.branches for layer in branch.pooled}
        if unknown := [layer for layer in self.landmark_layers if layer not in pooled]:
            raise ConfigError(f"landmark_layers are of those that are pooled, which '{unknown[0]}' is not")
        height, width = self.size or BACKBONES[first.backbone].size
        shrink = max(branch.shrink for branch in self.branches)
        if min(height, width) < SMALLEST * shrink:
            raise ConfigError(f"a side of the input has at least {SMALLEST * shrink} pixels, not {min(height, width)}")
        for branch in self.branches:
            if height % branch.shrink or width % branch.shrink:
                raise ConfigError(f"an input of {height} x {width} pixels cannot be shrunk by {branch.shrink}")

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All that look at the picture, in the order of their features."""
        return (Branch(self.backbone, self.layers), *self.beside)

    @property
    def preprocess(self) -> Preprocess:
        """How a picture becomes the input: plain resizing, since composition counts (section 5.3)."""
        return Preprocess(self.size or BACKBONES[self.backbone].size)


class AestheticEncoder(nn.Module):
    """Pixels to points of the aesthetic space.

    Args:
        architecture: what it is made of.
        weights: folder of the backbones' weights; None leaves them random, to be filled from a checkpoint.
    """

    def __init__(self, architecture: Architecture, weights: Path | None = None) -> None:
        super().__init__()
        self.architecture = architecture
        pooled: dict[str, set[str]] = {}
        for branch in architecture.branches:
            pooled.setdefault(branch.backbone, set()).update(branch.pooled)
        self.trunks = nn.ModuleDict({name: BACKBONES[name].load(weights, stages) for name, stages in pooled.items()})
        self.normalise = nn.ModuleDict(
            {name: Normalise(BACKBONES[name].mean, BACKBONES[name].deviation) for name in pooled}
        )
        self.pool = Pool(deviation=architecture.pooling == "mean_deviation")
        self.columns = [
            Column(branch, layer, statistic, self.trunk(branch).channels[layer])
            for branch in architecture.branches
            for layer in self._known_layers(branch)
            for statistic in self.pool.statistics
        ]
        self.standardise = Standardise(self.width)
        self.head = self._head()

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings (n, 1000) of ``image``: uint8 (n, height, width, 3), sRGB."""
        return self.project(self.features(image))

    def features(self, image: Tensor) -> Tensor:
        """Pooled features (n, f) of ``image``: uint8 (n, height, width, 3)."""
        return torch.cat([self.pool(self.maps(image, branch, branch.pooled)) for branch in self.branches], 1)

    def maps(self, image: Tensor, branch: Branch, layers: Sequence[str]) -> list[Tensor]:
        """What ``branch`` says at ``layers``, each (n, c, h', w'), of ``image``: uint8 (n, height, width, 3)."""
        pixels = self.normalise[branch.backbone](image)
        if branch.shrink > 1:
            pixels = functional.avg_pool2d(pixels, branch.shrink)
        return self.trunk(branch)(pixels, layers)  # type: ignore[no-any-return]

    def project(self, features: Tensor) -> Tensor:
        """Embeddings (n, 1000) of pooled features (n, f)."""
        return self.head(self.standardise(features))  # type: ignore[no-any-return]

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All that look at the picture, in the order of their features."""
        return self.architecture.branches

    def trunk(self, branch: Branch) -> Trunk:
        """The backbone of ``branch``."""
        return self.trunks[branch.backbone]  # type: ignore[return-value]

    @property
    def width(self) -> int:
        """How many features there are, f."""
        return sum(column.width for column in self.columns)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.standardise.mean.device

    def _known_layers(self, branch: Branch) -> tuple[str, ...]:
        channels = self.trunk(branch).channels
        if unknown := [layer for layer in branch.pooled if layer not in channels]:
            raise ConfigError(f"{branch.backbone} has no layer '{unknown[0]}'; it has: {', '.join(channels)}")
        return branch.pooled

    def _head(self) -> Projection | Polar:
        if self.architecture.head == "projection":
            return Projection(self.width, self.architecture.rank)
        seen = self.architecture.landmark_layers
        near: list[list[int]] = [[] for _ in self.branches]
        begin = 0
        for column in self.columns:
            if column.statistic == "mean" and (not seen or column.layer in seen):
                near[self.branches.index(column.branch)] += range(begin, begin + column.width)
            begin += column.width
        return Polar(
            self.width,
            self.architecture.rank,
            near,
            self.architecture.landmarks,
            len(DAMAGES) * self.architecture.faults,
            self.architecture.members,
        )

    def seen_by(self, member: Sequence[int]) -> list[int]:
        """Indices of the features of the branches whose numbers are ``member``."""
        ends = list(itertools.accumulate(column.width for column in self.columns))
        seen = [self.branches[number] for number in member]
        return [
            index
            for column, end in zip(self.columns, ends, strict=True)
            if column.branch in seen
            for index in range(end - column.width, end)
        ]


@dataclass(frozen=True)
class Column:
    """Where a part of the pooled features comes from.

    Attributes:
        branch: what looked.
        layer: the stage that was pooled.
        statistic: ``mean`` or ``deviation`` over all places.
        width: how many features, one a channel.
    """

    branch: Branch
    layer: str
    statistic: str
    width: int


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
        self.statistics = ("mean", "deviation") if deviation else ("mean",)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Feature maps (n, c, h, w), of any sizes, -> statistics (n, f): of each map means, then deviations."""
        return torch.cat([statistic for one in maps for statistic in self._statistics(one.float())], 1)

    def _statistics(self, one: Tensor) -> list[Tensor]:
        mean = one.mean((2, 3), keepdim=True)
        if len(self.statistics) == 1:
            return [mean.flatten(1)]
        variance = (one - mean).square().mean((2, 3))
        return [mean.flatten(1), (variance + EPSILON).sqrt()]


def autocast(device: str, precision: Precision) -> torch.autocast:
    """Arithmetic of the backbone in ``precision``."""
    kind = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.split(":")[0], kind, enabled=precision != "float32")
