"""The directional triplet loss against Eq. 2, 4 and 5 written out in plain Python, and what training with it does."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from aesth.errors import ConfigError
from aesth.training.loss import DirectionalTripletLoss
from aesth.training.metrics import srcc
from aesth.training.triplets import TripletSampler

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

margins = st.floats(0, 5)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list, list, list, list]:
    triplets, dimensions = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    vector = st.lists(st.floats(-3, 3), min_size=dimensions, max_size=dimensions)
    matrix = st.lists(vector, min_size=triplets, max_size=triplets)
    signs = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=triplets, max_size=triplets)
    return draw(matrix), draw(matrix), draw(matrix), draw(signs)


def squared_distance(u: list[float], v: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(u, v, strict=True))


def length(u: list[float]) -> float:
    return math.sqrt(sum(x * x for x in u))


def oracle(batch, margin: float, direction_margin: float, weight: float) -> float:
    total = 0.0
    for a, p, n, sign in zip(*batch, strict=True):
        total += max(0.0, margin + squared_distance(a, p) - squared_distance(a, n))
        if sign > 0:
            total += weight * max(0.0, direction_margin - (length(n) - length(a)))
        elif sign < 0:
            total += weight * max(0.0, direction_margin - (length(a) - length(n)))
    return total / len(batch[0])


@settings(max_examples=200, deadline=None)
@given(batches(), margins, margins, margins)
def test_is_the_equations_written_out(batch, margin: float, direction_margin: float, weight: float) -> None:
    loss = DirectionalTripletLoss(margin, direction_margin, weight)
    value = loss(*(torch.tensor(part, dtype=torch.float64) for part in batch))
    assert value.shape == ()
    assert float(value) == pytest.approx(oracle(batch, margin, direction_margin, weight), abs=1e-9)


def test_a_better_picture_pushed_outside_costs_nothing_a_worse_one_does() -> None:
    loss = DirectionalTripletLoss(0.0, 0.5)
    anchor, negative = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert float(loss(anchor, anchor, negative, torch.tensor([1.0]))) == 0
    assert float(loss(anchor, anchor, negative, torch.tensor([-1.0]))) == pytest.approx(2.5)


@pytest.mark.parametrize("kind", [1.0, -1.0])
def test_the_gradient_is_right(kind: float) -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(4, 5, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(3)]
    sign = torch.full((4,), kind, dtype=torch.float64)
    loss = DirectionalTripletLoss(20.0, 20.0, 0.7)
    assert torch.autograd.gradcheck(lambda a, p, n: loss(a, p, n, sign), parts)


def test_embeddings_at_the_origin_or_on_each_other_have_a_finite_gradient() -> None:
    parts = [torch.zeros(2, 4, requires_grad=True) for _ in range(3)]
    DirectionalTripletLoss(0.2, 0.2)(*parts, torch.tensor([1.0, -1.0])).backward()
    assert all(torch.isfinite(part.grad).all() for part in parts)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype: torch.dtype) -> None:
    anchor, negative = torch.zeros(1, 1000, dtype=dtype), torch.full((1, 1000), 16.0, dtype=dtype)
    value = DirectionalTripletLoss(0.2, 0.2)(anchor, negative, anchor, torch.tensor([1.0], dtype=dtype))
    assert float(value) == pytest.approx(256_000.4, rel=1e-6)


@pytest.mark.parametrize("name", ["margin", "direction_margin", "direction_weight"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_margins_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        DirectionalTripletLoss(**{"margin": 0.2, "direction_margin": 0.2, name: value})


# What Eq. 4 means, settled by training.


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are only slowed down by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def as_printed(anchor: Tensor, positive: Tensor, negative: Tensor, sign: Tensor) -> Tensor:
    """Eq. 2, 4 and 5 as the paper prints them, with m = m̃ = 0.2."""
    near, far = (anchor - positive).square().sum(1), (anchor - negative).square().sum(1)
    direction = sign * torch.relu(anchor.norm(dim=1) - negative.norm(dim=1) + 0.2)
    return (torch.relu(0.2 + near - far) + direction).mean()


def train(loss: Loss, seed: int, *, steps: int = 150, two_good: bool | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scores and, after training, norms of pictures whose score hides in a turned 6-d feature.

    The linear embedding starts the wrong way round: the more a picture pleases, the smaller its norm.
    """
    rng = np.random.default_rng(seed)
    scores = rng.uniform(size=200)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    features = torch.tensor(np.column_stack((scores * 2 - 1, rng.normal(size=(200, 5)) / 4)) @ turn).float()
    encoder = nn.Linear(6, 8)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[0] = -torch.tensor(turn[0])
        encoder.bias.zero_()
        encoder.bias[0] = 2.0
    assert srcc(norms(encoder(features)), scores) < -0.95
    sampler = TripletSampler(scores, two_good=two_good)
    optimiser = torch.optim.SGD(encoder.parameters(), lr=0.05)
    for triplets in sampler.sample(64 * steps, rng).reshape(steps, 64, 3):
        anchor, positive, negative = encoder(features)[torch.from_numpy(triplets.T.copy())]
        optimiser.zero_grad()
        loss(anchor, positive, negative, torch.from_numpy(sampler.signs(triplets))).backward()
        optimiser.step()
    return scores, norms(encoder(features))


def norms(embeddings: Tensor) -> np.ndarray:
    return embeddings.detach().norm(dim=1).numpy()


@pytest.mark.parametrize("two_good", [None, True, False], ids=["both kinds", "two good", "one good"])
def test_after_training_the_order_of_norms_is_the_order_of_scores(two_good: bool | None) -> None:
    for seed in range(3):
        scores, learned = train(DirectionalTripletLoss(0.2, 0.2), seed, two_good=two_good)
        assert srcc(learned, scores) > 0.95


def test_without_the_direction_the_norms_have_no_order_to_learn() -> None:
    scores, learned = train(DirectionalTripletLoss(0.2, 0.2, direction_weight=0), 0)
    assert srcc(learned, scores) < 0


def test_as_printed_a_wrong_order_of_a_worse_negative_is_never_put_right() -> None:
    """Its hinge is flat there: with two good pictures and a bad one the norms stay the wrong way round."""
    scores, learned = train(as_printed, 0, two_good=True)
    assert srcc(learned, scores) < -0.95


def test_as_printed_the_norms_grow_without_end() -> None:
    """With both kinds the order comes out right, but the reward for a worse negative has no bound."""
    short, long = (train(as_printed, 0, steps=steps)[1].max() for steps in (100, 400))
    assert long > 3 * short
    short, long = (train(DirectionalTripletLoss(0.2, 0.2), 0, steps=steps)[1].max() for steps in (100, 400))
    assert long < 2 * short
