"""What `aesth darktable install` does, seen by the real darktable."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import aesth_in_process
from support.darktable import Darktable
from support.desktop import Desktop, need

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

STARTS = 3
"""How often darktable is started where it hangs: 4.2 can, where a script is faster than its windows."""


@pytest.fixture
def darktable(request: pytest.FixtureRequest, screen: Desktop) -> Darktable:
    need(request.config, "darktable")
    return Darktable(screen, "installed", {"lua/_scripts_install/dont_show": "TRUE"})


def what_started(darktable: Darktable) -> str:
    """Where the plugin's folder is that darktable started by itself; empty if it started none."""
    noted = darktable.folder / "noted.txt"
    work = f"""
        dt.control.sleep(3000)
        local path = package.searchpath("aesth/aesth", package.path)
        local file = io.open([==[{noted}]==], "w")
        file:write(package.loaded["aesth/aesth"] and path or "")
        file:close()
    """
    for _ in range(STARTS):
        noted.unlink(missing_ok=True)
        try:
            darktable.run(work)
        except AssertionError:
            if noted.exists():
                raise
        if noted.exists():
            return noted.read_text()
    raise AssertionError(f"darktable hung {STARTS} times")


def test_darktable_starts_the_plugin_once_it_is_installed_and_no_more_when_it_is_taken_back(
    darktable: Darktable,
) -> None:
    config = darktable.folder / "config"
    config.mkdir(parents=True)
    assert aesth_in_process("darktable", "install", "--config-dir", config).returncode == 0
    assert Path(what_started(darktable)) == config / "lua" / "aesth" / "aesth.lua"
    done = aesth_in_process("darktable", "install", "--config-dir", config, "--uninstall")
    assert done.returncode == 0
    assert b"leave" not in done.stdout
    assert not (config / "lua").exists()
    assert what_started(darktable) == ""
