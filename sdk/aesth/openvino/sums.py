"""Whether this CPU adds products of 8 bits without loss, found by letting OpenVINO add some."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np

CHANNELS, PLACES = 64, (8, 8)
BRIGHTEST, HEAVIEST = 255, 127


@cache
def adds_exactly(openvino: ModuleType) -> bool:
    """Whether sums of int8 products come out whole.

    x86 CPUs without VNNI add them in pairs, in 16 bits, and cut off what does not fit. Linux tells which these are,
    other systems do not.

    Args:
        openvino: the module.
    """
    opset = openvino.opset13
    channels = opset.parameter([1, CHANNELS, *PLACES], np.float32)
    bytes_of_them = opset.fake_quantize(channels, *(np.float32(end) for end in (0, BRIGHTEST, 0, BRIGHTEST)), 256)
    heaviest = opset.constant(np.full((CHANNELS, CHANNELS, 1, 1), HEAVIEST, np.int8))
    weights = opset.multiply(opset.convert(heaviest, "f32"), np.float32(1 / HEAVIEST))
    total = opset.convolution(bytes_of_them, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    network = openvino.Core().compile_model(
        openvino.Model([total], [channels], "sums"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    found = network({0: np.full((1, CHANNELS, *PLACES), BRIGHTEST, np.float32)})[0]
    return bool(np.allclose(found, CHANNELS * BRIGHTEST))
