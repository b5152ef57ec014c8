"""Taking items ahead of need, without letting what is ready wait for a source that has nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeAlias, TypeVar

WouldBlock: TypeAlias = Callable[[], bool]
"""Tells whether taking the next item would wait for somebody, such as a program that writes a list into a pipe."""

_Item = TypeVar("_Item")


def never() -> bool:
    """A source that does not know, or always has its next item."""
    return False


def take(source: Iterator[_Item], most: int, would_block: WouldBlock, least: int = 1) -> Iterator[_Item]:
    """Up to ``most`` items of ``source``: the first ``least`` in any case, the others as long as they are there."""
    for taken in range(most):
        if taken >= least and would_block():
            return
        try:
            item = next(source)
        except StopIteration:
            return
        yield item


def in_background(source: Iterator[_Item], most: int) -> Generator[_Item]:
    """The items of ``source``, which a thread takes while others are used, ``most`` ahead; close it to end the thread.

    An error of ``source`` is raised where its next item would be.
    """
    waiting: Queue[tuple[_Item | None, BaseException | None]] = Queue(most)
    over = Event()

    def fill() -> None:
        try:
            for item in source:
                if not _put(waiting, (item, None), over):
                    return
            _put(waiting, (None, StopIteration()), over)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            _put(waiting, (None, error), over)

    thread = Thread(target=fill, name="aesth-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        over.set()
        thread.join()


def _put(waiting: Queue[_Item], item: _Item, over: Event) -> bool:
    """Whether ``item`` could be put there before it was ``over``."""
    while not over.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except Full:
            continue
        return True
    return False
