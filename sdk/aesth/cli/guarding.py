"""What an error means for the exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from aesth.cli.text import printable
from aesth.errors import AesthError, CatalogueError, ConfigError, MissingDependencyError, ModelError, ProviderError

USAGE, MISSING, BROKEN_PIPE = 2, 3, 141


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with errors of this package told in one line, and the exit code that scripts rely on."""

    @functools.wraps(command)
    def with_exit_code(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except AesthError as error:
            typer.echo(f"aesth: {printable(str(error))}", err=True)
            raise typer.Exit(_exit_code(error)) from error
        except BrokenPipeError as error:
            # Nobody reads any more: what is still buffered goes nowhere, so that the interpreter does not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from error

    return with_exit_code


def _exit_code(error: AesthError) -> int:
    if isinstance(error, (ConfigError, CatalogueError)):
        return USAGE
    return MISSING if isinstance(error, (MissingDependencyError, ModelError, ProviderError)) else 1
