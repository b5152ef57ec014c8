"""Values that take long to make, and are made when they are needed, or while something else is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Later(Generic[_Value]):
    """What ``make`` returns, or raises, called once by a thread of its own. Safe to share between threads."""

    def __init__(self, make: Callable[[], _Value]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: Future[_Value] | None = None

    @property
    def is_begun(self) -> bool:
        """Whether anybody has asked for it."""
        return self._made is not None

    def begin(self) -> Future[_Value]:
        """Begin to make it, unless that is begun, and do not wait for it."""
        with self._lock:
            if self._made is None:
                self._made = Future()
                # Not a daemon: what is loaded by native code must not be cut off by the end of the program.
                Thread(target=self._run, args=(self._made,), name="aesth-later").start()
            return self._made

    def get(self) -> _Value:
        """The value; waits until it is there."""
        return self.begin().result()

    def _run(self, made: Future[_Value]) -> None:
        try:
            made.set_result(self._make())
        except BaseException as error:  # noqa: BLE001 - it is raised where the value is asked for
            made.set_exception(error)
