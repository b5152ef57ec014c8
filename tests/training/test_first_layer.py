"""The first layer: int8 convolutions take the bytes of a picture, and say what they said of normalised pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto
from torch import Tensor, nn
from torch.nn import functional

from aesth.training.export import export_graph
from aesth.training.first_layer import centre_on_byte, merge_pooling, see_blocks
from aesth.training.networks import Normalise
from aesth.training.quantize import quantize
from support.eyes import HALF, SIZE, Seeing, changed, exported, first_colours, in_bytes, pictures, seen


class Eye(nn.Module):
    """Pixels, normalised, shrunk and seen by a convolution whose edge is padded unevenly."""

    def __init__(
        self,
        mean: tuple[float, float, float] = HALF,
        *,
        shrink: int = 1,
        kernel: int = 3,
        stride: int = 2,
        edge: int = 0,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(mean, mean)
        self.shrink = shrink
        self.conv = nn.Conv2d(3, 5, kernel, stride)
        self.edge = edge

    def forward(self, image: Tensor) -> Tensor:
        x = self.normalise(image)
        if self.shrink > 1:
            x = functional.avg_pool2d(x, self.shrink)
        return (
            self.conv(functional.pad(x, (0, self.edge, self.edge, 0))).flatten(2).mean(2) if self.edge else self.conv(x)
        )


def same(one: ModelProto, other: ModelProto) -> bool:
    """Whether both compute the same from the same constants."""
    return one.graph.node == other.graph.node and one.graph.initializer == other.graph.initializer


def kinds(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@given(
    shrink=st.sampled_from([2, 3, 4]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    edge=st.integers(0, 1),
    seed=st.integers(0, 99),
)
def test_a_mean_of_pixels_is_part_of_the_convolution_behind_it(
    tmp_path_factory: pytest.TempPathFactory, shrink: int, kernel: int, stride: int, edge: int, seed: int
) -> None:
    torch.manual_seed(seed)
    path = tmp_path_factory.mktemp("eye") / "eye.onnx"
    before = exported(Eye(shrink=shrink, kernel=kernel, stride=stride, edge=edge), path)
    after = changed(before, merge_pooling)
    assert "AveragePool" in kinds(before)
    assert "AveragePool" not in kinds(after)
    assert seen(after, pictures()) == pytest.approx(seen(before, pictures()), abs=1e-5)


class Pools(nn.Module):
    """Means over pixels that are no part of a convolution."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.normalise = Normalise(HALF, HALF)
        self.conv = nn.Conv2d(3, 6, 3, groups=3 if how == "each colour by itself" else 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.normalise(image)
        if self.how == "overlapping":
            return self.conv(functional.avg_pool2d(x, 3, stride=2))  # type: ignore[no-any-return]
        if self.how == "padded":
            return self.conv(functional.avg_pool2d(x, 2, padding=1))  # type: ignore[no-any-return]
        pooled = functional.avg_pool2d(x, 2)
        return self.conv(pooled) + (pooled.mean() if self.how == "used elsewhere" else 0)  # type: ignore[no-any-return]


@pytest.mark.parametrize("how", ["overlapping", "padded", "used elsewhere", "each colour by itself"])
def test_other_means_stay(tmp_path: Path, how: str) -> None:
    before = exported(Pools(how), tmp_path / "pools.onnx")
    assert same(changed(before, merge_pooling), before)


def test_a_whole_number_is_taken_off_and_what_is_seen_stays(tmp_path: Path) -> None:
    before = exported(Eye(), tmp_path / "eye.onnx")
    after = changed(before, centre_on_byte)
    assert not same(after, before)
    assert seen(after, pictures()) == pytest.approx(seen(before, pictures()), abs=1e-5)


def test_at_the_edge_zeros_are_half_a_grey_level_off(tmp_path: Path) -> None:
    eye = Eye(edge=1)
    before = exported(eye, tmp_path / "eye.onnx")
    difference = seen(changed(before, centre_on_byte), pictures()) - seen(before, pictures())
    half_a_level = 0.5 / 127.5 * eye.conv.weight.detach().abs().sum((1, 2, 3)).numpy()
    assert (np.abs(difference) <= half_a_level + 1e-6).all()
    assert np.abs(difference).max() > 1e-6


@pytest.mark.parametrize("mean", [(128.0, 128.0, 128.0), (123.675, 116.28, 103.53)])
def test_a_mean_that_is_whole_or_differs_by_colour_stays(tmp_path: Path, mean: tuple[float, float, float]) -> None:
    before = exported(Eye(mean), tmp_path / "eye.onnx")
    assert same(changed(before, centre_on_byte), before)


class Brightness(nn.Module):
    """A convolution that lets grey levels through as they are, and the mean of what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalise(HALF, HALF)
        self.conv = nn.Conv2d(3, 1, 1)
        with torch.no_grad():
            self.conv.weight.fill_(1 / 3)
            self.conv.bias.fill_(1.0)  # type: ignore[union-attr]

    def forward(self, image: Tensor) -> Tensor:
        return functional.relu(self.conv(self.normalise(image))).mean((2, 3))


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brightness")
    path = export_graph(Brightness().eval(), folder / "fp32.onnx", SIZE, "seen")
    return quantize(path, folder / "int8.onnx", np.repeat(pictures(16)[..., :1], 3, axis=3))


def greys() -> NDArray[np.uint8]:
    return np.repeat(np.arange(256, dtype=np.uint8), 3 * SIZE[0] * SIZE[1]).reshape(256, *SIZE, 3)


def test_every_grey_level_is_told_from_its_neighbours(quantised: Path) -> None:
    said = seen(quantised, greys()).ravel()
    assert (np.diff(said) > 0).all()
    assert said == pytest.approx(np.arange(256) / 127.5, abs=0.5 / 127.5 + 1e-6)


def test_no_arithmetic_stands_between_a_picture_and_its_first_convolution(quantised: Path) -> None:
    graph = onnx.load(str(quantised)).graph
    taken = {"image"}
    before = []
    for node in graph.node:
        if node.op_type != "Conv" and taken & set(node.input):
            taken |= set(node.output)
            before.append(node.op_type)
        elif node.op_type == "Conv":
            break
    assert set(before) <= {"Reshape", "Transpose", "DequantizeLinear", "Shape"}


@pytest.mark.parametrize(
    ("kernel", "stride", "right"), [(3, 2, 1), (3, 1, 2), (1, 1, 0), (2, 2, 0), (3, 4, 0), (6, 4, 2), (5, 2, 3)]
)
def test_blocks_of_pixels_give_what_pixels_give_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: int, stride: int, right: int
) -> None:
    before = in_bytes(Seeing(kernel, stride, 0, right), tmp_path, monkeypatch)
    after = changed(before, see_blocks)
    assert first_colours(before) == 3
    assert first_colours(after) == 12
    assert np.array_equal(seen(after, pictures()), seen(before, pictures()))


@pytest.mark.parametrize(
    ("kernel", "stride", "left", "right"),
    [(3, 2, 1, 0), (3, 2, 0, 0), (3, 3, 0, 0)],
    ids=["left edge", "pixels left over", "stride that no block has"],
)
def test_what_blocks_cannot_give_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: int, stride: int, left: int, right: int
) -> None:
    before = in_bytes(Seeing(kernel, stride, left, right), tmp_path, monkeypatch)
    after = changed(before, see_blocks)
    assert first_colours(after) == 3
    assert np.array_equal(seen(after, pictures()), seen(before, pictures()))


def test_int8_models_see_blocks(quantised: Path) -> None:
    assert first_colours(onnx.load(str(quantised))) == 12


def test_what_nothing_takes_is_not_computed(quantised: Path) -> None:
    graph = onnx.load(str(quantised)).graph
    taken = {name for node in graph.node for name in node.input} | {one.name for one in graph.output}
    assert [node.name for node in graph.node if not set(node.output) & taken] == []
    assert [one.name for one in graph.initializer if one.name not in taken] == []
