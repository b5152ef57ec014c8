"""ONNX Runtime, loaded when first needed and without its telemetry. Nothing else here may import it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from aesth.cores import usable_cores

_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


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


def session_options(threads: int | None = None) -> Any:
    """Options of a session in which int8 means the same on every CPU, and which takes no core that it does not use.

    x86 CPUs without VNNI add products of 8 bits in pairs, in 16 bits, and cut off what does not fit. Told so by the
    first entry below, ONNX Runtime takes a slower way that does not. It does so on CPUs with VNNI as well, which need
    none and would be half as fast, so that these are not told.

    By the second, a thread that waits for its share of the work sleeps rather than spins: the cores that spinning would
    take are those that decode photos and write them.

    Args:
        threads: threads inside one call; None takes every core that this process may use, which ONNX Runtime does by
            itself only where these are all.
    """
    options = load_runtime().SessionOptions()
    options.log_severity_level = 3
    if not has_vnni():
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is None and usable_cores() < (os.cpu_count() or 1):
        threads = usable_cores()
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


@cache
def has_vnni(described: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU adds products of 8 bits in 32 bits; also false where Linux does not tell of it.

    Args:
        described: where Linux tells what a CPU can do.
    """
    try:
        lines = described.read_text("ascii", "replace").splitlines()
    except OSError:
        return False
    abilities = [set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")]
    return bool(abilities) and all(can & _VNNI for can in abilities)


def load_quantization() -> ModuleType:
    """The module ``onnxruntime.quantization``; it needs the package ``onnx``."""
    load_runtime()
    import onnxruntime.quantization

    module: ModuleType = onnxruntime.quantization
    return module
