"""Guided ReLU: by hand on a small net, equal to the plain gradient where nothing is held back, on every backbone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from aesth.errors import ConfigError
from aesth.training.networks import AestheticEncoder, Architecture
from aesth.training.recipe import read_recipe
from aesth.training.saliency import (
    GuidedReLU,
    feature_energy,
    guided_gradient,
    guided_saliency,
    half_area,
    norm_energy,
    smooth,
)
from aesth.training.saliency_run import draw_saliency
from support.photos import picture
from support.training import RECIPE_FILE

RELUS = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "functional": functional.relu,
    "functional in place": lambda x: functional.relu(x, inplace=True),
    "torch": torch.relu,
    "method": lambda x: x.relu(),
    "method in place": lambda x: x.relu_(),
}
RELU6S = {
    "module6": nn.ReLU6(),
    "module6 in place": nn.ReLU6(inplace=True),
    "functional6": functional.relu6,
    "functional6 in place": lambda x: functional.relu6(x, inplace=True),
}


@pytest.mark.parametrize("name", [*RELUS, *RELU6S])
def test_a_relu_passes_gradients_above_0_of_inputs_above_0(name: str) -> None:
    relu = {**RELUS, **RELU6S}[name]
    x = torch.tensor([-1.0, 2.0, 3.0, 7.0], requires_grad=True)
    with GuidedReLU():
        y = relu(x * 1)
        (y * torch.tensor([1.0, -1.0, 5.0, 1.0])).sum().backward()
    top = 6.0 if name in RELU6S else 7.0
    assert y.tolist() == [0, 2, 3, top]
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 5, 0 if name in RELU6S else 1]


def test_two_layers_by_hand() -> None:
    """h = relu(W x), y = relu(v · h): guided, only h2 passes, since h1 is 0 and v3 is below 0."""
    w, v = torch.tensor([[-1.0, 0.0], [2.0, -3.0], [1.0, 1.0]]), torch.tensor([1.0, 4.0, -1.0])
    x = torch.tensor([2.0, 1.0], requires_grad=True)
    with GuidedReLU():
        functional.relu(v @ functional.relu(w @ x)).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [8, -12]  # 4 x (2, -3); the plain gradient is (7, -13)


def test_outside_of_it_gradients_are_plain() -> None:
    with GuidedReLU():
        pass
    x = torch.tensor([1.0], requires_grad=True)
    (-functional.relu(x)).backward()
    assert x.grad is not None
    assert x.grad.item() == -1


def all_open(encoder: AestheticEncoder) -> AestheticEncoder:
    """The encoder with weights above 0: every input of a ReLU is above 0, and so is every gradient."""
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.abs_().mul_(0.05)
        for convolution in (module for module in encoder.modules() if isinstance(module, nn.Conv2d)):
            convolution.weight.div_(convolution.weight.sum((1, 2, 3), keepdim=True))
    for normalise in encoder.normalise.values():
        normalise.mean.zero_()  # type: ignore[operator,union-attr]
    return encoder.eval()


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "inception_v3"])
def test_where_no_relu_holds_back_the_gradient_is_the_plain_one(backbone: str) -> None:
    layers = {"mobilenet_v2": "bottleneck_2", "inception_v3": "mixed"}[backbone]
    encoder = all_open(AestheticEncoder(Architecture(backbone, (layers,), size=(75, 75))))
    pixels = picture(0.5, 1, 75, 75)[None]
    image = torch.from_numpy(pixels).float().requires_grad_()
    (plain,) = torch.autograd.grad(norm_energy(encoder)(image).sum(), image)
    assert plain.abs().max() > 0
    assert guided_gradient(norm_energy(encoder), pixels) == pytest.approx(plain.numpy(), rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "inception_v3", "resnet50"])
def test_every_backbone_is_guided_and_says_the_same_forward(backbone: str) -> None:
    torch.manual_seed(0)
    encoder = AestheticEncoder(Architecture(backbone, size=(96, 96))).eval()
    pixels = np.stack([picture(0.4, seed, 96, 96) for seed in (1, 2)])
    with torch.no_grad(), GuidedReLU():
        guided = encoder(torch.from_numpy(pixels))
    with torch.no_grad():
        assert torch.equal(guided, encoder(torch.from_numpy(pixels)))
    for energy in (norm_energy(encoder), feature_energy(encoder)):
        saliency = guided_saliency(energy, pixels)
        assert (saliency.shape, saliency.dtype) == ((2, 96, 96), np.float32)
        assert (saliency >= 0).all()
        image = torch.from_numpy(pixels).float().requires_grad_()
        (plain,) = torch.autograd.grad(energy(image).sum(), image)
        assert not np.allclose(guided_gradient(energy, pixels), plain.numpy(), rtol=1e-2, atol=0)


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    torch.manual_seed(0)
    encoder = AestheticEncoder(Architecture("mobilenet_v2", ("bottleneck_2",), size=(64, 64))).eval()
    pixels = np.stack([picture(0.4, seed, 64, 64) for seed in (1, 2)])
    both = guided_saliency(norm_energy(encoder), pixels)
    alone = guided_saliency(norm_energy(encoder), pixels[1:])
    assert both[1] == pytest.approx(alone[0], rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    ("saliency", "share"),
    [(np.ones((4, 5)), 0.5), (np.eye(10), 0.05), ([[8.0, 1, 1, 1, 1]], 0.2), (np.zeros((3, 3)), float("nan"))],
)
def test_half_of_the_saliency_lies_in_a_share_of_the_picture(saliency: np.ndarray, share: float) -> None:
    assert half_area(np.asarray(saliency)) == pytest.approx(share, nan_ok=True)


def test_smoothing_keeps_the_shape_and_widens() -> None:
    point = np.zeros((50, 60), np.float32)
    point[25, 30] = 1
    wide = smooth(point)
    assert wide.shape == point.shape
    assert half_area(wide) > half_area(point)
    assert wide.sum() == pytest.approx(1, abs=1e-3)


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, Path]:
    config, path = tmp_path / "tiny.toml", tmp_path / "encoder.pt"
    config.write_text(RECIPE_FILE)
    torch.save(AestheticEncoder(read_recipe(config).encoder).state_dict(), path)
    return config, path


def test_overlays_are_written_one_for_each_photo(weights: tuple[Path, Path], tmp_path: Path) -> None:
    photos = [tmp_path / folder / "photo.jpg" for folder in ("a", "b")]
    for photo in photos:
        photo.parent.mkdir()
        Image.fromarray(picture(0.5, 1, 90, 120)).save(photo)
    found = draw_saliency(config=weights[0], weights=weights[1], photos=photos, out=tmp_path / "out")
    assert [one.overlay.name for one in found] == ["photo.png", "photo-2.png"]
    for one in found:
        with Image.open(one.overlay) as drawn:
            assert (drawn.format, drawn.size) == ("PNG", (120 * 2 + 8, 90))
        assert 0 < one.half_area <= 0.5
        assert one.plain_half_area is None


def test_beside_the_plain_backbone_there_is_a_third_panel(
    data: Path, weights: tuple[Path, Path], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    Image.fromarray(picture(0.5, 1, 90, 120)).save(photo)
    (one,) = draw_saliency(
        config=weights[0], weights=weights[1], photos=[photo], out=tmp_path, backbones=data / "backbones"
    )
    assert one.plain_half_area is not None
    with Image.open(one.overlay) as drawn:
        assert drawn.size == (120 * 3 + 16, 90)


def test_weights_of_another_encoder_are_refused(weights: tuple[Path, Path], tmp_path: Path) -> None:
    config, path = weights
    config.write_text(RECIPE_FILE.replace("rank = 8", "rank = 9"))
    with pytest.raises(ConfigError, match="not weights of the recipe's encoder"):
        draw_saliency(config=config, weights=path, photos=[], out=tmp_path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="not weights"):
        draw_saliency(config=config, weights=path, photos=[], out=tmp_path)
