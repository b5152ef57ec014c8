"""How much memory a program takes together with the programs that it starts; where Linux tells it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
INTERVAL = 0.05
"""Seconds between two looks."""


def is_told() -> bool:
    """Whether this system tells how much memory processes take, what they share counted once."""
    return (PROCESSES / "self" / "smaps_rollup").exists()


def peak(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """The most bytes that a program and all that it started took at one time; its output is dropped.

    What processes share is divided among them (the kernel's PSS), so that a sum of them counts nothing twice.

    Raises:
        CalledProcessError: the program failed.
    """
    most = 0
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        said = b""
        while process.poll() is None:
            most = max(most, sum(map(_taken, _tree(process.pid))))
            said += process.stderr.read() or b""
            time.sleep(INTERVAL)
        said += process.stderr.read() or b""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    return most


def _tree(process: int) -> Iterator[int]:
    """A process and all that it started, which any of its threads may have done."""
    yield process
    with suppress(OSError):  # it has ended
        for thread in (PROCESSES / str(process) / "task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _taken(process: int) -> int:
    with suppress(OSError):
        for line in (PROCESSES / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
