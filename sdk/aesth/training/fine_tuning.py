"""Fine-tuning an encoder to the distributions of ratings that people give (paper, section 5.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from aesth import decode
from aesth.encoder import DIMENSIONS
from aesth.errors import CatalogueError, DecodeError
from aesth.preprocess import Preprocess, UInt8Image
from aesth.training.ava import RATINGS, AvaPictures, mean_rating, picture_file
from aesth.training.checkpoint import Checkpoint
from aesth.training.networks import AestheticEncoder

CHECKPOINT_EVERY = 500
_AHEAD = 3


@dataclass(frozen=True)
class Plan:
    """How to fine-tune.

    Attributes:
        epochs: times that every picture is shown.
        batch: pictures in a step.
        rate: learning rate of the encoder at the start (1e-3 in the paper); falls to 0 along a cosine.
        head_rate: the same of the layer that predicts the ratings.
        momentum: of SGD.
        weight_decay: of SGD.
        limit: pictures to learn from, drawn at random; 0 for all. The paper took a subset.
        seed: of everything random.
    """

    epochs: int = 2
    batch: int = 32
    rate: float = 1e-3
    head_rate: float = 1e-2
    momentum: float = 0.9
    weight_decay: float = 1e-4
    limit: int = 0
    seed: int = 0


class RatingPredictor(nn.Module):
    """An encoder and a layer that predicts how many people give each of the ratings 1 to 10.

    Args:
        encoder: to be fine-tuned.
        prior: share of each rating among all people, (10,): what is predicted before anything is learned.
    """

    def __init__(self, encoder: AestheticEncoder, prior: NDArray[np.floating]) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(DIMENSIONS, RATINGS)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.from_numpy(np.log(np.maximum(prior, 1e-6))))

    def forward(self, image: Tensor) -> Tensor:
        """Logarithms of the shares, up to a constant, (n, 10), of uint8 pixels (n, h, w, 3)."""
        return self.head(self.encoder(image).float())  # type: ignore[no-any-return]


def distribution_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Cross entropy of predicted and true distributions of ratings, both (n, 10): the mean over pictures, a scalar."""
    return -(shares * functional.log_softmax(logits, 1)).sum(1).mean()


def pictures_in_batches(
    files: Sequence[Path], order: Sequence[int] | NDArray[np.int64], batch: int, preprocess: Preprocess, jobs: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], int]]:
    """Pictures decoded by threads a few batches ahead, none of them kept.

    Args:
        files: picture files.
        order: indices into ``files``, as they are to be shown.
        batch: pictures at a time.
        preprocess: to which size.
        jobs: pictures decoded at a time.

    Yields:
        Of each batch the indices of the pictures that can be read, their pixels (n, h, w, 3), and how many cannot.
    """
    parts = [np.asarray(order[begin : begin + batch], np.int64) for begin in range(0, len(order), batch)]
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        coming = [[pool.submit(_pixels, files[index], preprocess) for index in part] for part in parts[:_AHEAD]]
        for number, part in enumerate(parts):
            images = [future.result() for future in coming.pop(0)]
            if number + _AHEAD < len(parts):
                coming.append([pool.submit(_pixels, files[index], preprocess) for index in parts[number + _AHEAD]])
            good = [image for image in images if image is not None]
            kept = np.array([image is not None for image in images], np.bool_)
            pixels = np.stack(good) if good else np.empty((0, *preprocess.size, 3), np.uint8)
            yield part[kept], pixels, int((~kept).sum())


