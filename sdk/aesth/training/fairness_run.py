"""Fairness of a recipe or of a model, measured on the data folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesth import decode
from aesth.encoder import OnnxEncoder
from aesth.errors import CatalogueError
from aesth.preprocess import Preprocess
from aesth.registry import find
from aesth.training.catalogue import FOLDS, RatedPicture, fold, kept_for_damage, read_oasis, unrated_photos
from aesth.training.evaluate import norms_of, projected_norms, torch_encode
from aesth.training.fairness import skin_angle, style_figures, tone_figures
from aesth.training.features import frozen_features
from aesth.training.progress import counted
from aesth.training.run import Run
from aesth.training.styles import black_and_white

PEOPLE = "Person"

Norms = Callable[[NDArray[Any], Callable[[int], None]], NDArray[np.float32]]
"""What was seen of pictures, n rows, and whom to tell of each batch -> norms, (n,)."""

Part = tuple[Callable[[], Norms], Collection[int]]
"""How to make an encoder, and the folds of rated pictures that it is measured on."""


def fairness_of_model(model: str, data: Path) -> dict[str, object]:
    """Figures of an ONNX model, which may have learned from the rated pictures; see `fairness`.

    Raises:
        ConfigError: there is no such model.
        ModelError: it is damaged.
        CatalogueError: the data is incomplete.
    """
    encoder = OnnxEncoder(find(model))
    figures = fairness([(lambda: partial(norms_of, encoder.encode), range(FOLDS))], encoder.record.preprocess, data)
    return {"model": encoder.model.name, "rated_pictures": "may have been learned from", **figures}


def fairness_of_recipe(
    config: Path, data: Path, out: Path, device: str = "auto", catalogues: Sequence[Path] = ()
) -> dict[str, object]:
    """Figures of the encoders that were trained without a fold each, on that fold; see `fairness`.

    What is not trained yet is trained, as by `aesth train evaluate`, from the same ``catalogues``.

    Raises:
        ConfigError: the recipe makes no sense, or ``out`` belongs to another one.
        CatalogueError: the data is incomplete.
        ProviderError: there is no such device.
    """
    this = Run.of(config, data, out, device, catalogues)

    def norms(held_out: int) -> Norms:
        encoder = this.train(held_out, resume=True)
        if this.frozen:
            return partial(projected_norms, encoder)
        return partial(norms_of, torch_encode(encoder, this.torch_device, this.recipe.warm_up.precision))

    def see(pixels: NDArray[np.uint8], on_progress: Callable[[int], None]) -> NDArray[np.float16]:
        return frozen_features(this.extractor, pixels, on_progress=on_progress)

    parts: list[Part] = [(partial(norms, held_out), [held_out]) for held_out in range(FOLDS)]
    figures = fairness(parts, this.recipe.encoder.preprocess, data, see if this.frozen else None)
    return {"recipe": this.recipe.name, "rated_pictures": "never learned from", **figures}


def fairness(
    parts: Sequence[Part],
    preprocess: Preprocess,
    data: Path,
    see: Callable[[NDArray[np.uint8], Callable[[int], None]], NDArray[Any]] | None = None,
) -> dict[str, object]:
    """What black and white costs on photos that no training sees, and what skin tone costs on rated people.

    Args:
        parts: encoders and their folds, together all folds, each once.
        preprocess: what the encoders take.
        data: folder with ``oasis/`` and ``photos/``; people are told by the value ``Person`` in the column
            ``category`` of ``ratings.csv``, and without it there are none.
        see: what all encoders have in common, such as frozen backbones: pixels -> what they take, row by row; None
            where they take pixels.

    Raises:
        CatalogueError: the data is incomplete, or fewer than two photos are kept for measuring.
    """
    people = _people(data / "oasis")
    photos = [photo for photo in unrated_photos(data / "photos") if kept_for_damage(photo.name)]
    if len(photos) < 2:
        raise CatalogueError("of these photos fewer than two are kept for measuring; add a few dozen", data / "photos")
    pixels = _pixels("people", [picture.path for picture in people], preprocess)
    colour = _pixels("photos", photos, preprocess)
    grey = np.array([black_and_white(image) for image in colour])
    folds = np.array([fold(picture.theme) for picture in people])
    norms, styles = np.full(len(people), np.nan), []
    of_people, of_colour, of_grey = (_seen(see, shown) for shown in (pixels, colour, grey))
    with counted("measuring", len(people) + 2 * len(parts) * len(colour)) as advance:
        for make, of_folds in parts:
            norms_of_part, held = make(), np.isin(folds, list(of_folds))
            ordinary = norms_of_part(of_colour, advance)
            # Norms of two encoders cannot be compared, but their distances from ordinary photos can.
            centre, spread = float(ordinary.mean()), max(float(ordinary.std()), 1e-6)
            norms[held] = (norms_of_part(of_people[held], advance) - centre) / spread
            styles.append(((ordinary - centre) / spread, (norms_of_part(of_grey, advance) - centre) / spread))
    ratings = np.array([picture.score for picture in people])
    angles = [skin_angle(image) for image in pixels]
    return {
        "black_and_white": style_figures(*(np.mean(norms, axis=0) for norms in zip(*styles, strict=True))),
        "skin_tone": tone_figures(norms, ratings, angles),
    }


def _seen(
    see: Callable[[NDArray[np.uint8], Callable[[int], None]], NDArray[Any]] | None, pixels: NDArray[np.uint8]
) -> NDArray[Any]:
    if see is None:
        return pixels
    with counted("features", len(pixels)) as advance:
        return see(pixels, advance)


def _people(folder: Path) -> list[RatedPicture]:
    pictures = read_oasis(folder)
    with (folder / "ratings.csv").open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        categories = [row.get("category") for row in csv.DictReader(file)]
    return [picture for picture, category in zip(pictures, categories, strict=True) if category == PEOPLE]


def _pixels(name: str, files: Sequence[Path], preprocess: Preprocess) -> NDArray[np.uint8]:
    pixels = np.empty((len(files), *preprocess.size, 3), np.uint8)
    with counted(name, len(files)) as advance:
        for index, file in enumerate(files):
            pixels[index] = preprocess(decode.load(file))
            advance(1)
    return pixels
