"""Distillation: every layer learns to see what a teacher sees, and a stopped one ends as if it had not been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aesth.errors import ConfigError
from aesth.training import distillation
from aesth.training.checkpoint import Checkpoint
from aesth.training.distillation import Student, components, distil
from aesth.training.logs import Step, read_log
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import DistilRecipe
from aesth.training.train import fresh_encoder
from support.photos import picture
from support.training import recipe, same_weights

HOW = recipe(encoder={"backbone": "resnet50", "layers": ["layer1"], "size": [64, 64]})
"""The stem and the first stage of ResNet-50, with its batch normalisation."""

PLAN = DistilRecipe(steps=14, views=6, sides=(32, 32, 48), components=4, rate=1e-1)
GREYS = np.random.default_rng(1).permutation(np.linspace(0.1, 0.9, 40))
PIXELS = np.stack([picture(grey, index, 64, 64) for index, grey in enumerate(GREYS)])


def seen_by_teacher() -> NDArray[np.float16]:
    """Features (n, 5) that tell how bright a picture and its parts are, whichever side is left."""
    light = PIXELS.astype(np.float64).mean(3)
    upper, lower, inner = light[:, :32].mean((1, 2)), light[:, 32:].mean((1, 2)), light[:, 16:48, 16:48].mean((1, 2))
    return np.stack([upper, lower, inner, upper + lower, np.full(len(light), 7)], 1).astype(np.float16)


WANTED = components(seen_by_teacher(), 4)


@dataclass(frozen=True)
class Distilled:
    """A distillation from beginning to end."""

    encoder: AestheticEncoder
    steps: Sequence[Step]
    folder: Path


def distilled_in(folder: Path, steps: list[Step], plan: DistilRecipe = PLAN, of: str = "these") -> AestheticEncoder:
    encoder = fresh_encoder(HOW, None)
    distil(encoder, WANTED, PIXELS, plan, Checkpoint(folder / "checkpoint.pt", of), seed=3, on_step=steps.append)
    return encoder


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Distilled:
    folder, steps = tmp_path_factory.mktemp("distilled"), list[Step]()
    return Distilled(distilled_in(folder, steps), steps, folder)


@given(st.integers(3, 30), st.integers(1, 12), st.integers(0, 99))
def test_all_components_keep_every_angle_and_share_the_variance(views: int, width: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    features = (generator.normal(size=(views, width)) * 3 + generator.normal(size=width)).astype(np.float16)
    found = components(features, width)
    exact = features.astype(np.float64)
    scaled = (exact - exact.mean(0)) / exact.std(0)
    assert found @ found.T == pytest.approx(scaled @ scaled.T / width, abs=1e-3)
    assert np.square(found).sum(1).mean() == pytest.approx(1, abs=1e-3)


def test_a_few_components_are_the_main_ones() -> None:
    generator = np.random.default_rng(0)
    features = (generator.normal(size=(200, 3)) @ generator.normal(size=(3, 40))).astype(np.float16)
    scaled = features.astype(np.float64)
    scaled = (scaled - scaled.mean(0)) / scaled.std(0)
    lengths = np.linalg.svd(scaled, compute_uv=False)
    found = components(features, 2)
    assert found.shape == (200, 2)
    assert np.square(found).sum() / 200 == pytest.approx(
        np.square(lengths[:2]).sum() / np.square(lengths).sum(), abs=1e-3
    )


def test_what_never_differs_tells_nothing() -> None:
    assert not np.isnan(components(np.full((5, 3), 2, np.float16), 2)).any()


def test_the_student_sees_more_of_it_step_by_step(distilled: Distilled) -> None:
    errors = [step.error for step in distilled.steps]
    assert errors[0] == pytest.approx(np.square(WANTED[_views(1)]).sum(1).mean(), rel=1e-5)
    assert np.mean(errors[-3:]) < 0.5 * np.mean(errors[:3])


def _views(step: int) -> NDArray[np.int64]:
    return distillation._draw(PLAN, len(WANTED), 3, step)[0]


def test_every_layer_changes(distilled: Distilled) -> None:
    before, after = fresh_encoder(HOW, None).state_dict(), distilled.encoder.state_dict()
    learned = [
        name
        for name, _ in distilled.encoder.named_parameters()
        if name.startswith("trunks.resnet50.stages.") and any(part in name for part in (".stem.", ".layer1."))
    ]
    assert len(learned) > 20
    assert [name for name in learned if torch.equal(before[name], after[name])] == []


def test_sides_take_turns_in_equal_parts() -> None:
    assert [PLAN.side_at(step) for step in range(1, 15)] == [32] * 10 + [48] * 4
    assert replace(PLAN, sides=()).side_at(3) == 0


def test_pictures_are_made_smaller_and_half_of_them_mirrored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown: list[torch.Tensor] = []
    forward = Student.forward

    def spy(student: Student, image: torch.Tensor) -> torch.Tensor:
        shown.append(image)
        return forward(student, image)

    monkeypatch.setattr(Student, "forward", spy)
    plan = replace(PLAN, steps=4, sides=(32, 64), views=20)
    distilled_in(tmp_path, [], plan)
    assert [tuple(image.shape) for image in shown] == [(20, 32, 32, 3)] * 2 + [(20, 64, 64, 3)] * 2
    assert all(image.dtype == torch.uint8 for image in shown)
    views = distillation._draw(plan, len(WANTED), 3, 4)[0]
    pictures = PIXELS[views]
    as_it_is = (shown[-1].numpy() == pictures).all((1, 2, 3))
    turned = (shown[-1].numpy() == pictures[:, :, ::-1]).all((1, 2, 3))
    assert (as_it_is | turned).all()
    assert as_it_is.any()
    assert turned.any()


@pytest.mark.parametrize("killed_at", [1, 5])
def test_a_stopped_distillation_ends_at_the_same_weights(
    distilled: Distilled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Before the first checkpoint, and behind it."""
    monkeypatch.setattr(distillation, "CHECKPOINT_EVERY", 4)
    encoder = fresh_encoder(HOW, None)

    def stop(step: Step) -> None:
        if step.step == killed_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distil(encoder, WANTED, PIXELS, PLAN, Checkpoint(tmp_path / "checkpoint.pt", "these"), seed=3, on_step=stop)
    torch.rand(9)
    after: list[Step] = []
    resumed = distilled_in(tmp_path, after)
    assert [step.step for step in after] == list(range(killed_at // 4 * 4 + 1, 15))
    assert same_weights(resumed.state_dict(), distilled.encoder.state_dict())
    assert [step.step for step in read_log(tmp_path / "log.csv")] == list(range(1, 15))


def test_views_before_the_first_are_not_shown(tmp_path: Path) -> None:
    """It ends as one does that was never given them."""
    ends = []
    for first, pixels in ((8, PIXELS), (0, PIXELS[8:])):
        encoder, checkpoint = fresh_encoder(HOW, None), Checkpoint(tmp_path / str(first) / "checkpoint.pt", "these")
        distil(encoder, WANTED[8:], pixels, PLAN, checkpoint, first=first, seed=3)
        ends.append(encoder.state_dict())
    assert same_weights(*ends)


def test_a_finished_distillation_is_taken_and_another_one_refused(distilled: Distilled) -> None:
    steps: list[Step] = []
    found = distilled_in(distilled.folder, steps)
    assert steps == []
    assert same_weights(found.state_dict(), distilled.encoder.state_dict())
    with pytest.raises(ConfigError, match="of another recipe, data or fold"):
        distilled_in(distilled.folder, steps, of="those")
