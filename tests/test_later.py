"""What takes long to make is made once, when it is needed or ahead of that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from aesth.later import Later


def test_it_is_made_once_however_many_ask_for_it() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    later = Later(make)
    assert not later.is_begun
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: later.get(), range(100))) == {*made}
    assert len(made) == 1


def test_who_has_it_begun_does_not_wait() -> None:
    go_on = Event()
    later = Later(lambda: go_on.wait(30))
    later.begin()
    assert later.is_begun
    go_on.set()
    assert later.get() is True


def test_what_goes_wrong_is_told_to_everyone_who_asks() -> None:
    later: Later[int] = Later(lambda: 1 // 0)
    later.begin()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            later.get()
