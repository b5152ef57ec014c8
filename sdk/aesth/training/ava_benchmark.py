"""What an encoder is worth on AVA, after fine-tuning to it (paper, section 5.3, Table 3)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aesth.cores import usable_cores
from aesth.errors import CatalogueError
from aesth.training.ava import GOOD, AvaSplit, picture_file, split
from aesth.training.checkpoint import Checkpoint
from aesth.training.distributed import process_device
from aesth.training.figures import known
from aesth.training.files import replacing
from aesth.training.fine_tuning import Plan, RatingPredictor, fine_tune, pictures_in_batches, predicted_means
from aesth.training.metrics import plcc, srcc
from aesth.training.networks import AestheticEncoder
from aesth.training.progress import bars, counted
from aesth.training.recipe import Recipe, read_recipe
from aesth.training.weights import load_weights

FIGURES = "ava.json"
_FIRST_LOOK = 512


def evaluate_ava(
    *,
    labels: Path,
    images: Path,
    out: Path,
    config: Path | None = None,
    weights: Path | None = None,
    backbones: Path = Path("backbones"),
    test_list: Path | None = None,
    train_list: Path | None = None,
    plan: Plan = Plan(),  # noqa: B008 - frozen
    jobs: int | None = None,
    device: str = "auto",
    resume: bool = True,
) -> Path:
    """Fine-tune an encoder to AVA and measure it on the official split; the figures are written to ``out``.

    Args:
        labels: ``AVA.txt``.
        images: folder of ``NUMBER.jpg``.
        out: folder of checkpoint and figures.
        config: TOML file of the recipe whose encoder is taken; None takes the paper's.
        weights: what `aesth train run` wrote; None starts from the backbone's own.
        backbones: folder of the backbones' weights, where they are needed.
        test_list: numbers of the pictures to measure on; None takes the official list beside ``labels``.
        train_list: numbers of the pictures to learn from; None takes all others.
        plan: how to fine-tune.
        jobs: pictures decoded at a time; None takes every core.
        device: ``auto``, ``cpu`` or ``cuda``.
        resume: go on where a stopped run left off.

    Returns:
        The file of figures.

    Raises:
        CatalogueError: a list is wrong, or too few pictures can be read.
        ConfigError: recipe or weights make no sense, or ``out`` belongs to another training.
        ProviderError: there is no such device.
    """
    checkpoint_file = out / "ava-checkpoint.pt"
    recipe = read_recipe(config or _papers_recipe())
    where, workers = process_device(device), jobs or usable_cores()
    data = _limited(split(labels, images, test_list, train_list), plan)
    torch.manual_seed(plan.seed)
    encoder = AestheticEncoder(recipe.encoder, backbones if weights is None and recipe.pretrained else None)
    if weights is not None:
        load_weights(encoder, weights)
    encoder.to(where)
    if weights is None and not (resume and checkpoint_file.is_file()):
        _begin(encoder, data, images, recipe, plan, workers)
    predictor = RatingPredictor(encoder, data.train.counts.sum(0) / data.train.counts.sum())
    checkpoint = Checkpoint(checkpoint_file, fingerprint(recipe, plan, data, weights))
    with bars("note") as progress:
        task = progress.add_task("AVA: fine-tuning", total=None, note=_told(data))

        def report(step: int, steps: int, error: float) -> None:
            progress.update(task, completed=step, total=steps, note=f"error {error:.3f}")

        unreadable = fine_tune(
            predictor, data.train, images, plan, checkpoint, device=where, jobs=workers, resume=resume, on_step=report
        )
    with counted("AVA: measuring", len(data.test)) as advance:
        predicted = predicted_means(
            predictor, data.test, images, batch=plan.batch, device=where, jobs=workers, on_progress=advance
        )
    lost = int(np.isnan(predicted).sum())
    if len(predicted) - lost < 2:
        raise CatalogueError("fewer than two of the pictures to measure on can be read; fetch them again", images)
    figures = {
        **ava_figures(predicted, data.test.means),
        "trained_on": len(data.train),
        "missing": {"train": data.missing_train, "test": data.missing_test},
        "unreadable": {"train": unreadable // max(plan.epochs, 1), "test": lost},
        "weights": str(weights) if weights is not None else recipe.encoder.backbone,
        "plan": dataclasses.asdict(plan),
    }
    with replacing(out / FIGURES) as partial:
        partial.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", "utf-8")
    return out / FIGURES


def ava_figures(predicted: NDArray[np.float64], meant: NDArray[np.float64]) -> dict[str, object]:
    """Accuracy at 5, SRCC and PLCC of predicted mean ratings, as in Table 3.

    Args:
        predicted: (n,); NaN leaves a picture out.
        meant: what people say, (n,).

    Returns:
        ``pictures``: how many; ``accuracy``: share of them on the right side of a mean of 5 (5 itself is not good);
        ``always_good``: the accuracy of who calls every picture good, which 70 % of AVA are; ``srcc``; ``plcc``.

    Raises:
        ValueError: fewer than two pictures are left.
    """
    left = np.isfinite(predicted)
    said, truth = predicted[left], meant[left]
    figures: dict[str, object] = {
        "pictures": len(said),
        "accuracy": round(float(np.mean((said > GOOD) == (truth > GOOD))), 4),
        "always_good": round(float(np.mean(truth > GOOD)), 4),
        "srcc": round(srcc(said, truth), 4),
        "plcc": round(plcc(said, truth), 4),
    }
    return {name: known(value) for name, value in figures.items()}


def fingerprint(recipe: Recipe, plan: Plan, split: AvaSplit, weights: Path | None) -> str:
    """A digest of what is fine-tuned on what."""
    start = hashlib.sha256(weights.read_bytes()).hexdigest() if weights is not None else ""
    parts: Mapping[str, Any] = {
        "encoder": dataclasses.asdict(recipe.encoder),
        "pretrained": recipe.pretrained,
        "plan": dataclasses.asdict(plan),
        "weights": start,
        "train": hashlib.sha256(split.train.ids.tobytes() + split.train.counts.tobytes()).hexdigest(),
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@torch.no_grad()
def _begin(encoder: AestheticEncoder, data: AvaSplit, images: Path, recipe: Recipe, plan: Plan, workers: int) -> None:
    """Set the statistics of the features and the place from which the projection starts, as a training does."""
    some = np.random.default_rng(plan.seed).permutation(len(data.train))[:_FIRST_LOOK]
    files = [picture_file(images, number) for number in data.train.ids]
    encoder.eval()
    device = encoder.device
    batches = pictures_in_batches(files, some, plan.batch, recipe.encoder.preprocess, workers)
    features = [encoder.features(torch.from_numpy(pixels).to(device)) for _, pixels, _ in batches if len(pixels)]
    if sum(map(len, features)) > 1:
        encoder.standardise.fit(torch.cat(features))
    encoder.head.start_at(recipe.offset)


def _papers_recipe() -> Path:
    return Path(str(resources.files("aesth.training"))) / "recipes" / "paper.toml"


def _limited(data: AvaSplit, plan: Plan) -> AvaSplit:
    if not 0 < plan.limit < len(data.train):
        return data
    chosen = np.random.default_rng(plan.seed).choice(len(data.train), plan.limit, replace=False)
    return dataclasses.replace(data, train=data.train.only(np.sort(chosen)))


def _told(data: AvaSplit) -> str:
    missing = data.missing_train + data.missing_test
    return f"{missing} pictures have no file" if missing else ""
