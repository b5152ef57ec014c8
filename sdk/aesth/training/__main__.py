"""``aesth train run`` for several processes: ``torchrun --nproc-per-node=N -m aesth.training CONFIG.toml ...``."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from aesth.errors import AesthError, CatalogueError, ConfigError, MissingDependencyError, ModelError, ProviderError
from aesth.extras import needs_extra

USAGE, MISSING = 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says; the leading process prints the path of the weights.

    Returns:
        0 all well, 2 wrong usage, recipe or data, 3 something needed is missing, 1 anything else.
    """
    asked = _parser().parse_args(arguments)
    try:
        _run(asked)
    except AesthError as error:
        rank = os.environ.get("RANK", "0")
        who = "aesth" if rank == "0" else f"aesth, process {rank}"
        print(f"{who}: {error}", file=sys.stderr)  # noqa: T201 - this is a program
        return _exit_code(error)
    return 0


def _run(asked: Namespace) -> None:
    with needs_extra("train", "training"):
        from aesth.training.distributed import joined, process_device
        from aesth.training.run import run

        with joined(process_device(asked.device)) as world:
            path = run(
                config=asked.config,
                data=asked.data,
                out=asked.out,
                resume=asked.resume,
                device=asked.device,
                held_out=asked.fold,
                catalogues=asked.catalogue,
            )
            world.wait()
            if world.leads:
                sys.stdout.buffer.write(os.fsencode(path) + b"\n")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m aesth.training", description="Train an encoder by a recipe.")
    parser.add_argument("config", metavar="CONFIG.toml", type=Path, help="the recipe")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="rated pictures and photos")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("runs"), help="where results go (runs)")
    parser.add_argument(
        "--catalogue", metavar="FILE", type=Path, action="append", default=[], help="instead of those of --data"
    )
    parser.add_argument("--fold", metavar="N", type=int, help="leave out this fold, as `aesth train evaluate` does")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--no-resume", dest="resume", action="store_false", help="begin again")
    return parser


def _exit_code(error: AesthError) -> int:
    if isinstance(error, (ConfigError, CatalogueError)):
        return USAGE
    return MISSING if isinstance(error, (MissingDependencyError, ModelError, ProviderError)) else 1


if __name__ == "__main__":
    sys.exit(main())
