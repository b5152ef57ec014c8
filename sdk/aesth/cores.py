"""How many processor cores this program may use: in a container, or bound to some of them, fewer than there are."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may use, at least 1.

    Those that it is bound to (``taskset``, a cluster's scheduler), and of them no more than its share of time allows
    (``docker run --cpus``); where the system tells of neither, all.

    Args:
        quota: where Linux tells of that share (control groups, version 2): microseconds, or ``max``, and their period.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, _share(quota) or bound))


def _share(quota: Path) -> int | None:
    try:
        allowed, period = quota.read_text("ascii").split()
        return None if allowed == "max" else math.ceil(int(allowed) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None
