"""A network of an ONNX file, run by OpenVINO."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesth.cores import usable_cores
from aesth.extras import needs_extra
from aesth.openvino.pixels import see_pixels
from aesth.openvino.sums import adds_exactly

PROVIDER = "OpenVINOExecutionProvider"
"""What ONNX Runtime calls it."""

_TELEMETRY = "openvino_telemetry"


@cache
def load_openvino() -> ModuleType:
    """The module ``openvino``.

    By itself, its Python package makes an id of this person and sends events to a third party as soon as it is
    imported. It does neither where its package for that is not to be had, as it looks to it here. A program that has
    imported it before us has asked for them.

    Raises:
        MissingDependencyError: the extra ``openvino`` is not installed.
    """
    with needs_extra("openvino", "the provider 'openvino'"), _hidden(_TELEMETRY):
        import openvino
    module: ModuleType = openvino
    return module


class OpenVinoSession:
    """A network that OpenVINO runs on the CPU. Safe to share between threads.

    What is int8 in the file is int8 here, and means the same on every CPU: those that cut sums of 8 bits off, as x86
    CPUs without VNNI do, compute in float. What is float in the file is float32 also where a CPU has bfloat16, which
    moves scores half as far again as int8 does.

    Args:
        path: the ONNX file, with an input of shape (n, h, w, 3) and one output.
        threads: of all calls together; None takes every core.
        calls: that are made at once; each gets its part of the threads. More of them wait for each other.

    Raises:
        MissingDependencyError: the extra ``openvino`` is not installed.
        RuntimeError: OpenVINO cannot read the file.
    """

    def __init__(self, path: Path, threads: int | None = None, calls: int = 1) -> None:
        openvino = load_openvino()
        core = openvino.Core()
        model = core.read_model(str(path))
        see_pixels(model, openvino.opset13)
        shape = model.input(0).get_partial_shape()
        shape[0] = 1  # one photo a run is as fast as many, and a shape that is known is faster than one that is not
        model.reshape(shape)
        self._network = core.compile_model(model, "CPU", _options(threads, calls, exact=adds_exactly(openvino)))
        self._idle: SimpleQueue[Any] = SimpleQueue()

    @property
    def providers(self) -> list[str]:
        """The one that works on it, by ONNX Runtime's name."""
        return [PROVIDER]

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output (n, d) of images (n, h, w, 3)."""
        with self._request() as request:
            rows = [request.infer({0: image[None]}, share_inputs=True)[0][0].copy() for image in images]
        return np.asarray(rows, np.float32)

    @contextmanager
    def _request(self) -> Iterator[Any]:
        """A request that no other thread uses meanwhile."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._network.create_infer_request()
        try:
            yield request
        finally:
            self._idle.put(request)


def _options(threads: int | None, calls: int, *, exact: bool) -> dict[str, Any]:
    cores = threads or usable_cores()
    options: dict[str, Any] = {
        "NUM_STREAMS": min(calls, cores),
        "INFERENCE_NUM_THREADS": cores,
        "INFERENCE_PRECISION_HINT": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # whole numbers are how landmarks are stored, not how near they are told
        "ENABLE_CPU_PINNING": False,  # the cores are those that decode photos and write them as well
    }
    if not exact:
        options["LP_TRANSFORMS_MODE"] = "NO"
    return options


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let a module that is not loaded yet be as if it were not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
