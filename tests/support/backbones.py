"""Archives of backbones' weights, as those that trainings start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from aesth.training.backbones import inception_v3
from aesth.training.backbones.trunk import Trunk

ARCHIVES = {
    "inception_v3": "inception_v3_trunk_imagenet_fp16.npz",
    "mobilenet_v2": "mobilenet_v2_imagenet_fp16.npz",
}


def convolutions(trunk: Trunk) -> list[nn.Conv2d]:
    return [module for module in trunk.modules() if isinstance(module, nn.Conv2d)]


def archive_of(name: str, trunk: Trunk) -> dict[str, NDArray[np.float16]]:
    """The weights of ``trunk`` as the archive of its backbone has them: channels last, half precision."""

    def half(tensor: Tensor, *axes: int) -> NDArray[np.float16]:
        return tensor.detach().permute(*axes).numpy().astype(np.float16)

    made: dict[str, NDArray[np.float16]] = {}
    if name == "inception_v3":
        for module in trunk.modules():
            if isinstance(module, inception_v3.Convolution):
                made[f"weights_{module.name}"] = half(module.conv.weight, 0, 2, 3, 1)
                made[f"bias_{module.name}"] = half(module.conv.bias, 0)
        return made
    for number, conv in enumerate(convolutions(trunk)):
        depthwise = conv.groups > 1
        key = f"{number:02}_{'DEPTHWISE_' * depthwise}CONV_2D"
        made[f"{key}_w"] = half(conv.weight, *((1, 2, 3, 0) if depthwise else (0, 2, 3, 1)))
        made[f"{key}_b"] = half(conv.bias, 0)
    return made
