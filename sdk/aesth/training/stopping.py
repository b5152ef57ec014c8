"""Where a training may be stopped: after a step, a picture or a fit, from ordinary code.

Python raises `KeyboardInterrupt` wherever it is; in a destructor, or in what a C extension calls, it is lost. So a
program notes the signal, and the training asks for it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Check = Callable[[], None]
"""Raises `KeyboardInterrupt` where a stop was asked for, else does nothing."""

_check: ContextVar[Check] = ContextVar("check", default=lambda: None)


@contextmanager
def stopped_by(check: Check) -> Iterator[None]:
    """Ask ``check``, at every place where work may be stopped, whether to go on."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def current_check() -> Check:
    """What is asked here; for another thread, which does not know of it by itself."""
    return _check.get()


def stop_if_asked(_done: int = 0) -> None:
    """Stop here if that was asked for. It also stands for what is told of progress that is not shown.

    Raises:
        KeyboardInterrupt: a stop was asked for.
    """
    _check.get()()
