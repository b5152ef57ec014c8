"""Inception-v3 up to its ninth mixed block: Szegedy et al., "Rethinking the Inception Architecture" (CVPR 2016).

Batch norm is folded into the convolutions. The last block is the part of ``mixed_9`` whose weights the archive of
`load_weights` holds: 1,280 of its 2,048 channels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aesth.training.backbones.trunk import Trunk, fill

Size = int | tuple[int, int]


class Convolution(nn.Module):
    """A convolution and a ReLU, under the name that its weights have in the archive."""

    def __init__(
        self, name: str, channels_in: int, channels_out: int, kernel: Size, stride: int = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.name = name
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (n, c, h, w) -> (n, c', h', w')."""
        return functional.relu(self.conv(x))


class AveragePool(nn.Module):
    """Mean over 3x3 at stride 1; the border is left out of the count, as in TensorFlow."""

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (n, c, h, w) -> (n, c', h', w')."""
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class Branches(nn.Module):
    """Branches side by side, their channels put together in order."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (n, c, h, w) -> (n, c', h', w')."""
        return torch.cat([branch(x) for branch in self.branches], 1)


def _stem() -> nn.Module:
    return nn.Sequential(
        Convolution("conv", 3, 32, 3, 2),
        Convolution("conv_1", 32, 32, 3),
        Convolution("conv_2", 32, 64, 3, padding=1),
        nn.MaxPool2d(3, 2),
        Convolution("conv_3", 64, 80, 1),
        Convolution("conv_4", 80, 192, 3),
        nn.MaxPool2d(3, 2),
    )


def _block_35(name: str, channels: int, pooled: int) -> Branches:
    """35x35 cells: 1x1, 5x5, twice 3x3, pooled (figure 5)."""
    return Branches(
        Convolution(f"{name}_conv", channels, 64, 1),
        nn.Sequential(
            Convolution(f"{name}_tower_conv", channels, 48, 1),
            Convolution(f"{name}_tower_conv_1", 48, 64, 5, padding=2),
        ),
        nn.Sequential(
            Convolution(f"{name}_tower_1_conv", channels, 64, 1),
            Convolution(f"{name}_tower_1_conv_1", 64, 96, 3, padding=1),
            Convolution(f"{name}_tower_1_conv_2", 96, 96, 3, padding=1),
        ),
        nn.Sequential(AveragePool(), Convolution(f"{name}_tower_2_conv", channels, pooled, 1)),
    )


def _reduce_to_17(name: str) -> Branches:
    return Branches(
        Convolution(f"{name}_conv", 288, 384, 3, 2),
        nn.Sequential(
            Convolution(f"{name}_tower_conv", 288, 64, 1),
            Convolution(f"{name}_tower_conv_1", 64, 96, 3, padding=1),
            Convolution(f"{name}_tower_conv_2", 96, 96, 3, 2),
        ),
        nn.MaxPool2d(3, 2),
    )


def _block_17(name: str, inner: int) -> Branches:
    """17x17 cells: 7x7 factorised into 1x7 and 7x1, once and twice (figure 6)."""
    across: dict[str, Size] = {"kernel": (1, 7), "padding": (0, 3)}
    down: dict[str, Size] = {"kernel": (7, 1), "padding": (3, 0)}
    return Branches(
        Convolution(f"{name}_conv", 768, 192, 1),
        nn.Sequential(
            Convolution(f"{name}_tower_conv", 768, inner, 1),
            Convolution(f"{name}_tower_conv_1", inner, inner, across["kernel"], padding=across["padding"]),
            Convolution(f"{name}_tower_conv_2", inner, 192, down["kernel"], padding=down["padding"]),
        ),
        nn.Sequential(
            Convolution(f"{name}_tower_1_conv", 768, inner, 1),
            Convolution(f"{name}_tower_1_conv_1", inner, inner, down["kernel"], padding=down["padding"]),
            Convolution(f"{name}_tower_1_conv_2", inner, inner, across["kernel"], padding=across["padding"]),
            Convolution(f"{name}_tower_1_conv_3", inner, inner, down["kernel"], padding=down["padding"]),
            Convolution(f"{name}_tower_1_conv_4", inner, 192, across["kernel"], padding=across["padding"]),
        ),
        nn.Sequential(AveragePool(), Convolution(f"{name}_tower_2_conv", 768, 192, 1)),
    )


def _reduce_to_8(name: str) -> Branches:
    return Branches(
        nn.Sequential(
            Convolution(f"{name}_tower_conv", 768, 192, 1),
            Convolution(f"{name}_tower_conv_1", 192, 320, 3, 2),
        ),
        nn.Sequential(
            Convolution(f"{name}_tower_1_conv", 768, 192, 1),
            Convolution(f"{name}_tower_1_conv_1", 192, 192, (1, 7), padding=(0, 3)),
            Convolution(f"{name}_tower_1_conv_2", 192, 192, (7, 1), padding=(3, 0)),
            Convolution(f"{name}_tower_1_conv_3", 192, 192, 3, 2),
        ),
        nn.MaxPool2d(3, 2),
    )


def _block_8(name: str) -> Branches:
    """8x8 cells (figure 7), without the branch whose weights are not to be had."""
    return Branches(
        Convolution(f"{name}_conv", 1280, 320, 1),
        nn.Sequential(
            Convolution(f"{name}_tower_conv", 1280, 384, 1),
            Branches(
                Convolution(f"{name}_tower_mixed_conv", 384, 384, (1, 3), padding=(0, 1)),
                Convolution(f"{name}_tower_mixed_conv_1", 384, 384, (3, 1), padding=(1, 0)),
            ),
        ),
        nn.Sequential(AveragePool(), Convolution(f"{name}_tower_2_conv", 1280, 192, 1)),
    )


class InceptionV3(Trunk):
    """The trunk: pixels in [-1, 1], (n, 3, h, w), to the outputs of its named stages.

    Args:
        wanted: stages whose outputs are needed; nothing behind the last of them is made. None makes all.

    Attributes:
        channels: stage -> number of channels, in the order in which the stages follow each other.
    """

    channels: Mapping[str, int] = {
        "stem": 192,
        "mixed": 256,
        "mixed_1": 288,
        "mixed_2": 288,
        "mixed_3": 768,
        "mixed_4": 768,
        "mixed_5": 768,
        "mixed_6": 768,
        "mixed_7": 768,
        "mixed_8": 1280,
        "mixed_9": 1280,
    }

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        stages: dict[str, Callable[[], nn.Module]] = {
            "stem": _stem,
            "mixed": partial(_block_35, "mixed", 192, 32),
            "mixed_1": partial(_block_35, "mixed_1", 256, 64),
            "mixed_2": partial(_block_35, "mixed_2", 288, 64),
            "mixed_3": partial(_reduce_to_17, "mixed_3"),
            "mixed_4": partial(_block_17, "mixed_4", 128),
            "mixed_5": partial(_block_17, "mixed_5", 160),
            "mixed_6": partial(_block_17, "mixed_6", 160),
            "mixed_7": partial(_block_17, "mixed_7", 192),
            "mixed_8": partial(_reduce_to_8, "mixed_8"),
            "mixed_9": partial(_block_8, "mixed_9"),
        }
        super().__init__(stages, wanted)


def load_weights(network: InceptionV3, archive: Path) -> None:
    """Fill ``network`` from an npz archive of ``weights_NAME`` [out, height, width, in] and ``bias_NAME`` [out]."""
    with np.load(archive) as weights:
        for module in network.modules():
            if isinstance(module, Convolution):
                channels_out, channels_in, height, width = module.conv.weight.shape
                kernel = weights[f"weights_{module.name}"]
                kernel = kernel.reshape(channels_out, height, width, channels_in).transpose(0, 3, 1, 2)
                fill(module.conv, kernel, weights[f"bias_{module.name}"])
