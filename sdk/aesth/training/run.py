"""What `aesth train run` and `aesth train evaluate` do.

A run has a folder: rendered views and frozen features, one folder of checkpoints for each fold and one for all
pictures, figures, and the exported models.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor

from aesth.cores import usable_cores
from aesth.errors import ConfigError
from aesth.training.adaptation import adapt, trunks_of
from aesth.training.catalogue import FOLDS
from aesth.training.checkpoint import Checkpoint, fingerprint
from aesth.training.distillation import components, distil
from aesth.training.distributed import World, process_device
from aesth.training.evaluate import DamageTest, norms_of, projected_norms, torch_encode
from aesth.training.features import (
    BegunFeatures,
    Change,
    Extractor,
    frozen_features,
    grey,
    kept_features,
    mirrored,
    unchanged,
)
from aesth.training.figures import fold_figures, merged_figures, require_fold, require_judgements
from aesth.training.files import replacing
from aesth.training.fitting import Examples, fit_head
from aesth.training.loader import Pixels, StreamedViews, streams
from aesth.training.logs import Step, draw_curves
from aesth.training.networks import AestheticEncoder
from aesth.training.progress import bars, counted, tell
from aesth.training.recipe import FitRecipe, Recipe, read_recipe
from aesth.training.source import TripletSource
from aesth.training.stopping import stop_if_asked
from aesth.training.study import Study, assemble, kinds_of
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
        recipes: folder of the recipe, where its teacher's lies too; None for a recipe without.
        resume: go on with an adaptation or a distillation that was stopped, and take one that is finished.
    """

    recipe: Recipe
    data: Path
    out: Path
    device: str = "auto"
    catalogues: Sequence[Path] = ()
    recipes: Path | None = None
    resume: bool = True

    @classmethod
    def of(
        cls,
        config: Path,
        data: Path,
        out: Path,
        device: str = "auto",
        catalogues: Sequence[Path] = (),
        *,
        resume: bool = True,
    ) -> Run:
        """The run of the recipe in the file ``config``.

        Raises:
            ConfigError: the recipe or that of its teacher cannot be read, or makes no sense.
        """
        recipe = read_recipe(config)
        _require_end_of_teachers(recipe, config.parent)
        return cls(recipe, data, out, device, catalogues, config.parent, resume)

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
        """``views`` as an array, kept in the run's folder under ``name``; in the lender's folder where there is one."""
        if self.lender is not None:
            return self.lender.render(name, views)
        with World.current().leader_first(), counted(f"pictures: {name}", len(views)) as advance:
            return render_all(
                views,
                self.recipe.encoder.preprocess,
                self.out / f"{name}.npy",
                seed=self.recipe.seed,
                jobs=usable_cores(),
                on_progress=advance,
            )

    @property
    def freezes(self) -> bool:
        """Whether features of the backbones, as they are before they are fine-tuned, are what a head learns from."""
        return bool(self.recipe.fit or self.recipe.warm_up.steps)

    @property
    def frozen(self) -> bool:
        """Whether the backbones stay as they are for all folds, so that encoders differ in their heads alone."""
        return self.freezes and not self.recipe.fine_tune.steps

    @cached_property
    def features(self) -> NDArray[np.float16] | None:
        """Pooled features of the study's views, (n, f); None where no head learns from such."""
        return self.features_of("features", self.study.views, self.pixels) if self.freezes else None

    def features_of(
        self,
        name: str,
        views: Sequence[View],
        pixels: Pixels,
        change: Change = unchanged,
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float16]:
        """Pooled features (n, f) by the frozen backbones, kept in the run's folder under ``name``.

        Args:
            name: of the file.
            views: what is shown.
            pixels: of the views.
            change: what is done to the pixels first.
            rows: which of the views, (n,); None for all. Their pixels are read where features are computed only.
        """
        if self.lender is not None:
            return self.lender.features_of(name, views, pixels, change, rows)[:, self.borrowed]
        views = views if rows is None else [views[row] for row in rows]
        key = self.features_key(views, streamed=isinstance(pixels, StreamedViews), change=change)

        begun = self.out / f"{name}.begun"

        def make() -> NDArray[np.float16]:
            extractor = self.extractor
            with counted(f"features: {name}", len(views)) as advance:
                shown = pixels if rows is None else pixels[rows]
                return frozen_features(
                    extractor,
                    shown,
                    change=change,
                    begun=BegunFeatures(begun, key, extractor.width),
                    on_progress=advance,
                )

        with World.current().leader_first():
            kept = kept_features(self.out / f"{name}.npy", key, make)
            begun.unlink(missing_ok=True)
            return kept

    def features_key(
        self, views: Sequence[View], *, streamed: bool = False, change: Change = unchanged
    ) -> dict[str, object]:
        """All that decides about the features of ``views``, changed by ``change``."""
        return {
            "views": views_fingerprint(views, self.recipe.encoder.preprocess, self.recipe.seed),
            "streamed": streamed,
            "branches": [dataclasses.asdict(branch) for branch in self.recipe.encoder.branches],
            "pooling": self.recipe.encoder.pooling,
            "pretrained": self.recipe.pretrained,
            "adapted": fingerprint(self.recipe.adaptation, self.study, None) if self.recipe.adapt.steps else None,
            "distilled": self.distillation if self.recipe.distil.steps else None,
            "change": change.__name__,
        }

    @cached_property
    def extractor(self) -> Extractor:
        """What computes features by the frozen backbones."""
        return Extractor(self.fresh_encoder(), self.torch_device, self.recipe.warm_up.precision)

    @cached_property
    def trunks(self) -> Mapping[str, Tensor]:
        """The weights of the backbones as they are when features are frozen; none where they are as they came.

        They have learned from damaged photos or from a teacher, or are lent.
        """
        if self.lender is not None:
            return self.lender.trunks
        if self.recipe.distil.steps:
            return trunks_of(self._distilled())
        return trunks_of(self._adapted()) if self.recipe.adapt.steps else {}

    def _adapted(self) -> AestheticEncoder:
        folder, pixels = self.out / "adapted", self.pixels
        with bars("note") as progress, curves_of(folder):
            return adapt(
                self.recipe,
                self.study,
                pixels,
                folder,
                weights=self.weights,
                device=self.torch_device,
                resume=self.resume,
                on_step=reported(progress, "adapting", {"adapt": self.recipe.adapt.steps}),
            )

    def _distilled(self) -> AestheticEncoder:
        folder, pixels, plan, teacher = self.out / "distilled", self.pixels, self.recipe.distil, self.teacher
        seen = teacher.features if teacher else None
        if seen is None:
            raise ConfigError("the recipe of the teacher, whose features are to be learned, is not known here")

        def wanted() -> NDArray[np.float32]:
            tell(f"main components of what '{self.recipe.teacher}' sees")
            return components(seen[self.first_distilled :], plan.components, self.recipe.seed)

        encoder, first = fresh_encoder(self.recipe, self.weights, self.torch_device), self.first_distilled
        with World.current().leader_first(), bars("note") as progress, curves_of(folder):
            distil(
                encoder,
                kept_features(folder / "wanted.npy", {"distillation": self.distillation}, wanted),
                pixels,
                plan,
                Checkpoint(folder / "checkpoint.pt", self.distillation),
                first=first,
                seed=self.recipe.seed,
                device=self.torch_device,
                resume=self.resume,
                on_step=reported(progress, "distilling", {"distil": plan.steps}),
            )
        return encoder

    @property
    def first_distilled(self) -> int:
        """The first of the views that a distillation shows: judged ones are left out where there are others."""
        return self.study.judged if len(self.study.photos) else 0

    @cached_property
    def distillation(self) -> str:
        """A digest of all that decides about the distillation."""
        teacher = self.teacher
        parts = (
            dataclasses.asdict(self.recipe.adaptation.encoder),
            dataclasses.asdict(self.recipe.distil),
            (self.recipe.seed, self.recipe.pretrained, self.first_distilled),
            teacher.features_key(teacher.study.views) if teacher else None,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def fresh_encoder(self) -> AestheticEncoder:
        """The encoder before its head has learned anything; its backbones may have.

        Raises:
            ConfigError: there is no such layer, or the backbone's weights are not there.
        """
        encoder = fresh_encoder(self.recipe, self.weights, self.torch_device)
        encoder.load_state_dict(self.trunks, strict=False)
        return encoder

    @cached_property
    def borrowed(self) -> NDArray[np.int64] | slice:
        """Which of the lender's features are those of this run; a slice, which copies nothing, where they adjoin."""
        if self.lender is None:
            return slice(None)
        columns = AestheticEncoder(self.lender.recipe.encoder).columns
        ends = np.cumsum([column.width for column in columns])
        lent = dict(zip(columns, ends.tolist(), strict=True))
        own = AestheticEncoder(self.recipe.encoder).columns
        places = np.concatenate([np.arange(lent[column] - column.width, lent[column]) for column in own])
        adjoining = (np.diff(places) == 1).all()
        return slice(int(places[0]), int(places[-1]) + 1) if adjoining else places

    def fit(self, encoder: AestheticEncoder, held_out: int | None) -> None:
        """Fit the head of ``encoder`` without the fold ``held_out``, unless that was done before."""
        if self.recipe.fit is None or self.features is None:
            return
        views = views_fingerprint(self.study.views, self.recipe.encoder.preprocess, self.recipe.seed)
        taught = self.teacher.digest if self.teacher else ""
        of = f"{fingerprint(self.recipe, self.study, held_out)} {views} {taught}"
        checkpoint = Checkpoint(self.folder(held_out) / "head.pt", of)
        with suppress(ConfigError):
            if self.resume and (state := checkpoint.load(self.torch_device)):
                encoder.load_state_dict(state["head"], strict=False)
                return
        tell("fitting the head")
        examples = self.examples(held_out, self.features)
        stop_if_asked()
        fit_head(encoder, examples, self.recipe.fit, offset=self.recipe.offset, seed=self.recipe.seed)
        if World.current().leads:
            head = {name: value for name, value in encoder.state_dict().items() if not name.startswith("trunks.")}
            checkpoint.save(head=head)
        stop_if_asked()

    def examples(self, held_out: int | None, features: NDArray[np.float16]) -> Examples:
        """What a head is fitted to without the fold ``held_out``."""
        study, plan = self.study, self.recipe.fit or FitRecipe()
        rated, judged = study.training_pictures(held_out), np.arange(study.judged)
        greyed = np.sort(np.random.default_rng(self.recipe.seed).permutation(study.photos)[: plan.grey_photos])
        mirrors = self.features_of("features-mirrored", study.views, self.pixels, mirrored, judged)
        greys = self.features_of("features-grey", study.views, self.pixels, grey, greyed)
        return Examples(
            features,
            rated,
            study.deviations(rated),
            mirrors[rated],
            study.damage,
            kinds_of(study.views, study.damage),
            study.training_pairs(held_out),
            greys,
            greyed,
            self.teaching(held_out),
        )

    def teaching(self, held_out: int | None) -> NDArray[np.float32] | None:
        """What the recipe's teacher, trained without the fold ``held_out``, says of the views; None without one."""
        teacher = self.teacher
        if teacher is None:
            return None
        encoder = teacher.train(held_out, resume=True)
        return teacher.norms(encoder, "features", teacher.study.views, teacher.pixels) - teacher.recipe.offset

    @cached_property
    def teacher(self) -> Run | None:
        """The run of the recipe's teacher, whose folder lies beside this one; None for a recipe without.

        Raises:
            ConfigError: the teacher's recipe cannot be read, is not fitted, or learns from other views.
        """
        name = self.recipe.teacher
        if not name or self.recipes is None:
            return None
        recipe = read_recipe(self.recipes / f"{name}.toml")
        if recipe.fit is None or (recipe.sampling, recipe.seed) != (self.recipe.sampling, self.recipe.seed):
            raise ConfigError(f"the recipe '{name}' cannot teach: give it [fit], and the same [sampling] and seed")
        return Run(recipe, self.data, self.out.parent / name, self.device, self.catalogues, self.recipes)

    @cached_property
    def lender(self) -> Run | None:
        """The teacher, where it lends its backbones and its features; None where the backbones are the run's own.

        Raises:
            ConfigError: there is no such teacher, or it does not look at pictures by the same branches.
        """
        if self.recipe.backbones == "own":
            return None
        teacher = self.teacher
        if teacher is None:
            raise ConfigError("the recipe of the teacher, whose backbones are to be taken, is not known here")
        own, lent = self.recipe.encoder, teacher.recipe.encoder
        if (
            (own.preprocess, own.pooling) != (lent.preprocess, lent.pooling)
            or not set(own.branches) <= set(lent.branches)
            or self.recipe.pretrained != teacher.recipe.pretrained
        ):
            raise ConfigError(
                f"the recipe '{self.recipe.teacher}' cannot lend its backbones: take size, pooling and branches of it"
            )
        return teacher

    @property
    def digest(self) -> str:
        """Of what is measured on what: recipe, data, and those of the teacher."""
        own = fingerprint(self.recipe, self.study, None)
        return own if self.teacher is None else f"{own} taught by {self.teacher.digest}"

    def norms(
        self,
        encoder: AestheticEncoder,
        name: str,
        views: Sequence[View],
        pixels: Pixels,
        rows: NDArray[np.int64] | None = None,
        on_progress: Callable[[int], None] = stop_if_asked,
    ) -> NDArray[np.float32]:
        """Norms (n,) of ``views``, or of their ``rows``; from kept features where the backbones are frozen."""
        if not self.frozen:
            encode = torch_encode(encoder, self.torch_device, self.recipe.warm_up.precision)
            return norms_of(encode, pixels if rows is None else pixels[rows], on_progress)
        return projected_norms(encoder, self.features_of(name, views, pixels), on_progress, rows)

    def kept_norms(self, encoder: AestheticEncoder) -> dict[View, float]:
        """Norms of all views whose features are kept, by the view; none where the backbones are not frozen."""
        if not self.frozen:
            return {}
        norms = self.norms(encoder, "features", self.study.views, self.pixels)
        return dict(zip(self.study.views, norms.tolist(), strict=True))

    def train(self, held_out: int | None, *, resume: bool) -> AestheticEncoder:
        """An encoder trained without the fold ``held_out``, or on all rated pictures.

        Raises:
            ConfigError: the recipe makes no sense with this data, or the folder holds another training.
            CatalogueError: the data is incomplete.
        """
        stop_if_asked()
        # What is missing is told before the pictures are rendered, which can take hours.
        device, _ = self.torch_device, (self.teacher, self.lender)
        encoder = fresh_encoder(self.recipe, self.weights, device)
        label = "all pictures" if held_out is None else f"without fold {held_out}"
        pictures, pairs = self.study.training_pictures(held_out), self.study.training_pairs(held_out)
        source = TripletSource(self.study, pictures, self.recipe.sampling, pairs)
        tell(f"{label}: {source.summary()}")
        encoder.load_state_dict(self.trunks, strict=False)
        pixels, features = self.pixels, self.features
        self.fit(encoder, held_out)
        steps = self.recipe.warm_up.steps + self.recipe.fine_tune.steps
        teaching = self.teaching(held_out) if steps else None
        with bars("note") as progress:
            stages = {"warm_up": self.recipe.warm_up.steps, "fine_tune": self.recipe.fine_tune.steps}
            report = reported(progress, label, stages)
            with curves_of(self.folder(held_out)):
                return train(
                    self.recipe,
                    self.study,
                    pixels,
                    self.folder(held_out),
                    encoder=encoder,
                    source=source,
                    features=features,
                    teaching=teaching,
                    held_out=held_out,
                    weights=self.weights,
                    device=device,
                    resume=resume,
                    on_step=report,
                )


def _require_end_of_teachers(recipe: Recipe, recipes: Path) -> None:
    """Check that teachers of teachers come to an end; all recipes are in the folder ``recipes``."""
    names = []
    while recipe.teacher:
        if recipe.teacher in names:
            raise ConfigError(f"the recipe '{recipe.teacher}' would be its own teacher; name another one, or none")
        names.append(recipe.teacher)
        recipe = read_recipe(recipes / f"{recipe.teacher}.toml")


def reported(progress: Progress, label: str, stages: Mapping[str, int]) -> Callable[[Step], None]:
    """What shows each step of ``stages``, which have so many, as a bar; it stops where a stop was asked for."""
    tasks = {
        stage: progress.add_task(f"{label}: {stage}", total=steps, note="") for stage, steps in stages.items() if steps
    }

    def report(step: Step) -> None:
        note = f"error {step.error:.3f}  rate {step.rate:.0e}  {step.images_per_second:.1f} pictures/s"
        progress.update(tasks[step.stage], completed=step.step, note=note)
        stop_if_asked()

    return report


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
    this = Run.of(config, data, out, device, catalogues, resume=resume)
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
    this = Run.of(config, data, out, device, catalogues, resume=resume)
    for held_out in folds:
        require_fold(held_out)
        require_judgements(held_out, this.study)
    test = DamageTest.of(data, needed=this.recipe.sampling.damage_kinds > 0)
    by_fold = {str(held_out): _measure(this, held_out, test, resume=resume) for held_out in dict.fromkeys(folds)}
    figures = merged_figures(out / FIGURES, this.recipe, this.digest, by_fold)
    with replacing(out / FIGURES) as partial:
        partial.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", "utf-8")
    return out / FIGURES


def _measure(this: Run, held_out: int, test: DamageTest, *, resume: bool) -> dict[str, object]:
    encoder = this.train(held_out, resume=resume)
    study, pixels = this.study, this.pixels
    test_pixels: Pixels = this.render("damage-test", test.views) if test.views else pixels[:0]
    pictures, pairs = study.held_out_pictures(held_out), study.held_out_pairs(held_out)
    compared, places = np.unique(pairs, return_inverse=True)
    with counted("measuring", len(pictures) + len(compared) + len(test_pixels)) as advance:

        def norms(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            return this.norms(encoder, "features", study.views, pixels, rows, advance)

        return fold_figures(
            norms(pictures),
            study.ratings[pictures],
            test,
            this.norms(encoder, "features-damage-test", test.views, test_pixels, on_progress=advance),
            sources=None if study.sources is None else study.sources[pictures],
            pairs=norms(compared)[places.reshape(pairs.shape)] if len(study.pairs) else None,
        )
