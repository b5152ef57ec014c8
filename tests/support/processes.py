"""Trainings in processes of their own: by two of torchrun, and by some that are killed.

``python -m support.processes DIR PORT ARGUMENT...`` has two processes of torchrun do the command `aesth.training`, of
these arguments, and then `TRAININGS`, for which they meet at PORT: each leaves its weights in ``DIR/NAME``. In
``DIR/STEP`` is what a training leaves that was killed after a step of `KILLED_AT`.

Torch takes seconds to load: it is loaded once, and all these processes are forked.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
import torch._dynamo  # by the first optimiser otherwise, in each process
from torch.distributed.launcher.api import elastic_launch
from torch.distributed.run import config_from_args, parse_args

import aesth.training.run  # noqa: F401 - by the command otherwise, in each process
from aesth.training import train as loop
from aesth.training.distributed import World, joined
from aesth.training.features import Extractor, frozen_features
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import Recipe
from aesth.training.train import Step, train
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

KILLED_AT = (5, 9)
"""Steps of the tiny recipe's ten, one of each stage."""

TORCHRUN = ("--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0", "--nproc-per-node=2", "--start-method=fork", "-")


def run(how: Recipe, folder: Path, on_step: Callable[[Step], None] = lambda _: None) -> None:
    """Train by ``how`` and leave this process's weights in ``folder``."""
    study, pixels = make_study()
    torch.manual_seed(how.seed)
    features = frozen_features(Extractor(AestheticEncoder(how.encoder)), pixels) if how.warm_up.steps else None
    encoder = train(how, study, pixels, folder, features=features, on_step=on_step)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(encoder.state_dict(), folder / f"weights-{World.current().rank}.pt")


def be_killed(folder: Path, last: int) -> None:
    """Train by the tiny recipe in a process that kills itself after the step ``last``."""

    def kill(step: Step) -> None:
        told.append(step)
        if len(told) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    told: list[Step] = []
    process = os.fork()
    if not process:
        loop.CHECKPOINT_EVERY = 2
        run(recipe(), folder, kill)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(process, 0)[1]) == signal.SIGKILL


def one_of_two(folder: Path, port: int, arguments: list[str]) -> None:
    """What each of the two processes does."""
    with suppress(SystemExit):
        sys.argv[1:] = arguments
        runpy.run_module("aesth.training", run_name="__main__", alter_sys=True)
    # The meeting point of torchrun serves once.
    os.environ.update(MASTER_PORT=str(port), TORCHELASTIC_USE_AGENT_STORE="False")
    with joined("cpu"):
        for name, how in TRAININGS.items():
            run(how, folder / name)


def main(folder: Path, port: int, arguments: list[str]) -> None:
    """Start all of them, as torchrun does its two but for the start of a program."""
    torch.set_num_threads(1)
    for last in KILLED_AT:
        be_killed(folder / str(last), last)
    config, *_ = config_from_args(parse_args(TORCHRUN))
    elastic_launch(config, one_of_two)(folder, port, arguments)


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
