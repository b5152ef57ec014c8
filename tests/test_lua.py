"""The Lua of darktable's plugin: its own specifications, and its style."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "plugins" / "darktable"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a program prints in the folder of the plugin; the test is skipped where it is missing."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: apt-get install lua5.4 lua-busted lua-check")
    return subprocess.run(
        [program, *arguments], cwd=PLUGIN, capture_output=True, text=True, errors="replace", timeout=120, check=False
    )


def test_it_does_what_its_specifications_say() -> None:
    lua = shutil.which("lua5.4") or shutil.which("lua")
    done = run("busted", *([f"--lua={lua}"] if lua else []), "--output=plainTerminal", "spec")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failures / 0 errors" in done.stdout


def test_luacheck_has_nothing_to_say() -> None:
    done = run("luacheck", "--no-color", ".")
    assert done.returncode == 0, done.stdout
