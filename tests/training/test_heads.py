"""Heads: landmarks by a literal double loop, and points in polar form, their parts put together by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from aesth.training.export import export_graph, onnx_encode
from aesth.training.heads import Landmarks, Polar

WIDTH, NEAR = 12, (7, 1, 2, 10, 4)
BLOCKS, MEMBERS = [2, 1, 3], [(0, 1, 2), (2, 0), (1,)]


def landmarks_of(width: int, count: int, sharpness: float = 1.0) -> Landmarks:
    made = Landmarks([width], count, sharpness=sharpness)
    nn.init.normal_(made.places, std=width**-0.5)
    nn.init.normal_(made.heights)
    return made


def polar_of(rank: int = 6, landmarks: int = 9, faults: int = 3) -> Polar:
    torch.manual_seed(0)
    made = Polar(WIDTH, rank, [NEAR], landmarks, faults)
    nn.init.normal_(made.landmarks.places, std=len(NEAR) ** -0.5)
    nn.init.normal_(made.landmarks.heights)
    return made


def features(count: int = 8, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(1)) * width**-0.5


@pytest.mark.parametrize("sharpness", [0.5, 3.0])
@torch.no_grad()
def test_landmarks_say_what_a_double_loop_says(sharpness: float) -> None:
    landmarks, places = landmarks_of(5, 4, sharpness), features(6, 5)
    found = landmarks(places)
    assert found.shape == (6,)
    for place, value in zip(places.double(), found, strict=True):
        expected = 0.0
        for landmark, height in zip(landmarks.places.double(), landmarks.heights[0].double(), strict=True):
            square = sum((float(x) - float(y)) ** 2 for x, y in zip(place, landmark, strict=True))
            expected += float(height) * math.exp(-sharpness * square)
        assert float(value) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@torch.no_grad()
def test_a_landmark_says_its_height_where_it_stands_and_nothing_far_away() -> None:
    landmarks = landmarks_of(5, 1)
    assert float(landmarks(landmarks.places)) == pytest.approx(float(landmarks.heights), rel=1e-5)
    assert float(landmarks(landmarks.places + 10)) == pytest.approx(0, abs=1e-6)
    assert float(landmarks.nearness(1e3 * landmarks.places)[0].max()) <= 1


@torch.no_grad()
def test_landmarks_of_several_members_say_the_mean_of_what_each_says_of_its_blocks() -> None:
    """Each as landmarks of its own that see nothing else, in a space stretched to the length of the whole."""
    torch.manual_seed(0)
    landmarks, places = Landmarks(BLOCKS, 4, MEMBERS, sharpness=0.7), features(6, 6)
    nn.init.normal_(landmarks.places, std=0.4)
    nn.init.normal_(landmarks.heights)
    blocks = np.split(np.arange(sum(BLOCKS)), np.cumsum(BLOCKS)[:-1])
    said = []
    for member, heights in zip(MEMBERS, landmarks.heights, strict=True):
        seen = np.concatenate([blocks[block] for block in member])
        alone, stretch = Landmarks([len(seen)], 4, sharpness=0.7), (sum(BLOCKS) / len(seen)) ** 0.5
        alone.places.copy_(stretch * landmarks.places[:, seen])
        alone.heights.copy_(heights[None])
        said.append(alone(stretch * places[:, seen]))
    assert torch.allclose(landmarks(places), torch.stack(said).mean(0), atol=1e-5)
    assert not torch.allclose(said[0], said[1], atol=0.1)


@torch.no_grad()
def test_without_landmarks_nothing_is_said() -> None:
    assert landmarks_of(5, 0)(features(3, 5)).tolist() == [0, 0, 0]


@torch.no_grad()
def test_the_norm_is_softplus_of_the_linear_part_the_landmarks_and_the_faults() -> None:
    polar, rows = polar_of(), features()
    for row, norm in zip(rows, polar(rows).norm(dim=1), strict=True):
        near = np.array([float(row[index]) for index in NEAR]) * (WIDTH / len(NEAR)) ** 0.5
        linear = sum(float(w) * float(x) for w, x in zip(polar.liking.weight[0], row, strict=True))
        known = sum(
            float(height) * math.exp(-float(((near - place.numpy()) ** 2).sum()))
            for place, height in zip(polar.landmarks.places, polar.landmarks.heights[0], strict=True)
        )
        assert polar.faults is not None
        faults = sum(
            max(0.0, float(bias) + sum(float(u) * float(x) for u, x in zip(detector, row, strict=True)))
            for detector, bias in zip(polar.faults.weight, polar.faults.bias, strict=True)
        )
        assert faults > 0
        expected = math.log1p(math.exp(float(polar.liking.bias) + linear + known - faults))
        assert float(norm) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("rank", [0, 6])
@torch.no_grad()
def test_directions_have_length_one_and_are_those_of_the_near_features(rank: int) -> None:
    polar, rows = polar_of(rank), features()
    points = polar(rows)
    assert points.shape == (len(rows), 1000)
    lengths = torch.nn.functional.softplus(polar.liked(rows, polar.places(rows)))
    directions = points / lengths[:, None]
    assert torch.allclose(directions.norm(dim=1), torch.ones(len(rows)), atol=1e-5)
    inner = polar.direction(polar.places(rows))
    assert torch.allclose(directions, inner / inner.norm(dim=1, keepdim=True), atol=1e-5)


@torch.no_grad()
def test_the_landmarks_and_the_directions_see_no_other_features() -> None:
    polar, rows = polar_of(faults=0), features()
    polar.liking.weight.zero_()
    changed = rows.clone()
    changed[:, [index for index in range(WIDTH) if index not in NEAR]] += 5
    assert torch.equal(polar(rows), polar(changed))


@torch.no_grad()
def test_rounded_directions_take_a_byte_and_leave_norms_alone() -> None:
    polar, rows = polar_of(), features()
    before = polar(rows)
    polar.round_directions()
    after, weight = polar(rows), polar.direction.inner.weight
    grid = 2.0 ** math.ceil(math.log2(float(weight.abs().max()) / 127))
    steps = weight / grid
    assert torch.equal(steps, steps.round())
    assert 32 < int(steps.abs().max()) <= 127
    assert torch.allclose(after.norm(dim=1), before.norm(dim=1), rtol=1e-5)
    assert nn.functional.cosine_similarity(after, before).min() > 0.999
    assert not torch.equal(after, before)


def test_every_parameter_gets_a_gradient() -> None:
    polar = polar_of()
    (polar(features()) @ torch.randn(1000)).square().sum().backward()
    without = [name for name, one in polar.named_parameters() if one.grad is None or not one.grad.any()]
    assert without == []


def test_a_warm_up_moves_the_linear_part_and_the_directions_alone() -> None:
    polar = polar_of()
    movable = {id(one) for one in polar.movable()}
    names = [name for name, one in polar.named_parameters() if id(one) in movable]
    assert names == [
        "liking.weight",
        "liking.bias",
        "faults.weight",
        "faults.bias",
        "direction.inner.weight",
        "direction.inner.bias",
    ]


@pytest.mark.parametrize("distance", [3.0, 6.0])
@torch.no_grad()
def test_the_head_starts_at_about_the_distance_asked_for(distance: float) -> None:
    polar = Polar(WIDTH, 6, [NEAR], 0)
    polar.start_at(distance)
    assert float(polar(torch.zeros(1, WIDTH)).norm()) == pytest.approx(distance, abs=0.05)


class OfPixels(nn.Module):
    """A polar head whose features are the pixels of a picture."""

    def __init__(self, polar: Polar) -> None:
        super().__init__()
        self.polar = polar

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.polar(image.float().flatten(1) / 255)  # type: ignore[no-any-return]


@torch.no_grad()
def test_onnx_says_what_torch_says(tmp_path: Path) -> None:
    polar = Polar(WIDTH, 6, [NEAR[:2], NEAR[2:]], 9, 3, [(0, 1), (1,)])
    nn.init.normal_(polar.landmarks.places, std=len(NEAR) ** -0.5)
    nn.init.normal_(polar.landmarks.heights)
    network = OfPixels(polar).eval()
    path = export_graph(network, tmp_path / "head.onnx", (2, 2), "embedding")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 2, 2, 3), np.uint8)
    expected = network(torch.from_numpy(pixels)).numpy()
    assert onnx_encode(path)(pixels) == pytest.approx(expected, abs=1e-5)
