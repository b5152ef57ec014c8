"""How fast to ask: a steady rate for each host, waits that grow, and waits that a server asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event, Lock


class Stopped(Exception):  # noqa: N818 - no error: somebody wants to stop
    """Nothing more is to be fetched."""


class Pace:
    """Lets requests to a host through at a steady rate, and none while the host is held. Safe to share by threads.

    Args:
        rate: requests to one host in a second.
        stop: ends all waiting.
    """

    def __init__(self, rate: float, stop: Event) -> None:
        self._gap = 1 / rate
        self._stop = stop
        self._lock = Lock()
        self._free_at: dict[str, float] = {}

    def wait(self, host: str) -> None:
        """Wait until a request to ``host`` may begin.

        Raises:
            Stopped: while waiting.
        """
        while (delay := self._take(host)) > 0:
            self.sleep(delay)

    def hold(self, host: str, seconds: float) -> None:
        """Let nothing through to ``host`` for a time, as it asked for."""
        with self._lock:
            self._free_at[host] = max(self._free_at.get(host, 0.0), time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: while waiting.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def check(self) -> None:
        """Go on.

        Raises:
            Stopped: or not.
        """
        if self._stop.is_set():
            raise Stopped

    def _take(self, host: str) -> float:
        """Take the next place if it is free now, else the seconds until it may be."""
        with self._lock:
            now = time.monotonic()
            delay = self._free_at.get(host, 0.0) - now
            if delay <= 0:
                self._free_at[host] = now + self._gap
            return delay


def back_off(attempt: int, first: float, longest: float, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after the try number ``attempt``, from 0: twice as long each time, at most ``longest``.

    Between half of that and all of it, by ``chance`` in [0, 1), so that those who failed together do not return
    together.
    """
    return float(min(longest, first * 2.0 ** min(attempt, 64))) * (0.5 + 0.5 * chance())


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that the header Retry-After asks for (RFC 9110, 10.2.3), a number or a date; None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