def fine_tune(
    predictor: RatingPredictor,
    pictures: AvaPictures,
    images: Path,
    plan: Plan,
    checkpoint: Checkpoint,
    *,
    device: str = "cpu",
    jobs: int = 2,
    resume: bool = True,
    on_step: Callable[[int, int, float], None] = lambda _step, _steps, _error: None,
) -> int:
    """Train every layer of ``predictor`` on the distributions of the ratings of ``pictures``.

    Args:
        predictor: changed in place; in evaluation mode afterwards.
        pictures: to learn from.
        images: folder of their files.
        plan: how.
        checkpoint: where it stands.
        device: where torch computes.
        jobs: pictures decoded at a time.
        resume: go on from the checkpoint.
        on_step: told the step, how many there are, and its loss.

    Returns:
        How many pictures could not be read, each counted once an epoch.

    Raises:
        ConfigError: the checkpoint is of another training.
        CatalogueError: no picture can be read.
    """
    encoder = list(predictor.encoder.parameters())
    groups = [{"params": encoder, "lr": plan.rate}, {"params": predictor.head.parameters(), "lr": plan.head_rate}]
    optimiser = torch.optim.SGD(groups, plan.rate, plan.momentum, weight_decay=plan.weight_decay)
    per_epoch = math.ceil(len(pictures) / plan.batch)
    steps = per_epoch * plan.epochs
    state = checkpoint.load(device) if resume else None
    done, unreadable = 0, 0
    if state is not None:
        predictor.load_state_dict(state["predictor"])
        optimiser.load_state_dict(state["optimiser"])
        done, unreadable = state["step"], state["unreadable"]
    files = [picture_file(images, number) for number in pictures.ids]
    shares = torch.from_numpy(pictures.distribution).to(device)
    preprocess = predictor.encoder.architecture.preprocess

    def save(step: int) -> None:
        checkpoint.save(
            predictor=predictor.state_dict(), optimiser=optimiser.state_dict(), step=step, unreadable=unreadable
        )

    predictor.to(device).train()
    for epoch in range(done // per_epoch, plan.epochs):
        order = np.random.default_rng([plan.seed, epoch]).permutation(len(pictures))
        begin = max(done, epoch * per_epoch)
        rest = order[(begin - epoch * per_epoch) * plan.batch :]
        batches = pictures_in_batches(files, rest, plan.batch, preprocess, jobs)
        for step, (index, pixels, failed) in enumerate(batches, begin + 1):
            unreadable += failed
            _set_rates(optimiser, (plan.rate, plan.head_rate), (step - 1) / steps)
            if len(index):
                error = distribution_loss(predictor(torch.from_numpy(pixels).to(device)), shares[index])
                optimiser.zero_grad()
                error.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                on_step(step, steps, float(error.detach()))
            if step % CHECKPOINT_EVERY == 0 or step == steps:
                save(step)
    predictor.eval()
    if steps and unreadable >= len(pictures) * plan.epochs:
        raise CatalogueError("none of these pictures can be read; fetch them again", images)
    return unreadable


@torch.no_grad()
def predicted_means(
    predictor: RatingPredictor,
    pictures: AvaPictures,
    images: Path,
    *,
    batch: int = 32,
    device: str = "cpu",
    jobs: int = 2,
    on_progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Mean ratings, 1 to 10, that are predicted of ``pictures``, (n,); NaN for those that cannot be read."""
    predictor.to(device).eval()
    files = [picture_file(images, number) for number in pictures.ids]
    means = np.full(len(files), np.nan)
    preprocess = predictor.encoder.architecture.preprocess
    for index, pixels, failed in pictures_in_batches(files, np.arange(len(files)), batch, preprocess, jobs):
        if len(index):
            shares = predictor(torch.from_numpy(pixels).to(device)).softmax(1)
            means[index] = mean_rating(shares.double().cpu().numpy())
        on_progress(len(index) + failed)
    return means


def _set_rates(optimiser: torch.optim.Optimizer, starts: Sequence[float], share: float) -> None:
    for group, start in zip(optimiser.param_groups, starts, strict=True):
        group["lr"] = start * 0.5 * (1 + math.cos(math.pi * share))


def _pixels(file: Path, preprocess: Preprocess) -> UInt8Image | None:
    try:
        return preprocess(decode.load(file, at_least=preprocess.size))
    except DecodeError:
        return None
