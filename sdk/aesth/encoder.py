"""Pixels to points of the aesthetic space, over ONNX Runtime. Knows nothing of files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aesth.cores import usable_cores
from aesth.errors import ConfigError, ModelError, ProviderError
from aesth.preprocess import Preprocess
from aesth.registry import ModelFile
from aesth.runtime import load_runtime, session_options
from aesth.scale import Scale

DIMENSIONS = 1000

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "cpu": "CPUExecutionProvider",
        "cuda": "CUDAExecutionProvider",
        "tensorrt": "TensorrtExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "directml": "DmlExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
        "rocm": "ROCMExecutionProvider",
    }
)

INSTALL_PROVIDER: Mapping[str, str] = MappingProxyType(
    {
        "cuda": "pip uninstall onnxruntime && pip install onnxruntime-gpu",
        "tensorrt": "pip uninstall onnxruntime && pip install onnxruntime-gpu",
        "directml": "pip uninstall onnxruntime && pip install onnxruntime-directml",
        "openvino": "pip uninstall onnxruntime && pip install onnxruntime-openvino",
    }
)


@dataclass(frozen=True)
class ModelRecord:
    """What an ONNX file says about itself in its metadata.

    Attributes:
        name: such as ``base``.
        version: of the weights.
        licence: SPDX name of the weights' licence.
        preprocess: what to do with an image first.
        scale: how a norm becomes a score.
        training: data, recipe and figures, as the training wrote them.
    """

    name: str
    version: str
    licence: str
    preprocess: Preprocess
    scale: Scale
    training: Mapping[str, object]


class Encoder(Protocol):
    """Maps batches of pixels into the aesthetic space. Safe to share between threads."""

    @property
    def record(self) -> ModelRecord:
        """What the model says about itself."""

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (n, 1000) of ``batch``, sRGB pixels (n, h, w, 3) of the size that the record asks for."""


class OnnxEncoder:
    """An encoder whose network is an ONNX file of the form of ``aesth.training.export``.

    Args:
        model: the file.
        providers: execution providers, best first, by short name (``"cpu"``, ``"cuda"``, ...) or by ONNX Runtime's.
            None takes the CPU. One that is asked for but missing is an error: there is no silent fall-back.
        threads: threads of ONNX Runtime; None takes every core.
        calls: of `encode` that its caller makes at once; each gets its part of the threads. One thread alone neither
            waits for others nor wakes them, so that many photos take least with as many calls as cores, and one photo
            with a single call. A GPU has one in any case.

    Raises:
        ConfigError: the name of a provider is unknown.
        ProviderError: this build of ONNX Runtime lacks a provider, or could not start it.
        ModelError: the file is damaged or not one of ours.
    """

    def __init__(
        self, model: ModelFile, providers: Sequence[str] | None = None, threads: int | None = None, calls: int = 1
    ) -> None:
        self.model = model
        wanted = resolve_providers(providers)
        self.calls = calls if wanted == [PROVIDERS["cpu"]] else 1
        self._session = _open_session(model, wanted, threads_of_a_call(threads, self.calls))
        self.providers: list[str] = self._session.get_providers()
        _refuse_fallback(wanted, self.providers)
        self.record = _read_record(model, self._session.get_modelmeta().custom_metadata_map)

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (n, 1000) of ``batch``, sRGB pixels (n, h, w, 3) of the size that the record asks for."""
        if not len(batch):
            return np.empty((0, DIMENSIONS), np.float32)
        (embeddings,) = self._session.run(["embedding"], {"image": np.ascontiguousarray(batch)})
        return np.asarray(embeddings, np.float32)


def threads_of_a_call(threads: int | None, calls: int) -> int | None:
    """How many of ``threads``, None for one a core, each of so many calls at once gets; None if it gets them all."""
    return threads if calls == 1 else max(1, (threads or usable_cores()) // calls)


def tag_of(encoder: Encoder) -> str:
    """What is remembered of the model behind ``encoder``: its name, and the start of its checksum or its version."""
    return encoder.model.tag if isinstance(encoder, OnnxEncoder) else f"{encoder.record.name} {encoder.record.version}"


def full_provider_name(name: str) -> str:
    """ONNX Runtime's name of the provider called ``name``, in short or in full.

    Raises:
        ConfigError: there is no such provider; the message lists those that there are.
    """
    full_name = PROVIDERS.get(name.lower(), name)
    if full_name not in PROVIDERS.values():
        raise ConfigError(f"unknown provider '{name}'; known: {', '.join(PROVIDERS)}")
    return full_name


def resolve_providers(names: Sequence[str] | None) -> list[str]:
    """ONNX Runtime's names of the providers called ``names``; the CPU for None.

    Raises:
        ConfigError: a name is unknown.
        ProviderError: this build of ONNX Runtime lacks the provider.
    """
    offered = load_runtime().get_available_providers()
    wanted = []
    for name in names or ["cpu"]:
        full_name = full_provider_name(name)
        if full_name not in offered:
            cure = INSTALL_PROVIDER.get(name.lower())
            advice = f"install it with: {cure}" if cure else "this platform's ONNX Runtime does not offer it"
            raise ProviderError(f"provider '{name}' was asked for but is not available here; {advice}")
        wanted.append(full_name)
    return wanted


def _open_session(model: ModelFile, providers: Sequence[str], threads: int | None) -> Any:
    options = session_options(threads)
    try:
        return load_runtime().InferenceSession(str(model.path), options, providers=list(providers))
    except Exception as error:  # ONNX Runtime raises classes of its own, one for each status
        raise ModelError(f"ONNX Runtime cannot load this model ({_first_line(error)})", model.path) from error


def _refuse_fallback(wanted: Sequence[str], started: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in started]
    if missing:
        raise ProviderError(f"{', '.join(missing)} could not be started; run `aesth doctor` to see what is installed")


def _read_record(model: ModelFile, metadata: Mapping[str, str]) -> ModelRecord:
    try:
        return ModelRecord(
            name=metadata["aesth.name"],
            version=metadata["aesth.version"],
            licence=metadata["aesth.licence"],
            preprocess=Preprocess.from_json(metadata["aesth.preprocess"]),
            scale=Scale.from_json(metadata["aesth.scale"]),
            training=json.loads(metadata["aesth.training"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"not a model exported by aesth ({error})", model.path) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
