"""When to ask a server again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.training.fetch.pace import Pace, Stopped, back_off, retry_after

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(st.integers(0, 2000), st.floats(0, 10), st.floats(0, 1, exclude_max=True))
def test_waits_double_up_to_a_limit_and_differ_by_chance(attempt: int, first: float, chance: float) -> None:
    whole = min(60.0, first * 2.0 ** min(attempt, 64))
    assert whole / 2 <= back_off(attempt, first, 60, lambda: chance) <= whole


@given(st.integers(0, 10**6))
def test_a_server_says_when_to_return_in_seconds_or_by_the_clock(seconds: int) -> None:
    assert retry_after(str(seconds), NOW) == seconds
    assert retry_after(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW) == seconds


def test_a_time_that_has_passed_is_now() -> None:
    assert retry_after(format_datetime(NOW - timedelta(days=1), usegmt=True), NOW) == 0


@given(st.none() | st.text())
def test_what_cannot_be_understood_says_nothing(text: str | None) -> None:
    assert retry_after(text, NOW) is None or text


@pytest.mark.parametrize("text", [None, "", "soon", "-3", "1.5", "٣"])
def test_what_is_no_time_says_nothing(text: str | None) -> None:
    assert retry_after(text, NOW) is None


def test_hosts_do_not_wait_for_each_other() -> None:
    pace = Pace(2, Event())
    begin = time.monotonic()
    pace.wait("a.example")
    pace.hold("a.example", 60)
    pace.wait("b.example")
    assert time.monotonic() - begin < 30
    pace.wait("b.example")
    assert time.monotonic() - begin >= 0.5


def test_the_requests_of_all_threads_to_a_host_keep_to_the_rate() -> None:
    pace = Pace(50, Event())
    begin = time.monotonic()

    def ask(_: int) -> float:
        pace.wait("a.example")
        return time.monotonic() - begin

    with ThreadPoolExecutor(4) as threads:
        passed = sorted(threads.map(ask, range(11)))
    assert all(moment >= number / 50 for number, moment in enumerate(passed))


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    pace = Pace(1000, Event())
    begin = time.monotonic()
    pace.hold("a.example", 0.3)
    pace.hold("a.example", 0.1)
    pace.wait("a.example")
    assert time.monotonic() - begin >= 0.3


def test_waiting_ends_when_all_is_to_end() -> None:
    stop = Event()
    pace = Pace(1, stop)
    pace.hold("a.example", 60)
    stop.set()
    with pytest.raises(Stopped):
        pace.wait("a.example")
    with pytest.raises(Stopped):
        pace.check()
