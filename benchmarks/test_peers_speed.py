"""Ours beside other ways to run such a network, in turns; each is in the extra `bench` or `train`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.encoder import DIMENSIONS, OnnxEncoder
from measuring import peers
from measuring.measure import Task, measure

FindEncoder = Callable[[str], OnnxEncoder]


def pixels(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def contest(
    benchmark: BenchmarkFixture,
    network: peers.Network,
    batch: np.ndarray,
    label: str,
    ours: dict[str, OnnxEncoder],
    seconds: float,
) -> np.ndarray:
    """Time ``network``, with ``ours`` in turns, each over as many frames of its own size."""
    frames = {name: pixels(len(batch), one.record.preprocess.size[0]) for name, one in ours.items()}
    out: np.ndarray = measure(
        benchmark,
        Task(lambda: network(batch), len(batch)),
        label=label,
        unit="frame",
        seconds=seconds,
        beside={
            name: Task(lambda one=one, name=name: one.encode(frames[name]), len(batch)) for name, one in ours.items()
        },
        rounds=(3, 20),
    )
    assert np.isfinite(out).all()
    return out


@pytest.mark.parametrize("model", ["lite", "base"])
@pytest.mark.benchmark(group="peers")
def test_torch(benchmark: BenchmarkFixture, encoder: FindEncoder, seconds: float, model: str) -> None:
    pytest.importorskip("torch")
    ours = {
        f"{model}, {name}": encoder(f"{model}-{precision}") for precision, name in (("int8", "int8"), ("fp16", "float"))
    }
    network = peers.ours_in_torch(model)
    out = contest(benchmark, network, pixels(4, 448), f"{model} in torch, float, batch of 4", ours, 2 * seconds)
    assert out.shape == (4, DIMENSIONS)


@pytest.mark.benchmark(group="peers")
def test_resnet50(benchmark: BenchmarkFixture, encoder: FindEncoder, seconds: float) -> None:
    pytest.importorskip("torchvision")
    ours = {"lite, int8": encoder("lite-int8"), "base, int8": encoder("base-int8")}
    label = "ResNet-50 in torch, float, 224 x 224, batch of 4"
    out = contest(benchmark, peers.resnet50(), pixels(4, 224), label, ours, seconds)
    assert out.shape == (4, 1000)


@pytest.mark.parametrize("precision", ["int8", "fp16"])
@pytest.mark.parametrize("model", ["lite", "base"])
@pytest.mark.benchmark(group="peers")
def test_opencv(benchmark: BenchmarkFixture, encoder: FindEncoder, seconds: float, model: str, precision: str) -> None:
    pytest.importorskip("cv2")
    ours = encoder(f"{model}-{precision}")
    name = "int8" if precision == "int8" else "float"
    cut = peers.without_head(ours.model.path)
    batch = pixels(1, 448)
    out = contest(
        benchmark,
        peers.in_opencv(cut),
        batch,
        f"{model}, {name}, without its head in OpenCV's DNN module, one frame",
        {f"{model}, {name}": ours},
        seconds,
    )
    expected = in_onnx_runtime(cut, batch)
    # int8 rounds at other places there: features are near, not the same.
    assert np.linalg.norm(out - expected) < (0.1 if precision == "int8" else 1e-3) * np.linalg.norm(expected)


@pytest.mark.benchmark(group="peers")
def test_simple_aesthetics_predictor(benchmark: BenchmarkFixture, encoder: FindEncoder, seconds: float) -> None:
    pytest.importorskip("aesthetics_predictor")
    ours = {"lite, int8": encoder("lite-int8"), "base, int8": encoder("base-int8")}
    label = "simple-aesthetics-predictor (CLIP ViT-L/14, random weights), one frame"
    out = contest(benchmark, peers.simple_aesthetics_predictor(), pixels(1, 224), label, ours, 2 * seconds)
    assert out.shape == (1, 1)


def in_onnx_runtime(model: bytes, batch: np.ndarray) -> np.ndarray:
    from aesth.runtime import load_runtime, session_options

    session = load_runtime().InferenceSession(model, session_options(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": batch})[0])
