"""What `aesth train export` does: a trained encoder becomes models that are proved and describe themselves."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.encoder import ModelRecord
from aesth.scale import Scale
from aesth.training.catalogue import unrated_photos
from aesth.training.evaluate import Encode, norms_of, torch_encode
from aesth.training.export import describe, export, greatest_difference, onnx_encode, prove
from aesth.training.figures import known, mean_kept
from aesth.training.files import replacing
from aesth.training.half import store_as_half
from aesth.training.heads import Polar
from aesth.training.loader import Pixels
from aesth.training.metrics import srcc
from aesth.training.quantize import quantize
from aesth.training.run import FIGURES, Run
from aesth.training.views import View

CALIBRATION_PICTURES = 256
PROOF_PICTURES = 64
PROOF_TOLERANCE = 1e-2


def export_models(
    *,
    config: Path,
    data: Path,
    out: Path,
    models: Path,
    resume: bool = True,
    device: str = "auto",
    catalogues: Sequence[Path] = (),
) -> list[Path]:
    """Export the encoder trained on all pictures: float32 to ``out``, stored as float16 and static int8 to ``models``.

    Each is proved on real pictures, and gets a scale from the norms of all unrated photos; of the rated ones where
    there are no others and the recipe needs none. That of int8 is moved as rounding moves the norms of rated pictures.
    Nothing is put into ``models`` before all is proved.

    Args:
        config: TOML file of a `Recipe`.
        data: folder with ``oasis/``, ``photos/`` and ``backbones/``.
        out: folder of the run.
        models: folder of models.
        resume: go on where a killed run stopped; what is trained to its end is not trained again.
        device: ``auto``, ``cpu`` or ``cuda``.
        catalogues: lists of rated pictures; by default those of ``data``.

    Returns:
        The float32, the float16 and the int8 file.

    Raises:
        ConfigError: the recipe makes no sense, or ``out`` belongs to another one.
        CatalogueError: the data is incomplete.
        ModelError: ONNX Runtime does not say what torch says.
        ProviderError: there is no such device.
    """
    this = Run.of(config, data, out, device, catalogues, resume=resume)
    encoder = this.train(None, resume=resume).to("cpu")
    if isinstance(encoder.head, Polar):
        encoder.head.round_directions()
    reference, words = _reference(this)
    pixels, rated = this.render("reference", reference), this.pixels[: this.study.judged]
    generator = np.random.default_rng(this.recipe.seed)
    proof = _some(pixels, PROOF_PICTURES, generator)
    # Calibration pictures also lend damaged copies: flat light and noise are where ranges are widest.
    calibration = _some(this.pixels, CALIBRATION_PICTURES, generator)

    record = _record(this)
    exact = torch_encode(encoder)
    float_path = export(encoder, out / f"{record.name}-fp32.onnx")
    difference = prove(float_path, exact, proof, PROOF_TOLERANCE)
    half_path = store_as_half(float_path, out / f"{record.name}-fp16.onnx")
    prove(half_path, exact, proof, PROOF_TOLERANCE)
    int8_path = quantize(float_path, out / f"{record.name}-int8.onnx", calibration)

    encode = onnx_encode(float_path)
    kept = this.kept_norms(encoder)
    norms = _norms(encode, reference, pixels, kept)
    rated_norms = _norms(encode, this.study.views[: this.study.judged], rated, kept)
    rounded_norms = norms_of(onnx_encode(int8_path), rated)
    proofs = {
        "torch_to_onnx_largest_difference": difference,
        "float_to_fp16_largest_difference": greatest_difference(encode, onnx_encode(half_path), proof),
        "float_to_int8_largest_difference": greatest_difference(encode, onnx_encode(int8_path), proof),
        "float_to_int8_srcc": known(round(srcc(rated_norms, rounded_norms), 4)),
        "proof_pictures": len(proof),
    }
    described = dataclasses.replace(record, training={**record.training, "proofs": proofs})
    # The norms of the float16 file are proved to be those of the float32 one; int8 moves them.
    for path, of_reference in (
        (float_path, norms),
        (half_path, norms),
        (int8_path, _moved(norms, rated_norms, rounded_norms)),
    ):
        describe(path, dataclasses.replace(described, scale=Scale.fit(of_reference, words)))
    return [float_path, _shipped(half_path, models), _shipped(int8_path, models)]


def _reference(this: Run) -> tuple[Sequence[View], str]:
    """The pictures that the scale is fitted to, and what they are.

    Photos are saved once more, as those beside damaged copies are: norms of these may be known.
    """
    if this.recipe.sampling.damage_kinds or (this.data / "photos").is_dir():
        views = [View(photo, recompressed=True) for photo in unrated_photos(this.data / "photos")]
        return views, f"{len(views)} ordinary photos without ratings"
    views = list(this.study.views[: this.study.judged])
    return views, f"{len(views)} pictures of {', '.join(this.study.names)}"


def _norms(encode: Encode, views: Sequence[View], pixels: Pixels, kept: Mapping[View, float]) -> NDArray[np.float32]:
    """Norms (n,) of ``views``: those that are ``kept``, and what ``encode`` makes of the ``pixels`` of others."""
    norms = np.array([kept.get(view, np.nan) for view in views], np.float32)
    if len(others := np.flatnonzero(np.isnan(norms))):
        norms[others] = norms_of(encode, pixels[others])
    return norms


def _moved(norms: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """What rounding makes of ``norms`` (n,) on average: the line that leads from ``before`` to ``after``, (m,)."""
    slope, offset = np.polyfit(before, after, 1) if np.ptp(before) else (1.0, float(np.mean(after - before)))
    moved: NDArray[np.float32] = max(slope, 0.0) * norms + offset
    return moved


def _some(pixels: Pixels, count: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    return np.array(pixels[np.sort(generator.choice(len(pixels), min(count, len(pixels)), replace=False))])


def _record(this: Run) -> ModelRecord:
    training = {
        "recipe": dataclasses.asdict(this.recipe),
        "data": {
            "rated": len(this.study.ratings),
            "damage_triples": len(this.study.damage),
            **({"pairs": len(this.study.pairs)} if len(this.study.pairs) else {}),
            "rated_source": ", ".join(this.study.names),
        },
        "figures": mean_kept(this.out / FIGURES, this.recipe, this.digest),
    }
    recipe = this.recipe
    return ModelRecord(
        recipe.name, recipe.version, recipe.licence, recipe.encoder.preprocess, Scale((0.0, 1.0)), training
    )


def _shipped(model: Path, folder: Path) -> Path:
    target = folder / model.name
    if target.resolve() != model.resolve():
        with replacing(target) as partial:
            shutil.copyfile(model, partial)
    return target
