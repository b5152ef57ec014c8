"""Every layer learns to see what a teacher's frozen backbones see, from pictures alone, before features are frozen.

Hints of features, as in Romero et al., "FitNets" (ICLR 2015): a linear map of the student's pooled features is to be
the teacher's. No ratings are seen, and rated pictures are not shown where there are others, so that one distillation
serves all folds: a network sees pictures better that it has learned to see.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from aesth.training.checkpoint import Checkpoint
from aesth.training.features import mirrored
from aesth.training.loader import Index, Pixels, load_batches
from aesth.training.logs import Step, TrainingLog
from aesth.training.networks import AestheticEncoder, autocast
from aesth.training.recipe import DistilRecipe
from aesth.training.train import STAGES

CHECKPOINT_EVERY = 200
_RISE = 0.1
_MORE = 32
"""Components that are found beside those that are asked for, whose error is less then."""


def components(features: NDArray[np.float16], count: int, seed: int = 0) -> NDArray[np.float32]:
    """The main components of features (n, f), each standardised first: (n, c).

    Scaled so that the mean squared length is the share of the whole variance that they have.

    Args:
        features: by the teacher.
        count: how many components; fewer where there are fewer views or features.
        seed: of the random projection by which they are found (Halko et al. 2011).
    """
    scaled = torch.from_numpy(features.astype(np.float32))
    scaled -= scaled.mean(0)
    deviation = scaled.std(0, correction=0)
    scaled /= deviation.where(deviation > 0, 1.0)
    whole = scaled.square().sum(1).mean().sqrt()
    torch.manual_seed(seed)
    left, lengths, _ = torch.svd_lowrank(scaled, min(count + _MORE, *scaled.shape), niter=3)
    found: NDArray[np.float32] = (left * lengths / (whole if whole > 0 else 1.0))[:, :count].numpy()
    return found


class Student(nn.Module):
    """An encoder, and a linear map from its pooled features to the teacher's components.

    Args:
        encoder: whose backbones learn.
        count: of the components.
    """

    def __init__(self, encoder: AestheticEncoder, count: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.scale = nn.BatchNorm1d(encoder.width)
        self.say = nn.Linear(encoder.width, count)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Components (n, c), as the student sees them, of ``image``: uint8 (n, height, width, 3)."""
        # Adam moves every weight alike, so that a step moves what a wide layer says by its width: too far, undivided.
        seen = self.scale(self.encoder.features(image)).float() / self.encoder.width
        return self.say(seen)  # type: ignore[no-any-return]


def distil(
    encoder: AestheticEncoder,
    wanted: NDArray[np.float32],
    pixels: Pixels,
    plan: DistilRecipe,
    checkpoint: Checkpoint,
    *,
    first: int = 0,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    on_step: Callable[[Step], None] = lambda _: None,
) -> None:
    """Train every layer of the backbones of ``encoder``; in evaluation mode afterwards.

    Each picture of a step is shown as it is or mirrored, by chance. Everything random in a step is drawn from the seed
    and the number of the step, so that a distillation that was killed goes on as if it had not been.

    Args:
        encoder: changed in place.
        wanted: what the teacher sees in the views from ``first`` on, (n, c), as `components` makes it.
        pixels: all views, uint8 (first + n, height, width, 3), or streamed.
        plan: how.
        checkpoint: where it stands; the log lies beside it.
        first: the views before this one are not shown.
        seed: of everything random.
        device: where torch computes.
        resume: go on from the checkpoint.
        on_step: told after each step; the error is the part of the teacher's variance that the student misses of the
            components.

    Raises:
        ConfigError: the checkpoint is of another distillation.
    """
    torch.manual_seed(seed)
    student = Student(encoder, wanted.shape[1]).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(student.parameters(), plan.rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, plan.steps, pct_start=_RISE)
    scaler = torch.amp.GradScaler(torch.device(device).type, enabled=plan.precision == "float16")
    done = 0
    if resume and (state := checkpoint.load(device)):
        done = state["step"]
        for part, name in ((student, "student"), (optimiser, "optimiser"), (schedule, "schedule"), (scaler, "scaler")):
            part.load_state_dict(state[name])
    targets = torch.from_numpy(np.array(wanted))
    steps = range(done + 1, plan.steps + 1)
    draws = [_draw(plan, len(targets), seed, step) for step in steps]
    student.train()
    with TrainingLog(checkpoint.path.parent, {"distil": 0}, kept=done) as log:
        batches = load_batches(pixels, (first + views for views, _ in draws))
        for step, (views, flipped) in zip(steps, draws, strict=True):
            began = time.perf_counter()
            batch = next(batches)
            waited = time.perf_counter() - began
            batch, flipped = batch.to(device, non_blocking=True), flipped.to(device)
            image = _resized(torch.where(flipped[:, None, None, None], mirrored(batch), batch), plan.side_at(step))
            with autocast(device, plan.precision):
                seen = student(image)
            error = (seen.float() - targets[views].to(device)).square().sum(1).mean()
            optimiser.zero_grad()
            scaler.scale(error).backward()
            scaler.step(optimiser)
            scaler.update()
            rate = optimiser.param_groups[0]["lr"]
            if step < plan.steps:
                schedule.step()
            seconds = time.perf_counter() - began
            told = Step("distil", step, plan.steps, error.item(), rate, len(views), seconds, waited)
            log.write(told)
            if step % CHECKPOINT_EVERY == 0 or step == plan.steps:
                log.flush()
                checkpoint.save(
                    step=step,
                    student=student.state_dict(),
                    optimiser=optimiser.state_dict(),
                    schedule=schedule.state_dict(),
                    scaler=scaler.state_dict(),
                )
            on_step(told)
    encoder.eval()


def _draw(plan: DistilRecipe, count: int, seed: int, step: int) -> tuple[Index, Tensor]:
    """The views of a step, and which of them are mirrored."""
    generator = np.random.default_rng([seed, STAGES["distil"], step])
    views = np.sort(generator.choice(count, min(plan.views, count), replace=False))
    return views, torch.from_numpy(generator.random(len(views)) < 0.5)


def _resized(image: Tensor, side: int) -> Tensor:
    """Pixels (n, h, w, 3) with ``side`` pixels a side, uint8; as they are for 0."""
    if not side or tuple(image.shape[1:3]) == (side, side):
        return image
    smaller = functional.interpolate(
        image.permute(0, 3, 1, 2).float(), (side, side), mode="bilinear", antialias=True, align_corners=False
    )
    return smaller.round().byte().permute(0, 2, 3, 1)
