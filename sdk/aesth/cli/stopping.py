"""Ctrl-C between two photos rather than in the middle of one."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Self, TypeVar

_Item = TypeVar("_Item")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class GracefulStop:
    """Turns the first Ctrl-C or SIGTERM into a `KeyboardInterrupt` between two photos; the second one stops at once.

    Attributes:
        signal: the number of the signal that came, else None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._waiting = False
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
        """``items``, as long as no signal came; waiting for one of them can be interrupted."""
        source = iter(items)
        while True:
            self._waiting = True
            self.check()
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self._waiting = False
            yield item

    def _note(self, number: int, _frame: FrameType | None) -> None:
        again = self.signal is not None
        self.signal = number
        if again or self._waiting:
            raise KeyboardInterrupt
