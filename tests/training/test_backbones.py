"""Networks to start from: what each stage puts out, and how weights get into them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.models import resnet50

from aesth.errors import ConfigError
from aesth.training.backbones import BACKBONES, inception_v3, mobilenet_v2
from aesth.training.backbones.resnet50 import ResNet50
from aesth.training.backbones.trunk import Trunk
from support.backbones import ARCHIVES, archive_of, convolutions

SIDES = {"inception_v3": 96, "mobilenet_v2": 64, "resnet50": 64}


@pytest.fixture(scope="module")
def trunks() -> Mapping[str, Trunk]:
    torch.manual_seed(0)
    return {name: backbone.load(None, None).eval() for name, backbone in BACKBONES.items()}


@pytest.mark.parametrize("name", BACKBONES)
@torch.no_grad()
def test_every_stage_puts_out_the_channels_it_says(name: str, trunks: Mapping[str, Trunk]) -> None:
    trunk, side = trunks[name], SIDES[name]
    wanted = list(trunk.channels)
    maps = trunk(torch.randn(2, 3, side, side + 32), wanted)
    assert list(trunk.stages) == wanted
    assert [one.shape[:2] for one in maps] == [(2, channels) for channels in trunk.channels.values()]
    assert all(one.shape[3] >= one.shape[2] > 0 for one in maps)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_stage_that_is_pooled_by_default_is_the_last(name: str, trunks: Mapping[str, Trunk]) -> None:
    assert BACKBONES[name].layers == (list(trunks[name].channels)[-1],)


@torch.no_grad()
def test_stages_are_given_in_the_order_asked_for_and_nothing_behind_them_is_run(trunks: Mapping[str, Trunk]) -> None:
    trunk, run = trunks["mobilenet_v2"], []
    hooks = [
        stage.register_forward_hook(lambda *_, name=name: run.append(name)) for name, stage in trunk.stages.items()
    ]
    first, second = trunk(torch.randn(1, 3, 64, 64), ["bottleneck_2", "stem"])
    for hook in hooks:
        hook.remove()
    assert (first.shape[1], second.shape[1]) == (24, 32)
    assert run == ["stem", "bottleneck_1", "bottleneck_2"]


def literal_same(image: NDArray[np.float64], kernel: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """A convolution (h, w) with TensorFlow's SAME padding, as its documentation describes it, place by place."""
    size = len(kernel)
    height, width = image.shape
    out_height, out_width = -(-height // stride), -(-width // stride)
    above = max((out_height - 1) * stride + size - height, 0) // 2
    left = max((out_width - 1) * stride + size - width, 0) // 2
    out = np.zeros((out_height, out_width))
    for i in range(out_height):
        for j in range(out_width):
            for k in range(size):
                for m in range(size):
                    y, x = i * stride - above + k, j * stride - left + m
                    if 0 <= y < height and 0 <= x < width:
                        out[i, j] += image[y, x] * kernel[k, m]
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (7, 8), (9, 7), (1, 2)])
@torch.no_grad()
def test_padding_is_that_of_tensorflow(size: tuple[int, int], kernel: int, stride: int) -> None:
    generator = np.random.default_rng(0)
    image = generator.normal(size=size)
    convolution = mobilenet_v2.Convolution(1, 1, kernel, stride, linear=True).double()
    convolution.conv.bias.zero_()
    expected = literal_same(image, convolution.conv.weight[0, 0].numpy(), stride)
    assert convolution(torch.from_numpy(image)[None, None])[0, 0].numpy() == pytest.approx(expected)


@torch.no_grad()
def test_inception_averages_over_the_places_that_exist() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    pooled = inception_v3.AveragePool()(image)[0, 0]
    assert (float(pooled[0, 0]), float(pooled[0, 1]), float(pooled[1, 1])) == (2, 2.5, 4)


@pytest.mark.parametrize("name", ARCHIVES)
def test_weights_are_those_of_the_archive(name: str, trunks: Mapping[str, Trunk], tmp_path: Path) -> None:
    classifier = {"99_CONV_2D_w": np.zeros((9, 1, 1, 1280), np.float16), "99_CONV_2D_b": np.zeros(9, np.float16)}
    np.savez(tmp_path / ARCHIVES[name], **archive_of(name, trunks[name]), **classifier)
    loaded = BACKBONES[name].load(tmp_path, None)
    for one, other in zip(convolutions(loaded), convolutions(trunks[name]), strict=True):
        assert torch.equal(one.weight, other.weight.half().float())
        assert torch.equal(one.bias, other.bias.half().float())


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_missing_archive_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="put the archive there, or train another backbone") as raised:
        BACKBONES[name].load(tmp_path, None)
    assert raised.value.path == tmp_path / ARCHIVES[name]


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("how", ["no archive", "of another network", "a layer too few", "a layer of another shape"])
def test_a_wrong_archive_is_refused(name: str, how: str, trunks: Mapping[str, Trunk], tmp_path: Path) -> None:
    weights = archive_of(name, trunks[name])
    if how == "of another network":
        weights = {"kernel": np.zeros(3, np.float16)}
    elif how == "a layer too few":
        weights = dict(list(weights.items())[:-2])
    elif how == "a layer of another shape":
        last = next(reversed(weights))
        weights[last] = weights[last][:1]
    path = tmp_path / ARCHIVES[name]
    np.savez(path, **weights)
    if how == "no archive":
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ConfigError, match="not an archive of this backbone's weights") as raised:
        BACKBONES[name].load(tmp_path, None)
    assert raised.value.path == path


@torch.no_grad()
def test_resnet_is_that_of_torchvision_up_to_pooling() -> None:
    torch.manual_seed(5)
    network = resnet50(weights=None).eval()
    network.fc = nn.Identity()
    torch.manual_seed(5)
    trunk = ResNet50(pretrained=False).eval()
    pixels = torch.randn(2, 3, 64, 64)
    (last,) = trunk(pixels, ["layer4"])
    assert torch.allclose(last.mean((2, 3)), network(pixels), rtol=1e-5)
