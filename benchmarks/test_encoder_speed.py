"""Pixels to points of the aesthetic space, and how near that is to what the arithmetic units can do."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.encoder import DIMENSIONS
from measuring.encoders import BY, FindEncoder
from measuring.measure import PRODUCT, Task, float_product, int8_product, measure
from measuring.operations import operations

PRECISIONS = {"int8": "int8", "fp16": "float"}
"""In the files, and what is computed with: weights stored as float16 are float32 when they are used."""

FEWEST = 5


@pytest.mark.parametrize("batch", [1, 8, 32])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model", ["lite", "base"])
@pytest.mark.parametrize("provider", BY)
@pytest.mark.benchmark(group="encoder")
def test_encode(
    benchmark: BenchmarkFixture,
    encoder: FindEncoder,
    seconds: float,
    quick: bool,
    provider: str,
    model: str,
    precision: str,
    batch: int,
) -> None:
    if quick and batch > 8:
        pytest.skip("takes long")
    if provider != "cpu" and precision != "int8":
        pytest.skip("is for networks in int8")
    network = encoder(f"{model}-{precision}", provider)
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *network.record.preprocess.size, 3), np.uint8)
    count = operations(network.model.path)
    product = int8_product() if precision == "int8" else float_product()
    embeddings = measure(
        benchmark,
        Task(lambda: network.encode(pixels), batch),
        label=f"{model}, {PRECISIONS[precision]}, batch of {batch}{BY[provider]}",
        unit="frame",
        # One call of a large batch tells of many frames; of single ones, 100 are needed for a p99.
        seconds=seconds * (6 if batch == 1 else 1),
        rounds=(2, 2) if quick else (2 if batch == 32 and model == "base" else FEWEST, 100),
        beside={"product": Task(product.run)},
        operations=count,
        product=product.name,
    )
    info = benchmark.extra_info
    info["limit"] = count / PRODUCT * info["beside"].pop("product")["seconds"]
    assert embeddings.shape == (batch, DIMENSIONS)
    assert np.isfinite(embeddings).all()
    alone = network.encode(pixels[-1:])[0]
    assert np.linalg.norm(embeddings[-1] - alone) < 1e-3 * np.linalg.norm(alone), "a photo's place is its own"
