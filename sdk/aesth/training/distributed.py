"""One training by several processes: who leads, who takes which pictures, and how their points come together.

Every process draws the same triplets, embeds its share of the pictures, and computes the whole loss on the points of
all: any loss gives the gradients that one process would have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from aesth.errors import ProviderError
from aesth.training import progress

PATIENCE = timedelta(days=2)
"""How long processes wait for the leading one, which may have many pictures to render."""


@dataclass(frozen=True)
class World:
    """The processes of a training.

    Attributes:
        rank: number of this process, from 0.
        size: among how many the pictures of a step are shared.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> World:
        """The processes that `joined` brought together; only this one outside of it."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and shows progress."""
        return self.rank == 0

    @property
    def share(self) -> slice:
        """Which pictures of a step are this process's."""
        return slice(self.rank % self.size, None, self.size)

    def unshared(self) -> World:
        """The same process where each of them takes all pictures."""
        return replace(self, size=1)

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.size > 1:
            dist.barrier()

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """Let the leading process do what follows before the others, which then find its files."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()

    def gather(self, points: Tensor, count: int) -> Tensor:
        """The ``count`` points of all processes, from this one's share (s, d); gradients flow to the share alone."""
        if self.size == 1:
            return points
        everything = points.new_zeros((count, *points.shape[1:]))
        everything[self.share] = points.detach()
        dist.all_reduce(everything)
        places = torch.arange(count, device=points.device)[self.share]
        return everything.index_put((places,), points)

    def agreed(self, value: float) -> float:
        """The leading process's ``value``: what differs in the last bit must not part the processes."""
        if self.size == 1:
            return value
        values: list[object] = [value]
        dist.broadcast_object_list(values)
        return float(values[0])  # type: ignore[arg-type]

    def wrap(self, network: nn.Module, device: str, *, unused: bool = False) -> nn.Module:
        """``network`` with the leading process's weights, its gradients averaged over the processes.

        Where it has parameters that get no gradient, ``unused`` says so.

        Batch normalisation uses the statistics of all processes' pictures on CUDA; on the CPU torch has none such.
        """
        if self.size == 1:
            return network
        cuda = device.startswith("cuda")
        if cuda:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        places = [torch.device(device)] if cuda else None
        return DistributedDataParallel(network, device_ids=places, find_unused_parameters=unused)


def process_device(device: str) -> str:
    """By torch's name what ``auto``, ``cpu`` or ``cuda`` is for this process: each has a CUDA device of its own.

    Raises:
        ProviderError: CUDA is asked for, and torch has none, or fewer than there are processes.
    """
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.startswith("cuda") and not found:
        raise ProviderError("torch finds no CUDA device here; leave out --device, or install torch with CUDA")
    name = ("cuda" if found else "cpu") if device == "auto" else device
    if name != "cuda" or "LOCAL_RANK" not in os.environ:
        return name
    if local_size() > found:
        raise ProviderError(f"{local_size()} processes and {found} CUDA devices; start one for each, or --device cpu")
    return f"cuda:{os.environ['LOCAL_RANK']}"


def local_size() -> int:
    """How many processes torchrun started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@contextmanager
def joined(device: str) -> Iterator[World]:
    """The processes that torchrun started, brought together: by NCCL on CUDA, by gloo on the CPU.

    Inside, the leading one alone shows progress. A process that was started without torchrun is alone.

    Args:
        device: ``cpu``, or the CUDA device of this process.
    """
    if "RANK" not in os.environ:
        yield World()
        return
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(torch.device(device))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    try:
        world = World.current()
        with progress.shown(world.leads):
            yield world
    finally:
        dist.destroy_process_group()
