"""What all backbones are: stages, one after the other, whose outputs can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Trunk(nn.Module):
    """A network as a chain of named stages.

    Args:
        stages: name -> what makes the module, in the order in which they run.
        wanted: those whose outputs are needed; nothing behind the last of them is made. None makes all.

    Attributes:
        channels: stage -> number of channels that it puts out, also of stages that are not made.
    """

    channels: Mapping[str, int]

    def __init__(self, stages: Mapping[str, Callable[[], nn.Module]], wanted: Collection[str] | None = None) -> None:
        super().__init__()
        self.stages = nn.ModuleDict()
        for name, make in stages.items():
            self.stages[name] = make()
            if wanted is not None and self.stages.keys() >= set(wanted):
                break

    def forward(self, x: Tensor, wanted: Sequence[str]) -> list[Tensor]:
        """The outputs of the stages called ``wanted``, each (n, channels, h', w'); nothing behind the last is run."""
        outputs: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            x = outputs[name] = stage(x)
            if outputs.keys() >= set(wanted):
                break
        return [outputs[name] for name in wanted]


@torch.no_grad()
def fill(convolution: nn.Conv2d, kernel: NDArray[np.floating], bias: NDArray[np.floating]) -> None:
    """Set the weights of ``convolution`` to ``kernel`` [out, in, height, width] and ``bias`` [out].

    Raises:
        ValueError: their shapes are others.
    """
    for parameter, values in ((convolution.weight, kernel), (convolution.bias, bias)):
        if parameter is None or parameter.shape != values.shape:
            raise ValueError(f"weights of shape {values.shape} do not fit {convolution}")
        parameter.copy_(torch.from_numpy(values.astype(np.float32)))
