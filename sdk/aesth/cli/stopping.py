"""Ctrl-C between two photos, or two steps, rather than in the middle of one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from types import FrameType, TracebackType
from typing import Self, TypeVar

_Item = TypeVar("_Item")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class GracefulStop:
    """Turns the first Ctrl-C or SIGTERM into a `KeyboardInterrupt` between two photos; the second one stops at once.

    Args:
        on_first: told of the first signal, in its handler, which may be in the middle of anything.

    Attributes:
        signal: the number of the signal that came, else None.
    """

    def __init__(self, on_first: Callable[[], None] = lambda: None) -> None:
        self.signal: int | None = None
        self._on_first = on_first
        self._waiting = self._insisted = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """What shells expect of a program that a signal stopped."""
        return 128 + (self.signal or signal.SIGINT)

    def check(self) -> None:
        """Stop here if a signal came.

        Raises:
            KeyboardInterrupt: it did.
        """
        if self.signal is not None:
            raise KeyboardInterrupt

    def between(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """``items``, as long as no signal came; waiting for one of them can be interrupted. May be nested."""
        source = iter(items)
        while True:
            outer, self._waiting = self._waiting, True
            self.check()
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self._waiting = outer
            yield item

    def until(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The same, but they end there, for a run that winds up by itself what it has begun."""
        try:
            yield from self.between(items)
        except KeyboardInterrupt:
            if self._insisted:
                raise

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._insisted = self.is_asked
        self.signal = number
        if self._insisted or self._waiting:
            raise KeyboardInterrupt
        self._on_first()


@contextmanager
def said_aside(line: str) -> Iterator[Callable[[], None]]:
    """What says ``line`` on stderr, from a thread of its own: a signal's handler may interrupt who writes there."""
    asked: SimpleQueue[bool] = SimpleQueue()

    def say() -> None:
        if asked.get():
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    teller = Thread(target=say, daemon=True)
    teller.start()
    try:
        yield lambda: asked.put(True)
    finally:
        asked.put(False)
        teller.join()
