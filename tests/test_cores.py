"""A program that may use some of the cores only starts no more threads and processes than that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aesth.cores import usable_cores

ASK = """
from aesth import Scorer
from aesth.cores import usable_cores
from aesth.runtime import session_options
print(usable_cores(), Scorer().jobs, session_options().intra_op_num_threads)
"""


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("100000 100000\n", 1),
        ("150000 100000\n", 2),
        ("1000 100000\n", 1),
        ("9900000 100000\n", None),
        ("max 100000\n", None),
        ("nonsense", None),
        ("1 0\n", None),
    ],
)
def test_a_containers_share_of_time_counts_where_it_is_less(told: str, expected: int | None, tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(told)
    everything = usable_cores(tmp_path / "nowhere")
    assert usable_cores(quota) == min(expected or everything, everything)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="nothing binds a process to cores here")
@pytest.mark.skipif(os.cpu_count() == 1, reason="there is one core")
def test_a_process_that_is_bound_to_a_core_takes_one_for_all_that_it_does() -> None:
    bound = f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])\n{ASK}"
    done = subprocess.run([sys.executable, "-c", bound], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1"]
