"""Adaptation: every layer learns technique from damaged photos alone, and a stopped one ends as if it had not been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from aesth.errors import ConfigError
from aesth.scale import norm
from aesth.training import train as loop
from aesth.training.adaptation import adapt, begin, trunks_of
from aesth.training.evaluate import torch_encode
from aesth.training.logs import Step, read_log
from aesth.training.networks import AestheticEncoder
from aesth.training.study import Study
from aesth.training.train import fresh_encoder
from support.training import make_study, recipe, same_weights

STUDY, PIXELS = make_study()
HOW = recipe(
    encoder={
        "layers": ["bottleneck_1", "bottleneck_2", "bottleneck_3", "last"],
        "head": "polar",
        "pooling": "mean_deviation",
        "rank": 8,
    },
    adapt={"steps": 5, "damaged": 6, "rate": 1e-3, "weight_decay": 0.0, "examples": 4},
    warm_up={"steps": 0},
    fine_tune={"steps": 0},
    fit={},
)


@dataclass(frozen=True)
class Adapted:
    """An adaptation from beginning to end."""

    encoder: AestheticEncoder
    steps: Sequence[Step]
    folder: Path


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder, steps = tmp_path_factory.mktemp("adapted"), list[Step]()
    torch.set_num_threads(1)
    return Adapted(adapt(HOW, STUDY, PIXELS, folder, on_step=steps.append), steps, folder)


def ranked(encoder: AestheticEncoder, pixels: NDArray[np.uint8] = PIXELS, study: Study = STUDY) -> float:
    """Share of damaged copies that stand below their photos."""
    photo, *copies = norm(torch_encode(encoder)(pixels))[study.damage].T
    return float(np.mean([photo > copy for copy in copies]))


def test_every_layer_of_every_backbone_changes(adapted: Adapted) -> None:
    before, after = trunks_of(fresh_encoder(HOW, None)), trunks_of(adapted.encoder)
    assert len(after) > 20
    assert before.keys() == after.keys() == {f"trunks.{name}" for name in adapted.encoder.trunks.state_dict()}
    moved = {layer_of(name) for name in before if not torch.equal(before[name], after[name])}
    assert {layer_of(name) for name in before} - moved == set()


def layer_of(name: str) -> str:
    """Weights and bias are of one layer; a step may be too small for one number of them, which differs by processor."""
    return name.rpartition(".")[0]


def test_damaged_copies_alone_are_shown_step_by_step(adapted: Adapted) -> None:
    assert [(step.stage, step.step, step.steps) for step in adapted.steps] == [("adapt", n, 5) for n in range(1, 6)]
    assert read_log(adapted.folder / "log.csv") == adapted.steps
    assert all(step.pictures <= 3 * len(STUDY.damage) for step in adapted.steps)


def test_no_ratings_are_read(adapted: Adapted, tmp_path: Path) -> None:
    others = replace(STUDY, ratings=STUDY.ratings[::-1] ** 2)
    assert not np.array_equal(others.ratings, STUDY.ratings)
    pixels = PIXELS.copy()
    pixels[: len(STUDY.ratings)] = 0
    found = adapt(HOW, others, pixels, tmp_path)
    assert same_weights(found.state_dict(), adapted.encoder.state_dict())


@pytest.mark.parametrize("killed_at", [1, 3])
def test_a_stopped_adaptation_ends_at_the_same_weights(
    adapted: Adapted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Before the first checkpoint, and behind it."""
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)

    def stop(step: Step) -> None:
        if step.step == killed_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(HOW, STUDY, PIXELS, tmp_path, on_step=stop)
    torch.rand(9)
    after: list[Step] = []
    resumed = adapt(HOW, STUDY, PIXELS, tmp_path, on_step=after.append)
    assert [step.step for step in after] == list(range(killed_at // 2 * 2 + 1, 6))
    assert same_weights(resumed.state_dict(), adapted.encoder.state_dict())
    assert [step.step for step in read_log(tmp_path / "log.csv")] == [1, 2, 3, 4, 5]


def test_the_adapted_encoder_prefers_photos_at_least_as_often(adapted: Adapted) -> None:
    before = fresh_encoder(HOW.adaptation, None)
    begin(before, HOW.adaptation, STUDY, PIXELS, "cpu")
    assert ranked(adapted.encoder) >= ranked(before.eval())
    assert ranked(adapted.encoder) == 1.0
    errors = [step.error for step in adapted.steps]
    assert errors[-1] < errors[0]


def test_a_finished_adaptation_is_taken_whatever_comes_later(adapted: Adapted) -> None:
    assert HOW.fit is not None
    later = replace(HOW, fit=replace(HOW.fit, ridge=2.0), encoder=replace(HOW.encoder, landmarks=7, rank=3))
    steps: list[Step] = []
    found = adapt(later, STUDY, PIXELS, adapted.folder, on_step=steps.append)
    assert steps == []
    assert same_weights(trunks_of(found), trunks_of(adapted.encoder))


def test_an_adaptation_of_another_recipe_is_refused(adapted: Adapted) -> None:
    with pytest.raises(ConfigError, match="of another recipe, data or fold"):
        adapt(replace(HOW, seed=9), STUDY, PIXELS, adapted.folder)
