"""What can run a network, by name, and how it is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType

from aesth import openvino
from aesth.errors import ConfigError, ProviderError
from aesth.runtime import load_runtime

CPU = "CPUExecutionProvider"
OPENVINO = openvino.PROVIDER

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "cpu": CPU,
        "openvino": OPENVINO,
        "cuda": "CUDAExecutionProvider",
        "tensorrt": "TensorrtExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "directml": "DmlExecutionProvider",
        "rocm": "ROCMExecutionProvider",
    }
)
"""Short name -> ONNX Runtime's. All are ONNX Runtime's own but OpenVINO, which is a program of its own here."""

INSTALL_PROVIDER: Mapping[str, str] = MappingProxyType(
    {
        "openvino": "pip install 'aesth[openvino]'",
        "cuda": "pip uninstall onnxruntime && pip install onnxruntime-gpu",
        "tensorrt": "pip uninstall onnxruntime && pip install onnxruntime-gpu",
        "directml": "pip uninstall onnxruntime && pip install onnxruntime-directml",
    }
)


def full_provider_name(name: str) -> str:
    """ONNX Runtime's name of the provider called ``name``, in short or in full.

    Raises:
        ConfigError: there is no such provider; the message lists those that there are.
    """
    full_name = PROVIDERS.get(name.lower(), name)
    if full_name not in PROVIDERS.values():
        raise ConfigError(f"unknown provider '{name}'; known: {', '.join(PROVIDERS)}")
    return full_name


def offered_providers() -> list[str]:
    """Full names of the providers that are installed; whether they start is told by starting them."""
    others: list[str] = [name for name in load_runtime().get_available_providers() if name != OPENVINO]
    return [*others, OPENVINO] if find_spec("openvino") else others


def resolve_providers(names: Sequence[str] | None) -> list[str]:
    """Full names of the providers called ``names``; the CPU for None.

    Raises:
        ConfigError: a name is unknown, or OpenVINO is to share a network with others.
        ProviderError: a provider is not installed.
    """
    wanted = [full_provider_name(name) for name in names or ["cpu"]]
    if wanted == [CPU]:
        return wanted  # every build has it, and none need be loaded to know
    if OPENVINO in wanted and len(wanted) > 1:
        raise ConfigError("the provider 'openvino' runs a whole network by itself; name it alone")
    offered = offered_providers()
    for name, full_name in zip(names or (), wanted, strict=True):
        if full_name not in offered:
            cure = INSTALL_PROVIDER.get(_short(full_name))
            advice = f"install it with: {cure}" if cure else "this platform's ONNX Runtime does not offer it"
            raise ProviderError(f"provider '{name}' was asked for but is not available here; {advice}")
    return wanted


def _short(full_name: str) -> str:
    return next(name for name, full in PROVIDERS.items() if full == full_name)
