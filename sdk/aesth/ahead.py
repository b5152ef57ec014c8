"""Taking items ahead of need, without letting what is ready wait for a source that has nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
