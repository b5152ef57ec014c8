"""How politely, how patiently and how large pictures are fetched."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aesth.errors import ConfigError


@dataclass(frozen=True)
class FetchOptions:
    """How politely, how patiently and how large pictures are fetched.

    Attributes:
        jobs: pictures at a time.
        rate: requests to one host in a second.
        retries: further tries after one that failed for a reason that may pass.
        back_off: seconds before the first of them; each further one waits twice as long, at most ``longest_wait``.
        longest_wait: seconds; where a server asks for a longer wait, its picture is given up for this time.
        timeout: seconds without an answer or data after which a try has failed; a whole try may take ten times as long.
        max_bytes: a larger file is not fetched.
        max_pixels: a larger picture is not decoded.
        redirects: that are followed for one picture.
        side: pixels that the short side is reduced to; smaller pictures stay as they are.
        quality: of the JPEG files that are kept, 1-95.
    """

    jobs: int = 8
    rate: float = 5.0
    retries: int = 4
    back_off: float = 1.0
    longest_wait: float = 120.0
    timeout: float = 30.0
    max_bytes: int = 50_000_000
    max_pixels: int = 100_000_000
    redirects: int = 5
    side: int = 320
    quality: int = 92

    def __post_init__(self) -> None:
        for name, least in (("jobs", 1), ("retries", 0), ("back_off", 0), ("longest_wait", 0), ("redirects", 0)):
            self._require(name, getattr(self, name) >= least, f"at least {least}")
        for name in ("rate", "timeout", "max_bytes", "max_pixels", "side"):
            self._require(name, getattr(self, name) > 0, "above 0")
        self._require("quality", 1 <= self.quality <= 95, "1 to 95")

    def _require(self, name: str, fits: bool, what: str) -> None:
        if not fits or not math.isfinite(getattr(self, name)):
            raise ConfigError(f"{name} must be {what}, not {getattr(self, name):g}")
