"""Photos as they arrive in folders, for programs that go on: what `aesth watch` tags."""

from aesth.watching.arrivals import POLL, SETTLE, Arrivals

__all__ = ["POLL", "SETTLE", "Arrivals"]
