"""Frozen features: what ONNX Runtime computes, of pixels that were changed, and when they are made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from aesth.training.features import BegunFeatures, Extractor, frozen_features, grey, kept_features, mirrored
from aesth.training.networks import AestheticEncoder, Architecture, Branch

SIZE = (64, 96)


@pytest.fixture(scope="module")
def encoder() -> AestheticEncoder:
    """Two branches, whose random weights are enlarged so that pictures differ."""
    torch.manual_seed(2)
    layers = ("stem", "bottleneck_2")
    beside = (Branch("mobilenet_v2", ("bottleneck_1",), shrink=2),)
    architecture = Architecture("mobilenet_v2", layers, beside, pooling="mean_deviation", size=SIZE)
    made = AestheticEncoder(architecture)
    with torch.no_grad():
        for name, parameter in made.trunks.named_parameters():
            parameter *= 2 if name.endswith("weight") else 1
    return made.eval()


def pixels(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE, 3), np.uint8)


def test_features_by_onnx_runtime_are_those_of_torch(encoder: AestheticEncoder) -> None:
    extractor, batch = Extractor(encoder), torch.from_numpy(pixels(11))
    found, expected = extractor.by_onnx_runtime(batch), extractor.by_torch(batch)
    assert found.shape == expected.shape == (11, encoder.width)
    assert found.dtype == expected.dtype == np.float16
    assert np.abs(expected).max() > 0.01
    assert found.astype(np.float32) == pytest.approx(expected.astype(np.float32), rel=1e-2, abs=1e-4)


def test_features_are_those_of_the_pictures_one_by_one(encoder: AestheticEncoder) -> None:
    extractor = Extractor(encoder)
    found = frozen_features(extractor, pixels(35))
    expected = np.concatenate([extractor.by_torch(torch.from_numpy(one)) for one in np.split(pixels(35), 35)])
    assert found.astype(np.float32) == pytest.approx(expected.astype(np.float32), rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("device", "pictures", "way"), [("cpu", 5, "torch"), ("cpu", 5000, "onnx_runtime"), ("cuda", 5000, "torch")]
)
def test_many_pictures_are_worth_an_export_on_a_cpu(
    encoder: AestheticEncoder, device: str, pictures: int, way: str
) -> None:
    extractor = Extractor(encoder, device)
    assert extractor.fastest(pictures) == getattr(extractor, f"by_{way}")


@torch.no_grad()
def test_features_of_changed_pixels_are_those_of_the_changed_pictures(encoder: AestheticEncoder) -> None:
    def greyed_and_mirrored(batch: torch.Tensor) -> torch.Tensor:
        return grey(mirrored(batch))

    found = frozen_features(Extractor(encoder), pixels(3), change=greyed_and_mirrored)
    batch = torch.from_numpy(pixels(3))
    plain, changed = encoder.features(batch), encoder.features(greyed_and_mirrored(batch))
    assert found.astype(np.float32) == pytest.approx(changed.numpy(), rel=1e-2, abs=1e-4)
    assert not torch.allclose(plain, changed, rtol=5e-2)


def test_no_pictures_have_no_features(encoder: AestheticEncoder) -> None:
    assert frozen_features(Extractor(encoder), pixels(0)).shape == (0, encoder.width)


def test_grey_is_the_luma_of_pillow_bit_for_bit() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (2, 300, 300, 3), np.uint8)
    corners = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3]], np.uint8)
    colours[0, 0, : len(corners)] = corners
    found = grey(torch.from_numpy(colours))
    assert (found.dtype, found.shape) == (torch.uint8, colours.shape)
    for image, one in zip(colours, found.numpy(), strict=True):
        luma = np.asarray(Image.fromarray(image).convert("L"))
        for channel in range(3):
            assert np.array_equal(one[..., channel], luma)


def test_mirrored_exchanges_left_and_right_alone() -> None:
    found = mirrored(torch.from_numpy(pixels(2))).numpy()
    for picture, y, x in np.ndindex(2, *SIZE):
        assert found[picture, y, x].tolist() == pixels(2)[picture, y, SIZE[1] - 1 - x].tolist()


@pytest.mark.parametrize("change", [{"views": "b"}, {"pooling": "mean"}, {"more": None}], ids=str)
def test_kept_features_are_made_anew_when_the_key_changes(tmp_path: Path, change: dict[str, object]) -> None:
    key: dict[str, object] = {"views": "a", "branches": [{"backbone": "x", "layers": ("stem",), "shrink": 1}]}
    made: list[float] = []

    def take(key: dict[str, object]) -> float:
        def make() -> NDArray[np.float16]:
            made.append(len(made) + 1.0)
            return np.full((2, 3), made[-1], np.float16)

        return float(kept_features(tmp_path / "features.npy", key, make)[1, 2])

    assert [take(key), take(dict(key)), take({**key, **change}), take({**key, **change}), take(key)] == [1, 1, 2, 2, 3]


def test_features_that_were_stopped_are_gone_on_with_where_they_were(encoder: AestheticEncoder, tmp_path: Path) -> None:
    shown = pixels(70)
    whole = frozen_features(Extractor(encoder), shown)
    begun = BegunFeatures(tmp_path / "run" / "features.begun", {"of": 1}, encoder.width)
    told: list[int] = []

    def stop(count: int) -> None:
        told.append(count)
        if sum(told) == 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frozen_features(Extractor(encoder), shown, begun=begun, on_progress=stop)
    with (tmp_path / "run" / "features.begun").open("ab") as file:
        file.write(b"half a row of a process that was killed")
    told.clear()
    assert np.array_equal(frozen_features(Extractor(encoder), shown, begun=begun, on_progress=told.append), whole)
    assert told == [64, 6]
    other = BegunFeatures(tmp_path / "run" / "features.begun", {"of": 2}, encoder.width)
    assert len(other.load()) == 0


def test_features_whose_making_was_stopped_are_not_taken_for_whole(tmp_path: Path) -> None:
    path = tmp_path / "features.npy"
    kept_features(path, {"of": 1}, lambda: np.zeros((1, 1), np.float16))

    def stopped() -> NDArray[np.float16]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept_features(path, {"of": 2}, stopped)
    assert float(kept_features(path, {"of": 2}, lambda: np.ones((1, 1), np.float16))[0, 0]) == 1
