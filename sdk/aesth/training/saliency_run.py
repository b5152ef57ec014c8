"""Overlays of what a trained encoder looks at, beside its backbone before training (paper, Fig. 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from aesth import decode
from aesth.apps.explain import overlay
from aesth.preprocess import UInt8Image
from aesth.training.files import replacing
from aesth.training.networks import AestheticEncoder, Architecture
from aesth.training.progress import counted
from aesth.training.recipe import read_recipe
from aesth.training.saliency import feature_energy, guided_saliency, half_area, norm_energy, smooth
from aesth.training.weights import load_weights

_GAP = 8


@dataclass(frozen=True)
class Explained:
    """A photo whose saliency was drawn.

    Attributes:
        photo: the photo.
        overlay: PNG of the photo, the trained encoder's saliency and, where it is known, the plain backbone's.
        half_area: share of the picture that holds half of the trained encoder's saliency; larger is wider.
        plain_half_area: the same of the plain backbone; None without its weights.
    """

    photo: Path
    overlay: Path
    half_area: float
    plain_half_area: float | None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        plain = None if self.plain_half_area is None else round(self.plain_half_area, 4)
        return {
            "photo": str(self.photo),
            "overlay": str(self.overlay),
            "half_area": round(self.half_area, 4),
            "plain_half_area": plain,
        }


def draw_saliency(
    *, config: Path, weights: Path, photos: Sequence[Path], out: Path, backbones: Path | None = None
) -> list[Explained]:
    """Draw what an encoder looks at in each photo, and what its backbone looked at before training.

    Args:
        config: TOML file of the encoder's recipe.
        weights: what `aesth train run` wrote.
        photos: picture files.
        out: folder of the overlays, named after the photos.
        backbones: folder of the backbone's ImageNet weights; None leaves the comparison out.

    Raises:
        ConfigError: recipe or weights make no sense, or the overlays cannot be written.
        DecodeError: a photo cannot be read.
    """
    recipe = read_recipe(config)
    trained = AestheticEncoder(recipe.encoder)
    load_weights(trained, weights)
    energies = [norm_energy(trained.eval())]
    if backbones is not None:
        plain = Architecture(recipe.encoder.backbone, size=recipe.encoder.preprocess.size)
        energies.append(feature_energy(AestheticEncoder(plain, backbones).eval()))
    found = []
    with counted("saliency", len(photos)) as advance:
        for photo, target in zip(photos, _names(photos, out), strict=True):
            image = decode.load(photo, at_least=recipe.encoder.preprocess.size)
            pixels = recipe.encoder.preprocess(image)
            maps = [guided_saliency(energy, pixels[None])[0] for energy in energies]
            panels = [image, *(overlay(image, smooth(one)) for one in maps)]
            with replacing(target) as partial:
                Image.fromarray(_beside(panels)).save(partial, "PNG")
            areas = [half_area(one) for one in maps]
            found.append(Explained(photo, target, areas[0], areas[1] if len(areas) > 1 else None))
            advance(1)
    return found


def _names(photos: Sequence[Path], out: Path) -> Iterator[Path]:
    """A PNG of its own for each photo; photos of the same name are numbered."""
    taken: set[str] = set()
    for photo in photos:
        name, number = photo.stem, 1
        while name in taken:
            number += 1
            name = f"{photo.stem}-{number}"
        taken.add(name)
        yield out / f"{name}.png"


def _beside(panels: Sequence[UInt8Image]) -> UInt8Image:
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    parts = [part for panel in panels for part in (panel, gap)][:-1]
    return np.concatenate(parts, axis=1)
