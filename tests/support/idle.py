"""Whether a program that runs has nothing to do."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path


def is_idle(process: subprocess.Popen[bytes], seconds: float = 0.5) -> bool:
    """Whether a program has nothing to do for a while.

    Time in which it waits for a processor of a busy machine counts as work, and so does the end of a thread.
    """
    before = _worked(process)
    time.sleep(seconds)
    return abs(_worked(process) - before) < 0.05 * seconds


def _worked(process: subprocess.Popen[bytes]) -> float:
    """Seconds that its threads have computed, or were about to."""
    worked = 0.0
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended this moment
            computed, waited, _ = (thread / "schedstat").read_text().split()
            worked += (int(computed) + int(waited)) / 1e9
    return worked
