"""Other ways to run a network of this kind over pixels, each as a function of a batch: uint8 (n, h, w, 3)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.utils import Extractor

Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def ours_in_torch(name: str) -> Network:
    """The float network of one of our models in torch; random weights, which take the same time."""
    import torch

    from aesth.training.networks import AestheticEncoder
    from aesth.training.recipe import recipe_from

    text = resources.files("aesth.training.recipes").joinpath(f"{name}.toml").read_text()
    torch.manual_seed(0)
    encoder = AestheticEncoder(recipe_from(tomllib.loads(text)).encoder).eval()
    return _in_torch(encoder)


def resnet50() -> Network:
    """The network of the paper in torch, float, at 224 x 224; random weights."""
    import torch
    from torchvision.models import resnet50

    torch.manual_seed(0)
    network = resnet50(weights=None).eval()
    return _in_torch(lambda batch: network(batch.permute(0, 3, 1, 2).float() / 127.5 - 1))


def simple_aesthetics_predictor() -> Network:
    """LAION's predictor as the package `simple-aesthetics-predictor` has it: CLIP ViT-L/14 at 224 x 224 and a head.

    The weights are random, as no package carries the real ones (1.2 GB).
    """
    import torch
    from aesthetics_predictor import AestheticsPredictorV2Linear
    from transformers import CLIPVisionConfig

    torch.manual_seed(0)
    large = CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        projection_dim=768,
    )
    network = AestheticsPredictorV2Linear(large).eval()
    return _in_torch(lambda batch: network(pixel_values=batch.permute(0, 3, 1, 2).float() / 127.5 - 1).logits)


def in_opencv(model: bytes) -> Network:
    """An ONNX file in OpenCV's DNN module.

    Raises:
        cv2.error: it does not load or run there.
    """
    import cv2

    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))

    def run(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        network.setInput(batch, "image")
        return np.asarray(network.forward())

    return run


def without_head(path: Path) -> bytes:
    """An encoder of ours up to its pooled features, for one photo: nearly all of its arithmetic.

    OpenCV does not run the head (its GatherND), nor sessions of any number of photos. Weights that are stored as
    float16 are float32 in it.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(str(path)))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    features = next(node.input[0] for node in model.graph.node if "standardise.mean" in node.input)
    cut = Extractor(model).extract_model(["image"], [features])
    _unpack(cut)
    return bytes(cut.SerializeToString())


def _unpack(model: ModelProto) -> None:
    """Replace weights that are stored as float16, and cast when the file is loaded, by float32."""
    stored = {weights.name: weights for weights in model.graph.initializer if weights.data_type == TensorProto.FLOAT16}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in stored]
    for node in casts:
        values = numpy_helper.to_array(stored[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        model.graph.node.remove(node)


def _in_torch(network: Callable[[Any], Any]) -> Network:
    import torch

    def run(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(batch)))

    return run
