"""How far a training is, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aesth.training.stopping import current_check

_shown = ContextVar("shown", default=True)


@contextmanager
def shown(wanted: bool) -> Iterator[None]:
    """Show progress only where it is ``wanted``: of several processes, one alone should."""
    token = _shown.set(wanted)
    try:
        yield
    finally:
        _shown.reset(token)


def bars(*notes: str) -> Progress:
    """Progress bars, with columns for the fields of a task that ``notes`` name."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    fields = (TextColumn(f"{{task.fields[{note}]}}") for note in notes)
    console, disable = Console(stderr=True), not _shown.get()
    return Progress(*columns, *fields, console=console, redirect_stdout=False, disable=disable)


def tell(line: str) -> None:
    """Say ``line`` on stderr."""
    if _shown.get():
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def counted(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for ``total`` things, and the function that tells it of some more, in any thread.

    That function raises `KeyboardInterrupt` where a stop was asked for.
    """
    stop_if_asked = current_check()
    with bars() as progress:
        task = progress.add_task(description, total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)
            stop_if_asked()

        yield advance
