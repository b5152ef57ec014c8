"""Float ONNX -> static int8: QDQ form, weights per channel, activations by real calibration pictures.

Only the convolutional part is quantised. From the pooled statistics to the output, arithmetic is float.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from aesth.runtime import load_quantization
from aesth.training.export import quiet
from aesth.training.files import replacing
from aesth.training.first_layer import centre_on_byte, merge_pooling, see_blocks, take_bytes
from aesth.training.graphs import Graph
from aesth.training.half import store_as_half
from aesth.training.stopping import stop_if_asked

# With its ReLU or ReLU6 behind it, a convolution's 8 bits are spent on what passes, not on what is cut off.
QUANTISED = ("Conv", "Relu", "Clip", "MaxPool", "AveragePool", "Concat")
CALIBRATION_BATCH = 8


class Calibration:
    """Hands pictures to ONNX Runtime, a batch at a time: a ``CalibrationDataReader`` by what it does."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._batches = _batches(pixels)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next batch, or None behind the last."""
        return next(self._batches, None)


def quantize(source: Path, target: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write an int8 copy of the ONNX file ``source`` to ``target``, without its metadata.

    Pooled statistics and all that follows stay float: they are few, and the score hangs on their small differences.
    Float weights that are left are stored as float16 (`aesth.training.half`).

    Args:
        source: float model.
        target: the file to write.
        pixels: calibration pictures, uint8 (n, height, width, 3).

    Raises:
        ConfigError: the file cannot be written.
    """
    ort = load_quantization()
    with tempfile.TemporaryDirectory() as folder, replacing(target) as partial, quiet():
        prepared = Path(folder) / "prepared.onnx"
        ort.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        _change(prepared, _unshare_weights, merge_pooling, centre_on_byte)
        ort.quantize_static(
            str(prepared),
            str(partial),
            Calibration(pixels),
            quant_format=ort.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            # Weights of 7 bits would let sums fit x86 CPUs without VNNI, at 1.6 times the error on all CPUs (0.079
            # instead of 0.050 of Inception-v3's statistics). Instead, `session_options` keeps those CPUs exact.
            reduce_range=False,
            activation_type=ort.QuantType.QUInt8,
            weight_type=ort.QuantType.QInt8,
            calibrate_method=ort.CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, "ActivationSymmetric": False},
            nodes_to_exclude=_from_statistics_on(prepared),
        )
        _change(partial, take_bytes, see_blocks, _store_once)
        store_as_half(partial, partial)
    return target


def _unshare_weights(model: ModelProto) -> None:
    """Give each convolution weights of its own, also where branches share a backbone.

    On x86 CPUs without VNNI, ONNX Runtime rewrites int8 weights while it loads a file, and cannot load one where two
    convolutions have the same.
    """
    weights = {one.name: one for one in model.graph.initializer}
    taken: set[str] = set()
    for node in model.graph.node:
        if node.op_type == "Conv" and (name := node.input[1]) in weights:
            if name in taken:
                own = model.graph.initializer.add()
                own.CopyFrom(weights[name])
                own.name = node.input[1] = f"{name}_of_{node.name}"
            taken.add(name)


def _change(path: Path, *changes: Callable[[ModelProto], None]) -> None:
    """Make each of ``changes`` to the graph of an ONNX file."""
    model = onnx.load(str(path))
    for change in changes:
        change(model)
    onnx.save(model, str(path))


def _store_once(model: ModelProto) -> None:
    """Keep weights that several convolutions have in a model once, as a vector that is given its shape for each.

    ONNX Runtime makes arrays of them while it loads the file, before it rewrites weights: one for each way in which the
    shape is written.
    """
    graph = model.graph
    alike: dict[bytes, list[TensorProto]] = defaultdict(list)
    for weights in graph.initializer:
        if len(weights.dims) > 1 and all(weights.dims):
            alike[_content(weights)].append(weights)
    shaped = []
    for same in (found for found in alike.values() if len(found) > 1):
        values = numpy_helper.to_array(same[0])
        flat = numpy_helper.from_array(values.ravel(), f"{same[0].name}_once")
        graph.initializer.append(flat)
        for weights, dims in zip(same, _written(values.shape), strict=False):
            shape = numpy_helper.from_array(np.array(dims), f"{weights.name}_shape")
            graph.initializer.append(shape)
            shaped.append(onnx.helper.make_node("Reshape", [flat.name, shape.name], [weights.name], weights.name))
            graph.initializer.remove(weights)
    Graph(graph).insert(None, shaped)


def _written(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The ways to write a shape: in full, or with one length left to be inferred."""
    yield tuple(shape)
    for axis in range(len(shape)):
        yield (*shape[:axis], -1, *shape[axis + 1 :])


def _content(weights: TensorProto) -> bytes:
    nameless = TensorProto()
    nameless.CopyFrom(weights)
    nameless.ClearField("name")
    content: bytes = nameless.SerializeToString(deterministic=True)
    return content


def _from_statistics_on(path: Path) -> list[str]:
    """Names of the nodes that pool feature maps over all places, and of all that follow them."""
    reached: set[str] = set()
    names = []
    for node in onnx.load(str(path)).graph.node:
        if node.op_type.startswith("Reduce") or reached & set(node.input):
            reached.update(node.output)
            names.append(node.name)
    return names


def _batches(pixels: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for begin in range(0, len(pixels), CALIBRATION_BATCH):
        stop_if_asked()
        yield {"image": np.array(pixels[begin : begin + CALIBRATION_BATCH])}
