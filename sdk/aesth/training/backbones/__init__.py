"""Networks to start from, by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from zipfile import BadZipFile

from aesth.errors import ConfigError
from aesth.training.backbones import inception_v3, mobilenet_v2
from aesth.training.backbones.trunk import Trunk

Colour = tuple[float, float, float]
T = TypeVar("T", bound=Trunk)

SYMMETRIC: Colour = (127.5, 127.5, 127.5)


@dataclass(frozen=True)
class Backbone:
    """A network to start from.

    Attributes:
        load: folder of weights, stages whose outputs are needed -> trunk with those weights. None for the folder leaves
            them random, None for the stages makes all.
        size: height and width that it was trained at, in pixels.
        mean: subtracted from pixels (0-255), for red, green and blue.
        deviation: then divides them.
        layers: the stages that are pooled where a recipe names none; the paper pools the last.
    """

    load: Callable[[Path | None, Collection[str] | None], Trunk]
    size: tuple[int, int]
    mean: Colour
    deviation: Colour
    layers: tuple[str, ...]


def _inception_v3(folder: Path | None, wanted: Collection[str] | None) -> Trunk:
    trunk = inception_v3.InceptionV3(wanted)
    if folder is not None:
        _fill(trunk, inception_v3.load_weights, folder / "inception_v3_trunk_imagenet_fp16.npz")
    return trunk


def _mobilenet_v2(folder: Path | None, wanted: Collection[str] | None) -> Trunk:
    trunk = mobilenet_v2.MobileNetV2(wanted)
    if folder is not None:
        _fill(trunk, mobilenet_v2.load_weights, folder / "mobilenet_v2_imagenet_fp16.npz")
    return trunk


def _resnet50(folder: Path | None, wanted: Collection[str] | None) -> Trunk:
    from aesth.training.backbones.resnet50 import ResNet50  # torchvision takes seconds to load

    try:
        return ResNet50(wanted, pretrained=folder is not None)
    except OSError as error:
        raise ConfigError(
            f"the ImageNet weights of ResNet-50 could not be downloaded ({error}); try again online, or train another"
            " backbone"
        ) from error


def _fill(trunk: T, load_weights: Callable[[T, Path], None], archive: Path) -> None:
    try:
        load_weights(trunk, archive)
    except FileNotFoundError as error:
        raise ConfigError(
            "the weights to start from are not here; put the archive there, or train another backbone", archive
        ) from error
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise ConfigError(f"not an archive of this backbone's weights ({error}); fetch it again", archive) from error


BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        "inception_v3": Backbone(_inception_v3, (299, 299), SYMMETRIC, SYMMETRIC, ("mixed_9",)),
        "mobilenet_v2": Backbone(_mobilenet_v2, (224, 224), SYMMETRIC, SYMMETRIC, ("last",)),
        "resnet50": Backbone(_resnet50, (224, 224), (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), ("layer4",)),
    }
)
