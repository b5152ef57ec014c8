"""Training an encoder: the projection on frozen features first, then every layer (paper, section 5.3).

One loop serves both stages. Everything random in a step is drawn from the seed and the number of the step, so that a
training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import tee
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aesth.errors import ConfigError
from aesth.training.checkpoint import Checkpoint, fingerprint
from aesth.training.distributed import World
from aesth.training.loader import Index, Pixels, load_batches
from aesth.training.logs import Step, TrainingLog
from aesth.training.loss import DirectionalTripletLoss
from aesth.training.networks import AestheticEncoder, Precision, autocast
from aesth.training.recipe import Recipe, StageRecipe
from aesth.training.source import TripletSource
from aesth.training.study import Study

CHECKPOINT_EVERY = 50

STAGES = MappingProxyType({"warm_up": 1, "fine_tune": 2, "adapt": 3, "distil": 4})
"""The number of each stage in the seeds of what is drawn for it."""


@dataclass(frozen=True)
class Stage:
    """A stage of a training, as the loop takes it.

    Attributes:
        name: ``adapt``, ``warm_up`` or ``fine_tune``.
        recipe: how long, how fast, on how much.
        parameters: what is trained.
        load: indices of views (n,), step by step -> what `embed` takes, such as their pixels.
        embed: that of n views -> their points (n, 1000), through the parameters.
        world: among which processes the views of a step are shared.
        saved: where a checkpoint of this stage stands; None begins it.
        wanted: norms of all views that a teacher gives, (v,); None without one.
    """

    name: str
    recipe: StageRecipe
    parameters: Sequence[nn.Parameter]
    load: Callable[[Iterable[Index]], Iterator[Tensor]]
    embed: Callable[[Tensor], Tensor]
    world: World
    saved: Mapping[str, Any] | None = None
    wanted: Tensor | None = None


def train(
    recipe: Recipe,
    study: Study,
    pixels: Pixels,
    folder: Path,
    *,
    encoder: AestheticEncoder | None = None,
    source: TripletSource | None = None,
    features: NDArray[np.float16] | None = None,
    teaching: NDArray[np.float32] | None = None,
    held_out: int | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    resume: bool = True,
    on_step: Callable[[Step], None] = lambda _: None,
) -> AestheticEncoder:
    """Train an encoder by ``recipe``.

    Processes that `distributed.joined` brought together share the pictures of a step of fine-tuning and end at the
    same weights; the warm-up is so quick that each does the whole of it. The leading one writes checkpoint and log.

    Args:
        recipe: how.
        study: from what.
        pixels: the views of the study, uint8 (n, height, width, 3), or streamed.
        folder: where the checkpoint and the log are kept.
        encoder: what is trained, as `fresh_encoder` makes it; None makes it here.
        source: of what triplets are drawn; None takes all that may be shown without the fold.
        features: pooled features of the views by the frozen backbone, (n, f), as `frozen_features` makes them; needed
            for the warm-up.
        teaching: what another encoder says of the views, in deviations of the ratings, (n,): norms are to be that far
            from ``recipe.offset``.
        held_out: fold of rated pictures that is left out; None trains on all.
        weights: folder of the backbone's weights.
        device: where torch computes.
        resume: go on from a checkpoint in ``folder`` where there is one.
        on_step: told after each step.

    Raises:
        ConfigError: the checkpoint in ``folder`` is of another recipe or fold.
    """
    encoder = encoder or fresh_encoder(recipe, weights, device)
    pictures, pairs = study.training_pictures(held_out), study.training_pairs(held_out)
    source = source or TripletSource(study, pictures, recipe.sampling, pairs)
    checkpoint = Checkpoint(folder / "checkpoint.pt", fingerprint(recipe, study, held_out))
    state = checkpoint.load(device) if resume else None
    if state is not None:
        encoder.load_state_dict(state["encoder"])
    world = World.current()
    world.wait()  # or a process could load what another one has saved since

    wanted = None if teaching is None else torch.from_numpy(teaching).add(recipe.offset).clamp_min(0).to(device)

    def saved(stage: str) -> Mapping[str, Any] | None:
        return state if state is not None and state["stage"] == stage else None

    if recipe.warm_up.steps and (state is None or saved("warm_up")):
        if features is None:
            raise ConfigError("the warm-up needs the features of the frozen backbone")
        if state is None:
            start(encoder, features, np.concatenate([pictures, np.unique(pairs)]), study, recipe)
        encoder.eval()
        warm_up = Stage(
            "warm_up",
            recipe.warm_up,
            encoder.head.movable(),
            partial(load_batches, features),
            lambda batch: encoder.project(batch.float()),
            world.unshared(),
            saved("warm_up"),
            wanted,
        )
        with logged(warm_up, recipe, folder) as log:
            fit(warm_up, recipe, source, encoder, checkpoint, log, on_step)
    if recipe.fine_tune.steps:
        encoder.train().to(memory_format=torch.channels_last)
        network = world.wrap(encoder, device)
        network = torch.compile(network) if recipe.compile else network  # type: ignore[assignment]
        fine_tune = Stage(
            "fine_tune",
            recipe.fine_tune,
            list(encoder.parameters()),
            partial(load_batches, pixels),
            partial(embedded, network, device, recipe.fine_tune.precision),
            world,
            saved("fine_tune"),
            wanted,
        )
        with logged(fine_tune, recipe, folder) as log:
            fit(fine_tune, recipe, source, encoder, checkpoint, log, on_step)
    return encoder.eval()


def embedded(network: nn.Module, device: str, precision: Precision, batch: Tensor) -> Tensor:
    """Points (n, 1000) of the pixels ``batch``, through a network that computes in ``precision``."""
    with autocast(device, precision):
        points: Tensor = network(batch)
    return points.float()


def fresh_encoder(recipe: Recipe, weights: Path | None, device: str = "cpu") -> AestheticEncoder:
    """The encoder from which ``recipe`` starts; the same for the same seed.

    Raises:
        ConfigError: there is no such layer, or the backbone's weights are not in the folder ``weights``.
    """
    torch.manual_seed(recipe.seed)
    return AestheticEncoder(recipe.encoder, weights if recipe.pretrained else None).to(device)


def fit(
    stage: Stage,
    recipe: Recipe,
    source: TripletSource,
    encoder: AestheticEncoder,
    checkpoint: Checkpoint,
    log: TrainingLog | None,
    on_step: Callable[[Step], None],
) -> None:
    """The training loop: SGD on the directional triplet loss and the teacher's norms.

    The rate is divided by 10 when the error plateaus.
    """
    plan, weigh, world = stage.recipe, recipe.loss, stage.world
    device = encoder.device
    criterion = DirectionalTripletLoss(weigh.margin, weigh.direction_margin, weigh.direction_weight)
    optimiser = torch.optim.SGD(
        stage.parameters, plan.rate, plan.momentum, weight_decay=plan.weight_decay, nesterov=plan.momentum > 0
    )
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=0)
    scaler = torch.amp.GradScaler(device.type, enabled=plan.precision == "float16")
    done, errors = 0, []
    if stage.saved is not None:
        optimiser.load_state_dict(stage.saved["optimiser"])
        plateau.load_state_dict(stage.saved["plateau"])
        scaler.load_state_dict(stage.saved["scaler"])
        done, errors = stage.saved["step"], list(stage.saved["errors"])

    steps = range(done + 1, plan.steps + 1)
    seeds = ([recipe.seed, STAGES[stage.name], step] for step in steps)
    draws, ahead = tee(source.draw(plan, np.random.default_rng(seed)) for seed in seeds)
    batches = stage.load(draw.views[world.share] for draw in ahead)
    for step, draw in zip(steps, draws, strict=True):
        began = time.perf_counter()
        batch = next(batches).to(device, non_blocking=True)
        waited = time.perf_counter() - began
        embedded_views = world.gather(stage.embed(batch), len(draw.views))
        points = embedded_views[torch.from_numpy(draw.places).to(device)]
        rated, damaged = draw.rated, draw.damaged
        error = points.new_zeros(())
        if len(rated.index):
            error = error + _loss(criterion, points[: len(rated.index)], rated.sign)
        if len(damaged.index):
            error = error + weigh.damage_weight * _loss(criterion, points[len(rated.index) :], damaged.sign)
        if stage.wanted is not None:
            lacking = embedded_views.norm(dim=1) - stage.wanted[torch.from_numpy(draw.views).to(device)]
            error = error + weigh.teacher_weight * lacking.square().mean()

        optimiser.zero_grad()
        # The processes' gradients are averaged, and each has its share of the sum.
        scaler.scale(error * world.size).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimiser)
        scaler.update()

        value = float(error.detach())
        errors.append(value)
        if len(errors) == plan.patience:
            plateau.step(world.agreed(float(np.mean(errors))))
            errors = []
        seconds = time.perf_counter() - began
        rate = optimiser.param_groups[0]["lr"]
        told = Step(stage.name, step, plan.steps, value, rate, len(draw.views), seconds, waited)
        if log is not None:
            log.write(told)
        if log is not None and (step % CHECKPOINT_EVERY == 0 or step == plan.steps):
            log.flush()
            checkpoint.save(
                stage=stage.name,
                step=step,
                errors=errors,
                encoder=encoder.state_dict(),
                optimiser=optimiser.state_dict(),
                plateau=plateau.state_dict(),
                scaler=scaler.state_dict(),
            )
        on_step(told)


@contextmanager
def logged(stage: Stage, recipe: Recipe, folder: Path) -> Iterator[TrainingLog | None]:
    """The log in ``folder``, for what ``stage`` has still to do; None for a process that does not lead."""
    if not stage.world.leads:
        yield None
        return
    before = {"adapt": 0, "warm_up": 0, "fine_tune": recipe.warm_up.steps}
    done = stage.saved["step"] if stage.saved is not None else 0
    with TrainingLog(folder, before, kept=before[stage.name] + done) as log:
        yield log


def start(
    encoder: AestheticEncoder,
    features: NDArray[np.float16],
    pictures: NDArray[np.int64],
    study: Study,
    recipe: Recipe,
) -> None:
    """Set the statistics of the features and the place from which the projection starts."""
    seed = np.random.SeedSequence([recipe.seed, STAGES["warm_up"], 0])
    torch.manual_seed(int(seed.generate_state(1)[0]))
    seen = np.concatenate([pictures, study.photos])
    encoder.standardise.fit(torch.from_numpy(features[seen]).float())
    encoder.head.start_at(recipe.offset)


def _loss(criterion: DirectionalTripletLoss, points: Tensor, sign: NDArray[np.float32]) -> Tensor:
    anchor, positive, negative = points.unbind(1)
    return criterion(anchor, positive, negative, torch.from_numpy(sign).to(points.device))  # type: ignore[no-any-return]
