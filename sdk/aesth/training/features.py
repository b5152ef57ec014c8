"""What a frozen backbone says of pictures: computed once, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aesth.training.files import replacing
from aesth.training.loader import Pixels, load_batches
from aesth.training.networks import AestheticEncoder, Precision, autocast

BATCH = 32


@torch.no_grad()
def frozen_features(
    encoder: AestheticEncoder,
    pixels: Pixels,
    *,
    device: str = "cpu",
    precision: Precision = "float32",
    on_progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float16]:
    """Pooled features (n, f) of ``pixels`` (n, height, width, 3), or of streamed views."""
    encoder.eval()
    batches = []
    wanted = (np.arange(begin, min(begin + BATCH, len(pixels))) for begin in range(0, len(pixels), BATCH))
    for loaded in load_batches(pixels, wanted):
        batch = loaded.to(device, non_blocking=True)
        with autocast(device, precision):
            batches.append(encoder.features(batch).half().cpu().numpy())
        on_progress(len(batch))
    return np.concatenate(batches)


def kept_features(
    path: Path, key: Mapping[str, object], make: Callable[[], NDArray[np.float16]]
) -> NDArray[np.float16]:
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
    mapped: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return mapped
