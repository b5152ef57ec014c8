"""Every layer learns technique, from photos and their damaged copies alone, before features are frozen.

No ratings are seen, so that one adaptation serves all folds, and the features of all pictures are computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aesth.training.checkpoint import Checkpoint, fingerprint
from aesth.training.distributed import World
from aesth.training.features import Extractor, frozen_features
from aesth.training.fitting import Examples, fit_head
from aesth.training.loader import Pixels, load_batches
from aesth.training.logs import Step
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import FitRecipe, Recipe
from aesth.training.source import TripletSource
from aesth.training.study import Study, kinds_of
from aesth.training.train import Stage, embedded, fit, fresh_encoder, logged


def adapt(
    recipe: Recipe,
    study: Study,
    pixels: Pixels,
    folder: Path,
    *,
    weights: Path | None = None,
    device: str = "cpu",
    resume: bool = True,
    on_step: Callable[[Step], None] = lambda _: None,
) -> AestheticEncoder:
    """An encoder whose every layer has learned to tell photos from their damaged copies.

    Its head is fitted to some triplets first, or else the first steps would shake the backbones for nothing.

    Args:
        recipe: how; its ``adapt`` has steps.
        study: from what.
        pixels: the views of the study, uint8 (n, height, width, 3), or streamed.
        folder: where the checkpoint and the log are kept.
        weights: folder of the backbones' weights.
        device: where torch computes.
        resume: go on from a checkpoint in ``folder`` where there is one.
        on_step: told after each step.

    Raises:
        ConfigError: the checkpoint in ``folder`` is of another recipe, or the recipe has no head that can be fitted.
    """
    recipe = recipe.adaptation
    encoder = fresh_encoder(recipe, weights, device)
    checkpoint = Checkpoint(folder / "checkpoint.pt", fingerprint(recipe, study, None))
    saved = checkpoint.load(device) if resume else None
    world = World.current()
    world.wait()  # or a process could load what another one has saved since
    if saved is not None:
        encoder.load_state_dict(saved["encoder"])
    else:
        begin(encoder, recipe, study, pixels, device)
    encoder.train().to(memory_format=torch.channels_last)
    network = world.wrap(encoder, device, unused=True)
    stage = Stage(
        "adapt",
        recipe.adapt,
        [*encoder.trunks.parameters(), *encoder.head.movable()],
        partial(load_batches, pixels),
        partial(embedded, network, device, recipe.adapt.precision),
        world,
        saved,
    )
    source = TripletSource(study, study.training_pictures(None), recipe.sampling, study.pairs)
    with logged(stage, recipe, folder) as log:
        fit(stage, recipe, source, encoder, checkpoint, log, on_step)
    return encoder.eval()


def begin(encoder: AestheticEncoder, recipe: Recipe, study: Study, pixels: Pixels, device: str) -> None:
    """Fit the head to some of the damaged photos."""
    generator = np.random.default_rng([recipe.seed, 0])
    chosen = study.damage[np.sort(generator.permutation(len(study.damage))[: recipe.adapt.examples])]
    views, places = np.unique(chosen, return_inverse=True)
    features = frozen_features(Extractor(encoder, device, recipe.adapt.precision), pixels[views])
    nothing = np.empty(0, np.int64)
    examples = Examples(
        features,
        nothing,
        nothing.astype(np.float64),
        features[:0],
        places.reshape(chosen.shape),
        kinds_of(study.views, chosen),
    )
    fit_head(encoder, examples, FitRecipe(), offset=recipe.offset, seed=recipe.seed)


def trunks_of(encoder: AestheticEncoder) -> dict[str, Tensor]:
    """The weights of the backbones of ``encoder``, by their names in it."""
    return {name: value for name, value in encoder.state_dict().items() if name.startswith("trunks.")}
