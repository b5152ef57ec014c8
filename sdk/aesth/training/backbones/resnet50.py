"""ResNet-50, the paper's network (section 5.3), from torchvision."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from torch import nn
from torchvision.models import ResNet50_Weights, resnet50

from aesth.training.backbones.trunk import Trunk


class ResNet50(Trunk):
    """The trunk: normalised pixels, (n, 3, h, w), to the outputs of its stages; ``layer4`` is what pool5 pools.

    Args:
        wanted: stages whose outputs are needed; nothing behind the last of them is made. None makes all.
        pretrained: start from torchvision's ImageNet weights, which torchvision downloads unless it has them.
    """

    channels: Mapping[str, int] = {"stem": 64, "layer1": 256, "layer2": 512, "layer3": 1024, "layer4": 2048}

    def __init__(self, wanted: Collection[str] | None = None, *, pretrained: bool) -> None:
        network = resnet50(weights=ResNet50_Weights.IMAGENET1K_V2 if pretrained else None)
        stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        layers = {name: partial(getattr, network, name) for name in ("layer1", "layer2", "layer3", "layer4")}
        super().__init__({"stem": lambda: stem, **layers}, wanted)
