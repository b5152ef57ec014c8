"""Float32 ONNX -> the same arithmetic with weights stored as float16: half the size, and fit for every CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from aesth.training.files import replacing

FEWEST = 64
ROUNDING = 2.0**-10
STORED = "_float16"


def store_as_half(source: Path, target: Path) -> Path:
    """Write a copy of the ONNX file ``source`` to ``target`` whose weights are float16, cast to float32 before use.

    Every sum and product stays float32; ONNX Runtime makes the casts once, when it loads the file. Weights are matrices
    and kernels of at least ``FEWEST`` elements. What stays as it is: vectors (biases and statistics weigh nothing), the
    scales of int8, and weights that float16 cannot hold to ``ROUNDING`` of their length: those that reach beyond 65504,
    or that are all so small that they would lose their digits. Metadata is kept.

    Args:
        source: a model, float or partly int8.
        target: the file to write; may be ``source``.

    Raises:
        ConfigError: the file cannot be written.
    """
    model = onnx.load(str(source))
    halves = dict(_halves(model))
    for weights in model.graph.initializer:
        if weights.name in halves:
            weights.CopyFrom(numpy_helper.from_array(halves[weights.name], weights.name + STORED))
    nodes = [*map(_cast, halves), *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    with replacing(target) as partial:
        onnx.save(model, str(partial))
    return target


def _halves(model: ModelProto) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """Name and rounded values of all weights that can be stored as float16."""
    graph = model.graph
    others = {value.name for value in (*graph.input, *graph.output)}
    for weights in graph.initializer:
        if weights.data_type == TensorProto.FLOAT and len(weights.dims) > 1 and weights.name not in others:
            values = numpy_helper.to_array(weights)
            with np.errstate(over="ignore", invalid="ignore"):
                rounded = values.astype(np.float16)
                if values.size >= FEWEST and _holds(rounded, values):
                    yield weights.name, rounded


def _holds(rounded: NDArray[np.float16], values: NDArray[np.float32]) -> bool:
    """Whether ``rounded`` is ``values`` to ``ROUNDING``; not where one became infinite, or where one is no number."""
    exact = values.astype(np.float64)
    return bool(np.linalg.norm(rounded - exact) <= ROUNDING * np.linalg.norm(exact))


def _cast(name: str) -> NodeProto:
    return onnx.helper.make_node("Cast", [name + STORED], [name], f"{name}_to_float32", to=TensorProto.FLOAT)
