"""Small networks that look at pictures, as ONNX graphs before and after they are quantised and rewritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from torch import Tensor, nn
from torch.nn import functional

from aesth.runtime import load_runtime
from aesth.training import quantize as quantization
from aesth.training.export import export_graph
from aesth.training.graphs import Graph
from aesth.training.networks import Normalise
from aesth.training.quantize import quantize

HALF = (127.5, 127.5, 127.5)
SIZE = (24, 36)


def pictures(count: int = 6) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)


def exported(network: nn.Module, path: Path) -> ModelProto:
    return onnx.load(str(export_graph(network.eval(), path, SIZE, "seen")))


def seen(model: ModelProto | Path, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = load_runtime().InferenceSession(source, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"image": image})
    return np.asarray(found)


def changed(model: ModelProto, change: Callable[[ModelProto], None]) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    change(copy)
    onnx.checker.check_model(copy)
    return copy


class Seeing(nn.Module):
    """A convolution of pixels behind an edge of zeros at the left or right, and the mean of what it says."""

    def __init__(self, kernel: int, stride: int, left: int, right: int) -> None:
        super().__init__()
        torch.manual_seed(kernel + 10 * stride)
        self.normalise = Normalise(HALF, HALF)
        self.edge = (left, right, 0, kernel - 1)
        self.conv = nn.Conv2d(3, 7, kernel, stride)
        self.next = nn.Conv2d(7, 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        x = functional.relu6(3 * self.conv(functional.pad(self.normalise(image), self.edge)))
        return self.next(x).mean((2, 3))  # type: ignore[no-any-return]


def in_bytes(network: nn.Module, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModelProto:
    """The int8 model of ``network``, whose first convolution sees three colours."""
    monkeypatch.setattr(quantization, "see_blocks", lambda model: None)
    return onnx.load(
        str(quantize(export_graph(network.eval(), folder / "a", SIZE, "seen"), folder / "b", pictures(16)))
    )


def first_colours(model: ModelProto) -> int:
    """How many colours the first convolution sees."""
    graph = Graph(model.graph)
    back = graph.maker(graph.nodes("Conv")[0].input[1])
    assert back is not None
    return int(graph.values(back.input[0]).shape[1])
