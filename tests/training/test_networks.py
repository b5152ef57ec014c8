"""The encoder: plain pixels in, points of the aesthetic space out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from aesth.errors import ConfigError
from aesth.training.heads import Polar, Projection, Standardise
from aesth.training.networks import AestheticEncoder, Architecture, Branch, Normalise, Pool

SIZE = (64, 80)


def encoder_of(**fields: object) -> AestheticEncoder:
    torch.manual_seed(0)
    return AestheticEncoder(Architecture("mobilenet_v2", size=SIZE, **fields)).eval()  # type: ignore[arg-type]


def image(count: int = 2) -> torch.Tensor:
    return torch.randint(0, 256, (count, *SIZE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("pooling", ["mean", "mean_deviation"])
@pytest.mark.parametrize("rank", [0, 16])
@pytest.mark.parametrize("layers", [(), ("stem", "bottleneck_3", "last")])
@torch.no_grad()
def test_pixels_become_points_of_a_thousand_dimensions(layers: tuple[str, ...], rank: int, pooling: str) -> None:
    points = encoder_of(layers=layers, rank=rank, pooling=pooling)(image(3))
    assert (points.shape, points.dtype) == ((3, 1000), torch.float32)


@torch.no_grad()
def test_a_picture_is_a_point_of_its_own_whatever_comes_with_it() -> None:
    encoder = encoder_of(pooling="mean_deviation")
    together = encoder(image(3))
    alone = torch.cat([encoder(one[None]) for one in image(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_the_size_is_the_backbones_unless_told_otherwise() -> None:
    assert Architecture("inception_v3").preprocess.size == (299, 299)
    assert Architecture("inception_v3", size=(96, 128)).preprocess.size == (96, 128)


def test_an_unknown_layer_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="mobilenet_v2 has no layer 'pool5'; it has: stem, bottleneck_1"):
        encoder_of(layers=("stem", "pool5"))


@pytest.mark.parametrize("fields", [{"backbone": "vgg"}, {"pooling": "max"}, {"rank": -1}, {"size": (8, 64)}], ids=str)
def test_an_architecture_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Architecture(**fields)  # type: ignore[arg-type]


def test_weights_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="weights to start from are not here"):
        AestheticEncoder(Architecture("mobilenet_v2"), tmp_path)


def test_pixels_are_normalised_by_channel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 2, 3, 3), np.uint8)
    out = Normalise((10.0, 20.0, 30.0), (2.0, 4.0, 8.0))(torch.from_numpy(pixels))
    assert out.shape == (1, 3, 2, 3)
    for y, x, channel in np.ndindex(2, 3, 3):
        expected = (int(pixels[0, y, x, channel]) - (10, 20, 30)[channel]) / (2, 4, 8)[channel]
        assert float(out[0, channel, y, x]) == expected


@pytest.mark.parametrize("deviation", [False, True])
def test_pooling_is_the_mean_and_the_deviation_over_all_places(deviation: bool) -> None:
    generator = np.random.default_rng(0)
    maps = [generator.normal(2, 3, shape) for shape in ((2, 3, 4, 5), (2, 2, 1, 2))]
    expected = []
    for row in range(2):
        statistics: list[float] = []
        for one in maps:
            places = [one[row, channel].ravel() for channel in range(one.shape[1])]
            means = [sum(values) / len(values) for values in places]
            statistics += means
            if deviation:
                pairs = zip(places, means, strict=True)
                statistics += [(sum((v - mean) ** 2 for v in vs) / len(vs) + 1e-5) ** 0.5 for vs, mean in pairs]
        expected.append(statistics)
    pooled = Pool(deviation=deviation)([torch.from_numpy(one) for one in maps])
    assert pooled.numpy() == pytest.approx(np.array(expected), rel=1e-5)


def test_the_deviation_of_a_flat_map_has_a_gradient() -> None:
    flat = torch.ones(1, 2, 3, 3, requires_grad=True)
    Pool(deviation=True)([flat]).sum().backward()
    assert torch.isfinite(flat.grad).all()


def test_standardised_features_have_mean_zero_and_a_length_of_about_one() -> None:
    features = torch.randn(500, 40) * torch.logspace(-2, 2, 40) + torch.linspace(-5, 5, 40)
    standardise = Standardise(40)
    standardise.fit(features)
    out = standardise(features)
    assert out.mean(0).abs().max() < 1e-4
    assert torch.allclose(out.std(0), torch.full((40,), 40**-0.5), rtol=1e-3)
    assert float(out.norm(dim=1).square().mean()) == pytest.approx(1, abs=0.01)


def test_a_feature_that_never_changes_stays_finite() -> None:
    standardise = Standardise(3)
    standardise.fit(torch.ones(9, 3))
    assert torch.isfinite(standardise(torch.full((2, 3), 1.001))).all()


@pytest.mark.parametrize("rank", [0, 7])
@torch.no_grad()
def test_the_projection_starts_at_the_distance_asked_for(rank: int) -> None:
    projection = Projection(20, rank)
    projection.start_at(3.5)
    assert float(projection(torch.zeros(1, 20)).norm()) == pytest.approx(3.5, rel=1e-4)


@torch.no_grad()
def test_points_of_a_small_rank_fill_that_many_dimensions() -> None:
    points = Projection(40, 7)(torch.randn(64, 40)).double()
    assert int(torch.linalg.matrix_rank(points, rtol=1e-5)) == 7
    assert int(torch.linalg.matrix_rank(Projection(40, 0)(torch.randn(64, 40)).double(), rtol=1e-5)) > 7


@torch.no_grad()
def test_the_subspace_keeps_distances() -> None:
    projection = Projection(40, 7)
    inner = projection.inner(torch.randn(9, 40))
    assert torch.allclose(projection.turn(inner).norm(dim=1), inner.norm(dim=1), rtol=1e-4)


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "resnet50"])
def test_every_parameter_gets_a_gradient(backbone: str) -> None:
    torch.manual_seed(0)
    encoder = AestheticEncoder(Architecture(backbone, rank=5, pooling="mean_deviation", size=SIZE)).train()
    encoder(image(2)).square().sum().backward()
    without = [name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.any()]
    assert without == []


SMALLER = Branch("mobilenet_v2", ("bottleneck_1", "bottleneck_3"), shrink=2)
OTHER = Branch("resnet50", ("layer1",))


def branched(**fields: object) -> AestheticEncoder:
    return encoder_of(layers=("stem", "bottleneck_3"), beside=(SMALLER, OTHER), **fields)


def test_branches_of_one_backbone_share_its_weights() -> None:
    encoder = branched()
    first, smaller, other = encoder.branches
    assert encoder.trunk(first) is encoder.trunk(smaller)
    assert list(encoder.trunks) == list(encoder.normalise) == ["mobilenet_v2", "resnet50"]
    alone = sum(one.numel() for one in encoder_of(layers=("bottleneck_3",)).trunks.parameters())
    assert sum(one.numel() for one in encoder.trunk(first).parameters()) == alone
    assert encoder.trunk(other) is not encoder.trunk(first)


@pytest.mark.parametrize("pooling", ["mean", "mean_deviation"])
@torch.no_grad()
def test_features_of_branches_are_side_by_side_in_order(pooling: str) -> None:
    encoder = branched(pooling=pooling)
    parts = []
    for branch in encoder.branches:
        alone = AestheticEncoder(Architecture(branch.backbone, branch.layers, pooling=pooling, size=SIZE)).eval()  # type: ignore[arg-type]
        alone.trunks[branch.backbone].load_state_dict(encoder.trunk(branch).state_dict())
        pixels = image(3)
        if branch.shrink > 1:
            shrunk = alone.normalise[branch.backbone](pixels).numpy()
            blocks = shrunk.reshape(3, 3, SIZE[0] // 2, 2, SIZE[1] // 2, 2).mean((3, 5))
            maps = alone.trunk(branch)(torch.from_numpy(blocks), branch.layers)
            parts.append(alone.pool(maps))
        else:
            parts.append(alone.features(pixels))
    found = encoder.features(image(3))
    assert found.shape == (3, encoder.width)
    assert torch.allclose(found, torch.cat(parts, 1), atol=1e-5)


@pytest.mark.parametrize("shrink", [1, 2])
@torch.no_grad()
def test_a_smaller_copy_is_the_mean_over_blocks_of_pixels(shrink: int) -> None:
    """Of pixels as they come, before they are normalised, by a loop."""
    encoder = encoder_of(beside=(Branch("mobilenet_v2", shrink=shrink),))
    seen: list[torch.Tensor] = []
    branch = encoder.branches[1]
    encoder.trunk(branch).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    pixels = image(2)
    encoder.maps(pixels, branch, branch.pooled)
    (found,) = seen
    assert found.shape == (2, 3, SIZE[0] // shrink, SIZE[1] // shrink)
    values = pixels.numpy().astype(np.float64)
    for picture, channel, y, x in [(0, 0, 0, 0), (1, 2, 5, 7), (0, 1, *(side // shrink - 1 for side in SIZE))]:
        block = values[picture, y * shrink : (y + 1) * shrink, x * shrink : (x + 1) * shrink, channel]
        assert float(found[picture, channel, y, x]) == pytest.approx((block.mean() - 127.5) / 127.5, abs=1e-5)


@pytest.mark.parametrize("layers", [("bottleneck_3",), ("stem", "layer1"), ()], ids=str)
@pytest.mark.parametrize("pooling", ["mean", "mean_deviation"])
@torch.no_grad()
def test_the_landmarks_see_the_means_of_the_named_layers_and_nothing_else(
    layers: tuple[str, ...], pooling: str
) -> None:
    encoder = branched(head="polar", landmarks=2, landmark_layers=layers, pooling=pooling)
    assert isinstance(encoder.head, Polar)
    expected = [
        one.mean((2, 3))
        for branch in encoder.branches
        for name, one in zip(branch.pooled, encoder.maps(image(2), branch, branch.pooled), strict=True)
        if not layers or name in layers
    ]
    found = encoder.features(image(2))[:, encoder.head.near]
    assert torch.allclose(found, torch.cat(expected, 1), atol=1e-6)


def test_every_parameter_of_branches_and_a_polar_head_gets_a_gradient() -> None:
    encoder = encoder_of(
        beside=(Branch("mobilenet_v2", ("stem",), shrink=2),),
        pooling="mean_deviation",
        head="polar",
        landmarks=3,
        rank=5,
    ).train()
    assert isinstance(encoder.head, Polar)
    torch.nn.init.ones_(encoder.head.landmarks.heights)
    (encoder(image(2)) @ torch.randn(1000)).square().sum().backward()
    without = [name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.any()]
    assert without == []


def test_nothing_behind_the_last_stage_that_is_pooled_is_made() -> None:
    beside = (Branch("mobilenet_v2", ("bottleneck_2",), shrink=2), Branch("resnet50", ("layer1",)))
    trunks = encoder_of(layers=("stem",), beside=beside).trunks
    assert [list(trunk.stages) for trunk in trunks.values()] == [
        ["stem", "bottleneck_1", "bottleneck_2"],
        ["stem", "layer1"],
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"head": "affine"}, "unknown head 'affine'; known: projection, polar"),
        ({"landmarks": 3}, 'landmarks is at least 0, and takes head = "polar"'),
        ({"landmarks": -1, "head": "polar"}, "landmarks is at least 0"),
        ({"faults": True, "head": "projection"}, 'faults takes head = "polar"'),
        ({"landmark_layers": ("layer1",)}, "landmark_layers are of those that are pooled, which 'layer1' is not"),
        ({"members": ((0,),)}, 'members takes head = "polar"'),
        ({"head": "polar", "members": ((0, 1),)}, "a member sees some of the branches 0 to 0, each once, not [0, 1]"),
        ({"head": "polar", "members": ((0, 0),)}, "each once, not [0, 0]"),
        ({"head": "polar", "members": ((),)}, "each once, not []"),
        ({"beside": (Branch("mobilenet_v2", shrink=3),)}, "a side of the input has at least 96 pixels, not 64"),
        (
            {"size": (128, 97), "beside": (Branch("mobilenet_v2", shrink=2),)},
            "an input of 128 x 97 pixels cannot be shrunk by 2",
        ),
    ],
    ids=str,
)
def test_branches_and_heads_that_make_no_sense_are_told(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        encoder_of(**fields) if "size" not in fields else Architecture("mobilenet_v2", **fields)  # type: ignore[arg-type]
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Branch("vgg"), "unknown backbone 'vgg'; known: inception_v3"),
        (lambda: Branch("resnet50", shrink=0), "shrink is at least 1, not 0"),
        (lambda: encoder_of(beside=(Branch("resnet50", ("last",)),)), "resnet50 has no layer 'last'; it has: "),
    ],
    ids=["backbone", "shrink", "layer"],
)
def test_a_branch_that_makes_no_sense_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    assert message in raised.value.message
