"""Small ONNX models of the form of the contract, whose scores are known beforehand: they grow with brightness."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

SIDE = 32
DIMENSIONS = 1000
CHANNELS, SUM_STEP = 64, 64


def brightness_model(path: Path, *, name: str = "brightness", side: int = SIDE) -> Path:
    """Write an encoder to ``path`` whose score is the mean brightness of the photo, as a percentage of white."""
    direction = np.zeros((3, DIMENSIONS), np.float32)
    direction[:, 0] = 1 / 3
    return _mean_colour_model(path, direction, name, side, 255.0)


def darkness_model(path: Path, *, name: str = "darkness", side: int = SIDE) -> Path:
    """Write an encoder to ``path`` whose score is what the photo's mean brightness lacks of white, in percent."""
    direction = np.zeros((3, DIMENSIONS), np.float32)
    direction[:, 0] = 1 / 3
    return _mean_colour_model(path, direction, name, side, 255.0, inverted=True)


def colour_model(path: Path, *, name: str = "colour", side: int = SIDE) -> Path:
    """Write an encoder to ``path`` whose embedding is the mean red, green and blue: its direction is the hue."""
    return _mean_colour_model(path, np.eye(3, DIMENSIONS, dtype=np.float32), name, side, 255 * 3**0.5)


def int8_sum() -> ModelProto:
    """Channels of 0-255 -> their sum, 16 times over, by a convolution in int8 whose weights are all 127."""
    kinds = {"scale": np.float32(1), "sum_scale": np.float32(SUM_STEP), "zero": np.uint8(0), "weight_zero": np.int8(0)}
    kinds |= {"weight_scale": np.float32(1 / 127), "weights": np.full((16, CHANNELS, 1, 1), 127, np.int8)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["quantised"]),
        helper.make_node("DequantizeLinear", ["quantised", "scale", "zero"], ["rounded"]),
        helper.make_node("DequantizeLinear", ["weights", "weight_scale", "weight_zero"], ["kernel"]),
        helper.make_node("Conv", ["rounded", "kernel"], ["sum"]),
        helper.make_node("QuantizeLinear", ["sum", "sum_scale", "zero"], ["quantised_sum"]),
        helper.make_node("DequantizeLinear", ["quantised_sum", "sum_scale", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16, 8, 8])],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in kinds.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _mean_colour_model(
    path: Path, direction: NDArray[np.float32], name: str, side: int, longest: float, *, inverted: bool = False
) -> Path:
    light = [helper.make_node("Sub", ["white", "pixels"], ["light"])] if inverted else []
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            *light,
            helper.make_node("ReduceMean", ["light" if inverted else "pixels"], ["colour"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["colour", "direction"], ["embedding"]),
        ],
        name,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSIONS])],
        [numpy_helper.from_array(direction, "direction"), numpy_helper.from_array(np.float32(255), "white")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(
        model,
        {
            "aesth.name": name,
            "aesth.version": "1",
            "aesth.licence": "CC0-1.0",
            "aesth.preprocess": json.dumps({"size": [side, side], "resize": "squash", "resample": "bilinear"}),
            "aesth.scale": json.dumps({"norms": [0.0, longest], "reference": name}),
            "aesth.training": "{}",
        },
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
