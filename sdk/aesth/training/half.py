"""Float32 ONNX -> the same arithmetic with weights stored as float16: half the size, and fit for every CPU."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from aesth.training.files import replacing

FEWEST = 64
ROUNDING = 2.0**-10
STORED = "_stored"


def store_as_half(source: Path, target: Path) -> Path:
    """Write a copy of the ONNX file ``source`` to ``target`` whose weights are float16, cast to float32 before use.

    Every sum and product stays float32; ONNX Runtime makes the casts once, when it loads the file. Weights are matrices
    and kernels of at least ``FEWEST`` elements. What stays as it is: vectors (biases and statistics weigh nothing), the
    scales of int8, and weights that float16 cannot hold to ``ROUNDING`` of their length: those that reach beyond 65504,
    or that are all so small that they would lose their digits. Weights that stand on a grid of at most 255 steps, as
    landmarks do, are stored as whole numbers, which loses nothing. Metadata is kept.

    Args:
        source: a model, float or partly int8.
        target: the file to write; may be ``source``.

    Raises:
        ConfigError: the file cannot be written.
    """
    model = onnx.load(str(source))
    first: list[NodeProto] = []
    smaller: list[TensorProto] = []
    for weights in _weights(model):
        values = numpy_helper.to_array(weights)
        stored, name = weights.name + STORED, weights.name
        if grid := _grid(values):
            steps = f"{name}_steps"
            smaller.append(numpy_helper.from_array(np.array(grid, np.float32), f"{name}_grid"))
            first += [
                _cast(stored, steps),
                onnx.helper.make_node("Mul", [steps, f"{name}_grid"], [name], f"{name}_scaled"),
            ]
            weights.CopyFrom(numpy_helper.from_array((values / grid).astype(np.int8), stored))
        elif (rounded := _rounded(values)) is not None:
            first.append(_cast(stored, name))
            weights.CopyFrom(numpy_helper.from_array(rounded, stored))
    model.graph.initializer.extend(smaller)
    nodes = [*first, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    with replacing(target) as partial:
        onnx.save(model, str(partial))
    return target


def _weights(model: ModelProto) -> list[TensorProto]:
    """Matrices and kernels that are large enough."""
    others = {value.name for value in (*model.graph.input, *model.graph.output)}
    return [
        one
        for one in model.graph.initializer
        if one.data_type == TensorProto.FLOAT
        and len(one.dims) > 1
        and math.prod(one.dims) >= FEWEST
        and one.name not in others
    ]


def _grid(values: NDArray[np.float32]) -> float:
    """The power of two of which all ``values`` are at most 127 times; 0 where there is none."""
    greatest = float(np.abs(values).max())
    if not 0 < greatest < math.inf:
        return 0.0
    grid = 2.0 ** math.ceil(math.log2(greatest / 127))
    return grid if np.array_equal(values, np.rint(values / grid) * grid) else 0.0


def _rounded(values: NDArray[np.float32]) -> NDArray[np.float16] | None:
    """``values`` as float16; None where that is not `ROUNDING` near: also if one becomes infinite, or is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = values.astype(np.float16)
        exact = values.astype(np.float64)
        near = np.linalg.norm(rounded - exact) <= ROUNDING * np.linalg.norm(exact)
    return rounded if near else None


def _cast(source: str, target: str) -> NodeProto:
    return onnx.helper.make_node("Cast", [source], [target], f"{target}_to_float32", to=TensorProto.FLOAT)
