"""Pixels to points of the aesthetic space, over ONNX Runtime or OpenVINO. Knows nothing of photo files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aesth.cores import usable_cores
from aesth.errors import AesthError, ModelError, ProviderError
from aesth.later import Later
from aesth.openvino import OpenVinoSession
from aesth.preprocess import Preprocess
from aesth.properties import read_properties
from aesth.providers import CPU, OPENVINO, resolve_providers
from aesth.registry import ModelFile
from aesth.runtime import load_runtime, session_options
from aesth.scale import Scale

DIMENSIONS = 1000

_ON_THE_CPU = ([CPU], [OPENVINO])


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


class Session(Protocol):
    """A network that is loaded. Safe to share between threads."""

    @property
    def providers(self) -> list[str]:
        """Those that work on it, best first, by ONNX Runtime's names."""

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output (n, d) of images (n, h, w, 3)."""


class OnnxSession:
    """A network that ONNX Runtime runs.

    Args:
        path: the ONNX file.
        providers: execution providers, best first, by ONNX Runtime's names.
        threads: threads inside one call; None takes every core.
    """

    def __init__(self, path: Path, providers: Sequence[str], threads: int | None) -> None:
        self._session = load_runtime().InferenceSession(str(path), session_options(threads), providers=list(providers))

    @property
    def providers(self) -> list[str]:
        """Those that started."""
        return list(self._session.get_providers())

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output (n, 1000) of images (n, h, w, 3)."""
        (embeddings,) = self._session.run(["embedding"], {"image": np.ascontiguousarray(images)})
        return np.asarray(embeddings, np.float32)


class OnnxEncoder:
    """An encoder whose network is an ONNX file of the form of ``aesth.training.export``.

    What the file says about itself is read at once. On the CPU, by ONNX Runtime or OpenVINO, the network is loaded when
    it is first needed, or `prepare` says so, since many a run needs none. Other providers are started at once: only
    then they tell whether they work.

    Args:
        model: the file.
        providers: execution providers, best first, by short name (``"cpu"``, ``"cuda"``, ...) or by ONNX Runtime's.
            None takes the CPU. One that is asked for but missing is an error: there is no silent fall-back.
        threads: of the network; None takes every core.
        calls: of `encode` that its caller makes at once; each gets its part of the threads. One thread alone neither
            waits for others nor wakes them, so that many photos take least with as many calls as cores, and one photo
            with a single call. A GPU has one in any case.

    Raises:
        ConfigError: the name of a provider is unknown.
        ProviderError: a provider is not installed, or could not be started.
        ModelError: the file is damaged or not one of ours.
    """

    def __init__(
        self, model: ModelFile, providers: Sequence[str] | None = None, threads: int | None = None, calls: int = 1
    ) -> None:
        self.model = model
        self.record = _read_record(model)
        self._wanted = resolve_providers(providers)
        self.calls = calls if self._wanted in _ON_THE_CPU else 1
        self._session: Later[Session] = Later(lambda: _open_session(model, self._wanted, threads, self.calls))
        if self._wanted not in _ON_THE_CPU:
            self._session.get()

    @property
    def providers(self) -> list[str]:
        """Those that work on it, best first, by ONNX Runtime's names."""
        return [*self._wanted] if self._wanted in _ON_THE_CPU else self._session.get().providers

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
        return self._session.get().run(batch)


def threads_of_a_call(threads: int | None, calls: int) -> int | None:
    """How many of ``threads``, None for one a core, each of so many calls at once gets; None if it gets them all."""
    return threads if calls == 1 else max(1, (threads or usable_cores()) // calls)


def tag_of(encoder: Encoder) -> str:
    """What is remembered of the model behind ``encoder``: its name, and the start of its checksum or its version."""
    return encoder.model.tag if isinstance(encoder, OnnxEncoder) else f"{encoder.record.name} {encoder.record.version}"


def _open_session(model: ModelFile, providers: Sequence[str], threads: int | None, calls: int) -> Session:
    try:
        if providers == [OPENVINO]:
            return OpenVinoSession(model.path, threads, calls)
        own = threads_of_a_call(threads, calls)
        session = OnnxSession(model.path, providers, own)
    except AesthError:
        raise
    except Exception as error:  # both raise classes of their own
        engine = "OpenVINO" if providers == [OPENVINO] else "ONNX Runtime"
        raise ModelError(f"{engine} cannot load this model ({_first_line(error)})", model.path) from error
    _refuse_fallback(providers, session.providers)
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
