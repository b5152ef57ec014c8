"""MobileNetV2 at width 1.0: Sandler et al., "Inverted Residuals and Linear Bottlenecks" (CVPR 2018).

Batch norm is folded into the convolutions; padding is TensorFlow's SAME, which is uneven at stride 2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from aesth.training.backbones.trunk import Trunk, fill

# expansion, channels, repeats, stride of the first (table 2)
BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST_CHANNELS = 1280


class Convolution(nn.Module):
    """A convolution with SAME padding, and a ReLU6 unless it is a linear bottleneck."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        *,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (n, c, h, w) -> (n, c', h', w')."""
        x = self.conv(_pad_same(x, self.conv.kernel_size[0], self.conv.stride[0]))
        return x if self.linear else functional.relu6(x)


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow; added to its input where the shapes agree (figure 3b)."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        widen = [Convolution(channels_in, wide, 1)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            Convolution(wide, wide, 3, stride, groups=wide),
            Convolution(wide, channels_out, 1, linear=True),
        )
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (n, c, h, w) -> (n, c', h', w')."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class MobileNetV2(Trunk):
    """The trunk: pixels in [-1, 1], (n, 3, h, w), to the outputs of its stages.

    Args:
        wanted: stages whose outputs are needed; nothing behind the last of them is made. None makes all.

    Attributes:
        channels: stage -> number of channels; ``bottleneck_1`` to ``bottleneck_7`` are the rows of table 2.
    """

    channels: Mapping[str, int] = {
        "stem": 32,
        **{f"bottleneck_{row}": channels for row, (_, channels, _, _) in enumerate(BOTTLENECKS, 1)},
        "last": LAST_CHANNELS,
    }

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        stages: dict[str, Callable[[], nn.Module]] = {"stem": partial(Convolution, 3, 32, 3, 2)}
        channels_in = 32
        for row, (expansion, channels, repeats, stride) in enumerate(BOTTLENECKS, 1):
            stages[f"bottleneck_{row}"] = partial(_bottlenecks, channels_in, channels, expansion, repeats, stride)
            channels_in = channels
        stages["last"] = partial(Convolution, channels_in, LAST_CHANNELS, 1)
        super().__init__(stages, wanted)


def _bottlenecks(channels_in: int, channels: int, expansion: int, repeats: int, stride: int) -> nn.Module:
    """A row of table 2."""
    first = InvertedResidual(channels_in, channels, expansion, stride)
    return nn.Sequential(first, *(InvertedResidual(channels, channels, expansion, 1) for _ in range(repeats - 1)))


def load_weights(network: MobileNetV2, archive: Path) -> None:
    """Fill ``network`` from an npz archive of ``NN_NAME_w`` [out, height, width, in] and ``NN_NAME_b``, in order.

    Depthwise kernels are stored as [1, height, width, channels]. What follows the trunk, the classifier, is left out.
    """
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    with np.load(archive) as weights:
        names = sorted(name.removesuffix("_w") for name in weights.files if name.endswith("_w"))
        for name, convolution in zip(names[: len(convolutions)], convolutions, strict=True):
            axes = (3, 0, 1, 2) if "DEPTHWISE" in name else (0, 3, 1, 2)
            fill(convolution.conv, weights[f"{name}_w"].transpose(axes), weights[f"{name}_b"].ravel())


def _pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    if kernel == 1:
        return x
    height, width = x.shape[-2:]
    down = max((-(-height // stride) - 1) * stride + kernel - height, 0)
    across = max((-(-width // stride) - 1) * stride + kernel - width, 0)
    return functional.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
