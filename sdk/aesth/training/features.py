"""What frozen backbones say of pictures: computed once, and kept."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aesth.runtime import load_runtime, session_options
from aesth.training.export import export_graph
from aesth.training.files import replacing
from aesth.training.loader import Pixels, load_batches
from aesth.training.networks import AestheticEncoder, Precision, autocast
from aesth.training.stopping import stop_if_asked
from aesth.training.styles import black_and_white

BATCH = 32
FEW = 100

_Float = TypeVar("_Float", bound=np.floating[Any])

Change = Callable[[Tensor], Tensor]
"""Pixels, uint8 (n, h, w, 3), -> other pixels of the same shape."""

Extract = Callable[[Tensor], NDArray[np.float16]]
"""Pixels, uint8 (n, h, w, 3), -> features (n, f)."""


def unchanged(pixels: Tensor) -> Tensor:
    """The pixels as they are."""
    return pixels


def mirrored(pixels: Tensor) -> Tensor:
    """Left and right exchanged, of pixels (n, h, w, 3)."""
    return pixels.flip(2)


def grey(pixels: Tensor) -> Tensor:
    """In black and white, of uint8 (n, h, w, 3)."""
    return torch.stack([torch.from_numpy(black_and_white(image).copy()) for image in pixels.numpy()])


class Extractor:
    """What computes pooled features by the backbones of an encoder, as they are when it is first used.

    Args:
        encoder: whose backbones.
        device: ``cpu``, or torch's name of another one.
        precision: of the arithmetic on another device; on a CPU it is float32.
    """

    def __init__(self, encoder: AestheticEncoder, device: str = "cpu", precision: Precision = "float32") -> None:
        self.encoder = encoder
        self.device = device
        self.precision = precision

    @property
    def width(self) -> int:
        """How many features there are, f."""
        return self.encoder.width

    def fastest(self, pictures: int) -> Extract:
        """The way that takes least time for so many pictures.

        On a CPU, ONNX Runtime takes a third of torch's time, but first some seconds for the export.
        """
        return self.by_onnx_runtime if self.device == "cpu" and pictures > FEW else self.by_torch

    @torch.no_grad()
    def by_torch(self, batch: Tensor) -> NDArray[np.float16]:
        """Features (n, f) of pixels, uint8 (n, height, width, 3)."""
        precision = "float32" if self.device == "cpu" else self.precision
        with autocast(self.device, precision):
            features = self.encoder.eval().features(batch.to(self.device, non_blocking=True))
        found: NDArray[np.float16] = features.half().cpu().numpy()
        return found

    def by_onnx_runtime(self, batch: Tensor) -> NDArray[np.float16]:
        """Features (n, f) of pixels, uint8 (n, height, width, 3)."""
        # Small batches are as fast, and take less memory.
        parts = [self._session.run(None, {"image": part.numpy()})[0] for part in torch.split(batch.contiguous(), 8)]
        return np.concatenate(parts).astype(np.float16)

    @cached_property
    def _session(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "features.onnx"
            export_graph(_Features(self.encoder.eval()), path, self.encoder.architecture.preprocess.size, "features")
            return load_runtime().InferenceSession(
                str(path), session_options(torch.get_num_threads()), providers=["CPUExecutionProvider"]
            )


class BegunFeatures:
    """Features in a file as they come, which a run that is stopped leaves, and the next one goes on with.

    Args:
        path: the file; it is begun anew unless what is in it was made with the same ``key``.
        key: what decides about the features.
        width: how many there are of a picture.
    """

    def __init__(self, path: Path, key: Mapping[str, object], width: int) -> None:
        self._path = path
        self._head = json.dumps(key).encode() + b"\n"
        self._row = 2 * width

    def load(self) -> NDArray[np.float16]:
        """The features (n, f) of the pictures that were done, in whole batches."""
        content = self._path.read_bytes() if self._path.is_file() else b""
        if not content.startswith(self._head):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            content = self._head
            self._path.write_bytes(content)
        rows = (len(content) - len(self._head)) // (self._row * BATCH) * BATCH
        end = len(self._head) + rows * self._row
        os.truncate(self._path, end)
        return np.frombuffer(content[len(self._head) : end], np.float16).reshape(rows, self._row // 2)

    def add(self, features: NDArray[np.float16]) -> None:
        """Keep those of the next batch."""
        with self._path.open("ab") as file:
            file.write(features.tobytes())


def frozen_features(
    extractor: Extractor,
    pixels: Pixels,
    *,
    change: Change = unchanged,
    begun: BegunFeatures | None = None,
    on_progress: Callable[[int], None] = stop_if_asked,
) -> NDArray[np.float16]:
    """Pooled features (n, f) of ``pixels`` (n, height, width, 3), or of streamed views, changed by ``change`` first.

    Those that were ``begun`` are gone on with.
    """
    if not len(pixels):
        return np.empty((0, extractor.width), np.float16)
    extract = extractor.fastest(len(pixels))
    found = [] if begun is None else [begun.load()]
    done = sum(map(len, found))
    if done:
        on_progress(done)
    wanted = (np.arange(begin, min(begin + BATCH, len(pixels))) for begin in range(done, len(pixels), BATCH))
    for batch in load_batches(pixels, wanted):
        found.append(extract(change(batch)))
        if begun is not None:
            begun.add(found[-1])
        on_progress(len(batch))
    return np.concatenate(found)


class _Features(nn.Module):
    def __init__(self, encoder: AestheticEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder.features(image)


def kept_features(path: Path, key: Mapping[str, object], make: Callable[[], NDArray[_Float]]) -> NDArray[_Float]:
    """The features in the file ``path``, mapped from there; made anew unless they were made with the same ``key``."""
    stamp = path.with_suffix(".json")
    written = json.dumps(key)
    if not (path.is_file() and stamp.is_file() and stamp.read_text("utf-8") == written):
        features = make()
        stamp.unlink(missing_ok=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.save(file, features)
        with replacing(stamp) as partial:
            partial.write_text(written, "utf-8")
    mapped: NDArray[_Float] = np.load(path, mmap_mode="r")
    return mapped
