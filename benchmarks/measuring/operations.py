"""How many operations an encoder takes for one photo, counted from its graph."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto, numpy_helper

PRODUCTS = ("Conv", "Gemm", "MatMul")


def operations(path: Path) -> int:
    """Multiplications and additions of convolutions and products for one photo; all else counts for nothing."""
    model = onnx.shape_inference.infer_shapes(_of_one_photo(onnx.load(str(path))), data_prop=True)
    shapes = _shapes(model)
    return 2 * sum(_multiplications(node, shapes) for node in model.graph.node if node.op_type in PRODUCTS)


def _of_one_photo(model: ModelProto) -> ModelProto:
    """The model with the number of photos fixed, and without the shapes that an export left in it."""
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return model


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    graph = model.graph
    found = {
        value.name: [one.dim_value or 1 for one in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    return found | {weights.name: list(numpy_helper.to_array(weights).shape) for weights in graph.initializer}


def _multiplications(node: NodeProto, shapes: dict[str, list[int]]) -> int:
    """The size of what comes out, times how many products are summed up for each of its numbers."""
    weights, out = shapes[node.input[1]], shapes[node.output[0]]
    if node.op_type == "Conv":
        return math.prod(out) * math.prod(weights[1:])  # [out, in / groups, height, width]
    return math.prod(out) * shapes[node.input[0]][-1]
