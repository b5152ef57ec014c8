"""ResNet-50, the paper's network (section 5.3), from torchvision."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torchvision.models import ResNet50_Weights, resnet50

from aesth.training.backbones.trunk import Trunk


class ResNet50(Trunk):
    """The trunk: normalised pixels, (n, 3, h, w), to the outputs of its stages; ``layer4`` is what pool5 pools.

    Args:
        pretrained: start from torchvision's ImageNet weights, which torchvision downloads unless it has them.
    """

    channels: Mapping[str, int] = {"stem": 64, "layer1": 256, "layer2": 512, "layer3": 1024, "layer4": 2048}

    def __init__(self, *, pretrained: bool) -> None:
        network = resnet50(weights=ResNet50_Weights.IMAGENET1K_V2 if pretrained else None)
        super().__init__(
            {
                "stem": nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool),
                "layer1": network.layer1,
                "layer2": network.layer2,
                "layer3": network.layer3,
                "layer4": network.layer4,
            }
        )
