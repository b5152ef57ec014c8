"""An encoder as an ONNX file that says everything about itself, proved against torch on real pictures."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from aesth.encoder import ModelRecord
from aesth.errors import ModelError
from aesth.runtime import load_runtime, session_options
from aesth.training.evaluate import Encode
from aesth.training.files import replacing
from aesth.training.networks import AestheticEncoder

OPSET = 18


def export(encoder: AestheticEncoder, path: Path) -> Path:
    """Write ``encoder`` to ``path``: input ``image`` uint8 (n, h, w, 3), output ``embedding`` float32 (n, 1000).

    Scaling and normalisation of pixels are part of the graph. The metadata is added by `describe`.

    Raises:
        ConfigError: the file cannot be written.
    """
    return export_graph(encoder.eval(), path, encoder.architecture.preprocess.size, "embedding")


def export_graph(network: nn.Module, path: Path, size: tuple[int, int], output: str) -> Path:
    """Write ``network`` to ``path``: input ``image`` uint8 (n, *size, 3), its result under the name ``output``.

    Raises:
        ConfigError: the file cannot be written.
    """
    example = torch.zeros(2, *size, 3, dtype=torch.uint8)
    with replacing(path) as partial, quiet("torch.onnx"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(partial),
            input_names=["image"],
            output_names=[output],
            dynamic_shapes={"image": {0: torch.export.Dim("n", min=1)}},
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    return path


def describe(path: Path, record: ModelRecord) -> None:
    """Write ``record`` into the metadata of an ONNX file, from where `aesth.encoder.OnnxEncoder` reads it.

    Raises:
        ConfigError: the file cannot be written.
    """
    model = onnx.load(str(path))
    onnx.helper.set_model_props(
        model,
        {
            "aesth.name": record.name,
            "aesth.version": record.version,
            "aesth.licence": record.licence,
            "aesth.preprocess": record.preprocess.to_json(),
            "aesth.scale": record.scale.to_json(),
            "aesth.training": json.dumps(record.training, allow_nan=False),
        },
    )
    onnx.checker.check_model(model)
    with replacing(path) as partial:
        onnx.save(model, str(partial))


def onnx_encode(path: Path, threads: int | None = None) -> Encode:
    """An ONNX file, with metadata or still without, as a function of arrays."""
    providers = ["CPUExecutionProvider"]
    session = load_runtime().InferenceSession(str(path), session_options(threads), providers=providers)

    def encode(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = session.run(["embedding"], {"image": np.ascontiguousarray(batch)})[0]
        return embeddings

    return encode


def greatest_difference(one: Encode, other: Encode, pixels: NDArray[np.uint8]) -> float:
    """Largest absolute difference between the embeddings that two encoders give the same ``pixels``."""
    batches = np.array_split(pixels, max(1, len(pixels) // 16))
    return max(float(np.abs(one(batch) - other(batch)).max()) for batch in batches)


def prove(path: Path, encode: Encode, pixels: NDArray[np.uint8], tolerance: float) -> float:
    """The greatest difference between an ONNX file and what it was made from.

    Raises:
        ModelError: it is over ``tolerance``.
    """
    difference = greatest_difference(onnx_encode(path), encode, pixels)
    if not difference <= tolerance:
        raise ModelError(f"embeddings differ from torch's by up to {difference:.4g}, more than {tolerance:.4g}", path)
    return difference


@contextmanager
def quiet(name: str | None = None) -> Iterator[None]:
    """Of the logger called ``name``, or the root's, errors only."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
