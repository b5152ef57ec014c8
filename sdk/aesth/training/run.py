"""What `aesth train run` and `aesth train evaluate` do.

A run has a folder: rendered views and frozen features, one folder of checkpoints for each fold and one for all
pictures, figures, and the exported models.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aesth.errors import ConfigError
from aesth.training.catalogue import FOLDS
from aesth.training.checkpoint import fingerprint
from aesth.training.distributed import World, process_device
from aesth.training.evaluate import DamageTest, norms_of, torch_encode
from aesth.training.features import frozen_features, kept_features
from aesth.training.figures import fold_figures, merged_figures, require_judgements
from aesth.training.files import replacing
from aesth.training.loader import Pixels, StreamedViews, streams
from aesth.training.logs import Step, draw_curves
from aesth.training.networks import AestheticEncoder
from aesth.training.progress import bars, counted, tell
from aesth.training.recipe import Recipe, read_recipe
from aesth.training.source import TripletSource
from aesth.training.study import Study, assemble
from aesth.training.train import fresh_encoder, train
from aesth.training.views import View, render_all
from aesth.training.views import fingerprint as views_fingerprint

FIGURES = "figures.json"


@dataclass(frozen=True)
class Run:
    """A recipe, the data and the folder of one run.

    Attributes:
        recipe: how to train.
        data: folder of rated pictures, unrated photos and backbones.
        out: the run's folder.
        device: where torch computes: ``auto``, ``cpu`` or ``cuda``.
        catalogues: lists of rated pictures; by default those of ``data``.
    """

    recipe: Recipe
    data: Path
    out: Path
    device: str = "auto"
    catalogues: Sequence[Path] = ()

    @property
    def torch_device(self) -> str:
        """The device by torch's name.

        Raises:
            ProviderError: CUDA is asked for, and torch has none, or fewer than there are processes.
        """
        return process_device(self.device)

    @property
    def weights(self) -> Path | None:
        """Folder of the backbones' weights; None where the recipe starts from random ones."""
        return self.data / "backbones" if self.recipe.pretrained else None

    def folder(self, held_out: int | None) -> Path:
        """Where the checkpoint and the weights are kept of the training without the fold ``held_out``."""
        return self.out / ("all" if held_out is None else f"fold-{held_out}")

    @cached_property
    def study(self) -> Study:
        """What there is to learn from."""
        kinds = self.recipe.sampling.damage_kinds
        return assemble(self.data, damage_kinds=kinds, seed=self.recipe.seed, catalogues=self.catalogues)

    @cached_property
    def pixels(self) -> Pixels:
        """The views of the study, uint8 (n, height, width, 3), or streamed as the recipe says."""
        views, preprocess, loader = self.study.views, self.recipe.encoder.preprocess, self.recipe.loader
        if streams(loader, len(views), preprocess):
            return StreamedViews(views, preprocess, seed=self.recipe.seed, recipe=loader)
        return self.render("views", views)

    def render(self, name: str, views: Sequence[View]) -> NDArray[np.uint8]:
        """``views`` as an array, kept in the run's folder under ``name``."""
        with World.current().leader_first(), counted(f"pictures: {name}", len(views)) as advance:
            return render_all(
                views,
                self.recipe.encoder.preprocess,
                self.out / f"{name}.npy",
                seed=self.recipe.seed,
                jobs=os.cpu_count() or 1,
                on_progress=advance,
            )

    @cached_property
    def features(self) -> NDArray[np.float16] | None:
        """Pooled features of the views by the frozen backbone, (n, f); None where the recipe has no warm-up."""
        if not self.recipe.warm_up.steps:
            return None
        pixels = self.pixels
        key = {
            "views": views_fingerprint(self.study.views, self.recipe.encoder.preprocess, self.recipe.seed),
            "streamed": isinstance(pixels, StreamedViews),
            "encoder": dataclasses.asdict(self.recipe.encoder),
            "pretrained": self.recipe.pretrained,
        }

        def make() -> NDArray[np.float16]:
            encoder = fresh_encoder(self.recipe, self.weights, self.torch_device)
            precision = self.recipe.warm_up.precision
            with counted("features", len(pixels)) as advance:
                return frozen_features(
                    encoder, pixels, device=self.torch_device, precision=precision, on_progress=advance
                )

        with World.current().leader_first():
            return kept_features(self.out / "features.npy", key, make)

    def train(self, held_out: int | None, *, resume: bool) -> AestheticEncoder:
        """An encoder trained without the fold ``held_out``, or on all rated pictures.

        Raises:
            ConfigError: the recipe makes no sense with this data, or the folder holds another training.
            CatalogueError: the data is incomplete.
        """
        # What is missing is told before the pictures are rendered, which can take hours.
        device = self.torch_device
        encoder = fresh_encoder(self.recipe, self.weights, device)
        label = "all pictures" if held_out is None else f"without fold {held_out}"
        pictures, pairs = self.study.training_pictures(held_out), self.study.training_pairs(held_out)
        source = TripletSource(self.study, pictures, self.recipe.sampling, pairs)
        tell(f"{label}: {source.summary()}")
        pixels, features = self.pixels, self.features
        with bars("note") as progress:
            tasks = {
                stage: progress.add_task(f"{label}: {stage}", total=getattr(self.recipe, stage).steps, note="")
                for stage in ("warm_up", "fine_tune")
            }

            def report(step: Step) -> None:
                note = f"error {step.error:.3f}  rate {step.rate:.0e}  {step.images_per_second:.0f} pictures/s"
                progress.update(tasks[step.stage], completed=step.step, note=note)

            with curves_of(self.folder(held_out)):
                return train(
                    self.recipe,
                    self.study,
                    pixels,
                    self.folder(held_out),
                    encoder=encoder,
                    source=source,
                    features=features,
                    held_out=held_out,
                    weights=self.weights,
                    device=device,
                    resume=resume,
                    on_step=report,
                )


