"""Pixels of the pictures of a step: from an array on disk, or decoded while the steps before are computed.

An array takes 0.15 MB a picture at 224 x 224; hundreds of thousands of pictures are streamed instead.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from aesth.cores import usable_cores
from aesth.errors import AesthError
from aesth.preprocess import Preprocess, UInt8Image
from aesth.training.distributed import local_size
from aesth.training.recipe import LoaderRecipe
from aesth.training.views import View, render

STREAM_FROM = 20_000_000_000
"""Bytes of rendered pictures from which on they are streamed, unless the recipe says otherwise."""

Index = NDArray[np.int64]


class StreamedViews:
    """Views whose pixels are decoded when they are asked for: the same for the same seed, in any order.

    It stands for an array (n, height, width, 3): rows of it are views again, and ``numpy.array`` decodes them.

    Args:
        views: what is shown.
        preprocess: to which size.
        seed: of what is random in damage.
        recipe: how many workers decode, and how far ahead.
    """

    def __init__(
        self, views: Sequence[View], preprocess: Preprocess, *, seed: int = 0, recipe: LoaderRecipe | None = None
    ) -> None:
        self.views = views
        self.preprocess = preprocess
        self.seed = seed
        self.recipe = recipe or LoaderRecipe()

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, rows: slice | Index) -> StreamedViews:
        chosen = self.views[rows] if isinstance(rows, slice) else [self.views[row] for row in rows]
        return StreamedViews(chosen, self.preprocess, seed=self.seed, recipe=self.recipe)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """The pixels, uint8 (n, height, width, 3), decoded by threads."""
        with ThreadPoolExecutor(self.workers) as pool:
            images = list(pool.map(self.image, range(len(self))))
        pixels = np.stack(images) if images else np.empty((0, *self.preprocess.size, 3), np.uint8)
        return pixels if dtype is None else pixels.astype(dtype)

    @property
    def workers(self) -> int:
        """How many pictures are decoded at a time."""
        return self.recipe.workers or max(1, usable_cores() // local_size())

    def image(self, row: int) -> UInt8Image:
        """The pixels of one view, (height, width, 3)."""
        return render(self.views[row], self.preprocess, self.seed, whole=False)

    def batches(self, wanted: Iterable[Index]) -> Iterator[Tensor]:
        """The pixels of each of ``wanted``, indices (b,) -> uint8 (b, height, width, 3), decoded ahead by processes.

        Raises:
            DecodeError: a picture cannot be read.
        """
        loader: DataLoader[Tensor | AesthError] = DataLoader(
            _Batches(self),
            batch_size=None,
            sampler=wanted,
            num_workers=self.workers,
            prefetch_factor=self.recipe.ahead,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_ignore_interrupts,
            generator=torch.Generator(),  # or the global one would be drawn from
        )
        for found in loader:
            if isinstance(found, AesthError):
                raise found
            yield found


Pixels = NDArray[np.uint8] | StreamedViews


def load_batches(rows: NDArray[Any] | StreamedViews, wanted: Iterable[Index]) -> Iterator[Tensor]:
    """The rows of an array, or the pixels of streamed views, for each of the indices (b,) in ``wanted``."""
    if isinstance(rows, StreamedViews):
        return rows.batches(wanted)
    return (torch.from_numpy(rows[index]) for index in wanted)


def streams(recipe: LoaderRecipe, views: int, preprocess: Preprocess) -> bool:
    """Whether so many views are streamed, rather than rendered into an array first."""
    wanted: dict[Literal["auto", "rendered", "streamed"], bool] = {"rendered": False, "streamed": True}
    return wanted.get(recipe.views, 3 * preprocess.size[0] * preprocess.size[1] * views > STREAM_FROM)


class _Batches(Dataset["Tensor | AesthError"]):
    """Whole batches by their indices. An error is an item: torch would put the worker's traceback in its message."""

    def __init__(self, views: StreamedViews) -> None:
        self.views = views

    def __getitem__(self, index: Index) -> Tensor | AesthError:
        try:
            images = [torch.from_numpy(np.array(self.views.image(row))) for row in index]
        except AesthError as error:
            return error
        return torch.stack(images) if images else torch.empty((0, *self.views.preprocess.size, 3), dtype=torch.uint8)


def _ignore_interrupts(_: int) -> None:
    """Ctrl-C is the training's to handle; its workers end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
