"""ONNX Runtime, loaded when first needed and without its telemetry. Nothing else here may import it."""

from __future__ import annotations

import os
from types import ModuleType


def load_runtime() -> ModuleType:
    """The module ``onnxruntime``.

    From 1.29 on, its official builds for Linux and macOS make a device id and send events to their maker as soon as
    they are imported. ``ORT_DISABLE_TELEMETRY``, set before, prevents both; who sets it to 0 has asked for them. On
    Windows, and where a program has imported the module before us, the switch inside stops what is not sent yet.
    """
    wanted = os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1") == "0"
    import onnxruntime

    if not wanted:
        onnxruntime.disable_telemetry_events()
    runtime: ModuleType = onnxruntime
    return runtime


def load_quantization() -> ModuleType:
    """The module ``onnxruntime.quantization``; it needs the package ``onnx``."""
    load_runtime()
    import onnxruntime.quantization

    module: ModuleType = onnxruntime.quantization
    return module
