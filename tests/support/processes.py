"""Two processes that are told of each other as torchrun does, and the trainings that they do, `TRAININGS`.

``python processes.py DIR`` leaves the weights of each process in ``DIR/NAME`` of each training. The processes are
forked behind the import of torch, which takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
import torch._dynamo  # by the first optimiser otherwise, in each process

from aesth.training.distributed import World, joined
from aesth.training.features import Extractor, frozen_features
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import Recipe
from aesth.training.train import train
from support.training import make_study, recipe, without

PLAIN = {"momentum": 0.0, "weight_decay": 0.0}

TRAININGS: Mapping[str, Recipe] = {
    "gradient": without("warm_up", recipe(fine_tune={**PLAIN, "steps": 1, "rate": 1.0})),
    "gradient of few pictures": without(
        "warm_up", recipe(fine_tune={**PLAIN, "steps": 1, "rate": 1.0, "rated": 40, "among": 7, "damaged": 0})
    ),
    "both stages": recipe(fine_tune={"steps": 8, "rate": 1e-2}),
    "bfloat16": without("warm_up", recipe(fine_tune={"steps": 3, "precision": "bfloat16"})),
}
"""After one step at rate 1 the weights are those before less their gradient."""


def run(how: Recipe, folder: Path) -> None:
    """Train by ``how`` and leave this process's weights in ``folder``."""
    study, pixels = make_study()
    torch.manual_seed(how.seed)
    features = frozen_features(Extractor(AestheticEncoder(how.encoder)), pixels) if how.warm_up.steps else None
    encoder = train(how, study, pixels, folder, features=features)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(encoder.state_dict(), folder / f"weights-{World.current().rank}.pt")


def _run_all(rank: int, size: int, port: int, folder: Path) -> None:
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(number) for name, number in numbers.items()} | {"MASTER_ADDR": "127.0.0.1"})
    with joined("cpu"):
        for name, how in TRAININGS.items():
            run(how, folder / name)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    fork, port = multiprocessing.get_context("fork"), _free_port()
    processes = [fork.Process(target=_run_all, args=(rank, 2, port, Path(sys.argv[1]))) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))
