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
from aesth.later import Later
from aesth.preprocess import Preprocess
from aesth.properties import read_properties
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

    What the file says about itself is read at once. On the CPU, the network is loaded when it is first needed, or
    `prepare` says so, since many a run needs none. Other providers are started at once: only then they tell whether
    they work.

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
        self.record = _read_record(model)
        self._wanted = resolve_providers(providers)
        self.calls = calls if self._wanted == [PROVIDERS["cpu"]] else 1
        own = threads_of_a_call(threads, self.calls)
        self._session = Later(lambda: _open_session(model, self._wanted, own))
        if self._wanted != [PROVIDERS["cpu"]]:
            self._session.get()

    @property
    def providers(self) -> list[str]:
        """Those that work on it, best first, by ONNX Runtime's names."""
        if self._wanted == [PROVIDERS["cpu"]]:
            return [*self._wanted]
        providers: list[str] = self._session.get().get_providers()
        return providers

    @property
    def is_loading(self) -> bool:
        """Whether the network is loaded, or about to be."""
        return self._session.is_begun

    def prepare(self) -> None:
        """Begin to load the network, unless that is begun, while the caller does something else."""
        self._session.begin()

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (n, 1000) of ``batch``, sRGB pixels (n, h, w, 3) of the size that the record asks for.

        Raises:
            ModelError: the network is damaged.
        """
        if not len(batch):
            return np.empty((0, DIMENSIONS), np.float32)
        (embeddings,) = self._session.get().run(["embedding"], {"image": np.ascontiguousarray(batch)})
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
    wanted = [full_provider_name(name) for name in names or ["cpu"]]
    if wanted == [PROVIDERS["cpu"]]:
        return wanted  # every build has it, and none need be loaded to know
    offered = load_runtime().get_available_providers()
    for name, full_name in zip(names or (), wanted, strict=True):
        if full_name not in offered:
            cure = INSTALL_PROVIDER.get(name.lower())
            advice = f"install it with: {cure}" if cure else "this platform's ONNX Runtime does not offer it"
            raise ProviderError(f"provider '{name}' was asked for but is not available here; {advice}")
    return wanted


def _open_session(model: ModelFile, providers: Sequence[str], threads: int | None) -> Any:
    options = session_options(threads)
    try:
        session = load_runtime().InferenceSession(str(model.path), options, providers=list(providers))
    except Exception as error:  # ONNX Runtime raises classes of its own, one for each status
        raise ModelError(f"ONNX Runtime cannot load this model ({_first_line(error)})", model.path) from error
    _refuse_fallback(providers, session.get_providers())
    return session


def _refuse_fallback(wanted: Sequence[str], started: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in started]
    if missing:
        raise ProviderError(f"{', '.join(missing)} could not be started; run `aesth doctor` to see what is installed")


def _read_record(model: ModelFile) -> ModelRecord:
    try:
        metadata = read_properties(model.path)
        return ModelRecord(
            name=metadata["aesth.name"],
            version=metadata["aesth.version"],
            licence=metadata["aesth.licence"],
            preprocess=Preprocess.from_json(metadata["aesth.preprocess"]),
            scale=Scale.from_json(metadata["aesth.scale"]),
            training=json.loads(metadata["aesth.training"]),
        )
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror}); check the disk or the permissions", model.path) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"not a model exported by aesth ({error})", model.path) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
