"""Float ONNX -> static int8: QDQ form, weights per channel, activations by real calibration pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from aesth.runtime import load_quantization
from aesth.training.export import quiet
from aesth.training.files import replacing

QUANTISED = ("Conv", "MaxPool", "AveragePool", "Concat", "Gemm", "MatMul")
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

    Pooled statistics stay float: they are few, and the score hangs on their small differences.

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
        ort.quantize_static(
            str(prepared),
            str(partial),
            Calibration(pixels),
            quant_format=ort.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=ort.QuantType.QUInt8,
            weight_type=ort.QuantType.QInt8,
            calibrate_method=ort.CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, "ActivationSymmetric": False},
            nodes_to_exclude=_statistics(prepared),
        )
    return target


def _statistics(path: Path) -> list[str]:
    """Names of the nodes between the last feature map and the projection."""
    model = onnx.load(str(path))
    pooled: set[str] = set()
    names = []
    for node in model.graph.node:
        if node.op_type.startswith("Reduce") or (pooled & set(node.input) and node.op_type not in ("Gemm", "MatMul")):
            pooled.update(node.output)
            names.append(node.name)
    return names


def _batches(pixels: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for begin in range(0, len(pixels), CALIBRATION_BATCH):
        yield {"image": np.array(pixels[begin : begin + CALIBRATION_BATCH])}
