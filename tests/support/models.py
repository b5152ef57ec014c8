"""A small ONNX model of the form of the contract, whose score is known beforehand: it grows with brightness."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
DIMENSIONS = 1000


def brightness_model(path: Path, *, name: str = "brightness", side: int = SIDE) -> Path:
    """Write an encoder to ``path`` whose score is the mean brightness of the photo, as a percentage of white."""
    direction = np.zeros((3, DIMENSIONS), np.float32)
    direction[:, 0] = 1 / 3
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["pixels"], ["colour"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["colour", "direction"], ["embedding"]),
        ],
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSIONS])],
        [numpy_helper.from_array(direction, "direction")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(
        model,
        {
            "aesth.name": name,
            "aesth.version": "1",
            "aesth.licence": "CC0-1.0",
            "aesth.preprocess": json.dumps({"size": [side, side], "resize": "squash", "resample": "bilinear"}),
            "aesth.scale": json.dumps({"norms": [0.0, 255.0], "reference": "brightness"}),
            "aesth.training": "{}",
        },
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