@contextmanager
def curves_of(folder: Path) -> Iterator[None]:
    """Draw the curves of the training in ``folder`` when it ends, also by an error or by Ctrl-C."""
    try:
        yield
    finally:
        if World.current().leads:
            draw_curves(folder)


def run(
    *,
    config: Path,
    data: Path,
    out: Path,
    resume: bool = True,
    device: str = "auto",
    held_out: int | None = None,
    catalogues: Sequence[Path] = (),
) -> Path:
    """Train an encoder by the recipe ``config``; the weights are written to ``out`` and their file is returned.

    Args:
        config: TOML file of a `Recipe`.
        data: folder with ``oasis/``, ``photos/`` and ``backbones/``.
        out: folder of the run.
        resume: go on where a killed run stopped.
        device: ``auto``, ``cpu`` or ``cuda``.
        held_out: fold of rated pictures to leave out.
        catalogues: lists of rated pictures; by default those of ``data``.

    Raises:
        ConfigError: the recipe makes no sense, or ``out`` belongs to another one.
        CatalogueError: the data is incomplete.
        ProviderError: there is no such device.
    """
    this = Run(read_recipe(config), data, out, device, catalogues)
    encoder = this.train(held_out, resume=resume)
    path = this.folder(held_out) / "encoder.pt"
    if World.current().leads:
        with replacing(path) as partial:
            torch.save(encoder.state_dict(), partial)
    return path


def evaluate(
    *,
    config: Path,
    data: Path,
    out: Path,
    resume: bool = True,
    device: str = "auto",
    folds: Sequence[int] = tuple(range(FOLDS)),
    catalogues: Sequence[Path] = (),
) -> Path:
    """Train once without each fold and measure on it; the figures are written to ``out`` and their file is returned.

    Agreement with people is measured on the pictures of the fold; preference for undamaged photos on photos that
    no training sees. Folds that were measured before, with the same recipe on the same data, are kept.

    Args:
        config: TOML file of a `Recipe`.
        data: folder with ``oasis/``, ``photos/`` and ``backbones/``.
        out: folder of the run.
        resume: go on where a killed run stopped; what is trained to its end is not trained again.
        device: ``auto``, ``cpu`` or ``cuda``.
        folds: which folds.
        catalogues: lists of rated pictures; by default those of ``data``.

    Raises:
        ConfigError: the recipe makes no sense, there is no such fold, or ``out`` belongs to another recipe.
        CatalogueError: the data is incomplete.
        ProviderError: there is no such device.
    """
    this = Run(read_recipe(config), data, out, device, catalogues)
    for held_out in folds:
        if held_out not in range(FOLDS):
            raise ConfigError(f"there is no fold {held_out}; the folds are 0 to {FOLDS - 1}")
        require_judgements(held_out, this.study)
    test = DamageTest.of(data, needed=this.recipe.sampling.damage_kinds > 0)
    by_fold = {str(held_out): _measure(this, held_out, test, resume=resume) for held_out in dict.fromkeys(folds)}
    figures = merged_figures(out / FIGURES, this.recipe, fingerprint(this.recipe, this.study, None), by_fold)
    with replacing(out / FIGURES) as partial:
        partial.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", "utf-8")
    return out / FIGURES


def _measure(this: Run, held_out: int, test: DamageTest, *, resume: bool) -> dict[str, object]:
    encoder = this.train(held_out, resume=resume)
    encode = torch_encode(encoder, this.torch_device, this.recipe.warm_up.precision)
    study, pixels = this.study, this.pixels
    test_pixels: Pixels = this.render("damage-test", test.views) if test.views else pixels[:0]
    pictures, pairs = study.held_out_pictures(held_out), study.held_out_pairs(held_out)
    compared, places = np.unique(pairs, return_inverse=True)
    with counted("measuring", len(pictures) + len(compared) + len(test_pixels)) as advance:
        return fold_figures(
            norms_of(encode, pixels[pictures], advance),
            study.ratings[pictures],
            test,
            norms_of(encode, test_pixels, advance),
            sources=None if study.sources is None else study.sources[pictures],
            pairs=norms_of(encode, pixels[compared], advance)[places.reshape(pairs.shape)]
            if len(study.pairs)
            else None,
        )
